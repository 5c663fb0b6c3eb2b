/** One kind of event of a device: its latest values, and plots of them. */

import { element, setText } from "./dom.js";
import { LINES, Plot } from "./plot.js";
import { Pulse } from "./pulse.js";
import { Series } from "./series.js";
import { alarmOf, valueText } from "./text.js";

const MIN_WINDOW_S = 10; // a curve that has just begun does not fill the plot with noise

export class Stream {
  #tiles = new Map();
  #plots = [];
  #series;
  #pulse = new Pulse();
  #latest = null;
  #changed = false;
  #from = null; // of the time that the plots show
  #end = null;

  /**
   * @param {{name: string, description?: string, fields: object[]}} event As its schema describes it.
   * @param {string} group Whose cursor its plots share.
   * @param {boolean} main Whether it needs no title.
   */
  constructor(event, group, main) {
    const plotted = event.fields.filter((field) => field.plot).map((field, index) => ({ ...field, line: 1 + (index % LINES) }));
    this.#series = new Series(plotted.map((field) => field.name));
    const tiles = element("dl", { class: "tiles" }, ...event.fields.map((field) => this.#tile(field, plotted)));
    const plots = element("div", { class: "plots" });
    const title = main ? "" : element("h4", { title: event.description ?? "" }, event.name);
    this.root = element("div", { class: "stream", "data-event": event.name }, title, event.fields.length ? tiles : "", plots);
    this.#addPlots(plots, plotted, group);
  }

  isStale(now) {
    return this.#pulse.isStale(now);
  }

  /** Take a frame's values. */
  take({ timestamp, fields }, now) {
    this.#series.add(timestamp / 1_000, fields, this.#pulse.patience / 1_000);
    this.#pulse.beat(now);
    this.#latest = fields;
    this.#changed = true;
  }

  /**
   * Bring the page up to date.
   * @param {import("./devices.js").View} view
   */
  draw(view) {
    this.root.classList.toggle("stale", this.isStale(view.now));
    const moves = !view.paused && (this.#changed || view.tick);
    if (this.#changed) this.#showValues();
    if (view.all || moves) this.#showPlots(view);
  }

  redraw() {
    for (const { plot } of this.#plots) plot.redraw();
  }

  close() {
    for (const { plot } of this.#plots) plot.close();
    this.root.remove();
  }

  #tile(field, plotted) {
    const value = element("span", { class: "value" }, "–");
    const line = plotted.find((one) => one.name === field.name)?.line;
    const swatch = line ? element("span", { class: `swatch line-${line}` }) : "";
    const unit = field.unit ? element("span", { class: "unit" }, ` ${field.unit}`) : "";
    const alarm = element("span", { class: "alarm" });
    const about = { class: "tile", "data-field": field.name, title: field.description ?? "" };
    const tile = element("div", about, element("dt", {}, swatch, field.name, alarm), element("dd", {}, value, unit));
    this.#tiles.set(field.name, { field, value, alarm, tile });
    return tile;
  }

  #addPlots(host, plotted, group) {
    for (const fields of byPlot(plotted).values()) {
      const place = element("div", { class: "plot" });
      host.append(place);
      const one = { names: fields.map((field) => field.name), plot: new Plot(place, fields, group) };
      one.plot.onSeen = () => this.#show(one); // what was out of sight was not drawn
      this.#plots.push(one);
    }
  }

  #showValues() {
    this.#changed = false;
    for (const [name, { field, value, alarm, tile }] of this.#tiles) {
      setText(value, valueText(this.#latest[name], field));
      setText(alarm, alarmOf(this.#latest[name], field));
      tile.dataset.alarm = alarm.textContent;
    }
  }

  /** The window ends now, so that a device that went silent is seen to have; a pause holds it still. */
  #showPlots(view) {
    if (!view.paused || this.#end === null) this.#end = Math.max(this.#series.last ?? 0, view.bridgeNow / 1_000);
    const sinceFirst = Math.max(this.#end - (this.#series.first ?? this.#end), MIN_WINDOW_S);
    this.#from = this.#end - Math.min(view.windowSeconds, sinceFirst); // no empty stretch before the first point
    for (const one of this.#plots) if (one.plot.seen) this.#show(one);
  }

  #show({ names, plot }) {
    if (this.#end !== null) plot.show(this.#series.data(names, this.#end), this.#from, this.#end);
  }
}

/** Fields that share a plot: those of a group, else those of a unit. */
function byPlot(fields) {
  const groups = new Map();
  for (const field of fields) {
    const key = field.plot.group ? `group ${field.plot.group}` : `unit ${field.unit ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), field]);
  }
  return groups;
}
