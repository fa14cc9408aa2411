#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A login by Kerberos in bare frames, as clients do that know SaslHandshake 0 only, with a request right behind its last message.

usage: gssapi_client.py HOST PORT
Prints the error of the handshake, and the correlation id of the answer that comes next after the login. The ticket is the environment's.
"""
import socket
import struct
import sys

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's python3-gssapi, for a python3 that is not Debian's.
import gssapi  # noqa: E402


def exactly(peer, size):
    out = b""
    while len(out) < size:
        block = peer.recv(size - len(out))
        if not block:
            sys.exit("the connection was closed")
        out += block
    return out


def frame(data):
    return struct.pack(">i", len(data)) + data


def receive(peer):
    return exactly(peer, struct.unpack(">i", exactly(peer, 4))[0])


def main(host, port):
    with socket.create_connection((host, int(port)), timeout=20) as peer:
        peer.sendall(frame(struct.pack(">hhih", 17, 0, 1, -1) + b"\0\6GSSAPI"))
        print("handshake", struct.unpack(">h", receive(peer)[4:6])[0])
        name = gssapi.Name(f"kafka@{host}", name_type=gssapi.NameType.hostbased_service)
        context = gssapi.SecurityContext(name=name.canonicalize(gssapi.MechType.kerberos), usage="initiate")
        said = None
        while not context.complete:
            peer.sendall(frame(context.step(said) or b""))
            said = receive(peer)
        offer = context.unwrap(said).message
        last = context.wrap(b"\1" + offer[1:] + b"alice", False).message
        peer.sendall(frame(last) + frame(struct.pack(">hhih", 18, 0, 77, -1)))
        print("answer to", struct.unpack(">i", receive(peer)[:4])[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
