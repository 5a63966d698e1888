// One run: its graph with counts, beside it what every node did for every asset.

import { all, get, getOr } from "../api.js";
import { isOver, runButtons, runOf } from "../actions.js";
import { fill, h, painter, setText } from "../dom.js";
import { bytes, counted, duration, number, rate, short, spentOf } from "../format.js";
import { edgesOf, Graph, isNarrow } from "../graph.js";
import { Grid } from "../grid.js";
import { listen } from "../live.js";
import { Pace } from "../pace.js";
import { facts, figure, runState, when } from "../parts.js";
import { note } from "../router.js";
import { Tally } from "../tally.js";
import { RUN_STATES, leftOf, othersWaitFor, stateOf, waitingFor } from "../words.js";
import { nodePanel } from "./node.js";
import { FORGOTTEN, keptFrom } from "./problems.js";

const GRID_EVERY_MS = 1500;
const FLOW_EVERY_MS = 10_000;

export default async function run(main, scope, [uuid], query) {
  const view = new RunView(uuid, scope);
  await view.start(main, query.get("node"));
  return view.run.pipeline;
}

class RunView {
  constructor(uuid, scope) {
    Object.assign(this, { uuid, scope, tally: new Tally(), pace: new Pace(), chosen: null, flowsAsked: 0, flowTaken: 0 });
    this.grid = new Grid(uuid, scope);
    this.paint = painter(() => this.draw());
    scope.own(this.paint.stop);
    this.top = h("div");
    this.why = h("p", { class: "why" });
    this.waits = h("p", { class: "why" });
    this.after = h("div");
    this.bar = h("progress", { max: 1, value: 0, "aria-label": "Progress" });
    this.figures = h("div", { class: "figures" });
    this.drawing = h("div", { class: "drawing", tabindex: "0", role: "region", "aria-label": "Graph of the pipeline" });
    this.panel = h("div", { class: "panel" });
    this.heard = h("div", { class: "unseen", role: "status" });
    this.parts = h(
      "div",
      { class: "run" },
      h("section", { class: "run-graph", "aria-label": "Pipeline" }, this.drawing, this.panel),
      this.grid.element,
    );
  }

  async start(main, node) {
    await this.refresh();
    await this.drawGraph();
    fill(main, this.top, this.why, this.waits, this.after, this.bar, this.figures, this.parts, this.heard);
    if (node) this.choose(node);
    this.draw();
    this.startGrid();
    if (isOver(this.run)) return;
    this.scope.own(
      listen({ query: { run: this.uuid }, onEvents: (events) => this.take(events), onGap: () => this.again() }),
    );
    this.scope.every(GRID_EVERY_MS, () => this.isNewer && this.refreshGrid());
    this.scope.every(FLOW_EVERY_MS, () => isOver(this.run) || this.refreshFlow());
    this.adoptBegun().catch(() => {});
    await this.again();
  }

  again() {
    return this.refresh()
      .then(this.paint)
      .catch(() => {});
  }

  async refresh() {
    this.run = await runOf(this.uuid, this.scope.signal);
    if (isOver(this.run)) this.tally.adopt(this.run.nodes, true);
    else await this.adoptLive();
    this.workers = this.run.state === "QUEUED" ? await all("/workers", 500, this.scope.signal) : null;
    this.refreshFlow().catch(() => {}); // takes seconds for a million assets: nothing waits for it
    this.drawTop();
  }

  // A run that goes on has its counts on the bus, not yet in the database.
  async adoptLive() {
    const { runs } = await get("/pipelines/runtime/status", this.scope.signal);
    const live = runs.find((one) => one.run === this.uuid);
    if (live?.assets) this.progress(live);
  }

  async adoptBegun() {
    const { items } = await get(`/pipelines/runtime/at-work?run=${this.uuid}`, this.scope.signal);
    this.tally.begun(items);
    this.paint();
  }

  // Neither a run that waits nor a dry run has assets in the database.
  get isStored() {
    return Boolean(this.run.started) && !this.run.dry_run;
  }

  startGrid() {
    if (this.run.forgotten) this.grid.say(FORGOTTEN);
    else if (this.isStored) this.grid.start();
    else if (this.run.dry_run) this.grid.say("A dry run keeps no list of its assets.");
    else this.grid.say(isOver(this.run) ? "It never began." : "Its assets stand here as soon as it has begun.");
    this.hasGrid = this.isStored && !this.run.forgotten;
  }

  refreshGrid() {
    this.isNewer = false;
    if (!this.hasGrid) this.startGrid();
    else this.grid.refresh();
  }

  async refreshFlow() {
    if (!this.isStored) return;
    const asked = (this.flowsAsked += 1);
    const flow = await getOr(null, `/runs/${this.uuid}/flow`, this.scope.signal);
    if (flow && asked > this.flowTaken) {
      this.flowTaken = asked; // an older answer may come later
      this.tally.adoptFlow(flow.nodes);
    }
    this.paint();
  }

  progress(said) {
    setText(this.waits, othersWaitFor(said));
    this.tally.adopt(said.nodes);
    this.pace.tell(said);
    this.said = said;
  }

  take(events) {
    for (const event of events) {
      if (event.type === "node") this.tally.take(event);
      else if (event.type === "progress") this.progress(event);
      else if (event.type === "run") this.changed(event);
    }
    this.isNewer = true;
    this.paint();
  }

  changed(event) {
    setText(this.heard, `${this.run.pipeline}: ${RUN_STATES[event.status] ?? event.status.toLowerCase()}`);
    this.again().then(() => this.refreshGrid());
  }

  async drawGraph() {
    const { pipeline, version, nodes } = this.run;
    const found = await getOr(null, `/pipelines/${encodeURIComponent(pipeline)}?version=${version}`, this.scope.signal);
    const edges = edgesOf(found?.definition);
    const reached = new Set(edges.map((edge) => edge.to));
    const shown = found
      ? found.definition.graph.nodes.map(({ id, operator }) => ({
          id,
          operator,
          isSource: !reached.has(id) && operator.startsWith("source."),
        }))
      : Object.keys(nodes).map((id) => ({ id }));
    this.definition = found?.definition ?? null;
    const label = `Graph of ${pipeline}`;
    this.graph = new Graph({
      nodes: shown,
      edges,
      label,
      select: (id) => this.choose(id),
      isDown: isNarrow(document.getElementById("main")),
    });
    fill(this.drawing, this.graph.element);
    const watcher = new ResizeObserver(() => this.arrange());
    watcher.observe(this.parts);
    this.scope.own(() => watcher.disconnect());
  }

  // The grid stands beside the graph where both have room.
  arrange() {
    this.parts.classList.toggle("side-by-side", this.parts.clientWidth - this.graph.width >= 470);
  }

  choose(id) {
    this.chosen = this.chosen === id || !this.graph.nodes.has(id) ? null : id;
    note({ node: this.chosen });
    this.graph.choose(this.chosen);
    const operator = this.definition?.graph.nodes.find((one) => one.id === id)?.operator;
    this.shown = this.chosen && nodePanel({ run: this.run, id, operator, tally: this.tally, scope: this.scope });
    fill(this.panel, this.shown?.element);
  }

  drawTop() {
    const { run } = this;
    fill(
      this.top,
      h(
        "div",
        { class: "head" },
        h(
          "div",
          null,
          h(
            "h1",
            null,
            h("a", { href: `/pipelines/${run.pipeline}` }, run.pipeline),
            " ",
            h("small", null, `version ${run.version} · run ${short(run.uuid)}`),
          ),
          h(
            "p",
            { class: "under" },
            runState(run),
            when(run.started ?? run.queued),
            run.worker && h("span", null, `on ${run.worker}`),
            run.paths?.length > 0 &&
              h(
                "span",
                { class: "path", title: run.paths.join("\n") },
                h("bdi", null, run.paths.length === 1 ? run.paths[0] : counted(run.paths.length, "path", "paths")),
              ),
          ),
        ),
        h(
          "div",
          { class: "buttons" },
          runButtons(run, () => this.again()),
        ),
      ),
    );
    setText(this.why, waitingFor(run, this.workers) ?? "");
    if (run.state !== "RUNNING") setText(this.waits, "");
    fill(
      this.after,
      run.error && h("p", { class: "trouble" }, run.error.message),
      run.problems > 0 && h("p", null, h("a", { href: `/failures?run=${run.uuid}` }, keptFrom(run))),
      run.would_write && wouldWrite(run.would_write),
    );
    this.after.hidden = !this.after.children.length;
  }

  draw() {
    const { run, pace } = this;
    const isLive = !isOver(run);
    this.bar.hidden = !isLive || run.state === "QUEUED";
    this.figures.hidden = run.state === "QUEUED";
    if (isLive && pace.fraction !== null) this.bar.value = pace.fraction;
    else this.bar.removeAttribute("value");
    this.drawFigures(isLive);
    this.graph?.show(this.tally, isLive && stateOf(run) === "RUNNING");
    this.shown?.draw();
  }

  drawFigures(isLive) {
    const assets = (isLive && this.said?.assets) || this.run.assets;
    const took = this.run.started ? new Date(this.run.finished ?? Date.now()) - new Date(this.run.started) : null;
    const shown = [
      ["seen", number(assets.seen)],
      ["new", number(assets.new)],
      ["unchanged", number(assets.unchanged)],
      ["completed", number(assets.completed)],
      ["failed", number(assets.failed)],
      ["failed before", number(assets.failed_before)],
      ["read", bytes((isLive && this.said?.bytes) || this.run.bytes)],
      ["took", duration(took)],
      ...spentOf(this.run.spent),
      ...(isLive
        ? [
            ["rate", rate(this.pace.rate)],
            ["time left", leftOf(this.run, this.pace)],
          ]
        : []),
    ];
    if (this.figures.children.length !== shown.length) {
      this.values = shown.map(([label]) => [label, h("span")]);
      fill(
        this.figures,
        this.values.map(([label, value]) =>
          figure(label, label.startsWith("failed") ? h("a", { href: `/failures?run=${this.uuid}` }, value) : value, {
            "data-figure": label,
          }),
        ),
      );
    }
    shown.forEach(([, text], index) => setText(this.values[index][1], text));
  }
}

// What a dry run found that it would write.
function wouldWrite({ effects, ...counts }) {
  return h(
    "section",
    { class: "card", "aria-label": "What would be written" },
    h("h2", null, "Nothing was written. It would have been:"),
    facts(Object.entries(counts).map(([name, count]) => [name, name === "bytes" ? bytes(count) : number(count)])),
    effects?.length > 0 &&
      h(
        "ul",
        null,
        effects.slice(0, 50).map((effect) => h("li", null, effect)),
      ),
  );
}
