// One pipeline: its graph and its definition as text, with what the compiler says as one types.

import { ask, get, getOr, sentence, withQuery } from "../api.js";
import { begin, startRun } from "../actions.js";
import { fill, h, settled } from "../dom.js";
import { Editor } from "../editor.js";
import { counted, duration, number } from "../format.js";
import { edgesOf, Graph, isNarrow } from "../graph.js";
import { attempt, box, button, field, head, say, table, tabs, trouble, when } from "../parts.js";
import { again, go } from "../router.js";
import { lineOf, read, write } from "../text.js";
import { toggle } from "./pipelines.js";

const NEW = "+new";
const BEGIN = {
  schema_version: 1,
  name: "my-pipeline",
  description: "",
  priority: 10,
  match: { kinds: ["image"] },
  graph: {
    nodes: [
      { id: "files", operator: "source.filesystem" },
      { id: "sha256", operator: "hash.sha256" },
    ],
    edges: [{ from: { node: "files" }, to: { node: "sha256" } }],
  },
};

export default async function pipeline(main, scope, [name]) {
  const stored = name === NEW ? null : await get(`/pipelines/${encodeURIComponent(name)}`, scope.signal);
  new PipelineView(main, scope, stored).start();
  return stored?.name ?? "New pipeline";
}

export function pipelineTabs(name, current) {
  return tabs(
    "About this pipeline",
    [
      ["Definition", `/pipelines/${name}`],
      ["Versions", `/pipelines/${name}/versions`],
      ["Runs", `/runs?pipeline=${name}`],
    ],
    current,
  );
}

class PipelineView {
  constructor(main, scope, stored) {
    Object.assign(this, { main, scope, stored });
    this.before = write(stored?.definition ?? BEGIN);
    this.drawing = h("div", { class: "drawing", tabindex: "0", role: "region", "aria-label": "Graph of the pipeline" });
    this.verdict = h("p", { class: "verdict", role: "status" });
    this.plan = h("div");
    this.save = button("Save", () => this.saved(), { class: "primary", disabled: true });
    const compile = settled(200, () => this.compile());
    this.editor = new Editor({
      text: this.before,
      label: "Definition",
      changed: () => {
        this.save.disabled = true;
        compile();
      },
    });
    scope.own(compile.stop);
  }

  start() {
    const { stored } = this;
    const beside = stored
      ? [
          toggle(stored),
          this.dryRun(),
          button("Plan", () => this.showPlan()),
          button("Try on a few", () => tryOut(stored)),
          button("Run", () => startRun(stored.name), { class: "primary" }),
        ]
      : [];
    fill(
      this.main,
      head(stored?.name ?? "New pipeline", ...beside),
      stored &&
        h(
          "p",
          { class: "under" },
          h("span", null, `version ${stored.version}`),
          h("span", null, "changed ", when(stored.created)),
          h("span", null, `priority ${stored.priority}`),
        ),
      stored && pipelineTabs(stored.name, `/pipelines/${stored.name}`),
      this.drawing,
      this.plan,
      h(
        "section",
        { class: "definition", "aria-label": "Definition" },
        h("div", { class: "head" }, h("h2", null, "Definition"), this.verdict, this.save),
        this.editor.element,
      ),
    );
    this.compile();
  }

  dryRun() {
    const { stored } = this;
    const control = h("input", {
      type: "checkbox",
      role: "switch",
      checked: Boolean(stored.definition.dry_run),
      on: {
        change: async () => {
          const done = await attempt(
            () => this.put({ ...stored.definition, dry_run: control.checked }),
            "A new version was saved.",
          );
          if (done) again();
          else control.checked = !control.checked;
        },
      },
    });
    return h("label", { class: "toggle" }, control, h("span", null, "Dry run"));
  }

  put(definition) {
    const name = this.stored?.name ?? definition.name;
    const headers = this.stored ? { "If-Match": `"${this.stored.etag}"` } : {};
    return this.stored && definition.name === name
      ? ask(`/pipelines/${encodeURIComponent(name)}`, { method: "PUT", body: definition, headers })
      : ask("/pipelines", { method: "POST", body: definition });
  }

  async compile() {
    const said = read(this.editor.text);
    if (said.problem) {
      this.editor.mark([{ level: "error", line: said.line, message: said.problem }]);
      this.judge(1, 0);
      return;
    }
    try {
      const { diagnostics } = await ask("/pipelines/compile", {
        method: "POST",
        body: said.value,
        signal: this.scope.signal,
      });
      this.editor.mark(diagnostics.map((one) => ({ ...one, line: lineOf(one, said) })));
      this.judge(
        diagnostics.filter((one) => one.level === "error").length,
        diagnostics.filter((one) => one.level !== "error").length,
      );
      this.draw(said.value);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.verdict.className = "verdict bad";
      this.verdict.textContent = sentence(error);
    }
  }

  judge(errors, warnings) {
    const isChanged = this.editor.text !== this.before || !this.stored;
    this.save.disabled = errors > 0 || !isChanged;
    this.verdict.className = errors ? "verdict bad" : "verdict good";
    const told = [
      errors && counted(errors, "error", "errors"),
      warnings && counted(warnings, "warning", "warnings"),
    ].filter(Boolean);
    this.verdict.textContent = told.length ? told.join(", ") : isChanged ? "Fine, not saved yet" : "Fine";
  }

  draw(definition) {
    const nodes = (definition?.graph?.nodes ?? definition?.nodes ?? [])
      .filter((one) => one?.id)
      .map((one) => ({ id: one.id, operator: one.operator, isSource: String(one.operator).startsWith("source.") }));
    this.graph = new Graph({
      nodes,
      edges: edgesOf(definition),
      label: "Graph of the definition",
      isPlain: true,
      isDown: isNarrow(this.drawing),
    });
    fill(this.drawing, this.graph.element);
  }

  async saved() {
    await attempt(async () => {
      const saved = await this.put(read(this.editor.text).value);
      say(`Saved as version ${saved.version}.`);
      if (this.stored?.name === saved.name) again();
      else go(`/pipelines/${saved.name}`);
    });
  }

  // What a run would still have to do, said at the nodes of the graph.
  async showPlan() {
    const said = await box({
      title: "What would a run do?",
      ok: "Show it",
      body: [
        field(
          "Only at or below",
          h("input", { name: "path", autocomplete: "off" }),
          "A path; empty for everything that is known.",
        ),
      ],
    });
    if (!said) return;
    try {
      const plan = await get(withQuery(`/pipelines/${this.stored.name}/plan`, { path: said.path }), this.scope.signal);
      const notes = plan.nodes.map(({ node, stored, missing, stale, seconds }) => [
        node,
        {
          flow: `${number(stored)} stored · ${number(missing + stale)} to do`,
          time: seconds ? `~ ${duration(seconds * 1000)}` : "",
        },
      ]);
      this.graph.annotate(Object.fromEntries(notes));
      fill(this.plan, planTable(plan));
    } catch (error) {
      fill(this.plan, trouble(error));
    }
  }
}

function planTable(plan) {
  const stale = plan.nodes.filter((one) => one.stale > 0);
  return h(
    "section",
    { class: "card", "aria-label": "Plan" },
    h(
      "p",
      null,
      h(
        "b",
        null,
        `A run over ${counted(plan.assets, "asset", "assets")} would take about ${duration(plan.seconds * 1000)}.`,
      ),
      stale.length > 0 &&
        ` ${stale.map((one) => one.node).join(", ")} would be computed anew because a version or an option changed.`,
    ),
    table(["Node", "#Stored", "#Missing", "#Stale", "#Time"], plan.nodes.map(planRow), "What each node would do"),
  );
}

function planRow({ node, stored, missing, stale, seconds }) {
  return h(
    "tr",
    null,
    h("td", null, node),
    [stored, missing, stale].map((count) => h("td", { class: "number" }, number(count))),
    h("td", { class: "number" }, seconds === null ? "–" : duration(seconds * 1000)),
  );
}

// A dry run over the newest assets: its run view shows on the graph what would happen.
async function tryOut(stored) {
  const kinds = stored.definition.match?.kinds ?? [];
  const found = await getOr({ items: [] }, withQuery("/assets", { kind: kinds[0], limit: 5 }));
  if (!found.items.length) return say("There are no assets yet that it could be tried on.", true);
  return begin(stored.name, { assets: found.items.map((one) => one.uuid), dry_run: true });
}
