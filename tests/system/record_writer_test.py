#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What stream applications write by, on a cluster: transactions, who is fenced, brokers that are killed meanwhile.

usage: record_writer_test.py LEAT RECORD_WRITER_APP [--kafka VERSION] [--protocol 1|2] [--set NAME=VALUE]... [TEST...]

The broker is `leat serve`, or a real Apache Kafka. --set: of the writers.
"""
import argparse
import collections
import json
import pathlib
import queue
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from stream_cluster import ClusterTest, KafkaNode, LeatNode

OPTIONS = None
# What a transaction may hold up after its writer has died, and how often brokers look for that.
SETTINGS = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200"}


class Writer:
    """One process; `send` gives a command, `answer` waits for what came of it, `ask` does both."""

    def __init__(self, test, *settings):
        self.log = open(test.place / f"writer-{time.monotonic_ns()}.log", "w+b")
        self.process = subprocess.Popen([OPTIONS.app, test.node.address, *OPTIONS.set, *settings],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def send(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self, patience=100):
        try:
            return self.lines.get(timeout=patience)
        except queue.Empty:
            raise AssertionError(f"no answer: {self.said()}") from None

    def ask(self, command, patience=100):
        self.send(command)
        return self.answer(patience)

    def do(self, *commands):
        for command in commands:
            answer = self.ask(command)
            if not answer.startswith("ok"):
                raise AssertionError(f"{command}: {answer}\n{self.said()}")
        return self

    def state(self):
        return dict(word.split("=") for word in self.ask("state").split()[1:])

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-3000:]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            self.process.stdout.close()
            self.log.close()


class RecordWriter(ClusterTest):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="leat-writer-"))
        if OPTIONS.kafka:
            features = {"transaction.version": str(OPTIONS.protocol)} if OPTIONS.kafka[0] != "3" else {}
            cls.node = KafkaNode(cls.place / "kafka", OPTIONS.kafka, settings=SETTINGS, features=features)
        else:
            cls.node = LeatNode(cls.place / "leat", OPTIONS.leat, settings=SETTINGS)
        cls.node.start()
        if not OPTIONS.kafka and OPTIONS.protocol == 1:
            cls.leat("cluster", "downgrade", "--feature", "transaction.version=1", "--yes")

    def setUp(self):
        self.topic = re.sub("[^a-z]+", "-", self.id().rsplit(".", 1)[1])
        self.group = self.topic
        self.create(self.topic)

    def create(self, topic, partitions=4):
        self.leat("topic", "create", topic, "--partitions", str(partitions))

    def writer(self, name="", *settings):
        """Transactional if it has a name."""
        return Writer(self, *([f"transactional.id={self.topic}-{name}"] if name else []), *settings)

    def read(self, topic="", isolation="read_committed"):
        """Values by partition, in their order."""
        out = self.leat("consume", topic or self.topic, "--from", "beginning", "--until-end", "--isolation", isolation,
                        "--format", "%p %v\\n")
        found = collections.defaultdict(list)
        for line in out.splitlines():
            partition, value = line.split(" ", 1)
            found[int(partition)].append(value)
        return dict(found)

    def position(self):
        """What the group has committed for partition 0."""
        rows = json.loads(self.leat("group", "describe", self.group, "--output", "json"))
        text = json.dumps(rows)
        found = re.findall(r'"(?:committed|committed_offset|offset|current_offset)": (\d+)', text)
        self.assertEqual(len(set(found)), 1, text)
        return int(found[0])

    def crash(self):
        """The broker, as by kill -9; the same comes again."""
        self.node.stop(kill=True)
        self.node.start()

    # One writer.

    def test_only_what_was_committed_is_seen(self):
        with self.writer("w") as writer:
            writer.do("init", "begin", *[f"send {self.topic} {i % 2} a{i}" for i in range(4)], "commit")
            writer.do("begin", f"send {self.topic} 0 lost", f"send {self.topic} 3 lost", "flush", "abort")
            writer.do("begin", f"send {self.topic} 1 last", "commit")
            # Neither has anything in it.
            writer.do("begin", "commit", "begin", "abort")
            writer.do("begin", f"send {self.topic} 2 open", "flush")
            self.assertEqual(self.read(), {0: ["a0", "a2"], 1: ["a1", "a3", "last"]})
            self.assertEqual(self.read(isolation="read_uncommitted"),
                             {0: ["a0", "a2", "lost"], 1: ["a1", "a3", "last"], 2: ["open"], 3: ["lost"]})
            writer.do("commit")
            self.assertEqual(self.read()[2], ["open"])
            self.assertEqual((writer.state()["must_abort"], writer.state()["is_fatal"]), ("0", "0"))

    def test_transactions_follow_each_other_at_once(self):
        with self.writer("w") as writer:
            writer.do("init")
            began = time.monotonic()
            for i in range(50):
                writer.do("begin", f"flood {self.topic} 4 {10 * i} {10 * i + 10}", "commit" if i % 5 else "abort")
            print(f"{(time.monotonic() - began) * 20:.0f} ms each", end=" ")
        kept = [str(i) for i in range(500) if i // 10 % 5]
        self.assertEqual(self.read(), {p: [v for v in kept if int(v) % 4 == p] for p in range(4)})

    def test_offsets_count_when_they_are_committed(self):
        with self.writer("w") as writer:
            offsets = f"offsets {self.group} -1 - {self.topic} 0 "
            writer.do("init", "begin", f"send {self.topic} 0 x", offsets + "5", "commit")
            self.assertEqual(self.position(), 5)
            writer.do("begin", f"send {self.topic} 0 x", offsets + "6", "abort")
            self.assertEqual(self.position(), 5)
            writer.do("begin", offsets + "7", "commit")
            self.assertEqual(self.position(), 7)

    def test_who_is_no_member_any_more_aborts_and_goes_on(self):
        with self.writer("w") as writer:
            writer.do("init", "begin", f"send {self.topic} 0 lost")
            answer = writer.ask(f"offsets {self.group} 3 stranger {self.topic} 0 5")
            self.assertRegex(answer, "^error (UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION) ")
            state = writer.state()
            self.assertEqual((state["must_abort"], state["is_fatal"]), ("1", "0"))
            writer.do("abort", "begin", f"send {self.topic} 0 kept", "commit")
        self.assertEqual(self.read(), {0: ["kept"]})

    # Two with the same transactional id.

    def test_the_older_of_two_is_fenced(self):
        with self.writer("w") as older, self.writer("w") as newer:
            older.do("init", "begin", f"send {self.topic} 0 old", "flush")
            newer.do("init", "begin", f"send {self.topic} 0 new")
            self.assertRegex(older.ask("commit"), "^error (PRODUCER_FENCED|INVALID_PRODUCER_EPOCH) ")
            self.assertEqual(older.state()["is_fatal"], "1")
            newer.do("commit")
            self.assertEqual(newer.state()["is_fatal"], "0")
        self.assertEqual(self.read(), {0: ["new"]})

    def test_the_older_of_two_is_fenced_when_it_sends(self):
        with self.writer("w") as older, self.writer("w") as newer:
            older.do("init", "begin", f"send {self.topic} 0 old", "commit")
            newer.do("init")
            older.do("begin", f"send {self.topic} 1 lost")
            older.ask("flush")
            self.assertTrue(older.ask("commit").startswith("error "))
            newer.do("begin", f"send {self.topic} 0 new", "commit")
        self.assertEqual(self.read(), {0: ["old", "new"]})

    def test_what_a_killed_one_left_open_is_aborted_by_the_next(self):
        with self.writer("w") as killed:
            killed.do("init", "begin", f"flood {self.topic} 4 0 1000", "flush")
            killed.kill()
        with self.writer("w") as writer:
            writer.do("init", "begin", f"send {self.topic} 0 new", "commit")
        self.assertEqual(self.read(), {0: ["new"]})
        self.assertEqual(sum(map(len, self.read(isolation="read_uncommitted").values())), 1001)

    def test_a_transaction_that_lasts_too_long_is_over(self):
        with self.writer("w", "transaction.timeout.ms=1000") as writer:
            writer.do("init", "begin", f"send {self.topic} 0 lost", "flush")
            deadline = time.monotonic() + 60
            while json.loads(self.leat("txn", "describe", f"{self.topic}-w", "--output", "json"))["state"] == "Ongoing":
                self.assertLess(time.monotonic(), deadline, "nobody aborts it")
                time.sleep(0.05)
            self.assertTrue(writer.ask("commit").startswith("error "))
            state = writer.state()
            if state["is_fatal"] == "0":
                writer.do("abort")
        with self.writer("w") as writer:
            writer.do("init", "begin", f"send {self.topic} 0 new", "commit")
        self.assertEqual(self.read(), {0: ["new"]})

    # Brokers that are killed.

    def test_nothing_is_lost_or_twice_when_the_broker_is_killed(self):
        count = 60_000
        with self.writer("", "enable.idempotence=true", "linger.ms=1", "batch.size=2000") as writer:
            for part in range(6):
                writer.send(f"flood {self.topic} 4 {part * count // 6} {(part + 1) * count // 6}")
                time.sleep(random.uniform(0, 0.05))
                self.crash()
                self.assertEqual(writer.answer(), "ok ")
            writer.do("wait 60000", "flush")
            state = writer.state()
        self.assertEqual((state["in_flight"], state.get("NONE")), ("0", str(count)))
        found = self.read()
        for partition in range(4):
            self.assertEqual(found[partition], [str(i) for i in range(partition, count, 4)], partition)

    def test_transactions_are_whole_when_the_broker_is_killed(self):
        committed, unknown, next_value, writer, fatal = [], [], 0, None, 0
        stages = ["begun", "sent", "committing", "none"]
        # Apache Kafka takes about ten seconds to come back.
        count = 8 if OPTIONS.kafka else 24
        for _ in range(count):
            stage = random.choice(stages)
            if writer is None:
                writer = self.writer("w", "message.timeout.ms=60000").__enter__()
                writer.do("init")
            values = range(next_value, next_value + 200)
            next_value += 200
            writer.do("begin")
            if stage == "begun":
                self.crash()
            writer.send(f"flood {self.topic} 4 {values[0]} {values[-1] + 1}")
            if stage == "sent":
                self.crash()
            flooded = writer.answer()
            writer.send("commit")
            if stage == "committing":
                time.sleep(random.uniform(0, 0.02))
                self.crash()
            answer = writer.answer()
            while answer.startswith("error TIMED_OUT"):
                answer = writer.ask("commit")
            if answer.startswith("ok") and flooded.startswith("ok"):
                committed += values
                continue
            state = writer.state()
            if state["is_fatal"] == "0":
                writer.do("abort")
            else:
                fatal += 1
                unknown.append(set(map(str, values)))
                writer.__exit__()
                writer = None
        if writer:
            writer.__exit__()
        with self.writer("w") as last:
            last.do("init")
        print(f"{len(committed) // 200} of {count} committed, {fatal} fatal", end=" ")
        found = self.read()
        seen = [value for values in found.values() for value in values]
        self.assertEqual(len(seen), len(set(seen)))
        for values in unknown:
            self.assertIn(len(values & set(seen)), (0, 200))
            seen = [value for value in seen if value not in values]
        self.assertEqual(sorted(map(int, seen)), committed)
        for values in found.values():
            self.assertEqual(values, sorted(values, key=int))


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("leat")
    parser.add_argument("app")
    parser.add_argument("--kafka", default="")
    parser.add_argument("--protocol", type=int, choices=(1, 2), default=2)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--seed", type=int, default=random.randrange(10 ** 6))
    OPTIONS, rest = parser.parse_known_args()
    ClusterTest.options = OPTIONS
    random.seed(OPTIONS.seed)
    print(f"repeat with --seed {OPTIONS.seed}", file=sys.stderr)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
