#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Transactions over raw requests against `leat serve`: codes as Kafka has them, kill -9 at each step, held requests.

usage: transactions_test.py LEAT [--kafka VERSION] [TEST...]

With --kafka all is asked of Apache Kafka, for what is expected of Leat; where Leat refuses more, what Kafka does is expected.
"""
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "interop"), str(pathlib.Path(__file__).resolve().parent)]
import cli_shapes  # noqa: E402
from kafka_node import KafkaNode, LeatNode  # noqa: E402
from protocol import Client  # noqa: E402

LEAT = KAFKA = ""
NONE, COORDINATOR_LOADING, NOT_COORDINATOR, CONCURRENT = 0, 14, 16, 51
INVALID_EPOCH, INVALID_STATE, INVALID_MAPPING, FENCED = 47, 48, 49, 90


def broker_in(folder):
    """One broker with a folder of its own, which keeps data and port when it is started again."""
    settings = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200"}
    return KafkaNode(folder, KAFKA, settings=settings) if KAFKA else LeatNode(folder, LEAT, settings=settings)


class Producer:
    """The coordinator's APIs for one transactional id, with the retries that every client makes."""

    def __init__(self, address, name):
        self.client = Client(address)
        self.name, self.id, self.epoch = name, -1, -1
        self.retried(lambda: self.client.call("FindCoordinator", 4, key_type=1, coordinator_keys=[name])["coordinators"][0]["error_code"])

    @staticmethod
    def retried(call):
        for _ in range(1500):
            answer = call()
            code = answer[0] if isinstance(answer, tuple) else answer
            if code not in (CONCURRENT, COORDINATOR_LOADING, NOT_COORDINATOR, 15):
                return answer
            time.sleep(0.02)
        raise TimeoutError

    def init(self, timeout=60000):
        def once():
            answer = self.client.call("InitProducerId", 4, transactional_id=self.name, transaction_timeout_ms=timeout)
            if answer["error_code"] == NONE:
                self.id, self.epoch = answer["producer_id"], answer["producer_epoch"]
            return answer["error_code"]
        return self.retried(once)

    def add_once(self, topic, epoch=None, version=3):
        answer = self.client.call("AddPartitionsToTxn", version, v3_and_below_transactional_id=self.name,
                                  v3_and_below_producer_id=self.id, v3_and_below_producer_epoch=self.epoch if epoch is None else epoch,
                                  v3_and_below_topics=[{"name": topic, "partitions": [0]}])
        return answer["results_by_topic_v3_and_below"][0]["results_by_partition"][0]["partition_error_code"]

    def add(self, topic, **options):
        return self.retried(lambda: self.add_once(topic, **options))

    def end_once(self, commit, epoch=None, version=5):
        answer = self.client.call("EndTxn", version, transactional_id=self.name, producer_id=self.id,
                                  producer_epoch=self.epoch if epoch is None else epoch, committed=commit)
        return answer["error_code"], answer.get("producer_epoch")

    def end_and_leave(self, commit, version):
        """The request and the connection's end arrive together."""
        self.client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.client.send("EndTxn", version, transactional_id=self.name, producer_id=self.id, producer_epoch=self.epoch, committed=commit)
        self.client.socket.shutdown(socket.SHUT_WR)

    def end(self, commit, **options):
        return self.retried(lambda: self.end_once(commit, **options))

    def state(self):
        return self.client.call("DescribeTransactions", 0, transactional_ids=[self.name])["transaction_states"][0]

    def wait_for(self, state):
        for _ in range(1500):
            if self.state()["transaction_state"] == state:
                return
            time.sleep(0.02)
        raise TimeoutError(self.state())


class TransactionsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-txn-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.broker = broker_in(self.folder)
        self.address = self.broker.start()
        self.addCleanup(self.broker.stop)
        with Client(self.address) as client:
            client.call("CreateTopics", 5, topics=[{"name": "t", "num_partitions": 1, "replication_factor": 1}])

    def producer(self, name):
        out = Producer(self.address, name)
        self.addCleanup(out.client.socket.close)
        return out

    def restart(self):
        self.broker.stop(kill=True)
        self.address = self.broker.start()

    def test_a_held_end_ends_no_other_transaction_under_protocol_two(self):
        producer = self.producer("a")
        self.assertEqual(producer.init(), NONE)
        held = producer.epoch
        self.assertEqual(producer.add("t"), NONE)
        self.assertEqual(producer.end(True), (NONE, 1))
        producer.epoch = 1
        self.assertEqual(producer.add("t"), NONE)
        self.assertEqual(producer.end_once(True, epoch=held)[0], FENCED)
        self.assertEqual(producer.end_once(False, epoch=held)[0], FENCED)
        self.assertEqual(producer.state()["transaction_state"], "Ongoing")

    def test_an_end_may_be_asked_again_under_protocol_two(self):
        for commit in (True, False):
            with self.subTest(commit=commit):
                producer = self.producer(f"again-{commit}")
                self.assertEqual(producer.init(), NONE)
                self.assertEqual(producer.add("t"), NONE)
                self.assertEqual(producer.end(commit), (NONE, 1))
                producer.wait_for("CompleteCommit" if commit else "CompleteAbort")
                self.assertEqual(producer.end(commit), (NONE, 1))
                self.assertEqual(producer.end(not commit)[0], INVALID_STATE)
                producer.epoch = 1
                self.assertEqual(producer.end(True)[0], INVALID_STATE)
                self.assertEqual(producer.end(False), (NONE, 2))
                self.assertEqual(producer.end(False, epoch=0)[0], FENCED)

    def test_nothing_open_can_be_aborted_under_protocol_two_alone(self):
        producer = self.producer("empty")
        self.assertEqual(producer.init(), NONE)
        self.assertEqual(producer.end(True, version=4)[0], INVALID_STATE)
        self.assertEqual(producer.end(False, version=4)[0], INVALID_STATE)
        self.assertEqual(producer.end(True)[0], INVALID_STATE)
        self.assertEqual(producer.end(False), (NONE, 1))

    def test_what_a_connection_held_back_until_its_end_is_refused_under_protocol_one(self):
        old = self.producer("a")
        self.assertEqual(old.init(), NONE)
        self.assertEqual(old.add("t"), NONE)
        new = self.producer("a")
        new.id, new.epoch = old.id, old.epoch
        self.assertEqual(new.end(True, version=4)[0], NONE)
        self.assertEqual(new.add("t"), NONE)
        old.end_and_leave(True, version=4)
        if KAFKA:  # There it ends the other's transaction.
            new.wait_for("CompleteCommit")
            return
        time.sleep(0.5)
        self.assertEqual(new.state()["transaction_state"], "Ongoing")
        self.assertEqual(new.end(True, version=4)[0], NONE)

    def test_a_pool_of_connections_is_used_in_any_order(self):
        first, second = self.producer("a"), self.producer("a")
        self.assertEqual(second.init(), NONE)
        first.id, first.epoch = second.id, second.epoch
        self.assertEqual(first.add("t"), NONE)
        self.assertEqual(second.add("t"), NONE)
        self.assertEqual(first.end(True, version=4)[0], NONE)

    def test_each_state_outlives_a_kill(self):
        producer = self.producer("a")
        producer.init()
        producer.add("t")
        self.restart()
        again = self.producer("a")
        again.id, again.epoch = producer.id, producer.epoch
        again.wait_for("Ongoing")
        self.assertEqual(again.end(True), (NONE, 1))
        self.restart()
        last = self.producer("a")
        last.id, last.epoch = producer.id, producer.epoch
        last.wait_for("CompleteCommit")
        self.assertEqual(last.end(True), (NONE, 1))
        self.assertEqual(last.init(), NONE)
        self.assertEqual(last.epoch, 2)

    def test_a_transaction_whose_time_is_over_is_aborted(self):
        producer = self.producer("a")
        producer.init(timeout=300)
        producer.add("t")
        producer.wait_for("CompleteAbort")
        self.assertEqual(producer.end(True, version=4)[0], FENCED)

    def test_the_command_line_shows_what_is_open(self):
        producer = self.producer("a")
        producer.init()
        producer.add("t")

        def leat(*words):
            done = subprocess.run([LEAT, "txn", *words, "-b", self.address, "--output", "json"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)

        self.assertEqual(leat("list")["transactions"], [{"transactional_id": "a", "producer_id": producer.id, "state": "Ongoing"}])
        described = leat("describe", "a")
        self.assertEqual((described["state"], described["epoch"], described["timeout_ms"]), ("Ongoing", 0, 60000))
        self.assertLess(abs(time.time() * 1000 - described["started_ms"]), 60000)
        self.assertEqual(described["partitions"], [{"topic": "t", "partition": 0}])
        self.assertEqual(leat("find-hanging", "--older-than", "0"), {"hanging": []})
        producer.end(False)
        producer.wait_for("CompleteAbort")
        ended = leat("describe", "a")
        self.assertEqual((ended["state"], ended["started_ms"], ended["partitions"]), ("CompleteAbort", None, []))

    def test_the_command_line_lists_what_is_asked_for(self):
        fresh, working, done = (self.producer(name) for name in ("fresh", "open-1", "open-2"))
        for producer in (fresh, working, done):
            producer.init()
        for producer in (working, done):
            producer.add("t")
        done.end(True)
        done.wait_for("CompleteCommit")

        def leat(*words, code=0):
            answered = subprocess.run([LEAT, "txn", "list", *words, "-b", self.address, "--output", "json"], capture_output=True, text=True)
            self.assertEqual(answered.returncode, code, answered.stderr)
            return [t["transactional_id"] for t in json.loads(answered.stdout)["transactions"]] if code == 0 else answered.stderr

        everybody = ["fresh", "open-1", "open-2"]
        self.assertEqual(leat(), everybody)
        self.assertEqual([leat("--state", state) for state in ("Empty", "Ongoing", "CompleteCommit", "CompleteAbort")],
                         [["fresh"], ["open-1"], ["open-2"], []])
        self.assertEqual(leat("--state", "Ongoing", "--state", "Empty"), ["fresh", "open-1"])
        self.assertEqual(leat("--producer-id", str(working.id)), ["open-1"])
        self.assertEqual(leat("--producer-id", str(working.id), "--producer-id", str(done.id), "--state", "CompleteCommit"), ["open-2"])
        self.assertEqual(leat("--older-than", "3600"), ["fresh"])
        self.assertEqual([leat("--pattern", pattern) for pattern in ("open-.", "open", ".*1", ".*")], [["open-1", "open-2"], [], ["open-1"], everybody])
        self.assertIn("INVALID_REGULAR_EXPRESSION", leat("--pattern", "(", code=1))
        for words in (("--state", "Sleepy"), ("--producer-id", "x"), ("--producer-id", "-1"), ("--older-than", "soon")):
            self.assertIn(words[0], leat(*words, code=2))
        time.sleep(1.1)
        self.assertEqual(leat("--older-than", "1"), everybody)

    def test_the_command_line_ends_what_is_open(self):
        producer = self.producer("a")
        producer.init()
        producer.add("t")

        def leat(*words, code=0):
            done = subprocess.run([LEAT, "txn", "force-terminate", *words, "-b", self.address, "--output", "json"], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, code, done.stderr)
            return cli_shapes.check("txn force-terminate", json.loads(done.stdout)) if code == 0 else done.stderr

        self.assertIn("--yes", leat("a", code=2))
        self.assertEqual(producer.state()["transaction_state"], "Ongoing")
        self.assertEqual(leat("a", "--yes")["transactional_id"], "a")
        self.assertNotEqual(producer.state()["transaction_state"], "Ongoing")
        self.assertEqual(producer.state()["transaction_timeout_ms"], 60000)
        self.assertIn(producer.add_once("t"), (FENCED, INVALID_EPOCH))
        self.assertIn("nothing open", leat("a", "--yes", code=1))
        # Nor has one that has ended, though the time is told at which it began.
        for commit, state in ((False, "CompleteAbort"), (True, "CompleteCommit")):
            ended = self.producer(state)
            ended.init()
            ended.add("t")
            ended.end(commit)
            ended.wait_for(state)
            self.assertIn("nothing open", leat(state, "--yes", code=1))
            self.assertEqual(ended.state()["transaction_state"], state)
        # It would be made by the asking.
        self.assertIn("leat txn list", leat("b", "--yes", code=1))
        with Client(self.address) as client:
            self.assertEqual(sorted(t["transactional_id"] for t in client.call("ListTransactions", 0)["transaction_states"]),
                             ["CompleteAbort", "CompleteCommit", "a"])


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    if sys.argv[1:2] == ["--kafka"]:
        KAFKA = sys.argv.pop(2)
        sys.argv.pop(1)
    unittest.main()
