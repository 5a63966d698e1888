// The links to all views; that to process pipelines only while there are any, or where one is.

import { fill, h } from "./dom.js";

const PROCESSES = "/processes";
const VIEWS = [
  ["/", "Now"],
  ["/runs", "Runs"],
  ["/failures", "Failures"],
  ["/library", "Library"],
  ["/duplicates", "Duplicates"],
  ["/sources", "Sources"],
  ["/pipelines", "Pipelines"],
  [PROCESSES, "Processes"],
  ["/operators", "Operators"],
  ["/system", "System"],
];
const LOOK_EVERY_MS = 5000;

let hasProcesses = false;

const isHidden = (address, here) => address === PROCESSES && here !== PROCESSES && !hasProcesses;

export function drawNavigation() {
  const first = `/${location.pathname.split("/")[1]}`;
  const here = first === "/assets" ? "/library" : first;
  fill(
    document.getElementById("nav"),
    h(
      "ul",
      null,
      VIEWS.map(([address, name]) =>
        h(
          "li",
          { hidden: isHidden(address, here) },
          h("a", { href: address, "aria-current": address === here ? "page" : null }, name),
        ),
      ),
    ),
  );
  document.querySelector("#nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// Asks whether there are process pipelines. That a session has ended is for the views to find out.
export async function lookForProcesses() {
  if (document.hidden || document.body.classList.contains("signed-out")) return;
  try {
    const answer = await fetch("/api/v1/process-pipelines?limit=1", { credentials: "same-origin" });
    if (answer.ok) hasProcesses = (await answer.json()).items.length > 0;
  } catch {
    return; // asked again soon
  }
  const link = document.querySelector(`#nav [href="${PROCESSES}"]`);
  if (link) link.parentNode.hidden = isHidden(PROCESSES, link.hasAttribute("aria-current") ? PROCESSES : null);
}

setInterval(lookForProcesses, LOOK_EVERY_MS);
