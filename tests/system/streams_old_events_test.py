#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A join of streams goes on after kill -9 though the broker has deleted the changelogs of its stores, whose newest rows are in memory.

usage: streams_old_events_test.py LEAT STREAMS_LIVE_APP [--kafka VERSION] [TEST...]

The broker is `leat serve`, or a real Apache Kafka; it looks often for what is to be deleted.
"""
import json
import time

import streams_live_test as live
import stream_cluster
from stream_cluster import ClusterTest

CHANGELOG = "live-joined-this-join-store-changelog"
KEYS = [f"key{i}" for i in range(40)]


class OldEvents(ClusterTest):
    # A file that is not read any more goes soon, too: nothing is to come from there.
    broker_settings = {"log.retention.check.interval.ms": "200", "log.segment.delete.delay.ms": "100", "log.initial.task.delay.ms": "200"}

    # Not its tests.
    setUp, create, produce, rows, values, wait_for = (getattr(live.Live, name) for name in ("setUp", "create", "produce", "rows", "values", "wait_for"))

    def app(self, *settings):
        return live.App(self, "joined", f"state.dir={self.place / self.id()}", "session.timeout.ms=1500", *settings)

    def begin(self):
        for topic in ("left", "right"):
            self.create(topic, 2, "--set", "retention.ms=-1")

    def left_behind(self):
        """Records that the broker still has of what the left store has logged; None before it has logged all."""
        if CHANGELOG not in self.topics():
            return None
        told = json.loads(self.leat("topic", "describe", CHANGELOG, "--output", "json"))["topics"][0]["partitions"]
        logged = sum(row["end_offset"] for row in told)
        return logged - sum(row["start_offset"] for row in told) if logged >= len(KEYS) else None

    def check_join(self, at, *settings):
        self.begin()
        with self.app(*settings) as app:
            app.running()
            self.produce("left", *[(key, f"l{key}", at + i) for i, key in enumerate(KEYS)])
            # These come too, and say by their results that all before was processed.
            self.produce("right", *[(key, "first", at + 100 + i) for i, key in enumerate(KEYS[:10])])
            self.wait_for(self.values, lambda found: len(found) >= 10, app=app)
            self.wait_for(self.left_behind, lambda found: found == 0, patience=60, app=app)
            app.process.kill()
            app.process.wait()
        with self.app(*settings) as app:
            app.running()
            self.produce("right", *[(key, "second", at + 200 + i) for i, key in enumerate(KEYS)])
            wanted = {f"l{key}&{name}" for name, keys in (("first", KEYS[:10]), ("second", KEYS)) for key in keys}
            self.wait_for(lambda: set(self.values()), lambda found: found >= wanted, app=app)
        self.assertEqual(set(self.values()), wanted)

    def test_events_of_long_ago_are_joined_after_a_kill(self):
        """A changelog keeps a day more than its store, by the records' own time: these are gone at once, though not from the other topics."""
        self.check_join(int(time.time() * 1000) - 3 * 86_400_000)

    def test_a_join_that_stood_idle_goes_on_after_a_kill(self):
        """Rows of now, in memory until the changelog is about to drop them."""
        self.check_join(int(time.time() * 1000), "windowstore.changelog.additional.retention.ms=0")

    def test_a_changelog_that_is_kept_by_size_is_not_relied_on(self):
        """Whoever runs the cluster has given it a size."""
        self.begin()
        extra = ("topic.retention.bytes=0", "topic.segment.ms=100")
        with self.app(*extra) as app:
            app.running()
            at = int(time.time() * 1000)
            self.produce("left", *[(key, f"l{key}", at + i) for i, key in enumerate(KEYS)])
            self.wait_for(self.left_behind, lambda found: found == 0, patience=60, app=app)
            app.process.kill()
            app.process.wait()
        with self.app(*extra) as app:
            app.running()
            self.produce("right", *[(key, "r", at + 200 + i) for i, key in enumerate(KEYS)])
            self.wait_for(lambda: set(self.values()), lambda found: found == {f"l{key}&r" for key in KEYS}, app=app)


if __name__ == "__main__":
    stream_cluster.run_tests(__doc__)
