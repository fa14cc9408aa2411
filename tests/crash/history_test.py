#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the history checker fires on a history that breaks it, and none on a good one."""
import unittest

import history

GOOD = """\
A 0 0 0 0
A 0 1 1 0
A 1 0 0 1
R 0 0 0-0-xx
c 1
C 1
c 2
D 0 0 0-0-xx
D 0 1 1-0-xx
D 1 0 0-1-xx
G 2
"""


def judge(text, **more):
    return set(history.History().load(text.splitlines()).judge(**more))


class Checker(unittest.TestCase):
    def test_accepts_a_good_history(self):
        self.assertEqual(judge(GOOD), set())

    def test_finds_a_lost_record(self):
        self.assertEqual(judge(GOOD.replace("D 0 1 1-0-xx\n", "")), {"lost"})

    def test_finds_a_read_record_that_is_gone(self):
        self.assertEqual(judge(GOOD.replace("R 0 0", "R 0 7")), {"unread"})

    def test_finds_another_record_at_an_offset(self):
        self.assertEqual(judge(GOOD.replace("D 0 1 1-0", "D 0 1 1-7")), {"rewritten"})

    def test_finds_an_offset_acknowledged_twice(self):
        self.assertIn("rewritten", judge(GOOD + "A 5 5 0 0\n"))

    def test_finds_a_duplicate(self):
        self.assertEqual(judge(GOOD + "D 0 2 0-0-xx\n"), {"duplicated"})

    def test_allows_duplicates_of_plain_producers(self):
        self.assertEqual(judge(GOOD + "D 0 2 0-0-xx\n", duplicates_allowed=True), set())

    def test_finds_reordering(self):
        self.assertEqual(judge(GOOD + "D 1 1 0-9-xx\nD 1 2 0-5-xx\n"), {"reordered"})

    def test_finds_a_lost_commit(self):
        self.assertEqual(judge(GOOD.replace("G 2", "G 0")), {"commit lost"})

    def test_finds_an_invented_commit(self):
        self.assertEqual(judge(GOOD.replace("G 2", "G 3")), {"commit invented"})

    def test_wants_the_final_offset(self):
        self.assertEqual(judge(GOOD.replace("G 2\n", "")), {"incomplete"})


if __name__ == "__main__":
    unittest.main()
