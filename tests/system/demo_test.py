#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's scorecard must fail when one record is lost on the way; and where npm brings no events, the demo says so and makes its own.

usage: demo_test.py LEAT
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

DEMO = pathlib.Path(__file__).resolve().parents[2] / "examples" / "demo" / "demo.py"
LEAT = ""
#: In place of an npm whose registry cannot be reached.
NPM = "#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n"


def scorecard(*arguments, npm=None):
    """The exit code, the lines that are wrong, and what it said; with an empty cache, and `npm` as the only program on the PATH; what it leaves behind goes."""
    with tempfile.TemporaryDirectory(prefix="leat-demo-test-") as folder:
        tools = pathlib.Path(folder, "tools")
        tools.mkdir()
        if npm:
            (tools / "npm").write_text(npm)
            (tools / "npm").chmod(0o755)
        done = subprocess.run([sys.executable, "-B", str(DEMO), "--leat", LEAT, "--cache", f"{folder}/cache", *arguments],
                              capture_output=True, text=True, timeout=250, stdin=subprocess.DEVNULL, env=os.environ | {"PATH": str(tools), "TMPDIR": folder})
    wrong = [line.split("  ")[0] for line in done.stdout.splitlines() if line.rstrip().endswith("WRONG")]
    return done.returncode, wrong, done.stderr


class Scorecard(unittest.TestCase):
    def assert_telemetry(self, said, why):
        self.assertRegex(said, rf"the npm package vega-datasets@[\d.]+ cannot be had \(.*{why}.*\): this machine's own telemetry is played instead")
        self.assertRegex(said, r"events: telemetry of .* \(/proc\)")

    def test_fails_when_a_record_is_not_sent(self):
        code, wrong, said = scorecard("--drop", "sent")
        self.assert_telemetry(said, "npm is not installed")
        self.assertEqual(code, 1)
        self.assertEqual(wrong, ["group: different records read", "group: lost", "flights: acknowledged", "flights: read back",
                                 "flights: lost", "windows: not what SQLite computes"])

    def test_fails_when_a_record_a_result_and_an_alert_are_not_read(self):
        code, wrong, said = scorecard("--drop", "read", "--drop", "window", "--drop", "alert", npm=NPM)
        self.assert_telemetry(said, "returned non-zero exit status 1")
        self.assertEqual(code, 1)
        self.assertEqual(wrong, ["group: different records read", "group: lost", "windows: not what SQLite computes",
                                 "transactions: alerts read", "transactions: lost"])


if __name__ == "__main__":
    LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
