// All assets: a gallery or a list, searched and narrowed.

import { get, getOr, withQuery } from "../api.js";
import { startRun } from "../actions.js";
import { fill, h, settled } from "../dom.js";
import { bytes, counted, nameOf, number } from "../format.js";
import { button, empty, head, path, picture, trouble, when } from "../parts.js";
import { go, note } from "../router.js";
import { Rows } from "../rows.js";
import { KINDS } from "../words.js";

const TILE = 168;
const LINE = 52;
const PAGE = 200;
const FACETS = ["kind", "camera", "year", "place", "collection"];
const HEADINGS = { kind: "Kind", camera: "Camera", year: "Year", place: "Place", collection: "Collection" };

export default async function library(main, scope, _, query) {
  const view = new Library(main, scope, query);
  await view.start();
  return "Library";
}

class Library {
  constructor(main, scope, query) {
    Object.assign(this, { main, scope, items: [], next: null, isAsking: false, total: null });
    this.asked = Object.fromEntries(["q", "path", ...FACETS].map((name) => [name, query.get(name)]));
    this.isList = query.get("view") === "list";
    this.facets = h("aside", { class: "facets", "aria-label": "Narrow down" });
    this.count = h("p", { class: "under", role: "status" });
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
      this.count,
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
    this.asked.q = this.search.value.trim() || null;
    note({ q: this.asked.q });
    this.refresh();
  }

  async refresh() {
    this.items = [];
    this.next = null;
    try {
      if (await this.foundByName()) return;
      await Promise.all([this.more(), this.drawFacets()]);
      this.rows.element.scrollTop = 0;
      this.drawCount();
    } catch (error) {
      if (error.name !== "AbortError") fill(this.place, trouble(error));
    }
  }

  // A whole hash or UUID leads to its asset.
  async foundByName() {
    const text = (this.asked.q ?? "").toLowerCase();
    const lengths = { 32: "md5", 64: "sha256", 128: "sha512" };
    let asset = null;
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
      asset = await getOr(null, `/assets/${text}`, this.scope.signal);
    else if (/^[0-9a-f]+$/.test(text) && lengths[text.length]) {
      asset =
        (await getOr(null, `/assets/by-hash/${lengths[text.length]}/${text}`, this.scope.signal)) ??
        (text.length === 64 ? await getOr(null, `/assets/by-hash/blake3/${text}`, this.scope.signal) : null);
    }
    if (asset) go(`/assets/${asset.uuid}`);
    return asset !== null;
  }

  async more() {
    this.isAsking = true;
    try {
      const page = await get(
        withQuery("/assets", { ...this.asked, limit: PAGE, cursor: this.next }),
        this.scope.signal,
      );
      this.items.push(...page.items);
      this.next = page.next;
    } finally {
      this.isAsking = false;
    }
    this.sized();
  }

  async drawFacets() {
    const found = await getOr(null, withQuery("/assets/facets", this.asked), this.scope.signal);
    this.total = found?.total ?? null;
    const known = found ?? { kind: Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, null])) };
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
              h("span", null, name === "kind" ? (KINDS[value] ?? value) : value),
              h("span", { class: "count" }, count === null ? (isOn ? "×" : "") : number(count)),
            ),
          );
        }),
      ),
    );
  }

  drawCount() {
    const known = this.total ?? (this.next ? null : this.items.length);
    this.count.textContent = known === null ? "" : counted(known, "asset", "assets");
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
