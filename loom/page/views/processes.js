// Process pipelines: which there are, and how one of them stands.

import { all, sentence } from "../api.js";
import { fill, h, setText } from "../dom.js";
import { counted } from "../format.js";
import { empty, head, table, when } from "../parts.js";
import { processState } from "../words.js";
import { Process } from "./process.js";

const ASK_EVERY_MS = 1000;
const MOST = 500;
const COLUMNS = ["Pipeline", "State", "Host", "Tasks", "Started"];

export default async function processes(main, scope, _, query) {
  const view = new Processes(scope, query.get("run"));
  await view.refresh();
  fill(main, head("Processes"), view.element);
  scope.every(ASK_EVERY_MS, () => view.again());
  return "Processes";
}

class Processes {
  // `asked`: the run that the address names.
  constructor(scope, asked) {
    Object.assign(this, { scope, asked, shown: null, listed: "", isAsking: false });
    this.why = h("p", { class: "why", role: "status" });
    this.list = h("section", { "aria-label": "Process pipelines" });
    this.place = h("div");
    this.element = h("div", { class: "processes" }, this.why, this.list, this.place);
  }

  // Asks anew, unless the answer to the last question is still under way.
  async again() {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      await this.refresh();
      setText(this.why, "");
    } catch (error) {
      if (error.name !== "AbortError") setText(this.why, sentence(error));
    } finally {
      this.isAsking = false;
    }
  }

  async refresh() {
    const items = await all("/process-pipelines", MOST, this.scope.signal);
    const chosen = this.chosen(items);
    this.drawList(items, chosen);
    if (!chosen) {
      this.shown = null;
      fill(this.place, this.asked ? gone() : nothing());
    } else if (!this.shown?.fits(chosen)) {
      this.shown = new Process(chosen);
      fill(this.place, this.shown.element);
    }
    this.shown?.know(chosen);
  }

  // The one that the address names; else that which is shown, or one that runs, or the newest.
  chosen(items) {
    const named = (run) => items.find((one) => one.run === run);
    if (this.asked) return named(this.asked);
    return named(this.shown?.run) ?? items.find((one) => one.state === "RUNNING" && !one.silent) ?? items[0];
  }

  // Drawn anew only when it has changed: somebody may be about to choose.
  drawList(items, chosen) {
    const told = items.map((one) => [one.run, ...processState(one), one.run === chosen?.run, one.tasks.length]);
    const key = JSON.stringify(told);
    if (key === this.listed) return;
    this.listed = key;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    this.list.hidden = items.length <= (chosen ? 1 : 0);
    fill(this.list, table(COLUMNS, items.map(row(chosen)), "Process pipelines"));
    if (focused) this.list.querySelector(`[href="${focused}"]`)?.focus({ preventScroll: true });
  }
}

const row = (chosen) => (one) => {
  const [kind, words] = processState(one);
  return h(
    "tr",
    null,
    h(
      "td",
      null,
      h("a", { href: `/processes?run=${one.run}`, "aria-current": one === chosen ? "true" : null }, one.name),
    ),
    h("td", null, h("span", { class: `state ${kind}` }, words)),
    h("td", null, one.host),
    h("td", null, counted(one.tasks.length, "task", "tasks")),
    h("td", null, when(one.started)),
  );
};

function nothing() {
  return empty(
    "No process pipeline is known.",
    h("p", null, "What ", h("code", null, "cortex.shm"), " runs, every task a process of its own, stands here."),
  );
}

function gone() {
  return empty(
    "Nothing is known of this process pipeline any more.",
    h("p", null, "One that has ended is forgotten after ten minutes."),
    h("p", null, h("a", { href: "/processes" }, "See which there are")),
  );
}
