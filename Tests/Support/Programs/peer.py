"""Publishes and subscribes on a broker by the library "broadcaster".

usage: peer.py URL CHANNEL
reads:  the bytes of one message a line, in hexadecimal digits, and publishes them as text
prints: subscribed / message DIGITS
"""

import asyncio
import sys

from broadcaster import Broadcast


async def publish(broadcast, channel):
    while line := await asyncio.to_thread(sys.stdin.readline):
        await broadcast.publish(channel=channel, message=bytes.fromhex(line).decode())


async def listen(broadcast, channel):
    async with broadcast.subscribe(channel=channel) as subscriber:
        print("subscribed", flush=True)
        async for event in subscriber:
            print("message", event.message.encode().hex(), flush=True)


async def main(url, channel):
    async with Broadcast(url) as broadcast:
        await asyncio.gather(publish(broadcast, channel), listen(broadcast, channel))


asyncio.run(main(*sys.argv[1:]))
