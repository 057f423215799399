"""A chain that talks to the caller while it is opened: talks.py <certificate> <ca>. The handle is there at once, Python
shakes hands on its descriptor, and what it says comes back."""
import ctypes as c
import os
import socket
import ssl
import sys

xio = c.CDLL("libxio.so.1")
xio.xioopen.restype, xio.xioopen.argtypes = c.c_void_p, [c.c_char_p, c.c_int]
xio.xiofd.argtypes = xio.xioclose.argtypes = [c.c_void_p]
xio.xiofact.restype, xio.xiofact.argtypes = c.c_char_p, [c.c_void_p, c.c_char_p]

h = xio.xioopen(f"^openssl-server,cert={sys.argv[1]},verify=0|exec:cat".encode(), 2)
raw = socket.socket(fileno=os.dup(xio.xiofd(h)))
tls = ssl.create_default_context(cafile=sys.argv[2]).wrap_socket(raw, server_hostname="localhost")
tls.sendall(b"through\n")
print(tls.recv(100).decode(), end="")
print(xio.xiofact(h, b"openssl_proto_version").decode())
tls.unwrap().close()
sys.exit(-xio.xioclose(h))
