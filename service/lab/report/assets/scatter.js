// Cost against waiting: a point for each formula, a line for each bound.

/** So much of its tasks may a formula leave undone and still be compared with others; as in the table of figures. */
const NEARLY_ALL = 0.01;
const SCATTER = { left: 52, right: 12, top: 52, bottom: 40 };

/** A picture so many pixels wide. `chosen(number)` is called when a point is chosen. */
function drawScatter(about, width, measure, shown, chosen) {
  const { left, right, top, bottom } = SCATTER, height = Math.round(Math.min(420, Math.max(240, width * 0.68)));
  const runs = about.runs.map(({ figures }) => ({
    name: figures.formula, cost: figures.cost, wait: figures.wait[measure], undone: figures.unfinished,
    lazy: figures.unfinished > NEARLY_ALL * (figures.tasks + figures.unfinished),
  }));
  const limits = Object.entries({ "work alone": "workAlone", optimum: "optimum", "break-even": "breakEven" })
    .filter(([, key]) => about.bounds?.[key]).map(([name, key]) => [name, about.bounds[key].cost]);
  const mostCost = Math.max(...runs.map((run) => run.cost), ...limits.map(([, cost]) => cost)) * 1.12 || 1;
  const mostWait = Math.max(...runs.map((run) => run.wait)) * 1.12 || 1;
  const x = (cost) => left + (cost / mostCost) * (width - left - right);
  const y = (wait) => height - bottom - (wait / mostWait) * (height - top - bottom);
  const [unit, unitName] = [[1, "s"], [60, "min"], [3600, "h"]].filter(([each]) => mostWait >= 2 * each).at(-1) ?? [1, "s"];
  const picture = drawing("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "group", "aria-label": "Cost against waiting" });
  for (const value of valueTicks(mostWait / unit, 5)) {
    picture.append(drawing("line", { class: "rule", x1: left, x2: width - right, y1: y(value * unit), y2: y(value * unit) }),
      drawing("text", { x: left - 8, y: y(value * unit) + 4, "text-anchor": "end" }, told(value)));
  }
  for (const value of valueTicks(mostCost, width / 90)) {
    picture.append(drawing("text", { x: x(value), y: height - bottom + 18, "text-anchor": "middle" }, told(value)));
  }
  picture.append(drawing("text", { x: width - right, y: height - 6, "text-anchor": "end" }, "cost"),
    drawing("text", { x: 4, y: top - 8 }, `wait (${unitName})`));
  limits.forEach(([name, cost], number) => {
    // Each name has a line of its own, so that none covers another.
    const [anchor, by] = x(cost) > width - 80 ? ["end", -4] : ["start", 4], line = 14 + number * 14;
    picture.append(drawing("line", { class: "limit", x1: x(cost), x2: x(cost), y1: line - 8, y2: height - bottom }),
      drawing("text", { x: x(cost) + by, y: line, "text-anchor": anchor }, name));
  });
  const dots = runs.map((run) => ({ x: x(run.cost), y: y(run.wait), name: shortName(run.name) }));
  const edges = { left, right: width, top, bottom: height - bottom + 6, lines: limits.map(([, cost]) => x(cost)) };
  const labels = placedLabels(dots, shown, edges);
  runs.forEach((run, number) => {
    const undone = run.undone ? `; ${told(run.undone)} tasks did not end` : "", label = labels[number];
    const said = `${run.name}: cost ${told(run.cost)}, wait ${toldDuration(run.wait)}${undone}`;
    const point = drawing("g", {
      class: `point${number === shown ? " shown" : ""}${run.lazy ? " lazy" : ""}`, role: "button", tabindex: 0,
      "aria-pressed": String(number === shown), "aria-label": said,
    }, drawing("title", {}, said), drawing("circle", { cx: dots[number].x, cy: dots[number].y, r: 6 }));
    if (label) point.append(drawing("text", { x: label.x, y: label.y + 4 }, dots[number].name));
    point.addEventListener("click", () => chosen(number));
    point.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      chosen(number);
    });
    picture.append(point);
  });
  // What is shown is never below another.
  picture.append(picture.querySelectorAll(".point")[shown]);
  return picture;
}

const shortName = (name) => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

/** Where names can stand beside their points without covering anything, but for the lines if need be; null where there
 * is no room. The one that is shown has the first choice. */
function placedLabels(dots, shown, edges) {
  const taken = dots.map((dot) => ({ left: dot.x - 7, right: dot.x + 7, top: dot.y - 7, bottom: dot.y + 7 }));
  const free = (box, own) => box.left >= edges.left && box.right <= edges.right && box.top >= edges.top - 12 &&
    box.bottom <= edges.bottom + 8 && taken.every((other, number) => number === own || box.right < other.left ||
    box.left > other.right || box.bottom < other.top || box.top > other.bottom);
  const found = dots.map(() => null);
  const order = dots.map((_, number) => number).sort((one, other) => (other === shown) - (one === shown));
  for (const number of order) {
    const { x, y, name } = dots[number], wide = name.length * (number === shown ? 7.4 : 6.7);
    const places = [[x + 11, y], [x - 11 - wide, y], [x - wide / 2, y - 15], [x - wide / 2, y + 15], [x + 9, y - 12],
      [x - 9 - wide, y - 12]];
    const crossing = ([from]) => edges.lines.some((line) => line > from - 2 && line < from + wide + 2);
    for (const [left, middle] of [...places.filter((place) => !crossing(place)), ...places.filter(crossing)]) {
      const box = { left, right: left + wide, top: middle - 7, bottom: middle + 7 };
      if (!free(box, number)) continue;
      taken.push(box);
      found[number] = { x: left, y: middle };
      break;
    }
  }
  return found;
}
