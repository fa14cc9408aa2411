#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The runner of the clients: who asks for nothing is told so."""
import contextlib
import io
import sys
import types
import unittest
from unittest import mock

import interop
import report

PASSED = {"produce": {"ok": True, "facts": ["1"], "error": None}}


def parsed(*words):
    with mock.patch.object(sys, "argv", ["run", "--leat", sys.executable, *words]), contextlib.redirect_stderr(io.StringIO()):
        return interop.parse()


class Usage(unittest.TestCase):
    def test_clients_and_features_that_there_are(self):
        self.assertEqual(parsed("--only", "kcat", "--feature", "produce").feature, ["produce"])

    def test_a_misspelt_one_is_bad_usage(self):
        for words in (["--feature", "prodcue"], ["--feature", "produce", "--feature", "consmue"], ["--only", "kact"]):
            with self.assertRaises(SystemExit) as ended:
                parsed(*words)
            self.assertEqual(ended.exception.code, 2)


class Deaths(unittest.TestCase):
    def node(self, code, why=None):
        def stop():
            if why:
                raise RuntimeError(why)
        node = interop.Node("leat", types.SimpleNamespace(start=lambda: None, stop=stop, process=types.SimpleNamespace(poll=lambda: code, returncode=code)))
        node.stop()
        return node.deaths

    def test_a_node_that_died_or_ends_badly_is_told_once(self):
        self.assertEqual(self.node(None), [])
        self.assertEqual(self.node(-9), ["leat died (exit -9)"])
        self.assertEqual(self.node(-9, "it ended with -9"), ["leat: it ended with -9"])
        self.assertEqual(self.node(None, "it ended with 66"), ["leat: it ended with 66"])


class Code(unittest.TestCase):
    def setUp(self):
        self.outcome = report.Outcome(types.SimpleNamespace(broker="both"))
        self.client = types.SimpleNamespace(name="kcat", title="kcat", features=("produce",))

    def test_nothing_asked_is_not_good(self):
        self.assertEqual(self.outcome.code(), 2)
        self.outcome.add(self.client, {"kafka": {}, "leat": {}}, [])
        self.assertEqual(self.outcome.code(), 2)

    def test_what_passed_is_good_unless_something_is_missing_or_wrong(self):
        self.outcome.add(self.client, {"kafka": PASSED, "leat": PASSED}, ["produce"])
        self.assertEqual(self.outcome.code(), 0)
        self.outcome.missing(types.SimpleNamespace(title="other", features=("produce",)), "not here")
        self.assertEqual(self.outcome.code(), 3)
        self.outcome.check("files", False)
        self.assertEqual(self.outcome.code(), 1)

    def test_other_facts_are_wrong(self):
        self.outcome.add(self.client, {"kafka": PASSED, "leat": {"produce": PASSED["produce"] | {"facts": ["2"]}}}, ["produce"])
        self.assertEqual(self.outcome.code(), 1)


if __name__ == "__main__":
    unittest.main()
