// What all charts show together: the window of time, where the pointer is, and the run that is explained.

const SHORTEST_WINDOW = 60;

class View {
  /** `changed(picked)` is called when another run is to be explained. */
  constructor(changed) {
    Object.assign(this, { changed, charts: [], hover: null, dragged: null, picked: null, run: null, asked: false });
    this.window = { from: 0, to: 1, width: 1 };
    this.whole = { from: 0, to: 1 };
  }

  /** Show another run; the window stays where it is if it can. */
  show(run, charts) {
    const first = this.run === null;
    Object.assign(this, { run, charts, hover: null, dragged: null, picked: null });
    this.whole = { from: run.data.times[0] ?? 0, to: Math.max(run.end, (run.data.times[0] ?? 0) + SHORTEST_WINDOW) };
    if (first) this.move(this.whole.from, this.whole.to);
    else this.move(this.window.from, this.window.to);
  }

  /** The window, kept inside the whole. */
  move(from, to) {
    const { whole } = this, length = Math.min(Math.max(to - from, SHORTEST_WINDOW), whole.to - whole.from);
    const start = Math.min(Math.max(from, whole.from), whole.to - length);
    Object.assign(this.window, { from: start, to: start + length });
    this.draw();
  }

  /** `times` as long a window, with the moment `around` where it is. */
  zoom(times, around = (this.window.from + this.window.to) / 2) {
    const { from, to } = this.window;
    this.move(around - (around - from) * times, around + (to - around) * times);
  }

  shift(part) {
    const { from, to } = this.window, by = (to - from) * part;
    this.move(from + by, to + by);
  }

  all() {
    this.move(this.whole.from, this.whole.to);
  }

  /** Explain a run, and have it in the window. */
  pick(number) {
    const { times } = this.run.evaluations;
    if (!times.length) return;
    this.picked = Math.min(Math.max(number, 0), times.length - 1);
    const time = times[this.picked], { from, to } = this.window;
    this.read(time);
    if (time < from || time > to) this.move(time - (to - from) / 2, time + (to - from) / 2);
    else this.draw();
    this.changed(this.picked);
  }

  /** The run nearest to a moment. */
  pickAt(time) {
    const { times } = this.run.evaluations, before = rowAt(times, time);
    const after = before + 1 < times.length && (before < 0 || times[before + 1] - time < time - times[before]);
    this.pick(after ? before + 1 : before);
  }

  /** The next run in a direction (1, -1) that changed the target. */
  pickChange(direction) {
    const { evaluations } = this.run, count = evaluations.times.length;
    let number = this.picked === null ? (direction > 0 ? -1 : count) : this.picked;
    do number += direction; while (number >= 0 && number < count && !changes(evaluations, number));
    if (number >= 0 && number < count) this.pick(number);
  }

  point(time) {
    this.hover = time;
    this.read(time ?? (this.picked === null ? null : this.run.evaluations.times[this.picked]));
    this.draw();
  }

  read(time) {
    const row = time === null || time > this.run.end ? -1 : rowAt(this.run.data.times, time);
    for (const chart of this.charts) chart.read(row, time);
    this.reading = time;
  }

  spanText() {
    const { from, to } = this.window;
    return `${toldTime(from)} to ${toldTime(to)}`;
  }

  /** Once a frame at most. */
  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (this.run === null) return;
      this.window.width = Math.max(1, Math.floor(this.charts[0].sheet.width - GUTTER));
      for (const chart of this.charts) chart.draw(this);
      const { from, to } = this.window;
      document.getElementById("span").textContent = this.hover === null
        ? `${toldMoment(from)} to ${toldMoment(to)} (${toldDuration(to - from)})`
        : toldTime(this.hover);
    });
  }
}
