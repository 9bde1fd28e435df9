# ===----------------------------------------------------------------------=== #
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
# ===----------------------------------------------------------------------=== #
"""Runs a program in a terminal of its own: what comes on standard input is typed there, and what appears is printed.

usage: terminal.py PROGRAM [ARGUMENT ...]
ends:  with the program's code; with 128 and the signal's number when a signal ended it
"""

import os
import pty
import select
import sys

child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])

watched = [0, terminal]
while terminal in watched:
    for ready in select.select(watched, [], [])[0]:
        try:
            data = os.read(ready, 65536)
        except OSError:
            # How Linux says that the last program has left the terminal.
            data = b""
        if not data:
            watched.remove(ready)
        elif ready == terminal:
            os.write(1, data.replace(b"\r\n", b"\n"))
        else:
            os.write(terminal, data)

status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
