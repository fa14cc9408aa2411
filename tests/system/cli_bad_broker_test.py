#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `leat` says to peers that are no Kafka brokers, or bad ones: never a crash, a hang or a silent success.

usage: cli_bad_broker_test.py LEAT

Each case is a server on a free loopback port that answers in its own way.
"""
import socket
import struct
import subprocess
import sys
import threading
import unittest

LEAT = ""


class Peer:
    """A server whose every connection is handled by `behave(connection)`."""

    def __init__(self, behave):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.behave = behave
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                self.behave(connection)
            except (OSError, struct.error):
                pass  # The client went away.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def read_request(connection):
    size = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))[0]
    body = connection.recv(size, socket.MSG_WAITALL)
    api, version, correlation = struct.unpack(">hhi", body[:8])
    return api, version, correlation


def frame(correlation, body):
    return struct.pack(">ii", len(body) + 4, correlation) + body


def topic_list(behave):
    with Peer(behave) as peer:
        done = subprocess.run([LEAT, "topic", "list", "-b", f"127.0.0.1:{peer.port}"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stderr


# Version 0 of ApiVersions: error code, then {key, min, max} of ApiVersions itself and Metadata.
VERSIONS_0 = struct.pack(">hi", 0, 2) + struct.pack(">hhh", 18, 0, 0) + struct.pack(">hhh", 3, 0, 0)
REFUSAL_0 = struct.pack(">hi", 35, 1) + struct.pack(">hhh", 18, 0, 0)


class BadBrokers(unittest.TestCase):
    def refused(self, behave, *hints):
        code, err = topic_list(behave)
        self.assertEqual(code, 1, err)
        for hint in hints:
            self.assertIn(hint, err)

    def test_that_closes_at_once(self):
        self.refused(lambda connection: None, "connection")

    def test_that_speaks_http(self):
        self.refused(lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9), "no Kafka broker")

    def test_that_claims_a_huge_answer(self):
        def behave(connection):
            read_request(connection)
            connection.sendall(struct.pack(">i", 0x7FFFFFFF))

        self.refused(behave, "2147483647", "no Kafka broker")

    def test_that_claims_a_negative_answer(self):
        def behave(connection):
            read_request(connection)
            connection.sendall(struct.pack(">i", -5))

        self.refused(behave, "-5")

    def test_that_answers_another_request(self):
        def behave(connection):
            _, _, correlation = read_request(connection)
            connection.sendall(frame(correlation + 1, VERSIONS_0))

        self.refused(behave, "request")

    def test_that_ends_in_the_middle(self):
        def behave(connection):
            _, _, correlation = read_request(connection)
            connection.sendall(frame(correlation, b"\0" * 100)[:50])

        self.refused(behave, "connection")

    def test_that_counts_more_than_it_sends(self):
        def behave(connection):
            _, _, correlation = read_request(connection)
            connection.sendall(frame(correlation, struct.pack(">hi", 35, 1_000_000)))

        self.refused(behave, "asking for versions")

    def test_that_knows_version_0_only_is_asked_in_it(self):
        seen = []

        def behave(connection):
            while True:
                api, version, correlation = read_request(connection)
                seen.append((api, version))
                if api == 18:
                    connection.sendall(frame(correlation, VERSIONS_0 if version == 0 else REFUSAL_0))
                else:
                    connection.sendall(frame(correlation, struct.pack(">ii", 0, 0)))

        code, err = topic_list(behave)
        self.assertEqual(code, 0, err)
        self.assertEqual([pair for pair in seen if pair[0] == 18][1], (18, 0))
        self.assertIn((3, 0), seen)

    def test_that_has_no_version_in_common(self):
        def behave(connection):
            while True:
                _, version, correlation = read_request(connection)
                body = struct.pack(">hi", 0, 1) + struct.pack(">hhh", 3, 900, 901)
                connection.sendall(frame(correlation, body if version == 0 else REFUSAL_0))

        self.refused(behave, "Metadata 900 to 901")


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
