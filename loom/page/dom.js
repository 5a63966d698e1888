// Elements from values: text only ever becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, props, ...children) {
  return build(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

export function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter(isShown));
  return parent;
}

// Sets text only when it differs, so that nothing is laid out anew for nothing.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

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

function isShown(child) {
  return child !== null && child !== undefined && child !== false;
}

function build(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) set(element, name, value);
  element.append(...children.flat(Infinity).filter(isShown));
  return element;
}

function set(element, name, value) {
  if (name === "on") {
    for (const [type, heard] of Object.entries(value)) element.addEventListener(type, heard);
  } else if (name === "style") {
    for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
  } else if (name === "value" || name === "checked" || name === "disabled" || name === "muted") {
    element[name] = value;
  } else if (isShown(value)) {
    element.setAttribute(name, value === true ? "" : value);
  }
}
