#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What sanitizers.py makes of outcomes: a test that failed, was skipped or never ran is no pass."""
import pathlib
import tempfile
import unittest

import sanitizers

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="t" tests="4" failures="1" disabled="1" skipped="1">
 <testcase name="fine" status="run"><system-out/></testcase>
 <testcase name="broken" status="fail"><failure message=""/></testcase>
 <testcase name="left_out" status="notrun"><skipped message="SKIP_RETURN_CODE"/></testcase>
 <testcase name="off" status="disabled"/>
</testsuite>
"""


def got(*findings, **outcomes):
    return {"commit": "abc", "when": "2026-01-01 00:00", "seconds": 1, "only": None, "outcomes": outcomes, "findings": list(findings)}


class SanitizersTest(unittest.TestCase):
    def test_outcomes_of_ctest(self):
        with tempfile.TemporaryDirectory() as folder:
            junit = pathlib.Path(folder) / "results.xml"
            junit.write_text(JUNIT)
            self.assertEqual(sanitizers.outcomes(junit), {"fine": "passed", "broken": "failed", "left_out": "skipped", "off": "skipped"})

    def test_a_row_is_fine_when_all_passed(self):
        self.assertTrue(sanitizers.row("asan", "unit", got(a="passed", b="passed")).endswith("| 2 | 0 | 0 | 0 | 1 | ok |"))
        self.assertTrue(sanitizers.row("asan", "unit", got(a="passed", b="skipped")).endswith("| 1 | 0 | 1 | 0 | 1 | FAILED |"))
        self.assertTrue(sanitizers.row("asan", "unit", got(a="failed")).endswith("| 0 | 1 | 0 | 0 | 1 | FAILED |"))
        self.assertTrue(sanitizers.row("tsan", "system", got("data race", a="passed")).endswith("| 1 | 0 | 0 | 1 | 1 | FAILED |"))
        self.assertTrue(sanitizers.row("asan", "unit", got()).endswith("| FAILED |"))
        self.assertTrue(sanitizers.row("tsan", "sim", None).endswith("| not run |"))

    def test_what_any_process_left_is_a_finding(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "finding.12").write_text("=====\nWARNING: ThreadSanitizer: data race (pid=12)\n  Write\nSUMMARY: ThreadSanitizer: data race a.cc:3 in f\n")
            (folder / "finding.9").write_text("b.cc:7:3: runtime error: signed integer overflow\n")
            (folder / "finding.a.77").write_text("cut short")
            self.assertEqual(sanitizers.findings(folder), ["ThreadSanitizer: data race a.cc:3 in f", "signed integer overflow",
                                                           "finding.a.77: 'cut short'"])

    def test_the_page_names_what_did_not_pass(self):
        text = sanitizers.page({("asan", "unit"): got("a leak", a="passed", b="failed"), ("tsan", "unit"): None}, "2 x this")
        for words in ("- Commits: abc\n", "2 tests, 2 that did not pass or findings, 1 kinds not run", "- asan unit: b failed\n", "- asan unit: a leak\n", "- Machine: 2 x this"):
            self.assertIn(words, text)

    def test_a_page_of_nothing_says_so(self):
        self.assertIn("- When: never", sanitizers.page({("asan", "unit"): None}, "2 x this"))


if __name__ == "__main__":
    unittest.main()
