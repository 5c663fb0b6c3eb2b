/** The links: state, frames a second, and where every byte went. */

import { element, setText } from "./dom.js";
import { Rate } from "./pulse.js";
import { ageText, bytesText, count } from "./text.js";

const QUIET_MS = 1_500; // the bridge tells of news within a second; without any, nothing more has come
const NOISE = ["noise", "length", "tail", "check", "timeout"];
const REASONS = {
  delivered: "in frames that were delivered",
  noise: "outside of any frame",
  length: "in candidates with an impossible length",
  tail: "in candidates without their tail",
  check: "in candidates whose check failed",
  timeout: "in candidates that were never completed",
};

export class Links {
  #host;
  #cards = new Map();

  constructor(host) {
    this.#host = host;
  }

  /** Show a link's news. */
  update(link) {
    if (!this.#cards.has(link.link)) this.#add(link.link);
    this.#cards.get(link.link).show(link);
  }

  /** Say that nobody knows how the links are: the bridge is out of reach. */
  lose() {
    for (const card of this.#cards.values()) card.lose();
  }

  /** Let rates fall while nothing comes. */
  tick() {
    for (const card of this.#cards.values()) card.tick(Date.now());
  }

  /** Forget links that are there no more. */
  keep(names) {
    for (const [name, card] of this.#cards) {
      if (names.includes(name)) continue;
      card.root.remove();
      this.#cards.delete(name);
    }
  }

  #add(name) {
    const card = new Link(name);
    if (this.#cards.size === 0) this.#host.replaceChildren();
    this.#cards.set(name, card);
    this.#host.append(card.root);
  }
}

/** One link's card. */
class Link {
  #state = element("span", { class: "state" });
  #url = element("code", { class: "url" });
  #reason = element("p", { class: "reason" });
  #figures = new Map();
  #ledger = new Ledger();
  #frames = new Rate();
  #bytes = new Rate();
  #latest = null;
  #heardAt = 0;

  constructor(name) {
    const light = element("span", { class: "light" });
    const heading = element("div", { class: "heading" }, light, element("h3", {}, name), this.#state);
    const figures = element("dl", { class: "figures" });
    for (const label of ["frames", "rate", "sent", "reconnects"]) figures.append(this.#figure(label));
    const about = { class: "card link", "data-link": name };
    this.root = element("article", about, heading, this.#url, this.#reason, figures, ...this.#ledger.nodes);
  }

  show(link) {
    this.#latest = link;
    this.#heardAt = Date.now();
    const { state, url, reason, ledger, stats, timestamp } = link;
    this.#become(state);
    this.#state.title = stats.last_frame_at ? `last frame ${ageText(timestamp - stats.last_frame_at)}` : "no frame yet";
    setText(this.#url, stats.low_latency ? `${url} · low latency` : url);
    setText(this.#reason, state === "connected" ? "" : reason);
    this.#set("frames", count(ledger.frames), `${bytesText(ledger.received)} received`);
    this.#showRate(timestamp);
    this.#set("sent", count(stats.frames_sent), bytesText(stats.bytes_sent));
    this.#set("reconnects", count(stats.reconnects), "how often the line was lost and came back");
    this.#ledger.show(ledger);
  }

  lose() {
    this.#latest = null;
    this.#become("unknown");
    setText(this.#reason, "");
    this.#set("rate", "–", "the bridge is out of reach");
  }

  tick(now) {
    const silence = now - this.#heardAt;
    if (this.#latest && silence > QUIET_MS) this.#showRate(this.#latest.timestamp + silence);
  }

  #become(state) {
    this.root.dataset.state = state;
    setText(this.#state, state);
  }

  /** Show how fast the counters grow; at `at` on the bridge's clock they are still as they were told. */
  #showRate(at) {
    const { ledger } = this.#latest;
    const frames = this.#frames.take(at, ledger.frames);
    const bytes = this.#bytes.take(at, ledger.received);
    this.#set("rate", `${frames.toFixed(frames < 100 ? 1 : 0)}/s`, `${bytesText(Math.round(bytes))}/s`);
  }

  #figure(label) {
    const node = element("dd");
    const box = element("div", {}, element("dt", {}, label), node);
    this.#figures.set(label, { box, node });
    return box;
  }

  #set(label, text, title) {
    const { box, node } = this.#figures.get(label);
    setText(node, text);
    box.title = title;
  }
}

/** Where every received byte went, as a bar and in numbers. */
class Ledger {
  #bar = element("div", { class: "ledger", role: "img" });
  #legend = element("p", { class: "legend" });
  #parts = new Map();

  constructor() {
    for (const name of ["delivered", ...NOISE]) this.#add(name);
  }

  get nodes() {
    return [this.#bar, this.#legend];
  }

  show({ delivered, noise, received }) {
    const shown = [["delivered", delivered], ...NOISE.map((reason) => [reason, noise[reason]])];
    for (const [name, bytes] of shown) {
      const { share, entry, node } = this.#parts.get(name);
      share.hidden = entry.hidden = name !== "delivered" && !bytes;
      share.style.flexGrow = String(bytes / Math.max(received, 1));
      setText(node, bytesText(bytes));
    }
    const told = shown.filter(([name, bytes]) => name === "delivered" || bytes);
    this.#bar.setAttribute("aria-label", told.map(([name, bytes]) => `${name} ${bytesText(bytes)}`).join(", "));
  }

  #add(name) {
    const share = element("span", { class: `share ${name}` });
    const node = element("span");
    const swatch = element("span", { class: `swatch ${name}` });
    const entry = element("span", { class: "entry", title: REASONS[name] }, swatch, `${name} `, node);
    this.#bar.append(share);
    this.#legend.append(entry);
    this.#parts.set(name, { share, entry, node });
  }
}
