/** One device's card: what it is, when it was last heard, its events with their plots, its parameters. */

import { element, setText } from "./dom.js";
import { Parameters } from "./parameters.js";
import { Pulse } from "./pulse.js";
import { Stream } from "./stream.js";
import { ageText, hex, spacedHex } from "./text.js";

const MAX_UNKNOWN = 8; // commands without a schema whose latest bytes are shown
const UNKNOWN_BYTES = 16; // of them

export class Device {
  #link;
  #addr;
  #actions;
  #schema;
  #isExplained = false;
  #pulse = new Pulse();
  #streams = new Map();
  #unknown = new Map();
  #parameters = null;
  #title = element("h3");
  #subtitle = element("span", { class: "subtitle" });
  #age = element("span", { class: "age" });
  #body = element("div", { class: "streams" });
  #bytes = element("dl", { class: "bytes" });

  /**
   * @param {string} link The link's name.
   * @param {number} addr Its address.
   * @param {{command: Function, compose: Function}} actions To send a command; to open the form for one.
   */
  constructor(link, addr, actions) {
    this.#link = link;
    this.#addr = addr;
    this.#actions = actions;
    const compose = element("button", { type: "button", class: "quiet compose" }, "Command …");
    compose.addEventListener("click", () => actions.compose(link, addr));
    const spring = element("span", { class: "spring" });
    const heading = element("div", { class: "heading" }, this.#title, this.#subtitle, spring, this.#age, compose);
    const about = { class: "card device stale", "data-device": `${link}/${addr}` };
    this.root = element("article", about, heading, this.#body, this.#bytes);
    this.describe({ name: "", firmware: "" }, undefined);
  }

  get link() {
    return this.#link;
  }

  /**
   * Take what the bridge knows of it, and the schema of its messages.  A device that came back has none until it has
   * said what it is; until then its card stays as it is, and so it does if the device is the same as before.
   */
  describe(about, schema) {
    setText(this.#title, about.name || `Device ${hex(this.#addr)}`);
    const firmware = about.firmware && `firmware ${about.firmware}`;
    const facts = [schema?.description, `${this.#link} · addr ${hex(this.#addr)}`, firmware];
    setText(this.#subtitle, facts.filter(Boolean).join(" · "));
    if (schema && !isSame(schema, this.#schema)) this.#dress(schema);
    else if (schema && !this.#isExplained) this.#comeBack();
    this.#isExplained = Boolean(schema);
  }

  /** Take a frame of it. */
  take(frame, now) {
    this.#pulse.beat(now);
    if (!frame.fields) this.#keepBytes(frame);
    else if (this.#isReply(frame.cmd)) this.#parameters?.take(frame);
    else this.#streamOf(frame.message)?.take(frame, now);
  }

  /** Bring the page up to date. */
  draw(view) {
    const age = this.#pulse.age(view.now);
    setText(this.#age, Number.isFinite(age) ? ageText(age) : "not heard yet");
    this.root.classList.toggle("stale", this.#isStale(view.now));
    for (const stream of this.#streams.values()) stream.draw(view);
    for (const { node, data } of this.#unknown.values()) setText(node, spacedHex(data, UNKNOWN_BYTES) || "no data");
    this.#parameters?.draw();
  }

  redraw() {
    for (const stream of this.#streams.values()) stream.redraw();
  }

  close() {
    for (const stream of this.#streams.values()) stream.close();
    this.root.remove();
  }

  #isStale(now) {
    const streams = [...this.#streams.values()];
    return streams.length ? streams.every((one) => one.isStale(now)) : this.#pulse.isStale(now);
  }

  /** Lay the card out by a schema; the first event is shown at once, others when they first come. */
  #dress(schema) {
    this.#schema = schema;
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
    this.#forgetBytes();
    this.#parameters?.root.remove();
    this.#parameters = schema.parameters.length ? new Parameters(schema.parameters, this.#parameterActions()) : null;
    if (this.#parameters) this.root.append(this.#parameters.root);
    if (schema.events.length) this.#streamOf(schema.events[0].name);
  }

  /** Go on with a device that was away; its parameters may have changed meanwhile. */
  #comeBack() {
    this.#forgetBytes();
    this.#parameters?.expire();
  }

  #parameterActions() {
    const [link, addr] = [this.#link, this.#addr];
    return {
      read: (parameter) => this.#actions.command(link, addr, { message: "get", fields: { parameter } }),
      set: (parameter) => this.#actions.compose(link, addr, parameter),
    };
  }

  /** Whether the schema says so: not every device marks a reply by the same bit. */
  #isReply(cmd) {
    return this.#schema?.commands.some((one) => one.reply_id === cmd);
  }

  #streamOf(name) {
    const event = this.#schema?.events.find((one) => one.name === name);
    if (event && !this.#streams.has(name)) {
      const main = event === this.#schema.events[0];
      const stream = new Stream(event, `${this.#link}/${this.#addr}`, main);
      this.#streams.set(name, stream);
      this.#body.append(stream.root);
    }
    return this.#streams.get(name);
  }

  #forgetBytes() {
    this.#unknown.clear();
    this.#bytes.replaceChildren();
  }

  #keepBytes({ cmd, data }) {
    if (!this.#unknown.has(cmd)) {
      if (this.#unknown.size >= MAX_UNKNOWN) return;
      const node = element("dd");
      this.#bytes.append(element("dt", {}, hex(cmd)), node);
      this.#unknown.set(cmd, { node, data });
    }
    this.#unknown.get(cmd).data = data;
  }
}

/** Whether two schemas say the same; each connection fetches them anew. */
const isSame = (one, other) => one === other || JSON.stringify(one) === JSON.stringify(other);
