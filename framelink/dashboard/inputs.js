/** Inputs for a message's fields: what each field's type needs, with its unit and limits beside it. */

import { element } from "./dom.js";
import { bytesOf, isSigned, numberOf, numbersOf, partsOf, rangeOf } from "./values.js";

/**
 * @typedef {object} Input
 * @property {object} field The field.
 * @property {HTMLElement} root The labelled input.
 * @property {HTMLElement} node The input itself.
 * @property {() => unknown} read Returns its value, or throws a ValueProblem.
 */

/** Whether a payload may end before the field. */
const mayBeLeftOut = (field) => field.optional || field.since > 1;

const choice = (options) => (field) => {
  const offered = [...(mayBeLeftOut(field) ? [["", "not sent"]] : []), ...options(field)];
  const node = element("select", {}, ...offered.map(([value, text]) => element("option", { value }, text)));
  return { node, read: () => node.value };
};

const line = (read, attributes = () => ({})) => (field) => {
  const node = element("input", { autocomplete: "off", spellcheck: false, ...attributes(field) });
  return { node, read: () => read(node.value, field) };
};

const flag = (field) => {
  const { node, read } = choice(() => [["false", "off"], ["true", "on"]])(field);
  return { node, read: () => read() === "true" };
};

const keyboard = (field) => ({ inputMode: isSigned(field) ? "text" : "decimal" });

const KINDS = {
  enum: choice((field) => Object.entries(field.enum).map(([label, number]) => [label, `${label} (${number})`])),
  bool: flag,
  bytes: line(bytesOf, () => ({ placeholder: "01 02 FF" })),
  string: line((text) => text),
  numbers: line(numbersOf, ({ count }) => ({ placeholder: Number.isInteger(count) ? `${count} numbers` : "numbers" })),
  number: line(numberOf, keyboard),
  parts: line(partsOf, (field) => ({ placeholder: field.count ? "[…, …]" : "{…}" })),
};
const NUMBER = /^([ui](8|16|32|64)|f(32|64))$/;

function kindOf(field) {
  const isNumber = NUMBER.test(field.type) && !field.bits && !field.enum;
  if (field.count) return isNumber ? "numbers" : "parts";
  if (field.enum) return "enum";
  if (isNumber) return "number";
  return field.type in KINDS ? field.type : "parts";
}

/** Make the input of a field. @returns {Input} */
export function inputOf(field) {
  const { node, read } = KINDS[kindOf(field)](field);
  node.addEventListener("input", () => node.removeAttribute("aria-invalid"));
  return labelled(field, node, () => (mayBeLeftOut(field) && node.value === "" ? undefined : read()));
}

/** Make the input that chooses one of the device's parameters. @returns {Input} */
export function parameterInput(field, parameters) {
  const { node, read } = choice(() => parameters.map(({ name }) => [name, name]))(field);
  return labelled(field, node, read);
}

function labelled(field, node, read) {
  const hints = [field.unit, rangeOf(field), field.description].filter(Boolean).join(" · ");
  const root = element("label", {}, element("span", {}, field.name), node, hints ? element("small", {}, hints) : "");
  return { field, root, node, read };
}
