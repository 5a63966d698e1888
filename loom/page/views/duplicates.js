// Groups of duplicates side by side: which one is kept, and whether they are duplicates at all, is for people to say.

import { get, post, withQuery } from "../api.js";
import { fill, h } from "../dom.js";
import { bytes, counted, nameOf, number, time } from "../format.js";
import { attempt, button, empty, facts, head, path, picture, tabs } from "../parts.js";
import { CHANGES } from "../words.js";
import { GroupList } from "./grouplist.js";

const AT_ONCE = 50;
const STATES = { PENDING: "To be decided", CONFIRMED: "Confirmed", REJECTED: "Rejected" };
const KINDS = { "": "All", exact: "Exact copies", similar: "Similar" };
const SAID = { confirm: "Confirmed.", reject: "Rejected.", reopen: "Open again." };

export default async function duplicates(main, scope, _, query) {
  const asset = query.get("asset");
  const asked = { state: query.get("state") ?? (asset ? "ALL" : "PENDING"), kind: query.get("kind"), asset };
  const list = h("div", { class: "cards" });
  const more = h("div", { class: "more", hidden: true });
  fill(main, head("Duplicates"), filters(asked), howToMove(), list, more);

  const offer = (act) => {
    more.hidden = false;
    fill(more, button("Show more", () => attempt(act)));
  };
  const groups = new GroupList({
    element: list,
    scope,
    asked,
    make: group,
    draw,
    most: AT_ONCE,
    more: () => offer(showNew),
  });

  async function showNew() {
    more.hidden = true;
    await groups.fetch([...groups.fresh].slice(0, AT_ONCE));
  }

  async function load(cursor) {
    const state = asked.state === "ALL" ? null : asked.state;
    const found = await get(withQuery("/duplicates", { ...asked, state, limit: AT_ONCE, cursor }), scope.signal);
    const cards = found.items.map((one) => groups.put(one));
    more.hidden = !found.next;
    groups.isWhole = !found.next;
    if (found.next) offer(() => load(found.next));
    if (cursor) cards[0]?.querySelector("h2").focus();
    if (!groups.cards.size) fill(list, nothing(asked));
  }

  await load(null);
  groups.listen(() => load(null).catch(() => {}));
  return "Duplicates";
}

function nothing(asked) {
  if (asked.state !== "PENDING") return empty("There is no such group.");
  return empty(
    "There is nothing to decide.",
    h("p", null, "Pipelines with ", h("code", null, "dedup.exact"), " or ", h("code", null, "dedup.similar"), " find duplicates."),
  );
}

function filters(asked) {
  const at = (changed) => withQuery("/duplicates", { ...asked, ...changed });
  const states = Object.entries({ ...STATES, ALL: "All" }).map(([state, name]) => [name, at({ state })]);
  const kinds = Object.entries(KINDS).map(([kind, name]) =>
    h("a", { class: "chip", href: at({ kind }), "aria-current": (asked.kind ?? "") === kind ? "true" : null }, name),
  );
  const without = withQuery("/duplicates", { state: asked.state, kind: asked.kind });
  return h(
    "div",
    { class: "cards" },
    tabs("State", states, at({})),
    h(
      "div",
      { class: "chips", role: "group", "aria-label": "Kind" },
      kinds,
      asked.asset && h("a", { class: "chip", href: without, "aria-label": "Take away: of one asset" }, "of one asset ×"),
    ),
  );
}

function howToMove() {
  return h(
    "p",
    { class: "quiet" },
    "Deciding moves no file. What is not kept is moved aside by ",
    h("code", null, "cortex duplicates apply --all --to FOLDER"),
    " and comes back with ",
    h("code", null, "cortex undo --group ID"),
    ".",
  );
}

// A group, which draws itself anew when something was decided.
function group(one) {
  const card = h("article", { class: "card group" });
  draw(card, one);
  return card;
}

function draw(card, one) {
  const title = titleOf(one);
  const chosen = new Choice(one);
  const decide = async (verb, body) => {
    const done = await attempt(async () => {
      const now = await post(`/duplicates/${one.uuid}/${verb}`, body);
      card.seen = JSON.stringify(now);
      draw(card, now);
    }, SAID[verb]);
    if (done) card.querySelector("h2").focus();
    else refresh(card, one.uuid);
  };
  const seen = one.members.map((member) => member.id);
  card.setAttribute("aria-label", title);
  fill(
    card,
    h(
      "div",
      { class: "head" },
      h("h2", { tabindex: "-1" }, title),
      h("span", { class: `state ${one.state.toLowerCase()}` }, STATES[one.state]),
      h(
        "div",
        { class: "buttons" },
        one.state === "PENDING"
          ? [
              button("Confirm", () => decide("confirm", { ...chosen.said(), seen }), {
                class: "primary",
                disabled: one.keeper === null,
              }),
              button("No duplicates", () => decide("reject", { seen })),
            ]
          : button("Decide again", () => decide("reopen", {})),
      ),
    ),
    reasonOf(one),
    h(
      "ul",
      { class: "members" },
      one.members.map((member, index) => memberOf(one, member, index, chosen)),
    ),
    one.state === "CONFIRMED" &&
      h("p", { class: "under" }, h("code", null, `cortex duplicates apply ${one.uuid} --to FOLDER`)),
  );
}

// Others may have decided, or found more members, meanwhile.
async function refresh(card, uuid) {
  const now = await get(`/duplicates/${uuid}`).catch(() => null);
  if (now) draw(card, now);
}

// What is chosen until it is said: which member is kept, and which are duplicates.
class Choice {
  constructor(one) {
    this.keeper = one.keeper;
    this.members = new Set(one.members.map((member) => member.id));
  }

  said() {
    return { keeper: this.keeper, members: [...this.members] };
  }
}

function titleOf(one) {
  const count = one.members.length;
  return one.kind === "exact" ? `${number(count)} exact copies` : counted(count, "similar asset", "similar assets");
}

function reasonOf(one) {
  if (one.keeper === null) return one.state === "PENDING" ? h("p", { class: "why" }, "Only one of them is left.") : null;
  const said = one.state === "PENDING" ? "One is suggested" : "One is kept";
  return h("p", { class: "under" }, `${said}. Why: ${one.reason}.`);
}

function memberOf(one, member, index, chosen) {
  const name = nameOf(member.locations[0]?.path ?? member.asset);
  return h(
    "li",
    { class: member.kept ? "member kept" : member.left ? "member left" : "member" },
    h(
      "a",
      { href: `/assets/${member.asset}`, "aria-label": `Open ${name}`, tabindex: "-1" },
      picture(member.asset, name),
    ),
    h("h3", null, h("a", { href: `/assets/${member.asset}` }, name)),
    one.state === "PENDING" ? choices(one, member, `${name}, ${index + 1}`, chosen) : verdictOf(one, member),
    facts([
      ["Size", bytes(member.size)],
      ["Pixels", member.width && `${number(member.width)} × ${number(member.height)}`],
      ["Taken", member.captured_at && member.captured_at.slice(0, 19).replace("T", ", ")],
      ["Changed", member.locations.length ? time(member.locations[0].mtime) : null],
      ["Apart", member.distance === null ? null : counted(member.distance, "bit", "bits")],
      ["Check", member.complete === null ? null : member.complete ? "complete" : h("span", { class: "bad" }, "damaged")],
    ]),
    member.locations.length
      ? h("ul", { class: "places" }, member.locations.map(placeOf))
      : h("p", { class: "under" }, "It lies nowhere now."),
  );
}

const placeOf = (place) =>
  h("li", null, path(place.path), place.state !== "present" && h("small", null, place.state === "missing" ? CHANGES.gone : "out of reach"));

function choices(one, member, name, chosen) {
  const radio = h("input", {
    type: "radio",
    name: `keep-${one.uuid}`,
    value: member.id,
    checked: member.kept,
    "aria-label": `Keep ${name}`,
    on: { change: () => (chosen.keeper = member.id) },
  });
  const suggested = member.kept && h("span", { class: "chip" }, "suggested");
  const belongs = h("input", {
    type: "checkbox",
    checked: true,
    "aria-label": `${name} is a duplicate`,
    on: { change: ({ target }) => belongsNow(target.checked) },
  });
  function belongsNow(yes) {
    if (yes) chosen.members.add(member.id);
    else chosen.members.delete(member.id);
    radio.disabled = !yes;
    if (!yes && radio.checked) {
      radio.checked = false;
      chosen.keeper = null; // of the others the best
    }
  }
  return h(
    "div",
    { class: "choices" },
    h("label", { class: "choice" }, radio, h("span", null, "Keep this")),
    suggested,
    one.members.length > 2 && h("label", { class: "check" }, belongs, h("span", null, "A duplicate")),
  );
}

function verdictOf(one, member) {
  if (one.state === "REJECTED") return null;
  const word = member.kept ? "kept" : member.left ? "no duplicate" : "not kept";
  return h("p", null, h("span", { class: "chip" }, word));
}
