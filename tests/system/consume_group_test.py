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
import threading
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

    def until_it_joins(self):
        for _ in range(600):
            if "g" in self.leat("group", "list"):
                return
            time.sleep(0.1)
        self.fail("no group in a minute")

    def pause(self, after, seconds):
        time.sleep(after)
        self.broker.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.broker.process.send_signal(signal.SIGCONT)

    def until_shared(self, group):
        for _ in range(600):
            members = json.loads(self.leat("group", "describe", group, "--output", "json"))["members"]
            if len(members) == 2 and all(one["partitions"] == 1 for one in members):
                return
            time.sleep(0.1)
        self.fail(f"not shared in a minute: {members}")

    def positions(self, group="g"):
        told = json.loads(self.leat("group", "describe", group, "--output", "json"))
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
            self.until_it_joins()
            one.send_signal(signal.SIGINT)
            out, err = one.communicate(timeout=60)
        self.assertEqual((out, one.returncode), ("", 0), err)
        self.assertEqual(json.loads(self.leat("group", "describe", "g", "--output", "json"))["members"], [])

    def test_records_wait_while_the_cluster_does_not_answer(self):
        self.start("group.initial.rebalance.delay.ms=0")
        self.leat("produce", "t", "--partition", "0", stdin="".join(f"{i:0900}\n" for i in range(4000)))
        read = [LEAT, "consume", "t", "--group", "g", "--from", "beginning", "--until-end", "-b", "{}:{}".format(*self.broker.address)]
        with subprocess.Popen(read, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
            lines = [one.stdout.readline()]
            # It commits after 5 s and looks at the leaders after 10, for a second; records wait meanwhile.
            pause = threading.Thread(target=self.pause, args=(6, 7))
            pause.start()
            for _ in range(2500):
                lines.append(one.stdout.readline())
                time.sleep(0.008)
            lines += one.stdout.readlines()
            err = one.stderr.read()
            pause.join()
        self.assertEqual(one.returncode, 0, err)
        self.assertEqual("".join(lines), "".join(f"{i:0900}\n" for i in range(4000)))

    def test_members_share_and_leave_their_positions(self):
        self.start("group.initial.rebalance.delay.ms=0")
        for strategy in ("range", "cooperative-sticky"):
            with self.subTest(strategy=strategy):
                group = f"g-{strategy}"
                file = self.broker.folder / "client.properties"
                file.write_text(f"partition.assignment.strategy={strategy}\n")
                read = [LEAT, "consume", "t", "--group", group, "--from", "beginning", "--config", str(file), "-b", "{}:{}".format(*self.broker.address)]
                members = [subprocess.Popen(read, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)]
                try:
                    self.leat("produce", "t", "--partition", "0", stdin="a\n")
                    self.assertEqual(members[0].stdout.readline(), "a\n")
                    members.append(subprocess.Popen(read, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
                    self.until_shared(group)
                    for partition in ("0", "1"):
                        self.leat("produce", "t", "--partition", partition, stdin=f"b{partition}\n")
                    self.assertEqual({one.stdout.readline() for one in members}, {"b0\n", "b1\n"})
                finally:
                    for one in members:
                        one.send_signal(signal.SIGINT)
                told = [one.communicate(timeout=60) for one in members]
                self.assertEqual([(one.returncode, out) for one, (out, _) in zip(members, told)], [(0, "")] * 2, told)
                self.assertEqual({lag for _, lag in self.positions(group).values()}, {0})
                self.leat("topic", "delete", "t", "--yes")
                self.leat("topic", "create", "t", "--partitions", "2")

    def test_the_end_of_a_cluster_that_is_not_there_is_not_waited_for(self):
        self.start()
        self.assertIn("NETWORK_EXCEPTION", self.leat("consume", "t", "--group", "g", "--until-end", "-b", "127.0.0.1:1", code=1))


if __name__ == "__main__":
    LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
