/** Puts the page together: the client's events to the views, once an animation frame. */

import { CommandForm } from "./command.js";
import { Devices } from "./devices.js";
import { byId, setText, toggle } from "./dom.js";
import { FramelinkClient } from "./framelink.js";
import { Links } from "./links.js";
import { Log } from "./log.js";

const GAP_SHOWN_MS = 8_000;
const IDLE_REDRAW_MS = 1_000; // values grow stale even when nothing comes

const socketUrl = new URL("ws", location.href);
socketUrl.protocol = socketUrl.protocol === "https:" ? "wss:" : "ws:";

const client = new FramelinkClient(socketUrl.href, { name: "dashboard" });
const links = new Links(byId("links"));
const devices = new Devices(byId("devices"));
const log = new Log(byId("log"));
const form = new CommandForm(client);
let schemas = {};
let drawing = false;

function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    devices.draw();
    log.draw();
  });
}

async function loadSchemas() {
  const response = await fetch("api/schemas");
  schemas = await response.json();
  devices.schemas = schemas;
  form.schemas = schemas;
}

client.addEventListener("welcome", async () => {
  await loadSchemas().catch(() => {}); // the next connection asks again
  const response = await fetch("api/links").catch(() => null);
  if (response?.ok) links.keep((await response.json()).map((one) => one.link));
});

client.addEventListener("link", ({ detail }) => {
  links.update(detail);
  devices.updateLink(detail);
  form.updateLink(detail);
});

client.addEventListener("frame", ({ detail }) => {
  devices.take(detail);
  log.take(detail);
  drawSoon();
});

let gapTimer = null;
client.addEventListener("gap", ({ detail }) => {
  const note = byId("gap");
  setText(note, `${detail.dropped} frames skipped`);
  note.hidden = false;
  clearTimeout(gapTimer);
  gapTimer = setTimeout(() => (note.hidden = true), GAP_SHOWN_MS);
  log.gap(detail.dropped);
  drawSoon();
});

let connection = { state: "connecting", retryAt: null };
function showConnection() {
  const left = Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1000));
  const texts = { connecting: "connecting …", connected: "live", waiting: `reconnecting in ${left} s`, closed: "offline" };
  byId("connection").dataset.state = connection.state;
  setText(byId("connection-text"), texts[connection.state]);
}
client.addEventListener("state", ({ detail }) => {
  connection = detail;
  showConnection();
});

setInterval(() => {
  showConnection();
  drawSoon();
}, IDLE_REDRAW_MS);

toggle(byId("plots-pause"), (paused) => (devices.paused = paused), ["Pause", "Resume"]);
toggle(byId("log-pause"), (paused) => (log.paused = paused), ["Pause", "Resume"]);
byId("log-clear").addEventListener("click", () => log.clear());
byId("log-filter").addEventListener("input", (event) => (log.filter = event.target.value));

byId("window").addEventListener("click", (event) => {
  const seconds = Number(event.target.dataset.seconds);
  if (!seconds) return;
  for (const button of byId("window").children) button.setAttribute("aria-pressed", String(button === event.target));
  devices.windowSeconds = seconds;
});

const dark = matchMedia("(prefers-color-scheme: dark)");
const remembered = localStorage.getItem("theme");
if (remembered) document.documentElement.dataset.theme = remembered;
byId("theme").addEventListener("click", () => {
  const shown = document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
  const theme = shown === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  devices.redraw();
});
dark.addEventListener("change", () => devices.redraw());

client.subscribe(["frames/#", "links/#"]);
client.connect();
