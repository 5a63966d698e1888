// What is known of one node of a run; its numbers unfold to their assets.

import { get, withQuery } from "../api.js";
import { retryRun } from "../actions.js";
import { fill, h, setText } from "../dom.js";
import { duration, number } from "../format.js";
import { attempt, button, facts, square } from "../parts.js";
import { again } from "../router.js";
import { examples, MOST } from "./examples.js";

// Which outcomes a number counts: the state that is asked for, and what else must hold.
const COUNTED = {
  passed: [null, (one) => one.verdict === "PASS", "passed"],
  rejected: [null, (one) => one.verdict === "FAIL", "were rejected"],
  computed: ["COMPLETED", () => true, "were computed"],
  stored: ["SKIPPED", (one) => one.reason === "STORED", "had a stored result"],
  skipped: ["SKIPPED", (one) => one.reason !== "STORED", "were skipped"],
  failed: ["FAILED", () => true, "failed"],
};
const PAGE = 500;
const MOST_PAGES = 20;

export function nodePanel({ run, id, operator, tally, scope }) {
  const texts = {};
  const list = h("ul", { class: "examples" });
  const told = h("p", { class: "under", role: "status" });
  const value = (name) => {
    texts[name] = h("span");
    const isListed = name in COUNTED && !run.dry_run;
    return isListed ? button(texts[name], () => unfold(name), { class: "as-number", "data-count": name }) : texts[name];
  };
  const row = (letter, label, name) => [h("span", null, square(letter), label), value(name)];
  const element = h(
    "section",
    { class: "card", "aria-label": `Node ${id}` },
    h(
      "div",
      { class: "head" },
      h("div", null, h("h2", null, id), operator && h("a", { href: `/operators/${operator}` }, operator)),
      h(
        "div",
        { class: "buttons" },
        h("a", { class: "button", href: `/failures?run=${run.uuid}&node=${encodeURIComponent(id)}` }, "Failures"),
        !run.dry_run &&
          !run.forgotten &&
          button("Retry its failures", () => retryRun(run, { node: id }, again)),
      ),
    ),
    facts([
      ["In", value("in")],
      ["Out", value("out")],
      ["PASS", value("passed")],
      ["FAIL", value("rejected")],
      row("C", "Computed", "computed"),
      row("S", "Stored", "stored"),
      row("K", "Skipped", "skipped"),
      row("F", "Failed", "failed"),
      row("R", "Running", "running"),
      ["Median time", value("median")],
    ]),
    told,
    list,
  );

  async function found(state, fits) {
    const meant = [];
    let cursor = null;
    for (let page = 0; page < MOST_PAGES && meant.length <= MOST && (cursor || !page); page += 1) {
      const asked = { node: id, state, limit: PAGE, cursor };
      const { items, next } = await get(withQuery(`/runs/${run.uuid}/results`, asked), scope.signal);
      meant.push(...items.filter(fits).map((one) => one.asset));
      cursor = next;
    }
    return [meant, cursor !== null || meant.length > MOST];
  }

  async function unfold(name) {
    const [state, fits, words] = COUNTED[name];
    await attempt(async () => {
      const [meant, isCut] = await found(state, fits);
      const more = isCut ? "There are more: the grid has all." : null;
      setText(told, meant.length ? `Assets that ${words}:` : `No assets that ${words} are stored yet.`);
      fill(list, await examples(meant, scope.signal, more));
    });
  }

  function draw() {
    const { shown, flow, running } = tally.node(id);
    const counts = {
      in: tally.reached(id),
      out: tally.sent(id, null),
      passed: flow.passed,
      rejected: tally.sent(id, "FAIL"),
      computed: shown.computed,
      stored: shown.cached + shown.remote,
      skipped: shown.skipped,
      failed: shown.failed,
      running: running.size,
    };
    for (const [name, count] of Object.entries(counts)) {
      setText(texts[name], number(count));
      if (texts[name].parentElement?.matches("button")) texts[name].parentElement.disabled = !count;
    }
    setText(texts.median, duration(tally.typical(id)));
  }

  draw();
  return { element, draw };
}
