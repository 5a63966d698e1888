// One asset: what it looks or sounds like, everything that was found out about it, and where it lies.

import { all, content, get, getOr, thumbnail, withQuery } from "../api.js";
import { begin } from "../actions.js";
import { fill, h, painter, setText, settled } from "../dom.js";
import { bytes, counted, degrees, duration, folderOf, nameOf, time } from "../format.js";
import { listen } from "../live.js";
import { Happenings } from "./happenings.js";
import { artifactLinks, outputs } from "./outputs.js";
import { together } from "./together.js";
import { box, button, empty, facts, field, head, path, square, when } from "../parts.js";
import { CHANGES, causeOf, KINDS, ORIGINS, REASONS } from "../words.js";

const EVENTS = 200;
const SHOWN_AS_IS = new Set(["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"]);

export default async function asset(main, scope, [uuid]) {
  const view = new AssetView(uuid, scope);
  await view.start(main);
  return view.name;
}

class AssetView {
  constructor(uuid, scope) {
    Object.assign(this, { uuid, scope, happenings: new Happenings() });
    this.about = h("div");
    this.results = h("section", { "aria-label": "Results" });
    this.together = h("section", { "aria-label": "Belongs together" });
    this.events = h("section", { "aria-label": "What happened" });
    this.places = h("section", { "aria-label": "Locations" });
    this.busy = h("p", { class: "why", role: "status" });
    this.paint = painter(() => this.drawEvents());
    this.again = settled(300, () => this.refresh().catch(() => {}));
    scope.own(this.paint.stop);
    scope.own(this.again.stop);
  }

  async start(main) {
    const { uuid, scope } = this;
    await this.refresh();
    this.name = nameOf(this.found.locations[0]?.path ?? uuid);
    fill(
      main,
      head(
        this.name,
        h("a", { class: "button", href: content(uuid), download: this.name }, "Download"),
        button("Run a pipeline on it", () => runOn(uuid, this.computed)),
      ),
      this.busy,
      h(
        "div",
        { class: "asset" },
        h("div", null, preview(this.found, this.name), this.about, this.together, this.places, this.events),
        h("div", null, this.results),
      ),
    );
    scope.own(listen({ query: { asset: uuid }, onEvents: (events) => this.take(events), onGap: this.again }));
    this.again(); // for what happened before it listened
  }

  async refresh() {
    const { uuid, scope } = this;
    const [found, computed, locations, events, groups, fellows, people] = await Promise.all([
      get(`/assets/${uuid}`, scope.signal),
      all(`/assets/${uuid}/results`, 1000, scope.signal),
      all(`/assets/${uuid}/locations`, 1000, scope.signal),
      get(`/assets/${uuid}/events?limit=${EVENTS}`, scope.signal),
      getOr({ items: [] }, `/duplicates?asset=${uuid}`, scope.signal),
      getOr({ items: [] }, `/assets/${uuid}/groups`, scope.signal),
      getOr({ items: [] }, `/assets/${uuid}/people`, scope.signal),
    ]);
    this.happenings.take(events.items);
    this.drawEvents();
    const known = JSON.stringify([found, computed, locations, groups, fellows, people]);
    if (known === this.known) return; // what is unfolded stays so
    Object.assign(this, { found, computed, known });
    const shown = latest(computed);
    fill(this.about, about(found, shown, groups.items.length, people.items));
    fill(
      this.results,
      h("h2", null, "Results"),
      shown.length
        ? h(
            "div",
            { class: "results" },
            shown.map((one) => result(one, uuid)),
          )
        : empty("Nothing was computed yet."),
    );
    fill(this.together, together(fellows.items, uuid));
    fill(this.places, h("h2", null, "Locations"), h("ul", { class: "locations" }, locations.map(location)));
  }

  take(events) {
    this.happenings.take(events);
    if (events.some((event) => event.status !== "STARTED")) this.again();
    this.paint();
  }

  drawEvents() {
    const { running } = this.happenings;
    setText(this.busy, running.length ? `At work now: ${running.join(", ")}.` : "");
    fill(this.events, h("h2", null, "What happened"), this.happenings.draw());
  }
}

function preview(found, name) {
  const place = h("figure", { class: "preview" });
  const still = () =>
    h("img", {
      src: thumbnail(found.uuid),
      alt: `Preview of ${name}`,
      on: { error: () => fill(place, nothingToSee(found)) },
    });
  const media = {
    controls: true,
    preload: "metadata",
    src: content(found.uuid),
    "aria-label": name,
    on: { error: () => fill(place, still()) },
  };
  if (found.kind === "video") place.append(h("video", { ...media, playsinline: true, poster: thumbnail(found.uuid) }));
  else if (found.kind === "audio")
    place.append(still(), h("audio", { ...media, on: { error: ({ target }) => target.remove() } }));
  else if (found.kind === "image" && SHOWN_AS_IS.has(found.mime)) {
    place.append(
      h("img", { src: content(found.uuid), alt: `Preview of ${name}`, on: { error: () => fill(place, still()) } }),
    );
  } else if (found.kind === "image") place.append(still());
  else place.append(nothingToSee(found));
  return place;
}

function nothingToSee(found) {
  return h(
    "p",
    { class: "nothing" },
    KINDS[found.kind]
      ? `No preview of ${KINDS[found.kind].toLowerCase()} like this one (${found.mime}).`
      : "No preview.",
  );
}

function about(found, results, groups, people) {
  const hash = (text) => h("code", { class: "hash" }, text);
  return facts([
    ["Type", found.mime],
    ["Size", bytes(found.size)],
    ["First seen", time(found.first_seen)],
    ["Place", placeOf(results)],
    [
      "Duplicates",
      groups
        ? h("a", { href: withQuery("/duplicates", { asset: found.uuid }) }, counted(groups, "group", "groups"))
        : null,
    ],
    ["People", people.length ? whoIsThere(people) : null],
    ["BLAKE3", hash(found.blake3)],
    ["SHA-256", found.sha256 && hash(found.sha256)],
    [
      "Collections",
      found.collections.length
        ? found.collections.map((name) =>
            h("a", { class: "chip", href: `/library?collection=${encodeURIComponent(name)}` }, name),
          )
        : null,
    ],
  ]);
}

// Each person once, and the way to all assets with them.
function whoIsThere(faces) {
  const names = new Map(faces.map(({ person, name }) => [person, name]));
  return [...names].map(([person, name]) =>
    h("a", { class: "chip", href: withQuery("/library", { person }) }, name ?? "somebody without a name"),
  );
}

// Where it was taken, and the way to what was taken nearby.
function placeOf(results) {
  const { latitude, longitude } =
    results.find((one) => one.operator === "media.metadata" && one.outputs.latitude !== undefined)?.outputs ?? {};
  if (latitude === undefined || longitude === undefined) return null;
  const near = [latitude, longitude].map((one) => Number(one.toFixed(6))).join(",");
  return [
    `${degrees(latitude, "N", "S")}, ${degrees(longitude, "E", "W")} `,
    h("a", { href: withQuery("/library", { near, radius_km: 1 }) }, "what was taken nearby"),
  ];
}

// One result a node: the newest of several versions; the others are old.
function latest(results) {
  const newest = new Map();
  for (const one of results) {
    const key = `${one.node}/${one.operator}`;
    if (!newest.has(key) || (one.finished ?? "") > (newest.get(key).finished ?? "")) newest.set(key, one);
  }
  return [...newest.values()];
}

function result(one, uuid) {
  const letter = one.error ? "F" : one.state === "SKIPPED" ? "K" : "C";
  const rerun =
    one.pipeline &&
    button("Run again", () => begin(one.pipeline, { assets: [uuid], recompute: [one.node] }), {
      class: "quiet small",
      "aria-label": `Run ${one.node} again on this asset`,
    });
  return h(
    "article",
    { class: "card result", "aria-label": `Result of ${one.node}` },
    h(
      "div",
      { class: "head" },
      h("h3", null, square(letter, ""), one.node, one.verdict === "FAIL" && h("span", { class: "chip" }, "FAIL")),
      rerun,
    ),
    one.error && h("p", { class: "message bad" }, `${causeOf(one.error.code)}. ${one.error.message}`),
    one.reason && h("p", { class: "message" }, REASONS[one.reason]),
    outputs(one.outputs),
    artifactLinks(one.artifacts),
    h(
      "p",
      { class: "under" },
      h("a", { href: `/operators/${one.operator}` }, `${one.operator} ${one.operator_version}`),
      one.origin && h("span", null, ORIGINS[one.origin]),
      h("span", null, duration(one.duration_ms)),
      one.finished && when(one.finished),
      one.produced_by && h("span", null, `on ${one.produced_by.worker}`),
      one.run && h("a", { href: `/runs/${one.run}?node=${encodeURIComponent(one.node)}` }, one.pipeline ?? "run"),
    ),
  );
}

function location(one) {
  return h(
    "li",
    null,
    h("span", { class: `state ${one.state}` }, one.state),
    h(
      "div",
      null,
      h("b", null, nameOf(one.path)),
      path(folderOf(one.path)),
      h(
        "span",
        { class: "under" },
        h("span", null, one.host),
        h("span", null, bytes(one.size)),
        h("span", null, `changed ${time(one.mtime)}`),
      ),
      one.history?.length > 0 &&
        h(
          "ol",
          { class: "history" },
          one.history.map((change) =>
            h(
              "li",
              null,
              when(change.time),
              " ",
              CHANGES[change.change] ?? change.change,
              change.path && change.path !== one.path && path(change.path),
            ),
          ),
        ),
    ),
  );
}

async function runOn(uuid, results) {
  const names = [...new Set(results.map((one) => one.pipeline).filter(Boolean))];
  const stored = (await all("/pipelines")).filter((one) => one.enabled).map((one) => one.name);
  const said = await box({
    title: "Run a pipeline on this asset",
    body: [
      field(
        "Pipeline",
        h(
          "select",
          { name: "pipeline" },
          [...new Set([...stored, ...names])].map((name) => h("option", null, name)),
        ),
      ),
      h(
        "label",
        { class: "check" },
        h("input", { type: "checkbox", name: "recompute" }),
        h("span", null, "Compute everything anew"),
      ),
    ],
    ok: "Start",
  });
  if (said) await begin(said.pipeline, { assets: [uuid], ...(said.recompute ? { recompute: ["*"] } : {}) });
}
