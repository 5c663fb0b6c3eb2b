/** The links: state, frames a second, and where every byte went. */

import { element, setText } from "./dom.js";
import { count } from "./text.js";

const NOISE = ["noise", "length", "tail", "check", "timeout"];
const RATE_WINDOW_MS = 3_000; // a rate over less jumps, over more lags

export class Links {
  #host;
  #cards = new Map();

  constructor(host) {
    this.#host = host;
  }

  /** Show a link's news. */
  update(link) {
    if (!this.#cards.has(link.link)) this.#add(link.link);
    const card = this.#cards.get(link.link);
    const { ledger, stats } = link;
    card.root.dataset.state = link.state;
    setText(card.state, link.state);
    setText(card.url, link.url);
    setText(card.reason, link.state === "connected" ? "" : link.reason);
    setText(card.frames, count(ledger.frames));
    setText(card.rate, `${this.#rate(card, ledger.frames, link.timestamp ?? Date.now())}/s`);
    setText(card.sent, count(stats.frames_sent));
    setText(card.reconnects, count(stats.reconnects));
    this.#showLedger(card, ledger);
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
    const cell = (tag = "dd") => element(tag);
    const card = {
      state: element("span", { class: "state" }),
      url: element("code", { class: "url" }),
      reason: element("p", { class: "reason" }),
      frames: cell(),
      rate: cell(),
      sent: cell(),
      reconnects: cell(),
      bar: element("div", { class: "ledger", role: "img" }),
      legend: element("p", { class: "legend" }),
      samples: [],
    };
    const figures = element("dl", { class: "figures" });
    for (const [label, node] of [["frames", card.frames], ["rate", card.rate], ["sent", card.sent], ["reconnects", card.reconnects]]) {
      figures.append(element("div", {}, element("dt", {}, label), node));
    }
    card.root = element(
      "article",
      { class: "card link", "data-link": name },
      element("div", { class: "heading" }, element("span", { class: "light" }), element("h3", {}, name), card.state),
      card.url,
      card.reason,
      figures,
      card.bar,
      card.legend,
    );
    this.#cards.set(name, card);
    this.#host.append(card.root);
  }

  #rate(card, frames, at) {
    card.samples.push({ at, frames });
    while (card.samples.length > 2 && at - card.samples[0].at > RATE_WINDOW_MS) card.samples.shift();
    const [first] = card.samples;
    return at > first.at ? Math.max(0, ((frames - first.frames) * 1000) / (at - first.at)).toFixed(1) : "0.0";
  }

  #showLedger(card, ledger) {
    const lost = NOISE.filter((reason) => ledger.noise[reason] > 0);
    const parts = [["delivered", ledger.delivered], ...lost.map((reason) => [reason, ledger.noise[reason]])];
    const text = parts.map(([name, bytes]) => `${name} ${count(bytes)} B`).join(" · ");
    setText(card.legend, text);
    card.bar.setAttribute("aria-label", text);
    const shares = parts.map(([name, bytes]) => {
      const share = element("span", { class: `share ${name}` });
      share.style.flexGrow = String(bytes / Math.max(ledger.received, 1));
      return share;
    });
    card.bar.replaceChildren(...shares);
  }
}
