#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verdicts on figures: between goal and floor, below, and what the machine does not allow; and that no goal is without one unseen."""
import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

import bench
import goals
import results

P50 = ("one record a request, 1 connection", "p50 us")  # at most 0.35 times Kafka's, 0.6 at least
RATE = ("one record a request, 16 connections, 16 partitions", "requests/s")  # 3 times, 2 at least
START = ("start, empty", "seconds")  # 0.03, 0.1 at most


def verdict(row, **mid):
    return goals.judge(*row, mid)[0]


class Judge(unittest.TestCase):
    def test_marks_where_less_is_better(self):
        self.assertEqual("goal", verdict(P50, leat=35, kafka=100))
        self.assertEqual("floor", verdict(P50, leat=36, kafka=100))
        self.assertEqual("floor", verdict(P50, leat=60, kafka=100))
        self.assertEqual("BELOW", verdict(P50, leat=61, kafka=100))

    def test_marks_where_more_is_better(self):
        self.assertEqual("goal", verdict(RATE, leat=300, kafka=100))
        self.assertEqual("floor", verdict(RATE, leat=200, kafka=100))
        self.assertEqual("BELOW", verdict(RATE, leat=199, kafka=100))

    def test_values_need_no_other_broker(self):
        self.assertEqual("goal", verdict(START, leat=0.03))
        self.assertEqual("floor", verdict(START, leat=0.1, kafka=2))
        self.assertEqual("BELOW", verdict(START, leat=0.2))

    def test_what_a_null_broker_misses_too_is_the_machines_limit(self):
        self.assertEqual("machine", verdict(P50, leat=82, kafka=100, null=80))
        self.assertEqual("machine", verdict(RATE, leat=190, kafka=100, null=199))
        self.assertEqual("machine", verdict(RATE, leat=210, kafka=100, null=220), "the goal is what the machine does not allow")

    def test_a_null_broker_that_is_beaten_shows_no_limit(self):
        self.assertEqual("floor", verdict(P50, leat=50, kafka=100, null=80))
        self.assertEqual("BELOW", verdict(RATE, leat=190, kafka=100, null=120))

    def test_far_from_the_null_broker_it_is_our_own_doing(self):
        self.assertEqual("BELOW", verdict(P50, leat=89, kafka=100, null=80))
        self.assertEqual("BELOW", verdict(RATE, leat=170, kafka=100, null=199))
        self.assertEqual("floor", verdict(RATE, leat=210, kafka=100, null=290))

    def test_a_mark_that_the_null_broker_reaches_can_be_reached(self):
        self.assertEqual("BELOW", verdict(P50, leat=61, kafka=100, null=60))
        self.assertEqual("floor", verdict(RATE, leat=290, kafka=100, null=300))

    def test_no_verdict_without_figure_or_rule(self):
        self.assertEqual("", verdict(P50, leat=35))
        self.assertEqual("", verdict(P50, kafka=100, null=80))
        self.assertEqual(("", ""), goals.judge("unknown", "p50 us", {"leat": 1, "kafka": 1}))


class Unjudged(unittest.TestCase):
    SINGLE = "one record a request, 1 connection"
    RUN = {"commit": "c", "date": "d", "machine": "m", "command": "x", "seconds": 1, "cells": [SINGLE]}

    def results(self, run=RUN, **figures):
        """Of one run in which brokers had these p50 of SINGLE."""
        out = results.Results()
        if run:
            out.begin(run)
        for broker, value in figures.items():
            out.add(broker, self.SINGLE, {"p50 us": value})
        return out

    def shown(self, of, titles=None):
        """Exit code, and what was printed."""
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
            return bench.show(of, None, titles), out.getvalue()

    def test_each_goal_is_one_of_a_cell_that_is_there(self):
        self.assertLessEqual({cell for cell, _ in goals.GOALS}, set(results.TITLES))

    def test_with_a_verdict_all_is_well(self):
        code, text = self.shown(self.results(leat=35, kafka=100))
        self.assertEqual((0, False), (code, "No verdict" in text))
        self.assertEqual(0, self.shown(self.results(leat=50, kafka=100))[0], "between goal and floor")
        self.assertEqual(1, self.shown(self.results(leat=70, kafka=100))[0], "below")

    def test_a_goal_without_a_figure_is_told_and_fails(self):
        for figures in ({}, {"leat": 35}, {"kafka": 100}, {"leat": 35, "kafka": 0}):
            code, text = self.shown(self.results(**figures))
            self.assertEqual((1, True), (code, f"No verdict: {self.SINGLE}, p50 us" in text), figures)

    def test_a_figure_by_another_name_is_none(self):
        renamed = self.results()
        for broker in ("leat", "kafka"):
            renamed.add(broker, self.SINGLE, {"p50 us": 1, "median us": 35} if broker == "kafka" else {"median us": 35})
        self.assertEqual(1, self.shown(renamed)[0])

    def test_only_goals_of_the_chosen_cells_count(self):
        self.assertEqual(0, self.shown(self.results(leat=35, kafka=100), [self.SINGLE])[0])
        self.assertEqual(1, self.shown(self.results(leat=35, kafka=100), [self.SINGLE, "start, empty"])[0])

    def test_merged_runs_have_the_goals_of_all_their_cells(self):
        merged = self.results(leat=35, kafka=100)
        merged.begin(self.RUN | {"cells": ["start, empty"]})
        self.assertEqual(["start, empty, seconds", "start, empty, resident idle MiB"], merged.report()[2])

    def test_runs_that_do_not_say_what_they_were_for_have_all_goals(self):
        for run in (None, {name: value for name, value in self.RUN.items() if name != "cells"}):
            self.assertEqual(len(goals.GOALS) - 1, len(self.results(run, leat=35, kafka=100).report()[2]))


class Ends(unittest.TestCase):
    """A broker whose end is none of the good ones fails the run, and takes no other figures with it."""

    def test_of_a_broker_of_cells(self):
        of, node = results.Results(), mock.MagicMock(**{"stop.side_effect": RuntimeError("ended with -11")})
        with mock.patch.object(bench, "make_node", return_value=node), mock.patch.object(bench, "say"):
            bench.run_cells("leat", [("a cell", lambda _: {"x": 1}, "leat")], mock.MagicMock(scratch=None), of, warm=False)
        self.assertEqual((["leat: its end: ended with -11"], {("a cell", "x"): {"leat": [1]}}), (of.failed, of.figures))

    def test_of_the_broker_of_streams(self):
        of = results.Results()
        with mock.patch.object(bench.streams_cells, "run_round", side_effect=RuntimeError("ended with -11")), mock.patch.object(bench, "say"):
            bench.run_streams(0, [], mock.MagicMock(scratch=None, keep=False, streams_broker="leat"), of)
        self.assertEqual(["leat: the broker of the round: ended with -11"], of.failed)


class Command(unittest.TestCase):
    """bench.py as it is called, up to where it would measure."""

    def code(self, *words):
        with mock.patch.object(sys, "argv", ["bench.py", *map(str, words)]), contextlib.redirect_stdout(io.StringIO()) as out, \
                contextlib.redirect_stderr(io.StringIO()):
            try:
                return bench.main(), out.getvalue()
            except SystemExit as end:
                return end.code, out.getvalue()

    def test_from_nothing_there_is_no_good_report(self):
        with tempfile.TemporaryDirectory() as folder:
            raw = pathlib.Path(folder, "raw")
            raw.write_text("")
            code, text = self.code("--from", raw, "--table", "security")
            self.assertEqual(1, code)
            self.assertIn("No verdict: TLS, produce: CPU-s/GB", text)
            self.assertNotIn("start, empty", text)
            self.assertIn("start, empty", self.code("--from", raw)[1])
            rows = [Unjudged.RUN, *({"broker": broker, "cell": Unjudged.SINGLE, "figures": {"p50 us": value}} for broker, value in (("leat", 3), ("kafka", 10)))]
            raw.write_text("".join(json.dumps({"run": row} if "commit" in row else row) + "\n" for row in rows))
            self.assertEqual(0, self.code("--from", raw)[0])
            self.assertEqual(0, self.code("--from", raw, "--cells", "^one record a request, 1 ")[0])
            self.assertEqual(1, self.code("--from", raw, "--table", "backbone")[0])

    def test_cells_that_are_none_are_no_run(self):
        with mock.patch.object(bench, "check"):
            self.assertEqual(2, self.code("--rounds", 0, "--cells", "no such cell")[0])
            self.assertEqual(2, self.code("--rounds", 0, "--cells", "TLS", "--table", "backbone")[0])

    def test_a_run_that_measures_nothing_fails(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(bench, "check"):
            raw = pathlib.Path(folder, "raw")
            code, text = self.code("--rounds", 0, "--cells", "^TLS", "--scratch", folder, "--raw", raw)
            self.assertEqual(1, code)
            self.assertIn("No verdict: TLS, fetch: CPU-s/GB", text)
            self.assertEqual(["TLS"], json.loads(raw.read_text())["run"]["cells"])


if __name__ == "__main__":
    unittest.main()
