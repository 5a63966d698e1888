// The machine room: this server, its database and disk, its workers, and how much is done at a time.

import { all, ask, get } from "../api.js";
import { fill, h } from "../dom.js";
import { bytes, counted, number } from "../format.js";
import { empty, facts, head, when } from "../parts.js";
import { limitsForm } from "./limits.js";

const DATABASES = { sqlite: "SQLite", postgresql: "PostgreSQL" };
const SANDBOXES = {
  kernel: "the kernel refuses network, writing and programs",
  python: "Python refuses network, writing and programs; libraries in C are not held",
};

export default async function system(main, scope) {
  const section = (name) => h("section", { class: "card", "aria-label": name });
  const server = section("Server");
  const database = section("Database");
  const disk = section("Disk");
  const limits = section("Limits");
  const workers = h("section", { "aria-label": "Workers" });
  fill(main, head("System"), h("div", { class: "cards-beside" }, server, database, disk, limits), workers);

  // `isSet`: a limit was, just now; else nobody is disturbed who fills in the form.
  async function refresh(isSet = false) {
    const { signal } = scope;
    const [told, ready, status, found, inForce, counts] = await Promise.all([
      get("/system", signal),
      ask("/readyz", { root: true, signal }).catch((error) => error),
      get("/pipelines/runtime/status", signal),
      all("/workers", 500, signal),
      get("/limits", signal),
      metrics(signal),
    ]);
    fill(server, h("h2", null, "Server"), serverFacts(told, status, counts));
    fill(database, h("h2", null, "Database"), databaseFacts(told.database, ready));
    fill(disk, h("h2", null, "Disk"), diskFacts(told.disk, found));
    if (isSet || !limits.contains(document.activeElement)) {
      const offered = [...new Set(found.flatMap((one) => one.operators))].sort();
      fill(limits, h("h2", null, "Limits"), limitsForm(inForce.limits, offered, () => refresh(true)));
      if (isSet) limits.querySelector("select").focus();
    }
    keepOpen(workers, () =>
      fill(
        workers,
        h("h2", null, "Workers"),
        found.length ? h("div", { class: "cards-beside" }, found.map(worker)) : empty("No worker has been here yet."),
      ),
    );
  }

  await refresh();
  scope.every(5000, () => refresh().catch(() => {}));
  return "System";
}

// Draws anew, with what was unfolded still unfolded and the focus where it was.
function keepOpen(place, draw) {
  const at = (one) => [...place.querySelectorAll("summary, a")].indexOf(one);
  const open = new Set([...place.querySelectorAll("details[open] > summary")].map(at));
  const focused = at(document.activeElement);
  draw();
  place.querySelectorAll("summary, a").forEach((one, index) => {
    if (open.has(index)) one.parentElement.open = true;
    if (index === focused) one.focus({ preventScroll: true });
  });
}

function serverFacts(told, status, counts) {
  const started = counts.loom_start_time_seconds;
  return facts([
    ["Version", told.version],
    ["Host", told.host],
    ["Python", told.python],
    ["Started", started ? when(new Date(started * 1000).toISOString()) : null],
    ["Runs now", h("a", { href: "/" }, number(status.runs.length))],
    ["Listeners", number(status.listeners)],
    ["Events so far", number(status.seq)],
    ["API", h("a", { href: "/docs" }, "described here")],
    ["Figures", h("a", { href: "/metrics" }, "for Prometheus")],
  ]);
}

function databaseFacts(database, ready) {
  const isReady = ready?.status === "ready";
  return facts([
    ["State", h("span", { class: `state ${isReady ? "completed" : "failed"}` }, isReady ? "answers" : ready.message)],
    ["Kind", DATABASES[database.kind] ?? database.kind],
    ["Size", bytes(database.bytes)],
    ["Tables", `version ${database.schema}`],
    ["Place", h("span", { class: "break" }, database.place)],
  ]);
}

function diskFacts(disk, workers) {
  const reserves = new Set(workers.map((one) => one.resources?.disk_reserve).filter(Boolean));
  return [
    h("meter", { value: disk.total - disk.free, max: disk.total, "aria-label": "Disk in use" }),
    facts([
      ["Free", bytes(disk.free)],
      ["In all", bytes(disk.total)],
      ["Kept free", reserves.size ? [...reserves].map(bytes).join(", ") : "nothing"],
      ["Place", h("span", { class: "break" }, disk.path)],
    ]),
    h("p", { class: "quiet" }, "Where derived files are written. A run that would use up what is kept free is paused."),
  ];
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
  const state = h("span", { class: `state ${one.online ? "completed" : "cancelled"}` }, one.online ? "online" : "away");
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
      ["Sandbox", resources?.sandbox && SANDBOXES[resources.sandbox]],
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
