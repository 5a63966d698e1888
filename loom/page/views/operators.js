// The catalogue of operators: what each takes, gives, needs, and what can be set.

import { all } from "../api.js";
import { fill, h, settled } from "../dom.js";
import { empty, facts, head, table } from "../parts.js";
import { note } from "../router.js";
import { KINDS } from "../words.js";

export default async function operators(main, scope, [wanted], query) {
  const specs = await all("/pipelines/operators", 2000, scope.signal);
  const list = h("div", { class: "operators" });
  const search = h("input", {
    type: "search",
    value: query.get("q") ?? "",
    placeholder: "Find an operator",
    "aria-label": "Find an operator",
    on: {
      input: settled(120, () => {
        note({ q: search.value });
        draw();
      }),
    },
  });

  function draw() {
    const text = search.value.trim().toLowerCase();
    const found = specs.filter(
      (spec) => !text || `${spec.id} ${spec.summary} ${spec.description}`.toLowerCase().includes(text),
    );
    const families = new Map();
    for (const spec of found) {
      const family = spec.id.split(".")[0];
      families.set(family, [...(families.get(family) ?? []), spec]);
    }
    fill(
      list,
      found.length === 0 && empty("No operator fits."),
      [...families].map(([family, members]) =>
        h(
          "section",
          null,
          h("h2", null, family),
          members.map((spec) => operator(spec, spec.id === wanted)),
        ),
      ),
    );
  }

  fill(main, head("Operators", search), list);
  draw();
  list.querySelector("details[open]")?.scrollIntoView({ block: "start" });
  return wanted ?? "Operators";
}

function operator(spec, isOpen) {
  return h(
    "details",
    { class: "card operator", open: isOpen, "data-operator": spec.id },
    h(
      "summary",
      null,
      h("b", null, spec.id),
      h("span", null, spec.summary),
      h("small", null, `version ${spec.version}`),
    ),
    restOf(spec) && h("p", { class: "message" }, restOf(spec)),
    facts([
      ["For", spec.kinds.length ? spec.kinds.map((kind) => KINDS[kind] ?? kind).join(", ") : "every kind"],
      ["Takes", ports(spec.inputs)],
      ["Gives", ports(spec.outputs)],
      [
        "Values",
        spec.values.length
          ? list(spec.values.map((one) => [one.key, `${one.type}${one.description ? ` · ${one.description}` : ""}`]))
          : null,
      ],
      ["Reads", spec.reads === null ? "all nodes before it" : spec.reads.join(", ") || "only the media"],
      ["Verdict", spec.verdicts === true ? "PASS or FAIL: a filter" : null],
      ["Can", spec.capabilities.join(", ") || null],
      [
        "Needs",
        spec.requires.length
          ? spec.requires.map((one) =>
              h(
                "span",
                { class: "chip" },
                `${one.kind} ${one.name}${one.met === undefined ? "" : one.met ? " ✓ met" : " × missing"}`,
              ),
            )
          : null,
      ],
    ]),
    options(spec.config_schema),
  );
}

// What the description says beyond the summary, which stands above it.
function restOf({ summary, description }) {
  return (description.startsWith(summary) ? description.slice(summary.length) : description).trim();
}

// What goes through a port, in words.
function passing({ content_type, cardinality, passes }) {
  if (passes) return `what comes in at ${passes}`;
  return cardinality === "many" ? `many ${content_type}` : content_type;
}

function ports(items) {
  return items.length
    ? items.map((port) => `${port.id}: ${passing(port)}${port.required === false ? " (optional)" : ""}`).join(", ")
    : null;
}

function list(pairs) {
  return h(
    "dl",
    { class: "outputs" },
    pairs.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );
}

function options(schema) {
  const entries = Object.entries(schema?.properties ?? {});
  if (!entries.length) return null;
  const rows = entries.map(([name, one]) =>
    h(
      "tr",
      null,
      h("td", null, h("code", null, name)),
      h("td", null, typeOf(one)),
      h("td", null, h("code", null, one.default === undefined ? "–" : JSON.stringify(one.default))),
      h("td", null, one.description ?? ""),
    ),
  );
  return table(["Option", "Type", "Default", "Meaning"], rows, "Options");
}

function typeOf(one) {
  if (one.enum) return one.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (one.anyOf) return one.anyOf.map(typeOf).join(" or ");
  if (one.$ref) return one.$ref.split("/").pop();
  const range = [one.minimum !== undefined && `from ${one.minimum}`, one.maximum !== undefined && `to ${one.maximum}`]
    .filter(Boolean)
    .join(" ");
  return [one.type === "array" ? `list of ${typeOf(one.items ?? {})}` : (one.type ?? "any"), range]
    .filter(Boolean)
    .join(" ");
}
