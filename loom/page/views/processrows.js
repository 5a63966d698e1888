// The rows of tables about streams and tasks of a process pipeline; they change in place.

import { h, setText } from "../dom.js";
import { bytes, counted, number, rate } from "../format.js";
import { Rate } from "../pace.js";
import { TASK_STATES } from "../words.js";

const WINDOW_MS = 5000;
const MIB = 1024 * 1024;
// From how many percent on a ring counts as nearly full.
export const HIGH = 80;

export const frameOf = ({ shape, dtype }) => [shape.join(" × "), dtype].filter(Boolean).join(" ");
export const cpuOf = ({ cpu_percent }) => (cpu_percent === null ? "–" : `${number(cpu_percent)} %`);
export const memoryOf = ({ memory_mib }) => (memory_mib === null ? "–" : bytes(memory_mib * MIB));

const cell = (...inside) => h("td", null, inside);
const numeric = (inside) => h("td", { class: "number" }, inside);
const texts = (...names) => Object.fromEntries(names.map((name) => [name, h("span")]));

export class StreamRow {
  constructor(stream) {
    this.frames = new Rate(WINDOW_MS);
    this.bytes = new Rate(WINDOW_MS);
    this.texts = texts("pressure", "written", "rate", "bytes", "waits", "ended");
    this.meter = h("meter", { max: 100, high: HIGH, optimum: 0, value: 0, "aria-label": `Pressure of ${stream.name}` });
    this.readers = new Map(stream.readers.map((one) => [one.task, h("small")]));
    const { pressure, written, rate: speed, bytes: size, waits, ended } = this.texts;
    this.element = h(
      "tr",
      { "data-stream": stream.name },
      h("th", { scope: "row" }, stream.name, ended),
      cell(stream.writer),
      cell([...this.readers].map(([task, told]) => h("div", null, task, " ", h("div", null, told)))),
      cell(h("span", { title: frameOf(stream) }, frameOf(stream)), h("div", null, h("small", null, ringOf(stream)))),
      cell(h("div", { class: "pressure" }, this.meter, pressure)),
      ...[written, [speed, h("div", null, h("small", null, size))], waits].map(numeric),
    );
  }

  get perSecond() {
    return this.isLive ? this.frames.perSecond : NaN;
  }

  // `at`: when that was heard, in milliseconds.
  know(stream, at, isLive) {
    this.isLive = isLive && !stream.ended;
    this.frames.tell(at, stream.written);
    this.bytes.tell(at, stream.bytes_written);
    this.meter.value = stream.pressure;
    const size = this.isLive ? this.bytes.perSecond : NaN;
    setText(this.texts.pressure, `${number(stream.pressure)} %`);
    setText(this.texts.written, number(stream.written));
    setText(this.texts.rate, this.perSecond === 0 ? "0/s" : rate(this.perSecond));
    setText(this.texts.bytes, size > 0 ? `${bytes(size)}/s` : "");
    setText(this.texts.waits, number(stream.full_waits));
    setText(this.texts.ended, stream.ended ? " (ended)" : "");
    for (const one of stream.readers) setText(this.readers.get(one.task), readerOf(one));
  }
}

export class TaskRow {
  constructor(task) {
    this.texts = texts("pid", "cpu", "memory", "restarts");
    this.state = h("span");
    this.element = h(
      "tr",
      { "data-task": task.name },
      h("th", { scope: "row" }, task.name),
      cell(this.state),
      ...Object.values(this.texts).map(numeric),
    );
  }

  know(task) {
    const [kind, words] = TASK_STATES[task.state] ?? ["", task.state];
    this.state.className = `state ${kind}`;
    setText(this.state, words);
    setText(this.texts.pid, task.pid === null ? "–" : `${task.pid}`);
    setText(this.texts.cpu, cpuOf(task));
    setText(this.texts.memory, memoryOf(task));
    setText(this.texts.restarts, number(task.restarts));
  }
}

const ringOf = (stream) => `${counted(stream.frames, "slot", "slots")}, ${bytes(stream.bytes)}`;

function readerOf({ behind, skipped, blocking }) {
  const told = [
    `${number(behind)} behind`,
    skipped > 0 && `${number(skipped)} skipped`,
    !blocking && "not waited for",
  ];
  return told.filter(Boolean).join(", ");
}
