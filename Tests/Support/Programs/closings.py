# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Opens many WebSockets and says how each was closed by the server.

usage: closings.py URL COUNT
prints: open COUNT, when all stand / each has N, when all have so many messages / first CODE, when one is closed /
        messages TOTAL / closed CODE COUNT, for each code / spread SECONDS, from the first to the last / done
"""

import asyncio
import collections
import sys
import time

import websockets


ends = []
# How many sockets have so many messages.
reached = collections.Counter()


async def drain(socket, count):
    messages = 0
    try:
        while True:
            await socket.recv()
            messages += 1
            reached[messages] += 1
            if reached[messages] == count:
                print("each has", messages, flush=True)
    except websockets.exceptions.ConnectionClosed:
        if not ends:
            print("first", socket.close_code, flush=True)
        ends.append(time.monotonic())
        return messages, socket.close_code


async def main(url, count):
    sockets = await asyncio.gather(
        *(websockets.connect(url, ping_interval=None) for _ in range(count))
    )
    print("open", len(sockets), flush=True)
    results = await asyncio.gather(*(drain(socket, count) for socket in sockets))
    print("messages", sum(messages for messages, _ in results))
    for code, times in sorted(collections.Counter(code for _, code in results).items()):
        print("closed", code, times)
    print("spread", ends[-1] - ends[0])
    print("done", flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
