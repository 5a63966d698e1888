// What a node gave, as people read it.

import { artifact } from "../api.js";
import { h } from "../dom.js";
import { bytes } from "../format.js";

const LONGEST = 400;

export function outputs(values) {
  const entries = Object.entries(values ?? {}).filter(([, value]) => value !== null && value !== "");
  if (!entries.length) return null;
  return h(
    "dl",
    { class: "outputs" },
    entries.map(([name, value]) =>
      h(
        "div",
        { class: isWide(value) ? "wide" : null },
        h("dt", null, name.replaceAll("_", " ")),
        h("dd", null, shown(value)),
      ),
    ),
  );
}

function shown(value) {
  if (Array.isArray(value))
    return value.every(isPlain) ? value.map(plain).join(", ") : folded(value, `${value.length} entries`);
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value);
    if (entries.length && entries.length <= 6 && entries.every(([, one]) => isPlain(one))) {
      return h(
        "span",
        { class: "pairs" },
        entries.map(([name, one]) => h("span", null, h("i", null, name.replaceAll("_", " ")), " ", plain(one))),
      );
    }
    return folded(value, `${entries.length} fields`);
  }
  return plain(value);
}

const isWide = (value) => typeof value === "string" && value.length > 34;

const isPlain = (value) => value === null || typeof value !== "object";

function plain(value) {
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(8)));
  const text = String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function folded(value, summary) {
  return h(
    "details",
    null,
    h("summary", null, summary),
    h("pre", null, JSON.stringify(value, null, 2).slice(0, 20_000)),
  );
}

export function artifactLinks(artifacts) {
  if (!artifacts?.length) return null;
  return h(
    "ul",
    { class: "artifacts" },
    artifacts.map((one) =>
      h(
        "li",
        null,
        h("a", { href: artifact(one.digest), target: "_blank", rel: "noopener" }, one.name),
        ` ${one.media_type}, ${bytes(one.size)}`,
      ),
    ),
  );
}
