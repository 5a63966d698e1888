// How fast a run goes and how long it still takes, from its progress.

const WINDOW_MS = 15_000;

export function doneOf(assets) {
  return assets.completed + assets.failed + assets.failed_before + assets.unreadable + assets.unmatched;
}

export class Pace {
  constructor() {
    Object.assign(this, { done: 0, total: null, points: [] });
  }

  // Never moves back, whatever order messages come in.
  tell(assets, total = null) {
    this.done = Math.max(this.done, doneOf(assets));
    if (total !== null && total !== undefined) this.total = Math.max(total, this.done);
    const at = performance.now();
    this.points.push([at, this.done]);
    while (this.points.length > 2 && at - this.points[0][0] > WINDOW_MS) this.points.shift();
  }

  // Assets a second, over the last seconds.
  get rate() {
    if (this.points.length < 2) return NaN;
    const [from, before] = this.points[0],
      [to, after] = this.points[this.points.length - 1];
    return to - from < 200 ? NaN : ((after - before) * 1000) / (to - from);
  }

  // Seconds, or null when nobody can tell yet.
  get left() {
    return this.total === null || !(this.rate > 0) ? null : (this.total - this.done) / this.rate;
  }
}
