// What a call saw of a metric: in words, and as bars from 0 to the largest. A lost sample is a red stub, one that was
// not there yet a grey one.

const MOST_BARS = 120;

function toldSamples([metric, first, stop, late, present, possible, percent, wanted, whole], samples) {
  const values = samples.values[metric]?.slice(first, stop) ?? [];
  const share = whole
    ? `${present} samples in the history`
    : `${present} of ${possible} samples (${percent} %${wanted < 0 ? "" : `, wanted ${told(wanted)} %`})`;
  const given = values.filter((value) => value !== null);
  const range = given.length ? `, ${told(Math.min(...given))} to ${told(Math.max(...given))}` : "";
  const shown = element("div", { class: "seen" }, `${metric}: ${share}${range}`);
  if (values.length + late > 1) shown.append(bars([...values, ...Array(late)], Math.max(0, ...given)));
  return shown;
}

function bars(values, most) {
  const count = Math.min(values.length, MOST_BARS), picture = drawing("svg", {
    viewBox: `0 0 ${count * 3} 34`, preserveAspectRatio: "none", "aria-hidden": "true",
    style: `max-width: ${Math.max(40, Math.min(360, count * 9))}px`,
  });
  for (let number = 0; number < count; number++) {
    const part = values.slice(Math.floor((number * values.length) / count), Math.floor(((number + 1) * values.length) / count));
    const given = part.filter((value) => value !== null && value !== undefined);
    const missing = part.every((value) => value === undefined) ? "late" : "lost";
    const height = given.length ? Math.max(1.5, (most > 0 ? Math.max(...given) / most : 0) * 32) : 5;
    picture.append(drawing("rect", { x: number * 3, width: 2, y: 34 - height, height, ...(given.length ? {} : { class: missing }) }));
  }
  return picture;
}
