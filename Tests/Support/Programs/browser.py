# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Drives one page of a headless Chromium over the DevTools protocol, by a pipe.

usage: browser.py CHROMIUM WIDTH HEIGHT
Reads a command a line, `VERB ARGUMENT`, and answers each with one line: `ok VALUE` or `error WHY`.
Prints `ready` first. Chromium ends when this program does, since it loses its pipe.
"""

import base64
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 50.0


class Browser:
    def __init__(self, chromium, width, height, profile):
        self.reading, answers = os.pipe()
        commands, self.writing = os.pipe()
        # Away from 3 and 4, which Chromium reads commands from and writes answers to.
        theirs_read, theirs_write = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (commands, answers))
        for end in (commands, answers):
            os.close(end)
        options = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--remote-debugging-pipe", f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank",
        ]  # fmt: skip
        plumbing = f'exec "$@" 3<&{theirs_read} 4>&{theirs_write} {theirs_read}<&- {theirs_write}>&-'
        self.chromium = subprocess.Popen(
            ["/bin/bash", "-c", plumbing, "bash", chromium, *options],
            pass_fds=(theirs_read, theirs_write), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": profile},
        )  # fmt: skip
        os.close(theirs_read)
        os.close(theirs_write)
        self.received = b""
        self.number = 0
        self.problems = []
        self.loaded = False

        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")
        mobile = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if mobile else 1, mobile=mobile,
        )  # fmt: skip

    session = None

    # The protocol

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writing, data):]
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.receive(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def receive(self, deadline):
        while b"\0" not in self.received:
            if not select.select([self.reading], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            part = os.read(self.reading, 1 << 20)
            if not part:
                raise RuntimeError("Chromium has ended")
            self.received += part
        text, self.received = self.received.split(b"\0", 1)
        message = json.loads(text)
        self.note(message.get("method"), message.get("params", {}))
        return message

    def note(self, event, details):
        if event == "Page.loadEventFired":
            self.loaded = True
        elif event == "Runtime.exceptionThrown":
            thrown = details["exceptionDetails"]
            self.problems.append("uncaught " + thrown.get("exception", {}).get("description", thrown["text"]))
        elif event == "Runtime.consoleAPICalled" and details["type"] in ("error", "assert"):
            self.problems.append("console " + " ".join(str(one.get("value")) for one in details["args"]))
        elif event == "Log.entryAdded" and details["entry"]["level"] == "error":
            entry = details["entry"]
            # A server that is away is no fault of the page: Chromium reports it as a network error, and for
            # WebSockets as one of JavaScript.
            if entry["source"] != "network" and "WebSocket connection to" not in entry["text"]:
                self.problems.append(f"{entry['source']} {entry['text']}")

    # The verbs

    def open(self, url):
        self.problems, self.loaded = [], False
        failure = self.call("Page.navigate", url=url).get("errorText")
        if failure:
            raise RuntimeError(failure)
        deadline = time.monotonic() + PATIENCE
        while not self.loaded:
            self.receive(deadline)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            thrown = result["exceptionDetails"]
            raise RuntimeError(thrown.get("exception", {}).get("description", thrown["text"]))
        value = result["result"].get("value")
        return value if isinstance(value, str) else json.dumps(value)

    def wait(self, expression):
        deadline = time.monotonic() + PATIENCE
        while self.evaluate(f"!!({expression})") != "true":
            if time.monotonic() > deadline:
                page = self.evaluate("document.body ? document.body.innerText : ''")
                raise TimeoutError(f"never true; the page says: {page}; problems: {self.problems}")
            time.sleep(0.02)

    def focus(self, selector):
        found = f"document.querySelector({json.dumps(selector)})"
        if self.evaluate(f"{found} ? ({found}.focus(), {found}.select && {found}.select(), true) : false") != "true":
            raise RuntimeError(f"no {selector}")

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key):
        text = {"text": "\r"} if key == "Enter" else {}
        code = {"Enter": 13, "Escape": 27, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def double(self, selector):
        self.click(selector)
        self.click(selector, 2)

    def click(self, selector, count=1):
        found = f"document.querySelector({json.dumps(selector)})"
        place = json.loads(self.evaluate(
            f"(() => {{ const e = {found}; if (!e) return null; e.scrollIntoView({{block: 'center', behavior: 'instant'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
        ))  # fmt: skip
        if place is None:
            raise RuntimeError(f"no {selector}")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=count)

    def screenshot(self, path):
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def close(self):
        """Asked first, so that its other processes end too and none still writes to the profile."""
        try:
            self.session = None
            self.call("Browser.close")
            self.chromium.wait(10)
        except Exception:
            self.chromium.kill()
            self.chromium.wait()

    def report(self, _):
        self.evaluate("0")  # takes in what has been said until now
        return "\x1f".join(self.problems)


def main():
    # Ends as any program does, so that Chromium's profile is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), profile)
        verbs = {
            "open": browser.open, "evaluate": browser.evaluate, "wait": browser.wait, "focus": browser.focus,
            "type": browser.type, "press": browser.press, "click": browser.click, "double": browser.double,
            "screenshot": browser.screenshot, "problems": browser.report,
        }  # fmt: skip
        print("ready", flush=True)
        try:
            for line in sys.stdin:
                verb, _, argument = line.rstrip("\n").partition(" ")
                try:
                    value = verbs[verb](argument)
                    print("ok", "" if value is None else value.replace("\n", " "), flush=True)
                except Exception as error:
                    print("error", str(error).replace("\n", " "), flush=True)
        finally:
            browser.close()


main()
