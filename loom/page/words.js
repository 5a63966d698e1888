// What states, reasons and codes mean, in sentences.

import { duration } from "./format.js";

export const RUN_STATES = {
  QUEUED: "Waiting",
  RUNNING: "Running",
  PAUSED: "Paused",
  COMPLETED: "Finished",
  PARTIAL: "Finished, some failed",
  FAILED: "Could not be done",
  CANCELLED: "Cancelled",
};

// One letter a node, as a run's grid has it: the class of its square, its mark and its words.
export const SQUARES = {
  C: ["computed", "✓", "computed"],
  S: ["stored", "=", "stored before, used again"],
  K: ["skipped", "–", "skipped"],
  F: ["failed", "×", "failed"],
  B: ["before", "×", "failed before"],
  R: ["running", "▸", "running"],
  "-": ["nothing", "", "nothing yet"],
};

export const REASONS = {
  FILTERED: "kept away by the node's own filter",
  DISABLED: "switched off",
  STORED: "a stored result was used",
  NOT_PROCESSABLE: "not meant for this kind of media",
  MISSING_INPUT: "something it needs was not there",
  BRANCH_NOT_TAKEN: "on a branch that was not taken",
  UPSTREAM_FAILED: "a node before it failed",
  CANCELLED: "the run was cancelled",
};

export const ORIGINS = { COMPUTED: "computed", CACHED: "from the local cache", REMOTE: "stored in Loom" };

export const CAUSES = {
  FILE_EMPTY: "The file is empty",
  FILE_DAMAGED: "The file is damaged",
  FILE_TRUNCATED: "The file ends before its content does",
  FILE_TOO_LARGE: "Decoding it would take more than the limits allow",
  FORMAT_UNSUPPORTED: "No decoder for this format is installed",
  FILE_ENCRYPTED: "The file is encrypted",
  OUTPUT_INVALID: "The node gave something that cannot be stored",
  OPERATOR_FAILED: "The operator raised an error",
  WORKER_CRASHED: "The worker process died on this file",
  MEMORY_EXCEEDED: "It needs more memory than a worker may use",
  TIMED_OUT: "It took longer than it may",
  FILE_VANISHED: "The file was gone when it was to be read",
  FILE_UNREADABLE: "The file cannot be opened",
  NOT_A_REGULAR_FILE: "It is not a regular file",
  CHANGED_WHILE_READ: "The file was changed while it was being read",
  READ_FAILED: "The disk or network reported an error",
  REQUIREMENT_MISSING: "Something that the operator needs is not installed",
  EFFECT_FAILED: "A side effect could not be carried out",
  TRY_AGAIN: "The node asked to be tried again later",
  DISK_FULL: "There is no room left on the disk",
};

export const DEPTHS = {
  new: ["No new assets", "What has begun is finished, nothing new begins."],
  node: ["After this node", "Every asset stops behind the node that it is at."],
  now: ["Now", "What is being computed is dropped and computed anew later."],
};

export const CHANGES = {
  found: "found here",
  moved: "moved from here",
  gone: "gone",
  returned: "came back",
  replaced: "replaced by other content",
};

export const KINDS = {
  image: "Images",
  video: "Videos",
  audio: "Sound",
  document: "Documents",
  text: "Texts",
  other: "Others",
};

// Of process pipelines and their tasks: the class that colours a state, and its words.
export const PROCESS_STATES = {
  RUNNING: ["running", "Running"],
  ENDED: ["completed", "Ended"],
  FAILED: ["failed", "Failed"],
  STOPPED: ["cancelled", "Stopped"],
};
export const TASK_STATES = {
  STARTING: ["queued", "Starting"],
  RUNNING: ["running", "Running"],
  WAITING: ["queued", "Waiting"],
  ENDED: ["completed", "Ended"],
  FAILED: ["failed", "Failed"],
};

// A process pipeline that is not heard of is not known to run.
export function processState({ state, silent }) {
  return silent ? ["unreachable", "Not heard of"] : (PROCESS_STATES[state] ?? ["", state]);
}

export function causeOf(code) {
  return CAUSES[code] ?? code.toLowerCase().replaceAll("_", " ");
}

const OWNERS = { user: "a person", schedule: "its schedule", disk: "its worker" };

// Why a run stands still, in sentences; `workers`, where they are known, tell whether one is there that could take it.
export function waitingFor(run, workers = null) {
  if (run.state === "QUEUED" && !run.paused?.length) return waitingInLine(run.request?.host, workers);
  if (!run.paused?.length) return null;
  return run.paused
    .map(
      ({ owner, reason, depth }) =>
        `Paused by ${OWNERS[owner] ?? owner}${reason ? `: ${reason}` : ""}` +
        `${depth ? ` (${DEPTHS[depth]?.[0].toLowerCase() ?? depth})` : ""}.`,
    )
    .join(" ");
}

function waitingInLine(host, workers) {
  const where = host ? ` on ${host}` : "";
  const fits = workers?.filter((one) => one.online && (!host || one.host === host));
  const waits = `Waits until a worker${where} takes it.`;
  if (!fits) return waits;
  if (!fits.length) return `${waits} None is there: one is started with cortex worker.`;
  return fits.every((one) => one.runs?.length) ? `${waits} All have a run in hand.` : waits;
}

// What files wait for that no worker has in hand, in sentences.
export function othersWaitFor({ waiting }) {
  return (waiting ?? []).map((reason) => `${reason}.`).join(" ");
}

// A run that is paused is RUNNING with a reason not to go on.
export function stateOf(run) {
  const paused = run.paused === true || run.paused?.length > 0;
  return run.state === "RUNNING" && paused ? "PAUSED" : run.state;
}

// How long a run still takes.
export function leftOf(run, pace) {
  if (stateOf(run) === "PAUSED") return "paused";
  if (pace.total === null) return "counting…";
  return pace.left === null ? "–" : duration(Math.max(1, Math.round(pace.left)) * 1000);
}
