// The whole time in one strip, with the window that the charts show: to be taken and moved.

class Overview {
  constructor(run) {
    this.sheet = new Sheet(54, "overview");
    this.layer = new Steps(run.data, run.series.demand, "", "--demand", { filled: true });
    this.sheet.canvas.setAttribute("role", "img");
    this.sheet.canvas.setAttribute("aria-label", "Demand over the whole time, with the part that the charts show");
    this.root = element("div", { class: "plot" }, this.sheet.canvas);
  }

  draw(view) {
    const pen = this.sheet.pen(), whole = { ...view.whole, width: view.window.width };
    const bottom = this.sheet.height - FOOT;
    const most = this.layer.prepare(whole) || 1;
    drawTimeAxis(pen, whole, this.sheet.height);
    pen.save();
    pen.translate(GUTTER, 0);
    this.layer.draw(pen, (value) => bottom - (value / most) * (bottom - 4));
    const [from, to] = [view.window.from, view.window.to].map((time) => placeOf(whole, time));
    pen.globalAlpha = 0.65;
    pen.fillStyle = paint("--card");
    pen.fillRect(0, 0, from, bottom);
    pen.fillRect(to, 0, whole.width - to, bottom);
    pen.globalAlpha = 1;
    pen.strokeStyle = paint("--accent");
    pen.lineWidth = 1.5;
    pen.strokeRect(from + 0.75, 0.75, Math.max(2, to - from - 1.5), bottom - 1.5);
    pen.restore();
  }

  read() {}
}
