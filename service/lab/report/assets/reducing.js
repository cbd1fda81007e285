// Columns of many rows, seen through a window some hundred pixels wide. A row holds from its time until the next one's.

/** The number of the last row that is not after `time`; -1 before the first. */
function rowAt(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** For each pixel of the window its first, least, greatest and last value; NaN where there are no rows. No peak is
 * lost, however many rows share a pixel. */
function extremes(times, values, end, window) {
  const { from, to, width } = window, perPixel = (to - from) / width;
  const found = ["first", "least", "greatest", "last"].map(() => new Float64Array(width).fill(NaN));
  const [firsts, leasts, greatests, lasts] = found;
  let row = rowAt(times, from);
  const rows = times.length;
  for (let pixel = 0; pixel < width; pixel++) {
    const stop = from + (pixel + 1) * perPixel;
    if (stop - perPixel >= end) break;
    if (row < 0) {
      if (!(times[0] < stop)) continue;
      row = 0;
    }
    let value = values[row], least = value, greatest = value;
    firsts[pixel] = value;
    while (row + 1 < rows && times[row + 1] < stop) {
      value = values[++row];
      if (value < least) least = value;
      else if (value > greatest) greatest = value;
    }
    leasts[pixel] = least;
    greatests[pixel] = greatest;
    lasts[pixel] = value;
  }
  return { firsts, leasts, greatests, lasts };
}

/** The time-weighted sum of a column up to each of its rows. */
function integral(times, values) {
  const found = new Float64Array(times.length);
  for (let row = 1; row < times.length; row++) {
    found[row] = found[row - 1] + values[row - 1] * (times[row] - times[row - 1]);
  }
  return found;
}

/** For each pixel the time-weighted mean of a column, so that areas stay what they are; NaN where there are no rows. */
function means(times, values, sums, end, window) {
  const { from, to, width } = window, perPixel = (to - from) / width;
  const found = new Float64Array(width).fill(NaN);
  let row = -1;
  const until = (time) => {
    while (row + 1 < times.length && times[row + 1] <= time) row++;
    return sums[row] + values[row] * (time - times[row]);
  };
  const low = Math.max(from, times[0]), high = Math.min(to, end);
  row = rowAt(times, low);
  if (row < 0 || high <= low) return found;
  let before = until(low), at = low;
  for (let pixel = Math.floor((low - from) / perPixel); pixel < width && at < high; pixel++) {
    const stop = Math.min(from + (pixel + 1) * perPixel, high);
    if (stop <= at) continue;
    const sum = until(stop);
    found[pixel] = (sum - before) / (stop - at);
    before = sum;
    at = stop;
  }
  return found;
}
