"use strict";
const limits = { lines: 50, mark: 1500 };
const pauses = { first: 500, longest: 15000, look: 2000 };
const at = id => document.getElementById(id);
const rows = new Map();
let attempts = 0;

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

// A price may have more digits than a JavaScript number: browsers that give the text of a number let it stay as it is.
const parse = text => JSON.parse(text, (key, value, context) => key === "price" && context && context.source || value);

// ---- The table ----

function mark(row, className) {
  row.className = className;
  setTimeout(() => { if (row.className === className) row.className = ""; }, limits.mark);
}

function put(order, className) {
  let row = rows.get(order.id);
  if (!row) {
    row = make("tr");
    row.dataset.id = order.id;
    rows.set(order.id, row);
    // The newest on top.
    const behind = [...at("orders").children].find(other => Number(other.dataset.id) < order.id);
    at("orders").insertBefore(row, behind || null);
  }
  row.replaceChildren(make("td", order.id), make("td", order.name), make("td", order.quantity), make("td", order.price));
  if (className) mark(row, className);
}

function take(order) {
  const row = rows.get(order.id);
  rows.delete(order.id);
  if (!row) return;
  row.className = "gone";
  row.removeAttribute("data-id");
  setTimeout(() => row.remove(), limits.mark);
}

function replace(orders) {
  rows.clear();
  at("orders").replaceChildren();
  for (const order of orders) put(order);
}

function count() {
  at("count").textContent = rows.size;
  at("none").hidden = rows.size > 0;
}

// ---- What happened ----

function note(text) {
  const now = new Date();
  const time = make("time", now.toLocaleTimeString([], { hour12: false }));
  time.dateTime = now.toISOString();
  const line = make("li");
  line.append(time, text);
  at("log").prepend(line);
  while (at("log").children.length > limits.lines) at("log").lastChild.remove();
}

const words = order => `${order.id}: ${order.quantity} × ${order.name}, ${order.price}`;

const received = {
  "Orders": orders => replace(orders),
  "New order": order => { put(order, "new"); note(`New order ${words(order)}`); },
  "Order update": order => { put(order, "changed"); note(`Changed order ${words(order)}`); },
  "Order deleted": order => { take(order); note(`Order ${order.id} is done: ${order.name}`); },
  "All orders deleted": () => { replace([]); note("All orders are done"); },
};

// ---- The socket ----

const texts = { live: "live", away: "the database is away: these are the last orders known", lost: "connection lost, trying again" };

function show(state) {
  if (at("state").dataset.state === state) return;
  at("state").dataset.state = state;
  at("state").textContent = texts[state];
}

function connect() {
  const address = new URL("order_events", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address);
  socket.onopen = () => socket.send(JSON.stringify({ method: "subscribe", channel: "orders", state: true }));
  socket.onmessage = event => {
    const { message, data } = parse(event.data);
    if (message === "Orders") {
      attempts = 0;
      show("live");
    }
    if (received[message]) received[message](data);
    count();
  };
  socket.onclose = () => {
    // Twice as long each time, and not all pages at once.
    const pause = Math.min(pauses.first * 2 ** attempts++, pauses.longest) * (0.5 + Math.random() / 2);
    show("lost");
    setTimeout(connect, pause);
  };
}

// While the database is away the socket stays, and says nothing.
async function look() {
  const known = at("state").dataset.state;
  if (document.hidden || (known !== "live" && known !== "away")) return;
  let state;
  try { state = (await fetch("health")).ok ? "live" : "away"; } catch { return; }
  if (at("state").dataset.state === known) show(state);
}

setInterval(look, pauses.look);
connect();
