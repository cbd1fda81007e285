// The page as it opens.

const STATES = [
  ["running", "--running"], ["idle", "--idle"], ["booting", "--booting"], ["leaving", "--leaving"], ["unusable", "--unusable"],
];

function chartsOf(run, slots) {
  const { series, data } = run, sum = (one, other) => one.map((value, row) => value + other[row]);
  const target = sum(series.targetDedicated, series.targetLowPriority);
  const states = STATES.filter(([name]) => series[name].some((value) => value > 0));
  const parts = (states.length ? states : STATES.slice(0, 1)).map(([name, colour]) => ({ name, colour, values: series[name] }));
  return [
    new Chart("Demand and target, nodes", 190, [
      new Steps(data, series.demand.map((value) => Math.ceil(value / slots)), "demand", "--demand", { filled: true }),
      new Steps(data, target, "target", "--target"),
    ]),
    new RunsStrip(run),
    new Chart("Nodes by state", 190, [new Stack(data, parts)]),
    new Chart("Tasks that wait", 130, [new Steps(data, series.queue, "queue", "--queue", { filled: true })]),
    new Chart("Cost so far", 130, [new Slope(data, series.cost, "cost", "--cost")]),
    new Overview(run),
  ];
}

async function start() {
  const about = await carried("about"), explainer = new Explainer(about);
  const plots = document.getElementById("plots"), formula = document.getElementById("formula");
  const measure = document.getElementById("wait-of");
  let shown = 0;
  const view = new View((picked) => explainer.explain(shown, view.run, picked));

  async function show(number) {
    shown = number;
    formula.value = String(number);
    scatter();
    const run = await loadedRun(number, about);
    if (number !== shown) return;
    const before = view.picked === null ? null : view.run.evaluations.times[view.picked];
    run.data = { times: run.series.times, end: run.end };
    const charts = chartsOf(run, about.slots);
    plots.replaceChildren(...charts.map((chart) => chart.root));
    view.show(run, charts);
    // The same moment, under another formula; at first the run that moved most.
    explainer.clear();
    if (before !== null) view.pickAt(before);
    else view.pick(largestMove(run.evaluations));
  }

  function scatter() {
    const place = document.getElementById("scatter"), held = place.contains(document.activeElement);
    place.replaceChildren(drawScatter(about, Math.max(260, place.clientWidth), measure.value, shown, show));
    if (held) place.querySelector(".point.shown").focus();
  }

  formula.addEventListener("change", () => show(Number(formula.value)));
  measure.addEventListener("change", scatter);
  followPointer(plots, view);
  followKeys(plots, view);
  new ResizeObserver(() => view.draw()).observe(plots);
  new ResizeObserver(scatter).observe(document.getElementById("scatter-section"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => view.draw());
  await show(0);
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  document.documentElement.dataset.ready = "yes";
}

start().catch((reason) => {
  document.getElementById("plots").replaceChildren(element("p", { class: "failed" }, `This page cannot be drawn here: ${reason}`));
  document.documentElement.dataset.ready = "failed";
});
