#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison of what Kafka's tools print: a known difference is just those lines, and one that is gone is told."""
import contextlib
import io
import sys
import unittest
from unittest import mock

import tools

WHAT = "ConfigCommand --describe --entity-type brokers --entity-default"
SAME = ["Default configs for brokers in the cluster are:"]
ONLY_KAFKA = ["  min.insync.replicas=1 sensitive=false synonyms={DYNAMIC_DEFAULT_BROKER_CONFIG:min.insync.replicas=1}"]
LEAT, KAFKA = (0, SAME, []), (0, SAME + ONLY_KAFKA, [])


def verdict(leat, kafka, what=WHAT):
    return tools.Comparison().add(what, leat, kafka)


class Known(unittest.TestCase):
    def test_just_its_lines(self):
        self.assertEqual(verdict(LEAT, KAFKA), "known")
        self.assertEqual(verdict(LEAT, KAFKA, WHAT + " more"), "DIFFERS")

    def test_another_line_of_either_is_none_of_it(self):
        self.assertEqual(verdict((0, SAME + ["more"], []), KAFKA), "DIFFERS")
        self.assertEqual(verdict(LEAT, (0, SAME + ONLY_KAFKA + ["more"], [])), "DIFFERS")
        self.assertEqual(verdict((0, [], []), KAFKA), "DIFFERS")

    def test_a_line_that_is_missing_is_none_of_it(self):
        self.assertEqual(verdict(LEAT, (0, SAME + ["more"], [])), "DIFFERS")

    def test_a_line_that_comes_once_more_is_none_of_it(self):
        self.assertEqual(verdict((0, SAME * 2, []), KAFKA), "DIFFERS")

    def test_a_tool_that_fails_is_none_of_it(self):
        self.assertEqual(verdict((1, SAME, []), KAFKA), "DIFFERS")
        self.assertEqual(verdict((0, SAME, ["java.lang.NullPointerException"]), KAFKA), "DIFFERS")

    def test_each_has_lines_and_a_command(self):
        commands = [tools.name_of(step) for step in tools.COMMANDS if not callable(step)]
        for what, (reason, of_leat, of_kafka) in tools.KNOWN.items():
            self.assertTrue(reason and (of_leat or of_kafka))
            self.assertIn(what, commands)


class Lines(unittest.TestCase):
    def test_what_counts_metadata_is_masked_and_the_level_is_not(self):
        row = "Feature: group.version\tSupportedMinVersion: 0\tSupportedMaxVersion: 1\tFinalizedVersionLevel: 1\tEpoch: {}"
        self.assertEqual(tools.normal(row.format(4)), tools.normal(row.format(399)))
        self.assertNotEqual(tools.normal(row.format(4)), tools.normal(row.replace("Level: 1", "Level: 0").format(4)))
        self.assertEqual(tools.normal("HighWatermark:   21"), tools.normal("HighWatermark:   432"))
        self.assertNotEqual(tools.normal("LeaderEpoch:   0"), tools.normal("LeaderEpoch:   1"))

    def test_the_offset_of_a_voter_is_masked_and_its_folder_is_not(self):
        row = "1     \t{}\t{}          \t0  \t1795990529082"
        self.assertEqual(tools.normal(row.format("A" * 22, 21)), tools.normal(row.format("A" * 22, 438)))
        self.assertNotEqual(tools.normal(row.format("A" * 22, 21)), tools.normal(row.format("B" * 22, 21)))

    def test_a_warning_stays(self):
        self.assertEqual(len(tools.normal("[2026-11-29 22:00:00,000] WARN late")), 1)


class Code(unittest.TestCase):
    def test_all_the_same(self):
        comparison = tools.Comparison()
        self.assertEqual(comparison.code(False), 2)
        comparison.add("AclCommand --list", LEAT, LEAT)
        self.assertEqual(comparison.code(False), 0)

    def test_a_reason_without_a_difference(self):
        comparison = tools.Comparison()
        comparison.add(WHAT, KAFKA, KAFKA)
        self.assertIn(WHAT, comparison.stale())
        self.assertEqual((comparison.code(False), comparison.code(True)), (0, 1))

    def test_a_word_in_no_command_is_bad_usage(self):
        with mock.patch.object(sys, "argv", ["tools.py", "leat", "--only", "misspelt"]), contextlib.redirect_stderr(io.StringIO()):
            with self.assertRaises(SystemExit) as ended:
                tools.main()
        self.assertEqual(ended.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
