# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Is one person in one room of the chat, and comes back behind the last message when it has lost its connection.

usage: chatter.py URL ROOM NAME ID [POSITION]      with POSITION it begins behind that message
Reads a command a line: `say TEXT` says it until it has come back, `raw TEXT` sends a frame as it is.
prints: server NAME PORT / frame JSON / lost CODE / refused STATUS BODY
"""

import asyncio
import json
import sys
import urllib.parse
import uuid

import websockets


class Chatter:
    def __init__(self, url, room, name, person, after=None):
        self.address = f"{url}/rooms/{urllib.parse.quote(room, safe='')}"
        self.query = {"id": person, "name": name, **({"after": after} if after else {})}
        self.person = person
        # What is to be said, the oldest first. The first is under way while `under_way` says so.
        self.pending = []
        self.under_way = False
        self.socket = None
        self.ready = False

    async def say_next(self):
        if self.ready and self.pending and not self.under_way:
            self.under_way = True
            identifier, text = self.pending[0]
            await self.socket.send(json.dumps({"type": "say", "id": identifier, "text": text}))

    async def hear(self, frame):
        if "position" in frame:
            self.query["after"] = frame["position"]
        if frame["type"] == "ready":
            self.ready = True
        elif frame["type"] == "message" and frame["from"]["id"] == self.person:
            # It may come back in the past, after a connection that was lost before its answer.
            if self.pending and self.pending[0][0] == frame["id"]:
                self.pending.pop(0)
                self.under_way = False
        elif frame["type"] == "error" and frame["code"] == "too_fast" and self.under_way:
            await asyncio.sleep(frame["retryAfter"] / 1000)
            self.under_way = False
        await self.say_next()

    async def listen(self):
        async with websockets.connect(f"{self.address}?{urllib.parse.urlencode(self.query)}") as self.socket:
            self.ready = self.under_way = False
            try:
                while True:
                    text = await self.socket.recv()
                    print("frame", text, flush=True)
                    await self.hear(json.loads(text))
            except websockets.exceptions.ConnectionClosed:
                print("lost", self.socket.close_code, flush=True)

    async def follow(self):
        while True:
            try:
                await self.listen()
            except websockets.exceptions.InvalidStatus as error:
                response = error.response
                print("refused", response.status_code, response.body.decode(), flush=True)
                if response.status_code == 400:
                    return
            except (OSError, websockets.exceptions.WebSocketException, EOFError) as error:
                print("failed", type(error).__name__, file=sys.stderr, flush=True)
            self.ready = False
            await asyncio.sleep(0.1)

    async def obey(self):
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            verb, _, text = line.rstrip("\n").partition(" ")
            if verb == "say":
                self.pending.append((uuid.uuid4().hex, text))
                await self.say_next()
            else:
                await self.socket.send(text)

    async def run(self):
        await asyncio.gather(self.follow(), self.obey())


asyncio.run(Chatter(*sys.argv[1:]).run())
