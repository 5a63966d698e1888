// What kept a run from files and folders: no node has failed there, and no asset is known.

import { all } from "../api.js";
import { h } from "../dom.js";
import { counted } from "../format.js";
import { causeOf } from "../words.js";

const MOST = 1000;

export const FORGOTTEN = "Only the counts of this run are kept: what became of each asset was forgotten.";

export function keptFrom({ problems, error }) {
  return error
    ? counted(problems, "problem", "problems")
    : `${counted(problems, "file or folder", "files or folders")} ${problems === 1 ? "was" : "were"} not read`;
}

// Those of a run, or those of them with one code; nothing where there are none.
export async function problemList(run, code, scope) {
  const found = run.problems ? await all(`/runs/${run.uuid}/problems`, MOST, scope.signal) : [];
  const these = found.filter((one) => !code || one.code === code);
  if (!these.length) return null;
  const more = code ? 0 : run.problems - these.length;
  return h(
    "section",
    { class: "card", "aria-label": "What was not read" },
    h("h2", null, keptFrom(run)),
    h(
      "ul",
      { class: "problems" },
      these.map(({ path, code: why, message }) =>
        h(
          "li",
          null,
          path && h("div", { class: "path", title: path }, h("bdi", null, path)),
          h("p", { class: "under" }, h("b", null, causeOf(why)), h("span", null, message)),
        ),
      ),
    ),
    more > 0 && h("p", { class: "under" }, `${counted(more, "other is", "others are")} only counted.`),
  );
}
