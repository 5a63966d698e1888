// Events as they happen: one connection, resumed by number after it was lost or the server was started anew.

import { get } from "./api.js";

const BATCH_MS = 100;
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 8000;

const watchers = new Set();
let connected = null;

// Tells `heard` whether events flow: true, false, or null when nobody listens.
export function watchConnection(heard) {
  watchers.add(heard);
  heard(connected);
}

function tell(state) {
  if (state === connected) return;
  connected = state;
  for (const heard of watchers) heard(state);
}

// `onEvents` is given arrays; `onGap` is called when events were missed for good, and after the server came back with
// fewer events than were known; `onHello` once it listens: what happened before is for others to find out. Answers a
// function that ends it.
export function listen({ query = {}, onEvents, onGap = () => {}, onHello = () => {} }) {
  let socket = null;
  let seq = null;
  let wait = FIRST_WAIT_MS;
  let timer = 0;
  let closed = false;

  function open() {
    const asked = new URLSearchParams(query);
    asked.set("batch", BATCH_MS);
    if (seq !== null) asked.set("after", seq);
    socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/pipelines/events/ws?${asked}`);
    socket.onmessage = (message) => take(JSON.parse(message.data));
    socket.onclose = lost;
  }

  function take(said) {
    const events = Array.isArray(said) ? said : [said];
    const told = [];
    for (const event of events) {
      if (event.type === "hello") greeted(event.seq);
      else if (event.type === "gap") missed(event.to);
      else {
        if (event.seq > seq) seq = event.seq;
        told.push(event);
      }
    }
    if (told.length) onEvents(told);
  }

  function greeted(newest) {
    wait = FIRST_WAIT_MS;
    tell(true);
    if (seq === null) onHello();
    if (seq !== null && newest < seq) onGap();
    if (seq === null || newest < seq) seq = newest;
  }

  function missed(last) {
    seq = Math.max(seq ?? 0, last);
    onGap();
  }

  function lost() {
    if (closed) return;
    tell(false);
    timer = setTimeout(again, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }

  // A refused upgrade tells a script nothing: an ordinary question finds out whether the session ended.
  async function again() {
    try {
      await get("/pipelines/runtime/status");
    } catch (error) {
      if (error.status !== 401) lost();
      return;
    }
    if (!closed) open();
  }

  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    socket.onclose = socket.onmessage = null;
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
    tell(null);
  };
}
