/** How often something comes: whether it has stopped, and how many there are a second.  Pure. */

const STALE_MS = 5_000; // silence after which a value may no longer hold
const STALE_PERIODS = 4; // …or as many periods, for devices that speak rarely
const STALE_MAX_MS = 120_000; // no device is believed to be that slow
const RATE_WINDOW_MS = 3_000; // a rate over less jumps, over more lags

/** Something that comes again and again; its period is the shorter one of its last two. */
export class Pulse {
  #at = null;
  #periods = [Infinity, Infinity];

  beat(now) {
    if (this.#at !== null) this.#periods = [this.#periods[1], now - this.#at];
    this.#at = now;
  }

  /** Milliseconds since it came, Infinity if it never did. */
  age(now) {
    return this.#at === null ? Infinity : Math.max(0, now - this.#at);
  }

  /** Milliseconds of silence that are still usual. */
  get patience() {
    const period = Math.min(...this.#periods);
    return Number.isFinite(period) ? Math.min(Math.max(STALE_MS, STALE_PERIODS * period), STALE_MAX_MS) : STALE_MS;
  }

  isStale(now) {
    return this.age(now) > this.patience;
  }
}

/** The rate of a counter, over a sliding window. */
export class Rate {
  #samples = [];

  /** Take the counter's value; return its growth a second.  A counter that went back begins anew. */
  take(at, total) {
    if (total < (this.#samples.at(-1)?.total ?? 0)) this.#samples = [];
    this.#samples.push({ at, total });
    while (this.#samples.length > 2 && at - this.#samples[0].at > RATE_WINDOW_MS) this.#samples.shift();
    const [first] = this.#samples;
    return at > first.at ? ((total - first.total) * 1_000) / (at - first.at) : 0;
  }
}
