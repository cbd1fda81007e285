// The autoscale runs: up for a target that rose, down for one that fell, across for one that failed.

class RunsStrip {
  constructor(run) {
    this.run = run;
    this.sheet = new Sheet(30);
    const { times } = run.evaluations;
    this.moves = times.map((_, number) => Math.sign(movedBy(run.evaluations, number)));
    const failed = Object.keys(run.errors).length;
    const changed = this.moves.reduce((sum, _, number) => sum + (changes(run.evaluations, number) ? 1 : 0), 0);
    const counts = `${told(times.length)}, ${told(changed)} changed the target`;
    this.sheet.canvas.setAttribute("role", "img");
    this.sheet.canvas.setAttribute("aria-label", `Autoscale runs: ${counts}, ${failed} failed`);
    this.root = element("div", { class: "plot" }, element("div", { class: "plot-head" },
      element("strong", {}, "Autoscale runs"),
      element("span", { class: "key" }, `${counts}${failed ? `, ${told(failed)} failed (red)` : ""}`)), this.sheet.canvas);
  }

  draw(view) {
    const pen = this.sheet.pen(), { window } = view, middle = this.sheet.height / 2;
    const { times } = this.run.evaluations;
    pen.save();
    pen.translate(GUTTER, 0);
    pen.beginPath();
    pen.rect(0, 0, window.width, this.sheet.height);
    pen.clip();
    const paths = { same: new Path2D(), up: new Path2D(), down: new Path2D(), failed: new Path2D() };
    let [same, up, down, failed] = [-1, -1, -1, -1];
    const last = rowAt(times, window.to);
    for (let number = Math.max(0, rowAt(times, window.from)); number <= last; number++) {
      const x = Math.round(placeOf(window, times[number])) - 1;
      // One mark of a kind to a pixel is enough.
      if (this.run.errors[number] !== undefined) {
        if (failed !== x) paths.failed.rect((failed = x), 3, 2, this.sheet.height - 6);
      } else if (this.moves[number] > 0) {
        if (up !== x) paths.up.rect((up = x), 3, 2, middle - 3);
      } else if (this.moves[number] < 0) {
        if (down !== x) paths.down.rect((down = x), middle, 2, middle - 3);
      } else if (same !== x) paths.same.rect((same = x), middle - 1.5, 2, 3);
    }
    for (const [name, colour] of [["same", "--demand"], ["up", "--running"], ["down", "--leaving"], ["failed", "--bad"]]) {
      pen.fillStyle = paint(colour);
      pen.fill(paths[name]);
    }
    drawCursors(pen, view, this.sheet.height);
    pen.restore();
  }

  read() {}
}

/** The number of the run that moved the targets farthest. */
function largestMove(evaluations) {
  let found = 0, most = -1;
  for (let number = 0; number < evaluations.times.length; number++) {
    const far = number ? Math.abs(movedBy(evaluations, number)) : 0;
    if (far > most) [found, most] = [number, far];
  }
  return found;
}

/** Whether a run left other targets than it found. */
function changes(evaluations, number) {
  const [dedicated, lowPriority] = targetsBefore(evaluations, number);
  return evaluations.dedicated[number] !== dedicated || evaluations.lowPriority[number] !== lowPriority;
}

/** By how many nodes a run changed the targets. */
function movedBy(evaluations, number) {
  const [dedicated, lowPriority] = targetsBefore(evaluations, number);
  return evaluations.dedicated[number] + evaluations.lowPriority[number] - dedicated - lowPriority;
}

/** The targets that a run found: dedicated, low-priority. */
function targetsBefore({ initialTargets, dedicated, lowPriority }, number) {
  return number ? [dedicated[number - 1], lowPriority[number - 1]] : initialTargets;
}
