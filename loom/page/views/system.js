// The machine room: this server, its workers, and the sources that it knows.

import { all, ask, get, getOr, post } from "../api.js";
import { fill, h } from "../dom.js";
import { bytes, counted, number } from "../format.js";
import { attempt, button, empty, facts, head, path, when } from "../parts.js";
import { again } from "../router.js";

export default async function system(main, scope) {
  const server = h("section", { class: "card", "aria-label": "Server" });
  const workers = h("section", { "aria-label": "Workers" });
  const sources = h("section", { "aria-label": "Sources" });
  fill(main, head("System"), server, workers, sources);

  async function refresh() {
    const { signal } = scope;
    const [health, ready, status, found, known, counts] = await Promise.all([
      ask("/healthz", { root: true, signal }),
      ask("/readyz", { root: true, signal }).catch((error) => error),
      get("/pipelines/runtime/status", signal),
      all("/workers", 500, signal),
      getOr(null, "/sources?limit=500", signal),
      metrics(signal),
    ]);
    fill(server, h("h2", null, "Server"), serverFacts(health, ready, status, counts));
    fill(
      workers,
      h("h2", null, "Workers"),
      found.length ? h("div", { class: "workers" }, found.map(worker)) : empty("No worker has been here yet."),
    );
    fill(
      sources,
      known && [
        h("h2", null, "Sources"),
        known.items.length
          ? h("div", { class: "workers" }, known.items.map(source))
          : empty("No source is kept: they come with ", h("code", null, "cortex watch"), "."),
      ],
    );
  }

  await refresh();
  scope.every(5000, () => refresh().catch(() => {}));
  return "System";
}

function serverFacts(health, ready, status, counts) {
  const isReady = ready?.status === "ready";
  const started = counts.loom_start_time_seconds;
  return facts([
    ["Version", health.version],
    [
      "Database",
      h("span", { class: `state ${isReady ? "completed" : "failed"}` }, isReady ? "answers" : ready.message),
    ],
    ["Started", started ? when(new Date(started * 1000).toISOString()) : null],
    ["Events so far", number(status.seq)],
    ["Listeners", number(status.listeners)],
    ["Runs now", number(status.runs.length)],
    ["API", h("a", { href: "/docs" }, "described here")],
    ["Figures", h("a", { href: "/metrics" }, "for Prometheus")],
  ]);
}

// The few figures that are shown, from the text that Prometheus reads.
async function metrics(signal) {
  const answer = await fetch("/metrics", { signal, credentials: "same-origin" });
  const found = {};
  for (const line of answer.ok ? (await answer.text()).split("\n") : []) {
    const match = /^([a-z_]+) ([-+.\de]+)$/.exec(line);
    if (match) found[match[1]] = Number(match[2]);
  }
  return found;
}

function worker(one) {
  const { resources } = one;
  const state =
    one.online === undefined
      ? null
      : h("span", { class: `state ${one.online ? "completed" : "cancelled"}` }, one.online ? "online" : "away");
  return h(
    "article",
    { class: "card", "aria-label": `Worker ${one.name}` },
    h("div", { class: "head" }, h("h3", null, one.name), state),
    facts([
      ["Host", one.host],
      ["Last seen", when(one.heartbeat ?? one.last_seen)],
      ["Cores", resources?.cpus && number(resources.cpus)],
      ["Memory", resources?.memory && bytes(resources.memory)],
      ["GPUs", resources?.gpus ? number(resources.gpus) : null],
      ["Runs", one.runs?.length ? one.runs.map((run) => h("a", { href: `/runs/${run}` }, run.slice(0, 8))) : null],
    ]),
    h(
      "details",
      null,
      h("summary", null, counted(one.operators.length, "operator", "operators")),
      h(
        "p",
        null,
        one.operators.map((id) => [h("a", { href: `/operators/${id}` }, id), " "]),
      ),
    ),
    h("details", null, h("summary", null, "Versions"), facts(Object.entries(one.versions))),
  );
}

function source(one) {
  const waiting = one.waiting ?? one.deletions_waiting;
  return h(
    "article",
    { class: "card", "aria-label": `Source ${one.name}` },
    h(
      "div",
      { class: "head" },
      h("h3", null, one.name),
      one.state && h("span", { class: `state ${one.state}` }, one.state),
    ),
    one.path && path(one.path),
    one.host && h("p", { class: "under" }, one.host),
    waiting > 0 &&
      h(
        "p",
        { class: "why" },
        `${counted(waiting, "deletion waits", "deletions wait")} to be confirmed. `,
        button("Confirm", async () => {
          if (await attempt(() => post(`/sources/${encodeURIComponent(one.name)}/confirm`), "Confirmed.")) again();
        }),
      ),
  );
}
