// Amounts and times, for people. Times are seconds since the epoch, told in UTC.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function told(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (Number.isInteger(value)) return String(value);
  return size >= 1 ? String(+value.toFixed(2)) : String(+value.toPrecision(2));
}

function toldDuration(seconds) {
  for (const [most, unit, name] of [[120, 1, "s"], [7200, 60, "min"], [172800, 3600, "h"], [Infinity, 86400, "days"]]) {
    if (seconds < most) return `${seconds / unit >= 100 ? told(seconds / unit) : +(seconds / unit).toPrecision(3)} ${name}`;
  }
  return "–";
}

const twoDigits = (value) => String(value).padStart(2, "0");

function toldClock(time, seconds = false) {
  const date = new Date(time * 1000);
  const clock = `${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())}`;
  return seconds ? `${clock}:${twoDigits(date.getUTCSeconds())}` : clock;
}

function toldDay(time) {
  const date = new Date(time * 1000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

function toldMoment(time) {
  return `${toldDay(time)} ${new Date(time * 1000).getUTCFullYear()} ${toldClock(time)}`;
}

function toldTime(time) {
  const date = new Date(time * 1000);
  const clock = toldClock(time, date.getUTCSeconds() > 0);
  return `${DAYS[date.getUTCDay()]} ${toldDay(time)} ${date.getUTCFullYear()} ${clock} UTC`;
}

/** An element with attributes and children; a text is a child, and stays text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  fill(made, attributes, children);
  return made;
}

function drawing(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  fill(made, attributes, children);
  return made;
}

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
}
