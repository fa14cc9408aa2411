#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the checker of rights, users, quotas and tokens fires on what breaks it alone, and none on what is good."""
import unittest

from control_history import ABSENT, History

KEY = ("acl", "a")


def judge(steps, *looks):
    """`steps`: (what, value); then what is seen, look after look."""
    history = History()
    for what, value in steps:
        getattr(history, what)(KEY, value)
    for seen in looks:
        history.look({} if seen is ABSENT else {KEY: seen})
    return set(history.findings)


MADE = [("ask", 1), ("answer", 1)]
GONE = [*MADE, ("ask", ABSENT), ("answer", ABSENT)]


class Checker(unittest.TestCase):
    def test_what_was_answered_is_there(self):
        self.assertEqual(judge(MADE, 1, 1), set())
        self.assertEqual(judge(MADE, ABSENT), {"lost"})
        self.assertEqual(judge(MADE, 2), {"altered"})
        self.assertEqual(judge([*MADE, ("ask", 2), ("answer", 2)], 1), {"altered"})

    def test_what_was_deleted_does_not_come_back(self):
        self.assertEqual(judge(GONE, ABSENT), set())
        self.assertEqual(judge(GONE, 1), {"came back"})

    def test_what_was_not_answered_is_either(self):
        for seen in (1, ABSENT):
            self.assertEqual(judge([("ask", 1)], seen, seen), set())
            self.assertEqual(judge([*MADE, ("ask", ABSENT)], seen, seen), set())
        self.assertEqual(judge([("ask", 1)], 2), {"altered"})
        self.assertEqual(judge([*MADE, ("ask", 2)], ABSENT), {"lost"})

    def test_and_stays_so(self):
        self.assertEqual(judge([("ask", 1)], 1, ABSENT), {"lost"})
        self.assertEqual(judge([("ask", 1)], ABSENT, 1), {"came back"})
        self.assertEqual(judge([*MADE, ("ask", 2)], 2, 1), {"altered"})

    def test_a_span(self):
        self.assertEqual(judge([*MADE, ("ask", (5, 9))], 7), set())
        self.assertEqual(judge([*MADE, ("ask", (5, 9))], 1), set())
        self.assertEqual(judge([*MADE, ("ask", (5, 9))], 10), {"altered"})
        self.assertEqual(judge([("ask", (5, 9))], ABSENT), set())

    def test_nothing_is_there_that_nobody_asked_for(self):
        self.assertEqual(judge([], 1), {"phantom"})
        self.assertEqual(judge([], ABSENT), set())


if __name__ == "__main__":
    unittest.main()
