# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Listens to a WebSocket, reads each message as JSON and prints it; comes back when the connection is lost.

usage: subscriber.py URL
prints: connected / message JSON / lost CODE
"""

import asyncio
import json
import sys

import websockets


async def listen(url):
    async with websockets.connect(url) as socket:
        print("connected", flush=True)
        try:
            while True:
                message = json.loads(await socket.recv())
                print("message", json.dumps(message, ensure_ascii=False), flush=True)
        except websockets.exceptions.ConnectionClosed:
            print("lost", socket.close_code, flush=True)


async def main(url):
    while True:
        try:
            await listen(url)
        except (OSError, websockets.exceptions.WebSocketException, EOFError) as error:
            print("failed", type(error).__name__, file=sys.stderr, flush=True)
        await asyncio.sleep(0.1)


asyncio.run(main(sys.argv[1]))
