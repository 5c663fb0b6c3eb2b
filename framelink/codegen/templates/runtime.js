/** A message's values that its fields may not hold; its text names message, field, and what is allowed. */
export class PayloadError extends Error {}

/**
 * Return the command and the payload of a request.
 * @throws {PayloadError} A field is missing, unknown or not allowed.
 */
export function encodeRequest(message, fields = {}, sequence = NO_SEQUENCE) {
  return encode("request", message, fields, sequence);
}

/** As encodeRequest, of a reply: for devices that are simulated. */
export function encodeReply(message, fields = {}, sequence = NO_SEQUENCE) {
  return encode("reply", message, fields, sequence);
}

/** As encodeRequest, of an event: for devices that are simulated. */
export function encodeEvent(message, fields = {}) {
  return encode("event", message, fields, NO_SEQUENCE);
}

/**
 * Return what a frame says: `{ kind, message, fields, sequence }`; for a payload that does not fit,
 * `{ kind: "undecodable", message, reason }`; null for a command that the device has not.
 */
export function decode(cmd, data) {
  const payload = BY_CMD.get(cmd);
  if (payload === undefined) return null;
  const { kind, message } = payload;
  try {
    const { sequence, rest } = split(payload, data);
    return { kind, message, fields: readAll(payload.fields, new Reader(rest)), sequence };
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    return { kind: "undecodable", message, reason: `${message}: ${error.message}` };
  }
}

// From here on: how the tables above are read.

const NO_SEQUENCE = 0;
const EXACT_BITS = 53; // of a number; more are a BigInt
const BY_CMD = new Map(PAYLOADS.map((one) => [one.cmd, one]));
const BY_NAME = new Map(PAYLOADS.map((one) => [`${one.kind} ${one.message}`, one]));
const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

/** Type → its name in DataView, its bytes, its smallest and its largest number. */
const NUMBERS = {
  u8: ["Uint8", 1, 0, 0xff],
  u16: ["Uint16", 2, 0, 0xffff],
  u32: ["Uint32", 4, 0, 0xffffffff],
  u64: ["BigUint64", 8, 0n, 0xffffffffffffffffn],
  i8: ["Int8", 1, -0x80, 0x7f],
  i16: ["Int16", 2, -0x8000, 0x7fff],
  i32: ["Int32", 4, -0x80000000, 0x7fffffff],
  i64: ["BigInt64", 8, -0x8000000000000000n, 0x7fffffffffffffffn],
  f32: ["Float32", 4, -3.4028234663852886e38, 3.4028234663852886e38],
  f64: ["Float64", 8, -Number.MAX_VALUE, Number.MAX_VALUE],
};

/** A payload that is read from front to back. */
class Reader {
  constructor(data) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.at = 0;
    this.parameter = undefined; // the one that types a value
  }

  get left() {
    return this.view.byteLength - this.at;
  }

  /** Return the offset of the next bytes, and pass them. */
  take(size) {
    if (size > this.left) throw new PayloadError(`ends too early, after ${this.view.byteLength} bytes`);
    this.at += size;
    return this.at - size;
  }

  bytes(size) {
    const start = this.view.byteOffset + this.take(size);
    return new Uint8Array(this.view.buffer.slice(start, start + size));
  }

  number(type, big) {
    const [name, size] = NUMBERS[type];
    return this.view[`get${name}`](this.take(size), !big);
  }
}

/** A payload that is written from front to back. */
class Writer {
  constructor(room) {
    this.view = new DataView(new ArrayBuffer(room));
    this.at = 0;
    this.parameter = undefined;
  }

  take(size) {
    this.at += size;
    if (this.at > this.view.byteLength) {
      throw new PayloadError(`payload must have at most ${this.view.byteLength} bytes`);
    }
    return this.at - size;
  }

  bytes(data) {
    const start = this.take(data.length);
    new Uint8Array(this.view.buffer).set(data, start);
  }

  number(type, big, value) {
    const [name, size] = NUMBERS[type];
    this.view[`set${name}`](this.take(size), value, !big);
  }

  get written() {
    return new Uint8Array(this.view.buffer.slice(0, this.at));
  }
}

function encode(kind, message, fields, sequence) {
  const payload = BY_NAME.get(`${kind} ${message}`);
  if (payload === undefined) throw new PayloadError(`there is no ${kind} ${shown(message)}`);
  const writer = new Writer(MAX_DATA);
  try {
    writeAll(payload.fields, writer, fields);
    return { cmd: payload.cmd, data: withSequence(payload, writer.written, sequence) };
  } catch (error) {
    if (error instanceof PayloadError) error.message = `${message}: ${error.message}`;
    throw error;
  }
}

/** Return a payload with the sequence byte that it needs. */
function withSequence(payload, data, sequence) {
  const at = sequencePlace(payload, data);
  if (at === null) return data;
  demand(data.length < MAX_DATA, `payload must have at most ${MAX_DATA - 1} bytes`, data.length);
  return Uint8Array.from([...data.subarray(0, at), sequence, ...data.subarray(at)]);
}

/** Return a payload's sequence byte, null if it has none, and the rest. */
function split(payload, data) {
  const at = sequencePlace(payload, data);
  if (at === null) return { sequence: null, rest: data };
  if (at >= data.length) throw new PayloadError(`payload must have a sequence byte as byte ${at}`);
  return { sequence: data[at], rest: Uint8Array.from([...data.subarray(0, at), ...data.subarray(at + 1)]) };
}

/** Return where the sequence byte stands: in a refusal, behind the refused command and the code. */
function sequencePlace(payload, data) {
  if (payload.refusal) return data[0] >= SEQUENCED[0] && data[0] <= SEQUENCED[1] ? 2 : null;
  return payload.sequenced ? 0 : null;
}
