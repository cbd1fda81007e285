// One chart: a canvas with axes, a line that follows the pointer, and keys that tell the values there.

const GUTTER = 46;
const FOOT = 20;

/** The window's time at a place of the canvas, and back. */
const timeAt = (window, x) => window.from + (x / window.width) * (window.to - window.from);
const placeOf = (window, time) => ((time - window.from) / (window.to - window.from)) * window.width;

/** A canvas that is as sharp as the screen. `draw(pen, width, height)` in CSS pixels. */
class Sheet {
  constructor(height, id = "") {
    this.canvas = element("canvas", id ? { id } : {});
    this.height = height;
    this.canvas.style.height = `${height}px`;
  }

  get width() {
    return this.canvas.clientWidth;
  }

  pen() {
    const ratio = window.devicePixelRatio || 1, wide = Math.round(this.width * ratio), high = Math.round(this.height * ratio);
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.font = "11px system-ui, sans-serif";
    return pen;
  }
}

class Chart {
  constructor(title, height, layers) {
    this.layers = layers;
    this.title = title;
    this.sheet = new Sheet(height);
    this.readings = layers.flatMap((layer) => layer.keys).map((key) => ({ key, output: element("output") }));
    const keys = this.readings.map(({ key, output }) => {
      const colour = element("i");
      colour.style.background = `var(${key.colour})`;
      return element("span", { class: "key" }, colour, key.name, output);
    });
    this.sheet.canvas.setAttribute("role", "img");
    this.root = element("div", { class: "plot" },
      element("div", { class: "plot-head" }, element("strong", {}, title), ...keys), this.sheet.canvas);
  }

  draw(view) {
    const pen = this.sheet.pen(), bottom = this.sheet.height - FOOT, window = view.window;
    const most = Math.max(...this.layers.map((layer) => layer.prepare(window))) || 1;
    const y = (value) => bottom - (value / (most * 1.06)) * (bottom - 6);
    this.sheet.canvas.setAttribute("aria-label", `${this.title}, from 0 to ${told(most)}, ${view.spanText()}`);
    this.drawValueAxis(pen, most, y);
    drawTimeAxis(pen, window, this.sheet.height);
    pen.save();
    pen.translate(GUTTER, 0);
    pen.beginPath();
    pen.rect(0, 0, window.width, bottom + 1);
    pen.clip();
    for (const layer of this.layers) layer.draw(pen, y);
    drawCursors(pen, view, bottom);
    pen.restore();
  }

  drawValueAxis(pen, most, y) {
    pen.strokeStyle = paint("--grid");
    pen.fillStyle = paint("--muted");
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.lineWidth = 1;
    for (const value of valueTicks(most, 4)) {
      const place = Math.round(y(value)) + 0.5;
      pen.beginPath();
      pen.moveTo(GUTTER, place);
      pen.lineTo(this.sheet.width, place);
      pen.stroke();
      pen.fillText(told(value), GUTTER - 6, Math.max(place, 7));
    }
  }

  /** Tell the values of a row, -1 for none, at `time` in it. */
  read(row, time) {
    for (const { key, output } of this.readings) output.textContent = row < 0 ? "" : key.at(row, time);
  }
}

function drawTimeAxis(pen, window, height) {
  pen.strokeStyle = paint("--grid");
  pen.fillStyle = paint("--muted");
  pen.textBaseline = "alphabetic";
  pen.textAlign = "center";
  pen.lineWidth = 1;
  for (const { time, text } of timeTicks(window.from, window.to, window.width / 72)) {
    const x = Math.round(GUTTER + placeOf(window, time)) + 0.5;
    pen.beginPath();
    pen.moveTo(x, 0);
    pen.lineTo(x, height - FOOT + 4);
    pen.stroke();
    const half = pen.measureText(text).width / 2;
    if (x - half >= 0 && x + half <= GUTTER + window.width) pen.fillText(text, x, height - 4);
  }
}

/** The run that is explained, where the pointer is, and the stretch that is being chosen. */
function drawCursors(pen, view, height) {
  const { window, hover, dragged } = view;
  const line = (time, colour, dash) => {
    const x = Math.round(placeOf(window, time)) + 0.5;
    pen.strokeStyle = paint(colour);
    pen.lineWidth = 1;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
    pen.stroke();
    pen.setLineDash([]);
  };
  if (dragged) {
    const [from, to] = dragged.map((time) => placeOf(window, time));
    pen.globalAlpha = 0.15;
    pen.fillStyle = paint("--accent");
    pen.fillRect(from, 0, to - from, height);
    pen.globalAlpha = 1;
  }
  if (view.picked !== null) line(view.run.evaluations.times[view.picked], "--ink", []);
  if (hover !== null) line(hover, "--muted", [3, 3]);
}
