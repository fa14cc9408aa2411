#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What scale.py makes of what it sees: only what has a bound or a count is "ok", and connections that are gone are missed."""
import contextlib
import pathlib
import socket
import struct
import sys
import threading
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import scale  # noqa: E402

GOOD = struct.pack(">ihi", 1, 0, 0)


@contextlib.contextmanager
def peers(*answers):
    """A connection for each, whose other end gives this answer to a request; None: closes instead."""
    with contextlib.ExitStack() as stack:
        near, threads = [], []
        for answer in answers:
            one, other = (stack.enter_context(end) for end in socket.socketpair())

            def serve(other=other, answer=answer):
                if answer is not None:
                    while other.recv(len(scale.API_VERSIONS)):
                        other.sendall(struct.pack(">i", len(answer)) + answer)
                other.close()
            near.append(one)
            threads.append(threading.Thread(target=serve))
            threads[-1].start()
        yield near
        for one in near:
            one.close()
        for thread in threads:
            thread.join()


class ScaleTest(unittest.TestCase):
    def scale(self, connections=3, **figures):
        """One whose broker, load generator and commands say what they are told to."""
        said = {"create": {}, "latency": {"errors": 0, "records": 10_000, "p99_us": 4_330}, "partitions": {"seconds": 0.02},
                "offsets": {"sum": 100, "error": 0}}
        with mock.patch.object(scale, "LeatNode"), mock.patch.object(scale.tempfile, "mkdtemp"):
            one = scale.Scale(types.SimpleNamespace(build=pathlib.Path("/x"), connections=connections, partitions=100, seconds=10))
        one.load = lambda mode, *_: said[mode] | figures.get(mode, {})
        one.memory = lambda: figures.get("memory", 20)
        self.enterContext(mock.patch.object(scale, "say"))
        consumed = types.SimpleNamespace(returncode=0, stdout="".join(f"{p}\n" for p in range(figures.get("consumed", 100))))
        self.enterContext(mock.patch.object(scale.subprocess, "run", return_value=consumed))
        return one

    def verdicts(self, one):
        return {what: verdict for what, _, verdict in one.rows}

    def test_what_nobody_judges_is_not_ok(self):
        one = self.scale()
        one.row("told", "1 MiB")
        one.row("right", 1, True)
        one.row("wrong", 1, False)
        self.assertEqual(self.verdicts(one), {"told": "–", "right": "ok", "wrong": "WRONG"})
        self.assertEqual(one.wrong, ["wrong"])

    def test_a_live_load_that_waits_is_wrong(self):
        for figures, wrong in (({}, []), ({"p99_us": 30_000_000}, ["live load, alone: p99"]), ({"errors": 1}, ["live load, alone: records, errors"]),
                               ({"records": 9_000}, ["live load, alone: records, errors"])):
            one = self.scale(latency=figures)
            one.live("alone", scale.ALONE_MS)
            self.assertEqual(one.wrong, wrong, figures)

    def test_the_live_load_is_compared_with_itself(self):
        for alone_us, beside_us, is_wrong in ((1_400, 99_000, False), (1_400, 101_000, True), (400_000, 3_900_000, False), (400_000, 4_100_000, True)):
            one = self.scale(connections=0)
            said, latencies = one.load, iter((alone_us, beside_us))
            one.load = lambda mode, *more: said(mode, *more) | ({"p99_us": next(latencies)} if mode == "latency" else {})
            with mock.patch.object(one, "connections", return_value=[]):
                one.run()
            self.assertEqual(one.wrong, ["live load, beside all: p99"] if is_wrong else [], beside_us)

    def test_memory_and_time_of_partitions_are_bounded(self):
        for grown_kib, seconds, wrong in ((5, 0.02, []), (2048, 0.02, ["memory a partition"]), (5, 6, ["100 partitions made, each took a record"])):
            one = self.scale(partitions={"seconds": seconds})
            one.memory = mock.Mock(side_effect=(20, 20 + grown_kib * 100 / 1024))
            one.partitions()
            self.assertEqual(one.wrong, wrong)

    def test_memory_of_connections_is_bounded(self):
        for grown_kib, wrong in ((1.3, []), (2048, ["memory an idle connection"])):
            one = self.scale()
            one.memory = mock.Mock(side_effect=(20, 20 + grown_kib * 3 / 1024))
            one.node.address = "127.0.0.1:1"
            with peers(GOOD, GOOD, GOOD) as near, mock.patch.object(scale.socket, "create_connection", side_effect=near):
                one.connections()
            self.assertEqual(one.wrong, wrong)

    def test_only_a_whole_and_good_answer_counts(self):
        with peers(GOOD, None, GOOD, struct.pack(">ih", 1, 35), struct.pack(">ih", 2, 0), b"") as near:
            self.assertEqual(scale.count_answered(near), 2)
            near[0].close()
            self.assertEqual(scale.count_answered(near), 1)

    def test_who_hangs_is_waited_for_once(self):
        with contextlib.ExitStack() as stack, mock.patch.object(scale, "PATIENCE_SECONDS", 0.1):
            pairs = [[stack.enter_context(end) for end in socket.socketpair()] for _ in range(3)]
            self.assertEqual(scale.count_answered([near for near, _ in pairs]), 0)

    def test_connections_that_are_gone_beside_all_are_missed(self):
        for last, wrong in ((GOOD, []), (None, ["connections that are answered beside all"])):
            one = self.scale()
            one.node.address = "127.0.0.1:1"
            with peers(GOOD, GOOD, last) as near:
                with mock.patch.object(one, "connections", return_value=near):
                    one.run()
                self.assertTrue(all(peer.fileno() < 0 for peer in near))
            self.assertEqual(one.wrong, wrong)


if __name__ == "__main__":
    unittest.main()
