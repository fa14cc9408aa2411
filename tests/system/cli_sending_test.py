#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `leat produce` and the benchmarks say of a run that was cut short, of lines that are no record, and of records that nobody
acknowledges; what `leat bench consume` takes from the report of a run.

usage: cli_sending_test.py LEAT [TEST...]
"""
import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cli_shapes  # noqa: E402
import cli_test  # noqa: E402
import own_node  # noqa: E402
from cli_test import leat, leat_json, records  # noqa: E402

LINES = 60_000


class Interrupted(unittest.TestCase):
    """By one signal, with a broker that answers: all that was sent is acknowledged, and yet it is not all."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.file = pathlib.Path(folder.name, "lines")
        cls.file.write_text("line\n" * LINES)

    def cut_short(self, topic, end, *words, **more):
        """The document and messages of a command that is ended after its first records are in the topic."""
        process = subprocess.Popen([cli_test.LEAT, *words, "-b", cli_test.BOOTSTRAP, "--output", "json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **more)
        try:
            leat("consume", topic, "--from", "beginning", "--count", "5", "--format", "%o")
            process.send_signal(end)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        self.assertEqual(process.returncode, 1, err)
        return cli_shapes.check(cli_shapes.command_of(words), json.loads(out)), err

    def test_produce_fails_and_says_how_far_it_read(self):
        for end in (signal.SIGINT, signal.SIGTERM):
            topic = f"cut-{end.name}"
            leat("topic", "create", topic)
            done, err = self.cut_short(topic, end, "produce", topic, "--file", str(self.file), "--rate", "200")
            self.assertTrue(done["interrupted"])
            self.assertEqual((done["acknowledged"], done["failed"]), (done["sent"], 0))
            self.assertLess(done["sent"], LINES)
            self.assertIn(f"interrupted: read up to line {done['sent']}\n", err)
            self.assertEqual(len(records(topic)), done["sent"])

    def test_benchmarks_fail(self):
        for words in (["bench", "produce", "--seconds", "600", "--rate", "200"], ["bench", "latency", "--seconds", "600", "--rate", "200"]):
            topic = "cut-" + words[1]
            leat("topic", "create", topic)
            done, err = self.cut_short(topic, signal.SIGINT, *words, "--topic", topic)
            self.assertTrue(done["interrupted"])
            self.assertIn(f"leat: interrupted after {done['sent']:,} records were sent", err)

    def test_what_is_typed_ends_by_it(self):
        leat("topic", "create", "typed")
        keyboard, terminal = pty.openpty()
        process = subprocess.Popen([cli_test.LEAT, "produce", "typed", "-b", cli_test.BOOTSTRAP, "--output", "json"], stdin=terminal,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            os.write(keyboard, b"hello\n")
            self.assertEqual(leat("consume", "typed", "--from", "beginning", "--count", "1")[0], "hello\n")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
            os.close(keyboard)
            os.close(terminal)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual((json.loads(out)["interrupted"], json.loads(out)["acknowledged"]), (True, 1))

    def test_is_not_what_was_read_to_its_end(self):
        leat("topic", "create", "whole")
        self.assertFalse(leat_json("produce", "whole", stdin="a\nb")["interrupted"])


class Lines(unittest.TestCase):
    def test_without_the_key_separator_are_named_and_the_others_sent(self):
        leat("topic", "create", "keys")
        out, err = leat("produce", "keys", "--key-separator", ":", "--output", "json", stdin="a:1\nb\nc:3\n", code=1)
        done = json.loads(out)
        self.assertEqual((done["acknowledged"], [f["line"] for f in done["failures"]]), (2, [2]))
        self.assertIn("leat: line 2 was not acknowledged: MALFORMED: the key separator is not in it", err)
        leat("produce", "keys", "--key-separator", ":", "--key-optional", stdin="d\ne:5\n")
        self.assertEqual([(r["key"], r["value"]) for r in records("keys")], [("a", "1"), ("c", "3"), (None, "d"), ("e", "5")])

    def test_may_have_a_tab_for_separator_by_its_escape(self):
        leat("topic", "create", "tabs")
        leat("produce", "tabs", "--key-separator", r"\t", stdin="a\tb\\tc\n")
        self.assertEqual([(r["key"], r["value"]) for r in records("tabs")], [("a", "b\\tc")])
        self.assertEqual(leat("consume", "tabs", "--from", "beginning", "--until-end", "--format", r"%k\t%v\n")[0], "a\tb\\tc\n")


class Unacknowledged(unittest.TestCase):
    def test_records_are_not_called_acknowledged(self):
        leat("topic", "create", "refused", "--set", "max.message.bytes=100")
        done = leat_json("produce", "refused", "--acks", "0", stdin="x" * 1000 + "\n")
        self.assertEqual((done["sent"], done["acknowledged"], done["failed"]), (1, None, 0))
        self.assertEqual(records("refused"), [])
        _, err = leat("produce", "refused", "--acks", "0", stdin="x\n")
        self.assertIn("1 of 1 records sent", err)
        self.assertNotIn("acknowledged", err)

    def test_records_of_a_benchmark_are_found_by_how_many_were_sent(self):
        sent = leat_json("bench", "produce", "--topic", "fast", "--records", "500", "--acks", "0")
        self.assertEqual((sent["sent"], sent["acknowledged"], sent["acknowledged_after_ms"]), (500, None, None))
        out, _ = leat("bench", "produce", "--topic", "fast-2", "--records", "500", "--acks", "0")
        self.assertIn("500 records sent in", out)
        self.assertNotIn("acknowledged", out)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json.dumps(sent))
            file.flush()
            cli_test.wait_for("not all is stored", lambda: len(records("fast")) == 500)
            self.assertTrue(leat_json("bench", "consume", "--topic", "fast", "--expect", file.name)["verified"])


class Report(unittest.TestCase):
    def test_of_a_run_tells_the_size_of_its_records(self):
        sent = leat_json("bench", "produce", "--topic", "sized", "--records", "300", "--record-size", "100")
        self.assertEqual((sent["linger_ms"], sent["batch_bytes"], sent["interrupted"]), (5, 1_000_000, False))
        with tempfile.NamedTemporaryFile("w+", suffix=".json") as file:
            file.write(json.dumps(sent))
            file.flush()
            read = ("bench", "consume", "--topic", "sized", "--expect", file.name)
            for more in ((), ("--record-size", "100")):
                got = leat_json(*read, *more)
                self.assertEqual((got["found"], got["recognised"], got["verified"], got["interrupted"]), (300, 300, True, False))
            self.assertIn("sent records of 100 bytes", leat(*read, "--record-size", "200", code=2)[1])
            for wrong in ({"record_bytes": 1}, {"record_bytes": "100"}, {"acknowledged": -1}):
                file.seek(0)
                file.truncate()
                file.write(json.dumps({**sent, **wrong}))
                file.flush()
                self.assertIn("--expect", leat(*read, code=2)[1])


if __name__ == "__main__":
    sys.exit(0 if own_node.run(sys.argv[1]) else 1)
