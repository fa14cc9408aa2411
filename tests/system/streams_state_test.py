#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an application on a cluster keeps: global tables, stores that are restored, damaged and moved while it runs.

usage: streams_state_test.py LEAT STREAMS_LIVE_APP [--kafka VERSION] [TEST...]

The broker is `leat serve`, or a real Apache Kafka.
"""
import collections
import json
import time

import streams_live_test as live
import stream_cluster
from stream_cluster import ClusterTest


class State(ClusterTest):
    # Not its tests.
    setUp, create, produce, rows, values, wait_for, wait_for_values = (
        getattr(live.Live, name) for name in ("setUp", "create", "produce", "rows", "values", "wait_for", "wait_for_values"))

    def test_global_table_is_whole_before_the_first_record_and_kept_current(self):
        self.create("in", 2)
        self.create("names", 3)
        self.produce("names", *[(f"k{i}", f"n{i}") for i in range(2000)])
        self.produce("in", *[(f"k{i}", str(i)) for i in range(0, 2000, 100)])
        expected = [f"{i}:n{i}" for i in range(0, 2000, 100)]
        with live.App(self, "global", "num.stream.threads=2") as app:
            app.running()
            self.wait_for_values(*expected, app=app)
            self.produce("in", ("new", "1"))
            self.wait_for_values(*expected, "1:nobody", app=app)
            self.produce("names", ("new", "known"))
            # The table is read by a thread of its own: each record finds what has come until then.
            expected.append("1:nobody")
            while not expected[-1].endswith(":known"):
                number = len(expected)
                self.assertLess(number, 100, "the table is not kept current")
                self.produce("in", ("new", str(number)))
                found = self.wait_for(self.values, lambda values: len(values) > number, app=app)
                self.assertIn(found[-1], (f"{number}:nobody", f"{number}:known"))
                expected.append(found[-1])
            self.assertEqual(sorted(self.values()), sorted(expected))

    def test_global_store_on_disk_goes_on_where_it_ended(self):
        self.create("in", 1)
        self.create("names", 3)
        self.produce("names", *[(f"k{i}", f"n{i}") for i in range(2000)])
        state = (f"state.dir={self.place / 'global'}", "session.timeout.ms=1500")
        ends = lambda app: [int(line.split()[-1]) for line in app.lines()  # noqa: E731
                            if line.startswith("restore end") and " names-" in line]
        with live.App(self, "global", *state) as app:
            app.running()
            self.assertEqual(sum(ends(app)), 2000)
            self.assertEqual(len(ends(app)), 3)
            app.process.kill()
            app.process.wait()
        self.produce("names", ("k1", "new"), ("more", "m"), ("k2", "newer"))
        self.produce("in", ("k1", "1"), ("k7", "7"), ("more", "8"))
        with live.App(self, "global", *state) as app:
            app.running()
            self.assertEqual(sum(ends(app)), 3)
            self.wait_for_values("1:new", "7:n7", "8:m", app=app)
            # A row that came while it ran is kept at the end.
            self.produce("names", ("late", "l"))
            # The table is read by a thread of its own: the row may come after the record.
            while "9:l" not in self.values():
                number = len(self.values())
                self.assertLess(number, 100, "the row does not come")
                self.produce("in", ("late", "9"))
                self.wait_for(self.values, lambda found: len(found) > number, app=app)
            self.assertEqual(app.ask("leave"), "ok")
        # Another topic under the name: nothing of the first one is left.
        self.leat("topic", "delete", "names", "--yes")
        self.wait_for(self.topics, lambda names: "names" not in names)
        self.create("names", 3)
        self.produce("names", ("k1", "third"))
        self.produce("in", ("k1", "10"), ("k7", "11"))
        with live.App(self, "global", *state) as app:
            app.running()
            self.assertEqual(sum(ends(app)), 1)
            self.assertIn("made anew", app.said())
            self.wait_for(self.values, lambda found: {"10:third", "11:nobody"} <= set(found), app=app)

    def test_damaged_global_store_is_restored_while_the_application_runs(self):
        for guarantee in ("at_least_once", "exactly_once_v2"):
            with self.subTest(guarantee):
                self.setUp()
                self.create("in", 2)
                self.create("names", 2)
                keys = [f"k{i}" for i in range(8000)]
                self.produce("names", *[(k, f"the name of {k}") for k in keys])
                place = self.place / f"damaged-global-{guarantee}"
                settings = (f"state.dir={place}", f"processing.guarantee={guarantee}", "commit.interval.ms=100")
                with live.App(self, "global", *settings) as app:
                    app.running()
                with live.App(self, "global", *settings) as app:
                    app.running()
                    tables = list((place / "live" / "global" / "rocksdb").glob("*.sst"))
                    self.assertTrue(tables)
                    for path in tables:
                        with open(path, "r+b") as file:
                            for at in range(8_000, path.stat().st_size // 2, 1_000):
                                file.seek(at)
                                file.write(b"damage")
                    self.produce("in", *[(k, k) for k in keys])
                    expected = {f"{k}:the name of {k}" for k in keys}
                    self.wait_for(lambda: set(self.values()), lambda found: found >= expected, app=app)
                    self.assertIn("global stores are damaged: they are restored from their topics", app.said())
                    self.assertFalse(any(line.startswith("uncaught") for line in app.lines()), app.lines())
                    app.running()
                # No record met a store that was not whole; done again is only what was not committed.
                values = self.values()
                self.assertEqual(set(values), expected)
                if guarantee == "exactly_once_v2":
                    self.assertEqual(len(values), len(keys))

    def test_restoring_is_told_and_state_is_not_removed_while_it_runs(self):
        self.create("in", 1)
        state = f"state.dir={self.place / 'kept'}"
        store = "counts live-counts-changelog-0"
        restores = lambda app: [line for line in app.lines() if line.startswith("restore")]  # noqa: E731
        with live.App(self, "counts", state) as app:
            app.running()
            self.assertEqual(restores(app), [f"restore start {store} 0 0", f"restore end {store} 0"])
            self.produce("in", ("a", "x"), ("b", "x"), ("c", "x"))
            self.wait_for(self.values, lambda values: len(values) == 3, app=app)
            self.assertIn("while the application runs", app.ask("clean"))
        with live.App(self, "counts", state) as app:
            app.running()
            self.assertEqual(restores(app), [f"restore start {store} 3 3", f"restore end {store} 0"])
        with live.App(self, "counts") as app:
            app.running()
            self.assertEqual(restores(app), [f"restore start {store} 0 3", f"restore batch {store} 3 3",
                                             f"restore end {store} 3"])

    def test_a_store_of_ones_own_is_restored_as_its_guarantee_asks(self):
        store = "counts live-counts-changelog-0"
        restored = lambda app: [line.split()[-1] for line in app.lines() if line.startswith("restore end")]  # noqa: E731
        for guarantee, after_kill in (("at_least_once", "0"), ("exactly_once_v2", "3")):
            with self.subTest(guarantee):
                self.setUp()
                self.create("in", 1)
                settings = (f"state.dir={self.place / guarantee}", f"processing.guarantee={guarantee}",
                            "session.timeout.ms=3000")
                with live.App(self, "own-counts", *settings) as app:
                    app.running()
                    self.produce("in", ("a", "x"), ("b", "x"))
                    self.wait_for_values("1", "1", app=app)
                    self.assertEqual(app.ask("sums"), "ok 2")
                with live.App(self, "own-counts", *settings) as app:
                    app.running()
                    self.assertEqual(restored(app), ["0"], "it was closed in order")
                    self.produce("in", ("a", "x"))
                    self.wait_for_values("1", "1", "2", app=app)
                    self.assertEqual(app.ask("sums"), "ok 3")
                    # A thread tells of itself between its rounds: what is noted behind a commit is noted by then.
                    app.wait(lambda: "in-0=3" in app.ask("threads"), "not committed")
                    app.process.kill()
                    app.process.wait()
                with live.App(self, "own-counts", *settings) as app:
                    app.running()
                    self.assertEqual(restored(app), [after_kill], app.lines())
                    self.assertIn(f"restore end {store} {after_kill}", app.lines())
                    self.assertEqual(app.ask("get a"), "ok 2")
                    self.assertEqual(app.ask("sums"), "ok 3")

    def test_tasks_run_while_others_are_restored(self):
        self.create("in", 2)
        first, second = (next(k for k in map(str, range(100)) if live.murmur2(k) & 1 == p) for p in (0, 1))
        with live.App(self, "counts") as app:
            app.running()
            self.produce("in", (first, "x"), (second, "x"))
            self.wait_for_values("1", "1", app=app)
        rows = [{"key": f"more{i}", "value": "12345678", "partition": 1} for i in range(40_000)]
        self.leat("produce", "live-counts-changelog", "--json", stdin="".join(json.dumps(r) + "\n" for r in rows))
        batches = lambda app: sum(line.startswith("restore batch") for line in app.lines())  # noqa: E731
        is_done = lambda app: any(line.startswith("restore end") and "changelog-1" in line  # noqa: E731
                                  for line in app.lines())
        # What holds up restoring holds up nothing that runs.
        with live.App(self, "counts", "batch_pause=1000") as app:
            for i in range(5):
                self.produce("in", (first, "x"))
                self.wait_for_values("1", "1", *[str(n + 2) for n in range(i + 1)], app=app)
            self.assertFalse(is_done(app), app.lines())
            self.assertEqual(app.states()[-1], "REBALANCING")
            self.assertIn("0_1(!)", app.ask("threads"))
            # A pause is one of restoring too.
            self.assertEqual(app.ask("pause"), "ok")
            time.sleep(1.5)
            before = batches(app)
            time.sleep(2.5)
            self.assertEqual(batches(app), before)
            self.assertEqual(app.ask("resume"), "ok")
            app.wait(lambda: batches(app) > before, "not resumed")
            # A task that is being restored can be given up.
            self.assertEqual(app.ask("leave"), "ok")
            self.assertTrue(any(line.startswith("restore suspended") for line in app.lines()), app.lines())
        with live.App(self, "counts") as app:
            app.running()
            self.assertTrue(is_done(app))
            self.produce("in", (second, "x"))
            self.wait_for_values(*"11234562", app=app)

    def test_tasks_move_between_threads_while_they_are_restored(self):
        self.create("in", 4)
        keys = [next(k for k in map(str, range(100)) if live.murmur2(k) & 3 == p) for p in range(4)]
        with live.App(self, "counts") as app:
            app.running()
            self.produce("in", *[(k, "x") for k in keys])
            self.wait_for_values(*["1"] * 4, app=app)
        rows = [{"key": f"more{i}", "value": "12345678", "partition": i % 4} for i in range(40_000)]
        self.leat("produce", "live-counts-changelog", "--json", stdin="".join(json.dumps(r) + "\n" for r in rows))
        told = lambda app, what: sum(line.startswith("restore " + what) for line in app.lines())  # noqa: E731
        with live.App(self, "counts", "batch_pause=200") as app:
            # Of a task that has not begun it is not told that it is given up.
            app.wait(lambda: told(app, "start") == 4 and told(app, "batch") > 0, "not all are being restored")
            self.assertEqual(app.ask("add"), "ok 2")
            app.wait(lambda: told(app, "suspended") >= 2, "no task has moved")
            self.assertEqual(app.ask("remove"), "ok 2")
            app.running()
            self.assertEqual(told(app, "start"), told(app, "suspended") + told(app, "end"))
            self.assertEqual(told(app, "end"), 4)
            self.produce("in", *[(k, "x") for k in keys])
            self.wait_for_values(*["1"] * 4, *["2"] * 4, app=app)

    def test_damaged_state_is_restored_while_the_application_runs(self):
        for guarantee in ("at_least_once", "exactly_once_v2"):
            with self.subTest(guarantee):
                self.setUp()
                self.create("in", 2)
                keys = [f"k{i}" for i in range(4000)]
                place = self.place / f"damaged-{guarantee}"
                settings = (f"state.dir={place}", f"processing.guarantee={guarantee}")
                last = lambda: {row["key"]: int(row["value"]) for row in self.rows()}  # noqa: E731
                with live.App(self, "counts", *settings) as app:
                    app.running()
                    self.produce("in", *[(k, "x") for k in keys])
                    self.wait_for(last, lambda found: len(found) == 4000, app=app)
                with live.App(self, "counts", *settings) as app:
                    app.running()
                    # Blocks that nothing has read yet: what is read at the start is at either end.
                    for path in (place / "live" / "0_0" / "rocksdb").glob("*.sst"):
                        with open(path, "r+b") as file:
                            for at in range(8_000, path.stat().st_size // 2, 1_000):
                                file.seek(at)
                                file.write(b"damage")
                    self.produce("in", *[(k, "x") for k in keys])
                    self.wait_for(last, lambda found: min(found.values()) == 2, app=app)
                    damaged = [line for line in app.said().splitlines() if "state is damaged" in line]
                    self.assertTrue(damaged, app.said())
                    self.assertTrue(all("task=0_0" in line for line in damaged), damaged)
                    self.assertFalse(any(line.startswith("uncaught") for line in app.lines()), app.lines())
                    app.running()
                    # And on with it.
                    self.produce("in", *[(k, "x") for k in keys])
                    self.wait_for(last, lambda found: min(found.values()) == 3, app=app)
                # What was done since the last commit is done again.
                exact = {"1": 4000, "2": 4000, "3": 4000}
                if guarantee == "exactly_once_v2":
                    self.assertEqual(collections.Counter(self.values()), exact)
                self.assertLess(max(last().values()), 5)


if __name__ == "__main__":
    stream_cluster.run_tests(__doc__)
