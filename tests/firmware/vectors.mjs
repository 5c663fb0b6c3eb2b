// Runs the vectors against WebAssembly modules of the core, as a page would call them.
// Arguments: the folder of the vectors, and a JSON file that says which module is for which format.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { argv, stdout } from "node:process";

const STATES = "HACLDKT";
const REASONS = ["noise", "length", "tail", "check", "timeout"];

/** One receiver and encoder: an instance of the module. */
class Core {
  #exports;

  constructor(module) {
    this.#exports = new WebAssembly.Instance(module, {}).exports;
    this.#exports.reset();
  }

  get state() {
    return STATES[this.#exports.state()];
  }

  get ledger() {
    const { received, delivered, count, pending } = this.#exports;
    return {
      received: received(),
      delivered: delivered(),
      noise: Object.fromEntries(REASONS.map((reason, number) => [reason, count(number)])),
      pending: pending(),
      frames: count(REASONS.length),
    };
  }

  feed(bytes) {
    this.#write(bytes);
    return this.#all(this.#exports.feed(bytes.length), this.#exports.more);
  }

  push(byte) {
    return this.#all(this.#exports.push(byte), this.#exports.next);
  }

  flush() {
    return this.#all(this.#exports.idle(), this.#exports.idle);
  }

  encode(addr, cmd, data) {
    this.#write(data);
    return this.#read(this.#exports.output(), this.#exports.encode(addr, cmd, data.length));
  }

  #write(bytes) {
    new Uint8Array(this.#exports.memory.buffer, this.#exports.input()).set(bytes);
  }

  #read(address, size) {
    return Buffer.from(this.#exports.memory.buffer, address, size).toString("hex");
  }

  #all(count, more) {
    const frames = [];
    for (; count; count = more()) {
      const view = new DataView(this.#exports.memory.buffer, this.#exports.frames(), 8 * count);
      for (let at = 0; at < 8 * count; at += 8) {
        const data = this.#read(view.getUint32(at, true), view.getUint16(at + 4, true));
        frames.push({ addr: view.getUint8(at + 6), cmd: view.getUint8(at + 7), data });
      }
    }
    return frames;
  }
}

const WAYS = [
  (core, bytes) => core.feed(bytes),
  (core, bytes) => [...bytes].flatMap((byte) => core.push(byte)),
  (core, bytes) => [...bytes].flatMap((byte) => core.feed([byte])),
];
const hex = (text) => Buffer.from(text, "hex");
const content = ({ addr, cmd, data }) => ({ addr, cmd, data: hex(data).toString("hex") });

const RUNNERS = {
  valid(module, { addr, cmd, data, wire }) {
    assert.equal(new Core(module).encode(addr, cmd, hex(data)), wire);
    for (const receive of WAYS) {
      assert.deepEqual(receive(new Core(module), hex(wire)), [content({ addr, cmd, data })]);
    }
  },
  invalid(module, { wire, frames, noise }) {
    for (const receive of WAYS) {
      const core = new Core(module);
      assert.deepEqual([...receive(core, hex(wire)), ...core.flush()], frames.map(content));
      assert.deepEqual(core.ledger.noise, noise);
    }
  },
  streams(module, { bytes, states, accounts, frames, ledger, flush }) {
    for (const receive of WAYS) {
      const core = new Core(module);
      assert.deepEqual(receive(core, hex(bytes)), frames.map(content));
      assert.deepEqual(core.ledger, ledger);
      assert.deepEqual(core.flush(), flush.frames.map(content));
      assert.deepEqual(core.ledger, flush.ledger);
    }
    const core = new Core(module);
    const entries = accounts.map((one) => one.split(" "));
    const changes = new Map(entries.map(([at, ...account]) => [Number(at), account.join(" ")]));
    let expected = changes.get(0);
    [...hex(bytes)].forEach((byte, at) => {
      core.push(byte);
      expected = changes.get(at + 1) ?? expected;
      const { delivered, noise, frames: count } = core.ledger;
      assert.equal(core.state, states[at]);
      assert.equal([delivered, ...Object.values(noise), count].join(" "), expected);
    });
  },
};

const [, , folder, modulesFile] = argv;
const modules = JSON.parse(readFileSync(modulesFile, "utf8"));
const vectors = {
  ...JSON.parse(readFileSync(`${folder}/frames.json`, "utf8")),
  ...JSON.parse(readFileSync(`${folder}/streams.json`, "utf8")),
};
const loaded = Object.fromEntries(
  Object.entries(modules).map(([name, path]) => [name, new WebAssembly.Module(readFileSync(path))]),
);
const counts = {};
for (const [kind, run] of Object.entries(RUNNERS)) {
  counts[kind] = 0;
  for (const one of vectors[kind]) {
    run(loaded[one.format], one);
    counts[kind] += 1;
  }
}
stdout.write(JSON.stringify(counts));
