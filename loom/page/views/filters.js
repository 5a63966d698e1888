// The fields by which the library is narrowed beside its facets: words, days and place of capture, a colour; and what is
// narrowed.

import { withQuery } from "../api.js";
import { h } from "../dom.js";
import { field } from "../parts.js";
import { KINDS } from "../words.js";

export const ASKED = [
  ...["q", "text", "path", "kind", "camera", "year", "place", "collection", "person"],
  ...["captured_from", "captured_to", "near", "radius_km", "box"],
  ...["color", "color_distance", "color_share"],
];
const NUMBERS = ["year", "radius_km", "color_distance", "color_share"];
const MIXED = /^#?[0-9a-f]{6}$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DEGREES = "[\\-+]?\\d{1,3}(\\.\\d{1,12})?";

export const PLACES = { known: "With a place", unknown: "Without a place" };

// A colour as a dot: names and sRGB values are those of style sheets.
export const swatch = (color) => h("i", { class: "swatch", style: { background: hexed(color) } });
const hexed = (color) => (MIXED.test(color) ? `#${color.replace("#", "")}` : color);

// What a run's filter takes, from the texts of an address.
export function asFilter(asked) {
  const given = Object.entries(asked).filter(([, value]) => value !== null && value !== "");
  return Object.fromEntries(given.map(([name, value]) => [name, NUMBERS.includes(name) ? Number(value) : value]));
}

// The fields; `changed` is given the names and values that are new.
export function fields(asked, changed) {
  const control = (name, more) =>
    h("input", {
      name,
      value: asked[name] ?? "",
      autocomplete: "off",
      ...more,
      on: { change: ({ target }) => target.reportValidity() && changed({ [name]: valueOf(target) }) },
    });
  const mixed = MIXED.test(asked.color ?? "") && hexed(asked.color);
  const isOpen =
    mixed || ["text", "captured_from", "captured_to", "near", "radius_km", "box"].some((name) => asked[name]);
  return h(
    "details",
    { class: "filters", open: Boolean(isOpen) },
    h("summary", null, "By words, day, place and colour"),
    h(
      "div",
      { class: "fields" },
      field("Words in it", control("text", { type: "search", maxlength: 400 }), "Titles, captions, keywords, text."),
      field("Taken from", control("captured_from", { type: "date" })),
      field("Taken until", control("captured_to", { type: "date" })),
      field("Near", control("near", { pattern: `${DEGREES}, ?${DEGREES}`, placeholder: "52.52, 13.405" }), "Latitude, longitude."),
      field("Within", control("radius_km", { type: "number", min: 0.1, max: 1000, step: "any", placeholder: "10" }), "Kilometres."),
      field("With a colour like", control("color", { type: "color", value: mixed || "#808080" }), "Of a tenth of the picture or more."),
    ),
  );
}

const valueOf = ({ name, value }) => (name === "near" ? value.replaceAll(" ", "") : value.trim()) || null;

const BESIDE = { near: { radius_km: null }, color: { color_distance: null, color_share: null } };

// What is asked for that no facet shows, each to be taken away.
export function chips(asked, more) {
  const told = {
    text: asked.text && `says “${asked.text}”`,
    path: asked.path && `at ${asked.path}`,
    captured_from: asked.captured_from && `from ${asked.captured_from}`,
    captured_to: asked.captured_to && `until ${asked.captured_to}`,
    near: asked.near && `within ${asked.radius_km ?? 10} km of ${asked.near}`,
    box: asked.box && `between ${asked.box}`,
    kind: asked.kind && (KINDS[asked.kind] ?? asked.kind),
    camera: asked.camera,
    year: asked.year && `year ${asked.year}`,
    place: asked.place && PLACES[asked.place].toLowerCase(),
    color: asked.color && (MIXED.test(asked.color) ? `a colour like ${hexed(asked.color)}` : `${asked.color} in it`),
    collection: asked.collection && `in ${asked.collection}`,
    person: asked.person && (UUID.test(asked.person) ? "with a face of one person" : `with ${asked.person}`),
  };
  const shown = Object.entries(told).filter(([, text]) => text);
  if (!shown.length) return null;
  return h(
    "div",
    { class: "chips" },
    shown.map(([name, text]) => {
      const without = { ...asked, ...more, [name]: null, ...BESIDE[name] };
      return h("a", { class: "chip", href: withQuery("/library", without), "aria-label": `Take away: ${text}` }, text, " ×");
    }),
    shown.length > 1 && h("a", { href: "/library" }, "Show all"),
  );
}
