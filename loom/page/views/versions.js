// The versions of a pipeline, each with what it changed.

import { all, post } from "../api.js";
import { difference, shortened } from "../diff.js";
import { fill, h } from "../dom.js";
import { attempt, box, button, head, when } from "../parts.js";
import { go } from "../router.js";
import { write } from "../text.js";
import { pipelineTabs } from "./pipeline.js";

export default async function versions(main, scope, [name]) {
  const items = await all(`/pipelines/${encodeURIComponent(name)}/versions`, 1000, scope.signal);
  const address = `/pipelines/${name}/versions`;
  fill(
    main,
    head(name),
    pipelineTabs(name, address),
    h(
      "div",
      { class: "versions" },
      items.map((one, index) => version(one, items[index + 1], index === 0)),
    ),
  );
  return `Versions of ${name}`;
}

function version(one, before, isCurrent) {
  const title = `Version ${one.version}`;
  return h(
    "article",
    { class: "card", "aria-label": title },
    h(
      "div",
      { class: "head" },
      h("h2", null, title, isCurrent && h("span", { class: "chip" }, "current")),
      h("div", { class: "buttons" }, !isCurrent && button("Restore", () => restore(one))),
    ),
    h(
      "p",
      { class: "under" },
      when(one.created),
      h("span", null, one.enabled ? "on" : "off"),
      h("span", null, `priority ${one.priority}`),
    ),
    before
      ? changes(before, one)
      : h(
          "details",
          { open: isCurrent },
          h("summary", null, "The first version"),
          h("pre", { class: "text" }, write(one.definition)),
        ),
  );
}

function changes(before, after) {
  const lines = shortened(difference(write(before.definition), write(after.definition)));
  const signs = { same: " ", went: "−", came: "+" };
  const words = { went: "taken away: ", came: "added: " };
  return h(
    "pre",
    { class: "diff", tabindex: "0", "aria-label": "What changed" },
    lines.map((line) =>
      line === null
        ? h("span", { class: "cut" }, "⋯\n")
        : h(
            "span",
            { class: line.kind },
            h("span", { class: "sign", "aria-hidden": "true" }, signs[line.kind]),
            words[line.kind] && h("span", { class: "unseen" }, words[line.kind]),
            `${line.line}\n`,
          ),
    ),
  );
}

async function restore(one) {
  const said = await box({
    title: `Restore version ${one.version}?`,
    body: [h("p", null, "A new version is made that says what this one said.")],
    ok: "Restore",
  });
  if (
    said &&
    (await attempt(
      () => post(`/pipelines/${encodeURIComponent(one.name)}/versions/${one.version}/restore`),
      "Restored.",
    ))
  )
    go(`/pipelines/${one.name}`);
}
