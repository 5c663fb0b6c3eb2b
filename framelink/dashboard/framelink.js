/**
 * A client of framelink's bridge, for this page and for others: rooms, heartbeats, reconnecting, commands.
 *
 *     import { FramelinkClient } from "./framelink.js";
 *     const client = new FramelinkClient("ws://127.0.0.1:8765/ws");
 *     client.addEventListener("frame", (event) => console.log(event.detail));
 *     client.subscribe(["frames/+/1/#"]);
 *     client.connect();
 *     const reply = await client.command("weather", 1, { message: "identify", fields: {} });
 *
 * Events, each a CustomEvent whose `detail` is the message's payload (plus `timestamp`, the server's clock in ms):
 *   welcome, frame, link, gap, error   as the server sends them
 *   subscribed                         as the server sends it, and `missed`: how many frames the bridge published
 *                                      since this client last knew where it was; all of them if it has all rooms,
 *                                      at most so many of its own if not; null if nobody can know
 *   state                              {state, retryAt}: connecting, connected, waiting or closed
 */

export const HEARTBEAT_MS = 30_000; // the server closes a client that was silent for 90 s
export const MAX_UNANSWERED = 2; // heartbeats; after as many the connection is dead
export const CONNECT_TIMEOUT_MS = 10_000; // until the welcome; a host that vanished would hold it for minutes
export const BACKOFF_FIRST_MS = 500;
export const STEADY_MS = 10_000; // a connection that held so long was a good one; the next backoff begins anew
export const BACKOFF_MAX_MS = 15_000; // nobody wants to wait longer once the bridge is back
export const COMMAND_TIMEOUT_MS = 5_000; // the bridge itself gives a device 1.5 s
export const MAX_PENDING_COMMANDS = 32; // as many as the server takes

const PASSED_ON = new Set(["welcome", "subscribed", "frame", "link", "gap", "error"]);

/** @typedef {{epoch: string, offset: number}} Position Where in the bridge's stream of frames a client is. */

/** One connection to a bridge, renewed whenever it breaks. */
export class FramelinkClient extends EventTarget {
  #url;
  #options;
  #socket = null;
  #state = "closed";
  #rooms = new Set();
  #pending = new Map();
  #nextId = 1;
  #seq = 0;
  #unanswered = 0;
  #attempt = 0;
  #welcomedAt = Infinity;
  #heartbeatTimer = null;
  #retryTimer = null;
  #connectTimer = null;
  /** @type {Position | null} */
  #position = null;
  /** @type {Position | null} What the last subscription after a reconnection told as known. */
  #since = null;

  /**
   * @param {string} url Where the WebSocket is, such as ws://127.0.0.1:8765/ws.
   * @param {{name?: string, heartbeatMs?: number, backoffMs?: number, steadyMs?: number, connectTimeoutMs?: number,
   *          commandTimeoutMs?: number, WebSocket?: typeof WebSocket, random?: () => number}} [options]
   *        `name` goes to the presence list; the others are for tests, and for places without a WebSocket.
   */
  constructor(url, options = {}) {
    super();
    this.#url = url;
    this.#options = {
      name: "",
      heartbeatMs: HEARTBEAT_MS,
      backoffMs: BACKOFF_FIRST_MS,
      steadyMs: STEADY_MS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
      WebSocket: globalThis.WebSocket,
      random: Math.random,
      ...options,
    };
  }

  /** connecting, connected, waiting (for the next attempt) or closed. */
  get state() {
    return this.#state;
  }

  /**
   * Connect, and connect again whenever the connection breaks, until `close`.  While waiting for the next attempt
   * this makes it at once.
   * @throws {SyntaxError} The URL is none of a WebSocket.
   */
  connect() {
    if (this.#socket) return;
    const socket = new this.#options.WebSocket(this.#url);
    this.#socket = socket;
    clearTimeout(this.#retryTimer);
    this.#connectTimer = setTimeout(() => this.#lost(), this.#options.connectTimeoutMs);
    this.#become("connecting");
    socket.addEventListener("message", (event) => this.#socket === socket && this.#receive(event.data));
    socket.addEventListener("close", () => this.#socket === socket && this.#lost());
    socket.addEventListener("error", () => {}); // the close that follows is what counts
  }

  /** Close the connection; commands under way fail.  `connect` opens it again. */
  close() {
    clearTimeout(this.#retryTimer);
    this.#drop("the client was closed");
    this.#become("closed");
  }

  /**
   * Subscribe to rooms; they are asked for again after every reconnection.
   * @param {string[]} rooms Patterns such as frames/# or links/+.
   */
  subscribe(rooms) {
    rooms.forEach((room) => this.#rooms.add(room));
    this.#send("subscribe", { rooms });
  }

  /** @param {string[]} rooms Patterns as they were subscribed to. */
  unsubscribe(rooms) {
    rooms.forEach((room) => this.#rooms.delete(room));
    this.#send("unsubscribe", { rooms });
  }

  /**
   * Send a command and wait for the device's reply.
   * @param {string} link The link's name.
   * @param {number} addr The device's address.
   * @param {{cmd: number, data?: string} | {message: string, fields?: object}} what Raw, or by the schema.
   * @returns {Promise<object>} The reply's payload.
   * @throws {Error} It failed: refused, not answered, or not connected.  The message is for people.
   */
  command(link, addr, what) {
    if (this.#state !== "connected") return Promise.reject(new Error("not connected to the bridge"));
    if (this.#pending.size >= MAX_PENDING_COMMANDS) {
      return Promise.reject(new Error(`${MAX_PENDING_COMMANDS} commands are under way`));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const giveUp = () => this.#settle(id, { ok: false, error: "no answer from the bridge" });
      const timer = setTimeout(giveUp, this.#options.commandTimeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#send("command", { id, link, addr, ...what });
    });
  }

  #send(type, payload, more = {}) {
    if (this.#state !== "connected") return;
    this.#socket.send(JSON.stringify({ type, payload, timestamp: Date.now(), ...more }));
  }

  #receive(text) {
    const { type, payload, timestamp, seq } = parsed(text);
    const extra = this.#handlers[type]?.(payload, seq);
    if (PASSED_ON.has(type)) this.#tell(type, { ...payload, ...extra, timestamp });
  }

  #handlers = {
    welcome: () => this.#welcomed(),
    subscribed: (payload) => this.#subscribed(payload),
    frame: (payload) => this.#advance(payload.offset),
    gap: (payload) => this.#advance(payload.to),
    reply: (payload) => this.#settle(payload.id, payload),
    HEARTBEAT_ACK: (payload, seq) => {
      this.#advance(payload.offset); // past frames that are not for this client
      this.#unanswered = Math.min(this.#unanswered, this.#seq - seq); // a late answer counts for its own beat
    },
  };

  #advance(offset) {
    if (this.#position && offset > this.#position.offset) this.#position = { ...this.#position, offset };
  }

  /** Note where the stream is; after a reconnection tell how far it went without us. */
  #subscribed({ epoch, offset }) {
    const since = this.#since;
    this.#since = null;
    this.#position = { epoch, offset };
    return { missed: since?.epoch === epoch ? Math.max(0, offset - since.offset) : null };
  }

  #subscribeAgain() {
    if (!this.#rooms.size) return;
    this.#since = this.#position;
    this.#send("subscribe", { rooms: [...this.#rooms], ...(this.#since && { since: this.#since }) });
  }

  #welcomed() {
    clearTimeout(this.#connectTimer);
    this.#welcomedAt = performance.now();
    this.#seq = 0;
    this.#unanswered = 0;
    this.#become("connected");
    if (this.#options.name) this.#send("handshake", { client: this.#options.name });
    this.#subscribeAgain();
    this.#heartbeatTimer = setInterval(() => this.#beat(), this.#options.heartbeatMs);
  }

  #beat() {
    if (this.#unanswered >= MAX_UNANSWERED) {
      this.#lost();
      return;
    }
    this.#unanswered += 1;
    this.#seq += 1;
    this.#send("HEARTBEAT", {}, { seq: this.#seq });
  }

  #lost() {
    if (performance.now() - this.#welcomedAt >= this.#options.steadyMs) this.#attempt = 0;
    this.#drop("the connection to the bridge was lost");
    const longest = Math.min(this.#options.backoffMs * 2 ** this.#attempt, BACKOFF_MAX_MS);
    const delay = longest * (0.5 + this.#options.random() / 2); // jitter: many pages must not come back at once
    this.#attempt += 1;
    this.#become("waiting", Date.now() + delay);
    this.#retryTimer = setTimeout(() => this.connect(), delay);
  }

  #drop(reason) {
    clearInterval(this.#heartbeatTimer);
    clearTimeout(this.#connectTimer);
    this.#welcomedAt = Infinity;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const id of [...this.#pending.keys()]) this.#settle(id, { ok: false, error: reason });
  }

  #settle(id, reply) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (reply.ok) pending.resolve(reply);
    else pending.reject(new Error(reply.error));
  }

  #become(state, retryAt = null) {
    this.#state = state;
    this.#tell("state", { state, retryAt });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { type: "error", payload: { code: "bad_json", message: "what came from the server is no JSON" }, timestamp: 0 };
  }
}
