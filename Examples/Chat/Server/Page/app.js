"use strict";
const limits = { shown: 1000, remembered: 4000, pending: 50, near: 60 };
const pauses = { first: 250, longest: 10000, steady: 5000, unanswered: 10000, typing: 2000, typingAgain: 1000, typingShown: 4000, rooms: 5000, look: 2000 };
const at = id => document.getElementById(id);
const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
// `randomUUID` is there on secure pages only.
const newID = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");
// A person is a tab: it keeps its id when it is loaded again, and when it comes back by another server.
const stored = (key, make) => {
  if (!sessionStorage.getItem(key)) sessionStorage.setItem(key, make());
  return sessionStorage.getItem(key);
};
const me = { id: stored("id", newID), name: sessionStorage.getItem("name") ?? "" };

// ---- A stay in a room: one socket at a time, until it is left. ----

class Stay {
  constructor(room) {
    this.room = room;
    // Behind which message to go on, and which messages are here already.
    this.position = null;
    this.seen = new Set();
    // What was said here and has not come back, the oldest first. One is under way at a time, so that their order holds.
    this.pending = [];
    this.underWay = null;
    this.attempts = 0;
    this.everOpen = false;
    this.isReady = false;
  }

  open() {
    clearTimeout(this.timer);
    if (this.isOver || this.socket) return;
    const address = new URL(`rooms/${this.room}`, location.href);
    address.hash = "";
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const query = { id: me.id, name: me.name };
    if (this.position !== null) query.after = this.position;
    address.search = new URLSearchParams(query).toString();
    showState("wait", "Connecting");
    const socket = this.socket = new WebSocket(address);
    socket.onmessage = event => { if (socket === this.socket) this.hear(JSON.parse(event.data)); };
    socket.onclose = () => { if (socket === this.socket) this.closed(); };
    this.patience = setTimeout(() => this.lost(), pauses.unanswered);
  }

  hear(frame) {
    switch (frame.type) {
    case "welcome":
      this.everOpen = true;
      this.server = frame.server;
      this.steady = setTimeout(() => { this.attempts = 0; }, pauses.steady);
      at("log").ariaBusy = "true";
      break;
    case "message": this.message(frame); break;
    case "ready":
      if (frame.position) this.position = frame.position;
      this.isReady = true;
      clearTimeout(this.patience);
      at("log").ariaBusy = "false";
      this.showOpen(true);
      this.sayNext();
      break;
    case "missed": note("Some messages are missing here."); break;
    case "people": people.clear(); for (const person of frame.people) people.set(person.id, person.name); showPeople(); break;
    case "joined": case "renamed": people.set(frame.person.id, frame.person.name); showPeople(); break;
    case "left": people.delete(frame.person.id); typists.delete(frame.person.id); showPeople(); showTyping(); break;
    case "typing": typed(frame.person); break;
    case "error": this.refused(frame); break;
    }
  }

  message(frame) {
    if (frame.position) this.position = frame.position;
    const key = `${frame.from.id} ${frame.id}`;
    // Somebody who did not know whether it was said has said it twice.
    if (this.seen.has(key)) return;
    this.seen.add(key);
    if (this.seen.size > limits.remembered) this.seen.delete(this.seen.values().next().value);
    typists.delete(frame.from.id);
    showTyping();
    const mine = frame.from.id === me.id ? this.pending.findIndex(one => one.id === frame.id) : -1;
    if (mine >= 0) this.pending.splice(mine, 1)[0].element.remove();
    show(frame);
    if (this.underWay !== frame.id) return;
    this.settle();
    this.sayNext();
  }

  say(text) {
    const said = { id: newID(), text, from: me, at: Date.now() };
    said.element = item(said, true);
    this.pending.push(said);
    at("log").append(said.element);
    toEnd();
    this.sayNext();
  }

  sayNext() {
    if (!this.isReady || this.underWay !== null || this.pending.length === 0) return;
    const said = this.pending[0];
    this.underWay = said.id;
    this.socket.send(JSON.stringify({ type: "say", id: said.id, text: said.text }));
    // A connection that has gone without a word is noticed by this.
    this.patience = setTimeout(() => this.lost(), pauses.unanswered);
  }

  settle() {
    clearTimeout(this.patience);
    this.underWay = null;
  }

  refused(frame) {
    if (frame.id === undefined || frame.id !== this.underWay) return;
    if (frame.code === "too_fast") {
      trouble(`${frame.message} It is said as soon as it may be.`);
      clearTimeout(this.patience);
      this.patience = setTimeout(() => { trouble(""); this.settle(); this.sayNext(); }, frame.retryAfter + 50);
      return;
    }
    trouble(frame.message);
    this.settle();
    this.pending.shift().element.remove();
    this.sayNext();
  }

  showOpen(hasBroker) {
    if (hasBroker) showState("open", `Connected to server ${this.server}`, this.server);
    else showState("wait", "No message gets through now", this.server);
  }

  typing() { if (this.isReady) this.socket.send(JSON.stringify({ type: "typing" })); }

  // Gives a socket up that may never say that it is closed.
  lost() {
    const socket = this.socket;
    this.closed();
    socket?.close();
  }

  closed() {
    clearTimeout(this.steady);
    this.settle();
    this.socket = null;
    this.isReady = false;
    this.attempts += 1;
    // Twice as long each time, and a random part of it, so that not all people come back at once.
    const pause = Math.min(pauses.longest, pauses.first * 2 ** (this.attempts - 1)) * (0.5 + Math.random() / 2);
    this.nextTry = Date.now() + pause;
    this.timer = setTimeout(() => this.open(), pause);
    showState("closed", this.everOpen || this.attempts < 3 ? "Connection lost" : "Out of reach");
  }

  end() {
    this.isOver = true;
    clearTimeout(this.timer);
    clearTimeout(this.steady);
    clearTimeout(this.patience);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}

let stay = null;

function enter(room) {
  leave();
  location.hash = room;
  document.title = `#${room} · Chat`;
  at("title").textContent = room;
  at("door").hidden = true;
  at("inside").hidden = false;
  // On a phone the conversation has the room.
  at("who").open = innerWidth > 700;
  stay = new Stay(room);
  stay.open();
  at("text").focus();
}

function leave() {
  stay?.end();
  stay = null;
  for (const timer of typists.values()) clearTimeout(timer.timer);
  for (const known of [people, typists, namesakes]) known.clear();
  for (const list of ["log", "people"]) at(list).replaceChildren();
  trouble("");
  showTyping();
}

// ---- Connection ----

function showState(state, text, server) {
  at("state").className = state;
  if (at("state").textContent !== text) at("state").textContent = text;
  at("state").dataset.server = server ?? "";
  showRetry();
}

function showRetry() {
  const seconds = stay && !stay.socket ? Math.ceil((stay.nextTry - Date.now()) / 1000) : 0;
  at("retry").textContent = seconds > 0 ? `Next try in ${seconds} s` : "";
}
setInterval(showRetry, 1000);

// While Redis is away the socket stays, and says nothing.
async function look() {
  const asked = stay;
  if (!asked?.isReady || document.hidden) return;
  let hasBroker;
  try { hasBroker = (await fetch("health")).ok; } catch { return; }
  if (stay === asked && asked.isReady) asked.showOpen(hasBroker);
}
setInterval(look, pauses.look);
const tryNow = () => stay?.open();
addEventListener("online", tryNow);
document.addEventListener("visibilitychange", () => { if (!document.hidden) tryNow(); });

// ---- People. Those of one name are told apart by the end of their ids. ----

const people = new Map();
const namesakes = new Map();
const plain = name => name.normalize("NFKC").toLowerCase();
const hue = id => [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);

function who(person, isMe) {
  const element = make("span", "who");
  element.style.setProperty("--hue", hue(person.id));
  element.dataset.person = person.id;
  element.dataset.name = person.name;
  // The name has its own direction of writing, and does not turn that of what stands beside it.
  const name = make("b");
  name.append(make("bdi", "", person.name));
  element.append(name, make("span", "tag", ` #${person.id.slice(-4)}`));
  if (isMe) element.append(make("span", "soft small", " (you)"));
  const ids = namesakes.get(plain(person.name)) ?? new Set();
  namesakes.set(plain(person.name), ids.add(person.id));
  tell(element);
  return element;
}

// Whether a name needs more than itself.
function tell(element) { element.querySelector(".tag").hidden = namesakes.get(plain(element.dataset.name)).size < 2; }

function face(person) {
  const element = make("span", "face", [...person.name][0].toUpperCase());
  element.style.setProperty("--hue", hue(person.id));
  element.ariaHidden = "true";
  return element;
}

function showPeople() {
  const all = [...people].map(([id, name]) => ({ id, name }));
  all.sort((one, other) => one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1));
  at("people").replaceChildren(...all.map(person => {
    const element = make("li");
    element.append(face(person), who(person, person.id === me.id));
    return element;
  }));
  at("count").textContent = all.length;
  document.querySelectorAll(".who").forEach(tell);
}

const typists = new Map();

function typed(person) {
  clearTimeout(typists.get(person.id)?.timer);
  const timer = setTimeout(() => { typists.delete(person.id); showTyping(); }, pauses.typingShown);
  typists.set(person.id, { name: person.name, timer });
  showTyping();
}

function showTyping() {
  const names = [...typists.values()].map(one => one.name);
  at("typing").textContent =
    names.length === 0 ? "" : names.length > 3 ? `${names.length} people are typing…`
    : `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} typing…`;
}

// ---- The conversation ----

const isAtEnd = () => at("scroll").scrollHeight - at("scroll").scrollTop - at("scroll").clientHeight < limits.near;
const toEnd = () => { at("scroll").scrollTop = at("scroll").scrollHeight; at("down").hidden = true; };

function item(said, isPending) {
  const element = make("li", said.from.id === me.id ? "said mine" : "said");
  element.dataset.id = said.id;
  element.dataset.from = said.from.id;
  element.dataset.at = said.at;
  const date = new Date(said.at);
  const time = make("time", "", date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = date.toISOString();
  time.title = date.toLocaleString();
  const head = make("div", "head");
  head.append(who(said.from), time);
  element.append(face(said.from), head, make("div", "body", said.text));
  if (isPending) {
    element.classList.add("pending");
    time.textContent = "on its way";
  }
  return element;
}

function show(said) {
  const wasAtEnd = isAtEnd();
  const element = item(said, false);
  const pending = at("log").querySelector(".pending");
  const before = pending ? pending.previousElementSibling : at("log").lastElementChild;
  // Who goes on talking needs no second head.
  if (before?.dataset.from === said.from.id && said.at - before.dataset.at < 300000) element.classList.add("more");
  at("log").insertBefore(element, pending);
  while (at("log").childElementCount > limits.shown) at("log").firstElementChild.remove();
  document.querySelectorAll(".who").forEach(tell);
  if (wasAtEnd || said.from.id === me.id) toEnd(); else at("down").hidden = false;
}

function note(text) {
  const wasAtEnd = isAtEnd();
  at("log").insertBefore(make("li", "note", text), at("log").querySelector(".pending"));
  if (wasAtEnd) toEnd();
}

at("down").onclick = toEnd;
at("scroll").onscroll = () => { if (isAtEnd()) at("down").hidden = true; };
addEventListener("resize", () => { if (isAtEnd()) toEnd(); });

// ---- Saying ----

function trouble(text) { at("trouble").textContent = text; }

let lastTyping = 0;

at("saying").onsubmit = event => {
  event.preventDefault();
  const text = at("text").value.trim();
  if (text === "" || !stay) return;
  if (stay.pending.length >= limits.pending) return trouble("Too much is on its way. Wait until the connection is back.");
  trouble("");
  stay.say(text);
  // What comes next is typed anew.
  lastTyping = Math.min(lastTyping, Date.now() - pauses.typing + pauses.typingAgain);
  at("text").value = "";
  at("text").focus();
};
at("text").onkeydown = event => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  at("saying").requestSubmit();
};
at("text").oninput = () => {
  if (at("text").value === "" || Date.now() - lastTyping < pauses.typing) return;
  lastTyping = Date.now();
  stay?.typing();
};

// ---- The door ----

at("entering").onsubmit = event => {
  event.preventDefault();
  const name = at("name").value.trim();
  // The server's rule, told before it is asked.
  const isName = /^(?:[^\p{Cc}\p{Cf}\p{Z}]|[ \u200c\u200d])+$/u.test(name) && /[^\p{Cc}\p{Cf}\p{Z}]/u.test(name);
  at("wrong").textContent = isName ? "" : "A name has 1 to 32 characters, none of them invisible.";
  if (at("wrong").textContent !== "") return at("name").focus();
  me.name = name;
  sessionStorage.setItem("name", name);
  enter(at("room").value);
};

at("leave").onclick = () => {
  leave();
  history.replaceState(null, "", location.pathname);
  document.title = "Chat";
  at("inside").hidden = true;
  at("door").hidden = false;
  showRooms();
  at("name").focus();
};

async function showRooms() {
  if (at("door").hidden || document.hidden) return;
  let rooms = [];
  try { rooms = (await (await fetch("rooms")).json()).rooms ?? []; } catch { /* It is asked again. */ }
  const known = [...new Set(["lobby", "kitchen", ...rooms])];
  at("known").replaceChildren(...known.map(room => Object.assign(make("option"), { value: room })));
  at("open-rooms").replaceChildren(...rooms.slice(0, 24).map(room => {
    const element = make("li");
    const button = make("button", "", `#${room}`);
    button.type = "button";
    button.onclick = () => { at("room").value = room; };
    element.append(button);
    return element;
  }));
}
setInterval(showRooms, pauses.rooms);

// The room stands in the address, so that it can be passed on.
const roomAsked = () => /^#[a-z0-9-]{1,32}$/.test(location.hash) ? location.hash.slice(1) : null;
addEventListener("hashchange", () => { if (stay && roomAsked() && roomAsked() !== stay.room) enter(roomAsked()); });

at("name").value = me.name;
if (roomAsked()) at("room").value = roomAsked();
// Who loads the page again is where he was.
if (me.name !== "" && roomAsked()) enter(roomAsked()); else { showRooms(); at("name").focus(); }
