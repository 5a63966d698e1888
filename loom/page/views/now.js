// What runs now: how far it is, how fast, what passes by, and why something waits.

import { all, get } from "../api.js";
import { isOver, runButtons, startRun } from "../actions.js";
import { fill, h, painter, setText } from "../dom.js";
import { bytes, counted, nameOf, number, rate } from "../format.js";
import { listen } from "../live.js";
import { button, empty, figure, head, picture, runState } from "../parts.js";
import { Pace } from "../pace.js";
import { leftOf, othersWaitFor, waitingFor } from "../words.js";
import { runsTable } from "./runs.js";

const PASSING = 14;
const SHOW_EVERY_MS = 400;

export default async function now(main, scope) {
  const cards = new Map();
  let workers = null;
  const running = h("div", { class: "cards" });
  const recent = h("section", { "aria-label": "Runs before" });
  fill(
    main,
    head(
      "Now",
      button("Start a run", () => startRun(), { class: "primary" }),
    ),
    running,
    recent,
  );
  const paint = painter(() => {
    for (const card of cards.values()) card.draw();
  });
  scope.own(paint.stop);

  async function refresh() {
    const [status, { items }] = await Promise.all([
      get("/pipelines/runtime/status", scope.signal),
      get("/runs?limit=20", scope.signal),
    ]);
    const stored = new Map(items.map((run) => [run.uuid, run]));
    const live = status.runs.map((one) => known(one, stored.get(one.run)));
    const queued = items.filter((run) => run.state === "QUEUED" && !live.some((one) => one.uuid === run.uuid));
    workers = queued.length ? await all("/workers", 500, scope.signal) : null;
    keep([...live, ...queued]);
    const over = items.filter(isOver).slice(0, 8);
    fill(recent, over.length > 0 && [h("h2", null, "Before"), runsTable(over)]);
  }

  function keep(runs) {
    const present = new Set(runs.map((run) => run.uuid));
    for (const [uuid, card] of cards)
      if (!present.has(uuid)) {
        card.element.remove();
        cards.delete(uuid);
      }
    for (const run of runs) {
      let card = cards.get(run.uuid);
      if (!card) {
        cards.set(run.uuid, (card = new Card(refresh)));
        running.append(card.element);
      }
      card.know(run, workers);
    }
    running.querySelector(".empty")?.remove();
    if (!runs.length) running.prepend(nothing());
    paint();
  }

  function heard(events) {
    let isChanged = false;
    for (const event of events) {
      const card = cards.get(event.run);
      if (event.type === "run" || (event.type === "progress" && !card)) isChanged = true;
      else if (event.type === "progress") card.progress(event);
      else if (event.type === "asset" && card) card.passed(event.asset);
    }
    if (isChanged) refresh().catch(() => {});
    paint();
  }

  await refresh();
  const types = new URLSearchParams([
    ["type", "run"],
    ["type", "asset"],
    ["type", "progress"],
  ]);
  scope.own(listen({ query: types, onEvents: heard, onGap: () => refresh().catch(() => {}) }));
  scope.every(5000, () => refresh().catch(() => {}));
  return "Now";
}

// What the bus says of a run, and what the database does: only that one knows why it is paused.
function known({ run, paused, ...live }, stored = {}) {
  return { ...stored, ...live, uuid: run, state: "RUNNING", paused: stored.paused?.length ? stored.paused : paused };
}

function nothing() {
  return empty(
    "Nothing runs now.",
    h("p", null, "Start a run here, or on the command line: ", h("code", null, "cortex ingest PATH"), "."),
  );
}

class Card {
  constructor(changed) {
    this.pace = new Pace();
    this.changed = changed;
    this.shownAt = 0;
    this.title = h("h2");
    this.state = h("span");
    this.buttons = h("div", { class: "buttons" });
    this.why = h("p", { class: "why" });
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Progress" });
    this.values = Object.fromEntries(
      ["walked", "rate", "left", "bytes", "failed"].map((name) => [name, h("span", { class: "value" })]),
    );
    this.passing = h("div", { class: "passing", "aria-hidden": "true" });
    this.figures = h("div", { class: "figures", hidden: true });
    fill(
      this.figures,
      ["walked:assets", "rate:rate", "left:time left", "bytes:read", "failed:failed"].map((one) => {
        const [name, label] = one.split(":");
        return figure(label, this.values[name]);
      }),
    );
    this.lanes = h("ul", { class: "lanes", "aria-label": "At work on" });
    this.waits = h("p", { class: "why" });
    this.element = h(
      "article",
      { class: "card now" },
      h("div", { class: "head" }, h("div", null, this.title, this.state), this.buttons),
      this.why,
      this.bar,
      this.figures,
      this.passing,
      this.lanes,
      this.waits,
    );
  }

  know(run, workers) {
    this.run = { ...this.run, ...run, paused: run.paused ?? [] };
    fill(this.title, h("a", { href: `/runs/${run.uuid}` }, run.pipeline ?? "…"));
    fill(this.state, runState(this.run));
    fill(this.buttons, runButtons(this.run, this.changed));
    setText(this.why, waitingFor(this.run, workers) ?? "");
    if (run.assets) this.progress(run);
  }

  progress(said) {
    this.said = said;
    this.pace.tell(said);
  }

  passed(asset) {
    const at = performance.now();
    if (at - this.shownAt < SHOW_EVERY_MS || document.hidden) return;
    this.shownAt = at;
    this.passing.prepend(picture(asset));
    while (this.passing.children.length > PASSING) this.passing.lastChild.remove();
  }

  draw() {
    const { said, pace, values } = this;
    const hasBegun = Boolean(said?.assets) && this.run.state !== "QUEUED";
    this.figures.hidden = this.bar.hidden = !hasBegun;
    if (!hasBegun) return;
    if (pace.fraction !== null) this.bar.value = pace.fraction;
    else this.bar.removeAttribute("value");
    setText(values.walked, pace.total ? `${number(pace.done)} of ${number(pace.total)}` : number(pace.done));
    setText(values.rate, rate(pace.rate));
    setText(values.left, leftOf(this.run, pace));
    setText(values.bytes, bytes(said.bytes));
    setText(values.failed, number(said.assets.failed));
    setText(this.waits, othersWaitFor(said));
    const current = (said.current ?? []).slice(0, 16);
    if (current.join("\n") !== this.current) {
      this.current = current.join("\n");
      fill(
        this.lanes,
        current.map((path) => h("li", { title: path }, nameOf(path))),
        current.length > 0 && h("li", { class: "lanes-count" }, `${counted(current.length, "file", "files")} at work`),
      );
    }
  }
}
