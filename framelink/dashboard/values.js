/** What somebody types into a field, as the value to send.  Pure. */

const INTEGER = /^([ui])(8|16|32|64)$/;

/** What a field cannot take; the message says what it can. */
export class ValueProblem extends Error {}

/** A number, decimal or 0x…, within the field's limits. */
export function numberOf(text, field) {
  const trimmed = text.trim().replace(",", ".");
  const value = Number(trimmed);
  if (trimmed === "" || !Number.isFinite(value)) throw new ValueProblem(`${field.name} must be a number`);
  const [low, high] = limitsOf(field);
  if (value < low || value > high) throw new ValueProblem(`${field.name} must be ${rangeText(low, high)}`);
  if (isWhole(field) && !Number.isInteger(value)) throw new ValueProblem(`${field.name} must be a whole number`);
  return value;
}

/** Several numbers, apart by spaces or semicolons. */
export function numbersOf(text, field) {
  const values = text.split(/[\s;]+/).filter(Boolean).map((one) => numberOf(one, field));
  if (Number.isInteger(field.count) && values.length !== field.count) throw new ValueProblem(`${field.name} must be ${field.count} numbers with spaces between`);
  return values;
}

/** What has parts, as JSON: {"x": 1, "y": 2}, ["a", "b"]. */
export function partsOf(text, field) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ValueProblem(`${field.name} must be JSON such as {"x": 1} or [1, 2]`);
  }
}

/** Bytes as hex text: "01 02", "0102", "0x01, 0x02". */
export function bytesOf(text, field) {
  const digits = text.replace(/0x/gi, "").replace(/[\s,:]+/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new ValueProblem(`${field.name} must be pairs of hex digits such as 01 02 FF`);
  return digits.toLowerCase();
}

/** What a field may hold, for people: "-6000 to 6000", empty if anything. */
export function rangeOf({ min, max }) {
  if (min === undefined && max === undefined) return "";
  return rangeText(min ?? -Infinity, max ?? Infinity);
}

/** Whether values below zero make sense, for which phones need another keyboard. */
export const isSigned = (field) => limitsOf(field)[0] < 0;

const isWhole = (field) => INTEGER.test(field.type) && (field.scale ?? 1) === 1 && (field.offset ?? 0) === 0;

function limitsOf(field) {
  const [low, high] = wireLimits(field);
  return [Math.max(low, field.min ?? -Infinity), Math.min(high, field.max ?? Infinity)];
}

/** What fits into the field's bytes; scaled fields are left to the bridge, which knows the rounding. */
function wireLimits(field) {
  const match = INTEGER.exec(field.type);
  if (!match || !isWhole(field)) return [-Infinity, Infinity];
  const bits = Number(match[2]);
  return match[1] === "u" ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

function rangeText(low, high) {
  if (low === -Infinity) return `at most ${high}`;
  if (high === Infinity) return `at least ${low}`;
  return `${low} to ${high}`;
}
