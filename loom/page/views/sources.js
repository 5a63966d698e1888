// Folders that are known by a name, and ingested again and again.

import { all, ask, withQuery } from "../api.js";
import { begin, startRun } from "../actions.js";
import { fill, h } from "../dom.js";
import { counted } from "../format.js";
import { attempt, box, button, empty, facts, head, path, when } from "../parts.js";
import { again } from "../router.js";

const STATES = { reachable: "can be reached", unreachable: "cannot be reached", unknown: "not looked for yet" };

export default async function sources(main, scope) {
  const place = h("div");
  fill(main, head("Sources"), place);

  async function refresh() {
    const found = await all("/sources", 2000, scope.signal);
    fill(place, found.length ? h("div", { class: "cards-beside" }, found.map(source)) : nothing());
  }

  await refresh();
  scope.every(10_000, () => place.contains(document.activeElement) || refresh().catch(() => {}));
  return "Sources";
}

function nothing() {
  return empty(
    "No folder has a name yet.",
    h("p", null, "A folder gets one with ", h("code", null, "cortex sources add NAME PATH"), "."),
  );
}

function source(one) {
  const { options } = one;
  return h(
    "article",
    { class: "card", "aria-label": `Source ${one.name}` },
    h(
      "div",
      { class: "head" },
      h("h2", null, one.name),
      h("span", { class: `state ${one.state}` }, STATES[one.state] ?? one.state),
    ),
    path(one.path),
    facts([
      ["Host", one.host],
      ["Files", h("a", { href: withQuery("/library", { path: below(one.path) }) }, counted(one.files, "file", "files"))],
      ["Looked for", one.seen && when(one.seen)],
      ["Pipeline", options.pipeline && h("a", { href: `/pipelines/${options.pipeline}` }, options.pipeline)],
      ["Only", options.include?.join(" ")],
      ["Without", options.exclude?.join(" ")],
      ["Hidden files", options.hidden ? "too" : null],
      ["Known by", one.marker && (one.marker.kind === "file" ? "a file in the folder" : "its disk")],
    ]),
    h(
      "div",
      { class: "buttons" },
      button("Ingest", () => ingest(one), { class: "primary", "aria-label": `Ingest ${one.name}` }),
      button("Forget", () => forget(one), { class: "quiet danger", "aria-label": `Forget ${one.name}` }),
    ),
  );
}

// What lies in a folder: neither the folder beside it whose name begins alike.
const below = (folder) => (folder.endsWith("/") ? folder : `${folder}/`);

function ingest(one) {
  const wish = { source: one.name };
  return one.options.pipeline ? begin(one.options.pipeline, wish) : startRun(null, { wish, over: `Over ${one.name}.` });
}

async function forget(one) {
  const said = await box({
    title: `Forget the name ${one.name}?`,
    body: [h("p", null, "Its files stay where they are, and so does all that is known of them.")],
    ok: "Forget it",
    danger: true,
  });
  const address = `/sources/${encodeURIComponent(one.name)}`;
  if (said && (await attempt(() => ask(address, { method: "DELETE" }), "Forgotten."))) again();
}
