#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""python3-websockets as the peer: ws_websockets.py serve [deflate] (an echo; prints "port <n>"), or
ws_websockets.py connect <port> [deflate] (sends messages of many sizes to an echo of bytes)."""
import asyncio, os, sys
import websockets

compression = "deflate" if "deflate" in sys.argv else None


async def echo(ws, path=None):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.exceptions.ConnectionClosed:
        pass


async def serve():
    server = await websockets.serve(echo, "127.0.0.1", 0, compression=compression, max_size=None,
                                    subprotocols=["b"], ping_interval=0.2)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Future()


async def take(ws, n):
    got = b""
    while len(got) < n:
        got += await ws.recv()
    return got


async def connect(port):
    data = os.urandom(300000) + b"compressible " * 50000
    async with websockets.connect("ws://127.0.0.1:%s/x" % port, compression=compression, max_size=None,
                                  subprotocols=["a", "b"], ping_interval=0.2) as ws:
        assert ws.subprotocol == "a", ws.subprotocol
        for n in 1, 125, 126, 65535, 65536, len(data):
            await ws.send(data[:n])
            assert await take(ws, n) == data[:n], n
        await ws.send([b"in ", b"", b"pieces"])
        assert await take(ws, 9) == b"in pieces"
        await ws.send("täxt")
        assert await take(ws, 5) == "täxt".encode()
        await (await ws.ping())
        await asyncio.sleep(0.5)
    assert ws.close_code == 1000, ws.close_code


asyncio.run(serve() if sys.argv[1] == "serve" else connect(sys.argv[2]))
