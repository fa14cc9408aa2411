#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Operators on a cluster, in one topology: what they write and keep is what the test driver says.

usage: streams_operators_test.py LEAT STREAMS_OPERATORS_APP [--kafka VERSION]

An outer join of streams, hopping, sliding, unlimited and session windows, suppress until windows close, emit on close, a versioned table
joined with a grace period, cogroup, an outer join of tables. Exactly once; the application is killed in the middle and its state removed,
so that all that it knows comes from its changelogs, or left as it is. The broker is `leat serve`, or a real Apache Kafka.
"""
import collections
import json
import pathlib
import random
import shutil
import subprocess
import time
import zlib

import stream_cluster
from stream_cluster import ClusterTest

PARTITIONS = 2
KEYS = [f"key{i}" for i in range(12)]
# Records of a topic come at most so much too late: less than any grace period of the topology.
LATE_MS = 300
# Of one half, and of what time they are.
RECORDS = {"left": 1500, "right": 1500, "prices": 600, "names": 300, "places": 300}
HALF_MS = 120_000
OUTPUTS = ("outer", "priced", "directory", "collected", "hopping", "sliding", "unlimited", "sessions", "suppressed", "closed")
# Internal topics: what is said of a few kinds.
CONFIGS = {
    "operators-prices-changelog": {"cleanup.policy": "compact", "min.compaction.lag.ms": "86420000"},
    "operators-unlimited-changelog": {"cleanup.policy": "compact,delete", "retention.ms": "9223372036854775807"},
    "operators-hopping-changelog": {"cleanup.policy": "compact,delete", "retention.ms": "86406000"},
    "operators-KSTREAM-OUTERTHIS-0000000010-store-changelog": {"cleanup.policy": "delete", "retention.ms": "86404000"},
}
# Stores that have rows when the application is killed.
RESTORED = ("prices", "names", "places", "directory", "collected", "unlimited", "hopping", "sliding", "sessions", "waiting", "closing")


def partition_of(key):
    return zlib.crc32(key.encode()) % PARTITIONS


def half(dice, start):
    """Rows (topic, partition, time, key, value) of each topic in the order of its offsets. No two have the same time."""
    topics = [topic for topic, number in RECORDS.items() for _ in range(number)]
    dice.shuffle(topics)
    times = sorted(dice.sample(range(start, start + HALF_MS), len(topics)))
    logs = collections.defaultdict(list)
    for number, (topic, at) in enumerate(zip(topics, times)):
        key = dice.choice(KEYS)
        deleted = topic in ("prices", "names", "places") and dice.random() < 0.1
        logs[topic].append((topic, partition_of(key), at, key, None if deleted else f"{topic[0]}{number};"))
    for rows in logs.values():
        at = 0
        while at + 1 < len(rows):
            if dice.random() < 0.2 and rows[at + 1][2] - rows[at][2] < LATE_MS:
                rows[at], rows[at + 1] = rows[at + 1], rows[at]
                at += 1
            at += 1
    return logs


class App:
    def __init__(self, test, *settings):
        self.out = open(test.place / f"app-{time.monotonic_ns()}.out", "w+")
        self.log = open(test.place / f"app-{time.monotonic_ns()}.log", "wb")
        self.process = subprocess.Popen([ClusterTest.options.app, "run", test.node.address, *settings], stdin=subprocess.PIPE, stdout=self.out,
                                        stderr=self.log, text=True)

    def lines(self):
        return pathlib.Path(self.out.name).read_text().splitlines()

    def wait(self, there, what, patience=60):
        deadline = time.monotonic() + patience
        while not there():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"{what}: {self.lines()[-20:]}\n{pathlib.Path(self.log.name).read_text()[-3000:]}")
            time.sleep(0.02)

    def rows(self, key):
        """What the stores have of a key."""
        before = len(self.lines())
        self.process.stdin.write(key + "\n")
        self.process.stdin.flush()
        self.wait(lambda: f"rows of {key}" in self.lines()[before:], f"no rows of {key}")
        return [line for line in self.lines()[before:] if not line.startswith(("state", "restored", "rows of"))]

    def end(self):
        """In good order."""
        self.process.stdin.close()
        if self.process.wait(60) != 0:
            raise AssertionError(pathlib.Path(self.log.name).read_text()[-3000:])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self.process.stdin.close()
        self.out.close()
        self.log.close()


class Operators(ClusterTest):
    # A transaction that was left open is ended soon.
    broker_settings = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200"}

    def produce(self, rows):
        lines = collections.defaultdict(list)
        for topic, partition, at, key, value in rows:
            lines[topic].append(json.dumps({"key": key, "value": value, "partition": partition, "timestamp": at}) + "\n")
        for topic, records in lines.items():
            self.leat("produce", topic, "--json", stdin="".join(records))

    def written(self, output):
        """Committed records (topic, time, key, value) of an output topic, and how often each came."""
        topic = f"out-{output}"
        out = self.leat("consume", topic, "--from", "beginning", "--until-end", "--isolation", "read_committed", "--output", "json")
        rows = map(json.loads, out.splitlines())
        return collections.Counter((topic, row["timestamp"], row["key"], row["value"]) for row in rows)

    def expected(self, rows):
        lines = "".join("\t".join(map(str, row if row[4] is not None else row[:4])) + "\n" for row in rows)
        done = subprocess.run([ClusterTest.options.app, "expect", *KEYS], input=lines, capture_output=True, text=True, timeout=120, check=True)
        written, kept = collections.defaultdict(collections.Counter), []
        for line in done.stdout.splitlines():
            word, *fields = line.split("\t")
            if word == "out":
                written[fields[0]][fields[0], int(fields[1]), fields[2], fields[3] if len(fields) > 3 else None] += 1
            elif line.startswith("row "):
                kept.append(line)
        return written, sorted(kept)

    def configs(self, topic):
        described = json.loads(self.leat("config", "describe", "topic", topic, "--output", "json"))
        return {entry["name"]: entry["value"] for entry in described["settings"]}

    def closing(self, at, number):
        """A record for each partition of the left stream, long after all others: what can close is closed."""
        keys = {partition_of(key): key for key in KEYS}
        return [("left", partition, at + 1_000_000 + 10 * number + partition, key, f"end{number};") for partition, key in keys.items()]

    def check_operators(self, removes_state):
        dice = random.Random(11)
        start = int(time.time() * 1000) - 3_600_000
        halves = [[row for rows in half(dice, start + n * HALF_MS).values() for row in rows] for n in range(2)]
        ends = [self.closing(start + 2 * HALF_MS, n) for n in range(2)]
        for topic in RECORDS:
            self.leat("topic", "create", topic, "--partitions", str(PARTITIONS))
        for output in OUTPUTS:
            self.leat("topic", "create", f"out-{output}", "--partitions", "1")
        expected, kept = self.expected([row for part in halves + ends for row in part])
        self.assertEqual(set(expected), {f"out-{output}" for output in OUTPUTS})

        state = self.place / "state"
        settings = ("processing.guarantee=exactly_once_v2", "statestore.cache.max.bytes=0", "commit.interval.ms=100", "session.timeout.ms=1000",
                    "heartbeat.interval.ms=200", "producer.transaction.timeout.ms=2000", "num.stream.threads=2", f"state.dir={state}")
        self.produce(halves[0])
        with App(self, *settings) as app:
            # Of both sub-topologies.
            for output in ("directory", "unlimited"):
                app.wait(lambda: self.written(output).total() > 50, "nothing is written")
            app.kill()
        self.assertLess(self.written("unlimited").total(), expected["out-unlimited"].total())
        self.produce(halves[1])
        if removes_state:
            shutil.rmtree(state)
        else:
            before = self.written("unlimited").total()
            with App(self, *settings) as app:
                app.wait(lambda: self.written("unlimited").total() > before, "it does not go on")
                app.end()
        with App(self, *settings) as app:
            done = expected["out-unlimited"].total()
            for number, end in enumerate(ends):
                app.wait(lambda: self.written("unlimited").total() >= done - PARTITIONS * (2 - number), "the input is not done")
                if number > 0:
                    time.sleep(1.2)  # Closed windows are looked for once a second.
                self.produce(end)
            app.wait(lambda: self.written("unlimited").total() >= done, "the end is not done")
            for output in OUTPUTS:
                with self.subTest(output):
                    found, wanted = self.written(output), expected[f"out-{output}"]
                    self.assertEqual((found - wanted, wanted - found), (collections.Counter(), collections.Counter()))
            self.assertEqual(sorted(row for key in KEYS for row in app.rows(key)), kept)
            restored = collections.Counter()
            for line in app.lines():
                if line.startswith("restored "):
                    restored[line.split()[1]] += int(line.split()[2])
            for store in RESTORED if removes_state else ():
                self.assertGreater(restored[f"operators-{store}-changelog"], 0, store)
        for topic, wanted in CONFIGS.items():
            found = self.configs(topic)
            self.assertEqual({name: found.get(name) for name in wanted}, wanted, topic)
        for topic in ("operators-until-close-store-changelog", "operators-priced-Buffer-changelog"):
            self.check_times(topic)

    def check_times(self, topic):
        """A changelog of what waits is written at the time at which it is written."""
        out = self.leat("consume", topic, "--from", "beginning", "--until-end", "--output", "json")
        now = time.time() * 1000
        times = [json.loads(line)["timestamp"] for line in out.splitlines()]
        self.assertGreater(len(times), 0, topic)
        self.assertGreater(min(times), now - 600_000, topic)


class OperatorsFromChangelogs(Operators):
    def test_write_and_keep_what_the_test_driver_says(self):
        self.check_operators(removes_state=True)


class OperatorsWithState(Operators):
    def test_go_on_with_what_a_kill_and_an_end_left(self):
        """Rows that were in memory alone are in the changelog after the one, in the database after the other."""
        self.check_operators(removes_state=False)


if __name__ == "__main__":
    stream_cluster.run_tests(__doc__)
