// All assets: a gallery or a list, searched and narrowed.

import { get, withQuery } from "../api.js";
import { startRun } from "../actions.js";
import { fill, h, settled } from "../dom.js";
import { bytes, counted, nameOf, number } from "../format.js";
import { button, empty, head, path, picture, trouble, when } from "../parts.js";
import { go, note } from "../router.js";
import { Rows } from "../rows.js";
import { ASKED, asFilter, chips, fields, PLACES, swatch } from "./filters.js";
import { KINDS } from "../words.js";

const TILE = 168;
const LINE = 52;
const PAGE = 200;
const FACETS = ["kind", "camera", "year", "place", "color"];
const HEADINGS = { kind: "Kind", camera: "Camera", year: "Year", place: "Place", color: "Colour" };
const NAMES = { kind: KINDS, place: PLACES };
const IDENTITY = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{128})$/i;

export default async function library(main, scope, _, query) {
  const view = new Library(main, scope, query);
  await view.start();
  return "Library";
}

class Library {
  constructor(main, scope, query) {
    Object.assign(this, { main, scope, items: [], next: null, isAsking: false, total: 0, turn: 0 });
    this.asked = Object.fromEntries(ASKED.map((name) => [name, query.get(name)]));
    this.isList = query.get("view") === "list";
    this.facets = h("aside", { class: "facets", "aria-label": "Narrow down" });
    this.count = h("p", { class: "under", role: "status" });
    this.over = button("Run a pipeline over these", () => this.run(), { class: "quiet small", hidden: true });
    this.narrowed = h("div");
    this.place = h("div", { class: "library-rows" });
    this.search = h("input", {
      type: "search",
      name: "q",
      value: this.asked.q ?? "",
      placeholder: "Name, hash, text…",
      "aria-label": "Search assets",
      autocomplete: "off",
      on: { input: settled(250, () => this.searched()) },
    });
  }

  async start() {
    const view = (name, label, isOn) =>
      button(label, () => this.show(name), { "aria-pressed": String(isOn), "data-view": name });
    this.switch = h(
      "div",
      { class: "switch", role: "group", "aria-label": "How to show them" },
      view("gallery", "Gallery", !this.isList),
      view("list", "List", this.isList),
    );
    fill(
      this.main,
      head("Library", this.search, this.switch),
      fields(this.asked, (values) => this.narrow(values)),
      this.narrowed,
      h("div", { class: "head" }, this.count, this.over),
      h("div", { class: "library" }, this.facets, this.place),
    );
    this.makeRows();
    await this.refresh();
  }

  show(name) {
    this.isList = name === "list";
    for (const one of this.switch.children) one.setAttribute("aria-pressed", String(one.dataset.view === name));
    note({ view: this.isList ? "list" : null });
    this.makeRows();
    this.sized();
  }

  searched() {
    this.narrow({ q: this.search.value.trim() || null });
  }

  narrow(values) {
    Object.assign(this.asked, values);
    note(values);
    this.refresh();
  }

  run() {
    startRun(null, { wish: { filter: asFilter(this.asked) }, over: `Over ${this.count.textContent}.` });
  }

  async refresh() {
    const turn = (this.turn += 1);
    this.items = [];
    this.next = null;
    const shown = chips(this.asked, { view: this.isList ? "list" : null });
    fill(this.narrowed, shown);
    this.narrowed.hidden = !shown;
    try {
      await Promise.all([this.more(), this.drawFacets()]);
      if (turn !== this.turn || this.isFoundByName()) return;
      this.rows.element.scrollTop = 0;
      this.drawCount();
    } catch (error) {
      if (error.name !== "AbortError" && turn === this.turn) fill(this.place, trouble(error));
    }
  }

  // A whole hash or UUID leads to its asset.
  isFoundByName() {
    const isOne = IDENTITY.test(this.asked.q ?? "") && this.items.length === 1;
    if (isOne) go(`/assets/${this.items[0].uuid}`);
    return isOne;
  }

  async more() {
    const { turn } = this;
    this.isAsking = true;
    try {
      const page = await get(
        withQuery("/assets", { ...this.asked, limit: PAGE, cursor: this.next }),
        this.scope.signal,
      );
      if (turn !== this.turn) return; // something else was asked for meanwhile
      this.items.push(...page.items);
      this.next = page.next;
    } finally {
      if (turn === this.turn) this.isAsking = false;
    }
    this.sized();
  }

  async drawFacets() {
    const { turn } = this;
    const known = await get(withQuery("/assets/facets", this.asked), this.scope.signal);
    if (turn !== this.turn) return;
    this.total = known.total;
    fill(
      this.facets,
      FACETS.filter((name) => Object.keys(known[name] ?? {}).length || this.asked[name]).map((name) =>
        this.facet(name, known[name] ?? {}),
      ),
    );
  }

  facet(name, values) {
    const shown = Object.entries(values).slice(0, 12);
    if (this.asked[name] && !(this.asked[name] in values)) shown.unshift([this.asked[name], null]);
    return h(
      "section",
      null,
      h("h2", null, HEADINGS[name]),
      h(
        "ul",
        null,
        shown.map(([value, count]) => {
          const isOn = this.asked[name] === value;
          const address = withQuery("/library", {
            ...this.asked,
            [name]: isOn ? null : value,
            view: this.isList ? "list" : null,
          });
          return h(
            "li",
            null,
            h(
              "a",
              { href: address, "aria-current": isOn ? "true" : null },
              h("span", null, name === "color" && swatch(value), NAMES[name]?.[value] ?? value),
              h("span", { class: "count" }, count === null ? (isOn ? "×" : "") : number(count)),
            ),
          );
        }),
      ),
    );
  }

  drawCount() {
    this.count.textContent = counted(this.total, "asset", "assets");
    this.over.hidden = !this.total;
    if (this.items.length) return;
    const isNarrowed = Object.values(this.asked).some(Boolean);
    fill(
      this.place,
      isNarrowed
        ? empty("Nothing fits.", h("p", null, h("a", { href: "/library" }, "Show all assets")))
        : empty(
            "There are no assets yet.",
            h(
              "p",
              null,
              button("Start a run", () => startRun(), { class: "primary" }),
            ),
          ),
    );
  }

  makeRows() {
    this.rows?.stop();
    this.columns = 1;
    this.rows = new Rows({
      rowHeight: this.isList ? LINE : TILE,
      label: "Assets",
      draw: (index) => (this.isList ? this.line(index) : this.tiles(index)),
      seen: (_, last) => this.seen(last),
    });
    fill(this.place, this.rows.element);
    const watcher = new ResizeObserver(() => this.sized());
    watcher.observe(this.rows.element);
    this.scope.own(() => {
      watcher.disconnect();
      this.rows.stop();
    });
  }

  sized() {
    if (this.items.length && !this.rows.element.isConnected) fill(this.place, this.rows.element);
    const columns = this.isList ? 1 : Math.max(2, Math.floor(this.rows.element.clientWidth / TILE));
    const height = this.isList ? LINE : Math.floor(this.rows.element.clientWidth / columns) || TILE;
    if (columns !== this.columns || height !== this.rows.rowHeight) {
      this.columns = columns;
      this.rows.rowHeight = height;
      this.rows.refresh();
    } else {
      const full = Math.floor(this.items.length / this.columns);
      this.rows.refresh(Math.max(0, full - PAGE), Infinity);
    }
    this.rows.setTotal(Math.ceil(this.items.length / this.columns));
  }

  seen(last) {
    if (this.next && !this.isAsking && last >= this.rows.total - 3) this.more().catch(() => {});
  }

  tiles(index) {
    const some = this.items.slice(index * this.columns, (index + 1) * this.columns);
    return h(
      "div",
      { class: "tiles", role: "listitem", style: { "grid-template-columns": `repeat(${this.columns}, 1fr)` } },
      some.map((asset) => {
        const name = nameOf(asset.locations[0]?.path ?? asset.uuid);
        return h(
          "a",
          { class: `tile ${asset.kind}`, href: `/assets/${asset.uuid}`, title: name },
          picture(asset.uuid, name),
          h("span", { class: "tile-name" }, name),
        );
      }),
    );
  }

  line(index) {
    const asset = this.items[index];
    const place = asset.locations[0];
    const name = nameOf(place?.path ?? asset.uuid);
    return h(
      "a",
      { class: "line", role: "listitem", href: `/assets/${asset.uuid}` },
      picture(asset.uuid, name),
      h("span", { class: "line-name" }, h("b", null, name), place && path(place.path)),
      h("span", { class: "line-kind" }, asset.mime),
      h("span", { class: "number" }, bytes(asset.size)),
      when(place?.mtime ?? asset.first_seen),
    );
  }
}
