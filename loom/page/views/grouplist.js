// The groups of duplicates on the page, kept as they are now: others decide, and runs find more.

import { get } from "../api.js";
import { fill } from "../dom.js";
import { listen } from "../live.js";

const SETTLE_MS = 200;

export class GroupList {
  // `asked` is what groups are narrowed by; `draw` draws a card anew, `make` makes one; `more` is told how many new
  // groups wait until somebody wants to see them.
  constructor({ element, scope, asked, make, draw, more, most }) {
    Object.assign(this, { element, scope, asked, make, draw, more, most });
    this.cards = new Map();
    this.stale = new Set();
    this.fresh = new Set();
    this.isWhole = false;
    this.isBusy = false;
  }

  // `onHello` is called once changes are heard of.
  listen(onHello) {
    const query = new URLSearchParams([
      ["type", "duplicate"],
      ["type", "action"],
    ]);
    this.scope.own(listen({ query, onEvents: (events) => this.take(events), onGap: () => this.missed(), onHello }));
    this.scope.every(SETTLE_MS, () => this.settle());
  }

  // Adds a group, or draws it anew if it is another one than what is seen; what people are choosing stays otherwise.
  put(one) {
    const text = JSON.stringify(one);
    let card = this.cards.get(one.uuid);
    if (!card) {
      if (!this.cards.size) fill(this.element);
      card = this.make(one);
      this.cards.set(one.uuid, card);
      this.element.append(card);
    } else if (card.seen !== text) this.draw(card, one);
    card.seen = text;
    return card;
  }

  take(events) {
    for (const event of events) {
      if (event.duplicate === null) continue;
      if (event.status === "GONE") this.remove(event.duplicate);
      else if (this.cards.has(event.duplicate)) this.stale.add(event.duplicate);
      else if (event.type === "duplicate" && this.isWhole) this.fresh.add(event.duplicate);
    }
  }

  missed() {
    for (const uuid of this.cards.keys()) this.stale.add(uuid);
  }

  remove(uuid) {
    this.cards.get(uuid)?.remove();
    this.cards.delete(uuid);
    this.fresh.delete(uuid);
  }

  async settle() {
    if (this.isBusy || !(this.stale.size || this.fresh.size)) return;
    this.isBusy = true;
    try {
      await this.fetch([...this.stale]);
      if (this.cards.size < this.most) await this.fetch([...this.fresh].slice(0, this.most));
      if (this.fresh.size) this.more(this.fresh.size);
    } finally {
      this.isBusy = false;
    }
  }

  async fetch(uuids) {
    for (const uuid of uuids) {
      this.stale.delete(uuid);
      this.fresh.delete(uuid);
      const one = await get(`/duplicates/${uuid}`, this.scope.signal).catch((error) => error);
      if (this.scope.isOver) return;
      if (one instanceof Error) {
        if (one.status === 404) this.remove(uuid);
      } else if (this.cards.has(uuid) || this.fits(one)) this.put(one);
    }
  }

  fits({ state, kind, members }) {
    const { asked } = this;
    const isOf = !asked.asset || members.some((member) => member.asset === asked.asset);
    return isOf && (asked.state === "ALL" || asked.state === state) && (!asked.kind || asked.kind === kind);
  }
}
