/** How numbers, bytes and fields read. */

export const hex = (number) => `0x${number.toString(16).toUpperCase().padStart(2, "0")}`;

export const count = (number) => number.toLocaleString("en");

/** "010203" → "01 02 03", shortened behind so many bytes. */
export function spacedHex(data, most = 24) {
  const bytes = data.match(/../g) ?? [];
  const rest = bytes.length - most;
  return bytes.slice(0, most).join(" ") + (rest > 0 ? ` … +${rest}` : "");
}

/** A field's value as its schema wants it shown, without its unit. */
export function valueText(value, field) {
  if (typeof value === "number" && field?.decimals !== undefined) return value.toFixed(field.decimals);
  if (Array.isArray(value)) return value.join(".");
  return String(value);
}

/** {speed: 1, fault: "none"} → "speed=1 fault=none". */
export const fieldsText = (fields) =>
  Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`).join("  ");

export const clock = (ms) => {
  const time = new Date(ms);
  return `${time.toLocaleTimeString("en-GB")}.${String(time.getMilliseconds()).padStart(3, "0")}`;
};
