// All pipelines: what they are for, whether they are on, and what they did last.

import { all, ask, getOr } from "../api.js";
import { startRun } from "../actions.js";
import { fill, h } from "../dom.js";
import { counted } from "../format.js";
import { attempt, button, empty, head, runState, when } from "../parts.js";
import { again } from "../router.js";

export default async function pipelines(main, scope) {
  const items = await all("/pipelines", 1000, scope.signal);
  const lasts = await Promise.all(
    items.map((one) => getOr({ items: [] }, `/pipelines/${encodeURIComponent(one.name)}/runs?limit=1`, scope.signal)),
  );
  items.forEach((one, index) => {
    one.last = lasts[index].items[0];
  });
  items.sort((a, b) => b.priority - a.priority || a.name.localeCompare(b.name));
  fill(
    main,
    head("Pipelines", h("a", { class: "button primary", href: "/pipelines/+new" }, "New pipeline")),
    h("p", { class: "under" }, "Of several that are for a file, the one of highest priority gets it."),
    items.length ? h("div", { class: "pipelines" }, items.map(card)) : empty("There are no pipelines yet."),
  );
  return "Pipelines";
}

function card(one) {
  const { graph, match } = one.definition;
  const isFor = [...(match?.kinds ?? []), ...(match?.mime ?? []), ...(match?.paths ?? [])].join(", ") || "every file";
  return h(
    "article",
    { class: `card pipeline${one.enabled ? "" : " is-off"}`, "aria-label": `Pipeline ${one.name}` },
    h(
      "div",
      { class: "head" },
      h("h2", null, h("a", { href: `/pipelines/${one.name}` }, one.name)),
      toggle(one),
      h("div", { class: "buttons" }, one.enabled && button("Run", () => startRun(one.name), { class: "small" })),
    ),
    h("p", null, one.description || h("i", null, "No description.")),
    h(
      "ol",
      { class: "steps", "aria-label": "Nodes" },
      graph.nodes.map((node) => h("li", null, node.id)),
    ),
    h(
      "p",
      { class: "under" },
      h("span", null, `for ${isFor}`),
      h("span", null, `priority ${one.priority}`),
      h("a", { href: `/pipelines/${one.name}/versions` }, `version ${one.version}`),
      h("span", null, "changed ", when(one.created)),
      one.definition.dry_run && h("span", { class: "chip" }, "dry run"),
    ),
    h(
      "p",
      { class: "under" },
      one.last
        ? [
            h("a", { href: `/runs/${one.last.uuid}` }, "last run"),
            runState(one.last),
            when(one.last.started),
            h("span", null, counted(one.last.assets.seen, "asset", "assets")),
          ]
        : "never run",
    ),
  );
}

export function toggle(one, changed = again) {
  const control = h("input", {
    type: "checkbox",
    role: "switch",
    checked: one.enabled,
    "aria-label": `${one.name} is enabled`,
    on: {
      change: async () => {
        if (await setEnabled(one, control.checked)) changed();
        else control.checked = one.enabled;
      },
    },
  });
  return h("label", { class: "toggle" }, control, h("span", null, one.enabled ? "On" : "Off"));
}

function setEnabled(one, enabled) {
  const definition = { ...one.definition, enabled };
  return attempt(
    () =>
      ask(`/pipelines/${encodeURIComponent(one.name)}`, {
        method: "PUT",
        body: definition,
        headers: { "If-Match": `"${one.etag}"` },
      }),
    `${one.name} is ${enabled ? "on" : "off"}: a new version was saved.`,
  );
}
