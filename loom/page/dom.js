// Elements from values: text only ever becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props, ...children) {
  return build(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

export function fill(parent, ...children) {
  parent.replaceChildren(...shownOf(children));
  return parent;
}

// Sets text only when it differs, so that nothing is laid out anew for nothing.
export function setText(element, text) {
  const shown = visible(text);
  if (element.textContent !== shown) element.textContent = shown;
}

// Characters that are not seen or turn the text around them, as in the names of files: a mark stands for each.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;
const markOf = (character) => `‹U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`;

export const visible = (text) => (typeof text === "string" ? text.replace(UNSEEN, markOf) : text);

// Calls `draw` at most once for each frame that is painted, however often it is asked for.
export function painter(draw) {
  let due = 0;
  const ask = () => {
    if (!due)
      due = requestAnimationFrame(() => {
        due = 0;
        draw();
      });
  };
  ask.stop = () => {
    cancelAnimationFrame(due);
    due = 0;
  };
  return ask;
}

// Waits until nothing was asked for `ms` milliseconds.
export function settled(ms, act) {
  let timer = 0;
  const ask = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(act, ms, ...args);
  };
  ask.stop = () => clearTimeout(timer);
  return ask;
}

const shownOf = (children) => children.flat(Infinity).filter(isShown).map(visible);

function isShown(child) {
  return child !== null && child !== undefined && child !== false;
}

function build(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) set(element, name, value);
  element.append(...shownOf(children));
  return element;
}

// Attributes that people see or hear.
const TOLD = new Set(["title", "alt", "aria-label", "placeholder"]);

function set(element, name, value) {
  if (name === "on") {
    for (const [type, heard] of Object.entries(value)) element.addEventListener(type, heard);
  } else if (name === "style") {
    for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
  } else if (name === "value" || name === "checked" || name === "disabled" || name === "muted") {
    element[name] = value;
  } else if (isShown(value)) {
    element.setAttribute(name, value === true ? "" : TOLD.has(name) ? visible(value) : value);
  }
}
