# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""A client on autobahn that sends requests as frames, all at once, as soon as its socket is open.

usage: requests.py URL FRAME...
Prints each frame that comes, on a line of its own. A line on its input has it close the socket.
"""

import asyncio
import sys
from urllib.parse import urlsplit

from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol


class Client(WebSocketClientProtocol):
    def onOpen(self):
        for frame in sys.argv[2:]:
            self.sendMessage(frame.encode())
        asyncio.get_running_loop().add_reader(sys.stdin, self.read)

    def read(self):
        sys.stdin.buffer.read1()
        asyncio.get_running_loop().remove_reader(sys.stdin)
        self.sendClose(1000)

    def onMessage(self, payload, isBinary):
        print("binary" if isBinary else payload.decode(), flush=True)

    def onClose(self, wasClean, code, reason):
        print(f"closed {code}", flush=True)
        self.factory.closed.set()


async def main(url):
    factory = WebSocketClientFactory(url)
    factory.protocol = Client
    factory.closed = asyncio.Event()
    address = urlsplit(url)
    await asyncio.get_running_loop().create_connection(factory, address.hostname, address.port)
    await factory.closed.wait()


asyncio.run(main(sys.argv[1]))
