#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each action strikes, and what a fault may not do: end the backbone by a signal, keep it from ending, or hide another failure."""
import argparse
import pathlib
import tempfile
import unittest
from unittest import mock

import failpoints
import history
import load

STRUCK = "fault-disk: struck sync history-0/0.log\n"


class Actions(unittest.TestCase):
    """Of a kind of call that comes so many times in a life."""

    def row(self, calls, times=None, found=None, idle_calls=0):
        self.lives = []

        def one(_options, _run_class, _title, point, idle):
            action, _, _, nth = point.split(":")
            self.lives.append((action, int(nth)))
            hit = int(nth) <= calls + idle_calls * (idle == failpoints.LONGEST_IDLE)
            return hit, history.History(), (found or {}).get(action, {})
        with mock.patch.object(failpoints, "one", one):
            return failpoints.all_actions(argparse.Namespace(times=times), None, "sync .log", "sync", ".log")

    def test_all_strike(self):
        name, struck, _, findings, is_well = self.row(3)
        self.assertEqual((struck, findings, is_well), (5, {}, True))
        for action in (*failpoints.KILLS, *failpoints.ERRORS):
            self.assertIn(f"1 {action}", name)

    def test_where_there_is_no_later_call_the_first_is_struck(self):
        _, struck, _, findings, _ = self.row(1)
        self.assertEqual((struck, findings), (5, {}))
        self.assertIn(("kill-after", 1), self.lives)

    def test_one_action_that_never_strikes_is_found(self):
        _, struck, _, findings, is_well = self.row(1, times=[3])
        self.assertEqual((struck, is_well), (0, False))
        self.assertIn("io-errors sync .log: never struck", findings)
        self.assertEqual(len(findings), 5)

    def test_what_comes_late_is_waited_for(self):
        _, struck, _, findings, _ = self.row(0, idle_calls=1)
        self.assertEqual((struck, findings), (5, {}))

    def test_what_is_found_in_a_life_is_told(self):
        _, _, _, findings, is_well = self.row(3, found={"io-error": {"fell": ["it"]}})
        self.assertFalse(is_well)
        self.assertEqual(findings, {"io-error sync .log 1: fell": ["it"]})


class Life(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.broker = mock.Mock(log=self.folder / "broker.log", address="127.0.0.1:1")
        self.run_of_it = mock.Mock(broker=self.broker)
        self.scenario = failpoints.Scenario(None, lambda *_: self.run_of_it, self.folder, "io-error:sync:.log:1")
        self.broker.log.write_text("")

    def strike(self):
        self.broker.log.write_text(STRUCK)

    def test_a_start_that_fails_by_the_fault_is_tried_without(self):
        self.strike()
        self.run_of_it.begin.side_effect = [load.Broken("does not start"), None]
        self.scenario.begin()
        self.assertEqual(self.run_of_it.environment, {})

    def test_one_that_fails_without_is_not(self):
        self.run_of_it.begin.side_effect = [load.Broken("does not start"), None]
        with self.assertRaises(load.Broken):
            self.scenario.begin()

    def test_one_that_hangs_is_not(self):
        self.strike()
        self.broker.is_running.return_value = True
        self.run_of_it.begin.side_effect = [load.Stuck("not ready"), None]
        with self.assertRaises(load.Stuck):
            self.scenario.begin()

    def test_a_later_start_that_fails_without_the_fault(self):
        self.broker.start.return_value, self.broker.is_running.return_value, self.broker.stop.return_value = False, False, 0
        with self.assertRaisesRegex(load.Broken, "does not start"):
            self.scenario.live(idle=0)

    def test_an_end_that_is_not_well_without_the_fault(self):
        self.broker.is_running.return_value, self.broker.stop.return_value = True, 1
        self.scenario.stop()
        self.assertEqual(set(self.scenario.findings), {"ended"})

    def test_an_end_with_an_error_after_it(self):
        self.strike()
        self.broker.is_running.return_value, self.broker.stop.return_value = True, 1
        self.scenario.stop()
        self.assertEqual(self.scenario.findings, {})

    def test_one_that_is_up_and_answers_nobody(self):
        with mock.patch.object(failpoints.protocol, "Client", side_effect=TimeoutError), mock.patch.object(failpoints.time, "sleep"):
            self.broker.is_running.return_value = True
            self.scenario.ask()
            self.assertEqual(set(self.scenario.findings), {"no answer"})

    def test_one_that_has_given_up_need_not_answer(self):
        with mock.patch.object(failpoints.protocol, "Client", side_effect=ConnectionRefusedError), mock.patch.object(failpoints.time, "sleep"):
            self.broker.is_running.side_effect = [True, False]
            self.scenario.ask()
            self.assertEqual(self.scenario.findings, {})

    def test_what_was_found_stays_when_it_is_well_again(self):
        self.scenario.findings["no answer"] = ["it"]
        self.run_of_it.judge.return_value = history.History(), {"fell": ["it"]}
        self.assertEqual(set(self.scenario.recover()[1]), {"no answer", "fell"})


if __name__ == "__main__":
    unittest.main()
