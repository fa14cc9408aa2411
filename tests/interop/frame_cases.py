# SPDX-License-Identifier: Apache-2.0
"""Cases of error_codes.py for bytes that are no request: what the node does with the connection, and that it goes on serving."""
import random
import socket
import struct
import time

import protocol
from error_cases import case

PATIENCE = 1.5


def frame(data):
    return struct.pack(">i", len(data)) + data


def header(key, version, client=b"check", correlation=7, flexible=False):
    size = -1 if client is None else len(client)
    return struct.pack(">hhih", key, version, correlation, size) + (client or b"") + (b"\0" if flexible else b"")


def fate(node, data, ends=False):
    """What becomes of a connection that sends these bytes; `ends`: and then no more."""
    host, port = node.node.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as peer:
        try:
            peer.sendall(data)
            if ends:
                peer.shutdown(socket.SHUT_WR)
            answer = peer.recv(1 << 20)
        except TimeoutError:
            return "open, without an answer"
        except ConnectionError:
            return "closed"
        if not answer:
            return "closed"
        return "answered" if len(answer) >= 8 and struct.unpack(">i", answer[4:8]) == (7,) else "answered something"


@case
def frames_that_are_none(node):
    def ask(label, data, **more):
        node.keep(label, "Frame", 0, {"fate": fate(node, data, **more)})
    for size in (-1, -2147483648, 0, 1, 7, 104857601, 2147483647):
        ask(f"size {size}", struct.pack(">i", size) + b"\0" * 64)
    ask("size of one above, then nothing", struct.pack(">i", 104857600))
    ask("half a size", b"\0\0", ends=True)
    ask("half a frame", struct.pack(">i", 100) + b"\0" * 50, ends=True)
    ask("nothing at all", b"", ends=True)
    ask("HTTP", b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    ask("TLS", bytes.fromhex("160301020001fc0303") + bytes(500))
    rng = random.Random(4)
    for size in (10, 100, 1000, 10000):
        ask(f"garbage of {size}", frame(rng.randbytes(size)))


@case
def headers_that_are_none(node):
    def ask(label, data, **more):
        node.keep(label, "Frame", 0, {"fate": fate(node, data, **more)})
    for key in (-1, 4, 7, 52, 82, 93, 999, 32767):
        ask(f"API {key}", frame(header(key, 0) + bytes(32)))
    for version in (-1, 14, 99, 32767):
        ask(f"Metadata {version}", frame(header(3, version) + bytes(32)))
        ask(f"ApiVersions {version}", frame(header(18, version) + bytes(32)))
    ask("two bytes", frame(b"\0\3"))
    ask("header without a client", frame(struct.pack(">hhi", 3, 1, 7)))
    ask("client of -1", frame(header(3, 1, None) + struct.pack(">i", 0)))
    ask("client of -2", frame(struct.pack(">hhih", 3, 1, 7, -2) + struct.pack(">i", 0)))
    ask("client longer than the frame", frame(struct.pack(">hhih", 3, 1, 7, 500) + b"x"))
    ask("client that is no text", frame(header(3, 1, b"\xff\xfe") + struct.pack(">i", 0)))


@case
def bodies_that_are_none(node):
    def ask(label, key, version, body, flexible=False):
        node.keep(label, "Frame", 0, {"fate": fate(node, frame(header(key, version, flexible=flexible) + body))})
    ask("Metadata 1 without a body", 3, 1, b"")
    ask("Metadata 1, more topics than bytes", 3, 1, struct.pack(">i", 1000000))
    ask("Metadata 1, -2 topics", 3, 1, struct.pack(">i", -2))
    ask("Metadata 1, name beyond the end", 3, 1, struct.pack(">ih", 1, 100) + b"x")
    ask("Metadata 1, name of -2", 3, 1, struct.pack(">ih", 1, -2))
    ask("Metadata 1, name is no text", 3, 1, struct.pack(">ih", 1, 2) + b"\xff\xfe")
    ask("Metadata 1, bytes behind", 3, 1, struct.pack(">i", 0) + b"more")
    ask("Metadata 12, topics without end", 3, 12, b"\xff\xff\xff\xff\x0f", flexible=True)
    ask("Metadata 12, number of six bytes", 3, 12, b"\xff\xff\xff\xff\xff\x01", flexible=True)
    ask("Metadata 12, tags without end", 3, 12, b"\x01\0\0\xff\xff\xff\xff\x07", flexible=True)
    ask("Metadata 12, tag beyond the end", 3, 12, b"\x01\0\0\x01\x07\x7f", flexible=True)
    ask("Metadata 12, tag that nobody knows", 3, 12, b"\x01\0\0\x01\x07\x01x", flexible=True)
    ask("Produce 9, records beyond the end", 0, 9, b"\0\xff\xff\0\0\x10\0\x02\x02t\x02\0\0\0\0\xff\x7f", flexible=True)
    ask("Fetch 4, nothing of it", 1, 4, b"\0\0")
    ask("ApiVersions 3, name is none", 18, 3, b"\x02 \x02 \0", flexible=True)
    ask("ApiVersions 3 without a body", 18, 3, b"", flexible=True)
    for key in sorted(api.key for api in protocol.APIS.values() if api.key < 60):
        rng = random.Random(key)
        # Kafka 4 knows no version 0 of DescribeLogDirs.
        ask(f"API {key}, random body", key, 1 if key == 35 else 0, rng.randbytes(40))


def is_served(node):
    """(whether a new connection is answered, seconds until it was closed otherwise, the connection)."""
    host, port = node.node.address.rsplit(":", 1)
    begun = time.monotonic()
    peer = socket.create_connection((host, int(port)), timeout=20)
    try:
        peer.sendall(frame(header(18, 0)))
        if peer.recv(4):
            return True, 0, peer
    except ConnectionError:
        pass
    peer.close()
    return False, time.monotonic() - begun, None


def until_refused(node, most=200):
    """Connections that stay open until one is refused; how long that one was kept."""
    peers = []
    for _ in range(most):
        served, kept, peer = is_served(node)
        if not served:
            return peers, kept
        peers.append(peer)
    return peers, None


def until_served(node):
    for _ in range(200):
        served, _, peer = is_served(node)
        if served:
            peer.close()
            return True
        time.sleep(0.1)
    return False


@case
def connections_are_bounded(node):
    """By number they are closed at once; those that come too fast are kept until the rate allows, as KIP-612 has it."""
    def limit(value):
        node.quiet("IncrementalAlterConfigs", 1, resources=[{"resource_type": 4, "resource_name": "1", "configs": [
            {"name": "max.connections.per.ip", "config_operation": 0 if value else 1, "value": value}]}])
        time.sleep(1)  # Kafka's broker hears of it later.
    limit("12")
    peers, kept = until_refused(node)
    node.keep("beyond the number", "Connection", 0, {"refused": kept is not None, "at once": kept is not None and kept < 0.5})
    for peer in peers:
        peer.close()
    node.keep("once there is room", "Connection", 0, {"served": until_served(node)})
    limit(None)

    def rate(value):
        node.quiet("AlterClientQuotas", 1, entries=[{"entity": [{"entity_type": "ip", "entity_name": "127.0.0.1"}], "ops": [
            {"key": "connection_creation_rate", "value": value or 0, "remove": value is None}]}])
        time.sleep(1)
    rate(2)
    peers, kept = until_refused(node)
    node.keep("too fast", "Connection", 0, {"refused": kept is not None, "at once": kept is not None and kept < 0.1})
    for peer in peers:
        peer.close()
    rate(None)
    node.keep("without the quota", "Connection", 0, {"served": until_served(node)})


@case
def it_serves_on(node):
    node.ask("afterwards", "ApiVersions", 0, keep=lambda answer: {"error_code": answer["error_code"]})
