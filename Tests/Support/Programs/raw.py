# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Sends bytes to a port as they are, and prints the status lines of what comes back until the other side closes.

usage: raw.py PORT BYTES [--half-close]     BYTES with Python's escapes, for instance 'GET / HTTP/1.1\\r\\n\\r\\n'
prints: answer STATUS-LINE, for each / closed, or reset; on standard error: sent, when all bytes are on their way
"""

import re
import socket
import sys

port = int(sys.argv[1])
data = sys.argv[2].encode("latin-1").decode("unicode_escape").encode("latin-1")

received = b""
end = "closed"
with socket.create_connection(("127.0.0.1", port), timeout=50) as connection:
    connection.sendall(data)
    if "--half-close" in sys.argv[3:]:
        connection.shutdown(socket.SHUT_WR)
    print("sent", file=sys.stderr, flush=True)
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        end = "reset"

for line in re.findall(rb"HTTP/1\.[01] \d{3} [^\r\n]*", received):
    print("answer", line.decode("latin-1"))
print(end, flush=True)
