#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the cells of the bench need of the disk."""
import unittest

import cells


def named(*titles):
    return [cell for cell in cells.WARM + cells.COLD if cell[0] in titles]


class RoomFor(unittest.TestCase):
    def test_the_longest_cell_counts(self):
        few, full = named("one record a request, 1 connection"), named("one record a request, 1 connection", "os, batches of 1 MB")
        self.assertEqual((1, 2), (len(few), len(full)))
        self.assertEqual(60e9, cells.room_for(full, 20, 5))
        self.assertEqual(40e9, cells.room_for(few, 20, 5))
        self.assertEqual(20e9, cells.room_for(few, 10, 5))

    def test_a_start_after_kill_needs_its_log(self):
        start = named("start after kill -9, cold cache")
        self.assertEqual(1, len(start))
        self.assertEqual(15e9, cells.room_for(start, 20, 10))

    def test_other_tables_need_none(self):
        self.assertEqual(0, cells.room_for([], 20, 5))


if __name__ == "__main__":
    unittest.main()
