# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Prints what comes on a WebSocket, read as JSON. After a lost connection it comes back once, some seconds later.

usage: events.py URL [SECONDS]
prints: Connected / got VALUE, as Python writes it / lost
"""

import asyncio
import json
import sys

import websockets


async def listen(url):
    async with websockets.connect(url) as socket:
        print("Connected", flush=True)
        while True:
            print("got", json.loads(await socket.recv()), flush=True)


async def main(url, pause=3.0):
    try:
        await listen(url)
    except websockets.exceptions.ConnectionClosed:
        print("lost", flush=True)
        await asyncio.sleep(pause)
        await listen(url)


asyncio.run(main(sys.argv[1], *map(float, sys.argv[2:])))
