#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run writes the tables of its own sections and leaves what people wrote, and a run that would drop rows is refused before it begins."""
import contextlib
import io
import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import crash  # noqa: E402
import page  # noqa: E402

PAGE = ROOT / "docs/proof/crash.md"
PROSE = """\
# Crash runs

<!-- begin backbone -->
| old row of the backbone |
<!-- end backbone -->

Why this is so.

<!-- begin transactions -->
| old row of transactions |
<!-- end transactions -->

What is left.
"""
BACKBONE, TRANSACTIONS = page.SECTIONS["backbone"], page.SECTIONS["transactions"]


def report_of(*modes, findings=None):
    report = page.Report(ROOT, lambda text: None)
    with contextlib.redirect_stderr(io.StringIO()):
        for mode in modes:
            report.mode = mode
            report.add(f"run of {mode}", 3, 1000, findings or {}, not findings)
    return report


class Page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "crash.md"
        self.path.write_text(PROSE)

    def write(self, report, section=None):
        report.write(self.path, section)
        return self.path.read_text()

    def outside(self, text):
        """The page without its sections."""
        for name in ("backbone", "transactions"):
            begin, end = page.marks(name)
            text = text[:text.index(begin)] + text[text.index(end) + len(end):]
        return text

    def test_a_run_of_a_section_leaves_the_rest(self):
        text = self.write(report_of(*BACKBONE))
        self.assertEqual(self.outside(text), self.outside(PROSE))
        self.assertNotIn("old row of the backbone", text)
        self.assertIn("| old row of transactions |", text)
        for mode in BACKBONE:
            self.assertIn(f"| run of {mode} | 3 | 1,000 | none | ok |", text)

    def test_a_run_of_all_writes_each_table_where_it_belongs(self):
        text = self.write(report_of(*BACKBONE, *TRANSACTIONS))
        self.assertEqual(self.outside(text), self.outside(PROSE))
        self.assertLess(text.index("run of power"), text.index("Why this is so."))
        self.assertGreater(text.index("run of bank-transfer"), text.index("Why this is so."))
        self.assertEqual(text.count("run of power"), 1)

    def test_writing_twice_is_writing_once(self):
        self.assertEqual(self.write(report_of(*BACKBONE)), self.write(report_of(*BACKBONE)))

    def test_a_section_may_be_named(self):
        text = self.write(report_of("power"), "transactions")
        self.assertEqual(self.outside(text), self.outside(PROSE))
        self.assertIn("old row of the backbone", text)
        self.assertGreater(text.index("run of power"), text.index("Why this is so."))

    def test_a_new_page_takes_the_next_run(self):
        self.path.unlink()
        self.assertIsNone(page.objection(self.path, ["power"], None))
        self.write(report_of("power", "streams"))
        text = self.write(report_of(*page.SECTIONS["streams"], findings={"lost": ["one", "two"]}))
        self.assertIn("| run of streams-mutants | 3 | 1,000 | lost 2 | FAILED |", text)
        self.assertIn("run of power", text)

    def test_a_run_that_ended_broken_writes_nothing(self):
        report = report_of(*BACKBONE)
        with contextlib.redirect_stderr(io.StringIO()):
            report.broken("broken: no broker", "no broker")
        self.assertEqual(self.write(report), PROSE)
        self.assertEqual(report.failed, 1)
        self.assertIn("| broken: no broker | 0 | 0 | broken: no broker | FAILED |", report.table())
        self.path.unlink()
        report.write(self.path)
        self.assertFalse(self.path.exists())

    def test_rows_are_known_by_name(self):
        report = report_of("power")
        self.assertTrue(report.has("run of power"))
        self.assertFalse(report.has("run of kill"))
        self.assertFalse(report.has("1,000"))

    def test_what_was_found_is_written(self):
        self.assertIn("| broken: it | FAILED |", self.write(report_of(*BACKBONE, findings={"broken": ["it"]})))

    def test_commands_in_documents_are_commands(self):
        parser = crash.parser()
        words = []
        for path in (PAGE, PAGE.parent / "README.md"):
            words += re.findall(r'`make crash CRASH="([^"]*)"`', path.read_text()) + re.findall(r"`tests/crash/run ([a-z][^`]*)`", path.read_text())
        words += re.findall(r"^\| [^|]* \| [A-Z] \| `([^`]*)` \|", PAGE.read_text(), re.M)
        self.assertIn("streams-whole --report docs/proof/crash.md", words)
        for command in words:
            options = parser.parse_args(command.split())
            modes = crash.GROUPS.get(options.mode, [options.mode])
            self.assertIsNone(options.report and page.objection(ROOT / options.report, modes, options.section, options.only), command)

    def test_what_would_drop_rows_is_refused(self):
        self.assertIn("rows of kill, ", page.objection(self.path, ["power"], None))
        self.assertIsNone(page.objection(self.path, ["power"], "backbone"))
        self.assertIn("only skip_sync", page.objection(self.path, list(BACKBONE), None, "skip_sync"))
        self.assertIsNone(page.objection(self.path, list(TRANSACTIONS), None))

    def test_what_has_no_place_is_refused(self):
        for modes, section in ((["streams", "streams-mutants"], None), (["short"], None), (["power"], "elsewhere")):
            self.assertIn("has no section", page.objection(self.path, modes, section))
        self.path.write_text(PROSE.replace("<!-- end backbone -->", ""))
        self.assertIn("has no section backbone", page.objection(self.path, list(BACKBONE), None))

    def test_the_page_in_the_tree_takes_a_run_of_all(self):
        modes = [mode for of_one in page.SECTIONS.values() for mode in of_one]
        self.assertIsNone(page.objection(PAGE, modes, None))


if __name__ == "__main__":
    unittest.main()
