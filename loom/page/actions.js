// What a person can do to runs and failures; one place, whichever view asks for it.

import { all, get, post } from "./api.js";
import { h } from "./dom.js";
import { counted } from "./format.js";
import { attempt, box, button, field, say } from "./parts.js";
import { go } from "./router.js";
import { DEPTHS, stateOf } from "./words.js";

const ENDED = new Set(["COMPLETED", "PARTIAL", "FAILED", "CANCELLED"]);

export const isOver = (run) => ENDED.has(run.state);

export function runButtons(run, changed) {
  const state = stateOf(run);
  const shown = [];
  if (state === "PAUSED") shown.push(button("Resume", () => resume(run, changed), { class: "primary" }));
  if (state === "RUNNING") shown.push(button("Pause", () => pause(run, changed)));
  if (!isOver(run)) shown.push(button("Cancel", () => cancel(run, changed), { class: "quiet danger" }));
  const isStored = !run.dry_run && !run.forgotten;
  if (isOver(run) && isStored && (run.assets?.failed || run.assets?.failed_before)) {
    shown.push(
      button("Retry what failed", () => retryRun(run, {}, changed), { class: run.assets.failed ? "primary" : null }),
    );
  }
  if (isOver(run) && !run.dry_run)
    shown.push(button("Run again", () => startRun(run.pipeline, sameAs(run)), { class: "quiet" }));
  return shown;
}

// Over what a run went, for one more of it.
function sameAs({ paths, request }) {
  if (request?.filter) return { wish: { filter: request.filter }, over: "Over all assets that fit its filter now." };
  const { assets = [], total_assets: total } = request ?? {};
  if (assets.length && assets.length === total)
    return { wish: { assets }, over: `Over ${counted(total, "asset", "assets")}.` };
  return { paths: paths?.length ? paths : request?.paths };
}

export async function pause(run, changed) {
  const depths = Object.entries(DEPTHS).map(([depth, [name, meaning]], index) =>
    h(
      "label",
      { class: "choice" },
      h("input", { type: "radio", name: "depth", value: depth, checked: index === 0 }),
      h("span", null, h("b", null, name), h("small", null, meaning)),
    ),
  );
  const said = await box({
    title: `Pause ${run.pipeline}`,
    body: [
      h("fieldset", null, h("legend", null, "How far it still goes"), depths),
      field("Why (others see it)", h("input", { name: "reason", maxlength: 200, autocomplete: "off" })),
    ],
    ok: "Pause",
  });
  if (!said) return;
  const body = { depth: said.depth };
  if (said.reason) body.reason = said.reason;
  if (await attempt(() => post(`/runs/${run.uuid}/pause`, body), "Paused.")) changed();
}

export async function resume(run, changed) {
  const owners = (Array.isArray(run.paused) ? run.paused : []).map((one) => one.owner);
  const own = owners.length === 0 || owners.includes("user");
  const body = own ? {} : { owner: owners[0] };
  if (await attempt(() => post(`/runs/${run.uuid}/resume`, body), "It goes on.")) changed();
}

export async function cancel(run, changed) {
  const said = await box({
    title: `Cancel this run of ${run.pipeline}?`,
    body: [
      h("p", null, "What it has stored stays. A cancelled run cannot be resumed; a new one computes what is missing."),
    ],
    ok: "Cancel the run",
    danger: true,
  });
  if (said && (await attempt(() => post(`/runs/${run.uuid}/cancel`), "Cancelled."))) changed();
}

export async function retryRun(run, selection, changed) {
  let began = [];
  const done = await attempt(async () => {
    began = (await post(`/runs/${run.uuid}/retry`, selection)).items ?? [];
  }, "What failed is tried again.");
  if (!done) return;
  if (began.length === 1) go(`/runs/${began[0].uuid}`);
  else changed();
}

export async function retryFailures(selection, changed) {
  let began = [];
  const done = await attempt(
    async () => {
      began = (await post("/failures/retry", selection)).items ?? [];
    },
    () =>
      began.length
        ? `Tried again in ${counted(began.length, "new run", "new runs")}.`
        : "Nothing is left to be tried again.",
  );
  if (done) changed();
}

export async function setAside(selection, changed) {
  await attempt(async () => {
    const { count } = await post("/failures/set-aside", selection);
    say(`${counted(count, "failure is", "failures are")} set aside.`);
    changed();
  });
}

// Asks what to run over, and begins; `given.wish` says it in the words of the API, `given.over` to people.
export async function startRun(pipeline = null, given = {}) {
  const pipelines = pipeline ? [{ name: pipeline }] : (await all("/pipelines")).filter((one) => one.enabled);
  const said = await box({ title: "Start a run", body: startFields(pipelines, given), ok: "Start" });
  if (!said) return;
  const body = { dry_run: said.dry_run === "on" };
  if (said.recompute === "on") body.recompute = ["*"];
  if (given.wish) Object.assign(body, given.wish);
  else
    body.paths = said.paths
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  await begin(said.pipeline, body);
}

export async function begin(pipeline, body) {
  await attempt(async () => {
    const run = await post(`/pipelines/${encodeURIComponent(pipeline)}/runs`, body);
    say(run.state === "QUEUED" ? "The run waits until a worker takes it." : "The run has begun.");
    go(`/runs/${run.uuid}`);
  });
}

function startFields(pipelines, given) {
  const choice = h(
    "select",
    { name: "pipeline" },
    pipelines.map(({ name }) => h("option", { value: name }, name)),
  );
  const paths = h("textarea", {
    name: "paths",
    rows: 4,
    spellcheck: "false",
    value: (given.paths ?? []).join("\n"),
    required: true,
  });
  return [
    field("Pipeline", choice),
    given.over
      ? h("p", null, given.over)
      : field("Files and folders", paths, "One path a line, as the worker's machine knows it."),
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", name: "dry_run", checked: given.dry_run }),
      h("span", null, "Dry run", h("small", null, "Computes and shows what would happen; nothing is written.")),
    ),
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", name: "recompute" }),
      h("span", null, "Compute everything anew", h("small", null, "Stored results are not used.")),
    ),
  ];
}

export const runOf = (uuid, signal) => get(`/runs/${uuid}`, signal);
