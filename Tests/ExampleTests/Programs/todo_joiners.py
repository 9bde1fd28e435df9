# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Clients of todos that come at random moments, while each todo's title is counted up from 0.

usage: todo_joiners.py URL CLIENTS SECONDS LAST
Each client checks that behind its state no number is missing and none comes twice, and ends when all titles are LAST.
prints: joined NUMBER STATES (the sum of the titles in its first state) / wrong WHAT / done
"""

import asyncio
import json
import random
import sys

import websockets


async def follow(url, number, seconds, last):
    await asyncio.sleep(random.random() * seconds)
    titles = {}
    async with websockets.connect(url) as socket:
        while not titles or any(title < last for title in titles.values()):
            told = json.loads(await asyncio.wait_for(socket.recv(), 60))
            if isinstance(told, list):
                if titles:
                    print("wrong", number, "a second state", flush=True)
                titles = {todo["id"]: int(todo["title"]) for todo in told}
                print("joined", number, sum(titles.values()), flush=True)
            elif int(told["title"]) == titles[told["id"]] + 1:
                titles[told["id"]] += 1
            else:
                print("wrong", number, told["title"], "behind", titles[told["id"]], flush=True)
                return


async def main(url, clients, seconds, last):
    await asyncio.gather(*(follow(url, number, seconds, last) for number in range(clients)))
    print("done", flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
