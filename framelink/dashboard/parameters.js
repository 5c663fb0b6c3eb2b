/** A device's parameters: their values as far as they are known, a button that reads them, one each to set them. */

import { element, setText } from "./dom.js";
import { toast } from "./toasts.js";
import { quantity } from "./text.js";

const SHOWN_BY = new Set(["get", "set"]); // the replies that carry a parameter's value

export class Parameters {
  #entries = new Map();
  #read = element("button", { type: "button", class: "quiet read" }, "Read");
  #actions;
  #known = false;

  /**
   * @param {object[]} parameters As the schema describes them.
   * @param {{read: (name: string) => Promise<object>, set: (name: string) => void}} actions
   */
  constructor(parameters, actions) {
    this.#actions = actions;
    const rows = parameters.map((field) => this.#row(field));
    const summary = element("summary", {}, "Parameters");
    const grid = element("div", { class: "grid" }, ...rows, this.#read);
    this.root = element("details", { class: "parameters" }, summary, grid);
    this.#read.addEventListener("click", () => this.#readAll());
    this.root.addEventListener("toggle", () => this.root.open && !this.#known && this.#readAll());
  }

  /** Take a reply, if it carries a value. */
  take({ message, fields }) {
    const entry = SHOWN_BY.has(message) && this.#entries.get(fields.parameter);
    if (entry && fields.value !== undefined) entry.value = fields.value;
  }

  /** What is known may no longer hold: read it again, now or when somebody looks. */
  expire() {
    this.#known = false;
    if (this.root.open) this.#readAll();
  }

  draw() {
    for (const { field, value, node } of this.#entries.values()) {
      setText(node, value === undefined ? "–" : quantity(value, field));
    }
  }

  #row(field) {
    const node = element("span", { class: "value" }, "–");
    const set = element("button", { type: "button", class: "quiet", "aria-label": `Set ${field.name}` }, "Set …");
    set.addEventListener("click", () => this.#actions.set(field.name));
    this.#entries.set(field.name, { field, node, value: undefined });
    const about = { class: "parameter", title: field.description ?? "" };
    return element("div", about, element("span", {}, field.name), node, set);
  }

  /** Read them one after the other: a device answers one request at a time. */
  async #readAll() {
    this.#read.disabled = true;
    try {
      for (const name of this.#entries.keys()) this.take(await this.#actions.read(name));
      this.#known = true;
    } catch (error) {
      toast(error.message, "bad");
    }
    this.#read.disabled = false;
    this.draw();
  }
}
