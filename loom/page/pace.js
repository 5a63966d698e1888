// How fast something goes; and how far a run is and how long it still takes, from its progress.

const WINDOW_MS = 15_000;

// How fast something counts, over the last seconds.
export class Rate {
  constructor(windowMs) {
    Object.assign(this, { windowMs, points: [] });
  }

  // What is told for the same time again changes nothing; a count that has moved back began anew.
  tell(at, count) {
    const last = this.points.at(-1);
    if (last && at === last[0]) return;
    if (last && count < last[1]) this.points = [];
    this.points.push([at, count]);
    while (this.points.length > 2 && at - this.points[0][0] > this.windowMs) this.points.shift();
  }

  get perSecond() {
    if (this.points.length < 2) return NaN;
    const [from, before] = this.points[0],
      [to, after] = this.points[this.points.length - 1];
    return to - from < 200 ? NaN : ((after - before) * 1000) / (to - from);
  }
}

export function doneOf(assets) {
  return assets.completed + assets.failed + assets.failed_before + assets.unreadable + assets.unmatched;
}

export class Pace {
  constructor() {
    Object.assign(this, { done: 0, total: null, fraction: null, left: null, speed: new Rate(WINDOW_MS) });
  }

  // Done and fraction never move back, whatever order messages come in. The seconds left are the worker's to tell,
  // which knows what files of each kind take; null while nobody can.
  tell({ assets, total = null, fraction = null, seconds_left = null }) {
    this.done = Math.max(this.done, doneOf(assets));
    if (total !== null) this.total = Math.max(total, this.done);
    const part = fraction ?? (this.total ? this.done / this.total : null);
    if (part !== null) this.fraction = Math.max(this.fraction ?? 0, part);
    this.left = seconds_left;
    this.speed.tell(performance.now(), this.done);
  }

  // Assets a second, over the last seconds.
  get rate() {
    return this.speed.perSecond;
  }
}
