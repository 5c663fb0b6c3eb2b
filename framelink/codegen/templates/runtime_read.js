// From bytes to values.

function readAll(fields, reader) {
  const values = readFields(fields, reader);
  if (reader.left > 0 && !VERSIONED) throw new PayloadError(`payload is ${reader.left} bytes too long`);
  return values;
}

function readFields(fields, reader) {
  const values = {};
  for (const field of fields) {
    if (field.optional && reader.left === 0) break;
    values[field.name] = readField(field, reader);
  }
  return values;
}

function readField(field, reader) {
  if (field.count === undefined) return readOne(field, reader);
  const items = [];
  if (field.count === "rest") {
    while (reader.left > 0) items.push(readOne(field, reader));
    return items;
  }
  const count = sizeBefore(field.count, field, reader);
  while (items.length < count) items.push(readOne(field, reader));
  return items;
}

/** Return a count or size: the number itself, or the one of that type that comes next. */
function sizeBefore(size, field, reader) {
  return typeof size === "number" ? size : reader.number(size, field.big);
}

function readOne(field, reader) {
  if (field.fields) return readFields(field.fields, reader);
  return (READERS[field.type] ?? readNumber)(field, reader);
}

const READERS = {
  bool: (_field, reader) => reader.number("u8") !== 0,
  bytes: (field, reader) => readBytes(field, reader),
  string: (field, reader) => readText(field, reader),
  parameter: (_field, reader) => {
    const number = reader.number("u8");
    reader.parameter = PARAMETERS.find(({ id }) => id === number);
    if (reader.parameter === undefined) throw new PayloadError(`the device has no parameter ${number}`);
    return reader.parameter.name;
  },
  value: (_field, reader) => readField(reader.parameter, reader),
};

function readBytes(field, reader) {
  return reader.bytes(field.size === undefined ? reader.left : sizeBefore(field.size, field, reader));
}

function readText(field, reader) {
  const data = readBytes(field, reader);
  const end = typeof field.size === "number" ? data.indexOf(0) : -1; // such a text is filled up with zeros
  return TEXT.decode(end < 0 ? data : data.subarray(0, end));
}

function readNumber(field, reader) {
  const raw = reader.number(field.type, field.big);
  if (field.bits) return readBits(field.bits, BigInt(raw));
  if (field.enum) return labelOf(field.enum, Number(raw));
  return field.scale === undefined ? raw : scaled(field, Number(raw));
}

/** A whole number × scale + offset has no more decimals than they have: 3 × 0.1 reads 0.3. */
function scaled({ scale, offset, digits }, raw) {
  const value = raw * scale + offset;
  return digits === undefined ? value : Number(value.toFixed(digits));
}

/** Return a number's label, or the number: a newer device may have more labels. */
function labelOf(labels, number) {
  return Object.keys(labels).find((label) => labels[label] === number) ?? number;
}

function readBits(bits, whole) {
  const values = {};
  let rest = whole;
  for (const bit of bits) {
    const number = BigInt.asUintN(bit.width, rest);
    rest >>= BigInt(bit.width);
    if (bit.name) values[bit.name] = bitValue(bit, number);
  }
  return values;
}

function bitValue(bit, number) {
  if (bit.enum) return labelOf(bit.enum, Number(number));
  if (bit.width === 1) return number === 1n;
  return bit.width > EXACT_BITS ? number : Number(number);
}
