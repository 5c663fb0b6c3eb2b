/** What plots draw from: columns of values over time, bounded.  Pure. */

export const MAX_POINTS = 12_000; // ten minutes at 20 a second; some 100 kB a column
const KEPT_SHARE = 0.75; // of the points when they are too many; dropping one at a time would cost more
const CLOCK_STEP_S = 1; // the bridge's clock may jitter by less, and was set when it goes back by more

export class Series {
  #times = [];
  #columns;
  #max;

  /**
   * @param {string[]} names The columns.
   * @param {number} [max] The most points to keep.
   */
  constructor(names, max = MAX_POINTS) {
    this.#columns = new Map(names.map((name) => [name, []]));
    this.#max = max;
  }

  get length() {
    return this.#times.length;
  }

  /** The first and the last time in seconds, undefined while there is none. */
  get first() {
    return this.#times[0];
  }

  get last() {
    return this.#times.at(-1);
  }

  /**
   * Add a point; what is no number is a hole.
   * @param {number} at Seconds; times that go back are held still, or start anew when the clock was set.
   * @param {Record<string, unknown>} values By column.
   * @param {number} [silence] Seconds without a point after which the curve is broken.
   */
  add(at, values, silence = Infinity) {
    const last = this.last ?? at;
    if (at < last - CLOCK_STEP_S) this.clear();
    else if (at - last > silence) this.#push((at + last) / 2, {});
    this.#push(Math.max(at, this.last ?? at), values);
    if (this.#times.length > this.#max) this.#trim();
  }

  clear() {
    this.#times.length = 0;
    for (const column of this.#columns.values()) column.length = 0;
  }

  /**
   * The times and these columns, as uPlot wants them.
   * @param {string[]} names The columns.
   * @param {number} [until] Seconds; later points are left out.
   */
  data(names, until = Infinity) {
    const all = [this.#times, ...names.map((name) => this.#columns.get(name))];
    if (!(this.last > until)) return all;
    const count = this.#times.findLastIndex((at) => at <= until) + 1;
    return all.map((column) => column.slice(0, count));
  }

  #push(at, values) {
    this.#times.push(at);
    for (const [name, column] of this.#columns) column.push(numberOf(values[name]));
  }

  #trim() {
    const surplus = this.#times.length - Math.floor(this.#max * KEPT_SHARE);
    this.#times.splice(0, surplus);
    for (const column of this.#columns.values()) column.splice(0, surplus);
  }
}

function numberOf(value) {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" ? value : null;
}
