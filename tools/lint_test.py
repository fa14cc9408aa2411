#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A check of lint.py that ended badly is a finding, whatever it said."""
import pathlib
import subprocess
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lint  # noqa: E402


def ended(code, out="", error=""):
    return subprocess.CompletedProcess([], code, out, error)


class LintTest(unittest.TestCase):
    def tidy(self, done):
        """Findings of clang-tidy on one source that no run before has passed."""
        with mock.patch.object(lint, "key_of", return_value=None), mock.patch.object(lint, "run", return_value=done), \
                mock.patch.object(lint, "say"):
            return lint.check_tidy({"src/a.cc": {}})

    def test_clang_tidy_that_a_signal_ended_is_a_finding(self):
        self.assertEqual(self.tidy(ended(0)), [])
        self.assertEqual(self.tidy(ended(-9)), ["clang-tidy src/a.cc:\nended with -9"])
        self.assertEqual(self.tidy(ended(-9, "\n", " \n")), ["clang-tidy src/a.cc:\nended with -9"])
        self.assertEqual(self.tidy(ended(1)), ["clang-tidy src/a.cc:\nended with 1"])

    def test_what_it_said_is_told(self):
        self.assertEqual(self.tidy(ended(1, f"{lint.ROOT}/src/a.cc:1: bad\n", "2 warnings")), ["clang-tidy src/a.cc:\nsrc/a.cc:1: bad"])
        self.assertEqual(self.tidy(ended(1, "", "no such file")), ["clang-tidy src/a.cc:\nno such file"])
        self.assertEqual(self.tidy(ended(-6, "src/a.cc:1: bad")), ["clang-tidy src/a.cc:\nsrc/a.cc:1: bad\nended with -6"])

    def test_clang_format_that_a_signal_ended_says_so(self):
        with mock.patch.object(lint, "run", return_value=ended(-9)):
            self.assertEqual(lint.check_layout(["a.cc"]), ["clang-format: ended with -9"])


if __name__ == "__main__":
    unittest.main()
