// How many files may be in hand at a time: of an operator, of what needs a resource, or in all.

import { ask } from "../api.js";
import { h } from "../dom.js";
import { attempt, button, table } from "../parts.js";

const KNOWN = { jobs: "all worker processes", network: "what needs the network", gpu: "what needs a GPU" };

export function limitsForm(limits, operators, changed) {
  const rows = Object.entries(limits);
  return [
    rows.length
      ? table(["For", "#At a time", ""], rows.map(([name, count]) => row(name, count, changed)), "Limits in force")
      : h("p", { class: "quiet" }, "None: every worker uses all its processes."),
    form(operators, changed),
    h("p", { class: "quiet" }, "Files in hand on each worker. Runs that are at work keep to it within seconds."),
  ];
}

function row(name, count, changed) {
  const lift = () => put(name, null, changed);
  return h(
    "tr",
    null,
    h("td", null, name, KNOWN[name] && h("small", null, ` ${KNOWN[name]}`)),
    h("td", { class: "number" }, count),
    h("td", { class: "number" }, button("Lift", lift, { class: "quiet small", "aria-label": `Lift the limit of ${name}` })),
  );
}

function form(operators, changed) {
  const submitted = (event) => {
    event.preventDefault();
    const { name, number } = Object.fromEntries(new FormData(event.target));
    put(name, Number(number), changed);
  };
  return h(
    "form",
    { class: "fields limits", on: { submit: submitted } },
    h(
      "label",
      { class: "field" },
      h("span", null, "For"),
      h(
        "select",
        { name: "name" },
        Object.entries(KNOWN).map(([name, words]) => h("option", { value: name }, `${name}: ${words}`)),
        operators.map((id) => h("option", { value: id }, id)),
      ),
    ),
    h(
      "label",
      { class: "field" },
      h("span", null, "At a time"),
      h("input", { name: "number", type: "number", min: 1, max: 1024, step: 1, value: 1, required: true }),
    ),
    h("button", { class: "primary" }, "Set"),
  );
}

async function put(name, number, changed) {
  const address = `/limits/${encodeURIComponent(name)}`;
  const wish = number === null ? { method: "DELETE" } : { method: "PUT", body: { number } };
  if (await attempt(() => ask(address, wish), number === null ? "Lifted." : "Set.")) changed();
}
