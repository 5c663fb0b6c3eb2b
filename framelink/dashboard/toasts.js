/** Short notes at the edge of the page, for what has no place of its own. */

import { byId, element } from "./dom.js";

const SHOWN_MS = 8_000;
const MAX_SHOWN = 4; // a fault that repeats must not cover the page

/**
 * Show a note for a while.
 * @param {string} text What it says.
 * @param {"info" | "good" | "bad"} [kind] How it looks.
 */
export function toast(text, kind = "info") {
  const host = byId("toasts");
  const same = [...host.children].find((one) => one.dataset.text === text);
  same?.remove();
  const close = element("button", { type: "button", class: "quiet", "aria-label": "Dismiss" }, "×");
  const note = element("div", { class: `toast ${kind}`, "data-text": text }, element("span", {}, text), close);
  close.addEventListener("click", () => note.remove());
  host.append(note);
  while (host.childElementCount > MAX_SHOWN) host.firstElementChild.remove();
  setTimeout(() => note.remove(), SHOWN_MS);
}
