/** The frames that the log has: bounded, filtered, paused.  Pure. */

import { fieldsText, hex, spacedHex } from "./text.js";

export const MAX_KEPT = 2_000; // frames that a filter can still find
const SLACK = 500; // over which the surplus is cut off at once, as cutting at every frame would cost more

export class Logbook {
  #kept = [];
  #fresh = [];
  #words = [];
  #paused = false;
  #lost = 0;

  /** How many frames can be found, and how many wait for the end of a pause. */
  get size() {
    return this.#kept.length;
  }

  get waiting() {
    return this.#fresh.length;
  }

  /** How many were never looked at: they came in a pause, or in a hidden page, that was too long to keep them. */
  get lost() {
    return this.#lost;
  }

  get paused() {
    return this.#paused;
  }

  set paused(paused) {
    this.#paused = paused;
  }

  /** Find frames that contain all of these words, and none of those that begin with a minus. */
  set filter(text) {
    this.#words = text.toLowerCase().split(/\s+/).filter((word) => word && word !== "-");
  }

  get filtered() {
    return this.#words.length > 0;
  }

  /** Take a frame, or a note {note: text}. */
  add(entry) {
    this.#fresh.push(entry);
    if (this.#fresh.length >= MAX_KEPT + SLACK) this.#lost += cut(this.#fresh);
  }

  /** Return the newest entries that came since the last call and match, oldest first; none while paused. */
  take(most) {
    if (this.#paused || !this.#fresh.length) return [];
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const entry of fresh) this.#kept.push(entry);
    if (this.#kept.length >= MAX_KEPT + SLACK) cut(this.#kept);
    return this.#newest(fresh, most);
  }

  /** Return the newest entries that match, oldest first. */
  find(most) {
    return this.#newest(this.#kept, most);
  }

  clear() {
    this.#kept = [];
    this.#fresh = [];
    this.#lost = 0;
  }

  #newest(entries, most) {
    const found = [];
    for (let at = entries.length - 1; at >= 0 && found.length < most; at -= 1) {
      if (this.#matches(entries[at])) found.push(entries[at]);
    }
    return found.reverse();
  }

  #matches(entry) {
    if (!this.#words.length) return true;
    entry.haystack ??= haystackOf(entry); // only if somebody filters
    return this.#words.every((word) =>
      word.startsWith("-") ? !entry.haystack.includes(word.slice(1)) : entry.haystack.includes(word),
    );
  }
}

function cut(entries) {
  const surplus = entries.length - MAX_KEPT;
  entries.splice(0, surplus);
  return surplus;
}

/** All that a filter may look for in a frame: "motor addr 0x02 cmd 0x20 event motor speed=1 … 01 02 0102". */
function haystackOf(entry) {
  if (entry.note) return entry.note.toLowerCase();
  const { link, addr, cmd, message = "", fields = {}, data } = entry;
  const kind = cmd & 0x80 ? "reply" : "";
  const head = `${link} addr ${hex(addr)} cmd ${hex(cmd)} ${kind} ${message}`;
  return `${head} ${fieldsText(fields)} ${spacedHex(data, Infinity)} ${data}`.toLowerCase();
}
