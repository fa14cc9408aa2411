#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What one client can make `leat serve` work or hold with a request of few bytes, told by the kernel and by the broker's metrics.

usage: answer_bounds_test.py LEAT [TEST...]
"""
import concurrent.futures
import contextlib
import os
import pathlib
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from broker_test import metric  # noqa: E402
from raw_client import API_VERSIONS, FETCH, MEMORY_FACTOR, PRODUCE, Broker, batch, text  # noqa: E402

LEAT = ""
OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, DESCRIBE_CONFIGS, DESCRIBE_LOG_DIRS = 8, 9, 10, 32, 35
MIB = 1 << 20


def cpu_seconds(broker):
    fields = pathlib.Path(f"/proc/{broker.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(broker):
    for line in pathlib.Path(f"/proc/{broker.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    raise AssertionError("no VmHWM")


class Work(unittest.TestCase):
    """Bounds are some ten times what the work takes, and a tenth of what it took when it was the square of the request."""

    def test_partitions_that_are_produced_to_again_and_again(self):
        data = batch([b"v"])
        again = 150_000
        part = struct.pack(">ii", 0, len(data)) + data
        body = struct.pack(">hhii", -1, 1, 30000, 2)
        for topic in ("a", "b"):
            body += text(topic) + struct.pack(">i", again) + part * again
        with Broker(LEAT, "leat.shards=1") as broker, broker.client() as client:
            client.create_topic("a")
            client.create_topic("b")
            before = cpu_seconds(broker)
            answer = client.call(PRODUCE, 7, body)
            self.assertLess(cpu_seconds(broker) - before, 4)
            self.assertEqual((answer.take("i"), answer.text(), answer.take("i")), (2, "a", again))
            self.assertEqual(answer.take("ihqqq")[:2], (0, 42))
            self.assertEqual((client.end_offset("a"), client.end_offset("b")), (0, 0))

    def test_partitions_that_nobody_has_in_a_list_of_log_directories(self):
        again = 500_000
        body = struct.pack(">i", again) + (text("a") + struct.pack(">ii", 1, 5000)) * again
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("a", 3000)
            before = cpu_seconds(broker)
            answer = client.call(DESCRIBE_LOG_DIRS, 1, body)
            self.assertLess(cpu_seconds(broker) - before, 1)
            self.assertEqual(answer.take("iih"), (0, 1, 0))
            answer.text()
            self.assertEqual(answer.take("i"), 0)


class Answers(unittest.TestCase):
    """Few bytes that ask for more than a frame can tell: the connection ends, the broker does not, and nothing is collected for it."""

    def refused(self, broker, api, name, version, body):
        with broker.client() as client:
            client.send(api, version, body)
            with self.assertRaises(ConnectionError):
                client.receive()
        self.assertEqual(metric(broker, f'leat_refused_answers_total{{api="{name}"}}'), 1)
        self.assertEqual(metric(broker, 'leat_connections_closed_total{reason="answer_too_large"}'), 1)
        with broker.client() as client:
            self.assertEqual(client.end_offset("t"), 0)

    def test_an_offset_with_much_metadata_that_is_named_often(self):
        with Broker(LEAT, "offsets.topic.num.partitions=1") as broker:
            with broker.client() as client:
                client.create_topic("t")
                while client.call(FIND_COORDINATOR, 0, text("g")).take("h") != 0:
                    time.sleep(0.05)
                body = text("g") + struct.pack(">i", -1) + text("") + struct.pack(">qi", -1, 1) + text("t")
                body += struct.pack(">iiq", 1, 0, 1) + text("m" * 4096)
                while self.committed(client.call(OFFSET_COMMIT, 2, body)) != 0:
                    time.sleep(0.05)
                again = 3
                answer = client.call(OFFSET_FETCH, 2, text("g") + struct.pack(">i", 1) + text("t") + struct.pack(">i", again) + bytes(4 * again))
                self.assertEqual((answer.take("i"), answer.text(), answer.take("i")), (1, "t", again))
                for _ in range(again):
                    self.assertEqual((answer.take("iq"), answer.text(), answer.take("h")), ((0, 1), "m" * 4096, 0))
            again = 530_000
            before = peak_mib(broker)
            self.refused(broker, OFFSET_FETCH, "OffsetFetch", 2,
                         text("g") + struct.pack(">i", 1) + text("t") + struct.pack(">i", again) + bytes(4 * again))
            self.assertLess(peak_mib(broker) - before, 400 * MEMORY_FACTOR)

    @staticmethod
    def committed(answer):
        answer.take("i")
        answer.text()
        return answer.take("iih")[2]

    def test_a_resource_that_is_described_often(self):
        again = 64_000
        body = struct.pack(">i", again) + (b"\4" + text("1") + struct.pack(">i", -1)) * again + b"\1\1"
        with Broker(LEAT) as broker:
            with broker.client() as client:
                client.create_topic("t")
            before = peak_mib(broker)
            self.refused(broker, DESCRIBE_CONFIGS, "DescribeConfigs", 3, body)
            self.assertLess(peak_mib(broker) - before, 400 * MEMORY_FACTOR)


class Memory(unittest.TestCase):
    """leat.response.memory.max.bytes: of clients that ask for much and take nothing."""
    BODY = struct.pack(">i", 500) + (b"\4" + text("1") + struct.pack(">i", -1)) * 500 + b"\1\1"

    def broker(self, bound, *settings):
        return Broker(LEAT, f"leat.response.memory.max.bytes={bound}", "leat.shards=1", *settings)

    def held(self, broker):
        return metric(broker, "leat_response_memory_bytes")

    def wait_for(self, what):
        until = time.monotonic() + 30
        while not what() and time.monotonic() < until:
            time.sleep(0.05)
        self.assertTrue(what())

    def test_answers_of_many_at_once_are_made_one_after_the_other(self):
        bound = 64 * MIB
        with self.broker(bound) as broker:
            with broker.client() as client:
                client.send(DESCRIBE_CONFIGS, 3, self.BODY)
                size = self.taken(client)
            self.assertGreater(size, bound // 5)
            before = peak_mib(broker)
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(broker.client()) for _ in range(24)]
                late = stack.enter_context(broker.client())
                for client in clients:
                    client.send(DESCRIBE_CONFIGS, 3, self.BODY)
                self.wait_for(lambda: self.held(broker) >= bound)
                late.send(API_VERSIONS, 0, b"")
                late.socket.settimeout(0.3)
                with self.assertRaises(socket.timeout):
                    late.receive()
                with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
                    self.assertEqual(set(pool.map(self.taken, clients)), {size})
                late.socket.settimeout(30)
                late.receive()
            self.wait_for(lambda: self.held(broker) == 0)
            self.assertLess(peak_mib(broker) - before, MEMORY_FACTOR * 12 * size // MIB)

    def test_who_takes_a_byte_now_and_then_is_not_waited_for(self):
        bound = 16 * MIB
        with self.broker(bound, "leat.response.send.timeout.ms=1000") as broker, broker.client() as slow, broker.client() as other:
            slow.send(DESCRIBE_CONFIGS, 3, self.BODY)
            self.wait_for(lambda: self.held(broker) >= bound)
            stop = threading.Event()

            def trickle():
                with contextlib.suppress(OSError):
                    while not stop.wait(0.1):
                        slow.socket.recv(20_000)

            taking = threading.Thread(target=trickle)
            taking.start()
            other.call(API_VERSIONS, 0, b"")
            stop.set()
            taking.join()
            self.assertGreater(metric(broker, 'leat_connections_closed_total{reason="send_timeout"}'), 0)

    def test_a_request_that_is_there_does_not_wait_for_room_for_frames(self):
        bound = 16 * MIB
        body = struct.pack(">hhi", -1, 1, 30000) + struct.pack(">i", 1) + text("t") + struct.pack(">ii", 1, 0)
        data = batch([b"v" * 200_000])
        body += struct.pack(">i", len(data)) + data
        with self.broker(bound, "queued.max.request.bytes=100000") as broker, broker.client() as slow, broker.client() as late:
            late.create_topic("t")
            frame = late.frame(PRODUCE, 3, body)
            first = slow.frame(DESCRIBE_CONFIGS, 3, self.BODY)
            # What has begun to arrive has its memory, and is read on.
            slow.socket.sendall(first[:1000])
            self.wait_for(lambda: metric(broker, "leat_request_memory_bytes") > 1000)
            late.socket.sendall(frame[:50_000])
            self.wait_for(lambda: metric(broker, "leat_request_memory_bytes") > 200_000)
            slow.socket.sendall(first[1000:])
            self.wait_for(lambda: self.held(broker) >= bound)
            late.socket.sendall(frame[50_000:])
            late.socket.settimeout(0.5)
            with self.assertRaises(socket.timeout):
                late.receive()
            slow.socket.close()
            late.socket.settimeout(30)
            late.receive()
            self.assertEqual(late.end_offset("t"), 1)

    def test_who_only_waits_gives_way(self):
        partitions, bound = 3000, MIB
        each = b"".join(struct.pack(">iqi", index, 0, 1000) for index in range(partitions))
        fetch = struct.pack(">iiiib", -1, 60_000, 1, 1 << 20, 0) + struct.pack(">i", 1) + text("t") + struct.pack(">i", partitions) + each
        with self.broker(bound) as broker, broker.client() as other:
            other.create_topic("t", partitions)
            with contextlib.ExitStack() as stack:
                # Six fill it; as some give way, others that came later take their place.
                waiting = [stack.enter_context(broker.client()) for _ in range(40)]
                for client in waiting:
                    client.send(FETCH, 4, fetch)
                self.wait_for(lambda: self.held(broker) >= bound)
                other.socket.settimeout(20)
                other.call(API_VERSIONS, 0, b"")
                for client in waiting[:20]:
                    client.socket.settimeout(20)
                    _, answer = client.receive()
                    self.assertEqual((answer.take("ii"), answer.text(), answer.take("i")), ((0, 1), "t", partitions))
            self.wait_for(lambda: self.held(broker) == 0)

    @staticmethod
    def taken(client):
        """Size of an answer, whose bytes are thrown away."""
        size = left = struct.unpack(">i", client.exactly(4))[0]
        while left > 0:
            got = len(client.socket.recv(min(left, MIB)))
            assert got > 0, "the broker closed the connection"
            left -= got
        return size


class Frames(unittest.TestCase):
    """leat.request.memory.max.bytes and queued.max.request.bytes: of clients that claim to send much, or send it and let it wait."""
    LARGE = 100_000

    def wait_for_held(self, broker, least):
        until = time.monotonic() + 30
        while metric(broker, "leat_request_memory_bytes") < least:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)

    def produce_frame(self, client):
        return client.frame(PRODUCE, 7, client.produce_body("t", 0, batch([b"v" * self.LARGE])))

    def test_who_only_claims_to_send_much_keeps_no_small_request_waiting(self):
        with Broker(LEAT, f"leat.request.memory.max.bytes={MIB}", "leat.shards=1") as broker, broker.client() as liar, \
                broker.client() as other, broker.client() as late:
            other.create_topic("t")
            liar.socket.sendall(struct.pack(">i", 50 * MIB) + b"of which this is all")
            self.wait_for_held(broker, 50 * MIB)
            other.socket.settimeout(10)
            for i in range(3):
                self.assertEqual(other.produce("t", 0, [b"v"]), (0, i))
            with broker.client() as new:
                new.socket.settimeout(10)
                new.call(API_VERSIONS, 0, b"")
            late.socket.sendall(self.produce_frame(late))
            late.socket.settimeout(0.5)
            with self.assertRaises(socket.timeout):
                late.receive()
            self.assertLess(metric(broker, "leat_request_memory_bytes"), 51 * MIB)
            liar.socket.close()
            late.socket.settimeout(30)
            late.receive()
            self.assertEqual(late.end_offset("t"), 4)

    def test_who_lets_a_large_request_wait_gives_way(self):
        partitions = 3000
        each = b"".join(struct.pack(">iqi", index, 0, 1000) for index in range(partitions))
        fetch = struct.pack(">iiiib", -1, 60_000, 1, 1 << 20, 0) + struct.pack(">i", 1) + text("t") + struct.pack(">i", partitions) + each
        with Broker(LEAT, "queued.max.request.bytes=40000", "leat.shards=1") as broker, broker.client() as waiting, broker.client() as other:
            other.create_topic("t", partitions)
            waiting.send(FETCH, 4, fetch)
            self.wait_for_held(broker, len(fetch))
            other.socket.settimeout(20)
            self.assertEqual(other.produce("t", 0, [b"v" * self.LARGE]), (0, 0))
            waiting.socket.settimeout(20)
            waiting.receive()

    def test_who_lets_a_large_request_wait_behind_a_long_poll_gives_way(self):
        with Broker(LEAT, "queued.max.request.bytes=40000", "leat.shards=1") as broker, broker.client() as waiting, broker.client() as other:
            other.create_topic("empty")
            other.create_topic("t")
            waiting.send(FETCH, 11, waiting.session_body(0, -1, [("empty", 0, 0)], wait_ms=60_000))
            waiting.socket.sendall(self.produce_frame(waiting))
            self.wait_for_held(broker, self.LARGE)
            other.socket.settimeout(20)
            error, offset = other.produce("t", 0, [b"v" * self.LARGE])
            self.assertEqual((error, offset), (0, 1))
            waiting.socket.settimeout(20)
            waiting.receive()
            waiting.receive()
            self.assertEqual(other.end_offset("t"), 2)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
