// All runs, the newest first.

import { get, withQuery } from "../api.js";
import { startRun } from "../actions.js";
import { fill, h } from "../dom.js";
import { bytes, duration, number, short } from "../format.js";
import { listen } from "../live.js";
import { button, empty, head, runState, table, when } from "../parts.js";
import { go } from "../router.js";

export default async function runs(main, scope, _, query) {
  const pipeline = query.get("pipeline");
  const place = h("div");
  fill(
    main,
    head(
      pipeline ? `Runs of ${pipeline}` : "Runs",
      button("Start a run", () => startRun(pipeline), { class: "primary" }),
    ),
    place,
  );
  let items = [],
    next = null;

  async function refresh() {
    const page = await get(withQuery("/runs", { pipeline, limit: 50 }), scope.signal);
    if (items.length <= 50) ({ items, next } = page);
    else items = [...page.items, ...items.filter((run) => !page.items.some((one) => one.uuid === run.uuid))];
    draw();
  }

  async function more() {
    const page = await get(withQuery("/runs", { pipeline, limit: 50, cursor: next }), scope.signal);
    items = [...items, ...page.items];
    next = page.next;
    draw();
  }

  function draw() {
    fill(
      place,
      items.length
        ? runsTable(items)
        : empty("There are no runs yet.", h("p", null, "Begin with ", h("code", null, "cortex ingest PATH"), ".")),
      next && h("div", { class: "more" }, button("Show more", more)),
    );
  }

  await refresh();
  scope.own(
    listen({
      query: { type: "run" },
      onEvents: () => refresh().catch(() => {}),
      onGap: () => refresh().catch(() => {}),
    }),
  );
  return "Runs";
}

export function runsTable(items) {
  return table(
    ["Pipeline", "State", "Started", "#Took", "#Assets", "#New", "#Failed", "#Read"],
    items.map(runRow),
    "Runs",
  );
}

function runRow(run) {
  const took = run.finished && run.started ? new Date(run.finished) - new Date(run.started) : null;
  const address = `/runs/${run.uuid}`;
  const { assets } = run;
  return h(
    "tr",
    { class: "link", on: { click: (event) => event.target.closest("a") || go(address) } },
    h(
      "td",
      null,
      h("a", { href: address }, run.pipeline),
      " ",
      h("small", null, `v${run.version} · ${short(run.uuid)}`),
    ),
    h("td", null, runState(run)),
    h("td", null, when(run.started ?? run.queued)),
    h("td", { class: "number" }, took === null ? "–" : duration(took)),
    h("td", { class: "number" }, number(assets.seen)),
    h("td", { class: "number" }, number(assets.new)),
    h(
      "td",
      { class: assets.failed ? "number bad" : "number" },
      assets.failed ? h("a", { href: `/failures?run=${run.uuid}` }, number(assets.failed)) : "0",
    ),
    h("td", { class: "number" }, bytes(run.bytes)),
  );
}
