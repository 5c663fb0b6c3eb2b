/** The devices: what they are, their latest values, and live plots of them. */

import { element, setText } from "./dom.js";
import { Plot } from "./plot.js";
import { hex, valueText } from "./text.js";

const MAX_POINTS = 6_000; // a plot's points; ten minutes at 10 a second
const MAX_DEVICES = 64; // cards; a noisy line must not fill the page with invented addresses
const MIN_WINDOW_SECONDS = 10; // a curve that has just begun does not fill the plot with noise
const STALE_MS = 5_000; // a value that is older is shown greyed

const keyOf = (link, addr) => `${link}/${addr}`;

export class Devices {
  #host;
  #cards = new Map();
  #schemas = {};
  #windowSeconds = 120;
  #paused = false;

  constructor(host) {
    this.#host = host;
  }

  set windowSeconds(seconds) {
    this.#windowSeconds = seconds;
    this.draw(true);
  }

  set paused(paused) {
    this.#paused = paused;
  }

  /** Take the schemas, by name. */
  set schemas(schemas) {
    this.#schemas = schemas;
    for (const card of this.#cards.values()) this.#dress(card);
  }

  /** Take what a link says of its devices. */
  updateLink(link) {
    for (const about of link.devices) {
      const card = this.#card(link.link, about.addr);
      if (card) {
        card.about = about;
        this.#dress(card);
      }
    }
  }

  /** Take a frame. */
  take(frame) {
    const card = this.#card(frame.link, frame.addr);
    if (!card) return;
    card.heardAt = Date.now();
    if (!frame.fields) return;
    for (const [name, value] of Object.entries(frame.fields)) {
      const tile = card.tiles.get(name);
      if (!tile || card.event !== frame.message) continue;
      setText(tile.value, valueText(value, tile.field));
    }
    if (card.event === frame.message) this.#record(card, frame);
  }

  /** Draw what has changed; called once an animation frame. */
  draw(always = false) {
    const now = Date.now();
    for (const card of this.#cards.values()) {
      card.root.classList.toggle("stale", now - card.heardAt > STALE_MS);
      if (!card.changed && !always) continue;
      if (this.#paused && !always) continue;
      card.changed = false;
      const to = card.times.at(-1) ?? now / 1000;
      const sinceFirst = Math.max(to - (card.times[0] ?? to), MIN_WINDOW_SECONDS);
      const from = to - Math.min(this.#windowSeconds, sinceFirst); // no empty stretch before the first point
      for (const group of card.groups) {
        group.plot.show([card.times, ...group.fields.map((field) => card.columns.get(field.name))], from, to);
      }
    }
  }

  redraw() {
    for (const card of this.#cards.values()) card.groups.forEach((group) => group.plot.redraw());
  }

  #record(card, frame) {
    card.times.push(frame.timestamp / 1000);
    for (const [name, column] of card.columns) column.push(frame.fields[name] ?? null);
    if (card.times.length > MAX_POINTS) {
      const surplus = card.times.length >> 2; // a quarter at a time: shifting at every point would cost more
      card.times.splice(0, surplus);
      for (const column of card.columns.values()) column.splice(0, surplus);
    }
    card.changed = true;
  }

  #card(link, addr) {
    const key = keyOf(link, addr);
    if (!this.#cards.has(key) && this.#cards.size < MAX_DEVICES) this.#add(key, link, addr);
    return this.#cards.get(key);
  }

  #add(key, link, addr) {
    const card = {
      link,
      addr,
      about: { name: "", firmware: "", schema: null },
      title: element("h3"),
      subtitle: element("span", { class: "subtitle" }),
      values: element("dl", { class: "tiles" }),
      plots: element("div", { class: "plots" }),
      tiles: new Map(),
      groups: [],
      times: [],
      columns: new Map(),
      event: null,
      schema: undefined,
      heardAt: 0,
      changed: false,
    };
    card.root = element(
      "article",
      { class: "card device", "data-device": key },
      element("div", { class: "heading" }, card.title, card.subtitle),
      card.values,
      card.plots,
    );
    if (this.#cards.size === 0) this.#host.replaceChildren();
    this.#cards.set(key, card);
    this.#host.append(card.root);
    this.#dress(card);
  }

  /** Give a card its titles, and tiles and plots by its schema. */
  #dress(card) {
    const { name, firmware, schema: schemaName } = card.about;
    const schema = this.#schemas[schemaName] ?? null;
    setText(card.title, name || `Device ${hex(card.addr)}`);
    const facts = [schema?.description, `${card.link} · addr ${hex(card.addr)}`, firmware && `firmware ${firmware}`];
    setText(card.subtitle, facts.filter(Boolean).join(" · "));
    if (schema === card.schema) return;
    card.schema = schema;
    const event = schema?.events[0] ?? null;
    card.event = event?.name ?? null;
    this.#layOut(card, event?.fields ?? []);
  }

  #layOut(card, fields) {
    card.groups.forEach((group) => group.plot.close());
    card.tiles = new Map();
    for (const field of fields) card.tiles.set(field.name, { field, value: element("span", { class: "value" }, "–") });
    card.values.replaceChildren(
      ...[...card.tiles.values()].map(({ field, value }) =>
        element("div", { class: "tile", "data-field": field.name }, element("dt", {}, field.name), element("dd", {}, value, field.unit ? element("span", { class: "unit" }, ` ${field.unit}`) : "")),
      ),
    );
    const plotted = fields.filter((field) => field.plot);
    card.times = [];
    card.columns = new Map(plotted.map((field) => [field.name, []]));
    const units = [...new Set(plotted.map((field) => field.unit ?? ""))];
    card.groups = units.map((unit) => {
      const host = element("div", { class: "plot" });
      card.plots.append(host);
      const group = plotted.filter((field) => (field.unit ?? "") === unit);
      return { fields: group, plot: new Plot(host, group) };
    });
  }
}
