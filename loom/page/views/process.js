// One process pipeline: the graph of its tasks and streams, what each of them does now, and what went wrong.

import { fill, h, setText } from "../dom.js";
import { ago, number, rate, time } from "../format.js";
import { Graph, isNarrow } from "../graph.js";
import { say, table } from "../parts.js";
import { processState, TASK_STATES } from "../words.js";
import { cpuOf, frameOf, HIGH, memoryOf, StreamRow, TaskRow } from "./processrows.js";

const taskId = (name) => `task ${name}`;
const streamId = (name) => `stream ${name}`;

export class Process {
  constructor(pipeline) {
    this.run = pipeline.run;
    this.made = madeOf(pipeline);
    this.streams = new Map(pipeline.streams.map((one) => [one.name, new StreamRow(one)]));
    this.tasks = new Map(pipeline.tasks.map((one) => [one.name, new TaskRow(one)]));
    this.events = new Map(pipeline.events.map((one) => [one.name, h("span")]));
    this.stateName = h("span");
    this.under = h("p", { class: "under" });
    this.errors = h("section", { "aria-label": "What went wrong", hidden: true });
    this.drawing = h("div", { class: "drawing", tabindex: "0", role: "region", "aria-label": "Graph of the pipeline" });
    this.element = h(
      "article",
      { class: "processes", "aria-label": `Process pipeline ${pipeline.name}` },
      h("div", { class: "head" }, h("h2", null, pipeline.name), this.stateName),
      this.under,
      this.errors,
      this.drawing,
      this.tables(),
    );
    this.drawing.hidden = this.tasks.size === 0;
    if (this.tasks.size === 0) return;
    this.graph = graphOf(pipeline, isNarrow(this.drawing));
    fill(this.drawing, this.graph.element);
  }

  tables() {
    const part = (title, columns, rows) =>
      rows.size > 0 && [
        h("h3", null, title),
        table(
          columns,
          [...rows.values()].map((one) => one.element),
          title,
        ),
      ];
    const events = [...this.events].map(([name, pending]) => h("li", { class: "chip" }, name, ": ", pending));
    return [
      part(
        "Streams",
        ["Stream", "From", "To", "Frame", "Pressure", "#Frames", "#Per second", "#Found full"],
        this.streams,
      ),
      part("Tasks", ["Task", "State", "#Process", "#CPU", "#Memory", "#Restarts"], this.tasks),
      events.length > 0 && [h("h3", null, "Events"), h("ul", { class: "chips" }, events)],
    ];
  }

  // Whether it is of the same tasks and streams, so that it can be shown in the same place.
  fits(pipeline) {
    return pipeline.run === this.run && madeOf(pipeline) === this.made;
  }

  know(pipeline) {
    const isLive = pipeline.state === "RUNNING" && !pipeline.silent;
    const at = Date.parse(pipeline.heard);
    for (const one of pipeline.streams) this.streams.get(one.name).know(one, at, isLive);
    for (const one of pipeline.tasks) this.tasks.get(one.name).know(one);
    for (const one of pipeline.events) setText(this.events.get(one.name), `${number(one.pending)} pending`);
    this.drawState(pipeline);
    this.drawErrors(pipeline);
    if (this.graph) this.drawGraph(pipeline, isLive);
  }

  drawState(pipeline) {
    const [kind, words] = processState(pipeline);
    this.stateName.className = `state ${kind}`;
    setText(this.stateName, words);
    if (this.told && this.told !== words) say(`${pipeline.name}: ${words}.`, pipeline.state === "FAILED");
    this.told = words;
    const heard = pipeline.silent || pipeline.state !== "RUNNING" ? ` · last heard of ${ago(pipeline.heard)}` : "";
    setText(this.under, `on ${pipeline.host} · process ${pipeline.pid} · started ${ago(pipeline.started)}${heard}`);
    this.under.title = time(pipeline.started);
  }

  drawErrors(pipeline) {
    const errors = errorsOf(pipeline);
    const key = JSON.stringify(errors);
    if (key === this.failed) return;
    this.failed = key;
    this.errors.hidden = errors.length === 0;
    fill(
      this.errors,
      h("h3", null, "What went wrong"),
      errors.map(({ title, text, isOpen }) =>
        h("details", { open: isOpen }, h("summary", null, title), h("pre", { class: "text", tabindex: "0" }, text)),
      ),
    );
  }

  drawGraph(pipeline, isLive) {
    const speeds = new Map([...this.streams].map(([name, one]) => [streamId(name), one.perSecond]));
    const notes = {};
    for (const one of pipeline.streams) notes[streamId(one.name)] = streamNote(one, speeds.get(streamId(one.name)));
    for (const one of pipeline.tasks) notes[taskId(one.name)] = taskNote(one);
    this.graph.annotate(notes);
    this.graph.flow(isLive, (edge) => (speeds.get(edge.from) ?? speeds.get(edge.to)) > 0);
  }
}

const madeOf = ({ tasks, streams, events }) =>
  JSON.stringify([
    tasks.map((one) => one.name),
    streams.map((one) => [one.name, one.writer, one.readers.map((reader) => reader.task), one.shape, one.dtype]),
    events.map((one) => one.name),
  ]);

function graphOf({ name, tasks, streams }, isDown) {
  const nodes = [
    ...tasks.map((one) => ({ id: taskId(one.name), name: one.name })),
    ...streams.map((one) => ({ id: streamId(one.name), name: one.name, kind: "stream", operator: frameOf(one) })),
  ];
  const edges = streams.flatMap((one) => [
    { from: taskId(one.writer), to: streamId(one.name) },
    ...one.readers.map((reader) => ({ from: streamId(one.name), to: taskId(reader.task) })),
  ]);
  return new Graph({ nodes, edges, label: `Tasks and streams of ${name}`, isPlain: true, isDown });
}

function streamNote({ pressure, ended, written }, perSecond) {
  return {
    time: `${number(pressure)} %`,
    flow: ended ? `ended after ${number(written)}` : `${number(written)} frames · ${rate(perSecond)}`,
    full: pressure / 100,
    mood: pressure >= HIGH ? "pressed" : "",
  };
}

function taskNote(task) {
  const [kind, words] = TASK_STATES[task.state] ?? ["", task.state];
  const again = task.restarts ? ` · ${number(task.restarts)} restarts` : "";
  return {
    under: `${words}${again}`,
    flow: task.pid === null ? "" : `CPU ${cpuOf(task)} · ${memoryOf(task)}`,
    mood: { running: "busy", failed: "failed" }[kind] ?? "",
  };
}

// What tasks failed with; and why the pipeline did, unless that says the same.
function errorsOf({ state, error, tasks }) {
  const failed = tasks.filter((one) => one.error);
  const own = error && !failed.some((one) => error.trimEnd().endsWith(one.error.trimEnd()));
  return [
    own && { title: "The pipeline failed", text: error, isOpen: true },
    ...failed.map((one) => ({
      title: one.state === "FAILED" ? `${one.name} failed` : `${one.name} failed, and was started again`,
      text: one.error,
      isOpen: one.state === "FAILED" || state === "FAILED",
    })),
  ].filter(Boolean);
}
