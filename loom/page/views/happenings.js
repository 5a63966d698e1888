// What happened to an asset, run by run, as far as the bus still has it; and what goes on now.

import { h } from "../dom.js";
import { duration } from "../format.js";
import { empty, square, when } from "../parts.js";
import { causeOf, ORIGINS, REASONS } from "../words.js";

const MOST = 12;
const LETTERS = { STARTED: "R", COMPLETED: "C", FAILED: "F", SKIPPED: "K" };

export class Happenings {
  constructor() {
    this.runs = new Map();
  }

  // Events in any order, also again: of each node of a run the newest counts.
  take(events) {
    for (const event of events) {
      if (event.type !== "node" && event.type !== "asset") continue;
      const run = this.runs.get(event.run) ?? { uuid: event.run, pipeline: event.pipeline, seq: 0, nodes: new Map() };
      this.runs.set(event.run, run);
      if (event.seq > run.seq) Object.assign(run, { seq: event.seq, time: event.time, dry: event.dry_run });
      if (event.type === "asset") run.isOver = true;
      else if (event.seq > (run.nodes.get(event.node)?.seq ?? 0)) run.nodes.set(event.node, event);
    }
  }

  // The nodes that are at work.
  get running() {
    return [...this.runs.values()].flatMap((run) =>
      run.isOver ? [] : [...run.nodes.values()].filter((one) => one.status === "STARTED").map((one) => one.node),
    );
  }

  draw() {
    const runs = [...this.runs.values()].sort((a, b) => b.seq - a.seq).slice(0, MOST);
    if (!runs.length) return empty("Nothing happened lately.", h("p", null, "What was computed earlier stands above."));
    return h("ol", { class: "happenings" }, runs.map(runOf));
  }
}

function runOf(run) {
  const nodes = [...run.nodes.values()].sort((a, b) => a.seq - b.seq);
  return h(
    "li",
    null,
    h(
      "p",
      { class: "under" },
      run.dry ? h("b", null, run.pipeline) : h("a", { href: `/runs/${run.uuid}` }, run.pipeline),
      run.dry && h("span", { class: "dry" }, "dry run"),
      when(run.time),
    ),
    h("ul", null, nodes.map(nodeOf)),
  );
}

function nodeOf(event) {
  return h("li", null, square(event.reason === "STORED" ? "S" : LETTERS[event.status]), h("b", null, event.node), h("span", null, wordsOf(event)));
}

function wordsOf({ status, reason, origin, verdict, duration_ms: took, error, attempts }) {
  if (status === "STARTED") return "at work now";
  const told = [];
  if (status === "FAILED") told.push(error ? causeOf(error.code) : "failed");
  else if (status === "SKIPPED") told.push(REASONS[reason] ?? "skipped");
  else told.push(ORIGINS[origin] ?? "computed");
  if (verdict === "FAIL") told.push("verdict FAIL");
  if (took !== null && took !== undefined) told.push(duration(took));
  if (attempts > 1) told.push(`${attempts} attempts`);
  return told.join(" · ");
}
