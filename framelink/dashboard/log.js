/** The frames as they come, newest first: the logbook's newest rows in the page. */

import { byId, element, setText, toggle } from "./dom.js";
import { Logbook } from "./logbook.js";
import { count, exactClock, hex, spacedHex, valueText } from "./text.js";

const MAX_SHOWN = 300; // rows in the page; nobody reads further, and each costs layout
const REPLY = 0x80;

export class Log {
  #host;
  #book = new Logbook();
  #pause = byId("log-pause");

  constructor(host) {
    this.#host = host;
    toggle(this.#pause, (paused) => {
      this.#book.paused = paused;
      this.draw();
    });
    byId("log-clear").addEventListener("click", () => this.clear());
    byId("log-filter").addEventListener("input", (event) => this.#filter(event.target.value));
  }

  clear() {
    this.#book.clear();
    this.#host.replaceChildren();
    this.#showCount();
  }

  take(frame) {
    this.#book.add(frame);
  }

  /** Add a line of our own, such as one that tells of missing frames. */
  note(text) {
    this.#book.add({ note: text });
  }

  /** Bring the page up to date. */
  draw() {
    this.#prepend(this.#book.take(MAX_SHOWN));
    this.#showCount();
  }

  #filter(text) {
    this.#book.filter = text;
    this.#host.replaceChildren();
    this.#prepend(this.#book.find(MAX_SHOWN));
    this.#showCount();
  }

  #prepend(entries) {
    if (!entries.length) return;
    this.#host.prepend(...entries.map(rowOf).reverse());
    while (this.#host.childElementCount > MAX_SHOWN) this.#host.lastElementChild.remove();
  }

  #showCount() {
    const { size, waiting, paused, filtered, lost } = this.#book;
    const parts = [filtered ? `${count(this.#host.childElementCount)} of ${count(size)}` : `${count(size)}`];
    if (lost) parts.push(`${count(lost)} passed unseen`);
    setText(byId("log-count"), parts.join(" · "));
    setText(this.#pause, paused ? `Resume${waiting ? ` (${count(waiting)})` : ""}` : "Pause");
  }
}

function rowOf(entry) {
  if (entry.note) return element("li", { class: "gap" }, entry.note);
  const { link, addr, cmd, data, fields, timestamp } = entry;
  const who = element("span", { class: "who" }, `${link} ${hex(addr)} ${hex(cmd)}`);
  const head = element("div", { class: "head" }, element("time", {}, exactClock(timestamp)), who, badgeOf(entry));
  const pairs = Object.entries(fields ?? {}).map(pairOf);
  const said = pairs.length ? element("div", { class: "said" }, ...pairs) : "";
  return element("li", {}, head, said, element("code", {}, spacedHex(data)));
}

function badgeOf({ cmd, message }) {
  if (!message) return element("span", { class: "badge plain" }, "no schema");
  const [look, title] = cmd & REPLY ? ["badge reply", "reply"] : ["badge", "event or request"];
  return element("span", { class: look, title }, message);
}

const pairOf = ([name, value]) =>
  element("span", { class: "pair" }, element("span", { class: "name" }, `${name}=`), valueText(value), " ");
