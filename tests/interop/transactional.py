# SPDX-License-Identifier: Apache-2.0
"""A topic with transactions of somebody else, for clients that can read them but make none of their own.

Its one partition: a b committed, c d aborted, e (before their end) without a transaction, f committed, g left open. A reader of committed records sees
a b e f, any other sees all seven.
"""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import raw_client  # noqa: E402
from protocol import Client  # noqa: E402

IN_TRANSACTION = 0x10
AGAIN = {3, 5, 6, 14, 15, 16, 51}  # A leader or a coordinator that is being made, and a transaction that still ends.


def _until_done(call, codes):
    for _ in range(400):
        answer = call()
        found = set(codes(answer))
        if found == {0}:
            return answer
        if not found <= AGAIN:
            raise RuntimeError(str(answer))
        time.sleep(0.05)
    raise RuntimeError("the coordinator is not there")


class _Writer:
    def __init__(self, client, topic, name="writer"):
        self.client, self.topic, self.name, self.sequence = client, topic, f"{topic}-{name}", 0
        _until_done(lambda: client.call("FindCoordinator", 3, key=self.name, key_type=1), lambda a: [a["error_code"]])
        started = _until_done(lambda: client.call("InitProducerId", 4, transactional_id=self.name, transaction_timeout_ms=800_000, producer_id=-1,
                                                  producer_epoch=-1), lambda a: [a["error_code"]])
        self.id = {"transactional_id": self.name, "producer_id": started["producer_id"], "producer_epoch": started["producer_epoch"]}

    def plain(self, *values, **more):
        records = raw_client.batch([value.encode() for value in values], **more)
        _until_done(lambda: self.client.call("Produce", 9, transactional_id=self.name if more else None, acks=-1, timeout_ms=30_000, topic_data=[
            {"name": self.topic, "partition_data": [{"index": 0, "records": records}]}]),
            lambda a: [p["error_code"] for t in a["responses"] for p in t["partition_responses"]])

    def send(self, *values):
        added = dict(zip(("v3_and_below_transactional_id", "v3_and_below_producer_id", "v3_and_below_producer_epoch"), self.id.values()))
        _until_done(lambda: self.client.call("AddPartitionsToTxn", 3, **added, v3_and_below_topics=[{"name": self.topic, "partitions": [0]}]),
                    lambda a: [p["partition_error_code"] for t in a["results_by_topic_v3_and_below"] for p in t["results_by_partition"]])
        self.plain(*values, producer=(self.id["producer_id"], self.id["producer_epoch"], self.sequence), attributes=IN_TRANSACTION)
        self.sequence += len(values)

    def end(self, committed):
        _until_done(lambda: self.client.call("EndTxn", 3, **self.id, committed=committed), lambda a: [a["error_code"]])


def write(address, topic):
    with Client(address) as client:
        _until_done(lambda: client.call("CreateTopics", 5, topics=[{"name": topic, "num_partitions": 1, "replication_factor": 1}], timeout_ms=30_000),
                    lambda a: [t["error_code"] for t in a["topics"]])
        writer = _Writer(client, topic)
        writer.send("a", "b")
        writer.end(True)
        writer.send("c", "d")
        writer.plain("e")  # Before the end: where the marker comes later is chance.
        writer.end(False)
        writer.send("f")
        writer.end(True)
        writer.send("g")


def write_interleaved(address, topic, rounds, size):
    """Two producers at once, on a topic that is there: in each round a transaction of both, that end apart, some committed and some aborted; the last one
    of the first producer stays open, with one of the other behind it. Each has two records of `size` letters. Returns how many were aborted."""
    aborted = 0
    with Client(address) as client:
        one, two = _Writer(client, topic, "one"), _Writer(client, topic, "two")
        for i in range(rounds):
            for writer in (one, two, one, two):
                writer.send(f"{writer.name}-{i}-".ljust(size, "x"))
            for writer, is_kept in ((two, i % 3 == 0), (one, i % 2 == 0)):
                writer.end(is_kept)
                aborted += not is_kept
        one.send("open")
        two.send("behind")
        two.end(True)
    return aborted
