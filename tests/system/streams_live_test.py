#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an application can do on a cluster beside counting: handlers, patterns, resets, threads, its calls.

usage: streams_live_test.py LEAT STREAMS_LIVE_APP [--kafka VERSION] [TEST...]

The broker is `leat serve`, or a real Apache Kafka.
"""
import base64
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

import raw_client
import stream_cluster
from stream_cluster import ClusterTest

BAD = "deserialization.exception.handler=LogAndContinueExceptionHandler"
WRONG = "processing.exception.handler=LogAndContinueProcessingExceptionHandler"
REFUSED = "production.exception.handler=LogAndContinueProductionExceptionHandler"
DEAD = "errors.dead.letter.queue.topic.name=dead"


def murmur2(key):
    """Of Kafka's Java client, whose default partitioner Streams uses too."""
    mix, word = 0x5BD1E995, lambda at: int.from_bytes(data[at:at + 4], "little")
    data = key.encode()
    whole = len(data) // 4 * 4
    result = 0x9747B28C ^ len(data)
    for at in range(0, whole, 4):
        part = word(at) * mix & 0xFFFFFFFF
        part ^= part >> 24
        result = (result * mix & 0xFFFFFFFF) ^ (part * mix & 0xFFFFFFFF)
    if whole != len(data):
        result = (result ^ word(whole)) * mix & 0xFFFFFFFF
    result = (result ^ (result >> 13)) * mix & 0xFFFFFFFF
    return result ^ (result >> 15)


class App:
    """One process; its lines are read as they come."""

    def __init__(self, test, topology, *settings):
        self.log = open(test.place / f"app-{time.monotonic_ns()}.log", "wb")
        self.out = open(test.place / f"app-{time.monotonic_ns()}.out", "w+")
        self.process = subprocess.Popen([ClusterTest.options.app, test.node.address, topology, "heartbeat.interval.ms=200",
                                         "commit.interval.ms=100",
                                         f"state.dir={test.place}/state-{time.monotonic_ns()}", *settings],
                                        stdin=subprocess.PIPE, stdout=self.out, stderr=self.log, text=True)

    def lines(self):
        return pathlib.Path(self.out.name).read_text().splitlines()

    def states(self):
        return [line.split()[1] for line in self.lines() if line.startswith("state ")]

    def uncaught(self):
        return [line for line in self.lines() if line.startswith("uncaught")]

    def answers(self):
        return [line for line in self.lines() if line.startswith(("ok", "error"))]

    def said(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text()

    def assigned(self):
        """Generation and number of active tasks of the group's last word."""
        return (re.findall(r"event=assigned .*generation=(\d+) active=(\d+)", self.said()) or [()])[-1]

    def wait(self, there, what, patience=40):
        deadline = time.monotonic() + patience
        while not there():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: {self.lines()}\n{self.said()[-3000:]}")
            time.sleep(0.02)
        return self

    def running(self):
        return self.wait(lambda: self.states()[-1:] == ["RUNNING"], "not running")

    def ended(self, patience=40):
        self.wait(lambda: self.process.poll() is not None or self.states()[-1:] in (["ERROR"], ["NOT_RUNNING"]),
                  "not ended", patience)
        return self.states()[-1]

    def ask(self, command):
        before = len(self.answers())
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.wait(lambda: len(self.answers()) > before, f"no answer to {command}")
        return self.answers()[before]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        if self.process.poll() is None:
            try:
                self.process.wait(60)
            finally:
                self.process.kill()
                self.process.wait()
        self.log.close()
        self.out.close()


class Live(ClusterTest):
    def setUp(self):
        for topic in self.topics():
            if not topic.startswith("__"):
                self.leat("topic", "delete", topic, "--yes")
        self.wait_for(self.topics, lambda names: all(name.startswith("__") for name in names))
        subprocess.run([ClusterTest.options.leat, "group", "delete", "live", "--yes"], capture_output=True, env=self.environment())
        self.widths = {}
        self.create("out", 1)

    def create(self, topic, partitions=2, *options):
        self.widths[topic] = partitions
        self.leat("topic", "create", topic, "--partitions", str(partitions), *options)
        self.wait_for(self.topics, lambda names: topic in names)

    def produce(self, topic, *records):
        """Records are (key, value) or (key, value, timestamp); they go where a Java client would send them."""
        rows = [{"key": r[0], "value": r[1], "partition": (murmur2(r[0]) & 0x7FFFFFFF) % self.widths[topic],
                 **({"timestamp": r[2]} if len(r) > 2 else {})} for r in records]
        self.leat("produce", topic, "--json", stdin="".join(json.dumps(row) + "\n" for row in rows))

    def rows(self, topic="out"):
        out = self.leat("consume", topic, "--from", "beginning", "--until-end", "--isolation", "read_committed",
                        "--output", "json")
        return [json.loads(line) for line in out.splitlines()]

    def values(self, topic="out"):
        return [row["value"] if "value" in row else base64.b64decode(row["value_base64"]) for row in self.rows(topic)]

    def wait_for(self, get, there, patience=40, app=None):
        deadline = time.monotonic() + patience
        while not there(found := get()):
            if time.monotonic() > deadline:
                self.fail(f"found {found}" + (f"\n{app.lines()}\n{app.said()[-3000:]}" if app else ""))
            time.sleep(0.05)
        return found

    def wait_for_values(self, *expected, topic="out", app=None):
        self.wait_for(lambda: sorted(self.values(topic)), lambda found: found == sorted(expected), app=app)

    # Handlers.

    def test_handlers_go_on_and_dead_letters_say_why(self):
        self.create("in", 1)
        self.create("dead", 1)
        with App(self, "numbers", BAD, WRONG, DEAD) as app:
            app.running()
            self.produce("in", ("a", "1"), ("b", "bad"), ("c", "13"), ("d", "2"))
            self.wait_for_values("v1", "v2", app=app)
            letters = self.wait_for(lambda: self.rows("dead"), lambda rows: len(rows) == 2, app=app)
        self.assertEqual([(row["key"], row["value"]) for row in letters], [("b", "bad"), ("c", "13")])
        headers = [{h["key"] if "key" in h else h["name"]: h["value"] for h in row["headers"]}
                   if isinstance(row["headers"], list) else row["headers"] for row in letters]
        self.assertEqual([h["__streams.errors.topic"] for h in headers], ["in", "in"])
        self.assertEqual([h["__streams.errors.offset"] for h in headers], ["1", "2"])
        self.assertIn("thirteen", headers[1]["__streams.errors.message"])
        self.assertEqual(headers[1]["__streams.errors.stacktrace"], "works")
        # All of it is committed: nothing comes twice.
        with App(self, "numbers", BAD, WRONG, DEAD) as app:
            app.running()
            self.produce("in", ("e", "3"))
            self.wait_for_values("v1", "v2", "v3", app=app)
        self.assertEqual(len(self.rows("dead")), 2)

    def test_exactly_once_skips_too(self):
        self.create("in", 1)
        self.create("dead", 1)
        with App(self, "numbers", BAD, WRONG, DEAD, "processing.guarantee=exactly_once_v2") as app:
            app.running()
            self.produce("in", ("a", "1"), ("b", "bad"), ("c", "13"), ("d", "2"))
            self.wait_for_values("v1", "v2", app=app)
            self.assertEqual(self.values("dead"), ["bad", "13"])

    def test_without_a_handler_the_application_ends(self):
        self.create("in", 1)
        self.create("dead", 1)
        self.produce("in", ("a", "1"), ("c", "13"))
        with App(self, "numbers", DEAD) as app:
            self.assertEqual(app.ended(), "ERROR")
            self.assertTrue(any("thirteen" in line and line.startswith("uncaught") for line in app.lines()), app.lines())
        # Its dead letter is written nevertheless.
        self.assertEqual(self.values("dead"), ["13"])

    def test_refused_output_is_a_matter_for_the_production_handler(self):
        self.create("in", 1)
        self.create("dead", 1)
        self.leat("topic", "delete", "out", "--yes")
        self.wait_for(self.topics, lambda names: "out" not in names)
        self.create("out", 1, "--set", "max.message.bytes=2000")
        with App(self, "numbers", REFUSED, DEAD, "producer.compression.type=none") as app:
            app.running()
            self.produce("in", ("a", "1"))
            self.wait_for_values("v1", app=app)
            # A batch is refused whole, so it must be alone in one.
            self.produce("in", ("b", "14"))
            self.wait_for_values("14", topic="dead", app=app)
            self.produce("in", ("c", "2"))
            self.wait_for_values("v1", "v2", app=app)

    def test_refused_output_that_nobody_judges_names_where_it_was_to_go(self):
        self.create("in", 1)
        self.leat("topic", "delete", "out", "--yes")
        self.wait_for(self.topics, lambda names: "out" not in names)
        self.create("out", 1, "--set", "max.message.bytes=2000")
        self.produce("in", ("b", "14"))
        with App(self, "numbers", "producer.compression.type=none") as app:
            self.assertEqual(app.ended(), "ERROR")
            said = [line for line in app.lines() if line.startswith("uncaught")]
        self.assertTrue(any("task 0_0: output to out-0 was not acknowledged: " in line for line in said), said)

    def test_what_a_handler_throws_is_told_with_what_it_was_about(self):
        self.create("in", 1)
        self.produce("in", ("c", "13"))
        with App(self, "numbers", "throws=processing,uncaught") as app:
            self.assertEqual(app.ended(), "ERROR")
            said = [line for line in app.lines() if line.startswith("uncaught")]
            self.assertTrue(any("the processing exception handler failed: no answer; it was about " in line and "thirteen" in line
                                for line in said), said)
            self.assertIn("on_uncaught failed: no answer; it was about UNKNOWN_SERVER_ERROR: ", app.said())

    # Sources.

    def test_topics_that_a_pattern_matches_come_and_go(self):
        self.create("in", 1)
        with App(self, "pattern", "metadata.max.age.ms=300", "num.stream.threads=2") as app:
            app.running()
            self.produce("in", ("a", "1"))
            self.wait_for_values("1", app=app)
            self.create("in-more", 2)
            self.create("inside", 1)
            self.produce("in-more", ("a", "2"), ("b", "3"), ("c", "4"))
            self.produce("inside", ("a", "never"))
            self.wait_for_values("1", "2", "3", "4", app=app)
            self.leat("topic", "delete", "in-more", "--yes")
            time.sleep(1)
            self.produce("in", ("a", "5"))
            self.wait_for_values("1", "2", "3", "4", "5", app=app)
            self.assertIsNone(app.process.poll())

    def test_pattern_without_a_topic_waits_for_one(self):
        with App(self, "pattern", "metadata.max.age.ms=300") as app:
            app.running()
            self.create("in", 1)
            self.produce("in", ("a", "1"))
            self.wait_for_values("1", app=app)

    def test_each_source_begins_where_it_says(self):
        now = int(time.time() * 1000)
        for topic in ("in-earliest", "in-latest", "in-hour"):
            self.create(topic, 1)
            self.produce(topic, ("a", "old " + topic, now - 2 * 3_600_000))
            self.produce(topic, ("a", "new " + topic, now))
        with App(self, "resets") as app:
            app.running()
            self.produce("in-latest", ("a", "newest"))
            self.wait_for_values("old in-earliest", "new in-earliest", "new in-hour", "newest", app=app)

    def test_reset_by_duration_is_a_setting_too(self):
        self.create("in", 1)
        now = int(time.time() * 1000)
        self.produce("in", ("a", "1", now - 2 * 3_600_000), ("a", "2", now))
        with App(self, "numbers", "auto.offset.reset=by_duration:PT1H") as app:
            app.running()
            self.wait_for_values("v2", app=app)
            self.produce("in", ("a", "3"))
            self.wait_for_values("v2", "v3", app=app)

    def test_without_a_position_reset_none_ends_it(self):
        self.create("in", 1)
        with App(self, "reset-none") as app:
            self.assertEqual(app.ended(), "ERROR")
            self.assertIn("its offset reset is none", app.said())

    def test_missing_global_topic_ends_it(self):
        self.create("in", 1)
        # There is nothing to put in the place of that thread.
        with App(self, "global", "task.timeout.ms=500", "uncaught=replace") as app:
            self.assertEqual(app.ended(), "ERROR")
            self.assertIn("global topic 'names' is missing", app.said())
            self.assertEqual(app.uncaught(), ["uncaught global topic 'names' is missing"])

    def test_missing_source_topic_is_asked_about(self):
        with App(self, "numbers") as app:
            self.assertEqual(app.ended(), "ERROR")
            self.assertEqual(len(app.uncaught()), 1, app.lines())
            self.assertIn("source topic", app.uncaught()[0])
            self.assertEqual(app.ask("failure"), "ok " + app.uncaught()[0].partition(" ")[2])
        with App(self, "numbers", "uncaught=replace") as app:
            app.wait(lambda: len(app.uncaught()) >= 2, "not tried again")
            self.assertEqual(app.ask("failure"), "ok none")
            self.create("in", 1)
            app.running()
            self.produce("in", ("a", "1"))
            self.wait_for_values("v1", app=app)

    def test_a_refusal_of_the_group_is_asked_about(self):
        self.create("in", 1)
        # Above what a broker takes (group.max.session.timeout.ms).
        with App(self, "numbers", "session.timeout.ms=2000000") as app:
            self.assertEqual(app.ended(), "ERROR")
            self.assertEqual(app.uncaught(), ["uncaught joining group 'live'"], app.said())
            self.assertIn("INVALID_SESSION_TIMEOUT", app.said())

    def test_listeners_that_throw_take_nothing_with_them(self):
        self.create("in", 1)
        with App(self, "numbers", "throws=state,uncaught", "uncaught=replace") as app:
            app.running()
            self.produce("in", ("a", "1"), ("b", "13"))
            self.wait_for_values("v1", app=app)
            self.assertEqual(app.ended(), "ERROR")
            self.assertEqual(app.states(), ["REBALANCING", "RUNNING", "PENDING_ERROR", "ERROR"])
            self.assertIn("on_state: no state", app.said())
            self.assertIn("on_uncaught failed: no answer", app.said())
            self.assertIsNone(app.process.poll())
        with App(self, "counts", "throws=restore") as app:
            self.assertEqual(app.ended(), "ERROR")
            self.assertEqual(app.uncaught(), ["uncaught the listener of restores: no restore"])

    # Processors.

    def test_punctuators_run_by_both_clocks(self):
        self.create("in", 1)
        with App(self, "ticks") as app:
            app.running()
            self.produce("in", ("a", "1", 10_000), ("a", "2", 10_500), ("a", "3", 13_000))
            rows = self.wait_for(self.rows, lambda rows: any(r["key"] == "wall" and r["value"] == "3" for r in rows),
                                 app=app)
            self.assertEqual([(r["value"], r["timestamp"]) for r in rows if r["key"] == "stream"],
                             [("1", 10_000), ("3", 13_000)])

    # Calls.

    def test_pause_and_threads(self):
        self.create("in", 4)
        with App(self, "numbers") as app:
            app.running()
            self.assertEqual(app.ask("add"), "ok 2")
            app.wait(lambda: "thread=2" in app.said(), "the second thread has no task")
            self.produce("in", *[(f"k{i}", "1") for i in range(20)])
            self.wait_for_values(*["v1"] * 20, app=app)
            self.assertEqual(app.ask("pause"), "ok")
            time.sleep(0.3)
            self.produce("in", *[(f"k{i}", "2") for i in range(20)])
            time.sleep(1)
            self.assertEqual(len(self.values()), 20)
            self.assertEqual(app.ask("resume"), "ok")
            self.wait_for_values(*["v1"] * 20, *["v2"] * 20, app=app)
            self.assertEqual(app.ask("remove"), "ok 2")
            self.produce("in", *[(f"k{i}", "3") for i in range(20)])
            self.wait_for_values(*["v1"] * 20, *["v2"] * 20, *["v3"] * 20, app=app)
            self.assertEqual(app.ask("leave"), "ok")
            self.assertEqual(app.ended(), "NOT_RUNNING")

    def test_queries_are_answered_while_a_commit_waits_for_the_broker(self):
        for guarantee in ("at_least_once", "exactly_once_v2"):
            with self.subTest(guarantee):
                self.setUp()
                self.create("in", 1)
                with App(self, "counts", f"processing.guarantee={guarantee}", "producer.transaction.timeout.ms=60000",
                         "session.timeout.ms=60000") as app:
                    app.running()
                    self.produce("in", ("a", "x"))
                    self.wait_for_values("1", app=app)
                    # What is fetched already is processed while the broker stands still, and then to be committed.
                    self.assertEqual(app.ask("pause"), "ok")
                    self.produce("in", *[("a", "x")] * 50)
                    time.sleep(1)
                    os.kill(self.node.process.pid, signal.SIGSTOP)
                    try:
                        self.assertEqual(app.ask("resume"), "ok")
                        app.wait(lambda: app.ask("get a") == "ok 51", "not processed", 10)
                        time.sleep(1)
                        begun = time.monotonic()
                        self.assertEqual(app.ask("get a"), "ok 51")
                        self.assertLess(time.monotonic() - begun, 3)
                    finally:
                        os.kill(self.node.process.pid, signal.SIGCONT)
                    self.wait_for(self.values, lambda found: found[-1] == "51", app=app)

    def test_tells_of_itself_and_of_others(self):
        self.create("in", 3)
        settings = ("num.standby.replicas=1", "session.timeout.ms=3000", "probing.rebalance.interval.ms=1000")
        with App(self, "counts", "application.server=one:1", *settings) as first:
            first.running()
            self.produce("in", *[(f"k{i}", "x") for i in range(30)])
            self.wait_for(self.values, lambda values: len(values) == 30, app=first)
            first.wait(lambda: first.ask("threads").count("in-") == 3, "not committed")
            told = first.ask("threads")
            self.assertEqual(sum(int(part.split("=")[1].split(";")[0]) for part in told.split("in-")[1:]), 30)
            self.assertEqual(first.ask("store counts"), "ok one:1+0_0+0_1+0_2")
            self.assertEqual(first.ask("store nothing"), "ok")
            lags = dict(part.split("=") for part in first.ask("lags").split()[1:])
            self.assertEqual(sorted(lags), ["counts-0", "counts-1", "counts-2"])
            for lag in lags.values():
                self.assertEqual(*lag.split("/"))
            # The owner of a key is that of its partition.
            by_key = {row["key"]: row["partition"] for row in self.rows("live-counts-changelog")}
            for key, partition in by_key.items():
                self.assertEqual(first.ask(f"key {key}"), f"ok {partition} one:1")
            with App(self, "counts", "application.server=two:2", *settings) as second:
                second.running()
                first.wait(lambda: "two:2+" in first.ask("store counts"), "the second one has nothing")
                first.wait(lambda: "~two:2" in first.ask("key k1") or "~one:1" in first.ask("key k1"), "no standby")
                # Both know the same.
                first.wait(lambda: first.ask("store counts") == second.ask("store counts"), "they differ")
                self.assertEqual(second.ask("leave"), "ok")
            first.wait(lambda: first.ask("store counts") == "ok one:1+0_0+0_1+0_2", "not taken over")

    def test_repartition_topics_are_purged(self):
        self.create("in", 2)
        with App(self, "repartitioned", "repartition.purge.interval.ms=200") as app:
            app.running()
            self.produce("in", *[(f"k{i}", str(i)) for i in range(50)])
            self.wait_for(self.values, lambda values: len(values) == 50, app=app)
            self.wait_for(lambda: self.values("live-by-key-repartition"), lambda left: not left, app=app)
            self.produce("in", ("a", "last"))
            self.wait_for(self.values, lambda values: len(values) == 51 and "last" in values, app=app)

    def test_foreign_key_join_of_tables_of_different_width(self):
        self.create("in", 2)
        self.create("customers", 3)
        with App(self, "foreign", "num.stream.threads=2") as app:
            app.running()
            self.produce("in", *[(f"o{i}", f"c{i % 10}") for i in range(40)])
            self.produce("customers", *[(f"c{i}", f"n{i}") for i in range(10)])
            last = lambda: {row["key"]: row["value"] for row in self.rows()}  # noqa: E731
            self.wait_for(last, lambda rows: rows == {f"o{i}": f"c{i % 10}=n{i % 10}" for i in range(40)}, app=app)
            self.produce("customers", ("c1", "new"))
            self.wait_for(last, lambda rows: [rows[f"o{i}"] for i in (1, 11, 21, 31)] == ["c1=new"] * 4, app=app)

    def test_a_thread_is_replaced(self):
        self.create("in", 1)
        with App(self, "numbers", "uncaught=replace") as app:
            app.running()
            self.produce("in", ("a", "1"), ("b", "13"))
            # The record is there again each time.
            app.wait(lambda: sum(line.startswith("uncaught") for line in app.lines()) >= 2, "not replaced")
            self.assertIn("v1", self.values())
            self.assertIsNone(app.process.poll())

    def test_a_thread_is_replaced_after_the_last_other_one_is_removed(self):
        self.create("in", 2)
        keys = [next(k for k in map(str, range(100)) if murmur2(k) & 1 == p) for p in (0, 1)]
        with App(self, "numbers", "uncaught=replace", "num.stream.threads=2") as app:
            app.running()
            self.produce("in", (keys[0], "12"))
            # The one in its place comes a second later.
            app.wait(lambda: app.ask("threads").count(":") == 1, "none has failed")
            self.assertTrue(app.ask("remove").startswith("ok"))
            self.produce("in", *[(k, "1") for k in keys])
            self.wait_for(self.values, lambda values: values.count("v1") == 2, app=app)

    def test_threads_are_removed_one_after_the_other_and_the_last_too(self):
        self.create("in", 2)
        keys = [next(k for k in map(str, range(100)) if murmur2(k) & 1 == p) for p in (0, 1)]
        with App(self, "numbers", "num.stream.threads=2") as app:
            app.running()
            # Each call waits: two of them are two threads.
            self.assertEqual([app.ask("remove"), app.ask("remove")], ["ok 2", "ok 1"])
            self.assertEqual(app.ask("threads"), "ok")
            self.assertEqual(app.ask("remove"), "error there is no thread")
            app.running()
            with App(self, "numbers") as other:
                other.running()
                other.wait(lambda: other.assigned()[1:] == ("2",), "not all tasks")
                self.produce("in", *[(k, "1") for k in keys])
                self.wait_for_values("v1", "v1", app=other)
                self.assertEqual(app.ask("add"), "ok 1")
                other.wait(lambda: (app.assigned()[1:], other.assigned()[1:]) == (("1",), ("1",)), "not back")
            app.wait(lambda: app.assigned()[1:] == ("2",), "not all tasks")
            app.running()
            self.produce("in", *[(k, "2") for k in keys])
            self.wait_for_values("v1", "v1", "v2", "v2", app=app)

    def test_tasks_of_a_thread_that_hangs_go_to_another_instance(self):
        self.create("in", 1)
        settings = ("max.poll.interval.ms=1500", "processing.guarantee=exactly_once_v2")
        with App(self, "numbers", "hang=10000", *settings) as hangs:
            hangs.running()
            self.produce("in", ("a", "1"))
            self.wait_for_values("v1", app=hangs)
            with App(self, "numbers", *settings) as other:
                other.running()
                begun = time.monotonic()
                self.produce("in", ("a", "15"), ("a", "2"))
                self.wait_for_values("v1", "v15", "v2", app=other)
                self.assertLess(time.monotonic() - begun, 9)
                self.assertIn("makes no step within max.poll.interval.ms", hangs.said())
                # Later it drops what it did, and takes part again.
                hangs.wait(lambda: "goes on: it gives up" in hangs.said(), "not back")
                hangs.running()
                self.produce("in", ("a", "3"))
                self.wait_for_values("v1", "v15", "v2", "v3", app=other)

    def test_tasks_of_a_thread_that_hangs_go_to_another_thread(self):
        self.create("in", 2)
        keys = [next(k for k in map(str, range(100)) if murmur2(k) & 1 == p) for p in (0, 1)]
        with App(self, "numbers", "hang=10000", "max.poll.interval.ms=1500", "num.stream.threads=2",
                 "processing.guarantee=exactly_once_v2") as app:
            app.running()
            begun = time.monotonic()
            self.produce("in", (keys[0], "15"), (keys[1], "1"))
            self.wait_for_values("v1", "v15", app=app)
            self.assertLess(time.monotonic() - begun, 9)
            app.wait(lambda: "goes on: it gives up" in app.said(), "not back")
            app.running()
            self.produce("in", (keys[0], "2"), (keys[1], "3"))
            self.wait_for_values("v1", "v15", "v2", "v3", app=app)

    def test_one_ends_the_application_for_all(self):
        self.create("in", 2)
        with App(self, "numbers", "uncaught=application") as first, App(self, "numbers", "uncaught=application") as second:
            first.running()
            second.running()
            self.produce("in", ("a", "13"))
            self.assertEqual(first.ended(), "ERROR")
            self.assertEqual(second.ended(), "ERROR")

    def test_an_instance_with_another_topology_ends_and_takes_nothing_along(self):
        self.create("in", 2)
        for first, second in (("numbers", "repartitioned"), ("repartitioned", "numbers")):
            with self.subTest(first):
                with App(self, first) as leader:
                    leader.running()
                    with App(self, second) as other:
                        self.assertEqual(other.ended(), "ERROR")
                        self.assertIn("topology of another shape", other.ask("failure"))
                        self.assertIn("topology of another shape", other.uncaught()[0])
                    leader.running()
                    before = len(self.values())
                    self.produce("in", ("a", "1"), ("b", "1"))
                    self.wait_for(self.values, lambda found: len(found) == before + 2, app=leader)

    def test_static_member_that_stays_has_its_tasks_again(self):
        self.create("in", 2)
        static = ("group.instance.id=one", "session.timeout.ms=20000")
        with App(self, "numbers", *static) as first, App(self, "numbers", "group.instance.id=two", *static[1:]) as second:
            first.running()
            second.running()
            # Whoever came first gives up a task in one round, which the other one has in the next.
            second.wait(lambda: first.assigned() == second.assigned() and second.assigned()[1:] == ("1",),
                        "tasks are not laid out")
            self.assertEqual(first.ask("stay"), "ok")
            begun = second.said().count("event=assigned")
            with App(self, "numbers", *static) as again:
                again.running()
                self.produce("in", *[(f"k{i}", "1") for i in range(20)])
                self.wait_for_values(*["v1"] * 20, app=again)
                # The other one has heard nothing of it.
                self.assertEqual(second.said().count("event=assigned"), begun)

    def test_a_second_process_under_a_static_name_fences_the_first(self):
        self.create("in", 1)
        static = ("group.instance.id=one", "session.timeout.ms=20000", "processing.guarantee=exactly_once_v2")
        with App(self, "numbers", *static) as first:
            first.running()
            self.produce("in", ("a", "1"))
            self.wait_for_values("v1", app=first)
            with App(self, "numbers", *static) as second:
                second.running()
                self.assertEqual(first.ended(), "ERROR")
                self.produce("in", ("a", "2"))
                self.wait_for_values("v1", "v2", app=second)

    def test_zombie_commits_nothing(self):
        """Stopped for longer than its session: what it did after the last commit is not seen, what it does later neither."""
        self.create("in", 1)
        settings = ("processing.guarantee=exactly_once_v2", "session.timeout.ms=1500", "commit.interval.ms=300")
        with App(self, "numbers", *settings) as zombie:
            zombie.running()
            self.produce("in", *[(f"a{i}", "1") for i in range(20)])
            self.wait_for_values(*["v1"] * 20, app=zombie)
            self.produce("in", *[(f"b{i}", "2") for i in range(20)])
            os.kill(zombie.process.pid, signal.SIGSTOP)
            with App(self, "numbers", *settings) as second:
                second.running()
                self.wait_for_values(*["v1"] * 20, *["v2"] * 20, app=second)
                os.kill(zombie.process.pid, signal.SIGCONT)
                self.produce("in", *[(f"c{i}", "3") for i in range(20)])
                expected = ["v1"] * 20 + ["v2"] * 20 + ["v3"] * 20
                self.wait_for_values(*expected, app=second)
                zombie.wait(lambda: zombie.said().count("event=assigned") >= 2, "not back")
                self.produce("in", ("d", "4"))
                self.wait_for_values(*expected, "v4", app=second)

    def test_work_without_input_is_fenced_too(self):
        """Taken out of its group without hearing of it: what only the clock made it do is not committed either."""
        self.create("in", 1)
        with App(self, "ticks", "processing.guarantee=exactly_once_v2", "session.timeout.ms=60000",
                 "heartbeat.interval.ms=20000") as zombie:
            zombie.running()
            self.produce("in", ("a", "1"))
            ticks = lambda: sum(row["key"] == "wall" for row in self.rows())  # noqa: E731
            self.wait_for(ticks, lambda found: found >= 2, app=zombie)
            member = json.loads(self.leat("group", "describe", "live", "--output", "json"))["members"][0]["member"]
            host, _, port = self.node.address.rpartition(":")
            with raw_client.Client((host, int(port))) as client:
                answer = client.call(13, 3, raw_client.text("live") + struct.pack(">i", 1) + raw_client.text(member) +
                                     struct.pack(">h", -1))
                self.assertEqual(answer.take("ih"), (0, 0))
            zombie.wait(lambda: "transaction failed" in zombie.said(), "not fenced", 10)
            # It hears of it by that, joins again and goes on.
            zombie.wait(lambda: zombie.said().count("event=assigned") >= 2, "not back")
            before = ticks()
            self.wait_for(ticks, lambda found: found > before, app=zombie)

    def test_first_output_comes_soon(self):
        self.create("in", 4)
        self.produce("in", *[(f"k{i}", "x") for i in range(8)])
        before = time.monotonic()
        with App(self, "counts") as app:
            app.running()
            took = time.monotonic() - before
            self.wait_for(self.values, lambda values: len(values) == 8, app=app)
        print(f"running after {took * 1000:.0f} ms", end=" ")
        self.assertLess(took, 10)


if __name__ == "__main__":
    stream_cluster.run_tests(__doc__)
