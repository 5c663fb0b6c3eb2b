/** Puts the page together: the client's events to the views, which are drawn some times a second. */

import { CommandForm } from "./command.js";
import { Devices } from "./devices.js";
import { byId, setText, toggle } from "./dom.js";
import { FramelinkClient } from "./framelink.js";
import { Links } from "./links.js";
import { Log } from "./log.js";
import { toast } from "./toasts.js";
import { count } from "./text.js";

const DRAW_PERIOD_MS = 50; // nobody reads faster, whatever the rate of the frames
const TICK_MS = 1_000; // values grow stale, and countdowns down, even when nothing comes
const GAP_SHOWN_MS = 8_000;

const socketUrl = new URL("ws", location.href);
socketUrl.protocol = socketUrl.protocol === "https:" ? "wss:" : "ws:";

const client = new FramelinkClient(socketUrl.href, { name: "dashboard" });
const form = new CommandForm(client);
const links = new Links(byId("links"));
const log = new Log(byId("log"));
const devices = new Devices(byId("devices"), {
  command: (link, addr, what) => client.command(link, addr, what),
  compose: (link, addr, parameter) => {
    showTab("command");
    form.compose(link, addr, parameter);
  },
});

// --- drawing --------------------------------------------------------------------------------------------------

let planned = false;

/** Draw soon: what comes until then is drawn together, and a hidden page draws nothing. */
function drawSoon() {
  if (planned) return;
  planned = true;
  setTimeout(() => requestAnimationFrame(() => draw(false)), DRAW_PERIOD_MS);
}

function draw(tick) {
  if (!tick) planned = false;
  devices.draw(tick);
  log.draw();
}

setInterval(() => {
  showConnection();
  links.tick();
  if (!document.hidden) draw(true);
}, TICK_MS);

// --- what the bridge says --------------------------------------------------------------------------------------

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** Learn what there is; a page that outlived its bridge forgets what is there no more. */
async function learn() {
  const [schemas, all] = await Promise.all([get("api/schemas"), get("api/links")]);
  const names = all.map((one) => one.link);
  for (const view of [devices, form]) {
    view.keepLinks(names);
    view.schemas = schemas;
  }
  links.keep(names);
}

client.addEventListener("welcome", () => {
  learn().catch(() => {}); // the connection is gone again; the next one asks again
});

client.addEventListener("link", ({ detail }) => {
  links.update(detail);
  devices.updateLink(detail);
  form.updateLink(detail);
  drawSoon();
});

client.addEventListener("frame", ({ detail }) => {
  devices.take(detail);
  log.take(detail);
  drawSoon();
});

client.addEventListener("error", ({ detail }) => toast(detail.message, "bad"));

let gapTimer = null;
let skipped = 0;
client.addEventListener("gap", ({ detail }) => {
  skipped += detail.dropped;
  setText(byId("gap"), `${count(skipped)} frames skipped`);
  byId("gap").hidden = false;
  clearTimeout(gapTimer);
  gapTimer = setTimeout(() => {
    byId("gap").hidden = true;
    skipped = 0;
  }, GAP_SHOWN_MS);
  log.note(`${count(detail.dropped)} frames were not shown: this page was too slow`);
  drawSoon();
});

let epoch = null;
client.addEventListener("subscribed", ({ detail }) => {
  if (epoch !== null && epoch !== detail.epoch) toast("The bridge was restarted; live again.", "good");
  if (detail.missed) {
    toast(`Live again; ${count(detail.missed)} frames were missed.`);
    log.note(`${count(detail.missed)} frames were missed while the page was not connected`);
  }
  epoch = detail.epoch;
});

// --- the connection's light ------------------------------------------------------------------------------------

let connection = { state: "connecting", retryAt: null };

function showConnection() {
  const left = Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1_000));
  const texts = { connecting: "connecting …", connected: "live", waiting: `reconnecting in ${left} s`, closed: "offline" };
  if (byId("connection").dataset.state !== connection.state) byId("connection").dataset.state = connection.state;
  byId("retry").hidden = connection.state !== "waiting";
  setText(byId("connection-text"), texts[connection.state]);
}

client.addEventListener("state", ({ detail }) => {
  connection = detail;
  if (detail.state !== "connected") links.lose();
  showConnection();
});
byId("retry").addEventListener("click", () => client.connect());

// --- the page's own switches -----------------------------------------------------------------------------------

toggle(byId("plots-pause"), (paused) => {
  devices.paused = paused;
  setText(byId("plots-pause"), paused ? "Resume" : "Pause");
  drawSoon();
});

byId("window").addEventListener("click", (event) => {
  const seconds = Number(event.target.dataset.seconds);
  if (!seconds) return;
  for (const button of byId("window").children) button.setAttribute("aria-pressed", String(button === event.target));
  devices.windowSeconds = seconds;
  drawSoon();
});

/** Show one section, where the page is too narrow for all. */
function showTab(name) {
  document.body.dataset.tab = name;
  for (const button of byId("tabs").children) {
    if (button.dataset.tab === name) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

byId("tabs").addEventListener("click", (event) => {
  const name = event.target.closest("button")?.dataset.tab;
  if (!name) return;
  showTab(name);
  scrollTo(0, 0);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea")) return;
  event.preventDefault();
  showTab("frames");
  byId("log-filter").focus();
});

client.subscribe(["frames/#", "links/#"]);
client.connect();
