#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's scorecard must fail when one record is lost on the way.

usage: demo_test.py LEAT
"""
import pathlib
import subprocess
import sys
import unittest

DEMO = pathlib.Path(__file__).resolve().parents[2] / "examples" / "demo" / "demo.py"
LEAT = ""


def scorecard(*arguments):
    """The exit code and the lines that are wrong."""
    done = subprocess.run([sys.executable, "-B", str(DEMO), "--leat", LEAT, "--telemetry", *arguments], capture_output=True, text=True,
                          timeout=250, stdin=subprocess.DEVNULL)
    wrong = [line.split("  ")[0] for line in done.stdout.splitlines() if line.rstrip().endswith("WRONG")]
    return done.returncode, wrong


class Scorecard(unittest.TestCase):
    def test_fails_when_a_record_is_not_sent(self):
        code, wrong = scorecard("--drop", "sent")
        self.assertEqual(code, 1)
        self.assertEqual(wrong, ["group: different records read", "group: lost", "flights: acknowledged", "flights: read back",
                                 "flights: lost", "windows: not what SQLite computes"])

    def test_fails_when_a_record_a_result_and_an_alert_are_not_read(self):
        code, wrong = scorecard("--drop", "read", "--drop", "window", "--drop", "alert")
        self.assertEqual(code, 1)
        self.assertEqual(wrong, ["group: different records read", "group: lost", "windows: not what SQLite computes",
                                 "transactions: alerts read", "transactions: lost"])


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    unittest.main()
