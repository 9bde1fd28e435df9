"use strict";

// What is shown comes from the socket alone: first all todos, then each change, whoever made it. What is done here is asked of
// the server by HTTP, and is seen when the socket tells of it.

const api = "/api/todos/";
const $ = (id) => document.getElementById(id);
const todos = new Map();
const rows = new Map();

// The socket

let failures = 0;
let retry;

function connect() {
  clearTimeout(retry);
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${api}`);
  socket.onmessage = (event) => {
    failures = 0;
    const told = JSON.parse(event.data);
    if (Array.isArray(told)) begin(told); else change(told);
    show();
    say("live");
  };
  socket.onclose = () => {
    // Twice as long each time, and never all pages at the same moment.
    const pause = Math.min(8000, 250 * 2 ** failures++) * (0.5 + Math.random() / 2);
    say("away");
    retry = setTimeout(connect, pause);
  };
  window.ononline = () => {
    if (socket.readyState === WebSocket.CLOSED) connect();
  };
}

function begin(all) {
  todos.clear();
  for (const todo of all) todos.set(todo.id, todo);
}

function change({ action, ...todo }) {
  if (action === "TRUNCATE") todos.clear();
  else if (action === "DELETE") todos.delete(todo.id);
  else todos.set(todo.id, todo);
}

const words = { live: "live", stale: "the database is away: this was last known", away: "not connected, trying again" };

function say(state) {
  if ($("state").dataset.state === state) return;
  $("state").dataset.state = state;
  $("state").textContent = words[state];
}

// While the database is away the socket stays, and says nothing.
async function look() {
  const known = $("state").dataset.state;
  if (document.hidden || (known !== "live" && known !== "stale")) return;
  let state;
  try { state = (await fetch("health")).ok ? "live" : "stale"; } catch { return; }
  if ($("state").dataset.state === known) say(state);
}
setInterval(look, 2000);

// Asking

async function ask(method, path, body) {
  $("error").hidden = true;
  let problem;
  try {
    const answer = await fetch(api + path, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
    if (answer.ok) return true;
    problem = (await answer.json()).error.message;
  } catch {
    problem = "The server cannot be reached. Nothing was changed.";
  }
  $("error").textContent = problem;
  $("error").hidden = false;
  show();
  return false;
}

// Showing

const shows = { "#/active": (todo) => !todo.completed, "#/completed": (todo) => todo.completed };

function show() {
  const all = [...todos.values()].sort((a, b) =>
    Date.parse(a.created_time) - Date.parse(b.created_time) || (a.created_time < b.created_time ? -1 : 1));
  const shown = all.filter(shows[location.hash] ?? (() => true));
  const ids = new Set(shown.map((todo) => todo.id));
  // Whoever works by keyboard goes on beside what has gone; who is typing goes on typing, and changes no other todo by that.
  const isTyping = document.activeElement.matches(".edit-field");
  const focused = [...$("list").children].findIndex((item) => item.contains(document.activeElement));
  let isGone = false;
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    isGone ||= row.item.contains(document.activeElement);
    row.item.remove();
    rows.delete(id);
  }
  shown.forEach((todo, index) => {
    const row = rows.get(todo.id) ?? makeRow(todo.id);
    row.update(todo);
    const there = $("list").children[index];
    if (there !== row.item) $("list").insertBefore(row.item, there ?? null);
  });
  if (isGone) {
    const next = isTyping ? null : $("list").children[Math.min(focused, shown.length - 1)];
    (next?.querySelector("input") ?? $("title")).focus();
  }
  const active = all.filter((todo) => !todo.completed).length;
  $("count").textContent = `${active} ${active === 1 ? "item" : "items"} left`;
  $("all").checked = all.length > 0 && active === 0;
  $("all-label").hidden = $("footer").hidden = all.length === 0;
  const clears = active < all.length;
  if (!clears && document.activeElement === $("clear")) $("title").focus();
  $("clear").hidden = !clears;
  $("none").hidden = shown.length > 0;
  for (const link of document.querySelectorAll("nav a")) {
    const isThis = link.hash === (shows[location.hash] ? location.hash : "#/");
    if (isThis) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
  }
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

function makeRow(id) {
  const item = element("li");
  const check = element("input", { type: "checkbox", id: `done-${id}` });
  const title = element("span", { className: "title" });
  const edit = element("button", { type: "button", className: "edit", textContent: "Edit" });
  const remove = element("button", { type: "button", className: "delete", textContent: "Delete" });
  item.append(check, title, edit, remove);
  item.dataset.id = id;

  check.onchange = () => ask("PUT", `${id}/`, { completed: check.checked });
  remove.onclick = () => ask("DELETE", `${id}/`);
  title.ondblclick = edit.onclick = () => beginEdit(id, item, title, edit);

  const row = {
    item,
    update(todo) {
      item.classList.toggle("done", todo.completed);
      check.checked = todo.completed;
      title.textContent = todo.title;
      check.setAttribute("aria-label", `${todo.title}: done`);
      edit.setAttribute("aria-label", `Edit ${todo.title}`);
      remove.setAttribute("aria-label", `Delete ${todo.title}`);
    },
  };
  rows.set(id, row);
  return row;
}

function beginEdit(id, item, title, edit) {
  if (item.querySelector(".edit-field")) return;
  const before = todos.get(id)?.title ?? "";
  const field = element("input", { className: "edit-field", value: before, maxLength: 512 });
  field.setAttribute("aria-label", `New title of ${before}`);
  title.hidden = true;
  title.before(field);
  field.focus();
  field.select();

  let isOver = false;
  async function end(saves, focuses) {
    if (isOver) return;
    isOver = true;
    const text = field.value.trim();
    // As TodoMVC has it: without a title it is deleted.
    const done = !saves || text === before || (text ? await ask("PUT", `${id}/`, { title: text }) : await ask("DELETE", `${id}/`));
    if (!done) {
      // What was typed is not lost.
      isOver = false;
      return field.focus();
    }
    field.remove();
    title.hidden = false;
    if (focuses) edit.focus();
  }
  field.onkeydown = (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") end(true, true);
    if (event.key === "Escape") end(false, true);
  };
  field.onblur = () => { if (item.isConnected) end(true, false); };
}

$("new").onsubmit = async (event) => {
  event.preventDefault();
  const title = $("title").value.trim();
  if (!title) return;
  if (await ask("POST", "", { title }) && $("title").value.trim() === title) $("title").value = "";
};
$("all").onchange = () => ask("PUT", "", { completed: $("all").checked });
$("clear").onclick = () => ask("DELETE", "?completed=true");
window.onhashchange = show;

connect();
