// Failures, grouped by cause: an example of each, and what can be done.

import { all, getOr, withQuery } from "../api.js";
import { retryFailures, setAside } from "../actions.js";
import { fill, h } from "../dom.js";
import { counted, nameOf, number, short } from "../format.js";
import { button, empty, head, picture, when } from "../parts.js";
import { again } from "../router.js";
import { causeOf } from "../words.js";
import { examples } from "./examples.js";
import { FORGOTTEN, problemList } from "./problems.js";

const MOST_LISTED = 200;

export default async function failures(main, scope, _, query) {
  const asked = { run: query.get("run"), node: query.get("node"), code: query.get("code"), cause: query.get("cause") };
  const groups = await all(withQuery("/failures", asked), 1000, scope.signal);
  const run = asked.run && (await getOr(null, `/runs/${asked.run}`, scope.signal));
  const unread = run && !asked.node && !asked.cause ? await problemList(run, asked.code, scope) : null;
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  fill(
    main,
    head(
      "Failures",
      groups.length > 0 &&
        button("Retry all of these", () => retryFailures(selection(asked), again), { class: "primary" }),
    ),
    narrowed(asked),
    groups.length > 0 &&
      h(
        "p",
        { class: "under" },
        `${counted(count, "failure", "failures")} of ${counted(groups.length, "cause", "causes")}`,
      ),
    unread,
    groups.length === 0 &&
      !unread &&
      empty(run?.forgotten ? "Nothing is kept." : "Nothing has failed.", h("p", null, nothingOf(asked, run))),
    h(
      "div",
      { class: "causes" },
      groups.map((group) => cause(group, asked, scope)),
    ),
  );
  return "Failures";
}

function nothingOf(asked, run) {
  if (run?.forgotten) return FORGOTTEN;
  if (run?.dry_run) return "A dry run stores no failures.";
  return asked.run ? "Not in this run, or it was repaired since." : "Not in what is stored.";
}

const selection = (asked) => Object.fromEntries(Object.entries(asked).filter(([, value]) => value));

function narrowed(asked) {
  const words = {
    run: asked.run && `run ${short(asked.run)}`,
    node: asked.node && `node ${asked.node}`,
    code: asked.code && causeOf(asked.code),
    cause: asked.cause && "one cause",
  };
  const chips = Object.entries(words)
    .filter(([, text]) => text)
    .map(([name, text]) =>
      h(
        "a",
        { class: "chip", href: withQuery("/failures", { ...asked, [name]: null }), "aria-label": `Take away: ${text}` },
        text,
        " ×",
      ),
    );
  return chips.length ? h("div", { class: "chips" }, h("span", null, "Only"), chips) : null;
}

function cause(group, asked, scope) {
  const { newest } = group;
  const meant = { ...selection(asked), node: group.node, code: group.code, cause: group.cause };
  const list = h("ul", { class: "examples", hidden: true });
  const title = `${causeOf(group.code)}`;
  const toggle = h(
    "button",
    {
      type: "button",
      class: "number-button",
      "aria-expanded": "false",
      "aria-label": `Show the ${counted(group.count, "asset", "assets")}`,
      on: { click: () => unfold(group, list, toggle, scope) },
    },
    number(group.count),
  );
  return h(
    "article",
    { class: "card cause", "aria-label": `${title}, node ${group.node}` },
    h(
      "a",
      { class: "cause-picture", href: `/assets/${newest.asset}`, tabindex: "-1", "aria-hidden": "true" },
      picture(newest.asset, newest.path ?? ""),
    ),
    h(
      "div",
      { class: "cause-body" },
      h(
        "div",
        { class: "head" },
        h("h2", null, toggle, " ", title),
        h(
          "div",
          { class: "buttons" },
          button("Retry these", () => retryFailures(meant, again)),
          button("Set aside", () => setAside(meant, again)),
        ),
      ),
      detail(group.message, title),
      h(
        "p",
        { class: "under" },
        h("span", null, "node ", h("b", null, group.node)),
        h("a", { href: `/operators/${group.operator}` }, group.operator),
        h("code", null, group.code),
        group.retryable && h("span", null, "tried again by itself"),
        group.handled > 0 && h("span", null, `${number(group.handled)} handled by an ERROR edge`),
        group.aside > 0 && h("span", null, `${number(group.aside)} set aside`),
      ),
      h(
        "p",
        { class: "under" },
        "newest: ",
        h("a", { href: `/assets/${newest.asset}` }, newest.path ? nameOf(newest.path) : short(newest.asset)),
        when(newest.time),
        newest.run &&
          h("a", { href: `/runs/${newest.run}?node=${encodeURIComponent(group.node)}` }, `run ${short(newest.run)}`),
      ),
      list,
    ),
  );
}

// What a message says beyond the title.
function detail(message, title) {
  const rest = message.startsWith(title)
    ? message
        .slice(title.length)
        .replace(/^[\s.]+|\.$/g, "")
        .replace(/^\((.*)\)$/, "$1")
    : message;
  return rest ? h("p", { class: "message" }, rest) : null;
}

// The assets behind the number: those of the run that is shown, else of the newest run that met the cause.
async function unfold(group, list, toggle, scope) {
  const isOpen = list.hidden;
  toggle.setAttribute("aria-expanded", isOpen);
  list.hidden = !isOpen;
  if (!isOpen || list.children.length) return;
  const run = new URLSearchParams(location.search).get("run") ?? group.newest.run;
  const found = run
    ? await all(withQuery(`/runs/${run}/results`, { state: "FAILED", node: group.node }), MOST_LISTED, scope.signal)
    : [];
  const these = found.filter(({ error }) => error?.code === group.code && error.cause === group.cause).map((one) => one.asset);
  const more = run ? `Others were met in earlier runs than ${short(run)}.` : "Others were met in earlier runs.";
  const assets = these.length ? these : [group.newest.asset];
  fill(list, await examples(assets, scope.signal, these.length < group.count ? more : null));
}
