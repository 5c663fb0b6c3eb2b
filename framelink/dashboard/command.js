/** The command form: a device, one of its commands, the fields by its schema, and the reply. */

import { byId, element } from "./dom.js";
import { inputOf, parameterInput } from "./inputs.js";
import { clock, fieldsText, hex, spacedHex } from "./text.js";
import { ValueProblem } from "./values.js";

const RAW = "raw";
const RAW_FIELDS = [
  { name: "cmd", type: "u8", description: "decimal or 0x…" },
  { name: "data", type: "bytes", description: "hex" },
];
const ADDRESS = { name: "address", type: "u8" };
const NOT_SENT = "refusal"; // what only devices say
const NO_SCHEMA = { commands: [], parameters: [] };

export class CommandForm {
  #client;
  #schemas = {};
  #devices = new Map();
  #links = new Set();
  #deviceSelect = byId("command-device");
  #nameSelect = byId("command-name");
  #about = byId("command-about");
  #fields = byId("command-fields");
  #reply = byId("command-reply");
  #submit = byId("command-send");
  #address = inputOf(ADDRESS);
  #inputs = [];
  #laidOutFor = "";

  constructor(client) {
    this.#client = client;
    this.#address.node.id = "command-addr";
    this.#address.node.value = "1";
    byId("command-addr-place").replaceWith(this.#address.root);
    this.#deviceSelect.addEventListener("change", () => this.#showCommands());
    this.#nameSelect.addEventListener("change", () => this.#showFields());
    byId("command").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    client.addEventListener("state", ({ detail }) => (this.#submit.disabled = detail.state !== "connected"));
    this.#showCommands();
  }

  set schemas(schemas) {
    this.#schemas = schemas;
    this.#showDevices();
  }

  /** Offer a link and its devices. */
  updateLink(link) {
    const before = this.#signature();
    this.#links.add(link.link);
    for (const about of link.devices) this.#take(link.link, about);
    if (this.#signature() !== before) this.#showDevices();
  }

  /** Take what is known of a device; one that came back keeps its schema until it has said what it is. */
  #take(link, about) {
    const key = `${link}/${about.addr}`;
    this.#devices.set(key, { link, ...about, schema: about.schema ?? this.#devices.get(key)?.schema ?? null });
  }

  /** Offer only what is on these links. */
  keepLinks(names) {
    for (const link of [...this.#links]) if (!names.includes(link)) this.#links.delete(link);
    for (const [key, { link }] of this.#devices) if (!names.includes(link)) this.#devices.delete(key);
    this.#showDevices();
  }

  /** Make the form ready for a device, and to set one of its parameters if one is named. */
  compose(link, addr, parameter) {
    const key = `${link}/${addr}`;
    this.#deviceSelect.value = this.#devices.has(key) ? key : `${link}/`;
    if (!this.#devices.has(key)) this.#address.node.value = hex(addr);
    this.#showCommands();
    if (!parameter) return this.#nameSelect.focus();
    this.#nameSelect.value = "set";
    this.#showFields();
    const [choice] = this.#inputs;
    choice.node.value = parameter;
    choice.node.dispatchEvent(new Event("change"));
    this.#inputs.at(-1).node.focus();
  }

  #signature() {
    return JSON.stringify([[...this.#links], [...this.#devices.values()]]);
  }

  #showDevices() {
    const chosen = this.#deviceSelect.value;
    const known = [...this.#devices].map(([key, one]) => element("option", { value: key }, titleOf(one)));
    const others = [...this.#links].map((link) => element("option", { value: `${link}/` }, `another address on ${link}`));
    this.#deviceSelect.replaceChildren(...known, ...others);
    const offered = [...this.#deviceSelect.options].map((option) => option.value);
    if (offered.includes(chosen)) this.#deviceSelect.value = chosen;
    this.#showCommands();
  }

  get #device() {
    const key = this.#deviceSelect.value;
    return this.#devices.get(key) ?? { link: key.replace(/\/$/, ""), addr: null, schema: null };
  }

  get #schema() {
    return this.#schemas[this.#device.schema] ?? this.#schemas.standard ?? NO_SCHEMA;
  }

  /** Offer the device's commands; what is being typed stays as long as it is the same kind of device. */
  #showCommands() {
    this.#address.root.hidden = this.#device.addr !== null;
    const schema = this.#schema;
    const layout = JSON.stringify([schema.name, schema.commands.map((one) => one.name)]);
    if (layout === this.#laidOutFor) return;
    this.#laidOutFor = layout;
    const chosen = this.#nameSelect.value;
    const names = schema.commands.map((one) => one.name).filter((name) => name !== NOT_SENT);
    const options = names.map((name) => element("option", { value: name }, name));
    this.#nameSelect.replaceChildren(...options, element("option", { value: RAW }, "raw bytes"));
    if (names.includes(chosen)) this.#nameSelect.value = chosen;
    this.#showFields();
  }

  #showFields() {
    const command = this.#schema.commands.find((one) => one.name === this.#nameSelect.value);
    this.#about.textContent = command?.description ?? "Any command, by its number and its bytes";
    this.#inputs = [];
    this.#fields.replaceChildren();
    for (const field of command ? command.request : RAW_FIELDS) this.#addInput(field);
  }

  #addInput(field) {
    const makers = {
      parameter: () => this.#add(parameterInput(field, this.#schema.parameters)),
      value: () => this.#addValue(),
    };
    (makers[field.type] ?? (() => this.#add(inputOf(field))))();
  }

  #add(input) {
    this.#inputs.push(input);
    this.#fields.append(input.root);
    return input;
  }

  /** The value of a parameter has the type of the parameter that is chosen. */
  #addValue() {
    const parameter = this.#inputs.find((one) => one.field.type === "parameter");
    let shown = null;
    const show = () => {
      const actual = this.#schema.parameters.find((one) => one.name === parameter.read());
      shown?.root.remove();
      this.#inputs = this.#inputs.filter((one) => one !== shown);
      shown = actual ? this.#add(inputOf({ ...actual, name: "value" })) : null;
    };
    parameter.node.addEventListener("change", show);
    show();
  }

  async #send() {
    const started = performance.now();
    try {
      const { link, addr } = this.#device;
      const to = addr ?? this.#read(this.#address);
      const what = this.#what();
      this.#show("waiting", "waiting for the reply …");
      const reply = await this.#client.command(link, to, what);
      const took = `${(performance.now() - started).toFixed(1)} ms`;
      this.#show("ok", ...this.#reading(reply, what), element("small", {}, took), now());
    } catch (error) {
      const isAnswer = !(error instanceof ValueProblem); // else it is about what is being typed
      this.#show("failed", error.message, isAnswer ? now() : "");
    }
  }

  #what() {
    const values = Object.fromEntries(this.#inputs.map((one) => [one.field.name, this.#read(one)]));
    return this.#nameSelect.value === RAW ? values : { message: this.#nameSelect.value, fields: values };
  }

  /** Read an input; mark it if it cannot be. */
  #read(input) {
    try {
      return input.read();
    } catch (error) {
      input.node.setAttribute("aria-invalid", "true");
      input.node.focus();
      throw error;
    }
  }

  #reading(reply, what) {
    if (reply.cmd === undefined) return [element("b", {}, "sent"), " nobody answers to this "];
    const bytes = element("code", {}, `${hex(reply.cmd)}  ${spacedHex(reply.data)}`);
    if (!reply.message) return [bytes];
    return [element("b", {}, reply.message), ` ${fieldsText(reply.fields, this.#replyFields(reply, what))} `, bytes];
  }

  #replyFields(reply, what) {
    const described = this.#schema.commands.find((one) => one.name === what.message)?.reply ?? [];
    const parameter = this.#schema.parameters.find((one) => one.name === reply.fields.parameter);
    return [...described.filter((one) => one.type !== "value"), ...(parameter ? [{ ...parameter, name: "value" }] : [])];
  }

  #show(state, ...content) {
    this.#reply.dataset.state = state;
    this.#reply.replaceChildren(...content);
  }
}

/** The time of an answer, which stays in the form after it has ceased to be news. */
const now = () => element("time", {}, clock(Date.now()));

/** A device in the list: "motor 0x02", and its link where that has another name. */
function titleOf({ name, link, addr }) {
  return [name, hex(addr), link === name ? "" : `on ${link}`].filter(Boolean).join(" ");
}
