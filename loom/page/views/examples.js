// Assets behind a number, as a short list.

import { get } from "../api.js";
import { h } from "../dom.js";
import { nameOf } from "../format.js";
import { path, picture } from "../parts.js";

export const MOST = 60;

// Elements of a list; `more` stands at its end.
export async function examples(uuids, signal, more = null) {
  const found = await Promise.all(
    uuids.slice(0, MOST).map((uuid) => get(`/assets/${uuid}`, signal).catch(() => ({ uuid, locations: [] }))),
  );
  return [...found.map(example), more && h("li", { class: "quiet" }, more)];
}

function example({ uuid, locations }) {
  const place = locations[0]?.path;
  return h(
    "li",
    null,
    h("a", { href: `/assets/${uuid}` }, picture(uuid, place ?? ""), h("span", null, place ? nameOf(place) : uuid)),
    place && path(place),
  );
}
