/** One plot: the fields of a device that share a unit, over a sliding window of time. */

import uPlot from "./vendor/uplot/uPlot.esm.js";

const HEIGHT = 132;
const LINES = ["--line-1", "--line-2", "--line-3", "--line-4"];

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Plot {
  #host;
  #chart;
  #observer;

  /**
   * @param {HTMLElement} host Where it goes.
   * @param {{name: string, unit?: string, decimals?: number}[]} fields What it shows.
   */
  constructor(host, fields) {
    this.#host = host;
    const axis = { stroke: () => color("--muted"), grid: { stroke: () => color("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    this.#chart = new uPlot(
      {
        width: Math.max(host.clientWidth, 200),
        height: HEIGHT,
        cursor: { drag: { x: false, y: false }, points: { size: 6 } },
        legend: { live: true },
        scales: { x: { time: true }, y: { range: roomy } },
        axes: [{ ...axis, size: 24, space: 80, values: (_chart, times) => times.map(seconds) }, { ...axis, size: 52, space: 30 }],
        series: [
          { value: (_chart, time) => (time === null ? "–" : seconds(time)) },
          ...fields.map((field, index) => ({
            label: field.unit ? `${field.name} ${field.unit}` : field.name,
            stroke: () => color(LINES[index % LINES.length]),
            width: 1.75,
            points: { show: false },
            value: (_chart, value) => (value == null ? "–" : value.toFixed(field.decimals ?? 0)),
          })),
        ],
      },
      [[], ...fields.map(() => [])],
      host,
    );
    this.#observer = new ResizeObserver(() => this.#chart.setSize({ width: host.clientWidth, height: HEIGHT }));
    this.#observer.observe(host);
  }

  /** Show these columns (times first), from `from` to `to` in seconds. */
  show(columns, from, to) {
    this.#chart.setData(columns, false);
    this.#chart.batch(() => {
      this.#chart.setScale("x", { min: from, max: to });
    });
  }

  /** Draw again, as when the colours have changed. */
  redraw() {
    this.#chart.redraw(false, true);
  }

  close() {
    this.#observer.disconnect();
    this.#chart.destroy();
    this.#host.remove();
  }
}

/** Some air above and below the curve, more if it hardly moves. */
function roomy(_chart, low, high) {
  if (low === null) return [0, 1];
  const air = Math.max((high - low) * 0.15, Math.abs(high) * 0.002, 0.01);
  return [low - air, high + air];
}

const seconds = (time) => new Date(time * 1000).toLocaleTimeString("en-GB");
