#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Topologies on a cluster: word counts through kill -9, with one and two instances, at least and exactly once.

usage: streams_test.py LEAT WORD_COUNT [--kafka VERSION] [TEST...]

The broker is `leat serve`, or a real Apache Kafka. What must come out is counted here.
"""
import base64
import collections
import json
import pathlib
import random
import re
import shutil
import struct
import subprocess
import time

import stream_cluster
from stream_cluster import ClusterTest

PARTITIONS = 4


class Instance:
    """One process of the example. `state`: where it keeps what it knows, below the folder."""

    def __init__(self, node, folder, *settings, state="state"):
        self.log = open(folder / f"app-{time.monotonic_ns()}.log", "wb")
        self.out = open(folder / f"app-{time.monotonic_ns()}.out", "w+")
        self.process = subprocess.Popen([ClusterTest.options.word_count, node.address, f"state.dir={folder / state}", *settings], stdout=self.out, stderr=self.log,
                                        stdin=subprocess.DEVNULL)

    def states(self):
        return pathlib.Path(self.out.name).read_text().split()

    def wait_running(self, patience=60):
        deadline = time.monotonic() + patience
        while self.states()[-1:] != ["RUNNING"]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"not running: {self.states()}\n" + pathlib.Path(self.log.name).read_text()[-3000:])
            time.sleep(0.02)

    def said(self):
        return pathlib.Path(self.log.name).read_text()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        self.out.close()


class WordCount(ClusterTest):
    def setUp(self):
        self.random = random.Random(7)
        self.expected = collections.Counter()
        # Each test has its own topics: the program's names are fixed, so the old ones go.
        for topic in self.topics():
            if not topic.startswith("__"):
                self.leat("topic", "delete", topic, "--yes")
        # Kafka's answers come before its own metadata shows them.
        self.wait_for_topics(lambda names: all(name.startswith("__") for name in names))
        for group in ("word-count",):
            subprocess.run([ClusterTest.options.leat, "group", "delete", group, "--yes"], capture_output=True, env=self.environment())
        for topic in ("lines", "word-counts"):
            self.create(topic)

    def create(self, topic, *options):
        for _ in range(50):  # A deleted topic may still be on its way out.
            done = subprocess.run([ClusterTest.options.leat, "topic", "create", topic, "--partitions", str(PARTITIONS), *options],
                                  capture_output=True, text=True, env=self.environment())
            if done.returncode == 0:
                return self.wait_for_topics(lambda names: topic in names)
            time.sleep(0.1)
        raise AssertionError(done.stderr)

    def wait_for_topics(self, there, patience=20):
        deadline = time.monotonic() + patience
        while not there(self.topics()):
            if time.monotonic() > deadline:
                raise AssertionError(f"topics are {self.topics()}")
            time.sleep(0.05)

    def produce(self, lines):
        text = []
        for _ in range(lines):
            words = [f"w{int(self.random.expovariate(0.05))}" for _ in range(5)]
            self.expected.update(words)
            # A key spreads the lines over the partitions.
            text.append(f"{self.random.randrange(1000)}\t{' '.join(words)}\n")
        self.leat("produce", "lines", "--key-separator", "\t", stdin="".join(text))

    def counts(self):
        out = self.leat("consume", "word-counts", "--from", "beginning", "--until-end", "--isolation", "read_committed",
                        "--output", "json")
        last, number = {}, 0
        for line in out.splitlines():
            row = json.loads(line)
            value = row["value"].encode() if "value" in row else base64.b64decode(row["value_base64"])
            last[row["key"]] = value
            number += 1
        return last, number

    def total(self):
        """The sum of the last counts of all words."""
        return {key: struct.unpack(">q", value)[0] for key, value in self.counts()[0].items() if len(value) == 8}

    def wait_for_counts(self, patience=90, exactly=True):
        deadline = time.monotonic() + patience
        while True:
            found = self.total()
            if exactly and found == self.expected:
                return found
            if not exactly and all(found.get(word, 0) >= n for word, n in self.expected.items()):
                return found
            if time.monotonic() > deadline:
                wrong = {w: (found.get(w), n) for w, n in self.expected.items() if found.get(w) != n}
                self.fail(f"{len(wrong)} words of {len(self.expected)} are wrong: {dict(list(wrong.items())[:5])}")
            time.sleep(0.2)

    def wait_for_commit(self, patience=60):
        """Until all that was read is committed; its thread notes the states right behind that."""
        deadline = time.monotonic() + patience
        while True:
            group = json.loads(self.leat("group", "describe", "word-count", "--output", "json"))
            if group["total_lag"] == 0 and len(group["partitions"]) == 2 * PARTITIONS:
                return
            self.assertLess(time.monotonic(), deadline, group)
            time.sleep(0.05)

    def test_counts_and_closes(self):
        self.produce(2000)
        with Instance(self.node, self.place, "commit.interval.ms=200", "num.stream.threads=2") as app:
            app.wait_running()
            self.wait_for_counts()
            self.produce(500)
            self.wait_for_counts()
            self.assertEqual(app.stop(), 0)
            self.assertEqual(app.states()[-2:], ["PENDING_SHUTDOWN", "NOT_RUNNING"])
        # Everything is committed: nothing is done again.
        number = self.counts()[1]
        with Instance(self.node, self.place, "commit.interval.ms=200", "statestore.cache.max.bytes=0") as app:
            app.wait_running()
            self.produce(100)
            self.wait_for_counts()
            self.assertEqual(app.stop(), 0)
        self.assertEqual(self.counts()[1], number + 500)

    def wait_for_growth(self, app, before, patience=60):
        """Until more is on the topic of counts than before."""
        deadline = time.monotonic() + patience
        while self.counts()[1] <= before:
            if app.process.poll() is not None or time.monotonic() > deadline:
                self.fail(f"nothing was counted before the kill: {app.states()}")

    def kills(self, rounds, exactly, *settings):
        """Each round strikes an instance that has counted since the last one and has work left or under way."""
        settings = ("session.timeout.ms=1000", "heartbeat.interval.ms=200", *settings)
        for _ in range(rounds):
            before = self.counts()[1]
            with Instance(self.node, self.place, *settings) as app:
                app.wait_running()
                self.produce(400)
                self.wait_for_growth(app, before)
                self.produce(400)
                time.sleep(self.random.uniform(0, 0.3))
                app.kill()
        with Instance(self.node, self.place, *settings) as app:
            self.produce(100)
            self.wait_for_counts(exactly=exactly)
            self.assertEqual(app.stop(), 0)

    def test_at_least_once_loses_nothing_by_kills(self):
        self.kills(4, False, "commit.interval.ms=100")

    def test_exactly_once_counts_each_once_through_kills(self):
        self.kills(6, True, "processing.guarantee=exactly_once_v2", "num.stream.threads=2")

    def test_second_instance_takes_over(self):
        settings = ("processing.guarantee=exactly_once_v2", "session.timeout.ms=6000", "heartbeat.interval.ms=300",
                    "probing.rebalance.interval.ms=1000", "num.standby.replicas=1")
        self.produce(1000)
        with Instance(self.node, self.place, *settings) as first:
            first.wait_running()
            with Instance(self.node, self.place, *settings, state="second") as second:
                second.wait_running()
                self.produce(500)
                self.wait_for_counts()
                first.kill()
                self.produce(500)
                self.wait_for_counts()
                self.assertEqual(second.stop(), 0)

    def test_exactly_once_ends_when_the_output_is_refused(self):
        self.leat("topic", "delete", "word-counts", "--yes")
        # The first record with its key and headers is larger than that.
        self.create("word-counts", "--set", "max.message.bytes=20")
        self.produce(20)
        with Instance(self.node, self.place, "processing.guarantee=exactly_once_v2") as app:
            self.assertEqual(app.process.wait(60), 1)
            self.assertEqual(app.states()[-2:], ["PENDING_ERROR", "ERROR"])
            self.assertIn("code=MESSAGE_TOO_LARGE", app.said())
        # Kafka 4.3 gives it to the next topic of that name too, once it has been started again.
        self.leat("topic", "alter", "word-counts", "--unset", "max.message.bytes")

    def test_replication_that_the_cluster_refuses_ends_it(self):
        with Instance(self.node, self.place, "replication.factor=3") as app:
            self.assertEqual(app.process.wait(60), 1)
            self.assertEqual(app.states()[-2:], ["PENDING_ERROR", "ERROR"])
            self.assertIn("creating internal topic", app.said())

    def test_leader_sees_new_partitions_of_a_source(self):
        with Instance(self.node, self.place, "metadata.max.age.ms=500", "heartbeat.interval.ms=300") as app:
            app.wait_running()
            self.leat("topic", "alter", "lines", "--partitions", str(PARTITIONS + 2))
            # The repartition topic cannot follow: Kafka Streams ends too.
            self.assertEqual(app.process.wait(60), 1)
            self.assertIn("internal topic word-count-by-word-repartition has 4 partitions", app.said())

    def runs(self, app, since=0):
        """Tasks that came to run, and how many records they took out of changelogs for that."""
        return {task: int(n) for task, n in re.findall(r'"task runs" task=(\S+) .*restored=(\d+)', app.said()[since:])}

    def restored(self, app):
        return sum(self.runs(app).values())

    def wait_for_tasks(self, app, number, since=0, patience=60):
        deadline = time.monotonic() + patience
        while len(self.runs(app, since)) < number:
            if app.process.poll() is not None or time.monotonic() > deadline:
                self.fail(f"tasks that run: {self.runs(app, since)}\n{app.said()[-3000:]}")
            time.sleep(0.1)
        return self.runs(app, since)

    # Every update is in the changelogs.
    EAGER = ("commit.interval.ms=100", "session.timeout.ms=1000", "heartbeat.interval.ms=200",
             "statestore.cache.max.bytes=0", "probing.rebalance.interval.ms=1000")

    def test_standby_takes_over_with_the_tail_alone(self):
        settings = (*self.EAGER, "num.standby.replicas=1")
        self.produce(1000)
        with Instance(self.node, self.place, *settings) as first:
            # Else the second may be the first in the group, and run all tasks for a moment.
            self.wait_for_tasks(first, 2 * PARTITIONS)
            with Instance(self.node, self.place, *settings, state="second") as second:
                mine = self.wait_for_tasks(second, PARTITIONS)
                self.wait_for_counts()
                self.wait_for_commit()
                time.sleep(2)  # The copies follow; nothing shows how far they are.
                since = len(second.said())
                first.kill()
                taken = self.wait_for_tasks(second, 2 * PARTITIONS - len(mine), since)
                self.assertLess(sum(taken.values()), 500, taken)
                self.produce(100)
                self.wait_for_counts(exactly=False)
                self.assertEqual(second.stop(), 0)

    def test_instance_that_comes_back_gets_the_tasks_whose_state_it_has(self):
        # A process that falls out of the group for being slow would be given other tasks.
        settings = (*self.EAGER, "session.timeout.ms=4000")
        self.produce(1000)
        with Instance(self.node, self.place, *settings) as first:
            # Else the second may be the first in the group, and run all tasks for a moment.
            self.wait_for_tasks(first, 2 * PARTITIONS)
            with Instance(self.node, self.place, *settings, state="second") as second:
                self.wait_for_tasks(second, PARTITIONS)
                self.wait_for_counts(exactly=False)
                self.wait_for_commit()
                time.sleep(1)  # The group settles; nothing shows that it has.
                had = {task for task in self.runs(second) if task.startswith("1_")}
                self.assertTrue(had)
                since = len(first.said())
                second.kill()
                self.wait_for_tasks(first, PARTITIONS, since)
            with Instance(self.node, self.place, *settings, state="second") as second:
                runs = self.wait_for_tasks(second, PARTITIONS)
                self.assertEqual({task for task in runs if task.startswith("1_")}, had)
                self.assertEqual(sum(runs.values()), 0, runs)
                self.produce(100)
                self.wait_for_counts(exactly=False)
                self.assertEqual(second.stop(), 0)
            self.assertEqual(first.stop(), 0)

    def test_killed_instance_restores_the_tail_alone(self):
        self.produce(2000)
        settings = ("commit.interval.ms=100", "session.timeout.ms=1000", "heartbeat.interval.ms=200")
        with Instance(self.node, self.place, *settings) as app:
            app.wait_running()
            self.wait_for_counts()
            self.wait_for_commit()
            app.kill()
        with Instance(self.node, self.place, *settings) as app:
            app.wait_running()
            self.assertEqual(self.restored(app), 0)
            app.kill()
        # Without the state all of it comes back.
        shutil.rmtree(self.place / "state" / "word-count")
        with Instance(self.node, self.place, *settings) as app:
            app.wait_running()
            self.assertGreaterEqual(self.restored(app), len(self.expected))
            self.produce(100)
            self.wait_for_counts()
            self.assertEqual(app.stop(), 0)
        # Closed in peace nothing is to be restored either, and the process is known again.
        process = (self.place / "state" / "word-count" / "kafka-streams-process-metadata").read_text()
        with Instance(self.node, self.place, *settings) as app:
            app.wait_running()
            self.assertEqual(self.restored(app), 0)
            self.assertEqual(app.stop(), 0)
        self.assertEqual((self.place / "state" / "word-count" / "kafka-streams-process-metadata").read_text(), process)

    def test_exactly_once_crash_leaves_nothing_uncommitted(self):
        """The process is killed inside a transaction; what it counted there is not in the state of the next one."""
        settings = ("processing.guarantee=exactly_once_v2", "session.timeout.ms=1000", "heartbeat.interval.ms=200")
        self.produce(500)
        with Instance(self.node, self.place, *settings) as app:
            app.wait_running()
            self.wait_for_counts()
            app.kill()
        # One commit gives the words to those who count; they count in the transaction after it.
        with Instance(self.node, self.place, *settings, "commit.interval.ms=3000", "statestore.cache.max.bytes=0") as app:
            app.wait_running()
            self.produce(500)
            self.wait_until_sent(app)
            app.kill()
        with Instance(self.node, self.place, *settings) as app:
            self.wait_for_counts()
            self.assertEqual(app.stop(), 0)

    def wait_until_sent(self, app, patience=60):
        """Until uncommitted counts are on the topic."""
        deadline = time.monotonic() + patience
        before = self.counts()[1]
        while True:
            out = self.leat("consume", "word-counts", "--from", "beginning", "--until-end", "--isolation", "read_uncommitted",
                            "--output", "json")
            if len(out.splitlines()) > before:
                return
            if app.process.poll() is not None or time.monotonic() > deadline:
                self.fail("nothing was sent")
            time.sleep(0.1)

    def test_state_that_went_elsewhere_is_removed(self):
        self.produce(500)
        folders = lambda: {path.name for path in (self.place / "state" / "word-count").glob("1_*")}  # noqa: E731
        with Instance(self.node, self.place, *self.EAGER, "state.cleanup.delay.ms=1000") as first:
            self.wait_for_tasks(first, 2 * PARTITIONS)
            self.wait_for_counts()
            self.assertEqual(len(folders()), PARTITIONS)
            with Instance(self.node, self.place, *self.EAGER, state="second") as second:
                moved = {task for task in self.wait_for_tasks(second, PARTITIONS) if task.startswith("1_")}
                self.assertTrue(moved)
                deadline = time.monotonic() + 30
                while folders() & moved and time.monotonic() < deadline:
                    time.sleep(0.2)
                self.assertFalse(folders() & moved)
                self.assertEqual(folders() | moved, {f"1_{p}" for p in range(PARTITIONS)})
                self.produce(100)
                self.wait_for_counts()
                self.assertEqual(second.stop(), 0)
            self.assertEqual(first.stop(), 0)

    def test_state_of_another_process_is_refused(self):
        with Instance(self.node, self.place) as first:
            first.wait_running()
            with Instance(self.node, self.place) as second:
                self.assertEqual(second.process.wait(60), 1)
                self.assertIn(f"state.dir {self.place / 'state'}: application 'word-count' runs with it already", second.said())
            self.assertEqual(first.stop(), 0)

    def test_outage_of_the_broker_is_outlasted(self):
        self.produce(200)
        with Instance(self.node, self.place, "commit.interval.ms=100", "num.stream.threads=2") as app:
            app.wait_running()
            self.wait_for_counts()
            self.node.stop()
            # Longer than any one request is tried again.
            time.sleep(15)
            self.node.start()
            self.produce(200)
            self.wait_for_counts(exactly=False)
            self.assertIsNone(app.process.poll())
            self.assertEqual(app.stop(), 0)


if __name__ == "__main__":
    stream_cluster.run_tests(__doc__, "word_count")
