"use strict";
const limits = { messages: 500, shown: 16384, channels: 32, channelBytes: 255 };
const pauses = { first: 500, longest: 30000, steady: 5000, spoken: 5000 };
// Where the server has its endpoints, seen from here; nothing for one that is switched off.
const endpoint = name => document.body.dataset[name] === undefined ? null : new URL(document.body.dataset[name], location.href);
const endpoints = { push: endpoint("push"), events: endpoint("events") };
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
  constructor(channel) {
    this.channel = channel;
    this.state = "connecting";
    this.attempts = 0;
    this.everOpen = false;
    this.lostAt = 0;
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.state = "connecting";
    const address = new URL(endpoints.events);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    address.search = new URLSearchParams({ channel: this.channel }).toString();
    const socket = this.socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened();
    socket.onmessage = event => received(this.channel, event.data);
    // Whatever ends a socket, `close` tells it, and once.
    socket.onclose = event => this.closed(event);
    showState();
  }

  opened() {
    this.state = "connected";
    if (this.everOpen) note(`${this.channel}: connected again after ${span(Date.now() - this.lostAt)}. Messages sent meanwhile were missed.`);
    this.everOpen = true;
    // A server that takes us and drops us at once must not be asked without a pause.
    this.steady = setTimeout(() => { this.attempts = 0; }, pauses.steady);
    showState();
  }

  closed(event) {
    clearTimeout(this.steady);
    if (this.state === "connected") {
      this.lostAt = Date.now();
      if (event.code === 4000) note(`${this.channel}: too many messages for this connection; the server ended it, and some were missed.`);
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
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }
}

// ---- Channels: kept in the address, so that a bookmark listens to the same ones. ----

const feeds = new Map();

function listen(channel) {
  const bytes = new TextEncoder().encode(channel).length;
  if (bytes === 0 || bytes > limits.channelBytes || channel.includes("\0")) return `A channel's name has 1 to ${limits.channelBytes} bytes.`;
  if (feeds.has(channel)) return `${channel} is listened to already.`;
  if (feeds.size >= limits.channels) return `This page listens to ${limits.channels} channels at most.`;
  feeds.set(channel, new Feed(channel));
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
  address.search = new URLSearchParams([...feeds.keys()].map(channel => ["channel", channel])).toString();
  history.replaceState(null, "", address);
}

at("add").onsubmit = event => {
  event.preventDefault();
  const problem = listen(at("channel").value);
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
at("listening").hidden = endpoints.events === null;
if (endpoints.events !== null) for (const channel of chosen.length > 0 ? chosen : ["events"]) listen(channel);
at("to").value = feeds.keys().next().value ?? "events";
at("pushing").hidden = at("try").hidden = endpoints.push === null;
at("no-push").hidden = endpoints.push !== null;
at("curl").textContent = `curl -d '{"message":"hi"}' -H 'content-type: application/json' ${endpoints.push}`;
showState();
