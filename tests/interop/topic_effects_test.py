#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison of effects: what broke off is never the same, and a setting left out is found by an effect alone."""
import contextlib
import io
import sys
import types
import unittest
from unittest import mock

import topic_effects
from topic_effects import BROKE, CONTROL, Comparison, Mutant

NODE = types.SimpleNamespace(address="127.0.0.1:1", addresses={}, data="/none")


def observed(*functions):
    return topic_effects.observe(NODE, [(function.__name__, ("a.setting",), False, function) for function in functions])[0]


def compared(kafka, leat):
    comparison = Comparison()
    comparison.add("settings", kafka, leat)
    return comparison


class Cases(unittest.TestCase):
    def test_one_that_goes_to_its_end_has_what_it_noted(self):
        def fine(node):
            node.note("seen", 1)
        self.assertEqual(observed(fine), {"fine: seen": 1})

    def test_one_that_breaks_off_says_so_and_the_others_go_on(self):
        def breaks(node):
            node.note("seen", 1)
            raise TimeoutError("late")

        def fine(node):
            node.note("seen", 2)
        self.assertEqual(observed(breaks, fine), {"breaks: seen": 1, f"breaks: {BROKE}": "TimeoutError: late", "fine: seen": 2})

    def test_one_that_notes_nothing_breaks_off(self):
        def idle(node):
            pass
        self.assertEqual(list(observed(idle)), [f"idle: {BROKE}"])

    def test_one_that_notes_twice_breaks_off(self):
        def twice(node):
            node.note("seen", 1)
            node.note("seen", 2)
        self.assertEqual(list(observed(twice)), ["twice: seen", f"twice: {BROKE}"])


class Comparing(unittest.TestCase):
    def test_the_same_is_good_and_another_is_bad(self):
        self.assertEqual(compared({"a: b": 1}, {"a: b": 1}).code(False), 0)
        self.assertEqual(compared({"a: b": 1}, {"a: b": 2}).code(False), 1)
        self.assertEqual(compared({"a: b": 1}, {}).code(False), 1)

    def test_what_broke_off_alike_on_both_is_bad(self):
        row = {f"a: {BROKE}": "TimeoutError: late"}
        self.assertEqual(compared(row, row).code(False), 1)
        self.assertEqual(len(compared(row, row).bad()), 1)

    def test_a_known_difference_is_just_that_one(self):
        label = "dripping: a byte every half second"
        self.assertEqual(compared({label: "open"}, {label: "closed"}).code(False), 0)
        self.assertEqual(compared({label: "closed"}, {label: "open"}).code(False), 1)
        self.assertEqual(compared({label: "open"}, {label: None}).code(False), 1)

    def test_a_known_difference_that_is_gone_is_stale(self):
        label = "dripping: a byte every half second"
        comparison = compared({label: "closed"}, {label: "closed"})
        self.assertIn(label, comparison.stale(True))
        self.assertEqual(comparison.code(True), 1)


class LeftOut(unittest.TestCase):
    BOTH = {"a: one": 1, "a: two": 2}

    def test_an_effect_that_is_otherwise_finds_it(self):
        self.assertTrue(Mutant("s", self.BOTH, self.BOTH, {"a: one": 1, "a: two": 3}).is_found)
        self.assertFalse(Mutant("s", self.BOTH, self.BOTH, self.BOTH).is_found)

    def test_a_case_that_broke_off_finds_nothing(self):
        self.assertFalse(Mutant("s", self.BOTH, self.BOTH, {"a: one": 1, f"a: {BROKE}": "TimeoutError: late"}).is_found)
        self.assertFalse(Mutant("s", self.BOTH, self.BOTH, {"a: one": 3, f"a: {BROKE}": "TimeoutError: late"}).is_found)

    def test_what_only_it_noted_finds_nothing(self):
        self.assertFalse(Mutant("s", self.BOTH, self.BOTH, {"a: one": 1, "a: three": 3}).is_found)

    def test_what_differed_before_finds_nothing(self):
        self.assertFalse(Mutant("s", self.BOTH, self.BOTH | {"a: one": 5}, {"a: one": 7, "a: two": 2}).is_found)

    def test_the_control_must_be_the_same(self):
        self.assertTrue(Mutant(CONTROL, self.BOTH, self.BOTH, self.BOTH).is_right)
        self.assertFalse(Mutant(CONTROL, self.BOTH, self.BOTH, {"a: one": 3, "a: two": 2}).is_right)
        self.assertFalse(Mutant(CONTROL, self.BOTH, self.BOTH, self.BOTH | {f"a: {BROKE}": "late"}).is_right)

    def test_one_that_is_not_right_fails_the_run(self):
        for one, code in ((Mutant("s", self.BOTH, self.BOTH, self.BOTH), 1), (Mutant(CONTROL, self.BOTH, self.BOTH, self.BOTH), 0)):
            comparison = compared(self.BOTH, self.BOTH)
            comparison.mutants.append(one)
            self.assertEqual(comparison.code(False), code)


class Run(unittest.TestCase):
    def test_a_word_in_no_case_is_bad_usage(self):
        for more in ([], ["--part", "peers"]):
            with mock.patch.object(sys, "argv", ["topic_effects.py", "leat", "--only", "misspelt", *more]), contextlib.redirect_stderr(io.StringIO()):
                with self.assertRaises(SystemExit) as ended:
                    topic_effects.main()
            self.assertEqual(ended.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
