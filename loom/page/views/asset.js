// One asset: what it looks or sounds like, everything that was found out about it, and where it lies.

import { all, content, get, thumbnail } from "../api.js";
import { begin } from "../actions.js";
import { fill, h } from "../dom.js";
import { bytes, duration, folderOf, nameOf, time } from "../format.js";
import { artifactLinks, outputs } from "./outputs.js";
import { box, button, empty, facts, field, head, path, square, when } from "../parts.js";
import { CHANGES, causeOf, KINDS, ORIGINS, REASONS } from "../words.js";

const SHOWN_AS_IS = new Set(["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/bmp"]);

export default async function asset(main, scope, [uuid]) {
  const [found, results, locations] = await Promise.all([
    get(`/assets/${uuid}`, scope.signal),
    all(`/assets/${uuid}/results`, 1000, scope.signal),
    all(`/assets/${uuid}/locations`, 1000, scope.signal),
  ]);
  const name = nameOf(found.locations[0]?.path ?? uuid);
  fill(
    main,
    head(
      name,
      h("a", { class: "button", href: content(uuid), download: name }, "Download"),
      button("Run a pipeline on it", () => runOn(uuid, results)),
    ),
    h(
      "div",
      { class: "asset" },
      h("div", null, preview(found, name), about(found)),
      h(
        "div",
        null,
        h(
          "section",
          { "aria-label": "Results" },
          h("h2", null, "Results"),
          results.length
            ? h(
                "div",
                { class: "results" },
                latest(results).map((one) => result(one, uuid)),
              )
            : empty("Nothing was computed yet."),
        ),
        h(
          "section",
          { "aria-label": "Locations" },
          h("h2", null, "Locations"),
          h("ul", { class: "locations" }, locations.map(location)),
        ),
      ),
    ),
  );
  return name;
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

function about(found) {
  const hash = (text) => h("code", { class: "hash" }, text);
  return facts([
    ["Type", found.mime],
    ["Size", bytes(found.size)],
    ["First seen", time(found.first_seen)],
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
