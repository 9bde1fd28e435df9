"use strict";

// One socket, at the path of the page: requests go out on it, and answers and notifications come in.

const at = (id) => document.getElementById(id);
const mostFrames = 200;
const mostUsers = 500;
const lineLength = innerWidth < 600 ? 36 : 92;
// Names of the page's own requests. What begins so is not shown.
const own = "page-list";

const examples = [
  ["List users", { method: "GET", url: "/user/list/", event_name: "get-user-list" }],
  ["Two of them", { method: "GET", url: "/user/list", args: { after: 1, limit: 2 }, event_name: "two" }],
  ["Create an address", {
    method: "POST", url: "/address/", data: { email_address: "grace@example.org" }, event_name: "create-address",
  }],
  ["Create a user", {
    method: "POST", url: "/user/",
    data: { name: "katherine", fullname: "Katherine Johnson", password: "a secret", addresses: [{ id: 1 }] },
    event_name: "create-user",
  }],
  ["Change user 2", { method: "PUT", url: "/user/2/", data: { fullname: "Rear Admiral Hopper" }, event_name: "rename" }],
  ["Delete user 5", { method: "DELETE", url: "/user/5", args: { token: "" }, event_name: "delete-user" }],
  ["Forget the method", { url: "/user/list/", event_name: "incomplete" }],
];

// MARK: The socket

let socket = null;
let attempts = 0;
let timer = 0;

function connect() {
  clearTimeout(timer);
  show("Connecting", "");
  const url = new URL("./?notify=users", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(url);
  socket.onopen = () => {
    attempts = 0;
    show("Connected", "open");
    at("send").disabled = false;
    // What changed while nobody listened is in the list.
    list();
  };
  socket.onmessage = (event) => received(event.data);
  socket.onclose = () => {
    at("send").disabled = true;
    listing = again = false;
    // Longer each time, up to half a minute, and never all clients at the same moment.
    const wait = Math.min(30_000, 500 * 2 ** attempts++) * (0.5 + Math.random() / 2);
    show(`Not connected, again in ${Math.ceil(wait / 1000)} s`, "lost");
    timer = setTimeout(connect, wait);
  };
}

addEventListener("online", () => { if (socket.readyState === WebSocket.CLOSED) connect(); });

// While the database is away the socket stays: requests are answered with errors, and nobody tells of changes.
async function look() {
  const known = at("state").className;
  if (document.hidden || (known !== "open" && known !== "stale")) return;
  let isThere;
  try { isThere = (await fetch("health")).ok; } catch { return; }
  if (at("state").className !== known || isThere === (known === "open")) return;
  if (isThere) { show("Connected", "open"); list(); } else show("Connected, but the database is away", "stale");
}
setInterval(look, 2000);

function show(text, name) {
  at("state").textContent = text;
  at("state").className = name;
}

function received(text) {
  let frame;
  try { frame = JSON.parse(text); } catch { return add("error", "not JSON", text); }
  const name = frame.event_name;
  if (typeof name === "string" && name.startsWith(own)) return listed(frame);
  if ("status" in frame) {
    const isError = frame.status >= 400;
    add(isError ? "error" : "answer", String(frame.status), pretty(frame), name);
    say(isError ? `Error ${frame.status}: ${frame.detail ?? ""}` : `Answered with ${frame.status}`);
  } else {
    add("news", "notification", pretty(frame), name);
    list(frame.data?.user?.id);
  }
}

// MARK: The list of users

let listing = false;
let again = false;
let changed = null;

// One at a time: what comes meanwhile is in the next one.
function list(id = null) {
  changed = id ?? changed;
  if (listing) { again = true; return; }
  listing = true;
  socket.send(JSON.stringify({ method: "GET", url: "/user/list", args: { limit: mostUsers }, event_name: own }));
}

function listed(frame) {
  listing = false;
  if (Array.isArray(frame.data)) at("users").replaceChildren(...frame.data.map(entry));
  changed = null;
  if (again) { again = false; list(); }
}

function entry(user) {
  const item = element("li", user.id === changed ? "changed" : "");
  item.append(element("span", "id", user.id), element("b", "", user.fullname));
  const addresses = user.addresses.map((address) => `${address.email_address} (${address.id})`);
  item.append(element("span", "more", [user.name, ...addresses].join(" · ")));
  return item;
}

// MARK: What went over the wire

function add(kind, label, text, name) {
  at("empty").hidden = true;
  const item = element("li", kind);
  const what = element("p", "what");
  what.append(element("span", "kind", label));
  if (name !== undefined) what.append(element("span", "", name));
  const time = element("time", "", new Date().toLocaleTimeString());
  what.append(time);
  item.append(what, element("pre", "", text));
  at("frames").prepend(item);
  while (at("frames").childElementCount > mostFrames) at("frames").lastElementChild.remove();
}

// What fits on a line stays on one.
function pretty(value, indent = "") {
  const line = JSON.stringify(value, null, 1).replace(/\n */g, " ");
  if (value === null || typeof value !== "object" || indent.length + line.length <= lineLength) return line;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const parts = Object.entries(value).map(([key, part]) => {
    const name = Array.isArray(value) ? "" : `${JSON.stringify(key)}: `;
    return inner + name + pretty(part, inner);
  });
  return `${open}\n${parts.join(",\n")}\n${indent}${close}`;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = String(text);
  return made;
}

function say(text) { at("spoken").textContent = text; }

// MARK: Asking

// A member a line, to be edited.
function layOut(frame) {
  return `{\n${Object.entries(frame).map(([key, value]) => `  ${JSON.stringify(key)}: ${pretty(value, "      ")}`).join(",\n")}\n}`;
}

function send() {
  const text = at("frame").value;
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(text);
  let name;
  try { name = JSON.parse(text)?.event_name; } catch { /* It is shown as it is. */ }
  add("sent", "sent", text, typeof name === "string" ? name : undefined);
}

at("asking").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
at("frame").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
});
at("clear").addEventListener("click", () => {
  at("frames").replaceChildren();
  at("empty").hidden = false;
});

for (const [label, frame] of examples) {
  const button = element("button", "", label);
  button.type = "button";
  button.addEventListener("click", () => {
    at("frame").value = layOut(frame);
    at("frame").focus();
  });
  at("examples").append(button);
}
at("frame").value = layOut(examples[0][1]);
connect();
