/** The frames as they come, newest first: filtered, paused, bounded. */

import { element } from "./dom.js";
import { clock, fieldsText, hex, spacedHex } from "./text.js";

const MAX_KEPT = 2_000; // frames that a new filter can still find
const MAX_SHOWN = 300; // rows in the page; nobody reads further, and each costs layout

export class Log {
  #host;
  #kept = [];
  #fresh = [];
  #words = [];
  #paused = false;

  constructor(host) {
    this.#host = host;
  }

  set paused(paused) {
    this.#paused = paused;
    if (!paused) this.draw();
  }

  /** Show only frames that contain all of these words. */
  set filter(text) {
    this.#words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = this.#kept.filter((entry) => this.#matches(entry)).slice(-MAX_SHOWN);
    this.#host.replaceChildren(...matching.map(row).reverse());
  }

  clear() {
    this.#kept = [];
    this.#fresh = [];
    this.#host.replaceChildren();
  }

  take(frame) {
    this.#keep(entryOf(frame));
  }

  /** Tell of frames that were dropped for this page. */
  gap(dropped) {
    this.#keep({ gap: `${dropped} frames were not shown: this page was too slow`, text: "gap" });
  }

  #keep(entry) {
    this.#fresh.push(entry);
    if (this.#fresh.length > MAX_KEPT) this.#fresh.shift();
  }

  /** Add what has come since; called once an animation frame. */
  draw() {
    if (this.#paused || !this.#fresh.length) return;
    const fresh = this.#fresh;
    this.#fresh = [];
    this.#kept = [...this.#kept, ...fresh].slice(-MAX_KEPT);
    const rows = fresh.filter((entry) => this.#matches(entry)).slice(-MAX_SHOWN).map(row).reverse();
    this.#host.prepend(...rows);
    while (this.#host.childElementCount > MAX_SHOWN) this.#host.lastElementChild.remove();
  }

  #matches(entry) {
    return this.#words.every((word) => entry.text.includes(word));
  }
}

function entryOf(frame) {
  const said = frame.message ? `${frame.message}  ${fieldsText(frame.fields)}` : "";
  const head = `${frame.link}  addr ${hex(frame.addr)}  cmd ${hex(frame.cmd)}`;
  return { at: clock(frame.timestamp), head, said, data: spacedHex(frame.data), text: `${head} ${said} ${spacedHex(frame.data, 255)}`.toLowerCase() };
}

function row(entry) {
  if (entry.gap) return element("li", { class: "gap" }, entry.gap);
  return element(
    "li",
    {},
    element("div", { class: "head" }, element("time", {}, entry.at), element("span", {}, entry.head)),
    entry.said ? element("div", { class: "said" }, entry.said) : "",
    element("code", {}, entry.data),
  );
}
