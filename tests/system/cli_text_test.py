#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What passes through the command line as it is: names that are no text or look like lists, and settings of a --config file.

usage: cli_text_test.py LEAT [TEST...]
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cli_test  # noqa: E402
import own_node  # noqa: E402
from cli_test import leat, leat_json, records  # noqa: E402


class Names(unittest.TestCase):
    def test_of_headers_that_are_no_text_are_copied(self):
        topics = ["headers", "headers-copy"]
        for topic in topics:
            leat("topic", "create", topic)
        headers = [{"name_base64": "/2E=", "value": "1"}, {"name": "h", "value_base64": "/w=="}]
        leat("produce", topics[0], "--json", stdin=json.dumps({"value": "v", "headers": headers}) + "\n")
        out, _ = leat("consume", topics[0], "--from", "beginning", "--until-end", "--output", "json")
        leat("produce", topics[1], "--json", stdin=out)
        self.assertEqual([r["headers"] for topic in topics for r in records(topic)], [headers] * 2)

    def test_of_groups_in_brackets_are_no_lists(self):
        leat("topic", "create", "brackets")
        for group in ("[billing]", "[a,b]"):
            leat("group", "reset", group, "--topic", "brackets", "--to", "end", "--yes")
            self.assertEqual(leat_json("group", "delete", group, "--yes")["deleted"], [group])

    def test_of_groups_that_are_no_text_leave_the_document_valid(self):
        leat("topic", "create", "bytes")

        def said(*words):
            return subprocess.run([cli_test.LEAT, "group", *words, "-b", cli_test.BOOTSTRAP, "--output", "json"], stdin=subprocess.DEVNULL,
                                  capture_output=True, check=True, timeout=60).stdout.decode()

        group = os.fsdecode(b"torn-\xff")
        moved = json.loads(said("reset", group, "--topic", "bytes", "--to", "end", "--yes"))
        self.assertEqual(moved["group"], "torn-\ufffd")
        self.assertIn("torn-\ufffd", [g["group"] for g in json.loads(said("list"))["groups"]])
        self.assertEqual(json.loads(said("delete", group, "--yes"))["deleted"], ["torn-\ufffd"])


class ConfigFile(unittest.TestCase):
    def file(self, *settings):
        file = tempfile.NamedTemporaryFile("w", suffix=".properties")
        self.addCleanup(file.close)
        file.write("".join(one + "\n" for one in settings))
        file.flush()
        return "--config", file.name

    def test_does_not_move_an_offset_that_the_line_names(self):
        leat("topic", "create", "offsets")
        leat("produce", "offsets", stdin="a\n")
        for more in ((), self.file("auto.offset.reset=earliest")):
            self.assertIn("OFFSET_OUT_OF_RANGE", leat("consume", "offsets", "--from", "5", "--until-end", *more, code=1)[1])
        self.assertEqual(leat("consume", "offsets", "--until-end", *more)[0], "a\n")

    def test_is_what_benchmarks_report(self):
        file = self.file("request.required.acks=1", "linger.ms=7", "compression.type=lz4")
        sent = leat_json("bench", "produce", "--topic", "bench", "--records", "100", *file)
        self.assertEqual([sent[name] for name in ("acks", "linger_ms", "compression", "idempotent")], ["1", 7, "lz4", False])
        got = leat_json("bench", "latency", "--topic", "latency", "--rate", "100", "--seconds", "1", "--warm-up", "0", "--linger-ms", "1", *file)
        self.assertEqual([got[name] for name in ("acks", "linger_ms", "compression")], ["1", 1, "lz4"])


if __name__ == "__main__":
    sys.exit(0 if own_node.run(sys.argv[1]) else 1)
