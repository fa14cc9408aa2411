#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judgement of `make fresh`, with a make that only says it has made something."""
import contextlib
import io
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import steps  # noqa: E402


def run(names, codes=None, told="0.50"):
    """(rows, what make was asked). `codes` by the first word; `told` is ctest's time, None: it says nothing."""
    asked = []

    def make(words):
        asked.append(" ".join(words))
        return (codes or {}).get(words[0], 0), f"x\nTotal Test time (real) =  {told} sec\n" if told else "x\n"

    with contextlib.redirect_stderr(io.StringIO()):
        return steps.run(names, make), asked


class Steps(unittest.TestCase):
    def setUp(self):
        for name in ("FRESH_BUILD_SECONDS", "FRESH_UNIT_SECONDS"):
            os.environ.pop(name, None)
            self.addCleanup(os.environ.pop, name, None)

    def test_the_usual_ones_are_made_in_order(self):
        rows, asked = run(steps.USUAL)
        self.assertEqual(asked, ["setup FOR=build", "build", "demo", "test", "test LABELS=unit"])
        self.assertEqual([row.limit for row in rows], [300, None, None, 60])
        self.assertEqual(rows[-1].seconds, 0.5)
        self.assertTrue(steps.is_good(rows, steps.USUAL))

    def test_a_time_above_its_bound_fails_and_the_rest_is_made(self):
        rows, _ = run(("unit", "demo"), told="60.01")
        self.assertEqual([row.verdict() for row in rows], ["TOO SLOW", "ok"])
        self.assertFalse(steps.is_good(rows, ("unit", "demo")))

    def test_the_environment_sets_the_bounds(self):
        os.environ["FRESH_UNIT_SECONDS"] = "61"
        os.environ["FRESH_BUILD_SECONDS"] = ""  # As make exports one that is not set.
        rows, _ = run(("build", "unit"), told="60.01")
        self.assertEqual([(row.limit, row.verdict()) for row in rows], [(300, "ok"), (61, "ok")])

    def test_a_step_that_fails_ends_the_run(self):
        rows, asked = run(steps.USUAL, {"demo": 2})
        self.assertEqual([row.verdict() for row in rows], ["ok", "FAILED"])
        self.assertNotIn("test", asked)
        self.assertFalse(steps.is_good(rows, steps.USUAL))
        self.assertEqual([row.verdict() for row in run(("build",), {"setup": 1})[0]], ["FAILED"])

    def test_tests_that_tell_no_time_fail(self):
        self.assertEqual(run(("unit",), told=None)[0][0].verdict(), "FAILED")

    def test_the_page_says_what_was_run(self):
        rows, _ = run(steps.USUAL, {"test": 1})
        page = steps.page(rows, steps.USUAL, "abc", "2 x this")
        for text in ("- Commit: abc\n", "- Machine: 2 x this\n", "`make fresh FRESH=\"--report FILE\"`", "not begun: unit",
                     "| build | configure, compile, link | 0 | 300 | ok |", "| test | packages, build, all tests | 0 |  | FAILED |"):
            self.assertIn(text, page)
        self.assertIn("FOLDER demo\"", steps.page(rows, ("demo",), "abc", "2 x this"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
