#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Groups of real clients against `leat serve`: rebalances, static members, offsets, through kill -9 and restart.

usage: groups_test.py LEAT [TEST...]

Consumers are kcat (librdkafka); what a client hides is asked with tests/interop/protocol.py.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from kafka_node import LeatNode  # noqa: E402
from protocol import Client, Closed  # noqa: E402

LEAT = ""
SUBSCRIPTION = b"\0\0\0\0\0\1\0\6events\xff\xff\xff\xff"


class Broker(LeatNode):
    """One broker with a folder of its own; kill() and start() keep data and port."""

    def __init__(self, **settings):
        self.place = tempfile.mkdtemp(prefix="leat-groups-")
        super().__init__(self.place, LEAT, {"leat.http.listen": ""} | {n.replace("_", "."): v for n, v in settings.items()})

    def start(self, patience=60):
        command = [self.binary, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", "--http-listen", ""]
        for name, value in self.settings.items():
            if name != "leat.http.listen":
                command += ["--set", f"{name}={value}"]
        self.log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if not found:
            raise RuntimeError((self.folder / "server.log").read_text())
        self.port = int(found[1])
        self.address = f"127.0.0.1:{self.port}"
        return self.address

    def kill(self):
        self.process.kill()
        self.process.wait(30)
        self.process.stdout.close()
        self.log.close()

    def __exit__(self, kind, *_):
        if not self.process.stdout.closed:  # Then it was not killed.
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process.stdout.close()
            self.log.close()
            if kind is None and self.process.returncode != 0:
                raise AssertionError(f"the broker ended with {self.process.returncode}: {(self.folder / 'server.log').read_text()[-4000:]}")
        shutil.rmtree(self.place)

    def client(self, name="check"):
        return Client(self.address, client_id=name)

    def leat(self, *arguments, stdin=None):
        return subprocess.run([LEAT, *arguments], input=stdin, capture_output=True, text=True, timeout=120, check=True,
                              env={**os.environ, "LEAT_BOOTSTRAP": self.address}).stdout

    def call(self, api, version, **values):
        with self.client() as client:
            return client.call(api, version, **values)

    def offsets_of(self, group):
        """{(topic, partition): offset}, once the coordinator serves."""
        for _ in range(600):
            answer = self.call("OffsetFetch", 8, groups=[{"group_id": group, "topics": None}])["groups"][0]
            if answer["error_code"] == 0:
                return {(t["name"], p["partition_index"]): p["committed_offset"] for t in answer["topics"] for p in t["partitions"]}
            if answer["error_code"] not in (14, 15, 16):
                raise AssertionError(f"OffsetFetch: {answer}")
            time.sleep(0.05)
        raise AssertionError(f"group {group} is not served")

    def group(self, name):
        return self.call("DescribeGroups", 5, groups=[name])["groups"][0]


class Consumer:
    """A consumer in a process of its own; its records and its assignments as they come."""

    def run(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.records, self.assignments, self.errors = [], [], []
        self.threads = [threading.Thread(target=self.read_records), threading.Thread(target=self.read_events)]
        for thread in self.threads:
            thread.start()

    def read_records(self):
        for line in self.process.stdout:
            self.records.append(line.strip())

    def read_events(self):
        for line in self.process.stderr:
            self.errors.append(line)
            if "rebalanced" in line and "assigned:" in line:
                self.assignments.append(frozenset(int(p) for p in re.findall(r"\[(\d+)\]", line.split("assigned:")[1])))

    @property
    def owned(self):
        return self.assignments[-1] if self.assignments else frozenset()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(30)
        for thread in self.threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()


class OwnConsumer(Consumer):
    """`leat consume`: unlike kcat it outlives its broker."""

    def __init__(self, broker, group, topic):
        self.run([LEAT, "consume", topic, "-b", broker.address, "--group", group, "--from", "beginning"])


class Kcat(Consumer):
    def __init__(self, broker, group, topic, *options):
        command = ["kcat", "-b", broker.address, "-G", group, "-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=500",
                   "-X", "auto.offset.reset=earliest", "-X", "auto.commit.interval.ms=200", "-u", "-f", "%s\n"]
        for option in options:
            command += ["-X", option]
        self.run([*command, topic])


def wait_until(what, condition, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"after {seconds} s still not so: {what}")


def shared_by(consumers, partitions):
    """Each partition has one owner, and each consumer has some."""
    parts = [c.owned for c in consumers]
    return all(parts) and sum(map(len, parts)) == partitions and frozenset().union(*parts) == frozenset(range(partitions))


class Member:
    """A member by hand, on a connection of its own."""

    def __init__(self, broker, group, instance=None):
        self.broker, self.group, self.instance = broker, group, instance
        self.client = broker.client("by-hand")
        self.member = ""

    def join(self):
        while True:
            answer = self.client.call("JoinGroup", 9, group_id=self.group, session_timeout_ms=10000, rebalance_timeout_ms=20000,
                                      member_id=self.member, group_instance_id=self.instance, protocol_type="consumer",
                                      protocols=[{"name": "range", "metadata": SUBSCRIPTION}])
            self.member = answer["member_id"]
            if answer["error_code"] != 79:
                break
        if answer["error_code"]:
            raise AssertionError(f"JoinGroup: {answer}")
        self.generation = answer["generation_id"]
        shares = [{"member_id": m["member_id"], "assignment": m["member_id"].encode()} for m in answer["members"]]
        return self.client.call("SyncGroup", 5, group_id=self.group, generation_id=self.generation, member_id=self.member,
                                group_instance_id=self.instance, protocol_type="consumer", protocol_name="range", assignments=shares)

    def beat(self):
        return self.client.call("Heartbeat", 4, group_id=self.group, generation_id=self.generation, member_id=self.member,
                                group_instance_id=self.instance)["error_code"]

    def commit(self, topic, offsets):
        answer = self.client.call("OffsetCommit", 8, group_id=self.group, generation_id_or_member_epoch=self.generation, member_id=self.member,
                                  group_instance_id=self.instance, topics=[{"name": topic, "partitions": [
                                      {"partition_index": p, "committed_offset": o, "committed_metadata": ""} for p, o in offsets.items()]}])
        return [p["error_code"] for t in answer["topics"] for p in t["partitions"]]

    def reconnect(self):
        self.client.socket.close()
        self.client = self.broker.client("by-hand")

    def close(self):
        self.client.socket.close()


class Rebalances(unittest.TestCase):
    def consumers(self, broker, count, *options):
        for i in range(count):
            one = Kcat(broker, "readers", "events", *[o.replace("%d", str(i)) for o in options])
            self.addCleanup(one.stop)
            yield one

    def test_three_share_the_work_and_two_take_over_from_one_that_is_killed(self):
        with Broker() as broker:
            broker.leat("topic", "create", "events", "--partitions", "6")
            self.check_takeover(broker, list(self.consumers(broker, 3)))

    def test_cooperative_members_too(self):
        with Broker() as broker:
            broker.leat("topic", "create", "events", "--partitions", "6")
            self.check_takeover(broker, list(self.consumers(broker, 3, "partition.assignment.strategy=cooperative-sticky")), incremental=True)

    def check_takeover(self, broker, three, incremental=False):
        sent = [f"a{i}" for i in range(300)]
        if not incremental:
            wait_until("three share", lambda: shared_by(three, 6))
        else:
            wait_until("three are members", lambda: broker.group("readers")["group_state"] == "Stable"
                       and len(broker.group("readers")["members"]) == 3)
        broker.leat("produce", "events", stdin="\n".join(sent) + "\n")
        wait_until("all is read", lambda: {r for c in three for r in c.records} >= set(sent))
        three[0].stop(signal.SIGKILL)
        more = [f"b{i}" for i in range(300)]
        broker.leat("produce", "events", stdin="\n".join(more) + "\n")
        if not incremental:
            wait_until("two share", lambda: shared_by(three[1:], 6))
        wait_until("the others read all", lambda: {r for c in three[1:] for r in c.records} >= set(more))
        described = broker.leat("topic", "describe", "events", "--output", "json")
        ends = {("events", p): int(end) for p, end in enumerate(re.findall(r'"end_offset": ?(\d+)', described)) if int(end)}
        self.assertEqual(sum(ends.values()), 600)
        wait_until("all is committed", lambda: {k: v for k, v in broker.offsets_of("readers").items() if v} == ends)
        for one in three[1:]:
            one.stop()
        wait_until("nobody is left", lambda: broker.group("readers")["group_state"] == "Empty", 15)

    def test_a_static_member_that_comes_back_disturbs_nobody(self):
        with Broker() as broker:
            broker.leat("topic", "create", "events", "--partitions", "4")
            one, two = self.consumers(broker, 2, "group.instance.id=i%d")
            wait_until("two share", lambda: shared_by([one, two], 4))
            before, rebalances = one.owned, len(two.assignments)
            one.stop(signal.SIGKILL)
            again = Kcat(broker, "readers", "events", "group.instance.id=i0")
            self.addCleanup(again.stop)
            wait_until("it has its partitions again", lambda: again.owned == before)
            time.sleep(1)
            self.assertEqual(len(two.assignments), rebalances)
            members = broker.group("readers")["members"]
            self.assertEqual(sorted(m["group_instance_id"] for m in members), ["i0", "i1"])

    def test_go_on_after_the_broker_was_killed(self):
        with Broker() as broker:
            broker.leat("topic", "create", "events", "--partitions", "6")
            three = [OwnConsumer(broker, "readers", "events") for _ in range(3)]
            for one in three:
                self.addCleanup(one.stop)
            wait_until("three are members", lambda: broker.group("readers")["group_state"] == "Stable"
                       and len(broker.group("readers")["members"]) == 3)
            broker.leat("produce", "events", stdin="".join(f"a{i}\n" for i in range(200)))
            wait_until("all is read", lambda: len({r for c in three for r in c.records}) >= 200)
            broker.kill()
            broker.start()
            broker.leat("produce", "events", stdin="".join(f"b{i}\n" for i in range(200)))
            wait_until("what came after is read", lambda: len({r for c in three for r in c.records if r[0] == "b"}) == 200, 60)
            self.assertEqual(len(broker.group("readers")["members"]), 3)
            for one in three:
                one.stop()


class Restarts(unittest.TestCase):
    def test_acknowledged_offsets_survive_a_kill(self):
        with Broker(offsets_topic_num_partitions="4") as broker:
            broker.leat("topic", "create", "events", "--partitions", "3")
            self.assertEqual(broker.call("FindCoordinator", 4, key_type=0, coordinator_keys=["g"])["coordinators"][0]["error_code"], 0)
            stop, acknowledged, threads = threading.Event(), {}, []

            def commit(number):
                """Commits growing offsets until the broker goes."""
                offset = 0
                try:
                    with broker.client() as client:
                        while not stop.is_set():
                            offset += 1
                            answer = client.call("OffsetCommit", 8, group_id=f"g{number}", topics=[{"name": "events", "partitions": [
                                {"partition_index": p, "committed_offset": offset, "committed_metadata": ""} for p in range(3)]}])
                            codes = {p["error_code"] for p in answer["topics"][0]["partitions"]}
                            if codes == {0}:
                                acknowledged[number] = offset
                            elif not codes <= {14, 15, 16}:
                                raise AssertionError(f"OffsetCommit: {codes}")
                except (Closed, OSError):
                    pass
            for _ in range(3):
                stop.clear()
                threads = [threading.Thread(target=commit, args=(i,)) for i in range(8)]
                for thread in threads:
                    thread.start()
                time.sleep(1)
                broker.kill()
                stop.set()
                for thread in threads:
                    thread.join()
                broker.start()
                self.assertEqual(len(acknowledged), 8)
                for number, offset in acknowledged.items():
                    kept = broker.offsets_of(f"g{number}")
                    for partition in range(3):
                        self.assertGreaterEqual(kept["events", partition], offset)
                acknowledged.clear()

    def test_nobody_is_told_of_no_offset_while_it_loads(self):
        with Broker(offsets_topic_num_partitions="1") as broker:
            broker.leat("topic", "create", "events", "--partitions", "1")
            broker.call("FindCoordinator", 4, key_type=0, coordinator_keys=["g"])
            with broker.client() as client:
                for i in range(300):
                    client.call("OffsetCommit", 8, group_id=f"g{i}", topics=[{"name": "events", "partitions": [
                        {"partition_index": 0, "committed_offset": i, "committed_metadata": "m" * 1000}]}])
            broker.kill()
            broker.start()
            for i in reversed(range(300)):
                self.assertEqual(broker.offsets_of(f"g{i}"), {("events", 0): i})

    def test_members_of_a_stable_group_need_not_join_again(self):
        with Broker() as broker:
            broker.leat("topic", "create", "events")
            broker.call("FindCoordinator", 4, key_type=0, coordinator_keys=["g"])
            for instance in (None, "fixed"):
                group = f"g-{instance}"
                member = Member(broker, group, instance)
                self.addCleanup(member.close)
                self.assertEqual(member.join()["assignment"], member.member.encode())
                broker.kill()
                broker.start()
                broker.offsets_of(group)
                member.reconnect()
                self.assertEqual(member.beat(), 0)
                self.assertEqual(member.commit("events", {0: 7}), [0])
                self.assertEqual(broker.offsets_of(group), {("events", 0): 7})
                member.generation -= 1
                self.assertEqual(member.commit("events", {0: 1}), [22])

    def test_a_waiting_member_is_let_go_when_the_broker_stops(self):
        with Broker(group_initial_rebalance_delay_ms="60000") as broker:
            broker.leat("topic", "create", "events")
            broker.call("FindCoordinator", 4, key_type=0, coordinator_keys=["g"])
            with broker.client() as client:
                client.send("JoinGroup", 3, group_id="g", session_timeout_ms=10000, rebalance_timeout_ms=90000, member_id="",
                            protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}])
                wait_until("it waits", lambda: len(broker.group("g")["members"]) == 1)
                began = time.monotonic()
                broker.process.send_signal(signal.SIGTERM)
                self.assertEqual(client.receive("JoinGroup", 3)["error_code"], 16)
                self.assertLess(time.monotonic() - began, 5)
                # How long the rest of its end takes is the machine's and a sanitizer's matter, but no minute.
                self.assertEqual(broker.process.wait(30), 0)

    def test_a_member_whose_connection_is_gone_is_forgotten(self):
        with Broker() as broker:
            broker.leat("topic", "create", "events")
            broker.call("FindCoordinator", 4, key_type=0, coordinator_keys=["g"])
            member = Member(broker, "g")
            member.join()
            member.close()
            wait_until("its session is over", lambda: broker.group("g")["group_state"] == "Empty", 20)


class Topics(unittest.TestCase):
    def test_offsets_of_a_deleted_topic_do_not_come_back_with_its_name(self):
        with Broker() as broker:
            broker.leat("topic", "create", "events")
            broker.call("FindCoordinator", 4, key_type=0, coordinator_keys=["g"])
            commit = {"group_id": "g", "topics": [{"name": "events", "partitions": [
                {"partition_index": 0, "committed_offset": 5, "committed_metadata": ""}]}]}
            self.assertEqual(broker.call("OffsetCommit", 8, **commit)["topics"][0]["partitions"][0]["error_code"], 0)
            broker.leat("topic", "delete", "events", "--yes")
            broker.leat("topic", "create", "events")
            self.assertEqual(broker.offsets_of("g"), {})
            broker.kill()
            broker.start()
            self.assertEqual(broker.offsets_of("g"), {})

    def test_settings_take_effect_at_once_and_stay(self):
        with Broker() as broker:
            node = "1"
            broker.leat("config", "alter", "broker", node, "--set", "leat.log.level=debug")
            with self.assertRaises(subprocess.CalledProcessError):
                broker.leat("topic", "create", "three", "--replication-factor", "3")
            broker.leat("config", "alter", "broker", node, "--set", "leat.replication.factor.clamp=true")
            broker.leat("topic", "create", "three", "--replication-factor", "3")
            broker.leat("config", "alter", "broker", node, "--set", "log.retention.ms=123456")
            found = broker.call("DescribeConfigs", 4, resources=[
                {"resource_type": 2, "resource_name": "three", "configuration_keys": ["retention.ms"]}])["results"][0]["configs"][0]
            self.assertEqual((found["value"], found["config_source"]), ("123456", 2))
            broker.kill()
            broker.start()
            found = broker.call("DescribeConfigs", 4, resources=[
                {"resource_type": 8, "resource_name": node, "configuration_keys": ["root"]}])["results"][0]["configs"][0]
            self.assertEqual(found["value"], "DEBUG")
            broker.leat("config", "alter", "broker", node, "--unset", "leat.log.level")
            found = broker.call("DescribeConfigs", 4, resources=[
                {"resource_type": 8, "resource_name": node, "configuration_keys": ["root"]}])["results"][0]["configs"][0]
            self.assertEqual(found["value"], "INFO")

    def test_topics_are_made_on_demand_only_where_nobody_else_can_reach(self):
        with Broker() as broker:
            topic = broker.call("Metadata", 12, topics=[{"name": "wanted"}])["topics"][0]
            self.assertEqual((topic["error_code"], len(topic["partitions"])), (0, 1))
        with Broker(auto_create_topics_enable="false") as broker:
            self.assertEqual(broker.call("Metadata", 12, topics=[{"name": "wanted"}])["topics"][0]["error_code"], 3)


if __name__ == "__main__":
    LEAT = str(pathlib.Path(sys.argv.pop(1)).absolute())
    unittest.main(verbosity=2)
