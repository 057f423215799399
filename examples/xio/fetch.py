#!/usr/bin/env python3
"""Fetches a page through a chain: fetch.py 'openssl|proxy:www:443|tcp:proxy:8080' www /index.html"""
import ctypes as c, os, sys

class Error(c.Structure):
    _fields_ = [("kind", c.c_int), ("sys", c.c_int), ("at", c.c_size_t), ("length", c.c_size_t), ("text", c.c_char * 1024)]
xio = c.CDLL("libxio.so.1")
xio.xioopen.restype, xio.xioerror.restype = c.c_void_p, c.POINTER(Error)
xio.xioread.argtypes = xio.xiowrite.argtypes = [c.c_void_p, c.c_char_p, c.c_size_t]
xio.xioread.restype, xio.xiowrite.restype, xio.xioclose.argtypes = c.c_ssize_t, c.c_ssize_t, [c.c_void_p]
def checked(result):
    return result if result is not None and result >= 0 else sys.exit(xio.xioerror(None).contents.text.decode())
chain, host, path = (arg.encode() for arg in sys.argv[1:])
h = checked(xio.xioopen(chain, os.O_RDWR))
request = b"GET %b HTTP/1.0\r\nHost: %b\r\n\r\n" % (path, host)
checked(xio.xiowrite(h, request, len(request)))
buf = c.create_string_buffer(65536)
while n := checked(xio.xioread(h, buf, len(buf))):
    sys.stdout.buffer.write(buf.raw[:n])
checked(xio.xioclose(h))
