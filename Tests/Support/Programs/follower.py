# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Follows one channel by position: asks for frames that say where they stand, and comes back behind the last one.

usage: follower.py URL CHANNEL
prints: state POSITION recovered|missed / message TEXT / bytes HEX / lost CODE
"""

import asyncio
import sys
import urllib.parse

import websockets


class Follower:
    def __init__(self, url, channel):
        self.url = url
        self.channel = channel
        self.position = None

    def address(self):
        query = {"channel": self.channel, "positions": "true"}
        if self.position is not None:
            query["after"] = self.position
        return f"{self.url}?{urllib.parse.urlencode(query)}"

    def take(self, frame):
        if isinstance(frame, str):
            header, payload = frame.split("\n", 1)
        else:
            header, payload = frame.split(b"\n", 1)
            header = header.decode("ascii")
        words = header.split(" ")
        assert urllib.parse.unquote(words[-1]) == self.channel, header
        position = words[0].lstrip("=")
        if header.startswith("="):
            assert payload == ""
            print("state", position, words[1], flush=True)
            # Behind a start the past follows, which says its own positions.
            if self.position is None:
                self.position = position
            return
        self.position = position
        if isinstance(payload, str):
            print("message", payload, flush=True)
        else:
            print("bytes", payload.hex(), flush=True)

    async def listen(self):
        async with websockets.connect(self.address()) as socket:
            try:
                while True:
                    self.take(await socket.recv())
            except websockets.exceptions.ConnectionClosed:
                print("lost", socket.close_code, flush=True)

    async def run(self):
        while True:
            try:
                await self.listen()
            except (OSError, websockets.exceptions.WebSocketException, EOFError) as error:
                print("failed", type(error).__name__, file=sys.stderr, flush=True)
            await asyncio.sleep(0.1)


asyncio.run(Follower(sys.argv[1], sys.argv[2]).run())
