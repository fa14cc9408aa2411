#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Transactions that nobody would end (KIP-664): made as clients of before KIP-890 make them, found, shown and ended.

usage: hanging_test.py LEAT [--kafka VERSION] [TEST...]

With --kafka the command line and what it finds are tried on Apache Kafka (HangingTest), for what is expected of Leat. Without transaction.partition.verification.enable a broker appends what a client sends to a partition that its coordinator never heard of:
the coordinator has nothing to end, and readers of committed records wait for ever.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import raw_client  # noqa: E402
import transactions_test  # noqa: E402
from kafka_node import KafkaNode  # noqa: E402
from transactions_test import Client, Producer  # noqa: E402

KAFKA = ""

NONE, NOT_ENOUGH_REPLICAS, INVALID_EPOCH, INVALID_STATE, FENCED_COORDINATOR = 0, 19, 47, 48, 52
TRANSACTIONAL, COMMITTED = 0x10, 1
LONGEST_MS = 1500  # That a transaction may take, where the broker is to tell of one soon.


class Writer(Producer):
    """A producer that also writes, told to the coordinator or not."""

    def __init__(self, address, name, timeout=600_000):
        super().__init__(address, name)
        assert self.init(timeout=timeout) == NONE
        self.sequence = 0

    def write(self, topic, version=9):
        records = raw_client.batch([b"v"], producer=(self.id, self.epoch, self.sequence), attributes=TRANSACTIONAL)
        answer = self.client.call("Produce", version, transactional_id=self.name, acks=-1, timeout_ms=30000,
                                  topic_data=[{"name": topic, "partition_data": [{"index": 0, "records": records}]}])
        code = answer["responses"][0]["partition_responses"][0]["error_code"]
        self.sequence += code == NONE
        return code


class Place(unittest.TestCase):
    """A broker that appends unverified; no test of its own."""
    SETTINGS = {}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-hanging-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.broker = KafkaNode(self.folder, KAFKA, heap="512m") if KAFKA else transactions_test.broker_in(self.folder)
        self.broker.settings |= {"transaction.partition.verification.enable": "false"} | self.SETTINGS
        self.start()
        self.addCleanup(self.broker.stop)
        with Client(self.address) as client:
            for topic in "tu":
                client.call("CreateTopics", 5, topics=[{"name": topic, "num_partitions": 1, "replication_factor": 1}])
        self.until("the topics are there", lambda: self.ends("t") == self.ends("u") == (0, 0))

    def start(self):
        self.address = self.broker.start()
        self.http = None if KAFKA else re.search(r" HTTP (\S+)", self.broker.ready_line).group(1)

    def writer(self, name, **more):
        out = Writer(self.address, name, **more)
        self.addCleanup(out.client.socket.close)
        return out

    def leat(self, *words, code=0):
        done = subprocess.run([transactions_test.LEAT, "txn", *words, "-b", self.address], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def hanging(self, *words):
        return json.loads(self.leat("find-hanging", "--older-than", "0", *words, "--output", "json"))["hanging"]

    def ends(self, topic="t"):
        """(last stable offset, high watermark)"""
        with Client(self.address) as client:
            def end(isolation):
                answer = client.call("ListOffsets", 5, replica_id=-1, isolation_level=isolation, topics=[
                    {"name": topic, "partitions": [{"partition_index": 0, "current_leader_epoch": -1, "timestamp": -1}]}])
                return answer["topics"][0]["partitions"][0]["offset"]
            return end(COMMITTED), end(0)

    def fetched(self, topic="t"):
        """(values of committed records, offsets where aborted transactions begin)"""
        with Client(self.address) as client:
            answer = client.call("Fetch", 11, replica_id=-1, max_wait_ms=0, min_bytes=0, max_bytes=1 << 20, isolation_level=COMMITTED,
                                 session_epoch=-1, topics=[{"topic": topic, "partitions": [
                                     {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1 << 20}]}])
        found = answer["responses"][0]["partitions"][0]
        return len(list(raw_client.values_of(found["records"]))), [(a["producer_id"], a["first_offset"])
                                                                   for a in found["aborted_transactions"] or []]

    def gauge(self):
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=10) as got:
            return int(float(re.search(r"^leat_hanging_transactions (\S+)$", got.read().decode(), re.M).group(1)))

    def log(self):
        return (self.folder / "server.log").read_text()

    def until(self, what, condition):
        for _ in range(500):
            if condition():
                return
            time.sleep(0.02)
        self.fail(f"{what}\n{self.log()[-3000:]}")

    def mark(self, producer, epoch=None, coordinator_epoch=0, topic="t", committed=False):
        """An operator's WriteTxnMarkers."""
        with Client(self.address) as client:
            answer = client.call("WriteTxnMarkers", 1, markers=[{
                "producer_id": producer.id, "producer_epoch": producer.epoch if epoch is None else epoch, "transaction_result": committed,
                "coordinator_epoch": coordinator_epoch, "topics": [{"name": topic, "partition_indexes": [0]}]}])
        return answer["markers"][0]["topics"][0]["partitions"][0]["error_code"]


class HangingTest(Place):
    def test_the_command_line_finds_one_shows_its_owner_and_ends_it(self):
        lost, known = self.writer("lost"), self.writer("known")
        self.assertEqual(known.add("t"), NONE)
        self.assertEqual(known.write("t"), NONE)
        self.assertEqual(lost.write("t"), NONE)
        self.assertEqual(known.end(True, version=4)[0], NONE)
        self.until("the known one ends", lambda: self.ends() == (1, 3))
        rows = self.hanging()
        self.assertEqual([(r["topic"], r["partition"], r["producer_id"], r["epoch"], r["start_offset"], r["transactional_id"]) for r in rows],
                         [("t", 0, lost.id, lost.epoch, 1, "lost")])
        self.assertIn("lost", self.leat("find-hanging", "--older-than", "0"))
        self.assertEqual(self.hanging("--topic", "u"), [])
        self.assertEqual(json.loads(self.leat("find-hanging", "--output", "json")), {"hanging": []}, "it is younger than 15 minutes")
        self.assertIn("no transaction is open from there", self.leat("abort", "t", "0", "--start-offset", "0", "--yes", code=1))
        self.assertIn("--yes", self.leat("abort", "t", "0", "--start-offset", "1", code=2))
        self.assertEqual(self.ends(), (1, 3))
        done = json.loads(self.leat("abort", "t", "0", "--start-offset", "1", "--yes", "--output", "json"))
        self.assertEqual((done["topic"], done["partition"], done["producer_id"], done["start_offset"]), ("t", 0, lost.id, 1))
        self.assertEqual(self.ends(), (4, 4))
        self.assertEqual(self.hanging(), [])
        self.assertEqual(self.fetched()[1], [(lost.id, 1)])

    def test_one_that_a_coordinator_knows_does_not_hang(self):
        known = self.writer("known")
        self.assertEqual(known.add("t"), NONE)
        self.assertEqual(known.write("t"), NONE)
        self.assertEqual(self.ends(), (0, 1))
        self.assertEqual(self.hanging(), [])
        self.assertEqual(known.end(True, version=4)[0], NONE)
        self.until("it ends", lambda: self.ends() == (2, 2))

    def test_a_record_that_comes_after_the_end_opens_one(self):
        late = self.writer("late")
        self.assertEqual(late.add("t"), NONE)
        self.assertEqual(late.write("t"), NONE)
        self.assertEqual(late.end(True, version=4)[0], NONE)
        self.until("it ends", lambda: self.ends() == (2, 2))
        self.assertEqual(late.write("t"), NONE)
        self.assertEqual(self.ends(), (2, 3))
        self.assertEqual([(r["start_offset"], r["transactional_id"]) for r in self.hanging()], [(2, "late")])
        self.assertEqual(self.mark(late), NONE)
        self.assertEqual(self.ends(), (4, 4))
        # Its producer is as good as before: the next transaction is one.
        self.assertEqual(late.add("t"), NONE)
        self.assertEqual(late.write("t"), NONE)
        self.assertEqual(late.end(True, version=4)[0], NONE)
        self.until("the next ends", lambda: self.ends() == (6, 6))

    def test_a_producer_that_nobody_knows_has_no_owner(self):
        forged = self.writer("forged")
        forged.id += 1000
        self.assertEqual(forged.write("t"), NONE)
        self.assertEqual([(r["producer_id"], r["transactional_id"]) for r in self.hanging()], [(forged.id, None)])
        self.leat("abort", "t", "0", "--start-offset", "0", "--yes")
        self.assertEqual((self.hanging(), self.ends()), ([], (2, 2)))

    def test_where_membership_is_verified_none_can_be_made(self):
        with Client(self.address) as client:
            done = client.call("IncrementalAlterConfigs", 1, resources=[{"resource_type": 4, "resource_name": "", "configs": [
                {"name": "transaction.partition.verification.enable", "config_operation": 0, "value": "true"}]}])
            self.assertEqual(done["responses"][0]["error_code"], NONE)
        producer = self.writer("a")
        self.assertEqual(producer.write("t"), INVALID_STATE)
        self.assertEqual(producer.add("t"), NONE)
        self.assertEqual(producer.write("t"), NONE)
        self.assertEqual(producer.end(True, version=4)[0], NONE)
        self.until("it ends", lambda: self.ends() == (2, 2))
        codes = []
        # Its marker is there before its coordinator has written that it is over, and the next may have to wait for that.
        self.until("its coordinator knows", lambda: codes.append(producer.write("t")) or codes[-1] != NOT_ENOUGH_REPLICAS)
        self.assertEqual(codes[-1], INVALID_STATE)
        self.assertEqual((self.hanging(), self.ends()), ([], (2, 2)))

    def test_markers_of_an_operator_are_checked(self):
        lost = self.writer("lost")
        self.assertEqual((lost.init(), lost.epoch), (NONE, 1))
        self.assertEqual(lost.write("t"), NONE)
        self.assertEqual(self.mark(lost, topic="none"), 3)
        self.assertEqual(self.mark(lost, epoch=lost.epoch - 1), INVALID_EPOCH)
        self.assertEqual(self.ends(), (0, 1))
        self.assertEqual(self.mark(lost, coordinator_epoch=5), NONE)
        self.assertEqual(self.ends(), (2, 2))
        self.assertEqual(lost.write("t"), NONE)
        self.assertEqual(self.mark(lost, coordinator_epoch=4), FENCED_COORDINATOR)
        self.assertEqual(self.ends(), (2, 3))
        # The command line writes in the name of the coordinator that wrote there last.
        self.assertEqual(self.hanging()[0]["coordinator_epoch"], 5)
        self.leat("abort", "t", "0", "--start-offset", "2", "--yes")
        self.assertEqual(self.ends(), (4, 4))


class DetectionTest(Place):
    SETTINGS = {"transaction.max.timeout.ms": str(LONGEST_MS)}

    def told(self):
        return [line for line in self.log().splitlines() if "a transaction hangs" in line]

    def test_the_broker_tells_of_one_by_itself(self):
        self.assertEqual(self.gauge(), 0)
        lost, other = (self.writer(name, timeout=LONGEST_MS) for name in ("lost", "other"))
        self.assertEqual(lost.write("t"), NONE)
        begun = time.monotonic()
        self.until("the gauge rises", lambda: self.gauge() == 1)
        self.assertGreater(time.monotonic() - begun, LONGEST_MS / 1000 - 0.5, "a coordinator could have ended it until then")
        # The log has a thread of its own.
        self.until("it is told", self.told)
        told = self.told()
        self.assertEqual(len(told), 1, told)
        for word in ("topic=t", "partition=0", f"producer_id={lost.id}", "start=0", "transactional_id=lost"):
            self.assertIn(word, told[0])
        self.assertEqual(other.write("u"), NONE)
        self.until("it counts", lambda: self.gauge() == 2)
        self.leat("abort", "t", "0", "--start-offset", "0", "--yes")
        self.until("it counts down", lambda: self.gauge() == 1)
        self.leat("abort", "u", "0", "--start-offset", "0", "--yes")
        self.until("none is left", lambda: self.gauge() == 0)
        self.until("both were told", lambda: len(self.told()) > 1)
        self.assertEqual(len(self.told()), 2)
        self.assertIn("transactional_id=other", self.told()[1])

    def test_the_broker_tells_of_one_without_an_owner(self):
        forged = self.writer("forged", timeout=LONGEST_MS)
        forged.id += 1000
        self.assertEqual(forged.write("t"), NONE)
        self.until("it is told", self.told)
        self.assertIn(f"producer_id={forged.id}", self.told()[0])
        self.assertNotIn("forged", self.told()[0])


class StartTest(Place):
    def test_a_start_ends_what_no_coordinator_knows_and_nothing_else(self):
        lost, known = self.writer("lost"), self.writer("known")
        self.assertEqual(known.add("u"), NONE)
        self.assertEqual(known.write("u"), NONE)
        for start in (0, 2):  # Its producer is known after the first time, by the partition.
            self.assertEqual(lost.write("t"), NONE)
            self.assertEqual(self.ends(), (start, start + 1))
            self.broker.stop(kill=True)
            self.start()
            self.until("the unknown one is aborted", lambda: self.ends() == (start + 2, start + 2))
            for writer in (lost, known):
                writer.client.socket.close()
                writer.client = Client(self.address)
                self.addCleanup(writer.client.socket.close)
            known.wait_for("Ongoing")
        self.assertEqual(self.ends("u"), (0, 1))
        self.assertEqual(known.end(True, version=4)[0], NONE)
        self.until("it ends", lambda: self.ends("u") == (2, 2))
        self.assertEqual(self.fetched("u")[1], [])
        self.assertEqual(self.fetched("t")[1], [(lost.id, 0), (lost.id, 2)])
        told = [line for line in self.log().splitlines() if "a transaction that no coordinator knows was aborted" in line]
        self.assertEqual(["start=0" in told[0], "start=2" in told[1]], [True, True], told)
        self.assertEqual((len(told), self.gauge()), (2, 0))


if __name__ == "__main__":
    transactions_test.LEAT = sys.argv.pop(1)
    if sys.argv[1:2] == ["--kafka"]:
        KAFKA = sys.argv.pop(2)
        sys.argv[1:] = sys.argv[2:] or ["HangingTest"]
    unittest.main()
