#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What one client can make `leat serve` work or hold with a request of few bytes.

usage: answer_bounds_test.py LEAT [TEST...]
"""
import os
import pathlib
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from raw_client import PRODUCE, Broker, batch, text  # noqa: E402

LEAT = ""


def cpu_seconds(broker):
    fields = pathlib.Path(f"/proc/{broker.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
