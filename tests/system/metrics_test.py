#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What /metrics says of what was just done to a broker, and of what went wrong in it.

usage: metrics_test.py LEAT [TEST...]
"""
import os
import pathlib
import re
import struct
import sys
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "interop"))
import protocol  # noqa: E402
from raw_client import FETCH, INIT_PRODUCER_ID, PRODUCE, Broker, batch, text  # noqa: E402

LEAT = ""
NONE, CORRUPT_MESSAGE, UNKNOWN_TOPIC, STORAGE_ERROR, AUTHENTICATION_FAILED = 0, 2, 3, 56, 58


def metrics(broker):
    """{series: value}"""
    with urllib.request.urlopen("http://%s:%d/metrics" % broker.http) as answer:
        lines = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def client_of(broker, name="check"):
    return protocol.Client("%s:%d" % broker.address, client_id=name)


class Test(unittest.TestCase):
    def wait_for(self, broker, series, value):
        for _ in range(1000):
            found = metrics(broker).get(series, 0)
            if found == value:
                return
            time.sleep(0.01)
        self.fail(f"{series} is {found}, not {value}")

    def moved(self, broker, before, by):
        after = metrics(broker)
        self.assertEqual({series: after.get(series, 0) - before.get(series, 0) for series in by}, by)


class Traffic(Test):
    def test_requests_records_and_connections_are_counted(self):
        with Broker(LEAT, "leat.shards=1") as broker, broker.client() as client:
            client.create_topic("t", 3)
            before = metrics(broker)
            data = batch([b"x" * 1000])
            for _ in range(3):
                self.assertEqual(client.produced(client.call(PRODUCE, 7, client.produce_body("t", 0, data)))[0], NONE)
            _, _, read = client.fetch("t", 0, 0)
            self.assertEqual(len(read), 3 * len(data))
            self.moved(broker, before, {"leat_produced_batches_total": 3, "leat_produced_bytes_total": 3 * len(data),
                                        "leat_log_appended_batches_total": 3, "leat_log_appended_bytes_total": 3 * len(data),
                                        "leat_fetched_bytes_total": 3 * len(data), "leat_connections_accepted_total": 0})
            after = metrics(broker)
            self.assertEqual(after["leat_partitions"], 3)
            self.assertEqual(after["leat_connections_accepted_total"], 1)
            frame = 8 + len(text("raw")) + len(client.produce_body("t", 0, data))
            self.assertEqual(after['leat_request_bytes_total{api="Produce"}'], 3 * frame)
            self.assertGreater(after['leat_response_bytes_total{api="Fetch"}'], 3 * len(data))
            self.assertEqual(after['leat_partition_size_bytes{topic="t",partition="0"}'], 3 * len(data))
            self.assertEqual(after['leat_partition_size_bytes{topic="t",partition="1"}'], 0)
            self.assertGreaterEqual(after["leat_log_syncs_total"] + after["leat_log_syncs_whole_total"] -
                                    before["leat_log_syncs_total"] - before["leat_log_syncs_whole_total"], 3)
            self.assertGreater(after["leat_log_sync_seconds_count"], before["leat_log_sync_seconds_count"])
            self.assertGreater(after["leat_log_sync_seconds_sum"], before["leat_log_sync_seconds_sum"])
            with broker.client():
                self.wait_for(broker, "leat_connections_accepted_total", 2)

    def test_where_reads_come_from_is_counted(self):
        with Broker(LEAT, "leat.shards=1", "leat.tail.buffer.bytes=4096") as broker, broker.client() as client, broker.client() as writer:
            client.create_topic("t")
            for i in range(20):
                writer.produce("t", 0, [b"%04d" % i + b"x" * 1000])
            before = metrics(broker)
            self.assertGreater(len(client.fetch("t", 0, 0)[2]), 20_000)
            self.moved(broker, before, {"leat_log_file_reads_total": 1, "leat_log_tail_reads_total": 0})
            # A reader that waits at the end has what comes next kept for it.
            for i in range(20, 23):
                client.send(FETCH, 11, client.fetch_body("t", 0, i, wait_ms=20_000))
                self.wait_for(broker, "leat_waiting_fetches", 1)
                writer.produce("t", 0, [b"%04d" % i])
                self.assertEqual(client.fetched(client.receive()[1])[0], NONE)
            after = metrics(broker)
            self.assertGreater(after["leat_log_tail_reads_total"], before["leat_log_tail_reads_total"])
            self.assertGreater(after["leat_log_tail_bytes"], 0)

    def test_a_read_from_a_disk_that_has_to_be_waited_for_is_counted(self):
        # Other temporary files may be in memory, where nothing ever waits for a disk; these outlive a reboot.
        with Broker(LEAT, "leat.shards=1", "leat.tail.buffer.bytes=0", place="/var/tmp") as broker, broker.client() as client:
            client.create_topic("t")
            for i in range(20):
                client.produce("t", 0, [b"x" * 100_000])
            log = next((broker.folder / "data").rglob("t-0/*.log"))
            before = metrics(broker)
            with open(log, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            self.assertEqual(len(client.read_all("t", 0)), 20)
            self.assertGreater(metrics(broker)["leat_log_cold_reads_total"], before["leat_log_cold_reads_total"])

    def test_work_that_is_not_done_yet_shows(self):
        with Broker(LEAT, "leat.shards=1", "queued.max.request.bytes=10000000") as broker, broker.client() as client:
            client.create_topic("t")
            client.send(FETCH, 11, client.session_body(0, 0, [("t", 0, 0)], wait_ms=30_000))
            self.wait_for(broker, "leat_waiting_fetches", 1)
            now = metrics(broker)
            self.assertEqual(now["leat_requests_executing"], 1)
            self.assertGreater(now["leat_request_memory_bytes"], 0)
            self.assertEqual(now["leat_fetch_sessions"], 1)
            with broker.client() as writer:
                writer.produce("t", 0, [b"v"])
            _, session, _ = client.session_answer(client.receive()[1])
            self.wait_for(broker, "leat_requests_executing", 0)
            self.wait_for(broker, "leat_request_memory_bytes", 0)
            client.session_answer(client.call(FETCH, 11, client.session_body(session, -1, [])))
            self.wait_for(broker, "leat_fetch_sessions", 0)

    def test_groups_and_deleted_records_show(self):
        with Broker(LEAT, "group.initial.rebalance.delay.ms=0") as broker, broker.client() as raw, client_of(broker) as client:
            raw.create_topic("t", 2)
            raw.produce("t", 1, [b"a", b"b", b"c"])
            self.assertEqual(metrics(broker).get("leat_group_memory_bytes", 0), 0)
            self.commit(client, 2)
            client.call("DeleteRecords", 2, timeout_ms=5000, topics=[{"name": "t", "partitions": [{"partition_index": 1, "offset": 1}]}])
            now = metrics(broker)
            lag = 'leat_group_lag{group="g",topic="t",partition="1"}'
            self.assertEqual(now['leat_group_committed_offset{group="g",topic="t",partition="1"}'], 2)
            self.assertEqual(now[lag], 1)
            self.assertGreater(now["leat_group_memory_bytes"], 0)
            self.assertEqual(sum(value for series, value in now.items() if series.startswith("leat_groups{")), 1)
            self.assertEqual(now['leat_partition_log_start_offset{topic="t",partition="1"}'], 1)
            self.assertEqual(now['leat_partition_log_start_offset{topic="t",partition="0"}'], 0)
            self.assertEqual(now['leat_partition_high_watermark{topic="t",partition="1"}'], 3)
            raw.produce("t", 1, [b"d", b"e"])
            self.assertEqual(metrics(broker)[lag], 3)
            self.commit(client, 7)  # Beyond the end.
            self.assertEqual(metrics(broker)[lag], 0)
            self.assertEqual([series for series in metrics(broker) if series.startswith("leat_group_lag{")], [lag])

    @staticmethod
    def commit(client, offset):
        """The group g, in t-1; its coordinator may still be loading."""
        for _ in range(600):
            client.call("FindCoordinator", 3, key="g", key_type=0)
            done = client.call("OffsetCommit", 8, group_id="g", generation_id_or_member_epoch=-1, member_id="", topics=[
                {"name": "t", "partitions": [{"partition_index": 1, "committed_offset": offset, "committed_metadata": "note"}]}])
            if done["topics"][0]["partitions"][0]["error_code"] == NONE:
                return
            time.sleep(0.02)
        raise TimeoutError


class Refusals(Test):
    def test_errors_in_answers_are_counted_by_their_code(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            before = metrics(broker)
            self.assertEqual(client.fetch("missing", 0, 0)[0], UNKNOWN_TOPIC)
            self.assertEqual(client.fetch("t", 7, 0)[0], UNKNOWN_TOPIC)
            spoilt = bytearray(batch([b"v"]))
            spoilt[-1] ^= 1
            self.assertEqual(client.produced(client.call(PRODUCE, 7, client.produce_body("t", 0, bytes(spoilt))))[0], CORRUPT_MESSAGE)
            after = metrics(broker)
            for code, count in (("UNKNOWN_TOPIC_OR_PARTITION", 2), ("CORRUPT_MESSAGE", 1)):
                series = f'leat_errors_total{{code="{code}"}}'
                self.assertEqual(after[series] - before.get(series, 0), count, series)
            self.moved(broker, before, {"leat_log_refused_batches_total": 1, "leat_log_appended_batches_total": 0})

    def test_connections_above_a_limit_are_counted_by_it(self):
        with Broker(LEAT, "max.connections.per.ip=1") as broker, broker.client() as first:
            first.create_topic("t")
            before = metrics(broker)
            for _ in range(2):
                with broker.client() as more:
                    self.assertTrue(more.is_closed())
            series = 'leat_connections_refused_total{reason="per_ip"}'
            self.assertEqual(metrics(broker)[series] - before.get(series, 0), 2)
            self.assertEqual(metrics(broker)["leat_connections"], 1)

    def test_logins_are_counted_by_their_outcome(self):
        module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        settings = ("listeners=SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms=PLAIN",
                    "connection.failed.authentication.delay.ms=0",
                    f'listener.name.sasl_plaintext.plain.sasl.jaas.config={module} user_ann="right";')
        with Broker(LEAT, *settings, listen=()) as broker:
            for password, error in (("wrong", AUTHENTICATION_FAILED), ("right", NONE), ("right", NONE)):
                with client_of(broker) as client:
                    client.call("SaslHandshake", 1, mechanism="PLAIN")
                    self.assertEqual(client.call("SaslAuthenticate", 2, auth_bytes=b"\0ann\0" + password.encode())["error_code"], error)
            now = metrics(broker)
            self.assertEqual(now['leat_authentications_total{mechanism="PLAIN",outcome="ok"}'], 2)
            self.assertEqual(now['leat_authentications_total{mechanism="PLAIN",outcome="failed"}'], 1)

    def test_answers_that_a_quota_holds_back_are_counted(self):
        with Broker(LEAT, "leat.quota.burst.ms=0") as broker, broker.client() as raw, client_of(broker, "slow") as client:
            raw.create_topic("t")
            client.call("AlterClientQuotas", 1, entries=[{"entity": [{"entity_type": "client-id", "entity_name": "slow"}],
                                                          "ops": [{"key": "producer_byte_rate", "value": 10_000, "remove": False}]}])
            before = metrics(broker)
            raw.produce("t", 0, [b"of another client"])
            self.moved(broker, before, {"leat_throttled_answers_total": 0})
            answer = client.call("Produce", 7, transactional_id=None, acks=-1, timeout_ms=5000, topic_data=[
                {"name": "t", "partition_data": [{"index": 0, "records": batch([b"x" * 1000])}]}])
            self.assertGreater(answer["throttle_time_ms"], 0)
            self.moved(broker, before, {"leat_throttled_answers_total": 1})


class Producers(Test):
    @staticmethod
    def new_id(client):
        while True:
            answer = client.call(INIT_PRODUCER_ID, 0, struct.pack(">hi", -1, 60_000))
            answer.take("i")
            error, producer, _ = answer.take("hqh")
            if error == NONE:
                return producer
            time.sleep(0.02)

    def test_batches_that_come_twice_are_counted(self):
        with Broker(LEAT) as broker, broker.client() as client:
            client.create_topic("t")
            body = client.produce_body("t", 0, batch([b"v"], producer=(self.new_id(client), 0, 0)))
            before = metrics(broker)
            self.assertEqual([client.produced(client.call(PRODUCE, 7, body)) for _ in range(3)], [(NONE, 0)] * 3)
            self.moved(broker, before, {"leat_log_duplicate_batches_total": 2, "leat_log_appended_batches_total": 1})

    def test_producers_that_are_forgotten_are_counted(self):
        with Broker(LEAT, "producer.id.expiration.ms=1", "producer.id.expiration.check.interval.ms=20") as broker, \
                broker.client() as client:
            client.create_topic("t")
            client.produced(client.call(PRODUCE, 7, client.produce_body("t", 0, batch([b"v"], producer=(self.new_id(client), 0, 0)))))
            self.wait_for(broker, "leat_log_expired_producers_total", 1)


class Failures(Test):
    """Of the disk; the program must be built with its fault points (the dev presets)."""

    def test_a_failed_sync_is_counted_and_its_partition_offline(self):
        with Broker(LEAT, "leat.shards=1") as broker:
            with broker.client() as client:
                client.create_topic("t", 2)
                client.produce("t", 1, [b"safe"])
            self.assertEqual(broker.stop(), 0)
            broker.ends_with = 1
            broker.environment["LEAT_FAULT_DISK"] = "io-errors:sync:t-0/00000000000000000000.log:1,io-errors:sync-file-system:/:1"
            broker.start()
            before = metrics(broker)
            self.assertEqual((before["leat_log_sync_failures_total"], before["leat_log_offline_partitions"]), (0, 0))
            with broker.client() as client:
                self.assertNotEqual(client.produce("t", 0, [b"lost"])[0], NONE)
                self.assertIn("fault-disk: struck sync", broker.log())
                self.assertGreaterEqual(metrics(broker)["leat_log_sync_failures_total"], 1)
                self.assertGreaterEqual(metrics(broker)["leat_log_offline_partitions"], 1)
                self.assertEqual(client.produce("t", 0, [b"refused"])[0], STORAGE_ERROR)

    def test_a_partition_that_cannot_be_opened_is_counted(self):
        with Broker(LEAT, "leat.shards=1", environment={"LEAT_FAULT_DISK": "io-errors:make-directory:/t-1:1"}, ends_with=1) as broker, \
                broker.client() as client:
            client.create_topic("t", 3)
            self.assertIn("fault-disk: struck make-directory", broker.log())
            self.wait_for(broker, "leat_partitions_failed", 1)
            self.assertEqual(metrics(broker)["leat_partitions"], 2)
            self.assertEqual(client.fetch("t", 1, 0)[0], STORAGE_ERROR)
            self.assertEqual(client.produce("t", 2, [b"v"])[0], NONE)

    def test_a_torn_tail_is_counted_by_its_bytes(self):
        with Broker(LEAT, "leat.shards=1") as broker:
            with broker.client() as client:
                client.create_topic("t")
                client.produce("t", 0, [b"whole"])
            broker.kill()
            log = next((broker.folder / "data").rglob("t-0/*.log"))
            with open(log, "ab") as file:
                file.write(batch([b"torn" * 100])[:123])
            broker.start()
            self.assertEqual(metrics(broker)["leat_log_recovery_cut_bytes_total"], 123)
            with broker.client() as client:
                self.assertEqual(client.read_all("t", 0), [(0, b"whole")])


class Table(unittest.TestCase):
    def test_every_metric_is_named_by_a_test(self):
        page = (ROOT / "docs/reference/metrics.md").read_text()
        names = set(re.findall(r"^\| `(leat_\w+)`", page, re.M))
        self.assertGreaterEqual(len(names), 50)
        tests = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "tests").rglob("*.cc"), *(ROOT / "src").rglob("*_test.cc")]
        told = "\n".join(path.read_text() for path in tests)
        self.assertEqual(sorted(name for name in names if not re.search(name + r"\b|" + name + "_(count|sum|bucket)", told)), [])


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
