// Begins the page: signs in with the code of the address, then shows the view of the address.

import { getOr, sentence, signedOut, signIn, signOut } from "./api.js";
import { fill, h, visible } from "./dom.js";
import { watchConnection } from "./live.js";
import { drawNavigation, lookForProcesses } from "./navigation.js";
import { attempt, button, empty, trouble } from "./parts.js";
import { again, Scope, start } from "./router.js";
import asset from "./views/asset.js";
import duplicates from "./views/duplicates.js";
import failures from "./views/failures.js";
import library from "./views/library.js";
import now from "./views/now.js";
import operators from "./views/operators.js";
import pipeline from "./views/pipeline.js";
import pipelines from "./views/pipelines.js";
import processes from "./views/processes.js";
import run from "./views/run.js";
import runs from "./views/runs.js";
import signInView from "./views/signin.js";
import sources from "./views/sources.js";
import system from "./views/system.js";
import versions from "./views/versions.js";

const ROUTES = [
  [/^\/$/, now],
  [/^\/runs$/, runs],
  [/^\/runs\/([0-9a-fA-F-]{32,36})$/, run],
  [/^\/runs\/[^/]+$/, () => nowhere("There is no such run.")],
  [/^\/failures$/, failures],
  [/^\/library$/, library],
  [/^\/assets\/([0-9a-fA-F-]{32,36})$/, asset],
  [/^\/assets\/[^/]+$/, () => nowhere("There is no such asset.")],
  [/^\/duplicates$/, duplicates],
  [/^\/sources$/, sources],
  [/^\/pipelines$/, pipelines],
  [/^\/pipelines\/([^/]+)$/, pipeline],
  [/^\/pipelines\/([^/]+)\/versions$/, versions],
  [/^\/processes$/, processes],
  [/^\/operators$/, operators],
  [/^\/operators\/([^/]+)$/, operators],
  [/^\/system$/, system],
];

const main = document.getElementById("main");
let scope = new Scope();
let isFirst = true;

// Draws a view: a function of (main, scope, parts of the address, query) that answers its title.
async function shown(view, parts, query) {
  scope.end();
  const mine = (scope = new Scope());
  const tookOver = !isFirst;
  isFirst = false;
  drawNavigation();
  main.setAttribute("aria-busy", "true");
  try {
    const title = view ? await view(main, mine, parts, query) : nowhere();
    if (!mine.isOver) document.title = title ? `${visible(title)} · Loom` : "Loom";
  } catch (error) {
    if (mine.isOver || error.name === "AbortError") return;
    if (error.status === 401) return;
    fill(main, error.status === 404 ? nothingHere(error) : trouble(error));
  } finally {
    if (!mine.isOver) main.removeAttribute("aria-busy");
  }
  if (mine.isOver) return;
  lookForProcesses();
  if (tookOver) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function nowhere(sentence = "There is no such view.") {
  fill(main, empty(sentence, h("p", null, h("a", { href: "/" }, "See what runs now"))));
  return "Not found";
}

function nothingHere(error) {
  return empty(sentence(error), h("p", null, "It may have been removed, or the address was cut short."));
}

function drawSide() {
  const dot = h("span", { class: "dot", "aria-hidden": "true" });
  const words = h("span", { role: "status" });
  const connection = h("div", { class: "connection" }, dot, words);
  watchConnection((state) => {
    connection.className = `connection ${state === null ? "idle" : state ? "on" : "off"}`;
    words.textContent = state === null ? "" : state ? "Live" : "Connecting again…";
  });
  const out = button(
    "Sign out",
    () =>
      attempt(async () => {
        await signOut();
        askToSignIn();
      }),
    { class: "quiet small" },
  );
  fill(document.getElementById("side-end"), connection, out);
}

function askToSignIn(problem = null) {
  scope.end();
  scope = new Scope();
  document.body.classList.add("signed-out");
  signInView(main, problem, async (code) => {
    await signIn(code);
    document.body.classList.remove("signed-out");
    again();
  });
  document.title = "Sign in · Loom";
}

// The code stands behind the `#`, so that it reached no server yet; it leaves the address before anything else is done.
async function redeemCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return null;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    await signIn(code);
    return null;
  } catch (error) {
    const known = await getOr(null, "/pipelines/runtime/status").catch(() => null);
    return known ? null : error;
  }
}

const refused = await redeemCode();
signedOut.addEventListener("out", () => askToSignIn());
drawSide();
if (refused) askToSignIn(refused);
start(ROUTES, (...view) => {
  if (!document.body.classList.contains("signed-out")) shown(...view);
});
