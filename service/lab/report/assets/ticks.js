// Where an axis has its marks.

/** Values from 0 to at most `most`, about `count` of them, at 1, 2 or 5 times a power of ten. */
function valueTicks(most, count) {
  if (!(most > 0)) return [0];
  const rough = most / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough * 0.999);
  const found = [];
  for (let number = 0; number * step <= most * 1.0001; number++) found.push(+(number * step).toPrecision(12));
  return found;
}

const TIME_STEPS = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600];

/** {time, text} of the marks between two times; at midnight the text is the day. */
function timeTicks(from, to, count) {
  const rough = (to - from) / Math.max(1, count);
  const step = TIME_STEPS.find((each) => each >= rough);
  if (step === undefined) {
    const months = rough / (30.5 * 86400);
    return monthTicks(from, to, [1, 2, 3, 6].find((each) => each >= months) ?? 12);
  }
  // Weeks begin on Mondays: the epoch was a Thursday.
  const shift = step % 604800 === 0 ? 4 * 86400 : 0;
  const found = [];
  for (let time = Math.ceil((from - shift) / step) * step + shift; time <= to; time += step) {
    const text = time % 86400 === 0 ? toldDay(time) : toldClock(time, step < 60);
    found.push({ time, text });
  }
  return found;
}

function monthTicks(from, to, months) {
  const found = [], first = new Date(from * 1000);
  for (let number = first.getUTCMonth(); ; number++) {
    const time = Date.UTC(first.getUTCFullYear(), number, 1) / 1000;
    if (time > to) return found;
    const month = ((number % 12) + 12) % 12;
    if (time >= from && month % months === 0) {
      const year = new Date(time * 1000).getUTCFullYear();
      found.push({ time, text: month === 0 ? String(year) : MONTHS[month] });
    }
  }
}
