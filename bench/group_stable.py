#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a group takes until it is stable after its members join, on Leat and on Apache Kafka.

usage: group_stable.py LEAT [--kind consumer|classic] [--members 100] [--partitions 200] [--runs 3]

All members join at once, each on a connection of its own. Those of the consumer protocol obey the heartbeat interval that the broker
names, classic ones beat every 3 s, as clients do. What has to be given up is given up at once. Stable: every member is at the group's
last epoch, or generation, and together they own all partitions. Prints one JSON line a broker and the ratio.
"""
import argparse
import dataclasses
import heapq
import json
import pathlib
import select
import statistics
import struct
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


@dataclasses.dataclass(frozen=True)
class Size:
    members: int
    partitions: int


def once(address, run, size, kind="consumer"):
    node, topic, group = Plain(address), f"bench-{run}", f"bench-{kind}-{run}"
    node.quiet("CreateTopics", 7, topics=[topic_of(topic, size.partitions)], timeout_ms=30000)
    wait_for(node, topic)
    coordinator(node, group)
    time.sleep(2)
    if kind == "classic":
        return classic(address, group, topic, size)
    return consumer(node, address, group, topic, size)


def consumer(node, address, group, topic, size):
    topic_id = id_of(node, topic)
    members = [Member(address, group, n) for n in range(size.members)]
    began = time.monotonic()
    queue = [(began, n) for n in range(size.members)]
    while True:
        when, n = heapq.heappop(queue)
        time.sleep(max(0, when - time.monotonic()))
        heapq.heappush(queue, (time.monotonic() + members[n].beat(topic, topic_id), n))
        epochs = {m.epoch for m in members}
        if len(epochs) == 1 and sum(len(m.owned) for m in members) == size.partitions and len({p for m in members for p in m.owned}) == size.partitions:
            described = node.quiet("ConsumerGroupDescribe", 1, group_ids=[group])["groups"][0]
            if described["group_state"] == "Stable" and described["group_epoch"] in epochs:
                return time.monotonic() - began


HEARTBEAT_S = 3  # heartbeat.interval.ms of Java's consumer
REBALANCING, UNKNOWN_MEMBER, ILLEGAL_GENERATION, MEMBER_ID_REQUIRED = 27, 25, 22, 79


class Classic:
    """A classic member: one request under way; `due` says when the next heartbeat is sent. The leader deals partitions out in turn."""

    def __init__(self, address, group, topic, number, partitions):
        self.connection = protocol.Client(address, client_id=f"member-{number}", patience=120)
        self.group, self.topic, self.partitions = group, topic, partitions
        self.id, self.generation, self.owned, self.due, self.waiting = "", -1, None, None, None
        name = topic.encode()
        self.subscription = struct.pack(">hih", 0, 1, len(name)) + name + struct.pack(">i", -1)

    def ask(self, api, version, **values):
        self.waiting, self.due = (api, version), None
        self.connection.send(api, version, group_id=self.group, member_id=self.id, **values)

    def join(self):
        self.owned = None
        self.ask("JoinGroup", 5, session_timeout_ms=45000, rebalance_timeout_ms=300000, protocol_type="consumer",
                 protocols=[{"name": "range", "metadata": self.subscription}])

    def beat(self):
        self.ask("Heartbeat", 3, generation_id=self.generation)

    def deal(self, members):
        """What each member gets, in the bytes of the consumer protocol."""
        out, name = [], self.topic.encode()
        for number, member in enumerate(members):
            mine = range(number, self.partitions, len(members))
            assigned = struct.pack(">hih", 0, 1, len(name)) + name + struct.pack(f">i{len(mine)}i", len(mine), *mine) + struct.pack(">i", -1)
            out.append({"member_id": member["member_id"], "assignment": assigned})
        return out

    def take(self):
        """Reads the answer that has come and goes on."""
        (api, version), self.waiting = self.waiting, None
        answer = self.connection.receive(api, version)
        error = answer["error_code"]
        if error == MEMBER_ID_REQUIRED:
            self.id = answer["member_id"]
            self.join()
        elif error in (REBALANCING, ILLEGAL_GENERATION):
            self.join()
        elif error == UNKNOWN_MEMBER:
            self.id = ""
            self.join()
        elif error:
            raise RuntimeError(f"{api}: error {error}")
        elif api == "JoinGroup":
            self.id, self.generation = answer["member_id"], answer["generation_id"]
            leads = answer["leader"] == self.id
            self.ask("SyncGroup", 3, generation_id=self.generation, assignments=self.deal(answer["members"]) if leads else [])
        else:
            if api == "SyncGroup":
                raw = answer["assignment"]
                count = struct.unpack_from(">i", raw, 8 + len(self.topic))[0]
                self.owned = struct.unpack_from(f">{count}i", raw, 12 + len(self.topic))
            self.due = time.monotonic() + HEARTBEAT_S


def classic(address, group, topic, size):
    members = [Classic(address, group, topic, n, size.partitions) for n in range(size.members)]
    by_socket = {m.connection.socket.fileno(): m for m in members}
    watch = select.poll()
    for fd in by_socket:
        watch.register(fd, select.POLLIN)
    began = time.monotonic()
    for member in members:
        member.join()
    while True:
        now = time.monotonic()
        soonest = min((m.due for m in members if m.due), default=now + 1)
        for fd, _ in watch.poll(max(0, (soonest - now) * 1000)):
            by_socket[fd].take()
        for member in members:
            if member.due and member.due <= time.monotonic():
                member.beat()
        if len({m.generation for m in members}) == 1 and all(m.owned is not None for m in members) and \
                sorted(p for m in members for p in m.owned) == list(range(size.partitions)):
            return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--kind", choices=("consumer", "classic"), default="consumer")
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--partitions", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    medians = {}
    with tempfile.TemporaryDirectory(prefix="leat-group-") as folder:
        place = pathlib.Path(folder)
        for name, make in (("leat", lambda: kafka_node.LeatNode(place / "leat", options.binary)), ("kafka", lambda: kafka_node.KafkaNode(place / "kafka"))):
            with make() as node:
                seconds = [once(node.address, run, Size(options.members, options.partitions), options.kind) for run in range(options.runs)]
            medians[name] = statistics.median(seconds)
            print(json.dumps({"broker": name, "kind": options.kind, "members": options.members, "partitions": options.partitions,
                              "seconds": [round(s, 3) for s in seconds], "median": round(medians[name], 3)}), flush=True)
    print(json.dumps({"ratio": round(medians["leat"] / medians["kafka"], 3)}))


if __name__ == "__main__":
    main()
