#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_layers.py refuses what layers.toml does not grant, and nothing else. Works on small trees of its own."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parent / "check_layers.py"
LAYERS = '[base]\ndeps = []\n[rt]\ndeps = ["base"]\nupper = ["top"]\n'


def said_of(files):
    """The exit code and the lines of a tree with these files."""
    with tempfile.TemporaryDirectory(prefix="leat-layers-") as folder:
        root = pathlib.Path(folder)
        for name, text in {"src/layers.toml": LAYERS, **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (root / "tools").mkdir()
        shutil.copy(CHECK, root / "tools")
        done = subprocess.run([sys.executable, "-B", str(root / "tools" / CHECK.name)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


class Layers(unittest.TestCase):
    def test_what_is_granted_is_right(self):
        files = {"src/rt/a.cc": '#include "base/b.h"\n#include "rt/c.h"\n', "src/rt/top/d.cc": '#include "rt/c.h"\n#include "rt/top/e.h"\n',
                 "include/leat/rt/f.h": '#include "leat/base/b.h"\n'}
        self.assertEqual(said_of(files), (0, ["layers ok"]))

    def test_a_lower_folder_does_not_include_a_higher_one(self):
        self.assertEqual(said_of({"src/base/a.h": '#include "rt/c.h"\n'}), (1, ["src/base/a.h:1: base may not include rt"]))
        self.assertEqual(said_of({"include/leat/base/a.h": '#include "leat/rt/c.h"\n'}),
                         (1, ["include/leat/base/a.h:1: base may not include rt"]))

    def test_a_folder_does_not_include_what_stands_on_it(self):
        for home in ("src/rt/a.h", "src/rt/state/a.h", "src/rt/a_test.cc"):
            self.assertEqual(said_of({home: '\n#include "rt/top/e.h"\n'}), (1, [f"{home}:2: rt may not include rt/top, which stands on it"]))


if __name__ == "__main__":
    unittest.main()
