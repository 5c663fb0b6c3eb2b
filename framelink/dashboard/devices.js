/** The devices: a card each, made when the bridge tells of one or when one is heard. */

import { byId, setText } from "./dom.js";
import { Device } from "./device.js";

const MAX_DEVICES = 64; // cards; a noisy line must not fill the page with invented addresses
const MAX_COUNTED = 256; // further ones that are counted

/**
 * @typedef {object} View What a drawing needs to know.
 * @property {number} now This page's clock in ms.
 * @property {number} bridgeNow The bridge's clock in ms, in which frames are stamped.
 * @property {number} windowSeconds How much time the plots show.
 * @property {boolean} paused Whether the plots stand still.
 * @property {boolean} tick Whether a second is over, so that curves move on without news.
 * @property {boolean} all Whether plots are drawn although nothing came, as when the window has changed.
 */

export class Devices {
  #host;
  #actions;
  #cards = new Map();
  #about = new Map();
  #schemas = {};
  #skew = 0;
  #windowSeconds = 120;
  #paused = false;
  #all = false;
  #hidden = new Set();

  /**
   * @param {HTMLElement} host Where the cards go.
   * @param {{command: Function, compose: Function}} actions What a card's buttons do.
   */
  constructor(host, actions) {
    this.#host = host;
    this.#actions = actions;
    document.documentElement.addEventListener("themechange", () => this.#cards.forEach((card) => card.redraw()));
  }

  set windowSeconds(seconds) {
    this.#windowSeconds = seconds;
    this.#all = true;
  }

  set paused(paused) {
    this.#paused = paused;
  }

  /** Take the schemas, by name. */
  set schemas(schemas) {
    this.#schemas = schemas;
    for (const [key, card] of this.#cards) this.#describe(key, card);
  }

  /** Take what a link says of its devices. */
  updateLink({ link, devices }) {
    for (const about of devices) {
      const key = `${link}/${about.addr}`;
      const card = this.#card(key, link, about.addr);
      if (!card) continue;
      this.#about.set(key, about);
      this.#describe(key, card);
    }
  }

  /** Forget the devices of links that are there no more. */
  keepLinks(names) {
    for (const [key, card] of this.#cards) {
      if (names.includes(card.link)) continue;
      card.close();
      this.#cards.delete(key);
      this.#about.delete(key);
    }
  }

  /** Take a frame. */
  take(frame) {
    const now = Date.now();
    this.#skew = frame.timestamp - now;
    this.#card(`${frame.link}/${frame.addr}`, frame.link, frame.addr)?.take(frame, now);
  }

  /** Bring the page up to date. */
  draw(tick) {
    const now = Date.now();
    const times = { now, bridgeNow: now + this.#skew, windowSeconds: this.#windowSeconds };
    const view = { ...times, paused: this.#paused, tick, all: this.#all };
    this.#all = false;
    for (const card of this.#cards.values()) card.draw(view);
  }

  #describe(key, card) {
    const about = this.#about.get(key);
    if (about) card.describe(about, this.#schemas[about.schema]);
  }

  #card(key, link, addr) {
    const card = this.#cards.get(key);
    if (card) return card;
    if (this.#cards.size >= MAX_DEVICES) return this.#hide(key);
    return this.#add(key, link, addr);
  }

  #add(key, link, addr) {
    const card = new Device(link, addr, this.#actions);
    if (this.#cards.size === 0) this.#host.replaceChildren();
    this.#cards.set(key, card);
    this.#host.append(card.root);
    return card;
  }

  /** Say that there are more devices than the page shows. */
  #hide(key) {
    if (this.#hidden.has(key)) return undefined;
    if (this.#hidden.size < MAX_COUNTED) this.#hidden.add(key);
    const note = byId("devices-hidden");
    note.hidden = false;
    setText(note, `${this.#hidden.size} more are not shown; all their frames are in the log`);
    return undefined;
  }
}
