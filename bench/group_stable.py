#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a group of the consumer protocol takes until it is stable after its members join, on Leat and on Apache Kafka.

usage: group_stable.py LEAT [--members 100] [--partitions 200] [--runs 3]

All members join at once, each on a connection of its own, and obey the heartbeat interval that the broker names, as clients do. What
has to be given up is given up at once. Stable: every member is at the group's last epoch and together they own all partitions.
Prints one JSON line a broker and the ratio.
"""
import argparse
import heapq
import json
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/interop"))

import kafka_node
import protocol
from error_cases import coordinator, id_of, topic_of, wait_for


class Plain:
    """The calls that the helpers of error_cases need."""

    def __init__(self, address):
        self.connection = protocol.Client(address)

    def quiet(self, api, version, client=None, **values):
        return self.connection.call(api, version, **values)


class Member:
    def __init__(self, address, group, number):
        self.connection = protocol.Client(address, client_id=f"member-{number}")
        self.group, self.id, self.epoch, self.owned, self.tells = group, f"member-{number:04}", 0, [], True

    def beat(self, topic, topic_id):
        values = {"topic_partitions": [{"topic_id": topic_id, "partitions": self.owned}] if self.owned else []} if self.tells else {}
        if self.epoch == 0:
            values |= {"rebalance_timeout_ms": 60000, "subscribed_topic_names": [topic]}
        self.tells = False
        answer = self.connection.call("ConsumerGroupHeartbeat", 1, group_id=self.group, member_id=self.id, member_epoch=self.epoch, **values)
        if answer["error_code"]:
            raise RuntimeError(f"{self.id}: error {answer['error_code']} {answer['error_message']}")
        self.epoch = answer["member_epoch"]
        if answer["assignment"] is not None:
            self.owned = [p for t in answer["assignment"]["topic_partitions"] for p in t["partitions"]]
            self.tells = True
        # A client that has changed what it owns says so at once.
        return 0 if self.tells else answer["heartbeat_interval_ms"] / 1000


def once(address, run, options):
    node, topic, group = Plain(address), f"bench-{run}", f"bench-{run}"
    node.quiet("CreateTopics", 7, topics=[topic_of(topic, options.partitions)], timeout_ms=30000)
    wait_for(node, topic)
    coordinator(node, group)
    time.sleep(2)
    topic_id = id_of(node, topic)
    members = [Member(address, group, n) for n in range(options.members)]
    began = time.monotonic()
    queue = [(began, n) for n in range(options.members)]
    while True:
        when, n = heapq.heappop(queue)
        time.sleep(max(0, when - time.monotonic()))
        heapq.heappush(queue, (time.monotonic() + members[n].beat(topic, topic_id), n))
        epochs = {m.epoch for m in members}
        if len(epochs) == 1 and sum(len(m.owned) for m in members) == options.partitions and len({p for m in members for p in m.owned}) == options.partitions:
            described = node.quiet("ConsumerGroupDescribe", 1, group_ids=[group])["groups"][0]
            if described["group_state"] == "Stable" and described["group_epoch"] in epochs:
                return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    medians = {}
    with tempfile.TemporaryDirectory(prefix="leat-group-") as folder:
        place = pathlib.Path(folder)
        for name, make in (("leat", lambda: kafka_node.LeatNode(place / "leat", options.binary)), ("kafka", lambda: kafka_node.KafkaNode(place / "kafka"))):
            with make() as node:
                seconds = [once(node.address, run, options) for run in range(options.runs)]
            medians[name] = statistics.median(seconds)
            print(json.dumps({"broker": name, "members": options.members, "partitions": options.partitions,
                              "seconds": [round(s, 3) for s in seconds], "median": round(medians[name], 3)}), flush=True)
    print(json.dumps({"ratio": round(medians["leat"] / medians["kafka"], 3)}))


if __name__ == "__main__":
    main()
