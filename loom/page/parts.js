// Small pieces that several views are made of.

import { sentence, thumbnail } from "./api.js";
import { fill, h } from "./dom.js";
import { ago, number, onOneLine, time } from "./format.js";
import { RUN_STATES, SQUARES, stateOf } from "./words.js";

export function head(title, ...beside) {
  return h("div", { class: "head" }, h("h1", null, title), h("div", { class: "beside" }, ...beside));
}

// The square of one letter; `label` tells it to those who do not see it.
export function square(letter, label = null) {
  const [name, mark, words] = SQUARES[letter] ?? SQUARES["-"];
  const props = label === null ? { "aria-hidden": "true" } : { role: "img", "aria-label": label || words };
  return h("span", { class: `square ${name}`, title: words, ...props }, mark);
}

export function legend(letters) {
  return h(
    "div",
    { class: "legend" },
    letters.map((one) => h("span", null, square(one), SQUARES[one][2])),
  );
}

export function runState(run) {
  const state = stateOf(run);
  return h(
    "span",
    { class: `state ${state.toLowerCase()}` },
    RUN_STATES[state] ?? state,
    run.dry_run && h("span", { class: "dry" }, "dry run"),
  );
}

// A picture of an asset, or a quiet place where there is none.
export function picture(asset, name = "", more = {}) {
  const frame = h("span", { class: "picture", ...more });
  const image = h("img", { loading: "lazy", decoding: "async", alt: "", src: thumbnail(asset) });
  image.addEventListener("error", () =>
    fill(frame, h("span", { class: "ending", "aria-hidden": "true" }, ending(name))),
  );
  frame.append(image);
  return frame;
}

function ending(name) {
  const cut = name.lastIndexOf(".");
  return cut > 0 && name.length - cut < 7 ? name.slice(cut + 1).toUpperCase() : "…";
}

export const when = (text) => h("time", { datetime: text ?? "", title: time(text) }, ago(text));

export const path = (text) => h("span", { class: "path", title: onOneLine(text) }, h("bdi", null, onOneLine(text)));

export function empty(title, ...more) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), ...more);
}

export function trouble(error) {
  return h("div", { class: "trouble", role: "alert" }, sentence(error));
}

export function figure(label, value, more = {}) {
  return h(
    "div",
    { class: "figure", ...more },
    h("span", { class: "value" }, value),
    h("span", { class: "label" }, label),
  );
}

export function facts(pairs) {
  const shown = pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined && pair[1] !== "");
  return h(
    "dl",
    { class: "facts" },
    shown.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))),
  );
}

export function button(label, act, more = {}) {
  return h("button", { type: "button", ...more, on: { click: act } }, label);
}

export function field(label, control, hint = null) {
  return h("label", { class: "field" }, h("span", null, label), control, hint && h("small", null, hint));
}

// Tabs that are links, so that each has an address.
export function tabs(label, items, current) {
  return h(
    "nav",
    { class: "tabs", "aria-label": label },
    items.map(([text, address, count]) =>
      h(
        "a",
        { href: address, "aria-current": address === current ? "page" : null },
        text,
        count !== undefined && h("span", { class: "count" }, number(count)),
      ),
    ),
  );
}

let fading = 0;

// Tells something in words, for eyes and for screen readers.
export function say(text, isTrouble = false) {
  const place = document.getElementById("say");
  clearTimeout(fading);
  fill(place, h("div", { class: isTrouble ? "toast bad" : "toast" }, text));
  fading = setTimeout(() => fill(place), 7000);
}

// Does what may fail, and says so when it does; true when it was done.
export async function attempt(act, done = null) {
  try {
    const answer = await act();
    if (done) say(typeof done === "function" ? done(answer) : done);
    return true;
  } catch (error) {
    if (error.name !== "AbortError") say(sentence(error), true);
    return false;
  }
}

// A box that asks before something is done; answers the values of its fields, or null.
export function box({ title, body = [], ok, danger = false }) {
  return new Promise((answer) => {
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", null, title),
      ...body,
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", on: { click: () => frame.close() } }, "Leave it"),
        h("button", { class: danger ? "danger" : "primary", value: "ok" }, ok),
      ),
    );
    const frame = h("dialog", { "aria-label": title, on: { close: closed } }, form);
    function closed() {
      answer(frame.returnValue === "ok" ? Object.fromEntries(new FormData(form)) : null);
      frame.remove();
    }
    document.body.append(frame);
    frame.showModal();
  });
}

// A table in which a column whose name begins with # holds numbers; it scrolls sideways where it is too wide.
export function table(columns, rows, label) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      null,
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          columns.map((name) =>
            h("th", { scope: "col", class: name.startsWith("#") ? "number" : null }, name.replace("#", "")),
          ),
        ),
      ),
      h("tbody", null, rows),
    ),
  );
}
