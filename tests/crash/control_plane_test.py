#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cycle of the control plane counts only when the broker answered all until the cut."""
import argparse
import collections
import pathlib
import tempfile
import unittest
from unittest import mock

import control_plane
import load

OPTIONS = argparse.Namespace(seed=1, leat="leat", progress=lambda *_: None)
QUIET = mock.Mock(at=lambda *_: None)


class Broker:
    """Up until it is cut, or ends by itself."""

    def __init__(self):
        self.ended, self.address, self.log = False, "nowhere:1", "broker.log"

    def start(self, _environment):
        self.ended = False
        return True

    def is_running(self):
        return not self.ended

    def check(self):
        if self.ended:
            raise load.Broken("leat serve ended with -11")

    def kill(self):
        self.ended = True

    def fallen(self):
        return {}


class Kind:
    """Of a thing that is there or not, and what asking for it raises after some answers."""

    def __init__(self, run, failure=None, after=0):
        self.run, self.failure, self.after, self.answers = run, failure, after, 0
        self.there = {}

    def value(self, _rng):
        return 1

    def put(self, _client, name, value, _old):
        self.ask()
        self.there[name] = value

    def delete(self, _client, name, _old):
        self.ask()
        del self.there[name]

    def ask(self):
        if self.run.broker.ended:
            raise control_plane.protocol.Closed
        self.answers += 1
        if self.failure and self.answers > self.after:
            if self.failure is control_plane.protocol.Closed:
                self.run.broker.ended = True
            raise self.failure

    def seen(self, _client):
        return self.there


class Cycles(unittest.TestCase):
    def through(self, failure=None, after=0, cycles=2):
        """(counted, findings) of cycles whose rights fail so; nothing else is asked for."""
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(control_plane, "KINDS", ("acl",)), \
                mock.patch.object(control_plane, "Connection"), mock.patch.object(control_plane.Run, "log_in"):
            run = control_plane.Run(OPTIONS, pathlib.Path(folder), "data")
            run.broker, run.kinds = Broker(), {}
            run.kinds["acl"] = Kind(run, failure, after)
            counted, _, findings = control_plane.through(run, cycles, QUIET, lambda _: run.broker.kill())
        return counted, findings

    def test_a_good_broker(self):
        counted, findings = self.through()
        self.assertEqual((counted, findings), (2, {}))

    def test_one_that_falls_before_the_cut(self):
        counted, findings = self.through(control_plane.protocol.Closed, after=3)
        self.assertEqual(counted, 0)
        self.assertIn("broke off", findings)
        self.assertIn("ended with", findings["broken"][0])

    def test_one_that_answers_everything_with_an_error_of_doubt(self):
        for code in control_plane.IN_DOUBT:
            with self.assertRaises(control_plane.InDoubt) as raised:
                control_plane.good({"error_code": code})
            counted, findings = self.through(raised.exception)
            self.assertEqual(counted, 0)
            self.assertEqual(set(findings), {"in doubt", "broken"})
            self.assertIn(str(code), findings["in doubt"][0])

    def test_one_that_begins_to_after_enough_acknowledgements(self):
        _, findings = self.through(control_plane.InDoubt("-1"), after=control_plane.ACKNOWLEDGED_MIN + 20)
        self.assertIn("in doubt", findings)

    def test_one_that_refuses(self):
        counted, findings = self.through(control_plane.Refused("it"))
        self.assertEqual((counted, set(findings)), (0, {"refused", "broken"}))

    def test_what_comes_after_the_cut_is_none(self):
        run = mock.Mock(is_cut=True, kinds=collections.defaultdict(mock.Mock), rng=mock.Mock(random=lambda: 0))
        for why in (OSError(), control_plane.protocol.Closed(), control_plane.InDoubt()):
            one = control_plane.Administrator(run, "acl", 0)
            with mock.patch.object(control_plane, "Connection"), mock.patch.object(one, "one", side_effect=why):
                one.run()
            self.assertIsNone(one.trouble)

    def test_none_of_these_finds_a_mutant(self):
        for rule in ("broke off", "in doubt", "refused", "not readable", "broken", "fell"):
            self.assertFalse(load.caught({rule: ["it"]}, proves_nothing=control_plane.PROVES_NOTHING), rule)
        self.assertTrue(load.caught({"came back": ["it"]}, proves_nothing=control_plane.PROVES_NOTHING))


if __name__ == "__main__":
    unittest.main()
