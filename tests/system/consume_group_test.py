#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `leat consume --group` leaves behind: positions, and a group that others can join.

usage: consume_group_test.py LEAT [TEST...]
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import raw_client  # noqa: E402

LEAT = ""


class ConsumeGroup(unittest.TestCase):
    def leat(self, *words, stdin=None, code=0):
        done = subprocess.run([LEAT, *words], input=stdin, capture_output=True, text=True, timeout=100,
                              env={**os.environ, "LEAT_BOOTSTRAP": "{}:{}".format(*self.broker.address)})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def start(self, *settings):
        self.broker = self.enterContext(raw_client.Broker(LEAT, *settings))
        self.leat("topic", "create", "t", "--partitions", "2")

    def positions(self):
        told = json.loads(self.leat("group", "describe", "g", "--output", "json"))
        return {one["partition"]: (one["committed_offset"], one["lag"]) for one in told["partitions"]}

    def test_a_partition_without_a_record_has_a_position_too(self):
        self.start("group.initial.rebalance.delay.ms=0")
        self.leat("produce", "t", "--partition", "0", stdin="a\n")
        read = ("consume", "t", "--group", "g", "--until-end")
        self.assertEqual(self.leat(*read, "--from", "beginning"), "a\n")
        self.assertEqual(self.positions(), {0: (1, 0), 1: (0, 0)})
        self.leat("produce", "t", "--partition", "1", stdin="b\n")
        self.assertEqual(self.leat(*read), "b\n", "it came after the group had been there")
        self.assertEqual(self.leat(*read), "")
        self.assertEqual(self.positions(), {0: (1, 0), 1: (1, 0)})

    def test_what_was_not_printed_is_not_committed(self):
        self.start("group.initial.rebalance.delay.ms=0")
        self.leat("produce", "t", "--partition", "0", stdin="a\nb\nc\n")
        read = ("consume", "t", "--group", "g", "--from", "beginning")
        self.assertEqual(self.leat(*read, "--count", "2"), "a\nb\n")
        self.assertEqual(self.positions()[0], (2, 1))
        self.assertEqual(self.leat(*read, "--until-end"), "c\n")

    def test_who_is_stopped_while_he_joins_leaves_no_place_behind(self):
        self.start("group.initial.rebalance.delay.ms=3000")
        self.leat("produce", "t", "--partition", "0", stdin="a\n")
        read = [LEAT, "consume", "t", "--group", "g", "--from", "beginning", "-b", "{}:{}".format(*self.broker.address)]
        with subprocess.Popen(read, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
            time.sleep(1)  # It has asked to join by then, or it has not: either way it is to leave nothing.
            one.send_signal(signal.SIGINT)
            out, err = one.communicate(timeout=60)
        self.assertEqual((out, one.returncode), ("", 0), err)
        self.assertEqual(json.loads(self.leat("group", "describe", "g", "--output", "json"))["members"], [])

    def test_the_end_of_a_cluster_that_is_not_there_is_not_waited_for(self):
        self.start()
        self.assertIn("NETWORK_EXCEPTION", self.leat("consume", "t", "--group", "g", "--until-end", "-b", "127.0.0.1:1", code=1))


if __name__ == "__main__":
    LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
