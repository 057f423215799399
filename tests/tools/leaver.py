#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A TLS client that says a word and goodbye, and goes without waiting for any answer, so often.

    leaver.py <port> <count>"""
import contextlib
import socket
import ssl
import sys

port, count = (int(a) for a in sys.argv[1:])
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
for _ in range(count):
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port))) as tls:
        tls.sendall(b"hello\n")
        tls.settimeout(0)
        with contextlib.suppress(OSError):  # the peer's goodbye has not come
            tls.unwrap()
