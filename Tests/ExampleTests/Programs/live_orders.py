# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""A client of /order_events that keeps the digits of numbers.

usage: live_orders.py URL ORIGIN MESSAGE...     an ORIGIN of "" is none
prints: connected / frame JSON / closed CODE REASON
"""

import asyncio
import json
import sys

import websockets


async def main(url, origin, messages):
    async with websockets.connect(url, origin=origin or None) as socket:
        print("connected", flush=True)
        for message in messages:
            await socket.send(message)
        try:
            while True:
                frame = json.loads(await socket.recv(), parse_float=str)
                print("frame", json.dumps(frame, ensure_ascii=False, sort_keys=True), flush=True)
        except websockets.exceptions.ConnectionClosed:
            print("closed", socket.close_code, socket.close_reason, flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
