#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What cycles need of broker and load: an end that nobody made and work that does not go on are findings, and prove nothing of a mutant."""
import pathlib
import signal
import tempfile
import unittest

import load

#: It waits for a line that nobody writes; a signal that is trapped ends the wait.
FOR_EVER = 'mkfifo "$0.never" 2>/dev/null; exec 3<>"$0.never"; read line <&3'
READY = 'echo \'{"listeners": [{"address": "127.0.0.1:1234"}]}\''


class Ends(unittest.TestCase):
    """Of a backbone that is a shell script."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def broker(self, *does):
        program = self.folder / "leat"
        program.write_text("\n".join(["#!/bin/sh", *does]) + "\n")
        program.chmod(0o755)
        out = load.Broker(program, self.folder / "data", [], self.folder / "broker.log")
        self.addCleanup(out.kill)
        return out

    def wait_for_end(self, broker):
        load.wait_for("its end", lambda: not broker.is_running(), 20)

    def test_one_in_good_order_is_none(self):
        broker = self.broker("trap 'exit 0' TERM", READY, FOR_EVER)
        self.assertTrue(broker.start())
        broker.check()
        self.assertEqual(broker.stop(), 0)
        self.assertEqual(broker.fallen(), {})

    def test_our_own_kill_is_none(self):
        broker = self.broker(READY, FOR_EVER)
        self.assertTrue(broker.start())
        broker.kill()
        broker.kill()
        self.assertEqual(broker.fallen(), {})

    def test_a_crash_is_found_whoever_asks(self):
        broker = self.broker(READY, "kill -SEGV $$")
        self.assertTrue(broker.start())
        self.wait_for_end(broker)
        with self.assertRaisesRegex(load.Broken, "ended with -11"):
            broker.check()
        self.assertIn("SIGSEGV", broker.fallen()["fell"][0])

    def test_a_crash_before_a_kill_is_not_the_kill(self):
        broker = self.broker(READY, "kill -ABRT $$")
        self.assertTrue(broker.start())
        self.wait_for_end(broker)
        broker.kill()
        self.assertIn("SIGABRT", broker.fallen()["fell"][0])

    def test_a_crash_while_it_starts_is_no_refusal(self):
        broker = self.broker("kill -SEGV $$")
        self.assertFalse(broker.start())
        self.assertIn("SIGSEGV", broker.fallen()["fell"][0])
        refuses = self.broker("exit 1")
        self.assertFalse(refuses.start())
        self.assertEqual(refuses.fallen(), {})

    def test_a_crash_is_kept_over_later_starts(self):
        broker = self.broker(READY, "kill -SEGV $$")
        self.assertTrue(broker.start())
        self.wait_for_end(broker)
        broker.process.stdout.close()
        self.broker("exit 1")
        self.assertFalse(broker.start())
        self.assertIn("SIGSEGV", broker.fallen()["fell"][0])

    def test_an_end_that_does_not_come(self):
        broker = self.broker("trap '' TERM", READY, FOR_EVER)
        self.assertTrue(broker.start())
        self.assertIsNone(broker.stop(seconds=0.5))
        self.assertEqual(broker.process.returncode, -signal.SIGKILL)
        self.assertIn("did not end", broker.fallen()["fell"][0])

    def test_the_code_of_an_end_is_told(self):
        broker = self.broker("trap 'exit 3' TERM", READY, FOR_EVER)
        self.assertTrue(broker.start())
        self.assertEqual(broker.stop(), 3)


class Seen(unittest.TestCase):
    def test_half_a_line_is_none(self):
        with tempfile.TemporaryDirectory() as folder:
            worker = load.Worker.__new__(load.Worker)
            worker.log = pathlib.Path(folder) / "history.log"
            worker.log.write_text("A 0 0 0 0\nA 0 1 1")
            self.assertEqual(len(worker.seen().acknowledged), 1)


class Alive:
    @staticmethod
    def poll():
        return None


class Work(unittest.TestCase):
    """Of a load whose counters are written here."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.worker = load.Worker.__new__(load.Worker)
        self.worker.status, self.worker.process = pathlib.Path(folder.name) / "status", Alive
        self.asked = 0

    def go_on(self, but=None):
        """Counters grow each time that they are looked at, but one of them."""
        def counters():
            self.asked += 1
            return load.Counters(*(0 if field == but else 1000 * self.asked for field in load.Counters._fields))
        self.worker.counters = counters

    def test_counters_are_those_of_the_worker(self):
        self.worker.status.write_bytes(load.COUNTERS.pack(1, 2, 3, 4, 5, 6))
        self.assertEqual(self.worker.counters(), (1, 2, 3, 4, 5, 6))
        self.assertEqual(self.worker.counters().asked, 6)

    def test_all_of_it_goes_on(self):
        self.go_on()
        self.worker.wait_for_acknowledgements(100, seconds=0.2)
        self.worker.wait_for_work(seconds=0.2)

    def test_whoever_stands_still_is_named(self):
        for what, _, rule in load.WORK:
            self.go_on(but=what)
            with self.assertRaises(load.Stuck) as raised:
                self.worker.wait_for_work(seconds=0.05)
            self.assertEqual(load.rule_of(raised.exception), rule)
        self.go_on(but="acknowledged")
        with self.assertRaises(load.Stuck) as raised:
            self.worker.wait_for_acknowledgements(100, seconds=0.05)
        self.assertEqual(load.rule_of(raised.exception), "stuck")


class Mutants(unittest.TestCase):
    def test_a_standstill_finds_none(self):
        for rule in ("broken", "incomplete", "fell", "stuck", "behind", "reader stuck", "marks stuck", "commits stuck", "offsets stuck"):
            self.assertFalse(load.caught({rule: ["it"]}), rule)
        self.assertFalse(load.caught({}))

    def test_what_was_lost_does(self):
        self.assertTrue(load.caught({"stuck": ["it"], "lost": ["one"]}))
        self.assertTrue(load.caught({"given up": ["history-0"]}))

    def test_it_finds_those_whose_sign_it_is(self):
        self.assertTrue(load.caught({"stuck": ["it"]}, by=("stuck",)))
        self.assertFalse(load.caught({"broken": ["it"]}, by=("stuck",)))


class Said(unittest.TestCase):
    def test_partitions_that_are_out_of_service(self):
        said = ('level=error event="partition offline" partition=history-0 why="it"\n'
                'level=error event="partition not opened" partition=history-1 why="it"\n'
                'level=info event="partition opened at last" partition=history-1 \n'
                'level=error event="partition not opened" partition=late-0 why="it"\n')
        self.assertEqual(load.given_up(said), ["history-0"])

    def test_only_from_where_it_began(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "log"
            self.assertEqual(load.Said(path).begin, 0)
            path.write_text("before\n")
            said = load.Said(path)
            with open(path, "a") as log:
                log.write("after\n")
            self.assertEqual(said.text(), "after\n")


if __name__ == "__main__":
    unittest.main()
