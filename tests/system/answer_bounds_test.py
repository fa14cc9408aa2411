#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What one client can make `leat serve` work or hold with a request of few bytes, told by the kernel and by the broker's metrics.

usage: answer_bounds_test.py LEAT [TEST...]
"""
import os
import pathlib
import struct
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from broker_test import metric  # noqa: E402
from raw_client import PRODUCE, Broker, batch, text  # noqa: E402

LEAT = ""
OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, DESCRIBE_CONFIGS = 8, 9, 10, 32


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
            self.assertLess(peak_mib(broker) - before, 400)

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
            self.assertLess(peak_mib(broker) - before, 400)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
