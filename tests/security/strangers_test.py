#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison of strangers: a known difference is just what both said, and one that is gone is told."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import strangers  # noqa: E402

NAME = "two handshakes"
LEAT, KAFKA, REASON = strangers.KNOWN[NAME]


def counts(*rows):
    run = strangers.Run()
    run.rows += rows
    return run.counts()[:3]


class Known(unittest.TestCase):
    def test_just_what_both_said(self):
        self.assertEqual(strangers.reason_of(NAME, LEAT, KAFKA), REASON)
        self.assertEqual(counts((NAME, LEAT, KAFKA)), (1, 0, 1))

    def test_anything_else_is_without_a_reason(self):
        for row in ((NAME, KAFKA, LEAT), (NAME, f"{LEAT} · Metadata answered", KAFKA), (NAME, LEAT, "no answer"), ("another", LEAT, KAFKA)):
            self.assertEqual(counts(row), (1, 1, 0))

    def test_one_that_is_gone_is_counted(self):
        run = strangers.Run()
        run.rows += [(name, *said[:2]) for name, said in strangers.KNOWN.items() if name != NAME] + [(NAME, KAFKA, KAFKA)]
        self.assertEqual(run.counts(), (len(strangers.KNOWN), 0, len(strangers.KNOWN) - 1, 1))

    def test_each_is_a_difference_of_a_case(self):
        for name, (leat, kafka, reason) in strangers.KNOWN.items():
            self.assertIn(name, [case[0] for case in strangers.CASES])
            self.assertNotEqual(leat, kafka)
            self.assertTrue(reason)


if __name__ == "__main__":
    unittest.main()
