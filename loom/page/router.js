// Addresses and views: every view has one of its own, and goes back and forth with the browser.

export class Scope {
  // What a view owns while it is shown: it ends with it.
  constructor() {
    this.ends = [];
    this.aborting = new AbortController();
  }

  get signal() {
    return this.aborting.signal;
  }
  get isOver() {
    return this.aborting.signal.aborted;
  }

  own(end) {
    this.ends.push(end);
    return end;
  }

  every(ms, act) {
    const timer = setInterval(() => document.hidden || act(), ms);
    this.own(() => clearInterval(timer));
  }

  end() {
    this.aborting.abort();
    for (const end of this.ends.splice(0)) end();
  }
}

let show = () => {};

export function start(routes, shown) {
  show = () => {
    const path = location.pathname.replace(/(.)\/$/, "$1");
    for (const [pattern, view] of routes) {
      const match = pattern.exec(path);
      if (match) return shown(view, match.slice(1).map(decodeURIComponent), new URLSearchParams(location.search));
    }
    return shown(null, [], new URLSearchParams());
  };
  addEventListener("popstate", show);
  addEventListener("click", followed);
  show();
}

export function go(address) {
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
  show();
}

// Changes the query of the present view without showing it anew.
export function note(values) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
}

export const again = () => show();

function followed(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute("download") || isElsewhere(link)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

// What is not a view of this page: the API, its description, and places within the page.
function isElsewhere(link) {
  return /^\/(api|docs|openapi\.json|page|metrics|healthz|readyz)(\/|$)/.test(link.pathname) || link.hash !== "";
}
