#!/usr/bin/env python3
"""Fetches a page through a chain: fetch.py 'openssl|proxy:www:443|tcp:proxy:8080' www /index.html"""
import ctypes as c
import sys

xio = c.CDLL("libxio.so.1")
class Error(c.Structure):
    _fields_ = [("kind", c.c_int), ("sys", c.c_int), ("offset", c.c_size_t), ("length", c.c_size_t), ("text", c.c_char * 1024)]
xio.xioopen.restype, xio.xioopen.argtypes = c.c_void_p, [c.c_char_p, c.c_int]
xio.xioread.restype, xio.xioread.argtypes = c.c_ssize_t, [c.c_void_p, c.c_char_p, c.c_size_t]
xio.xiowrite.restype, xio.xiowrite.argtypes = c.c_ssize_t, [c.c_void_p, c.c_char_p, c.c_size_t]
xio.xioclose.argtypes = [c.c_void_p]
xio.xioerror.restype, xio.xioerror.argtypes = c.POINTER(Error), [c.c_void_p]

def checked(result):
    if result is None or result < 0:
        sys.exit(xio.xioerror(None).contents.text.decode())
    return result

chain, host, path = sys.argv[1:]
h = checked(xio.xioopen(chain.encode(), 2))  # O_RDWR
request = f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode()
checked(xio.xiowrite(h, request, len(request)))
buf = c.create_string_buffer(65536)
while n := checked(xio.xioread(h, buf, len(buf))):
    sys.stdout.buffer.write(buf.raw[:n])
checked(xio.xioclose(h))
