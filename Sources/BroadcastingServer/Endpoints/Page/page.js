"use strict";
const limits = { messages: 500, past: 500, shown: 16384, channels: 32, channelBytes: 255 };
const pauses = { first: 500, longest: 30000, steady: 5000, spoken: 5000 };
// Where the server has its endpoints, seen from here; nothing for one that is switched off.
const endpoint = name => document.body.dataset[name] === undefined ? null : new URL(document.body.dataset[name], location.href);
const endpoints = { push: endpoint("push"), events: endpoint("events"), history: endpoint("history") };
const at = id => document.getElementById(id);
const make = (name, text, className) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};
const many = (count, word) => `${count.toLocaleString()} ${word}${count === 1 ? "" : "s"}`;
const span = ms => ms < 1000 ? `${Math.round(ms)} ms` : ms < 120000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60000)} min`;
const clock = date => `${date.toLocaleTimeString([], { hour12: false })}.${String(date.getMilliseconds()).padStart(3, "0")}`;

// ---- A feed: one channel, one socket, for as long as the channel is listened to. ----

class Feed {
  constructor(channel, last) {
    this.channel = channel;
    // With how many past messages to begin, and behind which message to go on, where the channel keeps any.
    this.last = last;
    this.position = null;
    this.state = "connecting";
    this.attempts = 0;
    this.everOpen = false;
    this.lostAt = 0;
  }

  async open() {
    clearTimeout(this.timer);
    this.state = "connecting";
    showState();
    // A socket that asks for the past of a channel without one is refused, and cannot tell why.
    if (this.last > 0 && !await this.hasPast()) this.last = 0;
    if (this.state !== "connecting" || feeds.get(this.channel) !== this) return;
    const address = new URL(endpoints.events);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const query = { channel: this.channel, positions: true };
    if (this.position !== null) query.after = this.position;
    else if (this.last > 0) query.last = this.last;
    this.asked = query.after !== undefined || query.last !== undefined;
    address.search = new URLSearchParams(query).toString();
    const socket = this.socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened();
    socket.onmessage = event => this.received(event.data);
    // Whatever ends a socket, `close` tells it, and once.
    socket.onclose = event => this.closed(event);
  }

  async hasPast() {
    const address = new URL(endpoints.history);
    address.search = new URLSearchParams({ channel: this.channel, limit: 1 }).toString();
    try {
      const response = await fetch(address);
      if (response.status === 404) note(`${this.channel} keeps no messages: here is what comes from now on.`);
      return response.status !== 404;
    } catch {
      return true;
    }
  }

  // A line in front of each frame says where it stands: "EPOCH-OFFSET CHANNEL", or "-" for a channel that keeps nothing.
  // The first says where the channel stands: "=EPOCH-OFFSET recovered CHANNEL", or "missed".
  received(data) {
    const [line, rest] = split(data);
    const [position, word] = line.split(" ");
    if (position.startsWith("=")) return this.stands(position.slice(1), word === "recovered");
    if (position !== "-") this.position = position;
    received(this.channel, rest);
  }

  stands(position, isComplete) {
    const keeps = position !== "-";
    if (this.lostAt > 0) {
      const missed = !keeps ? "Messages sent meanwhile were missed." : isComplete ? "Nothing was missed." : "Some messages sent meanwhile were missed.";
      note(`${this.channel}: connected again after ${span(Date.now() - this.lostAt)}. ${missed}`);
    } else if (!isComplete) {
      note(`${this.channel}: not all that was asked for is still there.`);
    }
    // The past that was asked for follows with positions of its own, and the line may end in the middle of it.
    if (!keeps) this.position = null;
    else if (!this.asked || !isComplete) this.position = position;
  }

  opened() {
    this.state = "connected";
    this.everOpen = true;
    // A server that takes us and drops us at once must not be asked without a pause.
    this.steady = setTimeout(() => { this.attempts = 0; }, pauses.steady);
    showState();
  }

  closed(event) {
    clearTimeout(this.steady);
    if (this.state === "connected") {
      this.lostAt = Date.now();
      if (event.code === 4000) note(`${this.channel}: too many messages for this connection; the server ended it${this.position === null ? ", and some were missed" : ""}.`);
    }
    this.state = "disconnected";
    this.attempts += 1;
    // Twice as long each time, and a random part of it, so that many pages don't come back all at once.
    const longest = Math.min(pauses.longest, pauses.first * 2 ** (this.attempts - 1));
    const pause = longest * (0.5 + Math.random() / 2);
    this.nextTry = Date.now() + pause;
    this.timer = setTimeout(() => this.open(), pause);
    showState();
  }

  tryNow() { if (this.state === "disconnected") this.open(); }

  end() {
    clearTimeout(this.timer);
    clearTimeout(this.steady);
    this.state = "ended";
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }
}

function split(data) {
  if (typeof data === "string") {
    const end = data.indexOf("\n");
    return [data.slice(0, end), data.slice(end + 1)];
  }
  const end = new Uint8Array(data).indexOf(10);
  return [new TextDecoder().decode(data.slice(0, end)), data.slice(end + 1)];
}

// ---- Channels: kept in the address, so that a bookmark listens to the same ones. ----

const feeds = new Map();

function listen(channel, last) {
  const bytes = new TextEncoder().encode(channel).length;
  if (bytes === 0 || bytes > limits.channelBytes || channel.includes("\0")) return `A channel's name has 1 to ${limits.channelBytes} bytes.`;
  if (feeds.has(channel)) return `${channel} is listened to already.`;
  if (feeds.size >= limits.channels) return `This page listens to ${limits.channels} channels at most.`;
  const feed = new Feed(channel, endpoints.history === null ? 0 : last);
  feeds.set(channel, feed);
  feed.open();
  showChannels();
  return "";
}

function leave(channel) {
  feeds.get(channel).end();
  feeds.delete(channel);
  showChannels();
  showState();
  at("channel").focus();
}

function showChannels() {
  at("channels").replaceChildren(...[...feeds.keys()].map(channel => {
    const item = make("li");
    const button = make("button", "×");
    button.type = "button";
    button.setAttribute("aria-label", `Stop listening to ${channel}`);
    button.onclick = () => leave(channel);
    item.append(make("span", channel), button);
    return item;
  }));
  at("known").replaceChildren(...[...feeds.keys()].map(channel => {
    const option = make("option");
    option.value = channel;
    return option;
  }));
  const address = new URL(location.href);
  const last = past();
  address.search = new URLSearchParams([...feeds.keys()].map(channel => ["channel", channel]).concat(last > 0 ? [["last", last]] : [])).toString();
  history.replaceState(null, "", address);
}

// How many past messages to begin with.
const past = () => Math.min(limits.past, Math.max(0, Math.floor(Number(at("last").value)) || 0));

at("add").onsubmit = event => {
  event.preventDefault();
  const problem = listen(at("channel").value, past());
  at("channel-answer").textContent = problem;
  at("channel-answer").classList.toggle("bad", problem !== "");
  if (!problem) at("channel").value = "";
};

// ---- The connection's state. Only a change is told to a screen reader; the countdown is for the eye. ----

function showState() {
  const states = [...feeds.values()].map(feed => feed.state);
  const open = states.filter(state => state === "connected").length;
  let state = "disconnected", text = endpoints.events === null ? "This server delivers nothing here" : "No channel";
  if (states.length > 0 && open === states.length) [state, text] = ["connected", "Connected"];
  else if (open > 0) [state, text] = ["partly", `${open} of ${many(states.length, "channel")}`];
  else if ([...feeds.values()].some(feed => feed.state === "connecting" && !feed.everOpen && feed.attempts === 0)) [state, text] = ["connecting", "Connecting"];
  else if (states.length > 0) text = "Disconnected";
  if (at("state").textContent !== text) at("state").textContent = text;
  at("state").className = state;
  document.title = state === "connected" ? "broadcast" : `${text} · broadcast`;
  showRetry();
}

function showRetry() {
  const waiting = [...feeds.values()].filter(feed => feed.state === "disconnected");
  const seconds = Math.ceil((Math.min(...waiting.map(feed => feed.nextTry)) - Date.now()) / 1000);
  const refused = waiting.some(feed => feed.attempts > 2 && !feed.everOpen);
  at("retry").textContent = waiting.length === 0 ? "" : `${refused ? "Out of reach, or the channel is not allowed. " : ""}Next try in ${Math.max(0, seconds)} s`;
  at("now").hidden = waiting.length === 0;
}

const tryNow = () => feeds.forEach(feed => feed.tryNow());
at("now").onclick = tryNow;
addEventListener("online", tryNow);
document.addEventListener("visibilitychange", () => { if (!document.hidden) tryNow(); });

// ---- Messages. What comes in one frame of the screen is drawn at once; neither list nor queue can grow for ever. ----

let queue = [], drawing = false, paused = false;
const count = { all: 0, second: 0, unspoken: 0, skipped: 0 };

function received(channel, data) {
  count.all += 1;
  count.second += 1;
  count.unspoken += 1;
  enqueue({ channel, time: new Date(), text: typeof data === "string" ? data : binary(data) });
}

function note(text) { enqueue({ note: true, time: new Date(), text }); }

function binary(buffer) {
  const bytes = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, 64));
  const hex = [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join(" ");
  return `${many(buffer.byteLength, "byte")} of binary: ${hex}${buffer.byteLength > 64 ? " …" : ""}`;
}

function enqueue(entry) {
  if (entry.text.length > limits.shown) {
    entry.text = `${entry.text.slice(0, limits.shown)}… (${many(entry.text.length, "character")} in all)`;
  }
  queue.push(entry);
  // Twice the room, so that the array is cut once for many messages.
  if (queue.length > 2 * limits.messages) queue = queue.slice(-limits.messages);
  if (paused || drawing) return;
  drawing = true;
  // A page in the background gets no frames.
  document.hidden ? setTimeout(draw, 1000) : requestAnimationFrame(draw);
}

function draw() {
  drawing = false;
  if (paused) return;
  const items = queue.slice(-limits.messages).map(item).reverse();
  const last = queue.findLast(entry => !entry.note);
  queue = [];
  const list = at("messages");
  list.prepend(...items);
  while (list.childElementCount > limits.messages) list.lastElementChild.remove();
  at("empty").hidden = list.childElementCount > 0;
  if (last) speak(last);
}

function item(entry) {
  const element = make("li", undefined, entry.note ? "note" : undefined);
  const time = make("time", clock(entry.time));
  time.dateTime = entry.time.toISOString();
  if (entry.note) {
    element.append(time, entry.text);
  } else {
    const from = make("div", undefined, "from");
    from.append(time, make("b", entry.channel));
    element.append(from, make("pre", entry.text));
  }
  return element;
}

// A screen reader hears of messages now and then, not of each.
let lastSpoken = 0, speaking = null, latest = null;
function speak(entry) {
  latest = entry;
  if (speaking !== null) return;
  speaking = setTimeout(() => {
    speaking = null;
    lastSpoken = Date.now();
    at("spoken").textContent = `${many(count.unspoken, "new message")}. The last one, on ${latest.channel}: ${latest.text.slice(0, 120)}`;
    count.unspoken = 0;
  }, Math.max(0, lastSpoken + pauses.spoken - Date.now()));
}

at("pause").onclick = () => {
  paused = !paused;
  at("pause").setAttribute("aria-pressed", String(paused));
  at("pause").textContent = paused ? "Go on" : "Pause";
  if (!paused) draw();
};
at("clear").onclick = () => {
  queue = [];
  at("messages").replaceChildren();
  at("empty").hidden = false;
};

// ---- Once a second: the rate, its curve over a minute, and the countdown. ----

const minute = new Array(60).fill(0);
setInterval(() => {
  minute.push(count.second);
  minute.shift();
  count.second = 0;
  const top = Math.max(1, ...minute);
  at("curve").setAttribute("d", `M0 20${minute.map((value, index) => `L${index} ${(20 - 19 * value / top).toFixed(1)}H${index + 1}`).join("")}V20Z`);
  const rate = minute.slice(-5).reduce((sum, value) => sum + value) / 5;
  at("rate").textContent = `${count.all.toLocaleString()} in all · ${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString()} a second`;
  showRetry();
}, 1000);

// ---- Pushing. JSON goes out as it was typed, so that its digits and the order of its keys are kept. ----

at("pushing").onsubmit = async event => {
  event.preventDefault();
  const channel = at("to").value || "events";
  const typed = at("message").value;
  if (at("kind").value === "json") {
    try { JSON.parse(typed); } catch (error) { return answer(`This is not JSON: ${error.message}`, true); }
  }
  const message = at("kind").value === "json" ? typed : JSON.stringify(typed);
  try {
    const response = await fetch(endpoints.push, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"channel": ${JSON.stringify(channel)}, "message": ${message}}`,
    });
    if (response.ok) return answer(`Pushed to ${channel} at ${clock(new Date())}.`, false);
    const said = await response.json().catch(() => null);
    answer(said?.error?.message ?? `The server answered ${response.status}.`, true);
  } catch {
    answer("The server can't be reached; the message was not confirmed.", true);
  }
};

function answer(text, isBad) {
  at("push-answer").textContent = text;
  at("push-answer").classList.toggle("bad", isBad);
}

at("message").onkeydown = event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("pushing").requestSubmit();
};

const chosen = new URLSearchParams(location.search).getAll("channel");
at("last").value = new URLSearchParams(location.search).get("last") ?? 0;
at("last").value = past();
at("past").hidden = endpoints.history === null;
at("listening").hidden = endpoints.events === null;
if (endpoints.events !== null) for (const channel of chosen.length > 0 ? chosen : ["events"]) listen(channel, past());
at("to").value = feeds.keys().next().value ?? "events";
at("pushing").hidden = at("try").hidden = endpoints.push === null;
at("no-push").hidden = endpoints.push !== null;
at("curl").textContent = `curl -d '{"message":"hi"}' -H 'content-type: application/json' ${endpoints.push}`;
showState();
