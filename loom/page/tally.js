// The counts of one run while it goes on: what the server last said, plus what happened since.

import { median } from "./format.js";

const KEPT_TIMES = 501;
const PASSED_ON = new Set(["FILTERED", "DISABLED", "NOT_PROCESSABLE", "MISSING_INPUT"]);
export const COUNTS = ["computed", "cached", "remote", "skipped", "failed"];
const FLOWS = ["passed", "rejected", "through", "missed", "errors", "both"];

class NodeTally {
  constructor() {
    this.said = Object.fromEntries(COUNTS.map((name) => [name, 0]));
    this.since = { ...this.said };
    this.shown = { ...this.said };
    this.flow = Object.fromEntries(FLOWS.map((name) => [name, 0]));
    this.buckets = {};
    this.running = new Set();
    this.times = [];
    this.median = null;
  }

  add(name) {
    this.since[name] += 1;
    this.shown[name] = Math.max(this.shown[name], this.said[name] + this.since[name]);
  }
}

export class Tally {
  constructor() {
    this.nodes = new Map();
    this.ended = new Set(); // until `begun` is told
  }

  node(id) {
    let found = this.nodes.get(id);
    if (!found) this.nodes.set(id, (found = new NodeTally()));
    return found;
  }

  // Counts of the whole run. While it goes on they never move back; at its end they are the database's.
  adopt(nodes, isFinal = false) {
    for (const [id, counts] of Object.entries(nodes ?? {})) {
      const node = this.node(id);
      for (const name of COUNTS) {
        node.said[name] = counts[name] ?? 0;
        node.since[name] = 0;
        node.shown[name] = isFinal ? node.said[name] : Math.max(node.shown[name], node.said[name]);
      }
      if (isFinal) node.running.clear();
    }
  }

  // What the database knows of verdicts, reasons and times (`/runs/{uuid}/flow`).
  adoptFlow(nodes) {
    for (const [id, told] of Object.entries(nodes ?? {})) {
      const node = this.node(id);
      for (const name of FLOWS) node.flow[name] = told[name] ?? 0;
      node.buckets = told.buckets ?? {};
      node.median = told.median_ms;
      node.times = [];
    }
  }

  take(event) {
    const node = this.node(event.node);
    if (event.status === "STARTED") {
      node.running.add(event.asset);
      return;
    }
    node.running.delete(event.asset);
    this.ended?.add(`${event.node} ${event.asset}`);
    if (event.status === "COMPLETED") completed(node, event);
    else if (event.status === "FAILED") failed(node);
    else skipped(node, event);
  }

  // What was at work before anybody listened; some of it may have ended since.
  begun(steps) {
    for (const { node, asset } of steps) if (!this.ended?.has(`${node} ${asset}`)) this.node(node).running.add(asset);
    this.ended = null;
  }

  // How many assets came to a node, and how many went on from it with a label.
  reached(id) {
    const { shown, flow } = this.node(id);
    return Math.max(0, total(shown) - flow.missed);
  }

  sent(id, branch) {
    const { flow } = this.node(id);
    if (branch === "PASS") return flow.passed + flow.through;
    if (branch === "FAIL") return flow.rejected + flow.both;
    if (branch === "ERROR") return flow.errors;
    return Math.max(0, this.reached(id) - flow.errors);
  }

  // How many assets left by the port of a bucket; null for other ports, and where a label keeps some of them.
  fell(id, port, branch) {
    return branch === null ? (this.node(id).buckets[port] ?? null) : null;
  }

  walked() {
    return Math.max(0, ...[...this.nodes.values()].map((node) => total(node.shown)));
  }

  typical(id) {
    const node = this.node(id);
    return node.times.length > 4 || node.median === null ? (median(node.times) ?? node.median) : node.median;
  }
}

export const total = (counts) => COUNTS.reduce((sum, name) => sum + (counts[name] ?? 0), 0);

function completed(node, event) {
  node.add("computed");
  verdict(node, event);
  if (event.duration_ms !== null) {
    node.times.push(event.duration_ms);
    if (node.times.length > KEPT_TIMES) node.times.shift();
  }
}

function failed(node) {
  node.add("failed");
  node.flow.errors += 1;
}

function skipped(node, event) {
  if (event.reason === "STORED") {
    node.add(event.origin === "CACHED" ? "cached" : "remote");
    verdict(node, event);
    return;
  }
  node.add("skipped");
  node.flow[PASSED_ON.has(event.reason) ? "through" : "missed"] += 1;
}

function verdict(node, event) {
  if (event.verdict === "FAIL") node.flow.rejected += 1;
  else if (event.error) node.flow.errors += 1;
  else node.flow.passed += 1;
}
