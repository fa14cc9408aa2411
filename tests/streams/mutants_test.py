#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of mutants follows the code: each piece is there once, and what takes its place asks whether the mistake is made."""
import pathlib
import tempfile
import unittest

import mutants


class Pieces(unittest.TestCase):
    def test_each_is_there_once(self):
        for name, (file, before, after) in mutants.MUTANTS.items():
            with self.subTest(name):
                self.assertEqual((mutants.TREE / file).read_text().count(before), 1)
                self.assertIn("MUTANT", after)

    def test_one_that_is_not_there_or_twice_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            (copy / "a.h").write_text("one two two")
            mutants.mutate(copy, "a.h", "one", "1")
            self.assertEqual((copy / "a.h").read_text(), "1 two two")
            for piece in ("one", "two"):
                with self.assertRaises(SystemExit):
                    mutants.mutate(copy, "a.h", piece, "2")


if __name__ == "__main__":
    unittest.main()
