#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Configuring a preset a second time changes no compiler's command: each make target configures, and would compile anew what is there.

What can break it: variables that CMake's modules set when they find a library, and do not when it is in the cache.
"""
import json
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]


def commands(preset, folder):
    """Of all objects, after a configure of that preset in that folder; each names its object."""
    done = subprocess.run(["cmake", "--preset", preset, "-B", folder], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])
    return {entry["command"] for entry in json.loads(pathlib.Path(folder, "compile_commands.json").read_text(encoding="utf-8"))}


class Configure(unittest.TestCase):
    def test_a_second_time_changes_no_command(self):
        for preset in ("release", "dev"):
            with self.subTest(preset), tempfile.TemporaryDirectory() as folder:
                first = commands(preset, folder)
                second = commands(preset, folder)
                self.assertGreater(len(first), 400)
                self.assertEqual((sorted(first - second)[:1], sorted(second - first)[:1]), ([], []), f"{len(first - second)} changed")


if __name__ == "__main__":
    unittest.main()
