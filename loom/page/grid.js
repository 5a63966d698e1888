// What every node of a run did for every asset: small squares, a row an asset.

import { get, withQuery } from "./api.js";
import { fill, h, settled } from "./dom.js";
import { counted } from "./format.js";
import { legend, picture, square, trouble } from "./parts.js";
import { Rows } from "./rows.js";
import { go } from "./router.js";
import { SQUARES } from "./words.js";

const PAGE = 200;
const ROW = 36;

export class Grid {
  constructor(run, scope) {
    Object.assign(this, { run, scope, pages: new Map(), asked: new Set(), nodes: [], total: 0, focused: 0 });
    this.rows = new Rows({
      rowHeight: ROW,
      draw: (index) => this.row(index),
      label: "Assets of this run",
      role: "grid",
      seen: (first, last) => this.seen(first, last),
    });
    this.rows.element.addEventListener("keydown", (event) => this.pressed(event));
    this.need = settled(60, () => this.fetchSeen());
    this.title = h("h2", null, "Assets");
    this.columns = h("div", { class: "grid-columns", "aria-hidden": "true" });
    this.element = h(
      "section",
      { class: "grid", "aria-label": "Assets and nodes" },
      h("div", { class: "head" }, this.title, legend(["C", "S", "K", "F", "B"])),
      this.columns,
      this.rows.element,
    );
    scope.own(() => {
      this.rows.stop();
      this.need.stop();
    });
  }

  // Words in the place of rows.
  say(text) {
    this.title.textContent = text;
    this.element.classList.add("bare");
  }

  async start() {
    try {
      await this.fetch(0);
      this.element.classList.remove("bare");
      if (!this.total) this.say("No assets yet");
    } catch (error) {
      if (error.name !== "AbortError") fill(this.element, this.title, trouble(error));
    }
  }

  async fetch(page) {
    this.asked.add(page);
    try {
      const said = await get(
        withQuery(`/runs/${this.run}/grid`, { offset: page * PAGE, limit: PAGE }),
        this.scope.signal,
      );
      this.take(page, said);
    } finally {
      this.asked.delete(page);
    }
  }

  take(page, { total, nodes, rows }) {
    const before = this.pages.get(page);
    this.pages.set(page, rows);
    if (nodes.join("\n") !== this.nodes.join("\n")) {
      this.nodes = nodes;
      fill(
        this.columns,
        h("span", { class: "grid-name" }),
        nodes.map((node) => h("span", { class: "grid-node", title: node }, node)),
      );
      this.rows.element.setAttribute("aria-colcount", nodes.length + 1);
    }
    if (total !== this.total) {
      this.total = total;
      this.title.textContent = counted(total, "asset", "assets");
      this.element.classList.toggle("bare", total === 0);
      this.rows.element.setAttribute("aria-rowcount", total);
      this.rows.setTotal(total);
    }
    if (JSON.stringify(before) !== JSON.stringify(rows)) this.rows.refresh(page * PAGE, (page + 1) * PAGE);
  }

  seen(first, last) {
    if (!this.total) return;
    this.window = [Math.floor(first / PAGE), Math.floor(Math.max(first, last - 1) / PAGE)];
    for (let page = this.window[0]; page <= this.window[1]; page += 1) {
      if (!this.pages.has(page) && !this.asked.has(page)) {
        this.need();
        return;
      }
    }
  }

  fetchSeen(anew = false) {
    if (!this.window) return;
    for (let page = this.window[0]; page <= this.window[1]; page += 1) {
      if ((anew || !this.pages.has(page)) && !this.asked.has(page)) this.fetch(page).catch(() => {});
    }
  }

  // Asks again for what is in sight; everything else is asked for when it comes into sight.
  refresh() {
    if (!this.total) {
      this.start();
      return;
    }
    for (const page of this.pages.keys()) {
      if (!this.window || page < this.window[0] || page > this.window[1]) this.pages.delete(page);
    }
    this.fetchSeen(true);
  }

  row(index) {
    const row = this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
    const props = {
      role: "row",
      "aria-rowindex": index + 1,
      tabindex: index === this.focused ? "0" : "-1",
      "data-index": index,
    };
    if (!row) return h("div", { ...props, class: "grid-row loading" });
    const [asset, name, letters] = row;
    return h(
      "div",
      { ...props, class: "grid-row", on: { click: (event) => event.target.closest("a") || go(`/assets/${asset}`) } },
      h(
        "span",
        { class: "grid-name", role: "rowheader" },
        picture(asset, name),
        h("a", { href: `/assets/${asset}`, tabindex: "-1", title: name }, name),
      ),
      [...letters].map((letter, at) =>
        h(
          "span",
          { role: "gridcell", class: "grid-cell", "aria-label": `${this.nodes[at]}: ${SQUARES[letter]?.[2]}` },
          square(letter),
        ),
      ),
    );
  }

  pressed(event) {
    const visible = Math.max(1, Math.floor(this.rows.element.clientHeight / ROW) - 1);
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: visible,
      PageUp: -visible,
      Home: -this.total,
      End: this.total,
    };
    if (event.key in steps) {
      event.preventDefault();
      this.focus(Math.min(this.total - 1, Math.max(0, this.focused + steps[event.key])));
    } else if (event.key === "Enter") {
      this.rows.drawn.get(this.focused)?.querySelector("a")?.click();
    }
  }

  focus(index) {
    this.rows.drawn.get(this.focused)?.setAttribute("tabindex", "-1");
    this.focused = index;
    this.rows.reveal(index);
    const row = this.rows.drawn.get(index);
    row?.setAttribute("tabindex", "0");
    row?.focus({ preventScroll: true });
  }
}
