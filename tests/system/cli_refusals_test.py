#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Commands that administer, asked for what cannot be: they say so, and change nothing or tell what they have changed.

usage: cli_refusals_test.py LEAT [TEST...]
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "interop"), str(pathlib.Path(__file__).resolve().parent)]
import cli_shapes  # noqa: E402
import cli_test  # noqa: E402
import own_node  # noqa: E402
import rights_cli_test  # noqa: E402
import secure_test  # noqa: E402
from cli_test import leat, leat_json  # noqa: E402


def said(*words, code=1, **more):
    return leat(*words, code=code, **more)[1]


def described(topic):
    return leat_json("topic", "describe", topic)["topics"][0]


class Alter(unittest.TestCase):
    def setUp(self):
        self.topic = self.id().rpartition(".")[2]
        leat("topic", "create", self.topic, "--partitions", "2")
        leat("produce", self.topic, "--partition", "0", stdin="a\nb\nc\n")

    def starts(self):
        return [p["start_offset"] for p in described(self.topic)["partitions"]]

    def test_one_refusal_keeps_all_else_from_being_done(self):
        for bad in (("--set", "retention.ms=abc"), ("--unset", "foo")):
            err = said("topic", "alter", self.topic, *bad, "--partitions", "7", "--delete-before", "end", "--yes")
            self.assertIn("INVALID_CONFIG", err)
            self.assertIn("nothing was altered", err)
        err = said("topic", "alter", self.topic, "--set", "retention.ms=5000000", "--partitions", "1", "--delete-before", "end", "--yes")
        self.assertIn("INVALID_PARTITIONS", err)
        err = said("topic", "alter", self.topic, "--set", "retention.ms=5000000", "--delete-before", "4", "--yes")
        self.assertIn("OFFSET_OUT_OF_RANGE", err)
        self.assertEqual((described(self.topic)["partition_count"], described(self.topic)["settings"], self.starts()), (2, [], [0, 0]))
        document = leat_json("topic", "alter", self.topic, "--set", "retention.ms=abc", "--partitions", "7", code=1)
        self.assertEqual((document["done"], [f["error"] for f in document["failed"]]), ([], ["INVALID_CONFIG"]))

    def test_all_of_it_is_done(self):
        document = leat_json("topic", "alter", self.topic, "--set", "retention.ms=5000000", "--partitions", "3", "--delete-before", "end",
                             "--yes")
        self.assertEqual((document["done"], document["failed"]), (["settings", "partitions", "records"], []))
        self.assertEqual((described(self.topic)["partition_count"], self.starts()), (3, [3, 0, 0]))

    def test_what_was_done_before_a_failure_is_told(self):
        # Which records may be deleted is told by cleanup.policy, which only the deletion itself asks.
        leat("config", "alter", "topic", self.topic, "--set", "cleanup.policy=compact")
        words = ("topic", "alter", self.topic, "--set", "retention.ms=5000000", "--delete-before", "end", "--partition", "0", "--yes")
        document = leat_json(*words, code=1)
        self.assertEqual((document["done"], document["deleted_before"]), (["settings"], []))
        self.assertEqual([f["error"] for f in document["failed"]], ["POLICY_VIOLATION"])
        self.assertIn("altered before that, and left so: settings", said(*words))

    def test_partition_that_does_not_exist_is_named(self):
        err = said("topic", "alter", self.topic, "--delete-before", "1", "--partition", "0", "--partition", "9", "--yes")
        self.assertIn(f"'{self.topic}-9'", err)
        self.assertIn("UNKNOWN_TOPIC_OR_PARTITION", err)
        self.assertEqual(self.starts(), [0, 0])

    def test_dry_run_looks_at_the_offset_to_delete_before(self):
        self.assertIn("OFFSET_OUT_OF_RANGE", said("topic", "alter", self.topic, "--delete-before", "9999", "--dry-run"))
        leat("topic", "alter", self.topic, "--delete-before", "3", "--partition", "0", "--dry-run")
        self.assertEqual(self.starts(), [0, 0])


class Reset(unittest.TestCase):
    def setUp(self):
        self.topic = self.id().rpartition(".")[2]
        leat("topic", "create", self.topic, "--partitions", "2")
        leat("produce", self.topic, "--partition", "0", stdin="a\nb\nc\n")

    def test_shift_needs_a_committed_offset(self):
        err = said("group", "reset", "g-shift", "--topic", self.topic, "--shift-by", "-1", "--yes")
        self.assertIn(f"nothing is committed to {self.topic}-0", err)
        self.assertEqual(leat_json("group", "list")["groups"], [g for g in leat_json("group", "list")["groups"] if g["group"] != "g-shift"])
        leat("group", "reset", "g-shift", "--topic", self.topic, "--to", "end", "--yes")
        plan = leat_json("group", "reset", "g-shift", "--topic", self.topic + ":0", "--shift-by", "-1", "--yes")
        self.assertEqual([p["new_offset"] for p in plan["partitions"]], [2])

    def test_topics_that_overlap_are_taken_once(self):
        for topics in ((self.topic, self.topic + ":1"), (self.topic + ":1", self.topic), (self.topic, self.topic)):
            words = [word for one in topics for word in ("--topic", one)]
            plan = leat_json("group", "reset", "g-union", *words, "--to", "beginning", "--yes")
            self.assertEqual(sorted(p["partition"] for p in plan["partitions"]), [0, 1])

    def test_offset_outside_of_the_log_is_told(self):
        err = said("group", "reset", "g-far", "--topic", self.topic + ":0", "--to", "500", "--yes", code=0)
        self.assertIn(f"offset 500 lies behind the end of {self.topic}-0", err)
        self.assertNotIn("lies", said("group", "reset", "g-far", "--topic", self.topic + ":0", "--to", "2", "--yes", code=0))

    def test_group_that_has_committed_nothing_is_a_failure_as_for_streams(self):
        self.assertIn("has committed nothing yet", said("group", "reset", "g-none", "--to", "end", "--yes"))
        self.assertIn("no positions", said("stream", "reset", "g-none", "--yes"))

    def test_file_without_offsets_deletes_no_state(self):
        leat("topic", "create", "app-counts-changelog")
        leat("group", "reset", "app", "--topic", self.topic, "--to", "end", "--yes")
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            reset = ("stream", "reset", "app", "--from-file", file.name)
            self.assertIn("names no partition", said(*reset, "--yes", code=2))
            file.write(f"{self.topic},1,0\n")
            file.flush()
            out, err = leat(*reset, "--dry-run")
            self.assertIn("INTERNAL TOPIC TO DELETE", out)
            self.assertIn(f"does not name, and so leaves as they are: {self.topic}-0\n", err)
            described("app-counts-changelog")
            out, _ = leat(*reset, "--yes")
            self.assertIn("INTERNAL TOPIC DELETED", out)

    def test_dry_run_says_that_the_group_has_members(self):
        group = "g-members"
        file = tempfile.NamedTemporaryFile("w", suffix=".properties")
        self.addCleanup(file.close)
        file.write("group.instance.id=here-1\n")
        file.flush()
        member = subprocess.Popen([cli_test.LEAT, "consume", self.topic, "--group", group, "-b", cli_test.BOOTSTRAP, "--config", file.name],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while not any(g["group"] == group and g["state"] == "Stable" for g in leat_json("group", "list")["groups"]):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.1)
            self.assertIn("NON_EMPTY_GROUP", said("group", "reset", group, "--topic", self.topic, "--to", "end", "--dry-run"))
            # What --instance of remove-members takes.
            self.assertRegex(leat("group", "describe", group)[0], r"MEMBER +INSTANCE +CLIENT[^\n]*\n\S+ +here-1 +leat ")
        finally:
            member.send_signal(signal.SIGTERM)
            member.wait(timeout=30)
        leat("group", "remove-members", group, "--all", "--yes")
        leat("group", "reset", group, "--topic", self.topic, "--to", "end", "--dry-run")


class Quotas(unittest.TestCase):
    def test_numbers_are_finite(self):
        for value in ("inf", "-inf", "nan"):
            said("quota", "set", "--user", "a", "--set", "request_percentage=" + value, code=2)
        self.assertEqual(leat_json("quota", "list", "--user", "a")["quotas"], [])

    def test_contradictions_are_refused(self):
        self.assertIn("--default user", said("quota", "set", "--user", "b", "--default", "user", "--set", "producer_byte_rate=1", code=2))
        for more in (("--set", "producer_byte_rate=2"), ("--unset", "producer_byte_rate")):
            self.assertIn("twice", said("quota", "set", "--user", "b", "--set", "producer_byte_rate=1", *more, code=2))
        self.assertEqual(leat_json("quota", "list")["quotas"], [])


class Names(unittest.TestCase):
    def test_settings_that_are_none_are_told(self):
        leat("topic", "create", "names")
        self.assertIn("there is no setting 'foo'", said("config", "describe", "topic", "names", "--only", "foo"))
        self.assertIn("there is no setting 'foo'", said("config", "alter", "topic", "names", "--unset", "foo"))
        leat("config", "describe", "topic", "names", "--only", "retention.ms")
        leat("config", "alter", "topic", "names", "--unset", "retention.ms")
        leat("config", "alter", "broker", "default", "--unset", "log.retention.ms")
        leat("config", "alter", "broker", "1", "--unset", "log.retention.ms")
        leat("config", "describe", "broker", "default", "--only", "log.retention.ms")

    def test_what_is_not_shown_is_told_as_it_is(self):
        leat("topic", "create", "plain")
        self.assertIn("every setting has its default; --all", said("config", "describe", "topic", "plain", code=0))
        # The node was started with --set.
        self.assertIn("but by the broker's file or command line; --all", said("config", "describe", "broker", "1", code=0))
        for more in ((), ("--all",)):
            self.assertIn("nothing is set of broker 'default'", said("config", "describe", "broker", "default", *more, code=0))
            self.assertIn("there is no subscription client-metrics 'none'", said("config", "describe", "client-metrics", "none", *more, code=0))
        leat("config", "alter", "client-metrics", "some", "--set", "interval.ms=5000")
        self.assertEqual(said("config", "describe", "client-metrics", "some", code=0), "")
        leat("config", "alter", "client-metrics", "some", "--unset", "interval.ms")

    def test_topics_of_the_cluster_are_deleted_by_name_and_switch_only(self):
        leat("topic", "create", "some")
        leat("group", "reset", "g-internal", "--topic", "some", "--to", "end", "--yes")
        self.assertIn("--internal", said("topic", "delete", "some", "__consumer_offsets", "--yes", code=2))
        described("some")
        leat("group", "describe", "g-internal")

    def test_nobody_is_told_as_such(self):
        self.assertIn("no users with SCRAM credentials on", said("user", "list", code=0))
        self.assertEqual(leat_json("user", "list")["users"], [])

    def test_topic_to_look_for_hanging_transactions_in_must_exist(self):
        self.assertIn("there is no topic 'nada'", said("txn", "find-hanging", "--topic", "nada"))
        leat("topic", "create", "something")
        leat("txn", "find-hanging", "--topic", "something")


class Lost(unittest.TestCase):
    def test_metadata_that_is_missing_is_not_made_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder, "d")
            server, _ = cli_test.serve(str(data))
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)
            server.stdout.close()
            for file in data.glob("metadata.db*"):
                file.unlink()
            before = sorted(os.listdir(data))
            for words in (["serve", "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"], ["user", "list"]):
                done = subprocess.run([cli_test.LEAT, *words, "--data", str(data)], capture_output=True, text=True, timeout=60)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("metadata.db is missing", done.stderr)
                self.assertEqual(sorted(os.listdir(data)), before)


class Rights(rights_cli_test.Commands):
    def test_topic_is_described_to_who_may_not_read_its_settings(self):
        for topic in ("seen", "hidden"):
            self.leat("topic", "create", topic, "--partitions", "2", "--set", "retention.ms=5000000")
        self.leat("acl", "add", "--principal", "User:ann", "--operation", "describe", "--topic", "seen")
        told = self.json("topic", "describe", "seen", by="ann")["topics"]
        self.assertEqual([(len(t["partitions"]), t["partitions"][0]["end_offset"], t["settings"]) for t in told], [(2, 0, None)])
        done = self.leat("topic", "describe", "hidden", "seen", by="ann", code=1)
        self.assertIn("seen", done.stdout)
        self.assertIn("you may not read the settings of topic 'seen'", done.stderr)
        self.assertIn("cannot describe topic 'hidden'", done.stderr)
        self.assertTrue(self.json("topic", "describe", "seen")["topics"][0]["settings"])


if __name__ == "__main__":
    secure_test.LEAT = sys.argv[1]
    sys.exit(0 if own_node.run(sys.argv[1]) else 1)
