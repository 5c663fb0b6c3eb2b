// From values to bytes.

function writeAll(fields, writer, values) {
  requireNames(fields, values);
  let missing = null;
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined) {
      missing ??= field.name;
      continue;
    }
    if (missing) throw new PayloadError(`field ${missing} is missing, and ${field.name} behind it is given`);
    within(field.name, () => writeField(field, writer, value));
  }
}

function requireNames(fields, values) {
  demand(typeof values === "object" && values !== null, "needs fields", values);
  const names = fields.map(({ name }) => name);
  const known = names.join(", ") || "none";
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown) throw new PayloadError(`has no field ${shown(unknown)}; its fields: ${known}`);
  const missing = fields.find(({ name, optional }) => !optional && values[name] === undefined);
  if (missing) throw new PayloadError(`field ${missing.name} is missing; its fields: ${known}`);
}

/** Let an error begin with the name of what it is about. */
function within(name, write) {
  try {
    write();
  } catch (error) {
    if (error instanceof PayloadError) error.message = `${name} ${error.message}`;
    throw error;
  }
}

function writeField(field, writer, value) {
  const { count } = field;
  if (count === undefined) return writeOne(field, writer, value);
  const many = typeof count === "number" ? `${count} values` : "values";
  const isRight = isList(value) && (typeof count !== "number" || value.length === count);
  demand(isRight, `must be a list of ${many}`, value);
  if (typeof count === "string" && count !== "rest") writeSize(count, field, writer, value.length);
  for (const one of value) writeOne(field, writer, one);
}

function isList(value) {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function writeSize(type, field, writer, size) {
  const most = type === "u8" ? 0xff : 0xffff;
  demand(size <= most, `may have at most ${most} items`, size);
  writer.number(type, field.big, size);
}

function writeOne(field, writer, value) {
  if (field.fields) return writeAll(field.fields, writer, value);
  return (WRITERS[field.type] ?? writeNumber)(field, writer, value);
}

const WRITERS = {
  bool(_field, writer, value) {
    demand([true, false, 0, 1].includes(value), "must be true or false", value);
    writer.number("u8", false, Number(value));
  },
  bytes(field, writer, value) {
    demand(value instanceof Uint8Array, "must be a Uint8Array", value);
    const isRight = typeof field.size !== "number" || value.length === field.size;
    demand(isRight, `must have ${field.size} bytes`, value.length);
    writeBytes(field, writer, value);
  },
  string(field, writer, value) {
    demand(typeof value === "string", "must be text", value);
    const data = new TextEncoder().encode(value);
    if (typeof field.size !== "number") return writeBytes(field, writer, data);
    demand(data.length <= field.size, `must have at most ${field.size} bytes`, data.length);
    demand(!data.includes(0), "must be text without zeros", value);
    const filled = new Uint8Array(field.size);
    filled.set(data);
    writer.bytes(filled);
  },
  parameter(_field, writer, value) {
    writer.parameter = PARAMETERS.find(({ id, name }) => name === value || id === value);
    const known = PARAMETERS.map(({ name }) => name).join(", ") || "none";
    demand(writer.parameter, `must be one of ${known}`, value);
    writer.number("u8", false, writer.parameter.id);
  },
  value: (_field, writer, value) => writeField(writer.parameter, writer, value),
};

function writeBytes(field, writer, data) {
  if (typeof field.size === "string") writeSize(field.size, field, writer, data.length);
  writer.bytes(data);
}

function writeNumber(field, writer, value) {
  writer.number(field.type, field.big, rawOf(field, value));
}

function rawOf(field, value) {
  if (field.bits) return asRaw(field.type, rawBits(field.bits, value));
  const raw = field.enum ? numberOf(field.enum, value) : rawNumber(field, value);
  return asRaw(field.type, raw);
}

/** Return a number as DataView takes it: a BigInt for whole numbers of 64 bits. */
function asRaw(type, number) {
  return type === "u64" || type === "i64" ? BigInt(number) : Number(number);
}

function rawBits(bits, values) {
  const named = bits.filter(({ name }) => name);
  requireNames(named, values);
  let whole = 0n;
  let at = 0n;
  for (const bit of bits) {
    if (bit.name) within(bit.name, () => { whole |= rawBit(bit, values[bit.name]) << at; });
    at += BigInt(bit.width);
  }
  return whole;
}

function rawBit(bit, value) {
  if (bit.enum) return BigInt(numberOf(bit.enum, value));
  const most = (1n << BigInt(bit.width)) - 1n;
  const isWhole = Number.isInteger(value) || typeof value === "bigint" || typeof value === "boolean";
  demand(isWhole && value >= 0 && value <= most, `must be 0 to ${most}`, value);
  return BigInt(value);
}

function numberOf(labels, value) {
  if (typeof value === "string" && Object.hasOwn(labels, value)) return labels[value];
  if (Object.values(labels).includes(value)) return value;
  return demand(false, `must be one of ${Object.keys(labels).join(", ")}`, value);
}

function rawNumber({ type, low = NUMBERS[type][2], high = NUMBERS[type][3], unit, scale, offset }, value) {
  demand(typeof value === "number" || typeof value === "bigint", "must be a number", value);
  const isWithin = value >= low && value <= high; // not true of a NaN
  demand(isWithin, `must be ${low} to ${high}${unit ? ` ${unit}` : ""}`, value);
  if (scale !== undefined) return unscaled(type, (Number(value) - offset) / scale);
  if (type[0] === "f") return Number(value);
  demand(typeof value === "bigint" || Number.isInteger(value), "must be a whole number", value);
  return value;
}

/** Return the nearest number on the wire; at the very limits, numbers may round beyond them. */
function unscaled(type, number) {
  if (type[0] === "f") return number;
  const [, , first, last] = NUMBERS[type];
  if (number <= first) return first;
  return number >= last ? last : roundEven(number);
}

/** Return the nearest whole number, of two that are as near the even one. */
function roundEven(number) {
  const below = Math.floor(number);
  if (number - below !== 0.5) return Math.round(number);
  return below % 2 === 0 ? below : below + 1;
}

function demand(holds, allowed, value) {
  if (!holds) throw new PayloadError(`${allowed}, not ${shown(value)}`);
}

function shown(value) {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
