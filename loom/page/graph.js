// The graph of a pipeline as a drawing: what every node did, and what went along every edge.

import { setText, svg } from "./dom.js";
import { duration, number } from "./format.js";
import { layout, NODE } from "./layout.js";

const PARTS = [
  ["computed", "computed"],
  ["stored", "stored"],
  ["skipped", "skipped"],
  ["failed", "failed"],
];
const MARKS = { computed: "✓", stored: "=", skipped: "–", failed: "×" };
// How far a drawing is shrunk before its place is scrolled instead.
const SMALLEST = 0.62;
const BAR = NODE.width - 28;

// The output that an edge leaves, where it is not the one that all have.
function portOf(edge) {
  const port = edge?.from?.port ?? "out";
  return port === "out" ? null : String(port);
}

// Edges of a definition as {from, to, branch, port}; the parts that a half-written one lacks are left out.
export function edgesOf(definition) {
  return (definition?.graph?.edges ?? [])
    .map((edge) => ({ from: edge?.from?.node, to: edge?.to?.node, branch: edge?.branch ?? null, port: portOf(edge) }))
    .filter((edge) => edge.from && edge.to);
}

export class Graph {
  // `select(id)` is called when a node is chosen. `nodes`: [{id, operator}], with a `name` and a `kind` of their own
  // where they have one.
  // `isPlain`: without counts, as of a definition.
  constructor({ nodes, edges, label, select = null, isPlain = false, isDown = false }) {
    this.nodes = new Map();
    this.edges = [];
    Object.assign(this, { select, isDown, nodeHeight: isPlain ? NODE.plain : NODE.height });
    const ids = nodes.map((node) => node.id);
    const { places, width, height } = layout(ids, edges, { height: this.nodeHeight, isDown });
    this.width = width;
    const lines = edges
      .filter((edge) => places.has(edge.from) && places.has(edge.to))
      .map((edge) => this.edge(edge, places));
    const boxes = nodes.map((node) => this.node(node, places.get(node.id)));
    this.element = svg(
      "svg",
      {
        class: `graph${isPlain ? " plain" : ""}`,
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        role: "group",
        "aria-label": label,
        style: { "min-width": `${Math.round(width * SMALLEST)}px` },
      },
      svg("g", null, lines),
      svg("g", null, boxes),
    );
  }

  node({ id, operator, name = id, kind = null, isSource = false }, { x, y }) {
    const text = (className, dx, dy, anchor = "start") =>
      svg("text", { class: className, x: dx, y: dy, "text-anchor": anchor });
    const parts = {
      name: text("name", 14, 26),
      time: text("small", NODE.width - 14, 26, "end"),
      operator: text("small", 14, 44),
      flow: text("flow", 14, 80),
      running: text("small running", NODE.width - 14, 80, "end"),
      counts: text("counts", 14, 102),
    };
    setText(parts.name, clipped(name, 20));
    setText(parts.operator, clipped(operator ?? "", 28));
    const bars = PARTS.map(([, kind]) => svg("rect", { class: `bar ${kind}`, x: 14, y: 54, width: 0, height: 6 }));
    const counts = isSource ? [] : PARTS.map(([, kind], index) => mark(kind, 14 + index * 49));
    const group = svg(
      "g",
      { class: `node${isSource ? " source" : ""}${kind ? ` ${kind}` : ""}`, transform: `translate(${x} ${y})`, "data-node": id },
      svg("title", null, name),
      svg("rect", { class: "card", width: NODE.width, height: this.nodeHeight, rx: 10 }),
      svg("rect", { class: "rail", x: 14, y: 54, width: BAR, height: 6, rx: 3 }),
      bars,
      Object.values(parts),
      counts.map((one) => one.group),
    );
    if (this.select && !isSource) this.makeChoosable(group, id);
    this.nodes.set(id, { group, parts, bars, counts, isSource });
    return group;
  }

  makeChoosable(group, id) {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "0");
    group.addEventListener("click", () => this.select(id));
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.select(id);
    });
  }

  edge(edge, places) {
    const [x1, y1, x2, y2, curve, tip] = this.line(places.get(edge.from), places.get(edge.to));
    const [x, anchor] = this.isDown ? [x2 + 10, "start"] : [x2 - 10, "end"];
    const count = svg("text", { class: "edge-count", x, y: y2 - 8, "text-anchor": anchor });
    const lower = this.isDown
      ? { x: x2 - 10, y: y2 - 8, "text-anchor": "end" }
      : { x, y: y2 + 16, "text-anchor": anchor };
    const words = [edge.port && clipped(edge.port, 14), edge.branch].filter(Boolean).join(" ");
    const branch =
      words && svg("text", { class: `edge-branch ${(edge.branch ?? "port").toLowerCase()}`, ...lower }, words);
    const line = svg("path", {
      class: `edge ${(edge.branch ?? "any").toLowerCase()}`,
      d: `M${x1} ${y1}C${curve} ${x2} ${y2}`,
    });
    this.edges.push({ ...edge, line, count });
    return svg("g", null, line, svg("path", { class: "tip", d: tip }), branch, count);
  }

  // Ends of an edge, the points that bend it, and the tip of its arrow.
  line(from, to) {
    if (this.isDown) {
      const x1 = from.x + NODE.width / 2,
        y1 = from.y + this.nodeHeight,
        x2 = to.x + NODE.width / 2,
        y2 = to.y;
      const bend = Math.max(24, (y2 - y1) / 2);
      return [
        x1,
        y1,
        x2,
        y2,
        `${x1} ${y1 + bend} ${x2} ${y2 - bend}`,
        `M${x2 - 4} ${y2 - 6}L${x2} ${y2}L${x2 + 4} ${y2 - 6}`,
      ];
    }
    const x1 = from.x + NODE.width,
      y1 = from.y + this.nodeHeight / 2,
      x2 = to.x,
      y2 = to.y + this.nodeHeight / 2;
    const bend = Math.max(36, (x2 - x1) / 2);
    return [
      x1,
      y1,
      x2,
      y2,
      `${x1 + bend} ${y1} ${x2 - bend} ${y2}`,
      `M${x2 - 6} ${y2 - 4}L${x2} ${y2}L${x2 - 6} ${y2 + 4}`,
    ];
  }

  choose(id) {
    for (const [one, { group }] of this.nodes) {
      group.classList.toggle("chosen", one === id);
      if (group.hasAttribute("role")) group.setAttribute("aria-pressed", one === id);
    }
  }

  // Shows counts of a run.
  show(tally, isLive) {
    this.element.classList.toggle("live", isLive);
    const walked = tally.walked();
    for (const [id, node] of this.nodes) {
      if (node.isSource) this.showSource(node, walked);
      else this.showNode(id, node, tally);
    }
    for (const edge of this.edges) {
      const source = this.nodes.get(edge.from)?.isSource;
      const sent = source ? walked : tally.sent(edge.from, edge.branch);
      const count = edge.port ? tally.fell(edge.from, edge.port, edge.branch) : sent;
      if (count === null) continue;
      setText(edge.count, number(count));
      edge.line.classList.toggle("unused", count === 0);
    }
  }

  showSource({ parts }, walked) {
    setText(parts.flow, `${number(walked)} assets out`);
  }

  showNode(id, { group, parts, bars, counts }, tally) {
    const { shown, running } = tally.node(id);
    const values = {
      computed: shown.computed,
      stored: shown.cached + shown.remote,
      skipped: shown.skipped,
      failed: shown.failed,
    };
    const sum = Math.max(
      1,
      Object.values(values).reduce((a, b) => a + b, 0),
    );
    let at = 14;
    PARTS.forEach(([key, kind], index) => {
      const width = (values[key] / sum) * BAR;
      bars[index].setAttribute("x", at);
      bars[index].setAttribute("width", width);
      at += width;
      setText(counts[index].text, brief(values[kind]));
      counts[index].group.classList.toggle("none", values[kind] === 0);
    });
    const failed = tally.sent(id, "FAIL");
    const rejected = failed ? ` · FAIL ${brief(failed)}` : "";
    setText(parts.flow, `in ${brief(tally.reached(id))} → out ${brief(tally.sent(id, null))}${rejected}`);
    setText(parts.time, duration(tally.typical(id)));
    setText(parts.running, running.size ? `▸ ${running.size}` : "");
    group.classList.toggle("busy", running.size > 0);
    if (group.hasAttribute("role")) group.setAttribute("aria-label", said(id, values, running.size));
  }

  // Shows words of one's own beside the nodes, as a plan does: {id: {flow, time}}; also `under` the name, a `mood`, and
  // how `full` a node is (0 to 1).
  annotate(notes) {
    for (const [id, { group, parts, bars }] of this.nodes) {
      const { flow = "", time = "", under, mood, full } = notes[id] ?? {};
      setText(parts.flow, flow);
      setText(parts.time, time);
      if (under !== undefined) setText(parts.operator, clipped(under, 28));
      if (mood !== undefined) group.setAttribute("data-mood", mood);
      if (full !== undefined) bars[0].setAttribute("width", full * BAR);
    }
  }

  // Shows along which edges something goes now.
  flow(isLive, goes) {
    this.element.classList.toggle("live", isLive);
    for (const edge of this.edges) edge.line.classList.toggle("unused", !goes(edge));
  }
}

function mark(kind, x) {
  const text = svg("text", { class: "count", x: x + 16, y: 101 });
  const group = svg(
    "g",
    { class: `mark ${kind} none` },
    svg("rect", { x, y: 90, width: 12, height: 12, rx: 3 }),
    svg("text", { class: "sign", x: x + 6, y: 99.5, "text-anchor": "middle" }, MARKS[kind]),
    text,
  );
  return { group, text };
}

function said(id, values, running) {
  const told = Object.entries(values)
    .filter(([, count]) => count)
    .map(([kind, count]) => `${number(count)} ${kind}`);
  if (running) told.push(`${running} running`);
  return `${id}: ${told.join(", ") || "nothing yet"}`;
}

function clipped(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

// At most four characters, so that counts of millions fit into a node.
export function brief(count) {
  if (count < 10_000) return number(count);
  if (count < 1_000_000) return `${Math.floor(count / 1000)}k`;
  return `${(count / 1_000_000).toFixed(count < 10_000_000 ? 1 : 0)}M`;
}

// Whether a drawing in that place has to go from top to bottom.
export const isNarrow = (place) => (place.clientWidth || innerWidth) < 620;
