#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`leat serve` as its clients and its operator see it: records, order, long polls, bad bytes, limits, stop and kill.

usage: broker_test.py LEAT [TEST...]
"""
import concurrent.futures
import contextlib
import gzip
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import protocol  # noqa: E402
from raw_client import API_VERSIONS, FETCH, LIST_OFFSETS, METADATA, PRODUCE, Broker, Client, batch, text, values_of  # noqa: E402

LEAT = ""


def http_get(broker, path):
    with urllib.request.urlopen(f"http://{broker.http[0]}:{broker.http[1]}{path}") as answer:
        return answer.read().decode()


def metric(broker, name):
    """Value of one series, 0 when it is not there."""
    for line in http_get(broker, "/metrics").splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return 0.0


class Records(unittest.TestCase):
    def test_records_come_back_with_their_offsets(self):
        with Broker(LEAT) as broker, broker.client() as client:
            self.assertEqual(client.create_topic("t", 3), 0)
            self.assertEqual(client.produce("t", 1, [b"a", b"bb"]), (0, 0))
            self.assertEqual(client.produce("t", 1, [b"ccc"], acks=1), (0, 2))
            self.assertEqual(client.read_all("t", 1), [(0, b"a"), (1, b"bb"), (2, b"ccc")])
            self.assertEqual(client.end_offset("t", 0), 0)

    def test_the_programs_own_commands_produce_and_consume(self):
        with Broker(LEAT) as broker:
            where = ["-b", "%s:%d" % broker.address]
            subprocess.run([LEAT, "topic", "create", "cli", *where], check=True, capture_output=True, timeout=30)
            subprocess.run([LEAT, "produce", "cli", *where], input=b"one\ntwo\n", check=True, capture_output=True, timeout=30)
            out = subprocess.run([LEAT, "consume", "cli", "--from", "beginning", "--until-end", *where], check=True, capture_output=True,
                                 timeout=30).stdout
            self.assertEqual(out, b"one\ntwo\n")

    def test_acknowledged_records_survive_a_kill(self):
        with Broker(LEAT) as broker:
            acknowledged = {}
            with broker.client() as client:
                client.create_topic("kept", 2)

            def write(partition):
                with broker.client() as client:
                    for i in range(100_000):
                        value = b"%d-%d" % (partition, i)
                        try:
                            error, offset = client.produce("kept", partition, [value])
                        except OSError:
                            return
                        if error == 0:
                            acknowledged[partition, offset] = value

            writers = [threading.Thread(target=write, args=(p,)) for p in (0, 1)]
            for writer in writers:
                writer.start()
            with broker.client() as client:
                while client.end_offset("kept", 0) < 200:
                    pass
            broker.kill()
            for writer in writers:
                writer.join()
            self.assertGreater(len(acknowledged), 200)
            broker.start()
            with broker.client() as client:
                for partition in (0, 1):
                    found = dict(client.read_all("kept", partition))
                    for (at, offset), value in acknowledged.items():
                        if at == partition:
                            self.assertEqual(found.get(offset), value, (partition, offset))

    def test_records_survive_a_clean_stop_and_more_shards(self):
        with Broker(LEAT, "leat.shards=1") as broker:
            with broker.client() as client:
                client.create_topic("t", 8)
                for partition in range(8):
                    client.produce("t", partition, [b"p%d" % partition])
            self.assertEqual(broker.stop(), 0)
            broker.settings = ("leat.shards=4",)
            broker.start()
            with broker.client() as client:
                for partition in range(8):
                    self.assertEqual(client.read_all("t", partition), [(0, b"p%d" % partition)])
            self.assertNotIn("did not end cleanly", broker.log())

    def test_ten_clients_write_and_read_at_once(self):
        with Broker(LEAT, "leat.shards=2") as broker:
            with broker.client() as client:
                client.create_topic("many", 10)

            def work(partition):
                with broker.client() as client:
                    for i in range(100):
                        assert client.produce("many", partition, [b"%d" % i]) == (0, i)
                    return client.read_all("many", partition)

            with concurrent.futures.ThreadPoolExecutor(10) as pool:
                for found in pool.map(work, range(10)):
                    self.assertEqual(found, [(i, b"%d" % i) for i in range(100)])


class PartitionsThatDoNotOpen(unittest.TestCase):
    """What a crash left of one is looked at by the first start that can open it, however many stops there were in between."""

    def test_a_stop_is_not_clean_while_there_is_one(self):
        with Broker(LEAT) as broker:
            with broker.client() as client:
                for topic in ("t", "u"):
                    client.create_topic(topic, 1)
                    self.assertEqual(client.produce(topic, 0, [b"a", b"b"]), (0, 0))
            broker.kill()
            data = broker.folder / "data"
            log, checkpoint = data / "t-0" / "00000000000000000000.log", data / "t-0" / "log-start-offset-checkpoint"
            log.write_bytes(log.read_bytes() + b"half of a batch")
            checkpoint.unlink(missing_ok=True)
            checkpoint.mkdir()
            broker.start()
            with broker.client() as client:
                self.assertEqual(client.produce("t", 0, [b"c"])[0], 56)
                self.assertEqual(client.produce("u", 0, [b"c"]), (0, 2))
            broker.stop()
            self.assertFalse((data / ".kafka_cleanshutdown").exists())
            checkpoint.rmdir()
            broker.start()
            with broker.client() as client:
                self.assertEqual(client.produce("t", 0, [b"c"]), (0, 2))
                self.assertEqual(client.produce("u", 0, [b"d"]), (0, 3))
            broker.stop()
            self.assertTrue((data / ".kafka_cleanshutdown").exists())


class QuarantinedPartitions(unittest.TestCase):
    """As Apache Kafka 4.3.1 answers for a partition in a log directory that went offline."""

    def test_a_partition_that_is_quarantined_has_no_leader(self):
        with Broker(LEAT) as broker:
            with broker.client() as client:
                client.create_topic("t", 2)
                for partition in (0, 1):
                    self.assertEqual(client.produce("t", partition, [b"a", b"b"]), (0, 0))
            broker.stop()
            (broker.folder / "data" / "t-1" / "00000000000000000000.log").write_bytes(b"cut")
            broker.start()
            with protocol.Client("%s:%d" % broker.address) as client:
                def told(name, version, **values):
                    rows = client.call(name, version, topics=[{"name": "t"}], **values)["topics"][0]
                    self.assertEqual(rows["error_code"], 0)
                    return {row["partition_index"]: (row["error_code"], row["leader_id"], len(row["replica_nodes"]), len(row["isr_nodes"]),
                                                     len(row.get("offline_replicas", ())))
                            for row in rows["partitions"]}

                node = told("Metadata", 1)[0][1]
                self.assertGreaterEqual(node, 0)
                self.assertEqual(told("Metadata", 1), {0: (0, node, 1, 1, 0), 1: (5, -1, 1, 0, 0)})
                self.assertEqual(told("Metadata", 8, allow_auto_topic_creation=False, include_cluster_authorized_operations=False,
                                      include_topic_authorized_operations=False), {0: (0, node, 1, 1, 0), 1: (5, -1, 1, 0, 1)})
                self.assertEqual(told("DescribeTopicPartitions", 0, response_partition_limit=10, cursor=None),
                                 {0: (0, node, 1, 1, 0), 1: (0, -1, 1, 0, 1)})
                dirs = client.call("DescribeLogDirs", 4, topics=None)["results"]
                self.assertEqual([p["partition_index"] for p in dirs[0]["topics"][0]["partitions"]], [0])
                for kind, error in ((0, 80), (1, 83)):  # No preferred leader, nobody eligible; a partition that is well needs none (84).
                    def elect(topics):
                        answer = client.call("ElectLeaders", 2, election_type=kind, timeout_ms=5000, topic_partitions=topics)
                        return {(row["topic"], part["partition_id"]): part["error_code"]
                                for row in answer["replica_election_results"] for part in row["partition_result"]}

                    self.assertEqual(elect([{"topic": "t", "partitions": [0, 1]}]), {("t", 0): 84, ("t", 1): error})
                    self.assertEqual(elect(None), {("t", 1): error})
                written = client.call("Produce", 8, transactional_id=None, acks=-1, timeout_ms=5000,
                                      topic_data=[{"name": "t", "partition_data": [{"index": 1, "records": batch([b"c"])}]}])
                told = written["responses"][0]["partition_responses"][0]
                self.assertEqual((told["error_code"], told["base_offset"], told["error_message"]), (56, -1, None))
                deleted = client.call("DeleteTopics", 3, topic_names=["t"], timeout_ms=5000)
                self.assertEqual(deleted["responses"], [{"name": "t", "error_code": 0}])
            with broker.client() as client:  # The name is free again, and its partitions are well.
                self.assertEqual(client.create_topic("t", 2), 0)
                self.assertEqual(client.produce("t", 1, [b"c"]), (0, 0))
            broker.stop()  # The log is written by a thread of its own.
            self.assertRegex(broker.log(), 'event="partition offline" partition=t-1 why=.*00000000000000000000.log')  # There the operator reads what is damaged.


class Scrape(unittest.TestCase):
    def test_what_is_too_large_is_told_to_both_sides(self):
        for most, status in ((1 << 20, 503), (1 << 28, 200)):
            with Broker(LEAT, f"leat.http.unsent.max.bytes={most}") as broker:
                with broker.client() as client:
                    self.assertEqual(client.create_topic("t" * 235, 1500), 0)
                try:
                    self.assertEqual((200, len(http_get(broker, "/metrics")) > 1 << 20), (status, True))
                except urllib.error.HTTPError as failed:
                    self.assertEqual((failed.code, status), (503, 503))
                    self.assertIn(b"leat.http.unsent.max.bytes", failed.read())
                    broker.stop()  # The log is written by a thread of its own.
                    self.assertRegex(broker.log(), 'event="http answer refused" .*why="beyond leat.http.unsent.max.bytes')


class RequestTimes(unittest.TestCase):
    """`leat_request_seconds` and the log of slow requests: the whole time, as Kafka's TotalTimeMs."""

    @staticmethod
    def seconds(broker, api, count):
        """Their sum once `count` were timed: that is done after the answer went."""
        deadline = time.monotonic() + 10
        while metric(broker, f'leat_request_seconds_count{{api="{api}"}}') < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return metric(broker, f'leat_request_seconds_sum{{api="{api}"}}')

    def test_a_request_that_needs_one_turn_of_the_loop_takes_time(self):
        with Broker(LEAT, "leat.shards=1") as broker, broker.client() as client:
            for _ in range(100):
                client.call(API_VERSIONS, 0, b"")
            self.assertGreater(self.seconds(broker, "ApiVersions", 100), 0)

    def test_waits_for_syncs_shards_and_earlier_answers_count(self):
        # Each sync of the topic "slow" takes a tenth of a second longer. Its partitions are on both shards.
        # A build without LEAT_FAULT_INJECTION has no such delay, and does not pass.
        faults = {"LEAT_FAULT_DISK": "delay:sync:slow-:1"}
        with Broker(LEAT, "leat.shards=2", "leat.slow.request.ms=90", environment=faults) as broker, broker.client() as client:
            client.create_topic("slow", 8)
            client.create_topic("quick")
            self.assertEqual(client.produce("quick", 0, [b"a"]), (0, 0))
            before, slow_before = self.seconds(broker, "Produce", 1), metric(broker, "leat_slow_requests_total")
            for partition in range(8):
                self.assertEqual(client.produce("slow", partition, [b"a"]), (0, 0))
            waited = self.seconds(broker, "Produce", 9) - before
            self.assertGreater(waited, 0.8)
            self.assertLess(waited, 8)
            self.assertGreaterEqual(metric(broker, "leat_slow_requests_total") - slow_before, 8)
            self.assertRegex(broker.log(), r'(?m)slow request" api=Produce version=7 client_id=.* response_bytes=\d+$')
            # Behind one that is slow, an answer that was ready at once waits for its turn.
            client.send(PRODUCE, 7, client.produce_body("slow", 0, batch([b"b"])))
            client.send(PRODUCE, 7, client.produce_body("quick", 0, batch([b"b"])))
            for offset in (1, 1):
                self.assertEqual(client.produced(client.receive()[1]), (0, offset))
            self.assertGreater(self.seconds(broker, "Produce", 11) - before - waited, 0.18)

    def test_a_peer_that_stays_after_its_failed_login_is_not_waited_for(self):
        module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        settings = ("listeners=SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms=PLAIN", "connection.failed.authentication.delay.ms=0",
                    f'listener.name.sasl_plaintext.plain.sasl.jaas.config={module} user_ann="right";', "leat.slow.request.ms=900")
        with Broker(LEAT, *settings, listen=()) as broker, protocol.Client("%s:%d" % broker.address) as client:
            client.call("SaslHandshake", 1, mechanism="PLAIN")
            self.assertEqual(client.call("SaslAuthenticate", 2, auth_bytes=b"\0ann\0wrong")["error_code"], 58)
            # The broker's end is shut, and it waits a second for ours.
            self.assertLess(self.seconds(broker, "SaslAuthenticate", 1), 0.9)
            self.assertEqual(metric(broker, 'leat_request_seconds_count{api="SaslAuthenticate"}'), 1)
            self.assertEqual(metric(broker, "leat_slow_requests_total"), 0)


class Order(unittest.TestCase):
    def test_pipelined_produce_appends_and_answers_in_order(self):
        with Broker(LEAT, "leat.shards=2") as broker, broker.client() as client:
            client.create_topic("t", 4)
            sent = [client.send(PRODUCE, 7, client.produce_body("t", i % 4, batch([b"%d" % i]))) for i in range(200)]
            for i, correlation in enumerate(sent):
                got, answer = client.receive()
                self.assertEqual(got, correlation)
                self.assertEqual(client.produced(answer), (0, i // 4))

    def test_answers_keep_the_order_of_requests_of_all_kinds(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            frames, expected = b"", []
            for i in range(30):
                for api, version, body in ((PRODUCE, 7, client.produce_body("t", 0, batch([b"x"]))), (API_VERSIONS, 0, b""),
                                           (FETCH, 11, client.fetch_body("t", 0, 0)), (METADATA, 4, struct.pack(">iB", -1, 0))):
                    frames += client.frame(api, version, body)
                    expected.append(client.correlation)
            client.socket.sendall(frames)
            self.assertEqual([client.receive()[0] for _ in expected], expected)

    def test_a_fetch_behind_a_produce_sees_its_record(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            for i in range(20):
                client.send(PRODUCE, 7, client.produce_body("t", 0, batch([b"%d" % i])))
                client.send(FETCH, 11, client.fetch_body("t", 0, i))
                client.receive()
                error, _, data = client.fetched(client.receive()[1])
                self.assertEqual((error, list(values_of(data))), (0, [(i, b"%d" % i)]))


class LongPoll(unittest.TestCase):
    def test_a_waiting_fetch_is_woken_by_a_record(self):
        with Broker(LEAT, "leat.shards=2") as broker, broker.client() as reader, broker.client() as writer:
            writer.create_topic("t", 4)
            for partition in range(4):
                began = time.monotonic()
                reader.send(FETCH, 11, reader.fetch_body("t", partition, 0, wait_ms=20_000))
                while metric(broker, "leat_waiting_fetches") == 0:
                    pass
                writer.produce("t", partition, [b"now"])
                error, _, data = reader.fetched(reader.receive()[1])
                self.assertEqual((error, list(values_of(data))), (0, [(0, b"now")]))
                self.assertLess(time.monotonic() - began, 10)

    def test_a_fetch_without_news_ends_after_its_wait(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            began = time.monotonic()
            self.assertEqual(client.fetch("t", 0, 0, wait_ms=300), (0, 0, b""))
            self.assertGreaterEqual(time.monotonic() - began, 0.3)

    def test_a_stop_does_not_wait_for_polls(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            client.send(FETCH, 11, client.fetch_body("t", 0, 0, wait_ms=60_000))
            while metric(broker, "leat_waiting_fetches") == 0:
                pass
            began = time.monotonic()
            self.assertEqual(broker.stop(), 0)
            self.assertLess(time.monotonic() - began, 8)
            self.assertEqual(client.fetched(client.receive()[1]), (0, 0, b""))


class Fetches(unittest.TestCase):
    def ask(self, client, *arguments, **limits):
        return client.session_answer(client.call(FETCH, 11, client.session_body(*arguments, **limits)))

    def test_a_session_answers_only_what_changed(self):
        with Broker(LEAT, "leat.shards=1") as broker, broker.client() as client:
            client.create_topic("t", 3)
            client.produce("t", 1, [b"a"])
            all_three = [("t", p, 0) for p in range(3)]
            error, session, found = self.ask(client, 0, 0, all_three)
            self.assertEqual((error, set(found)), (0, {("t", 0), ("t", 1), ("t", 2)}))
            self.assertGreater(session, 0)
            self.assertEqual(self.ask(client, session, 1, [("t", 1, 1)]), (0, session, {}))
            client.produce("t", 2, [b"b"])
            error, _, found = self.ask(client, session, 2, [])
            self.assertEqual((error, list(found)), (0, [("t", 2)]))
            self.assertEqual(list(values_of(found["t", 2][2])), [(0, b"b")])
            self.assertEqual(self.ask(client, session, 3, [], [("t", 2)])[2], {})
            self.assertEqual(self.ask(client, session, 9, [])[0], 71)
            self.assertEqual(self.ask(client, session + 1, 4, [])[0], 70)
            self.assertEqual(self.ask(client, session, -1, all_three)[1], 0)
            self.assertEqual(self.ask(client, session, 4, [])[0], 70)

    def test_a_session_is_woken_by_a_record(self):
        with Broker(LEAT, "leat.shards=2") as broker, broker.client() as client, broker.client() as writer:
            client.create_topic("t", 4)
            _, session, _ = self.ask(client, 0, 0, [("t", p, 0) for p in range(4)])
            moved = []
            for epoch in range(1, 100):
                client.send(FETCH, 11, client.session_body(session, epoch, moved, wait_ms=20_000))
                partition = epoch % 4
                _, offset = writer.produce("t", partition, [b"x"])
                error, _, found = client.session_answer(client.receive()[1])
                self.assertEqual((error, list(found)), (0, [("t", partition)]))
                self.assertEqual(list(values_of(found["t", partition][2])), [(offset, b"x")])
                moved = [("t", partition, offset + 1)]

    def test_the_first_batch_comes_whole_and_the_next_only_if_it_fits(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t", 2)
            for partition in (0, 1):
                client.produce("t", partition, [b"v" * 5000])
            _, _, found = self.ask(client, 0, -1, [("t", 0, 0), ("t", 1, 0)], max_bytes=100)
            self.assertEqual(len(list(values_of(found["t", 0][2]))), 1)
            self.assertEqual(found["t", 1], (0, 1, b""))

    def test_a_partition_asked_twice_is_watched_once(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            self.assertEqual(self.ask(client, 0, -1, [("t", 0, 0), ("t", 0, 0)], wait_ms=50)[0], 0)
            self.assertEqual(client.produce("t", 0, [b"x"]), (0, 0))

    def test_unknown_partitions_and_offsets_are_told_at_once(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            began = time.monotonic()
            _, _, found = self.ask(client, 0, -1, [("t", 0, 7), ("t", 9, 0), ("u", 0, 0)], wait_ms=20_000)
            self.assertEqual({key: value[:2] for key, value in found.items()},
                             {("t", 0): (1, -1), ("t", 9): (3, -1), ("u", 0): (3, -1)})
            self.assertLess(time.monotonic() - began, 10)

    def test_a_waiting_fetch_hears_that_its_topic_is_gone(self):
        with Broker(LEAT, "leat.shards=2") as broker, broker.client() as client, broker.client() as other:
            client.create_topic("t", 2)
            client.send(FETCH, 11, client.session_body(0, -1, [("t", 0, 0), ("t", 1, 0)], wait_ms=20_000))
            while metric(broker, "leat_waiting_fetches") == 0:
                pass
            answer = other.call(20, 1, struct.pack(">i", 1) + text("t") + struct.pack(">i", 30000))
            answer.take("ii")
            answer.text()
            self.assertEqual(answer.take("h"), 0)
            _, _, found = client.session_answer(client.receive()[1])
            # The other partition may be on a shard that is about to hear of it.
            self.assertIn(3, {value[0] for value in found.values()})


class BadInput(unittest.TestCase):
    def refused(self, data, reason):
        with Broker(LEAT, "socket.request.max.bytes=100000") as broker:
            with broker.client() as client:
                client.socket.sendall(data)
                self.assertTrue(client.is_closed())
            with broker.client() as client:
                self.assertEqual(client.create_topic("after"), 0)
            self.assertEqual(metric(broker, 'leat_connections_closed_total{reason="%s"}' % reason), 1)

    def test_frames_that_are_none_close_the_connection_and_nothing_else(self):
        self.refused(struct.pack(">i", -1), "bad_frame_length")
        self.refused(struct.pack(">i", 3) + b"abc", "bad_frame_length")
        self.refused(struct.pack(">i", 100_001), "frame_too_large")
        self.refused(b"GET / HTTP/1.1\r\n\r\n", "frame_too_large")

    def test_requests_that_are_none_close_the_connection(self):
        head = struct.pack(">hhih", 9999, 0, 1, -1)
        self.refused(struct.pack(">i", len(head)) + head, "unknown_api")
        head = struct.pack(">hhih", METADATA, 99, 1, -1) + b"\0"
        self.refused(struct.pack(">i", len(head)) + head, "unsupported_version")
        head = struct.pack(">hhih", METADATA, 4, 1, -1) + b"\x7f"
        self.refused(struct.pack(">i", len(head)) + head, "malformed")

    def test_answers_before_a_bad_request_are_sent(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.socket.sendall(client.frame(API_VERSIONS, 0, b"") + struct.pack(">i", -5))
            self.assertEqual(client.receive()[0], 1)
            self.assertTrue(client.is_closed())

    def test_a_version_of_api_versions_that_is_unknown_is_answered_in_the_first(self):
        with Broker(LEAT) as broker, broker.client() as client:
            answer = client.call(API_VERSIONS, 90, b"\0\x02a\x02b\0")
            self.assertEqual(answer.take("hi"), (35, 1))
            self.assertEqual(answer.take("hhh"), (API_VERSIONS, 0, 4))
            self.assertEqual(client.call(API_VERSIONS, 0, b"").take("h"), 0)

    def test_a_damaged_batch_is_refused_and_the_next_is_taken(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            bad = bytearray(batch([b"value"]))
            bad[-2] ^= 1
            answer = client.call(PRODUCE, 7, client.produce_body("t", 0, bytes(bad)))
            self.assertEqual(client.produced(answer)[0], 2)
            self.assertEqual(client.produce("t", 0, [b"value"]), (0, 0))

    def test_without_acks_an_error_closes_and_success_is_silent(self):
        with Broker(LEAT) as broker:
            with broker.client() as client:
                client.create_topic("t")
                client.send(PRODUCE, 7, client.produce_body("t", 0, batch([b"a"]), acks=0))
                self.assertEqual(client.call(API_VERSIONS, 0, b"").take("h"), 0)
                # Nobody said that it is durable, so it may be seen a little later.
                _, _, data = client.fetch("t", 0, 0, wait_ms=20_000)
                self.assertEqual(list(values_of(data)), [(0, b"a")])
                client.send(PRODUCE, 7, client.produce_body("t", 7, batch([b"a"]), acks=0))
                self.assertTrue(client.is_closed())

    def test_one_bad_partition_does_not_fail_the_others(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            data = batch([b"x"])
            one = lambda partition: struct.pack(">ii", partition, len(data)) + data
            body = struct.pack(">hhii", -1, -1, 30000, 1) + text("t") + struct.pack(">i", 2) + one(5) + one(0)
            answer = client.call(PRODUCE, 7, body)
            answer.take("i")
            answer.text()
            answer.take("i")
            self.assertEqual(answer.take("ihqqq")[:3], (5, 3, -1))
            self.assertEqual(answer.take("ihqqq")[:3], (0, 0, 0))
            body = struct.pack(">hhii", -1, -1, 30000, 1) + text("t") + struct.pack(">i", 2) + one(0) + one(0)
            answer = client.call(PRODUCE, 7, body)
            answer.take("i")
            answer.text()
            answer.take("i")
            self.assertEqual(answer.take("ihqqq")[:2], (0, 42))
            self.assertEqual(client.end_offset("t"), 1)


class Limits(unittest.TestCase):
    def test_an_idle_connection_is_closed(self):
        with Broker(LEAT, "connections.max.idle.ms=300") as broker, broker.client() as client:
            self.assertTrue(client.is_closed())
            self.assertEqual(metric(broker, 'leat_connections_closed_total{reason="idle"}'), 1)

    def test_a_frame_that_does_not_come_is_not_waited_for(self):
        with Broker(LEAT, "leat.request.receive.timeout.ms=300") as broker, broker.client() as client:
            client.socket.sendall(struct.pack(">i", 5000) + b"abc")
            self.assertTrue(client.is_closed())
            self.assertEqual(metric(broker, 'leat_connections_closed_total{reason="frame_timeout"}'), 1)

    def test_a_peer_that_does_not_read_is_closed_and_others_go_on(self):
        with Broker(LEAT, "leat.response.send.timeout.ms=500", "leat.queued.response.max.bytes=1000000") as broker:
            with broker.client() as client, broker.client() as other:
                client.create_topic("t")
                value = b"v" * 500_000
                client.produce("t", 0, [value])
                frames = b"".join(client.frame(FETCH, 11, client.fetch_body("t", 0, 0)) for _ in range(100))
                client.socket.sendall(frames)
                while metric(broker, 'leat_connections_closed_total{reason="send_timeout"}') == 0:
                    self.assertEqual(other.end_offset("t"), 1)

    def test_connections_of_one_address_are_bounded(self):
        with Broker(LEAT, "max.connections.per.ip=2") as broker, broker.client() as a, broker.client() as b:
            self.assertEqual(a.call(API_VERSIONS, 0, b"").take("h"), 0)
            self.assertEqual(b.call(API_VERSIONS, 0, b"").take("h"), 0)
            with broker.client() as c:
                self.assertTrue(c.is_closed())
            a.socket.close()
            # The broker sees the end a moment later.
            for _ in range(1000):
                with broker.client() as again:
                    try:
                        again.call(API_VERSIONS, 0, b"")
                        return
                    except OSError:
                        continue
            self.fail("no connection was let in after one had gone")

    def test_connections_beyond_the_total_wait(self):
        with Broker(LEAT, "max.connections=1") as broker:
            with broker.client() as first:
                first.call(API_VERSIONS, 0, b"")
                second = broker.client()
                second.send(API_VERSIONS, 0, b"")
                second.socket.settimeout(0.3)
                with self.assertRaises(socket.timeout):
                    second.receive()
            second.socket.settimeout(30)
            self.assertEqual(second.receive()[0], 1)
            second.socket.close()

    def test_requests_beyond_the_memory_bound_wait_and_are_served(self):
        crowd, shards, bound, patience = 8, 2, 100_000, 30

        def memory(broker):
            return metric(broker, "leat_request_memory_bytes")

        def begin(broker, stack):
            """Clients that have each sent the head of a large request, which is counted whole as soon as it is let in, and what each has left to send."""
            clients = [stack.enter_context(broker.client()) for _ in range(crowd)]
            clients[0].create_topic("t", crowd)
            frames = [client.frame(PRODUCE, 7, client.produce_body("t", i, batch([b"v" * 90_000]))) for i, client in enumerate(clients)]
            for client, frame in zip(clients, frames):
                client.socket.sendall(frame[:100])
            return clients, [frame[100:] for frame in frames], len(frames[0]) - 4

        def wait_for_memory(broker, least):
            began = time.monotonic()
            while memory(broker) < least:
                self.assertLess(time.monotonic(), began + patience)
                time.sleep(0.01)
            return time.monotonic() - began

        def serve(client, partition, rest):
            client.socket.sendall(rest)
            assert client.produced(client.receive()[1]) == (0, 0)
            for i in range(1, 10):
                assert client.produce("t", partition, [b"v" * 90_000]) == (0, i)

        with Broker(LEAT, f"leat.shards={shards}") as broker, contextlib.ExitStack() as stack:
            *_, size = begin(broker, stack)
            took = wait_for_memory(broker, crowd * size)  # Without the bound all are let in, and this soon.
        with Broker(LEAT, f"queued.max.request.bytes={bound}", f"leat.shards={shards}") as broker, contextlib.ExitStack() as stack:
            clients, rests, size = begin(broker, stack)
            wait_for_memory(broker, bound)
            until = time.monotonic() + max(1, 3 * took)
            while time.monotonic() < until:
                # Who comes while there is room is let in whole, on each shard at the same time.
                self.assertLess(memory(broker), bound + shards * size)
                time.sleep(0.01)
            with concurrent.futures.ThreadPoolExecutor(crowd) as pool:
                list(pool.map(serve, clients, range(crowd), rests))
            until = time.monotonic() + patience
            while memory(broker) > 0:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.01)


class Operator(unittest.TestCase):
    def run_serve(self, *arguments):
        return subprocess.run([LEAT, "serve", *arguments], capture_output=True, text=True, timeout=30)

    def test_a_data_directory_in_use_is_refused(self):
        with Broker(LEAT) as broker:
            done = self.run_serve("--data", str(broker.folder / "data"), "--listen", "127.0.0.1:0", "--http-listen", "")
            self.assertEqual(done.returncode, 1)
            self.assertIn("data", done.stderr)

    def test_bad_settings_end_with_2_and_name_themselves(self):
        done = self.run_serve("--set", "num.partitions=many")
        self.assertEqual(done.returncode, 2)
        self.assertIn("num.partitions", done.stderr)

    def test_an_address_in_use_is_named(self):
        with Broker(LEAT) as broker:
            done = self.run_serve("--data", str(broker.folder / "other"), "--listen", "127.0.0.1:%d" % broker.address[1], "--http-listen", "")
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(broker.address[1]), done.stderr)

    def test_a_start_that_fails_leaves_the_directory_as_clean_as_it_was(self):
        with Broker(LEAT) as broker, Broker(LEAT) as other:
            with broker.client() as client:
                client.create_topic("t")
                client.produce("t", 0, [b"x"])
            taken = "127.0.0.1:%d" % other.address[1]
            failing = (("--listen", taken, "--http-listen", ""), ("--listen", "127.0.0.1:0", "--http-listen", taken),
                       ("--set", "listeners=SSL://127.0.0.1:0", "--set", "ssl.keystore.location=/no/such/file", "--http-listen", "",
                        "--insecure-allow-unauthenticated-network"))

            def fail():
                for words in failing:
                    done = self.run_serve("--data", str(broker.folder / "data"), *words)
                    self.assertIn(done.returncode, (1, 2), done.stderr)
                    self.assertRegex(done.stderr, "in use|No such file")

            self.assertEqual(broker.stop(), 0)
            fail()
            broker.start()
            self.assertEqual(broker.stop(), 0)  # The log is whole once its process has ended.
            self.assertNotIn("did not end cleanly", broker.log())
            broker.start()
            broker.kill()
            fail()  # A run that opened no log does not make good the one before.
            broker.start()
            with broker.client() as client:
                self.assertEqual(client.read_all("t", 0), [(0, b"x")])
            self.assertEqual(broker.stop(), 0)
            self.assertIn("did not end cleanly", broker.log())

    def test_a_signal_that_comes_twice_at_once_is_one(self):
        with Broker(LEAT) as broker:
            with broker.client() as client:
                client.create_topic("t")
                client.produce("t", 0, [b"x"])
            # As timeout(1) does, and with something between: two that come together can be one for the kernel.
            for how in (signal.SIGTERM, signal.SIGTERM, signal.SIGTERM):
                broker.process.send_signal(how)
                time.sleep(0.002)
            self.assertEqual(broker.process.wait(30), 0)
            broker.process.stdout.close()
            broker.start()
            self.assertEqual(broker.stop(), 0)
            self.assertNotIn("did not end cleanly", broker.log())

    def test_a_data_directory_that_is_told_from_here_is_known_by_its_whole_name(self):
        class Here(Broker):
            def command(self):
                self.program = str(pathlib.Path(self.program).resolve())
                return ["env", "-C", str(self.folder), *(x if x != str(self.folder / "data") else "data" for x in super().command())]

        with Here(LEAT) as broker, protocol.Client("%s:%d" % broker.address) as client:
            whole = str((broker.folder / "data").resolve())
            self.assertEqual([one["log_dir"] for one in client.call("DescribeLogDirs", 2, topics=None)["results"]], [whole])
            with broker.client() as other:
                other.create_topic("t")
            moved = client.call("AlterReplicaLogDirs", 1, dirs=[{"path": whole, "topics": [{"name": "t", "partitions": [0]}]}])
            self.assertEqual(moved["results"][0]["partitions"][0]["error_code"], 0)

    def test_health_and_metrics_are_served(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            client.produce("t", 0, [b"x"])
            self.assertEqual(http_get(broker, "/healthz"), "ok\n")
            self.assertEqual(http_get(broker, "/readyz"), "ok\n")
            self.assertEqual(metric(broker, 'leat_requests_total{api="Produce"}'), 1)
            self.assertEqual(metric(broker, 'leat_partition_high_watermark{topic="t",partition="0"}'), 1)
            with self.assertRaises(urllib.error.HTTPError):
                http_get(broker, "/nothing")

    def test_answers_that_nobody_takes_are_counted(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            for _ in range(8):
                client.produce("t", 0, [b"x" * 900_000])
            with broker.client() as lazy:
                for _ in range(4):
                    lazy.send(FETCH, 11, lazy.fetch_body("t", 0, 0))
                until = time.monotonic() + 10
                while metric(broker, "leat_queued_answers") == 0 and time.monotonic() < until:
                    time.sleep(0.1)
                self.assertGreater(metric(broker, "leat_queued_answers"), 0)
                self.assertGreater(metric(broker, "leat_queued_answer_bytes"), 1_000_000)
            until = time.monotonic() + 10
            while metric(broker, "leat_queued_answers") > 0 and time.monotonic() < until:
                time.sleep(0.1)
            self.assertEqual(metric(broker, "leat_queued_answer_bytes"), 0)

    def test_a_bomb_in_an_old_format_holds_up_nobody_else(self):
        def message(value, attributes=0):
            body = struct.pack(">bbqii", 1, attributes, int(time.time() * 1000), -1, len(value)) + value
            return struct.pack(">qiI", 0, len(body) + 4, zlib.crc32(body)) + body

        bomb = message(gzip.compress(message(bytes(200_000_000)), 6), 1)
        self.assertLess(len(bomb), 1_000_000)
        with Broker(LEAT, "leat.shards=1") as broker, broker.client() as client, broker.client() as other:
            client.create_topic("t")
            sent = client.send(PRODUCE, 2, struct.pack(">hii", -1, 30000, 1) + text("t") + struct.pack(">iii", 1, 0, len(bomb)) + bomb)
            slowest, asked = 0, 0
            client.socket.settimeout(0)
            while True:
                begun = time.monotonic()
                other.call(API_VERSIONS, 0, b"")
                slowest, asked = max(slowest, time.monotonic() - begun), asked + 1
                try:
                    client.socket.recv(1, socket.MSG_PEEK)
                    break
                except BlockingIOError:
                    time.sleep(0.01)
            client.socket.settimeout(30)
            got, answer = client.receive()
            self.assertEqual((got, answer.take("i"), answer.text(), answer.take("iih")), (sent, 1, "t", (1, 0, 0)))
            self.assertGreater(asked, 10)
            self.assertLess(slowest, 0.8)

    def test_each_listener_tells_its_own_address(self):
        with Broker(LEAT, "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT,C:PLAINTEXT",
                    "advertised.listeners=A://a.example:1000,B://b.example:0,C://localhost:0",
                    listen=("A://127.0.0.1:0", "B://[::1]:0", "C://localhost:0")) as broker:
            told = {}
            for name, address in broker.listeners.items():
                with Client(address) as client:
                    answer = client.call(METADATA, 4, struct.pack(">iB", 0, 0))
                    answer.take("iii")
                    told[name] = (answer.text(), answer.take("i"))
            self.assertEqual(told, {"A": ("a.example", 1000), "B": ("b.example", broker.listeners["B"][1]),
                                    "C": ("localhost", broker.listeners["C"][1])})


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
