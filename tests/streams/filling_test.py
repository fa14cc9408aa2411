#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""More cases of the sort that reaches what is missing, and no more than that takes."""
import collections
import unittest

import coverage
import filling

CELL = "suppress bytes"
LATE = (CELL, "late")


def covering(*whats):
    return collections.Counter({what: 1 for what in whats})


class Filling(unittest.TestCase):
    def setUp(self):
        self.yields = filling.Yields()
        for reached in (covering((CELL, None)), covering((CELL, None), LATE)):
            self.yields.add({"focus": "suppress.bytes", "flavour": "late"}, reached)
        for _ in range(2):
            self.yields.add({"focus": "suppress.bytes", "flavour": "plain"}, covering((CELL, None)))

    def test_what_is_missing_has_its_number(self):
        full = collections.Counter({(cell, one): 100 for cell in coverage.CELLS for one in (None, *coverage.PROPERTIES)})
        self.assertEqual(filling.missing(full, 100, 100), {})
        full[LATE] = 70
        full[CELL, None] = 99
        full["suppress until close", "late"] = 0  # It can have none.
        self.assertEqual(filling.missing(full, 100, 100), {LATE: 30, (CELL, None): 1})
        self.assertEqual(filling.missing(full, 100, 10), {(CELL, None): 1})

    def test_the_sort_that_reaches_it_is_made_as_often_as_needed(self):
        self.assertEqual(filling.plan(self.yields, {LATE: 3}, 250), [("suppress.bytes", "late")] * 6)
        self.assertEqual(filling.plan(self.yields, {LATE: 3}, 4), [("suppress.bytes", "late")] * 4)

    def test_what_no_sort_reaches_stays_missing(self):
        self.assertEqual(filling.plan(self.yields, {("suppress time", "late"): 5}, 250), [])


if __name__ == "__main__":
    unittest.main()
