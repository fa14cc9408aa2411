#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the cells of the table `streams` make of what was measured of an engine."""
import unittest

import streams_cells as cells

RATE, ALONE = cells.THROUGH, cells.ALONE


def phase(records, cpu, user):
    return cells.Phase(records=records, seconds=cpu, cpu=cpu, user=user)


class Engine(unittest.TestCase):
    def test_without_clients_it_is_faster_than_with_them(self):
        self.assertEqual({ALONE: 120, RATE: 100}, cells.of_engine(120, 100))
        self.assertEqual({ALONE: 91, RATE: 100}, cells.of_engine(91, 100), "as far as two runs differ")
        with self.assertRaisesRegex(cells.Wrong, "89 records/CPU-s without clients, 100 with them"):
            cells.of_engine(89, 100)

    def test_the_rate_is_divided_by_the_share(self):
        # Of 10 s two are system calls; of the rest the engine has half.
        got = cells.of_engine_by_share(phase(4_000, 10, 8), phase(4_000, 10, 8), 0.5)
        self.assertAlmostEqual(400, got[RATE])
        self.assertAlmostEqual(0.4, got["share of the engine"])
        self.assertAlmostEqual(1_000, got[ALONE])

    def test_the_rate_is_that_of_the_run_without_a_profile(self):
        got = cells.of_engine_by_share(phase(4_000, 10, 10), phase(4_000, 12, 12), 0.5)
        self.assertAlmostEqual(800, got[ALONE])

    def test_a_profile_that_slows_what_it_looks_at_is_none(self):
        with self.assertRaisesRegex(cells.Wrong, "the profile took 50 % of the processor time"):
            cells.of_engine_by_share(phase(4_000, 10, 10), phase(4_000, 20, 20), 0.5)


if __name__ == "__main__":
    unittest.main()
