// Runs the vectors of a schema against its generated module.  Arguments: the module, the vectors.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { argv, stdout } from "node:process";
import { pathToFileURL } from "node:url";

const [, , modulePath, vectorsPath] = argv;
const device = await import(pathToFileURL(modulePath));
const cases = JSON.parse(readFileSync(vectorsPath, "utf8"), untagged);
const encoders = { request: device.encodeRequest, reply: device.encodeReply, event: device.encodeEvent };

/** Return the value that a vector's JSON stands for. */
function untagged(_key, value) {
  if (value?.$bytes !== undefined) return fromHex(value.$bytes);
  return value?.$int !== undefined ? BigInt(value.$int) : value;
}

function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

const toHex = (data) => Buffer.from(data).toString("hex");

for (const one of cases.vectors) {
  const { message, kind, fields, sequence = null } = one;
  const found = device.decode(one.cmd, fromHex(one.data));
  assert.deepEqual(found, { kind, message, fields, sequence }, `${kind} ${message} ${one.data}`);
  if (one.way !== "decode") {
    const { cmd, data } = encoders[kind](message, fields, sequence ?? 0);
    assert.deepEqual([cmd, toHex(data)], [one.cmd, one.data]);
  }
}
for (const { message, cmd, data } of cases.undecodable) {
  const found = device.decode(cmd, fromHex(data));
  assert.equal(found.kind, "undecodable", `${message} ${data}`);
  assert.ok(found.reason.startsWith(`${message}: `), found.reason);
}
for (const { message, kind, fields, why } of cases.refused) {
  assert.throws(() => encoders[kind](message, fields), device.PayloadError, why);
}
assert.equal(device.decode(0x6f, new Uint8Array()), null); // no such command
stdout.write(JSON.stringify([cases.vectors.length, cases.undecodable.length, cases.refused.length]));
