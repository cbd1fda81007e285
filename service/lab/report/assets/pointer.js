// The pointer on the charts. A mouse: drag to choose a stretch, click to explain, Ctrl with the wheel to zoom. Fingers:
// one moves, two zoom, a tap explains.

const CLICK = 5;

function followPointer(plots, view) {
  const fingers = new Map();
  let start = null;
  const placeIn = (event) => event.clientX - plots.getBoundingClientRect().left - GUTTER;
  const moment = (event) => timeAt(view.window, Math.min(Math.max(placeIn(event), 0), view.window.width));
  const stretch = (one, other) => [Math.min(one, other), Math.max(one, other)];
  const onOverview = (event) => event.target.id === "overview";

  plots.addEventListener("pointerdown", (event) => {
    if (event.target.tagName !== "CANVAS" || event.button > 0) return;
    fingers.set(event.pointerId, placeIn(event));
    event.target.setPointerCapture(event.pointerId);
    const { from, to } = view.window;
    start = { x: placeIn(event), time: moment(event), from, to, moved: false, overview: onOverview(event) };
    if (start.overview) takeOverview(event);
  });

  plots.addEventListener("pointermove", (event) => {
    if (event.target.tagName !== "CANVAS") return;
    if (!fingers.has(event.pointerId)) {
      if (event.pointerType !== "touch" && !onOverview(event)) view.point(moment(event));
      return;
    }
    if (fingers.size === 2) pinch(event);
    else if (start !== null) dragTo(event);
    fingers.set(event.pointerId, placeIn(event));
  });

  const end = (event) => {
    if (!fingers.delete(event.pointerId) || start === null || fingers.size) return;
    const { moved, overview, time } = start, chosen = view.dragged !== null;
    start = view.dragged = null;
    if (event.type === "pointercancel" || overview) view.draw();
    else if (chosen) view.move(...stretch(time, moment(event)));
    else if (!moved) view.pickAt(moment(event));
  };
  plots.addEventListener("pointerup", end);
  plots.addEventListener("pointercancel", end);
  plots.addEventListener("pointerleave", () => view.run && view.point(null));
  plots.addEventListener("dblclick", () => view.all());
  plots.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) view.zoom(Math.exp(event.deltaY * 0.004), moment(event));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) view.shift(event.deltaX / view.window.width);
    else return;
    event.preventDefault();
  }, { passive: false });

  function dragTo(event) {
    const x = placeIn(event);
    start.moved ||= Math.abs(x - start.x) > CLICK;
    if (!start.moved) return;
    if (start.overview) takeOverview(event);
    else if (event.pointerType === "touch") {
      const by = ((x - start.x) / view.window.width) * (start.to - start.from);
      view.move(start.from - by, start.to - by);
    } else {
      view.dragged = stretch(start.time, moment(event));
      view.point(moment(event));
    }
  }

  /** In the middle of the window is what is taken. */
  function takeOverview(event) {
    const time = timeAt({ ...view.whole, width: view.window.width }, placeIn(event));
    const half = (start.to - start.from) / 2;
    view.move(time - half, time + half);
  }

  function pinch(event) {
    const [[, other]] = [...fingers].filter(([id]) => id !== event.pointerId);
    const before = Math.abs(fingers.get(event.pointerId) - other), now = Math.abs(placeIn(event) - other);
    if (before > 4 && now > 4) view.zoom(before / now, timeAt(view.window, (placeIn(event) + other) / 2));
    if (start !== null) start.moved = true;
  }
}
