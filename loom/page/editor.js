// A field for text with numbered lines and remarks beside the lines that they are about.

import { fill, h, svg } from "./dom.js";

const LINE = 22;

export class Editor {
  constructor({ text, label, changed }) {
    this.numbers = h("div", { class: "editor-numbers", "aria-hidden": "true" });
    this.area = h("textarea", {
      class: "editor-text",
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      wrap: "off",
      "aria-label": label,
      "aria-describedby": "editor-remarks",
      value: text,
      on: {
        input: () => {
          this.sized();
          changed();
        },
        keydown: (event) => this.pressed(event),
      },
    });
    this.marks = h("div", { class: "editor-marks", "aria-hidden": "true" });
    this.remarks = h("ul", { class: "editor-remarks", id: "editor-remarks", "aria-label": "What the compiler says" });
    this.element = h(
      "div",
      { class: "editor" },
      h("div", { class: "editor-field" }, this.numbers, h("div", { class: "editor-scroll" }, this.marks, this.area)),
      this.remarks,
    );
    this.sized();
  }

  get text() {
    return this.area.value;
  }

  sized() {
    const lines = this.text.split("\n").length;
    if (lines !== this.lines) {
      this.lines = lines;
      fill(
        this.numbers,
        Array.from({ length: lines }, (_, at) => h("div", { "data-line": at + 1 }, String(at + 1))),
      );
      this.area.style.setProperty("height", `${(lines + 1) * LINE}px`);
    }
  }

  // Two spaces for a tab that stands in a line; Escape first lets the tab leave the field.
  pressed(event) {
    if (event.key === "Escape") {
      this.isLeaving = true;
      return;
    }
    if (event.key === "Tab" && !event.shiftKey && !this.isLeaving) {
      event.preventDefault();
      this.area.setRangeText("  ", this.area.selectionStart, this.area.selectionEnd, "end");
      this.area.dispatchEvent(new Event("input"));
    }
    this.isLeaving = false;
  }

  // `remarks`: [{level, line, message, code}]
  mark(remarks) {
    const sorted = [...remarks].sort((a, b) => a.line - b.line);
    const levels = new Map();
    for (const { level, line } of sorted) if (levels.get(line) !== "error") levels.set(line, level);
    for (const one of this.numbers.children) one.className = levels.get(Number(one.dataset.line)) ?? "";
    fill(
      this.marks,
      [...levels].map(([line, level]) => h("div", { class: level, style: { top: `${(line - 1) * LINE}px` } })),
    );
    fill(
      this.remarks,
      sorted.map((one) => this.remark(one)),
    );
  }

  remark({ level, line, message, code }) {
    const icon = svg(
      "svg",
      { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" },
      level === "error" ? svg("path", { d: "M2 2l8 8M10 2l-8 8" }) : svg("path", { d: "M6 1v6M6 9.5v1.5" }),
    );
    return h(
      "li",
      { class: level },
      h(
        "button",
        { type: "button", on: { click: () => this.goTo(line) } },
        icon,
        h("span", null, h("b", null, `line ${line}`), ` ${level}: ${message}`, code && h("code", null, code)),
      ),
    );
  }

  goTo(line) {
    const before = this.text
      .split("\n")
      .slice(0, line - 1)
      .join("\n").length;
    const start = line === 1 ? 0 : before + 1;
    const end = this.text.indexOf("\n", start);
    this.area.focus();
    this.area.setSelectionRange(start, end < 0 ? this.text.length : end);
  }
}
