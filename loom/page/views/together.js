// What belongs together with an asset: raw and picture, still and film, side files, shots of a burst.

import { h } from "../dom.js";
import { nameOf } from "../format.js";
import { picture } from "../parts.js";

const KINDS = { raw: "Raw and picture", "live-photo": "Live photo", "side-file": "Side file", burst: "Burst" };
const ROLES = { primary: "", raw: "raw", film: "film", "side-file": "side file", shot: "" };

export function together(groups, uuid) {
  return groups.length ? [h("h2", null, "Belongs together"), groups.map((one) => group(one, uuid))] : [];
}

function group(one, uuid) {
  const title = KINDS[one.kind] ?? one.kind;
  return h(
    "div",
    { class: "together" },
    h("h3", null, title),
    h(
      "ul",
      { class: "fellows", "aria-label": title },
      one.members.map((member) => fellow(member, uuid)),
    ),
  );
}

function fellow({ asset, role }, uuid) {
  const name = nameOf(asset.locations[0]?.path ?? asset.uuid);
  const shown = [picture(asset.uuid, name), h("b", null, name), ROLES[role] && h("small", null, ROLES[role])];
  return h(
    "li",
    null,
    asset.uuid === uuid ? h("span", { class: "fellow", "aria-current": "true" }, shown) : h("a", { class: "fellow", href: `/assets/${asset.uuid}` }, shown),
  );
}
