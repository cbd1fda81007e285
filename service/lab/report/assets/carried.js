// What the page carries: JSON, compressed, in base64; unpacked once, when it is needed first.

const unpackings = new Map();

function carried(name) {
  if (!unpackings.has(name)) unpackings.set(name, unpack(document.getElementById(name).textContent));
  return unpackings.get(name);
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/** The numbers of a packed column. */
function numbers({ unit, differences }) {
  const found = new Float64Array(differences.length);
  // A unit below 1 is divided by its inverse, which is a whole number, so that 0.3 stays 0.3.
  const inverse = unit < 1 ? Math.round(1 / unit) : 0;
  let sum = 0;
  for (let row = 0; row < found.length; row++) {
    sum += differences[row];
    found[row] = inverse ? sum / inverse : sum * unit;
  }
  return found;
}

function columnsOf(table) {
  return Object.fromEntries(Object.entries(table).map(([name, column]) => [name, numbers(column)]));
}

/** One formula's run: its columns over time, and its evaluations, with the times of both since the epoch. */
async function loadedRun(number, { start, initialTargets }) {
  const packed = await carried(`run-${number}`);
  const series = columnsOf(packed.series), evaluations = columnsOf(packed.runs);
  for (const table of [series, evaluations]) table.times = table.times.map((time) => start + time);
  evaluations.initialTargets = initialTargets;
  return { series, evaluations, errors: packed.errors, end: start + packed.end };
}
