#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real `leat` against a real broker: every client command, its exit code, its JSON.

usage: cli_test.py LEAT [--bootstrap HOST:PORT]

Without --bootstrap it starts `LEAT serve` on a free port with a data directory of its own. With it, the same
checks run against whatever Kafka listens there. Topics and groups have names of this run.
"""
import argparse
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cli_shapes  # noqa: E402

LEAT = ""
BOOTSTRAP = ""
IS_OURS = True  # The broker is the one that was started here.
RUN = f"cli-{os.getpid()}-{int(time.time())}"
# For records with times long past: retention goes by those, and its first round may come at once.
KEPT = ("--set", "retention.ms=-1")


def leat(*arguments, stdin=None, code=0):
    """Runs a command; returns (stdout, stderr) after checking the exit code."""
    done = subprocess.run([LEAT, *arguments], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, env={**os.environ, "LEAT_BOOTSTRAP": BOOTSTRAP})
    if done.returncode != code:
        raise AssertionError(f"leat {' '.join(arguments)}: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def leat_json(*arguments, **more):
    """The document, which is as the reference has it."""
    return cli_shapes.check(cli_shapes.command_of(arguments), json.loads(leat(*arguments, "--output", "json", **more)[0]))


def records(*arguments):
    out, _ = leat("consume", *arguments, "--from", "beginning", "--until-end", "--output", "json")
    return [cli_shapes.check("consume", json.loads(line)) for line in out.splitlines()]


class Topics(unittest.TestCase):
    def test_live_from_creation_to_deletion(self):
        topic = f"{RUN}-life"
        created = leat_json("topic", "create", topic, "--partitions", "3", "--set", "retention.ms=1000000")
        self.assertEqual([(t["name"], t["partitions"]) for t in created["created"]], [(topic, 3)])
        self.assertIn(topic, [t["name"] for t in leat_json("topic", "list")["topics"]])
        described = leat_json("topic", "describe", topic)["topics"][0]
        self.assertEqual(len(described["partitions"]), 3)
        self.assertEqual(described["id"], created["created"][0]["id"])
        self.assertIn(("retention.ms", "1000000"), [(s["name"], s["value"]) for s in described["settings"]])
        leat_json("topic", "alter", topic, "--partitions", "5", "--unset", "retention.ms")
        described = leat_json("topic", "describe", topic)["topics"][0]
        self.assertEqual(described["partition_count"], 5)
        self.assertNotIn("retention.ms", [s["name"] for s in described["settings"]])
        self.assertEqual(leat_json("topic", "delete", topic, "--yes")["deleted"], [topic])
        leat("topic", "describe", topic, code=1)

    def test_that_exist_are_refused_with_advice(self):
        topic = f"{RUN}-twice"
        leat("topic", "create", topic)
        _, err = leat("topic", "create", topic, code=1)
        self.assertIn("TOPIC_ALREADY_EXISTS", err)
        self.assertIn(f"cannot create topic '{topic}' on {BOOTSTRAP}", err)
        failed = leat_json("topic", "create", topic, code=1)["failed"]
        self.assertEqual([(f["name"], f["error"]) for f in failed], [(topic, "TOPIC_ALREADY_EXISTS")])
        self.assertIn("next: ", err)
        leat("topic", "create", topic, "--if-not-exists")

    def test_are_not_deleted_without_consent(self):
        topic = f"{RUN}-kept"
        leat("topic", "create", topic)
        _, err = leat("topic", "delete", topic, code=2)
        self.assertIn("--yes", err)
        leat("topic", "describe", topic)

    def test_refuse_bad_names_settings_and_counts(self):
        leat("topic", "create", "no/slash", code=1)
        leat("topic", "create", f"{RUN}-bad", "--set", "no.such.setting=1", code=1)
        leat("topic", "create", f"{RUN}-bad", "--set", "retention.ms=soon", code=1)
        leat("topic", "create", f"{RUN}-bad", "--replication-factor", "9", code=1)
        topic = f"{RUN}-shrink"
        leat("topic", "create", topic, "--partitions", "2")
        _, err = leat("topic", "alter", topic, "--partitions", "1", code=1)
        self.assertIn("INVALID_PARTITIONS", err)

    def test_dry_run_changes_nothing(self):
        topic = f"{RUN}-dry"
        leat("topic", "create", topic, "--dry-run")
        leat("topic", "describe", topic, code=1)

    def test_records_can_be_deleted_up_to_an_offset(self):
        topic = f"{RUN}-trim"
        leat("topic", "create", topic)
        leat("produce", topic, stdin="a\nb\nc\n")
        altered = leat_json("topic", "alter", topic, "--delete-before", "2", "--yes")
        self.assertEqual(altered["deleted_before"], [{"partition": 0, "start_offset": 2}])
        self.assertEqual([r["value"] for r in records(topic)], ["c"])
        self.assertEqual(leat_json("topic", "describe", topic)["topics"][0]["partitions"][0]["start_offset"], 2)


class Settings(unittest.TestCase):
    def test_of_a_topic_are_changed_and_put_back(self):
        topic = f"{RUN}-settings"
        leat("topic", "create", topic)
        leat("config", "alter", "topic", topic, "--set", "max.message.bytes=2000", "--set", "cleanup.policy=compact")
        leat("config", "alter", "topic", topic, "--append", "cleanup.policy=delete")
        found = {s["name"]: s for s in leat_json("config", "describe", "topic", topic)["settings"]}
        self.assertEqual((found["max.message.bytes"]["value"], found["max.message.bytes"]["source"]), ("2000", "topic"))
        self.assertEqual(found["cleanup.policy"]["value"], "compact,delete")
        self.assertEqual(leat_json("config", "alter", "topic", topic, "--unset", "max.message.bytes")["failed"], [])
        found = {s["name"]: s for s in leat_json("config", "describe", "topic", topic, "--all")["settings"]}
        self.assertEqual(found["max.message.bytes"]["source"], "default")
        _, err = leat("config", "alter", "topic", topic, "--set", "cleanup.polcy=compact", code=1)
        self.assertIn("INVALID_CONFIG", err)

    def test_of_a_broker_are_shown(self):
        broker = str(leat_json("cluster", "brokers")["brokers"][0]["id"])
        all_settings = leat_json("config", "describe", "broker", broker, "--all")["settings"]
        self.assertGreater(len(all_settings), 50)
        leat("config", "describe", "broker", "first", code=2)

    def test_of_client_metrics_come_and_go(self):
        name = f"{RUN}-metrics"
        leat("config", "alter", "client-metrics", name, "--set", "interval.ms=5000", "--set", "metrics=org.apache.kafka.consumer.")
        self.assertIn({"kind": "client-metrics", "name": name}, leat_json("config", "list", "client-metrics")["resources"])
        found = {s["name"]: (s["value"], s["source"]) for s in leat_json("config", "describe", "client-metrics", name)["settings"]}
        self.assertEqual(found, {"interval.ms": ("5000", "client-metrics"), "metrics": ("org.apache.kafka.consumer.", "client-metrics")})
        self.assertIn("interval", leat("config", "alter", "client-metrics", name, "--set", "interval.ms=1", code=1)[1])
        leat("config", "alter", "client-metrics", name, "--unset", "interval.ms", "--unset", "metrics")
        self.assertNotIn(name, [one["name"] for one in leat_json("config", "list", "client-metrics")["resources"]])

    def test_of_loggers_are_levels(self):
        broker = str(leat_json("cluster", "brokers")["brokers"][0]["id"])
        loggers = {s["name"]: s for s in leat_json("config", "describe", "broker-logger", broker)["settings"]}
        name = sorted(loggers)[0]
        self.assertEqual(loggers[name]["source"], "broker-logger")
        leat("config", "alter", "broker-logger", broker, "--set", f"{name}=ERROR")
        found = {s["name"]: s["value"] for s in leat_json("config", "describe", "broker-logger", broker, "--only", name)["settings"]}
        self.assertEqual(found, {name: "ERROR"})
        leat("config", "alter", "broker-logger", broker, "--set", f"{name}={loggers[name]['value']}")
        leat("config", "alter", "broker-logger", broker, "--set", f"{name}=LOUD", code=1)
        leat("config", "describe", "broker-logger", "default", code=2)

    def test_are_listed_by_what_they_belong_to(self):
        topic = f"{RUN}-listed"
        leat("topic", "create", topic)
        self.assertIn({"kind": "topic", "name": topic}, leat_json("config", "list", "topic")["resources"])


class Records(unittest.TestCase):
    def test_come_back_as_sent(self):
        topic = f"{RUN}-round"
        leat("topic", "create", topic, "--partitions", "2", *KEPT)
        lines = [{"key": "k\u00e4", "value": "v", "headers": [{"name": "h", "value": "1"}, {"name": "n", "value": None}], "partition": 1, "timestamp": 1000},
                 {"key": None, "value": None, "headers": [], "partition": 1, "timestamp": 2000},
                 {"key": "", "value_base64": "/w==", "headers": [], "partition": 1, "timestamp": 3000}]
        leat("produce", topic, "--json", stdin="".join(json.dumps(line) + "\n" for line in lines))
        got = records(topic)
        keep = ("key", "value", "value_base64", "headers", "partition", "timestamp")
        self.assertEqual([{k: r[k] for k in keep if k in r} for r in got], [{k: line[k] for k in keep if k in line} for line in lines])
        self.assertEqual([r["offset"] for r in got], [0, 1, 2])

    def test_are_found_by_place(self):
        topic = f"{RUN}-places"
        leat("topic", "create", topic, *KEPT)
        leat("produce", topic, "--json", stdin="".join(json.dumps({"value": str(i), "timestamp": 1000 * i}) + "\n" for i in range(1, 6)))

        def read(*place):
            return leat("consume", topic, "--until-end", *place)[0].split()

        self.assertEqual(read("--from", "beginning"), ["1", "2", "3", "4", "5"])
        self.assertEqual(read("--from", "3"), ["4", "5"])
        self.assertEqual(read("--from", "-2"), ["4", "5"])
        self.assertEqual(read("--from", "@2500"), ["3", "4", "5"])
        self.assertEqual(read("--from", "1970-01-01T00:00:04Z"), ["4", "5"])
        self.assertEqual(read("--from", "end"), [])
        self.assertEqual(read("--from", "beginning", "--count", "2"), ["1", "2"])
        self.assertEqual(read("--from", "beginning", "--format", "%o:%v "), ["0:1", "1:2", "2:3", "3:4", "4:5"])
        leat("consume", topic, "--partition", "7", "--until-end", code=1)
        leat("consume", topic, "--from", "soon", "--until-end", code=2)

    def test_are_compressed_with_every_codec(self):
        topic = f"{RUN}-codecs"
        leat("topic", "create", topic)
        text = "".join(f"line {i} of a text that repeats itself\n" for i in range(2000))
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            done = leat_json("produce", topic, "--compression", codec, "--idempotent", stdin=text)
            self.assertEqual((done["acknowledged"], done["failed"]), (2000, 0))
        self.assertEqual(leat("consume", topic, "--from", "beginning", "--until-end")[0], text * 5)

    def test_above_a_megabyte_go_where_the_topic_takes_them(self):
        topic = f"{RUN}-megabytes"
        leat("topic", "create", topic, "--set", "max.message.bytes=4000000")
        leat("produce", topic, stdin="x" * 3_000_000 + "\n")
        self.assertEqual([len(r["value"]) for r in records(topic)], [3_000_000])

    def test_without_a_value_or_with_a_time_that_cannot_be_sent_are_named(self):
        topic = f"{RUN}-no-value"
        leat("topic", "create", topic, *KEPT)
        lines = ['{"value":null}', "{}", '{"key":"k","vlaue":"a"}', '{"value":"a","timestamp":0}', '{"value":"a","timestamp":-5}']
        _, err = leat("produce", topic, "--json", stdin="\n".join(lines), code=1)
        for line in (2, 3, 4, 5):
            self.assertIn(f"leat: line {line} was not acknowledged: MALFORMED", err)
        self.assertEqual([r["value"] for r in records(topic)], [None])

    def test_of_a_partition_named_twice_come_once(self):
        topic = f"{RUN}-same"
        leat("topic", "create", topic)
        leat("produce", topic, stdin="a\n")
        self.assertEqual(leat("consume", topic, "--partition", "0", "--partition", "0", "--from", "beginning", "--until-end")[0], "a\n")

    def test_are_read_as_the_file_says_unless_the_line_does(self):
        topic = f"{RUN}-file"
        leat("topic", "create", topic)
        leat("produce", topic, stdin="a\n")
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write(f"auto.offset.reset=earliest\ngroup.id={topic}\n")
            file.flush()
            read = ("consume", topic, "--until-end", "--config", file.name)
            self.assertEqual(leat(*read, "--partition", "0")[0], "a\n")
            self.assertEqual(leat(*read, "--from", "end", "--group", f"{topic}-2")[0], "")
            self.assertEqual((leat(*read)[0], leat(*read)[0]), ("a\n", ""))
        self.assertEqual(leat_json("group", "describe", topic)["total_lag"], 0)

    def test_cannot_come_from_an_input_that_is_closed(self):
        topic = f"{RUN}-closed"
        leat("topic", "create", topic)
        done = subprocess.run(["sh", "-c", '"$0" produce "$1" <&-', LEAT, topic], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "LEAT_BOOTSTRAP": BOOTSTRAP})
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot read the input: Bad file descriptor", done.stderr)

    def test_that_are_too_large_fail_loudly_and_the_others_arrive(self):
        topic = f"{RUN}-large"
        leat("topic", "create", topic, "--set", "max.message.bytes=1000")
        out, err = leat("produce", topic, "--output", "json", stdin="small\n" + "x" * 5000 + "\n", code=1)
        done = cli_shapes.check("produce", json.loads(out))
        self.assertEqual((done["sent"], done["acknowledged"] + done["failed"]), (2, 2))
        self.assertGreaterEqual(done["failed"], 1)
        self.assertEqual(done["failures"][-1]["error"], "MESSAGE_TOO_LARGE")
        self.assertIn("max.message.bytes", err)

    def test_of_no_topic_are_an_error_with_advice(self):
        _, err = leat("consume", f"{RUN}-nowhere", "--until-end", code=1)
        self.assertIn("UNKNOWN_TOPIC_OR_PARTITION", err)
        self.assertIn("leat topic list", err)

    def test_bad_json_names_its_line(self):
        topic = f"{RUN}-badjson"
        leat("topic", "create", topic)
        out, err = leat("produce", topic, "--json", "--output", "json", stdin='{"value":"a"}\n{nonsense\n{"value":"b"}\n', code=1)
        done = cli_shapes.check("produce", json.loads(out))
        self.assertEqual((done["acknowledged"], done["failures"][0]["line"]), (2, 2))
        self.assertIn("line 2", err)


class Groups(unittest.TestCase):
    def test_commit_lag_reset_and_go(self):
        topic, group = f"{RUN}-lag", f"{RUN}-group"
        leat("topic", "create", topic)
        leat("produce", topic, stdin="1\n2\n3\n4\n")
        self.assertEqual(leat("consume", topic, "--group", group, "--from", "beginning", "--count", "3")[0].split(), ["1", "2", "3"])
        described = leat_json("group", "describe", group)
        self.assertEqual((described["state"], described["total_lag"]), ("Empty", 1))
        self.assertEqual(leat("consume", topic, "--group", group, "--until-end")[0].split(), ["4"])
        self.assertIn(group, [g["group"] for g in leat_json("group", "list")["groups"]])
        plan = leat_json("group", "reset", group, "--to", "1", "--dry-run")["partitions"]
        self.assertEqual([(p["old_offset"], p["new_offset"]) for p in plan], [(4, 1)])
        self.assertEqual(leat_json("group", "describe", group)["total_lag"], 0)
        leat("group", "reset", group, "--shift-by", "-2", "--yes")
        self.assertEqual(leat_json("group", "describe", group)["total_lag"], 2)
        self.assertEqual(leat("consume", topic, "--group", group, "--until-end")[0].split(), ["3", "4"])
        self.assertEqual(leat_json("group", "delete", group, "--yes")["deleted"], [group])
        _, err = leat("group", "describe", group, code=1)
        self.assertIn("GROUP_ID_NOT_FOUND", err)

    def test_are_listed_by_state_and_type(self):
        topic, group = f"{RUN}-kinds", f"{RUN}-kind"
        leat("topic", "create", topic)
        leat("produce", topic, stdin="1\n")
        leat("consume", topic, "--group", group, "--from", "beginning", "--count", "1")

        def listed(*filters):
            return group in [g["group"] for g in leat_json("group", "list", *filters)["groups"]]

        self.assertTrue(listed("--state", "Empty") and listed("--type", "classic") and listed("--state", "Stable", "--state", "Empty"))
        self.assertFalse(listed("--state", "Stable") or listed("--type", "consumer") or listed("--state", "Stable", "--type", "classic"))
        leat("group", "list", "--state", "Sleepy", code=2)

    def test_lose_the_offsets_that_are_deleted(self):
        topics, group = [f"{RUN}-forget-{i}" for i in (0, 1)], f"{RUN}-forgetful"
        for topic in topics:
            leat("topic", "create", topic, "--partitions", "2")
            leat("produce", topic, "--json", stdin='{"value":"a","partition":0}\n{"value":"b","partition":1}\n')
            leat("group", "reset", group, "--topic", topic, "--to", "end", "--yes")

        def committed():
            return [(p["topic"], p["partition"]) for p in leat_json("group", "describe", group)["partitions"]]

        self.assertEqual(len(committed()), 4)
        self.assertIn("--yes", leat("group", "delete-offsets", group, "--topic", topics[0], code=2)[1])
        gone = leat_json("group", "delete-offsets", group, "--topic", f"{topics[0]}:1", "--yes")
        self.assertEqual((gone["partitions"], gone["failed"]), ([{"topic": topics[0], "partition": 1, "old_offset": 1}], []))
        self.assertEqual(committed(), [(topics[0], 0), (topics[1], 0), (topics[1], 1)])
        leat("group", "delete-offsets", group, "--topic", topics[1], "--yes")
        self.assertEqual(committed(), [(topics[0], 0)])
        self.assertIn("committed nothing", leat("group", "delete-offsets", group, "--topic", topics[1], "--yes", code=1)[1])

    def test_are_left_by_members_that_are_removed(self):
        topic, group = f"{RUN}-removed", f"{RUN}-shrinking"
        leat("topic", "create", topic)
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            # A static member: it is fenced by its removal and does not come back.
            file.write("group.instance.id=one\n")
            file.flush()
            member = subprocess.Popen([LEAT, "consume", topic, "--group", group, "-b", BOOTSTRAP, "--config", file.name],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                self.wait_for(group, "Stable")
                _, err = leat("group", "delete-offsets", group, "--topic", topic, "--yes", code=1)
                self.assertIn("committed nothing", err)
                self.assertIn("--all", leat("group", "remove-members", group, "--yes", code=2)[1])
                failed = leat_json("group", "remove-members", group, "--instance", "two", "--yes", code=1)["failed"]
                self.assertEqual([(f["name"], f["error"]) for f in failed], [("two", "UNKNOWN_MEMBER_ID")])
                removed = leat_json("group", "remove-members", group, "--instance", "one", "--yes")
                self.assertEqual((len(removed["removed"]), removed["failed"]), (1, []))
            finally:
                member.send_signal(signal.SIGINT)
                member.communicate(timeout=60)
        self.wait_for(group, "Empty")
        self.assertEqual(leat_json("group", "remove-members", group, "--all", "--yes")["removed"], [])

    def wait_for(self, group, state):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            done = subprocess.run([LEAT, "group", "describe", group, "-b", BOOTSTRAP, "--output", "json"], capture_output=True, text=True)
            if done.returncode == 0 and json.loads(done.stdout)["state"] == state:
                return
            time.sleep(0.1)
        self.fail(f"{group} is not {state}")

    def test_with_members_show_them_and_are_not_reset(self):
        topic, group = f"{RUN}-members", f"{RUN}-live"
        leat("topic", "create", topic, "--partitions", "2")
        member = subprocess.Popen([LEAT, "consume", topic, "--group", group, "-b", BOOTSTRAP], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            deadline = time.monotonic() + 60
            described = {"state": ""}
            while described["state"] != "Stable" and time.monotonic() < deadline:
                done = subprocess.run([LEAT, "group", "describe", group, "-b", BOOTSTRAP, "--output", "json"], capture_output=True, text=True)
                described = json.loads(done.stdout) if done.returncode == 0 else {"state": ""}
            self.assertEqual(described["state"], "Stable")
            self.assertEqual([m["partitions"] for m in described["members"]], [2])
            self.assertEqual([p["client_id"] for p in described["partitions"]], ["leat", "leat"])
            _, err = leat("group", "reset", group, "--to", "beginning", "--topic", topic, "--yes", code=1)
            self.assertIn("NON_EMPTY_GROUP", err)
            leat("group", "delete", group, "--yes", code=1)
        finally:
            member.send_signal(signal.SIGINT)
            _, err = member.communicate(timeout=60)
        self.assertEqual(member.returncode, 0, err)
        self.assertEqual(leat_json("group", "describe", group)["state"], "Empty")


class Cluster(unittest.TestCase):
    def test_is_healthy_and_counts_itself(self):
        status = leat_json("cluster", "status")
        self.assertTrue(status["healthy"])
        self.assertEqual(status["brokers"], 1)
        broker = leat_json("cluster", "brokers")["brokers"][0]
        self.assertTrue(broker["controller"])
        self.assertEqual(f"{broker['host']}:{broker['port']}", BOOTSTRAP)

    def test_features_are_shown_upgraded_and_downgraded(self):
        def levels():
            return {f["feature"]: f["finalized"] for f in leat_json("cluster", "features")["features"]}

        before = levels()
        self.assertEqual((before["group.version"], before["transaction.version"]), (1, 2))
        done = leat_json("cluster", "downgrade", "--feature", "transaction.version=1", "--dry-run")
        self.assertEqual(done, {"dry_run": True, "updated": [{"feature": "transaction.version", "level": 1}], "failed": []})
        self.assertEqual(levels(), before)
        leat("cluster", "downgrade", "--feature", "transaction.version=1")
        self.assertEqual(levels(), before | {"transaction.version": 1})
        leat("cluster", "upgrade", "--feature", "transaction.version=2")
        self.assertEqual(levels(), before)
        for words in (("upgrade", "--feature", "transaction.version=9"), ("upgrade", "--feature", "no.such=1"),
                      ("downgrade", "--feature", "metadata.version=1", "--unsafe", "--yes"), ("upgrade", "--feature", "group.version=0")):
            failed = leat_json("cluster", *words, code=1)["failed"]
            self.assertEqual([f["name"] for f in failed], [words[2].split("=")[0]])
            self.assertIn(failed[0]["error"], ("INVALID_UPDATE_VERSION", "FEATURE_UPDATE_FAILED", "INVALID_REQUEST"))
        leat("cluster", "upgrade", code=2)
        leat("cluster", "upgrade", "--feature", "group.version=1", "--release-version", "4.1", code=2)

    def test_features_are_brought_to_the_levels_of_a_release(self):
        if not IS_OURS:
            self.skipTest("a newer broker does not go back to this release")
        levels = lambda: {f["feature"]: f["finalized"] for f in leat_json("cluster", "features")["features"]}
        self.assertEqual((levels()["kraft.version"], levels()["eligible.leader.replicas.version"]), (0, 0))
        leat("cluster", "downgrade", "--feature", "kraft.version=0")
        done = leat_json("cluster", "upgrade", "--release-version", "4.1")
        wanted = {"metadata.version": 27, "kraft.version": 1, "transaction.version": 2, "group.version": 1, "eligible.leader.replicas.version": 1}
        self.assertEqual({u["feature"]: u["level"] for u in done["updated"]}, wanted)
        self.assertEqual(levels(), wanted)
        _, err = leat("cluster", "downgrade", "--feature", "kraft.version=0", code=1)
        self.assertIn("Can't downgrade the version of this feature.", err)
        leat("cluster", "downgrade", "--feature", "eligible.leader.replicas.version=0")
        leat("cluster", "downgrade", "--feature", "eligible.leader.replicas.version=1", code=1)

    def test_what_it_has_not_is_told_with_advice(self):
        for words, code, hint in ((("acl", "list"), "SECURITY_DISABLED", "authorizer.class.name"),
                                  (("token", "create"), "DELEGATION_TOKEN_", "token"),
                                  (("txn", "describe", f"{RUN}-nobody"), "TRANSACTIONAL_ID_NOT_FOUND", "leat txn list"),
                                  (("user", "remove", f"{RUN}-nobody", "--yes"), "RESOURCE_NOT_FOUND", "leat user list")):
            _, err = leat(*words, code=1)
            self.assertIn(code, err)
            self.assertIn(hint, err.partition("next: ")[2])

    def test_that_is_not_there_is_named_with_reason_and_advice(self):
        for command in (["topic", "list"], ["produce", "t"], ["consume", "t"]):
            _, err = leat(*command, "-b", "127.0.0.1:1", stdin="x\n", code=1)
            self.assertIn("127.0.0.1:1", err)
            self.assertIn("refused", err)
            self.assertIn("leat serve", err)


class Bench(unittest.TestCase):
    def test_finds_every_record_it_sent_and_a_missing_one(self):
        topic = f"{RUN}-bench"
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder, "sent.json")
            sent = leat_json("bench", "produce", "--topic", topic, "--records", "5000", "--partitions", "2", "--record-size", "200")
            self.assertEqual(sent["acknowledged"], 5000)
            report.write_text(json.dumps(sent))
            read = leat_json("bench", "consume", "--topic", topic, "--expect", str(report))
            self.assertTrue(read["verified"])
            self.assertEqual((read["found"], read["lost"], read["duplicated"], read["offset_gaps"]), (5000, 0, 0, 0))
            report.write_text(json.dumps({**sent, "acknowledged": 5001}))
            leat("bench", "consume", "--topic", topic, "--record-size", "200", "--expect", str(report), code=1)

    def test_latency_gets_every_record_back(self):
        got = leat_json("bench", "latency", "--topic", f"{RUN}-latency", "--rate", "500", "--seconds", "1", "--warm-up", "0")
        self.assertEqual((got["sent"], got["received"], got["duplicated"]), (500, 500, 0))
        self.assertEqual(got["end_to_end_ms"]["count"], 500)
        self.assertLessEqual(got["end_to_end_ms"]["p50"], got["end_to_end_ms"]["max"])


class Following(unittest.TestCase):
    """Readers without a group, while their topic changes."""

    def reader(self, topic, *words):
        process = subprocess.Popen([LEAT, "consume", topic, "--from", "beginning", "-b", BOOTSTRAP, *words], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_end_when_the_topic_is_deleted(self):
        topic = f"{RUN}-gone"
        leat("topic", "create", topic)
        leat("produce", topic, stdin="a\n")
        process = self.reader(topic)
        self.assertEqual(process.stdout.readline(), "a\n")
        leat("topic", "delete", topic, "--yes")
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 1, err)
        self.assertIn("UNKNOWN_TOPIC_OR_PARTITION", err)

    def test_of_a_group_end_by_a_signal_after_the_topic_was_deleted(self):
        topic = f"{RUN}-gone-for-a-group"
        leat("topic", "create", topic)
        leat("produce", topic, stdin="a\n")
        process = self.reader(topic, "--group", topic)
        self.assertEqual(process.stdout.readline(), "a\n")
        leat("topic", "delete", topic, "--yes")
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    def test_see_partitions_that_are_added(self):
        topic = f"{RUN}-grows"
        leat("topic", "create", topic)
        leat("produce", topic, stdin="a\n")
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write("metadata.max.age.ms=500\n")
            file.flush()
            process = self.reader(topic, "--count", "2", "--config", file.name)
            self.assertEqual(process.stdout.readline(), "a\n")
            leat("topic", "alter", topic, "--partitions", "2")
            leat("produce", topic, "--partition", "1", stdin="b\n")
            self.assertEqual((process.communicate(timeout=60)[0], process.returncode), ("b\n", 0))


class Interrupted(unittest.TestCase):
    def test_serve_ends_in_order_by_sighup_and_with_closed_descriptors(self):
        with tempfile.TemporaryDirectory() as folder:
            server, _ = serve(folder)
            server.send_signal(signal.SIGHUP)
            server.communicate(timeout=60)
            self.assertEqual(server.returncode, 0)
            bare = subprocess.Popen(["sh", "-c", 'exec "$0" serve --data "$1" --listen 127.0.0.1:0 --http-listen= <&- >&- 2>&-', LEAT, folder])
            try:
                links = [pathlib.Path(f"/proc/{bare.pid}/fd/{n}") for n in range(3)]
                status = pathlib.Path(f"/proc/{bare.pid}/status")
                caught = lambda: int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16)
                wait_for("it does not start", lambda: caught() >> (signal.SIGTERM - 1) & 1)
                self.assertEqual([os.readlink(link) for link in links], ["/dev/null"] * 3)
            finally:
                bare.send_signal(signal.SIGTERM)
                self.assertEqual(bare.wait(timeout=60), 0)

    def test_consume_stops_soon_when_its_broker_is_gone(self):
        for options, end in ((["--group", f"{RUN}-gone"], signal.SIGKILL), ([], signal.SIGKILL), (["--group", f"{RUN}-stuck"], signal.SIGSTOP)):
            with tempfile.TemporaryDirectory() as folder:
                server, address = serve(folder)
                try:
                    place = ("--bootstrap", address)
                    leat("topic", "create", "t", *place)
                    leat("produce", "t", *place, stdin="a\n")
                    reader = subprocess.Popen([LEAT, "consume", "t", "--from", "beginning", *place, *options], stdout=subprocess.PIPE,
                                              stderr=subprocess.DEVNULL, text=True)
                    self.assertEqual(reader.stdout.readline(), "a\n")
                    server.send_signal(end)
                    started = time.monotonic()
                    reader.send_signal(signal.SIGTERM)
                    reader.wait(timeout=60)
                    self.assertLess(time.monotonic() - started, 8)
                    reader.stdout.close()
                finally:
                    server.kill()
                    server.wait()
                    server.stdout.close()

    def test_senders_end_by_a_second_signal_when_their_broker_answers_nothing(self):
        for command in (["bench", "produce", "--topic", "t", "--seconds", "600", "--rate", "100"], ["produce", "t", "--rate", "100", "--file", "LINES"]):
            with tempfile.TemporaryDirectory() as folder:
                server, address = serve(f"{folder}/data")
                try:
                    leat("topic", "create", "t", "--bootstrap", address)
                    file = pathlib.Path(folder, "lines")
                    file.write_text("line\n" * 60_000)
                    command = [str(file) if word == "LINES" else word for word in command]
                    sender = subprocess.Popen([LEAT, *command, "--bootstrap", address], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                    with sender.stderr:
                        leat("consume", "t", "--from", "beginning", "--count", "20", "--format", "%o", "--bootstrap", address)
                        server.send_signal(signal.SIGSTOP)
                        wait_for("nothing is sent", lambda: bytes_unread(address) > 0)
                        sender.send_signal(signal.SIGINT)
                        while "waiting until" not in (line := sender.stderr.readline()):
                            self.assertNotEqual(line, "")
                        started = time.monotonic()
                        sender.send_signal(signal.SIGTERM)
                        told = sender.stderr.read()
                        self.assertIn("records", told)
                        if command[0] == "produce":
                            self.assertRegex(told, r"\([1-9][0-9]* may be stored all the same\)")
                        self.assertEqual(sender.wait(timeout=60), 1)
                        self.assertLess(time.monotonic() - started, 8)
                finally:
                    server.kill()
                    server.wait()
                    server.stdout.close()


class WithoutLeader(unittest.TestCase):
    """A topic whose partition 1 was quarantined: nobody leads it."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        server, cls.address = serve(folder.name)
        try:
            leat("topic", "create", "t", "--partitions", "2", "--bootstrap", cls.address)
            leat("produce", "t", "--json", "--bootstrap", cls.address, stdin='{"value":"a","partition":0}\n{"value":"b","partition":1}\n')
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=60)
        pathlib.Path(folder.name, "t-1", f"{0:020}.log").write_bytes(b"cut")
        server, cls.address = serve(folder.name)
        cls.addClassCleanup(server.communicate)
        cls.addClassCleanup(server.kill)

    def test_consume_until_end_reads_the_rest_names_it_and_fails(self):
        ways = (["--from", "beginning"], ["--from", "-5"], ["--from", "@0"], ["--from", "beginning", "--group", "g"])
        running = [subprocess.Popen([LEAT, "consume", "t", "--until-end", "-b", self.address, *way], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    text=True) for way in ways]
        for way, process in zip(ways, running):
            with self.subTest(way):
                try:
                    out, err = process.communicate(timeout=60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise
                self.assertEqual((process.returncode, out), (1, "a\n"), err)
                self.assertIn("partition 1 of topic 't' has no leader", err)
                self.assertIn("partitions without a leader: 1", err)
                self.assertIn("leat topic describe", err)

    def test_consume_names_it_and_goes_on(self):
        reader = subprocess.Popen([LEAT, "consume", "t", "--from", "beginning", "-b", self.address], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(reader.stdout.readline(), "a\n")
        self.assertIn("partition 1 of topic 't' has no leader", reader.stderr.readline())
        reader.send_signal(signal.SIGINT)
        self.assertEqual((reader.communicate(timeout=60)[0], reader.returncode), ("", 0))

    def sending(self, *words):
        """A process that has read three records for the partition and waits for their acknowledgement."""
        process = subprocess.Popen([LEAT, "produce", "t", "--partition", "1", "-b", self.address, *words], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stderr.close)
        process.stdin.write(b"x\ny\nz\n")
        process.stdin.flush()
        wait_for("it does not read", lambda: struct.unpack("i", fcntl.ioctl(process.stdin, termios.FIONREAD, b"\0" * 4))[0] == 0)
        process.stdin.close()
        return process

    def until_told(self, process, words):
        for line in process.stderr:
            if words in line.decode():
                return
        self.fail(f"it does not say: {words}")

    def gives_up(self, process, started, seconds):
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=60), 1, err)
        self.assertLess(time.monotonic() - started, seconds, err)
        for line in (1, 2, 3):
            self.assertIn(f"line {line} was not acknowledged: CANCELLED", err)
        self.assertNotIn("may be stored", err)
        self.assertIn("3 of 3 records for topic 't'", err)

    def test_produce_ends_by_one_sigterm_and_names_what_is_not_acknowledged(self):
        process = self.sending()
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.until_told(process, "waiting until 3 records are acknowledged")
        self.gives_up(process, started, 15)

    def test_produce_ends_by_a_second_signal_of_the_other_kind(self):
        for words in ([], ["--idempotent"]):
            process = self.sending(*words)
            process.send_signal(signal.SIGINT)
            self.until_told(process, "waiting until 3 records are acknowledged")
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            self.gives_up(process, started, 4)


class Usage(unittest.TestCase):
    def test_errors_exit_2_and_suggest(self):
        for words, hint in ((["tpoic", "list"], "'topic'"), (["topic", "crate"], "'create'"), (["topic", "list", "--ouput", "json"], "--output"),
                            (["topic", "create"], "TOPIC"), (["config", "describe", "topics", "x"], "'topic'")):
            _, err = leat(*words, code=2)
            self.assertIn(hint, err)
        for words, name in ((["completion", "powershell"], "SHELL"), (["txn", "abort", "t", "zero", "--start-offset", "1"], "PARTITION"),
                            (["topic", "list", "--output", "xml"], "--output"), (["produce", "t", "--rate", "fast"], "--rate")):
            self.assertTrue(leat(*words, code=2)[1].startswith(f"leat: {name}: "))

    def test_produce_waits_for_a_broker_as_long_as_for_a_record(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            started = time.monotonic()
            _, err = leat("produce", "t", "--timeout", "1", "-b", f"127.0.0.1:{nobody.getsockname()[1]}", stdin="x\n", code=1)
            self.assertLess(time.monotonic() - started, 8)
            self.assertIn("check that a broker listens there", err)

    def test_produce_to_an_internal_topic_says_who_writes_it(self):
        _, err = leat("produce", "__consumer_offsets", stdin="x\n", code=1)
        self.assertIn("INVALID_TOPIC_EXCEPTION", err)
        self.assertIn("brokers alone write", err)

    def test_an_empty_value_is_not_the_next_option(self):
        for words, name in ((["consume", "t", "--group=", "--until-end"], "--group"), (["topic", "list", "--bootstrap=", "--internal"], "--bootstrap"),
                            (["consume", "t", "--group", "", "--until-end"], "--group")):
            self.assertTrue(leat(*words, code=2)[1].startswith(f"leat: {name}: the value is empty"))

    def test_names_that_begin_with_a_dash_stand_behind_two(self):
        topic = f"-{RUN}"
        leat("topic", "create", "--", topic)
        leat("topic", "delete", "--yes", "--", topic)

    def test_a_login_at_a_port_without_one_is_told_alike(self):
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=a\nsasl.password=b\n")
            file.flush()
            for words in (["topic", "list"], ["consume", "t", "--until-end"], ["produce", "t"]):
                _, err = leat(*words, "--config", file.name, code=1)
                self.assertIn("ILLEGAL_SASL_STATE", err)
                self.assertIn("this port takes no login", err)

    def test_config_file_errors_name_file_and_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".properties") as file:
            file.write("# x\nno.such.client.setting=1\n")
            file.flush()
            _, err = leat("produce", "t", "--config", file.name, stdin="x\n", code=2)
            self.assertIn("no.such.client.setting", err)
            self.assertIn("line 2", err)
            _, err = leat("topic", "list", "--config", file.name + ".gone", code=2)
            self.assertIn(file.name + ".gone", err)

    def test_every_command_has_its_document_in_the_reference(self):
        commands = set(re.findall(r"^## leat (.*)$", leat("reference", "--print", "cli")[0], re.M))
        self.assertEqual(cli_shapes.commands(), commands - {"completion", "reference"})
        self.assertEqual(leat_json("version")["name"], "leat")
        for wrong in ({"name": "leat"}, {"name": "leat", "version": "1", "more": 1}, []):
            with self.assertRaises(AssertionError):
                cli_shapes.check("version", wrong)

    def test_help_and_completion_need_no_broker(self):
        for words in ([], ["--help"], ["topic"], ["topic", "create", "--help"], ["completion", "bash"], ["completion", "zsh"], ["completion", "fish"]):
            out, err = leat(*words)
            self.assertTrue(out)
            self.assertEqual(err, "")

    def test_bash_completes_commands_options_and_choices(self):
        script = leat("completion", "bash")[0]

        def complete(*words):
            program = script + f'\nCOMP_WORDS=({" ".join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; _leat; echo "${{COMPREPLY[@]}}"'
            return subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True).stdout.split()

        self.assertIn("topic", complete("leat", ""))
        self.assertEqual(complete("leat", "topic", "cr"), ["create"])
        self.assertIn("--partitions", complete("leat", "topic", "create", "--par"))
        self.assertEqual(complete("leat", "topic", "list", "--output", "j"), ["json"])


def wait_for(what, condition):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(what)
        time.sleep(0.01)


def bytes_unread(address):
    """Of what clients have sent there, what the server has not read."""
    port = f"0100007F:{int(address.split(':')[1]):04X}"
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()]
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1] == port)


def serve(folder):
    """Starts `leat serve`; returns the process and its Kafka address."""
    server = subprocess.Popen([LEAT, "serve", "--data", folder, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--output", "json",
                               "--set", "group.initial.rebalance.delay.ms=0"], stdout=subprocess.PIPE, text=True)
    line = server.stdout.readline()
    if not line:
        sys.exit(f"leat serve ended with {server.wait()} before it was ready")
    listeners = json.loads(line)["listeners"]
    return server, next(one["address"] for one in listeners if one["name"] == "PLAINTEXT")


def main():
    global LEAT, BOOTSTRAP, IS_OURS
    parser = argparse.ArgumentParser()
    parser.add_argument("leat")
    parser.add_argument("--bootstrap")
    options, rest = parser.parse_known_args()
    LEAT = options.leat
    if options.bootstrap:
        BOOTSTRAP, IS_OURS = options.bootstrap, False
        return unittest.main(argv=[sys.argv[0], *rest], exit=False, verbosity=2).result.wasSuccessful()
    with tempfile.TemporaryDirectory() as folder:
        server, BOOTSTRAP = serve(folder)
        try:
            passed = unittest.main(argv=[sys.argv[0], *rest], exit=False, verbosity=2).result.wasSuccessful()
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(timeout=60)
        if code != 0:
            print(f"leat serve ended with {code} after SIGTERM, not 0")
        return passed and code == 0


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
