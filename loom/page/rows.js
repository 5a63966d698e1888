// A long list of which only the rows in sight exist: smooth with a million of them.

import { h, painter } from "./dom.js";

const TALLEST = 8_000_000;
const SPARE = 6;

export class Rows {
  // `draw(index)` answers the element of a row; it is asked once, until `refresh`.
  constructor({ rowHeight, draw, label, role = "list", seen = () => {} }) {
    Object.assign(this, { rowHeight, draw, seen, total: 0, drawn: new Map(), first: 0, last: 0 });
    this.space = h("div", { class: "rows-space" });
    this.element = h("div", { class: "rows", tabindex: "0", role, "aria-label": label }, this.space);
    this.paint = painter(() => this.update());
    this.element.addEventListener("scroll", this.paint, { passive: true });
    this.watcher = new ResizeObserver(() => this.paint());
    this.watcher.observe(this.element);
  }

  stop() {
    this.watcher.disconnect();
    this.paint.stop();
  }

  setTotal(total) {
    this.total = total;
    this.space.style.setProperty("height", `${this.height}px`);
    this.paint();
  }

  // How tall the list is drawn; browsers cannot draw all rows of a million, so from some length on it is squeezed.
  get height() {
    return Math.min(this.total * this.rowHeight, TALLEST);
  }

  get squeeze() {
    const room = this.height - this.element.clientHeight;
    return room > 0 ? (this.total * this.rowHeight - this.element.clientHeight) / room : 1;
  }

  refresh(from = 0, to = Infinity) {
    for (const [index, element] of this.drawn) {
      if (index >= from && index < to) {
        element.remove();
        this.drawn.delete(index);
      }
    }
    this.paint();
  }

  // Brings a row into sight.
  reveal(index) {
    const top = index * this.rowHeight,
      room = this.element.clientHeight - this.rowHeight;
    const position = this.element.scrollTop * this.squeeze;
    if (top < position) this.element.scrollTop = top / this.squeeze;
    else if (top > position + room) this.element.scrollTop = (top - room) / this.squeeze;
    this.update();
  }

  update() {
    const { element, rowHeight } = this;
    const position = element.scrollTop * this.squeeze;
    this.first = Math.max(0, Math.floor(position / rowHeight) - SPARE);
    this.last = Math.min(this.total, Math.ceil((position + element.clientHeight) / rowHeight) + SPARE);
    for (const [index, one] of this.drawn) {
      if (index >= this.first && index < this.last) continue;
      one.remove();
      this.drawn.delete(index);
    }
    for (let index = this.first; index < this.last; index += 1) this.place(index, position);
    this.seen(this.first, this.last);
  }

  place(index, position) {
    let row = this.drawn.get(index);
    if (!row) {
      row = this.draw(index);
      row.classList.add("row");
      this.drawn.set(index, row);
      this.space.append(row);
    }
    const offset = this.element.scrollTop + index * this.rowHeight - position;
    row.style.setProperty("transform", `translateY(${Math.round(offset)}px)`);
  }
}
