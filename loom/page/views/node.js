// What is known of one node of a run.

import { retryRun } from "../actions.js";
import { h, setText } from "../dom.js";
import { duration, number } from "../format.js";
import { button, facts, square } from "../parts.js";
import { again } from "../router.js";

export function nodePanel({ run, id, operator, tally }) {
  const texts = {};
  const value = (name) => (texts[name] = h("span"));
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
  );

  function draw() {
    const { shown, flow, running } = tally.node(id);
    const counts = {
      in: tally.reached(id),
      out: tally.sent(id, null),
      passed: flow.passed,
      rejected: flow.rejected,
      computed: shown.computed,
      stored: shown.cached + shown.remote,
      skipped: shown.skipped,
      failed: shown.failed,
      running: running.size,
    };
    for (const [name, count] of Object.entries(counts)) setText(texts[name], number(count));
    setText(texts.median, duration(tally.typical(id)));
  }

  draw();
  return { element, draw };
}
