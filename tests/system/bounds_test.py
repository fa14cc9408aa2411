#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a client hears at the bounds that the operator sets: Kafka's error where the setting is Kafka's, and then that others go on.

usage: bounds_test.py LEAT [TEST...]
"""
import pathlib
import re
import socket
import struct
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from protocol import Client  # noqa: E402
from raw_client import FETCH, METADATA, PRODUCE, Broker, batch  # noqa: E402
from raw_client import text as raw_text  # noqa: E402

LEAT = ""
NONE, METADATA_TOO_LARGE, LOAD_IN_PROGRESS, NOT_AVAILABLE, NOT_ENOUGH_REPLICAS = 0, 12, 14, 15, 19
POLICY_VIOLATION, SESSION_NOT_FOUND, GROUP_MAX_SIZE = 44, 70, 81
SUBSCRIPTION = b"\0\0\0\0\0\1\0\1t\xff\xff\xff\xff"


def node(*settings, **options):
    return Broker(LEAT, "group.initial.rebalance.delay.ms=0", "leat.shards=1", *settings, **options)


def client_of(broker):
    return Client("%s:%d" % broker.address)


def create(client, topic, partitions=1):
    answer = client.call("CreateTopics", 5, timeout_ms=5000, topics=[
        {"name": topic, "num_partitions": partitions, "replication_factor": 1}])
    assert answer["topics"][0]["error_code"] == NONE, answer


def coordinated(ask):
    """What `ask` says once the coordinator has loaded; NOT_AVAILABLE may be the bound, so it is the caller's."""
    for _ in range(600):
        answer = ask()
        if answer["error_code"] not in (LOAD_IN_PROGRESS, 16):
            return answer
        time.sleep(0.02)
    raise AssertionError(answer)


def with_coordinator(client, group="g"):
    """Returns once `group` is served."""
    for _ in range(600):
        answer = client.call("FindCoordinator", 3, key=group, key_type=0)
        if answer["error_code"] == NONE:
            found = client.call("OffsetFetch", 8, groups=[{"group_id": group, "topics": None}])["groups"][0]
            if found["error_code"] == NONE:
                return
        time.sleep(0.02)
    raise AssertionError("no coordinator")


def join(client, group, member="", metadata=SUBSCRIPTION):
    """JoinGroup 3, which asks nobody to come back with an id."""
    return client.call("JoinGroup", 3, group_id=group, session_timeout_ms=30000, rebalance_timeout_ms=30000, member_id=member,
                       protocol_type="consumer", protocols=[{"name": "range", "metadata": metadata}])


def beat(client, group, joined):
    return client.call("Heartbeat", 3, group_id=group, generation_id=joined["generation_id"], member_id=joined["member_id"])["error_code"]


def settle(client, group, joined):
    """SyncGroup of the one member, its leader: the group is stable."""
    answer = client.call("SyncGroup", 3, group_id=group, generation_id=joined["generation_id"], member_id=joined["member_id"],
                         assignments=[{"member_id": joined["member_id"], "assignment": b"mine"}])
    assert answer["error_code"] == NONE, answer


def consumer_beat(client, group, member, epoch=0):
    return client.call("ConsumerGroupHeartbeat", 1, group_id=group, member_id=member, member_epoch=epoch, rebalance_timeout_ms=30000,
                       subscribed_topic_names=["t"], server_assignor=None, topic_partitions=[])["error_code"]


def commit(client, group, offsets, topic="t"):
    """{partition: error} of {partition: (offset, metadata)}, by nobody's member."""
    answer = client.call("OffsetCommit", 8, group_id=group, generation_id_or_member_epoch=-1, member_id="", topics=[
        {"name": topic, "partitions": [{"partition_index": p, "committed_offset": offset, "committed_metadata": text}
                                       for p, (offset, text) in offsets.items()]}])
    return {p["partition_index"]: p["error_code"] for t in answer["topics"] for p in t["partitions"]}


def committed(client, group):
    answer = client.call("OffsetFetch", 8, groups=[{"group_id": group, "topics": None}])["groups"][0]
    return {p["partition_index"]: p["committed_offset"] for t in answer["topics"] for p in t["partitions"]}


class Groups(unittest.TestCase):
    def test_a_full_group_refuses_newcomers_and_no_others(self):
        with node("group.max.size=1") as broker, client_of(broker) as one, client_of(broker) as two:
            with_coordinator(one)
            joined = coordinated(lambda: join(one, "g"))
            self.assertEqual(joined["error_code"], NONE)
            settle(one, "g", joined)
            self.assertEqual(join(two, "g")["error_code"], GROUP_MAX_SIZE)
            self.assertEqual(beat(one, "g", joined), NONE)
            self.assertEqual(join(two, "other")["error_code"], NONE)
            self.assertEqual(one.call("LeaveGroup", 1, group_id="g", member_id=joined["member_id"])["error_code"], NONE)
            self.assertEqual(join(two, "g")["error_code"], NONE)

    def test_a_full_group_of_the_consumer_protocol_refuses_newcomers(self):
        with node("group.consumer.max.size=1") as broker, client_of(broker) as client:
            with_coordinator(client)
            create(client, "t")
            self.assertEqual(consumer_beat(client, "g", "m1"), NONE)
            self.assertEqual(consumer_beat(client, "g", "m2"), GROUP_MAX_SIZE)
            self.assertEqual(consumer_beat(client, "g", "m1", -1), NONE)
            self.assertEqual(consumer_beat(client, "g", "m2"), NONE)

    def test_an_offset_with_too_long_a_text_is_refused_alone(self):
        with node("offset.metadata.max.bytes=10") as broker, client_of(broker) as client:
            create(client, "t", 2)
            with_coordinator(client)
            self.assertEqual(commit(client, "g", {0: (5, "x" * 10), 1: (6, "x" * 11)}), {0: NONE, 1: METADATA_TOO_LARGE})
            self.assertEqual(committed(client, "g"), {0: 5})

    def test_a_group_with_as_many_offsets_as_it_may_have_moves_those(self):
        with node("leat.group.offsets.max=2") as broker, client_of(broker) as client:
            create(client, "t", 3)
            with_coordinator(client)
            self.assertEqual(commit(client, "g", {0: (1, ""), 1: (1, "")}), {0: NONE, 1: NONE})
            self.assertEqual(commit(client, "g", {0: (2, ""), 2: (1, "")}), {0: NONE, 2: POLICY_VIOLATION})
            self.assertEqual(committed(client, "g"), {0: 2, 1: 1})
            self.assertEqual(commit(client, "another", {2: (1, "")}), {2: NONE})
            deleted = client.call("OffsetDelete", 0, group_id="g", topics=[{"name": "t", "partitions": [{"partition_index": 0}]}])
            self.assertEqual(deleted["error_code"], NONE)
            self.assertEqual(commit(client, "g", {2: (1, "")}), {2: NONE})

    def test_newcomers_wait_while_the_groups_of_the_node_have_no_memory_left(self):
        with node("leat.groups.max.bytes=40000") as broker, client_of(broker) as client:
            create(client, "t", 3)
            with_coordinator(client)
            self.assertEqual(commit(client, "early", {0: (1, "")}), {0: NONE})
            members = {}
            for i in range(100):
                joined = join(client, f"g{i}", metadata=SUBSCRIPTION + b"u" * 4000)
                if joined["error_code"] != NONE:
                    break
                members[f"g{i}"] = joined
            self.assertEqual(joined["error_code"], NOT_AVAILABLE)
            self.assertTrue(4 <= len(members) <= 10, len(members))
            # One that leaves nothing: what a member of it or an offset takes does not fit either, once this is full to the brim.
            brim = 0
            while join(client, f"small{brim}")["error_code"] == NONE:
                brim += 1
            while commit(client, f"offsets{brim}", {0: (1, "")})[0] == NONE:
                brim += 1
            self.assertEqual(commit(client, "later.than.all.others", {1: (1, "")}), {1: NOT_AVAILABLE})
            self.assertEqual(consumer_beat(client, "later.than.all.others", "m"), LOAD_IN_PROGRESS)
            # Whoever is in stays, joins again and moves the offsets that are there.
            for group, member in members.items():
                settle(client, group, member)
                self.assertEqual(beat(client, group, member), NONE)
            self.assertEqual(commit(client, "early", {0: (2, "")}), {0: NONE})
            again = join(client, "g0", members["g0"]["member_id"], SUBSCRIPTION + b"v" * 4000)
            self.assertEqual(again["error_code"], NONE)
            # And with one gone there is room for one.
            left = client.call("LeaveGroup", 1, group_id="g1", member_id=members["g1"]["member_id"])
            self.assertEqual(left["error_code"], NONE)
            self.assertEqual(join(client, "g1", metadata=SUBSCRIPTION)["error_code"], NONE)


class Producers(unittest.TestCase):
    @staticmethod
    def new_id(client):
        for _ in range(600):
            answer = client.call("InitProducerId", 4, transactional_id=None, transaction_timeout_ms=60000, producer_id=-1,
                                 producer_epoch=-1)
            if answer["error_code"] == NONE:
                return answer["producer_id"]
            time.sleep(0.02)
        raise AssertionError(answer)

    @staticmethod
    def known(client):
        answer = client.call("DescribeProducers", 0, topics=[{"name": "t", "partition_indexes": [0]}])
        return {p["producer_id"] for p in answer["topics"][0]["partitions"][0]["active_producers"]}

    @staticmethod
    def write(raw, producer, sequence):
        return raw.produced(raw.call(PRODUCE, 7, raw.produce_body("t", 0, batch([b"v"], producer=(producer, 0, sequence)))))[0]

    def test_a_new_producer_waits_while_all_that_a_partition_may_know_are_in_use(self):
        with node("leat.producer.ids.max=2") as broker, client_of(broker) as client, broker.client() as raw:
            create(client, "t")
            ids = [self.new_id(client) for _ in range(3)]
            self.assertEqual([self.write(raw, one, 0) for one in ids], [NONE, NONE, NOT_ENOUGH_REPLICAS])
            self.assertEqual([self.write(raw, one, 1) for one in ids[:2]], [NONE, NONE])
            self.assertEqual(self.known(client), set(ids[:2]))
            self.assertEqual(raw.produce("t", 0, [b"of nobody"]), (NONE, 4))
            self.assertEqual(raw.end_offset("t"), 5)

    def test_the_longest_idle_makes_room_once_it_may(self):
        with node("leat.producer.ids.max=2", "leat.producer.ids.idle.min.ms=0") as broker, client_of(broker) as client, \
                broker.client() as raw:
            create(client, "t")
            ids = [self.new_id(client) for _ in range(3)]
            self.assertEqual([self.write(raw, one, 0) for one in ids], [NONE, NONE, NONE])
            known = self.known(client)
            self.assertIn(ids[2], known)
            self.assertNotIn(ids[0], known)
            self.assertLessEqual(len(known), 2)


class Fetches(unittest.TestCase):
    @staticmethod
    def begin(raw, partitions, session=0, epoch=0):
        return raw.session_answer(raw.call(FETCH, 11, raw.session_body(session, epoch, [("t", p, 0) for p in partitions])))

    def test_a_list_that_does_not_fit_is_answered_without_a_session(self):
        with node("leat.fetch.session.partitions.max=3") as broker, broker.client() as one, broker.client() as two:
            one.create_topic("t", 4)
            for partition in range(4):
                one.produce("t", partition, [b"%d" % partition])
            error, session, found = self.begin(one, [0, 1])
            self.assertEqual((error, len(found)), (NONE, 2))
            self.assertNotEqual(session, 0)
            for _ in range(2):
                error, without, found = self.begin(two, [0, 1])
                self.assertEqual((error, without, len(found)), (NONE, 0, 2))
                self.assertTrue(all(part[0] == NONE and part[2] for part in found.values()))
            # One that grows beyond begins anew, and is served without a session while it does not fit.
            error, _, _ = self.begin(one, [2, 3], session, 1)
            self.assertEqual(error, SESSION_NOT_FOUND)
            error, without, found = self.begin(one, [0, 1, 2, 3])
            self.assertEqual((error, without, len(found)), (NONE, 0, 4))
            error, session, found = self.begin(two, [0, 1])
            self.assertEqual((error, len(found)), (NONE, 2))
            self.assertNotEqual(session, 0)


class Connections(unittest.TestCase):
    def test_only_so_many_requests_of_a_connection_wait_for_their_answers(self):
        """A sync serves what was appended when it began: of a connection no more than it may have unanswered."""
        sent, bound = 50, 4
        self.assertGreaterEqual(self.syncs_of(sent, f"leat.queued.responses.max={bound}"), sent / bound)
        self.assertLess(self.syncs_of(sent), sent / bound)

    def syncs_of(self, count, *settings):
        """Of so many batches that come at once to a disk that takes 100 ms for each sync."""
        slow = {"LEAT_FAULT_DISK": "delay:sync:/:1,delay:sync-file-system:/:1"}
        with node(*settings, environment=slow) as broker, broker.client() as client:
            client.create_topic("t")
            before = self.syncs(broker)
            frames = b"".join(client.frame(PRODUCE, 7, client.produce_body("t", 0, batch([b"%d" % i]))) for i in range(count))
            client.socket.sendall(frames)
            self.assertEqual([client.produced(client.receive()[1]) for _ in range(count)], [(NONE, i) for i in range(count)])
            return self.syncs(broker) - before

    def test_one_that_is_closed_and_takes_no_answers_does_not_stay(self):
        with node("leat.response.send.timeout.ms=1000", "leat.queued.responses.max=1000", "socket.send.buffer.bytes=8192") as broker, \
                broker.client() as admin:
            admin.create_topic("t", 200)
            with socket.socket() as peer:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                peer.connect(broker.address)
                all_topics = admin.frame(METADATA, 4, struct.pack(">ib", -1, 0))
                # More than the kernel takes, then what a peer is closed for.
                peer.sendall(all_topics * 400 + struct.pack(">I", 1 << 31))
                for _ in range(200):
                    if self.metric(broker, 'leat_connections_closed_total{reason="bad_frame_length"}') == 1:
                        break
                    time.sleep(0.05)
                self.assertEqual(self.metric(broker, 'leat_connections_closed_total{reason="bad_frame_length"}'), 1)
                self.assertEqual(self.metric(broker, "leat_connections"), 1)

    def test_what_was_sent_before_the_end_is_done(self):
        """acks=0 behind a request that takes its time, then the end of the connection."""
        slow = {"LEAT_FAULT_DISK": "delay:sync:/metadata:1"}
        with node(environment=slow) as broker, broker.client() as reader:
            with broker.client() as client:
                client.send(METADATA, 4, struct.pack(">i", 1) + raw_text("t") + b"\1")  # Makes it.
                for value in (b"one", b"two"):
                    client.send(PRODUCE, 7, client.produce_body("t", 0, batch([value]), acks=0))
                client.socket.shutdown(socket.SHUT_WR)
            for _ in range(200):
                time.sleep(0.05)
                try:
                    if reader.end_offset("t") == 2:
                        break
                except AssertionError:
                    pass  # It is not there yet.
            self.assertEqual(reader.read_all("t", 0), [(0, b"one"), (1, b"two")])

    @staticmethod
    def metric(broker, name):
        with urllib.request.urlopen("http://%s:%d/metrics" % broker.http) as answer:
            return next((float(line.rsplit(" ", 1)[1]) for line in answer.read().decode().splitlines() if line.rsplit(" ", 1)[0] == name), 0)

    @staticmethod
    def syncs(broker):
        with urllib.request.urlopen("http://%s:%d/metrics" % broker.http) as answer:
            found = dict(line.split() for line in answer.read().decode().splitlines() if re.match(r"leat_log_syncs(_whole)?_total ", line))
        return sum(map(float, found.values()))


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
