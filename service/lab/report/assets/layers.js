// What a chart is made of. A layer has `prepare(window)`, which gives the greatest value to be drawn, `draw(pen, y)`
// with y(value) in pixels, and keys: {name, colour, at(row, time)}, where `time` is in that row.

/** From so many rows to a pixel on, single steps cannot be told apart: then a band from the least to the greatest
 * value, and the mean in it, are drawn. */
const DENSE = 3;

/** The steps of a column: a line, or (`filled`) the area below it. */
class Steps {
  constructor(data, values, name, colour, { filled = false, text = told } = {}) {
    Object.assign(this, { data, values, colour, filled, sums: integral(data.times, values) });
    this.keys = [{ name, colour, at: (row) => text(values[row]) }];
  }

  prepare(window) {
    const { times, end } = this.data;
    this.seen = extremes(times, this.values, end, window);
    this.means = isDense(times, window) ? means(times, this.values, this.sums, end, window) : null;
    return greatestOf(this.seen.greatests);
  }

  draw(pen, y) {
    const colour = paint(this.colour), level = this.means ?? this.seen.greatests;
    if (this.means !== null) faintly(pen, 0.3, () => fillBand(pen, this.seen, y, colour));
    if (this.filled) faintly(pen, 0.28, () => fillBelow(pen, level, y, colour));
    strokeSteps(pen, this.means === null ? this.seen : levels(this.means), y, colour, this.filled ? 1 : 1.75);
  }
}

/** What grows evenly from row to row: the area below a line. */
class Slope {
  constructor(data, values, name, colour) {
    Object.assign(this, { data, values, colour });
    this.keys = [{ name, colour, at: (row, time) => told(this.at(row, time)) }];
  }

  at(row, time) {
    const { times } = this.data, value = this.values[row];
    if (row + 1 >= times.length) return value;
    return value + ((time - times[row]) / (times[row + 1] - times[row])) * (this.values[row + 1] - value);
  }

  prepare({ from, to, width }) {
    const { times, end } = this.data;
    this.level = new Float64Array(width).fill(NaN);
    for (let pixel = 0; pixel < width; pixel++) {
      const time = from + ((pixel + 0.5) / width) * (to - from), row = rowAt(times, time);
      if (row >= 0 && time <= end) this.level[pixel] = this.at(row, time);
    }
    return greatestOf(this.level);
  }

  draw(pen, y) {
    const colour = paint(this.colour);
    faintly(pen, 0.28, () => fillBelow(pen, this.level, y, colour));
    strokeSteps(pen, levels(this.level), y, colour, 1);
  }
}

/** Columns on top of each other: of each the mean of a pixel, so that areas are node-seconds, and a line along the
 * peaks of their sum. */
class Stack {
  constructor(data, parts) {
    this.data = data;
    this.keys = parts.map(({ name, colour, values }) => ({ name, colour, at: (row) => told(values[row]) }));
    let below = new Float64Array(data.times.length);
    this.parts = parts.map(({ colour, values }) => {
      const upTo = below.map((value, row) => value + values[row]);
      below = upTo;
      return { colour, upTo, sums: integral(data.times, upTo) };
    });
    this.total = below;
  }

  prepare(window) {
    const { times, end } = this.data;
    for (const part of this.parts) part.means = means(times, part.upTo, part.sums, end, window);
    this.seen = extremes(times, this.total, end, window);
    if (isDense(times, window)) this.seen = levels(this.seen.greatests);
    return greatestOf(this.seen.greatests);
  }

  draw(pen, y) {
    for (const part of this.parts.toReversed()) fillBelow(pen, part.means, y, paint(part.colour));
    faintly(pen, 0.4, () => strokeSteps(pen, this.seen, y, paint("--ink"), 0.75));
  }
}

function isDense(times, { from, to, width }) {
  return rowAt(times, to) - rowAt(times, from) > DENSE * width;
}

/** One value to a pixel, as `extremes` tells them. */
function levels(values) {
  return { firsts: values, leasts: values, greatests: values, lasts: values };
}

function faintly(pen, share, deed) {
  pen.globalAlpha = share;
  deed();
  pen.globalAlpha = 1;
}

function greatestOf(values) {
  let found = 0;
  for (const value of values) if (value > found) found = value;
  return found;
}

/** The colour of a style sheet's name, as it is now: light or dark. */
function paint(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function fillBelow(pen, values, y, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  const ground = y(0);
  let open = false;
  for (let pixel = 0; pixel <= values.length; pixel++) {
    const there = pixel < values.length && values[pixel] === values[pixel];
    if (there) {
      if (!open) pen.moveTo(pixel, ground);
      pen.lineTo(pixel, y(values[pixel]));
      pen.lineTo(pixel + 1, y(values[pixel]));
    } else if (open) {
      pen.lineTo(pixel, ground);
    }
    open = there;
  }
  pen.fill();
}

/** From the least to the greatest value of each pixel. */
function fillBand(pen, { leasts, greatests }, y, colour) {
  pen.fillStyle = colour;
  for (let pixel = 0; pixel < leasts.length; pixel++) {
    const top = y(greatests[pixel]);
    if (top === top) pen.fillRect(pixel, top, 1, y(leasts[pixel]) - top);
  }
}

function strokeSteps(pen, { firsts, leasts, greatests, lasts }, y, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.beginPath();
  let open = false, before = NaN;
  for (let pixel = 0; pixel < firsts.length; pixel++) {
    const value = firsts[pixel], x = pixel + 0.5;
    if (value !== value) {
      open = false;
      continue;
    }
    if (!open) pen.moveTo(x, y(value));
    const flat = leasts[pixel] === greatests[pixel];
    const next = pixel + 1 < firsts.length ? firsts[pixel + 1] : NaN;
    // A level stretch is one line: only its ends are told.
    if (!open || !flat || value !== before || next !== value) pen.lineTo(x, y(value));
    if (!flat) {
      pen.lineTo(x, y(leasts[pixel]));
      pen.lineTo(x, y(greatests[pixel]));
      pen.lineTo(x, y(lasts[pixel]));
    }
    open = true;
    before = lasts[pixel];
  }
  pen.stroke();
}
