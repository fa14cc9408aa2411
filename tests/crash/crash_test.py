#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The verdict of a backbone's run, what its rows claim, and that a run of nothing, or of a part, is told apart from a whole one."""
import argparse
import contextlib
import io
import pathlib
import tempfile
import unittest
from unittest import mock

import crash
import history
import history_test
import load
import page
import streams
import transactions
import transactions_history

OFFLINE = 'level=error event="partition offline" partition=history-0 why="it"\n'


class Worker:
    """A load that ends with a good history, and goes on until then but for one part."""

    def __init__(self, standstill=None, left_out="", behind=False):
        self.standstill, self.left_out = standstill, "R 0 5 1 1 9 14\n" if behind else left_out
        self.waited, self.is_broken = [], None

    def wait_for_acknowledgements(self, count):
        self.waited.append(count)

    def wait_for_work(self, _seconds):
        self.waited.append("work")
        if self.standstill:
            raise load.Stuck("it", self.standstill)

    def finish(self, is_broken):
        self.is_broken = is_broken
        return self.seen()

    def seen(self):
        return history.History().load(history_test.GOOD.replace(self.left_out, "").splitlines())

    @staticmethod
    def counters():
        return load.Counters(1000, 10, 1000, 10, 10, 10)


class Verdict(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_of(self, worker, said="", fallen=None, ended=False):
        run = crash.Run(argparse.Namespace(leat="leat"), self.folder, self.folder / "data")
        run.worker, run.broker = worker, mock.Mock(log=self.folder / "broker.log", fallen=lambda: fallen or {}, is_running=lambda: not ended)
        run.broker.check.side_effect = load.Broken("leat serve ended with -11") if ended else None
        run.broker.log.write_text("")
        run.said = load.Said(run.broker.log)
        run.broker.log.write_text(said)
        return run

    def judge(self, *arguments, why=None, **more):
        return set(self.run_of(*arguments, **more).judge(why)[1])

    def test_all_is_well(self):
        self.assertEqual(self.judge(Worker()), set())

    def test_who_stands_still_at_the_end_is_found(self):
        for _, _, rule in load.WORK:
            worker = Worker(standstill=rule)
            self.assertEqual(self.judge(worker), {rule})
            self.assertTrue(worker.is_broken)

    def test_who_reads_has_to_come_to_the_end(self):
        self.assertEqual(self.judge(Worker(behind=True)), {"behind"})
        self.assertEqual(self.judge(Worker(behind=True), why=load.Stuck("it")), {"stuck"})

    def test_a_partition_out_of_service_is_found(self):
        self.assertEqual(self.judge(Worker(), said=OFFLINE), {"given up"})
        self.assertEqual(self.judge(Worker(), said=OFFLINE, why=load.Stuck("it")), {"given up", "stuck"})

    def test_a_crash_is_found(self):
        self.assertEqual(self.judge(Worker(), fallen={"fell": ["it"]}), {"fell"})

    def test_an_end_by_itself_is_found_beside_what_the_history_shows(self):
        worker = Worker(left_out="D 1 0 0 1 9 12\n")
        self.assertEqual(self.judge(worker, ended=True), {"broken", "lost", "unread"})

    def test_what_broke_it_off_comes_first(self):
        worker = Worker()
        worker.finish = mock.Mock(side_effect=load.Broken("the log cannot be read"))
        run = self.run_of(worker)
        seen, findings = run.judge(load.Broken("first"))
        self.assertEqual(findings["broken"], ["first", "the log cannot be read"])
        self.assertEqual(len(seen.acknowledged), 3)
        self.assertEqual(set(run.judge()[1]), {"broken"})

    def test_one_that_never_began(self):
        self.assertEqual(self.judge(None, why=load.Broken("it"), fallen={"fell": ["it"]}), {"broken", "fell"})

    def test_a_cut_is_of_a_broker_that_is_up_and_serves_all(self):
        early, late = mock.Mock(uniform=lambda *_: 0, random=lambda: 0.9), mock.Mock(uniform=lambda *_: 0, random=lambda: 0.1)
        worker = Worker()
        self.assertTrue(self.run_of(worker).ready_for_cut(early))
        self.assertEqual(worker.waited, [crash.ACKNOWLEDGED_MIN])
        self.assertTrue(self.run_of(worker).ready_for_cut(late))
        self.assertEqual(worker.waited[1:], [crash.ACKNOWLEDGED_MIN, "work"])
        for wrong in ({"ended": True}, {"said": OFFLINE}):
            with self.assertRaises(load.Broken):
                self.run_of(worker, **wrong).ready_for_cut(early)


class Mutants(unittest.TestCase):
    def test_a_standstill_finds_those_alone_whose_sign_it_is(self):
        self.assertLessEqual(transactions.SIGNS.keys(), transactions.MUTANTS.keys())
        for fault in transactions.MUTANTS:
            signs = transactions.SIGNS.get(fault, ())
            self.assertEqual(load.caught({"stuck": ["it"]}, signs, transactions_history.PROVES_NOTHING),
                             fault in ("transactions.marker_lost", "transactions.not_reconciled"), fault)
            self.assertFalse(load.caught({"broken": ["it"], "unread": ["it"]}, signs, transactions_history.PROVES_NOTHING), fault)

    def test_streams_that_are_late_find_none(self):
        late = {rule: ["it"] for rule in streams.OF_THE_END}
        self.assertFalse(streams.caught({"stuck": ["it"], "unfinished": ["in-0"], **late}))
        self.assertTrue(streams.caught({"unfinished": ["in-0"], "twice": ["it"]}))
        self.assertTrue(streams.caught({"missing": ["it"]}))
        self.assertFalse(streams.caught({"input lost": ["it"]}))

    def test_those_on_a_slow_disk_come_with_a_run_without_one(self):
        for only, ways in (("mark_ahead", 2), ("skip_sync", 1)):
            options = argparse.Namespace(only=only, fs="ext4", mutant_cycles=5, seed=1)
            report = mock.Mock()
            with mock.patch.object(crash, "power_cycles", return_value=(5, history.History(), {})) as cycles:
                crash.run_mutants(options, report)
            self.assertEqual(cycles.call_count, ways)
            self.assertEqual(report.add.call_args_list[0].args[-1], only == "mark_ahead")  # Nothing was found: well without a mutant only.
            self.assertFalse(report.add.call_args_list[-1].args[-1])


    def test_those_whose_sign_is_a_standstill_come_with_a_run_without_one(self):
        for only, ways in (("transactions.marker_lost", ["bank"]), ("skip_dedupe", [])):
            options = argparse.Namespace(only=only, mutant_cycles=5)
            report = mock.Mock()
            with mock.patch.object(transactions, "cycles", return_value=(8, history.History(), {"stuck": ["it"]})) as cycles, \
                    mock.patch.object(transactions, "mutant", return_value=(1, history.History(), {"stuck": ["it"]})):
                crash.run_transactions_mutants(options, report)
            self.assertEqual([call.args[1] for call in cycles.call_args_list], ways)
            self.assertEqual([call.args[-1] for call in report.add.call_args_list], [False, True] if ways else [False])


class Rows(unittest.TestCase):
    def test_lies_that_end_a_run_are_not_told_beside_others(self):
        report = mock.Mock()
        with mock.patch.object(crash, "kill_cycles", return_value=(2, history.History(), {})) as cycles:
            crash.run_lies(None, report, at_once=True)
        told = cycles.call_args.kwargs["lies"].split(",")
        self.assertEqual({crash.LIES[lie] for lie in crash.LIES if lie not in told}, {rule for _, _, rule in load.WORK})

    def test_a_short_run_without_root_is_not_whole(self):
        for user, is_whole in ((1000, False), (0, True)):
            report = page.Report(crash.ROOT, lambda _: None)
            names = ("run_checksum", "run_kill", "run_lies", "run_power", "run_control", "run_mutants")
            with contextlib.ExitStack() as patches:
                for name in names:
                    patches.enter_context(mock.patch.object(crash, name))
                patches.enter_context(mock.patch.object(crash.os, "geteuid", return_value=user))
                patches.enter_context(mock.patch.object(crash, "say"))
                crash.run_short(argparse.Namespace(), report)
            self.assertEqual(report.is_whole, is_whole)

    def test_names_that_nothing_fits_are_told(self):
        for only, code in (("skip_sync", 0), ("skip_sync,mark_ahed", 2), ("mark_ahed", 2)):
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), \
                    mock.patch.object(crash, "power_cycles", return_value=(5, history.History(), {"lost": ["it"]})), \
                    mock.patch("sys.argv", ["crash.py", "mutants", "--only", only, "--scratch", folder]):
                self.assertEqual(crash.main(), code, only)

    def test_none_at_all_is_refused(self):
        for option in ("--cycles", "--mutant-cycles", "--kills", "--mutant-kills", "--flips"):
            crash.parser().parse_args(["kill", option, "1"])
            with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                crash.parser().parse_args(["kill", option, "0"])

    def test_cuts_of_a_load_that_does_nothing_end(self):
        crash.bound(1, 5, 1)
        with self.assertRaises(load.Broken):
            crash.bound(0, 6, 1)


if __name__ == "__main__":
    unittest.main()
