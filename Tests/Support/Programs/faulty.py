# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""A server of /push and /events that does one thing wrong.

usage: faulty.py FAULT
prints: port PORT

FAULT is what happens to the tenth message, for the first subscriber:
  none, drop, double, swap (with the next one), damage (one byte), shorten, binary, cut (the socket is closed with 4000)
or to its publisher:
  refuse (429), hang (no answer), abort (the connection ends without an answer), close (after each answer, as it may)
or to subscribers:
  forbid (403 to the first), mute (its handshake is not answered)
"""

import asyncio
import base64
import hashlib
import struct
import sys

FAULT = sys.argv[1]
TENTH = 10
subscribers = []
count = 0
held = None


def frame(payload, opcode=1):
    size = len(payload)
    head = bytes([0x80 | opcode, size]) if size < 126 else bytes([0x80 | opcode, 126]) + struct.pack(">H", size)
    return head + payload


def deliver(payload):
    """To all subscribers; the first of them gets what the fault makes of it."""
    global count, held
    count += 1
    frames = [frame(payload)]
    if held is not None:
        frames.append(held)
        held = None
    elif count == TENTH:
        damaged = payload[:40] + bytes([payload[40] ^ 1]) + payload[41:]
        frames = {
            "drop": [],
            "double": [frame(payload), frame(payload)],
            "swap": [],
            "damage": [frame(damaged)],
            "shorten": [frame(payload[:-1])],
            "binary": [frame(payload, opcode=2)],
            "cut": [frame(struct.pack(">H", 4000) + b"missed messages", opcode=8)],
        }.get(FAULT, frames)
        held = frame(payload) if FAULT == "swap" else None
    for index, subscriber in enumerate(subscribers):
        subscriber.write(b"".join(frames) if index == 0 else frame(payload))


async def read_request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in lines[1:] if ": " in line]
    fields = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    return fields, body


def answer(status, body=b"{}", extra=b""):
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: %d\r\n" % len(body) + extra + b"\r\n" + body


async def serve(reader, writer):
    try:
        while True:
            fields, body = await read_request(reader)
            if "upgrade" in fields:
                if FAULT == "forbid" and not subscribers:
                    writer.write(answer(b"403 Forbidden", b"not you"))
                elif FAULT != "mute" or subscribers:
                    key = fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                    accept = base64.b64encode(hashlib.sha1(key.encode()).digest())
                    subscribers.append(writer)
                    writer.write(
                        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
                await reader.read()
                return
            is_tenth = count + 1 == TENTH
            if is_tenth and FAULT == "refuse":
                writer.write(answer(b"429 Too Many Requests", b"slower, please"))
                continue
            if is_tenth and FAULT == "hang":
                await reader.read()
                return
            if is_tenth and FAULT == "abort":
                return
            deliver(body)
            writer.write(answer(b"200 OK", extra=b"Connection: close\r\n" if FAULT == "close" else b""))
            if FAULT == "close":
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
