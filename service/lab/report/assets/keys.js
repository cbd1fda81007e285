// The keyboard on the charts, and the buttons that do the same.

function followKeys(plots, view) {
  const step = (by) => view.pick(view.picked === null ? rowAt(view.run.evaluations.times, view.window.from) + 1 : view.picked + by);
  const zoomed = (times) => view.zoom(times, view.picked === null ? undefined : view.run.evaluations.times[view.picked]);
  const deeds = {
    ArrowLeft: (shift) => (shift ? view.shift(-0.2) : step(-1)),
    ArrowRight: (shift) => (shift ? view.shift(0.2) : step(1)),
    "+": () => zoomed(0.5),
    "=": () => zoomed(0.5),
    "-": () => zoomed(2),
    0: () => view.all(),
    Escape: () => view.all(),
    Home: () => view.pick(0),
    End: () => view.pick(view.run.evaluations.times.length - 1),
    PageUp: () => view.pickChange(-1),
    PageDown: () => view.pickChange(1),
  };
  plots.addEventListener("keydown", (event) => {
    const deed = deeds[event.key];
    if (deed === undefined || event.ctrlKey || event.metaKey || event.altKey || view.run === null) return;
    event.preventDefault();
    deed(event.shiftKey);
  });
  const buttons = {
    "zoom-in": () => zoomed(0.5),
    "zoom-out": () => zoomed(2),
    "zoom-all": () => view.all(),
    "run-before": () => step(-1),
    "run-after": () => step(1),
    "change-before": () => view.pickChange(-1),
    "change-after": () => view.pickChange(1),
  };
  for (const [id, deed] of Object.entries(buttons)) {
    document.getElementById(id).addEventListener("click", () => view.run && deed());
  }
}
