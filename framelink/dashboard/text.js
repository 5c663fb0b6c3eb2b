/** How numbers, bytes, times and fields read.  Pure. */

const FLOAT_DIGITS = 7; // a 32-bit float has no more; the rest is the noise of its conversion
const EXACT_BYTES = 10_000_000; // byte counts below are shown to the last byte

export const hex = (number) => `0x${number.toString(16).toUpperCase().padStart(2, "0")}`;

const grouped = new Intl.NumberFormat("en");
export const count = (number) => grouped.format(number);

/** 1234 → "1,234 B", 12345678 → "12.3 MB". */
export function bytesText(bytes) {
  if (bytes < EXACT_BYTES) return `${count(bytes)} B`;
  const [divisor, unit] = bytes < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  return `${(bytes / divisor).toFixed(1)} ${unit}`;
}

/** "010203" → "01 02 03", shortened behind so many bytes. */
export function spacedHex(data, most = 24) {
  const bytes = data.match(/../g) ?? [];
  const rest = bytes.length - most;
  return bytes.slice(0, most).join(" ") + (rest > 0 ? ` … +${rest}` : "");
}

/** A field's value as its schema wants it shown, without its unit. */
export function valueText(value, field) {
  if (value === null || value === undefined) return "–"; // JSON has no NaN
  if (Array.isArray(value)) return value.map((one) => valueText(one, field)).join(", ");
  if (typeof value === "object") return partsText(value);
  if (typeof value !== "number") return String(value);
  if (field?.decimals !== undefined) return value.toFixed(field.decimals);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(FLOAT_DIGITS)));
}

/** A bit field's or a struct's value: the flags that are set by their names, everything else as name=value. */
function partsText(parts) {
  const shown = Object.entries(parts).filter(([, value]) => value !== false);
  return shown.map(([name, value]) => (value === true ? name : `${name}=${valueText(value)}`)).join(" ") || "none";
}

/** Which alarm limit a value is beyond: "lolo", "low", "high" or "hihi"; "" if none. */
export function alarmOf(value, { limits = {} }) {
  if (typeof value !== "number") return "";
  const beyond = { lolo: value < limits.lolo, hihi: value > limits.hihi, low: value < limits.low, high: value > limits.high };
  return Object.keys(beyond).find((level) => beyond[level]) ?? "";
}

/** A field's value with its unit. */
export const quantity = (value, field) => `${valueText(value, field)}${field?.unit ? ` ${field.unit}` : ""}`;

/** {speed: 1, fault: "none"} → "speed=1  fault=none"; with units where the fields are known. */
export const fieldsText = (values, fields = []) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${quantity(value, fields.find((one) => one.name === name))}`)
    .join("  ");

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Milliseconds since 1970 → "14:03:07" here. */
export const clock = (ms) => time.format(ms);

/** The same with milliseconds. */
export const exactClock = (ms) => `${time.format(ms)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}`;

/** A duration in ms → "now", "7 s", "3 min", "2 h". */
export function ageText(ms) {
  if (ms < 1_500) return "now";
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s ago`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min ago`;
  return `${Math.round(ms / 3_600_000)} h ago`;
}
