#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verdicts on figures: between goal and floor, below, and what the machine does not allow."""
import unittest

import goals

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


if __name__ == "__main__":
    unittest.main()
