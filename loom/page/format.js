// Numbers, sizes, times and names as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("en", { year: "numeric", month: "short", day: "numeric" });
const UNITS = ["bytes", "KB", "MB", "GB", "TB", "PB"];

export const number = (value) => (value === null || value === undefined ? "–" : whole.format(value));

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit ? tenth.format(value) : whole.format(value)} ${UNITS[unit]}`;
}

export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  if (ms < 1) return `${tenth.format(ms)} ms`;
  if (ms < 10) return `${tenth.format(ms)} ms`;
  if (ms < 1000) return `${whole.format(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${tenth.format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${whole.format(hours / 24)} days`;
}

export function rate(perSecond) {
  if (!Number.isFinite(perSecond) || perSecond <= 0) return "–";
  return `${perSecond < 10 ? tenth.format(perSecond) : whole.format(perSecond)}/s`;
}

export function time(text) {
  if (!text) return "–";
  const at = new Date(text);
  return `${day.format(at)}, ${clock.format(at)}`;
}

export function ago(text) {
  if (!text) return "–";
  const seconds = (Date.now() - new Date(text)) / 1000;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return seconds < 7 * 86400 ? `${Math.floor(seconds / 86400)} days ago` : day.format(new Date(text));
}

export const degrees = (value, plus, minus) => `${Math.abs(value).toFixed(4)}° ${value < 0 ? minus : plus}`;

export const counted = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;

// A path, or a name, in one line.
export const onOneLine = (path) => path.replace(/[\t\n]/g, (one) => (one === "\n" ? "‹U+000A›" : "‹U+0009›"));

export const nameOf = (path) => onOneLine((path ?? "").split("/").pop() || path || "");

export function folderOf(path) {
  const cut = path.lastIndexOf("/");
  return cut > 0 ? path.slice(0, cut) : "/";
}

export const short = (id) => id.slice(0, 8);

export function median(values) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// What language models were asked and have answered, and what that costs where prices are known.
export function spentOf(spent) {
  if (!spent) return [];
  const tokens = [
    ["tokens asked", number(spent.prompt_tokens)],
    ["tokens answered", number(spent.completion_tokens)],
  ];
  return spent.cost === null ? tokens : [...tokens, ["cost", String(spent.cost)]];
}
