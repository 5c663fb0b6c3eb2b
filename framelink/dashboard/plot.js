/** One plot: the fields of a device that share a unit, over a sliding window of time. */

import { element, setText } from "./dom.js";
import { clock, valueText } from "./text.js";
import uPlot from "./vendor/uplot/uPlot.esm.js";

const HEIGHT = 140;
const MIN_WIDTH = 160;
const EDGE = 18; // pixels from the right edge within which a time would be cut off
const AIR = 0.12; // of the curve's height, above and below it
const MIN_STEPS = 4; // a curve that hardly moves fills at least so many of its last digits, or noise looks like news
export const LINES = 8; // colours in style.css
const STYLES = {
  line: () => ({}),
  step: () => ({ paths: uPlot.paths.stepped({ align: 1 }) }),
  points: () => ({ paths: () => null, points: { show: true, size: 4 } }),
};

let palette = new Map();
document.documentElement.addEventListener("themechange", () => (palette = new Map()));

/** A colour of style.css, which a canvas cannot name by itself. */
function color(name) {
  if (!palette.has(name)) palette.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return palette.get(name);
}

export class Plot {
  #host;
  #fields;
  #chart;
  #observers;
  #values = [];
  #time = element("time");
  #seen = true;
  /** Called when it comes into sight. */
  onSeen = () => {};

  /**
   * @param {HTMLElement} host Where it goes.
   * @param {{name: string, unit?: string, decimals?: number, line: number, plot: boolean | object}[]} fields What it shows;
   *   `line` is a colour, `plot` how it is drawn, if it says.
   * @param {string} group Plots of one group share their cursor.
   */
  constructor(host, fields, group) {
    this.#host = host;
    this.#fields = fields;
    const label = `Plot of ${fields.map((one) => one.name).join(" and ")}`;
    const canvas = element("div", { class: "canvas", role: "img", "aria-label": label });
    host.append(this.#legend(), canvas);
    this.#chart = new uPlot(this.#options(canvas, group), [[], ...fields.map(() => [])], canvas);
    this.#observers = this.#observe(canvas);
  }

  /** Whether anybody can see it; else drawing can wait. */
  get seen() {
    return this.#seen;
  }

  /** Show these columns (times first), from `from` to `to` in seconds. */
  show(columns, from, to) {
    this.#chart.setData(columns, false);
    this.#chart.setScale("x", { min: from, max: to });
    this.#readOut();
  }

  /** Draw again, as when the colours have changed. */
  redraw() {
    this.#chart.redraw(false, true);
  }

  close() {
    for (const observer of this.#observers) observer.disconnect();
    this.#chart.destroy();
    this.#host.remove();
  }

  /** The names, with the values under the cursor, or the latest ones. */
  #legend() {
    const entries = this.#fields.map((field) => {
      const value = element("span", { class: "value" }, "–");
      this.#values.push(value);
      const swatch = element("span", { class: `swatch line-${field.line}` });
      return element("span", { class: "entry" }, swatch, `${field.name} `, value, field.unit ? ` ${field.unit}` : "");
    });
    return element("div", { class: "readout" }, ...entries, this.#time);
  }

  #options(canvas, group) {
    const axis = {
      stroke: () => color("--muted"),
      grid: { stroke: () => color("--grid"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    const step = Math.min(...this.#fields.map((field) => (field.decimals === undefined ? 0 : 10 ** -field.decimals)));
    return {
      width: Math.max(canvas.clientWidth, MIN_WIDTH),
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      cursor: { drag: { x: false, y: false }, points: { size: 7 }, sync: { key: group, scales: ["x", null] }, y: false },
      legend: { show: false },
      scales: { x: { time: true }, y: { range: (_chart, low, high) => within(this.#fields, roomy(low, high, step)) } },
      axes: [
        { ...axis, size: 22, space: 76, values: (chart, times) => times.map((at) => timeText(chart, at)) },
        { ...axis, size: 54, space: 28 },
      ],
      series: [{}, ...this.#fields.map((field) => this.#curve(field))],
      hooks: { setCursor: [() => this.#readOut()] },
    };
  }

  #curve(field) {
    const alone = this.#fields.length === 1;
    const stroke = () => color(`--line-${field.line}`);
    const style = STYLES[field.plot.style ?? "line"]();
    return { stroke, width: 1.75, points: { show: false }, fill: alone ? () => `${stroke()}14` : undefined, ...style };
  }

  #readOut() {
    const [times, ...columns] = this.#chart?.data ?? [[]];
    const under = this.#chart?.cursor.idx ?? null;
    const at = under ?? times.length - 1;
    this.#fields.forEach((field, index) => setText(this.#values[index], valueText(columns[index]?.[at], field)));
    setText(this.#time, under === null || times[under] === undefined ? "" : clock(times[under] * 1_000));
  }

  #observe(canvas) {
    const size = new ResizeObserver(() => {
      if (canvas.clientWidth) this.#chart.setSize({ width: Math.max(canvas.clientWidth, MIN_WIDTH), height: HEIGHT });
    });
    const sight = new IntersectionObserver((entries) => {
      this.#seen = entries.at(-1).isIntersecting;
      if (this.#seen) this.onSeen();
    });
    size.observe(canvas);
    sight.observe(canvas);
    return [size, sight];
  }
}

/** What stands below a grid line: its time, if there is room for it. */
function timeText(chart, at) {
  return chart.valToPos(at, "x") > chart.over.clientWidth - EDGE ? "" : clock(at * 1_000);
}

/** The ends of the axis that the schema sets, in place of those of the values. */
function within(fields, [low, high]) {
  const ends = (name) => fields.map(({ plot }) => plot[name]).filter((end) => end !== undefined);
  return [Math.min(...ends("min"), Infinity), Math.max(...ends("max"), -Infinity)].map((end, index) =>
    Number.isFinite(end) ? end : [low, high][index],
  );
}

/** The range of the values' axis: some air above and below the curve. */
function roomy(low, high, step) {
  if (low === null) return [0, 1];
  const least = step * MIN_STEPS || Math.abs(high) * 0.001 || 1;
  const air = Math.max((high - low) * AIR, (least - (high - low)) / 2);
  return [low - air, high + air];
}
