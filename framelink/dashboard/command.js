/** The command form: a device, one of its commands, the fields by its schema, and the reply. */

import { byId, element } from "./dom.js";
import { fieldsText, hex, spacedHex } from "./text.js";

const RAW = "raw";

export class CommandForm {
  #client;
  #schemas = {};
  #devices = new Map();
  #links = new Set();
  #deviceSelect = byId("command-device");
  #nameSelect = byId("command-name");
  #addr = byId("command-addr");
  #fields = byId("command-fields");
  #reply = byId("command-reply");
  #inputs = [];

  constructor(client) {
    this.#client = client;
    this.#deviceSelect.addEventListener("change", () => this.#showCommands());
    this.#nameSelect.addEventListener("change", () => this.#showFields());
    byId("command").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  set schemas(schemas) {
    this.#schemas = schemas;
    this.#showDevices();
  }

  updateLink(link) {
    const before = this.#signature();
    this.#links.add(link.link);
    for (const about of link.devices) this.#devices.set(`${link.link}/${about.addr}`, { link: link.link, ...about });
    if (this.#signature() !== before) this.#showDevices();
  }

  #signature() {
    return JSON.stringify([[...this.#links], [...this.#devices.values()]]);
  }

  #showDevices() {
    const chosen = this.#deviceSelect.value;
    const known = [...this.#devices].map(([key, one]) => element("option", { value: key }, `${one.name || hex(one.addr)} (${one.link}, ${hex(one.addr)})`));
    const others = [...this.#links].map((link) => element("option", { value: `${link}/` }, `another address on ${link}`));
    this.#deviceSelect.replaceChildren(...known, ...others);
    const offered = [...this.#deviceSelect.options].map((option) => option.value);
    const keeps = offered.includes(chosen);
    if (keeps) this.#deviceSelect.value = chosen;
    this.#showCommands(keeps);
  }

  get #device() {
    const key = this.#deviceSelect.value;
    return this.#devices.get(key) ?? { link: key.replace(/\/$/, ""), addr: null, schema: null };
  }

  get #schema() {
    return this.#schemas[this.#device.schema] ?? this.#schemas.standard ?? { commands: [], parameters: [] };
  }

  #showCommands(keep = false) {
    const chosen = this.#nameSelect.value;
    const shownBefore = this.#nameSelect.dataset.of;
    const of = JSON.stringify([this.#device.schema, this.#device.addr === null, Object.keys(this.#schemas)]);
    byId("command-addr-label").hidden = this.#device.addr !== null;
    if (keep && shownBefore === of) return; // what is being typed stays
    this.#nameSelect.dataset.of = of;
    const commands = this.#schema.commands.filter((one) => one.name !== "refusal");
    this.#nameSelect.replaceChildren(
      ...commands.map((one) => element("option", { value: one.name, title: one.description }, one.name)),
      element("option", { value: RAW }, "raw bytes"),
    );
    if (chosen && chosen !== RAW && commands.some((one) => one.name === chosen)) this.#nameSelect.value = chosen;
    this.#showFields();
  }

  #showFields() {
    const command = this.#schema.commands.find((one) => one.name === this.#nameSelect.value);
    const fields = command ? command.request : [
      { name: "cmd", type: "u8", description: "decimal or 0x…" },
      { name: "data", type: "bytes" },
    ];
    this.#inputs = [];
    this.#fields.replaceChildren(...fields.map((field) => this.#row(field)));
  }

  #row(field) {
    if (field.type === "parameter") return this.#parameterRow(field);
    if (field.type === "value") {
      const holder = element("div");
      const parameter = this.#inputs.find((one) => one.field.type === "parameter");
      const show = () => {
        const actual = this.#schema.parameters.find((one) => one.name === parameter.read());
        this.#inputs = this.#inputs.filter((one) => one.field.name !== "value");
        holder.replaceChildren(actual ? this.#plainRow({ ...actual, name: "value" }) : "");
      };
      parameter.node.addEventListener("change", show);
      show();
      return holder;
    }
    return this.#plainRow(field);
  }

  #parameterRow(field) {
    const options = this.#schema.parameters.map((one) => element("option", { value: one.name, title: one.description ?? "" }, one.name));
    const node = element("select", { name: field.name }, ...options);
    this.#inputs.push({ field, node, read: () => node.value });
    return element("label", {}, "parameter ", node);
  }

  #plainRow(field) {
    const input = inputOf(field);
    this.#inputs.push({ field, ...input });
    const hints = [field.unit, rangeOf(field), field.description].filter(Boolean).join(" · ");
    return element("label", {}, `${field.name} `, input.node, hints ? element("small", {}, hints) : "");
  }

  async #send() {
    const { link, addr } = this.#device;
    const started = performance.now();
    this.#show("waiting", "…");
    try {
      const values = Object.fromEntries(this.#inputs.map((one) => [one.field.name, one.read()]));
      const what = this.#nameSelect.value === RAW ? { cmd: values.cmd, data: values.data } : { message: this.#nameSelect.value, fields: values };
      const reply = await this.#client.command(link, addr ?? number(this.#addr.value, "address"), what);
      this.#show("ok", `${describe(reply)}  (${(performance.now() - started).toFixed(1)} ms)`);
    } catch (error) {
      this.#show("failed", error.message);
    }
  }

  #show(state, text) {
    this.#reply.dataset.state = state;
    this.#reply.textContent = text;
  }
}

function describe(reply) {
  if (reply.message) return `${reply.message}  ${fieldsText(reply.fields)}`.trim();
  return reply.cmd === undefined ? "sent" : `cmd ${hex(reply.cmd)}  ${spacedHex(reply.data)}`;
}

function number(text, name) {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new Error(`${name} must be a number`);
  return value;
}

/** An input for a field, and how to read its value. */
function inputOf(field) {
  if (field.enum) {
    const node = element("select", {}, ...Object.keys(field.enum).map((label) => element("option", { value: label }, label)));
    return { node, read: () => node.value };
  }
  if (field.type === "bool") {
    const node = element("select", {}, element("option", { value: "false" }, "off"), element("option", { value: "true" }, "on"));
    return { node, read: () => node.value === "true" };
  }
  if (field.type === "bytes") {
    const node = element("input", { placeholder: "01 02 03", spellcheck: false, autocomplete: "off" });
    return { node, read: () => node.value };
  }
  const node = element("input", { autocomplete: "off", inputMode: field.type === "string" ? "text" : "decimal" });
  if (field.count) return { node, read: () => node.value.split(/[\s,]+/).filter(Boolean).map((one) => number(one, field.name)) };
  return { node, read: () => (field.type === "string" ? node.value : number(node.value, field.name)) };
}

function rangeOf(field) {
  if (field.min === undefined && field.max === undefined) return "";
  return `${field.min ?? "…"} to ${field.max ?? "…"}`;
}
