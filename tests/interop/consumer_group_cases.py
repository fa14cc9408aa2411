# SPDX-License-Identifier: Apache-2.0
"""What error_codes.py asks both nodes about groups of the consumer protocol (KIP-848)."""
import time

from error_cases import SUBSCRIPTION, case, coordinator, create, id_of, joining, topic_of, wait_for

# Kafka gives a group a new assignment once a second at most.
ASSIGNMENT_INTERVAL_S = 1.1


class Group:
    """Members choose their ids themselves, so that both nodes compute with the same ones."""

    def __init__(self, node, name, topic):
        self.node, self.name, self.topic, self.topic_id = node, name, topic, id_of(node, topic)
        coordinator(node, name)
        # Kafka's coordinator hears of a topic a moment after clients do.
        time.sleep(2)

    def beat(self, label, member, epoch, owned=None, version=1, ask=True, **more):
        values = {"group_id": self.name, "member_id": member, "member_epoch": epoch,
                  "topic_partitions": None if owned is None else self.partitions(owned)} | more
        if not ask:
            return self.node.quiet("ConsumerGroupHeartbeat", version, client=member, **values)
        return self.node.ask(label, "ConsumerGroupHeartbeat", version, client=member, **values)

    def partitions(self, numbers):
        return [{"topic_id": self.topic_id, "partitions": numbers}] if numbers else []

    def join(self, label, member, **more):
        values = {"rebalance_timeout_ms": 60000, "subscribed_topic_names": [self.topic], "owned": []} | more
        return self.beat(label, member, 0, **values)

    def describe(self, label, version=1):
        self.node.ask(label, "ConsumerGroupDescribe", version, group_ids=[self.name], include_authorized_operations=False)


def told(answer):
    return [p for t in (answer["assignment"] or {"topic_partitions": []})["topic_partitions"] for p in t["partitions"]]


@case
def consumer_groups_reconcile(node):
    create(node, topic_of("read", 4))
    wait_for(node, "read")
    group = Group(node, "modern", "read")
    group.join("first", "m1")
    group.beat("nothing new", "m1", 2)
    group.beat("full", "m1", 2, [0, 1, 2, 3], rebalance_timeout_ms=60000, subscribed_topic_names=["read"])
    group.describe("stable")
    group.describe("stable, old", 0)
    group.beat("settled", "m1", 2)
    group.join("second, within the interval", "m2")
    group.describe("assigning")
    time.sleep(ASSIGNMENT_INTERVAL_S)
    group.beat("second waits", "m2", 2, [])
    first = group.beat("first has to revoke", "m1", 2, [0, 1, 2, 3])
    group.beat("it has not yet", "m1", 2, [0, 1, 2, 3])
    group.beat("second still waits", "m2", 3, [])
    group.describe("reconciling")
    kept = told(first)
    group.beat("first has revoked", "m1", 2, kept)
    group.beat("the answer was lost", "m1", 2, kept)
    group.beat("owns too much for the previous epoch", "m1", 2, [0, 1, 2, 3])
    group.beat("second gets them", "m2", 3, [])
    group.describe("stable again")
    node.ask("by the classic API", "DescribeGroups", 6, groups=["modern"])
    node.ask("by the classic API, old", "DescribeGroups", 5, groups=["modern"])
    for types in ([], ["consumer"], ["classic"], ["Consumer"]):
        answer = lambda a: a | {"groups": [g for g in a["groups"] if g["group_id"] == "modern"]}
        node.ask(f"of types {types}", "ListGroups", 5, keep=answer, types_filter=types)
    group.beat("second leaves", "m2", -1)
    group.beat("second is gone", "m2", 3)
    time.sleep(ASSIGNMENT_INTERVAL_S)
    group.beat("first gets all", "m1", 3, kept)
    node.ask("not empty", "DeleteGroups", 2, groups_names=["modern"])
    group.beat("first leaves", "m1", -1)
    group.describe("empty")
    node.ask("empty", "DeleteGroups", 2, groups_names=["modern"])
    group.describe("deleted")


@case
def consumer_groups_refuse(node):
    create(node, topic_of("refusing", 2))
    wait_for(node, "refusing")
    group = Group(node, "refusals", "refusing")
    group.beat("no group", "m1", 1)
    group.beat("leaves no group", "m1", -1)
    group.describe("no group")
    group.join("no member id", "")
    group.join("blank member id", " ")
    group.join("no timeout", "m1", rebalance_timeout_ms=-1)
    group.join("no owned partitions", "m1", owned=None)
    group.join("owned partitions", "m1", owned=[0])
    group.join("no subscription", "m1", subscribed_topic_names=None)
    group.join("empty instance id", "m1", instance_id="")
    group.join("empty rack", "m1", rack_id="")
    group.join("assignor", "m1", server_assignor="sticky")
    group.beat("static leave of a dynamic one", "m1", -2)
    group.beat("no such epoch", "m1", -3)
    group.beat("no member", "", 5)
    node.ask("no group id", "ConsumerGroupHeartbeat", 1, group_id="", member_id="m1", member_epoch=0, rebalance_timeout_ms=1,
             subscribed_topic_names=[], topic_partitions=[])
    group.join("joins", "m1")
    group.beat("greater epoch", "m1", 3)
    group.beat("smaller epoch", "m1", 1)
    group.beat("another member", "m2", 2)
    group.beat("another leaves", "m2", -1)
    group.beat("unknown instance", "m1", 2, instance_id="i")
    group.join("again", "m1")
    group.join("range", "m1", server_assignor="range")
    group.describe("range")


@case
def consumer_groups_keep_static_members(node):
    create(node, topic_of("static", 2))
    wait_for(node, "static")
    group = Group(node, "statics", "static")
    group.join("joins", "m1", instance_id="i1", rack_id="r1")
    group.join("instance is taken", "m2", instance_id="i1")
    group.beat("not its own", "m2", 2, instance_id="i1")
    group.beat("leaves for another", "m2", -1, instance_id="i1")
    group.beat("leaves for a while", "m1", -2, instance_id="i1")
    group.describe("away")
    group.join("comes back", "m2", instance_id="i1")
    group.describe("back")
    group.beat("the old one", "m1", 2, instance_id="i1")
    group.beat("leaves", "m2", -1, instance_id="i1")
    group.describe("gone")


@case
def consumer_groups_read_patterns(node):
    create(node, topic_of("pattern-a", 1), topic_of("pattern-b", 2), topic_of("another", 1))
    wait_for(node, "pattern-a", "pattern-b", "another")
    group = Group(node, "patterns", "pattern-a")
    group.join("malformed", "m1", subscribed_topic_names=None, subscribed_topic_regex="(")
    group.join("joins", "m1", subscribed_topic_names=None, subscribed_topic_regex="pattern-.*")
    time.sleep(0.5)
    group.beat("is resolved", "m1", 1, [])
    group.describe("by pattern")
    group.beat("malformed later", "m1", 2, subscribed_topic_regex="[")
    group.beat("no pattern any more", "m1", 2, subscribed_topic_regex="", subscribed_topic_names=["another"])


@case
def consumer_groups_commit_offsets(node):
    create(node, topic_of("committed", 4))
    wait_for(node, "committed")
    group = Group(node, "commits", "committed")
    group.join("", "m1", ask=False)

    def commit(label, member, epoch, partition=0, version=9):
        node.ask(label, "OffsetCommit", version, group_id="commits", member_id=member, generation_id_or_member_epoch=epoch,
                 topics=[{"name": "committed", "partitions": [{"partition_index": partition, "committed_offset": 7}]}])

    def fetch(label, member, epoch):
        node.ask(label, "OffsetFetch", 9, require_stable=False, groups=[
            {"group_id": "commits", "member_id": member, "member_epoch": epoch,
             "topics": [{"name": "committed", "partition_indexes": [0, 1, 2, 3]}]}])
    commit("current epoch", "m1", 2)
    commit("older version", "m1", 2, version=8)
    commit("newer epoch", "m1", 3)
    commit("older epoch", "m1", 1)
    commit("unknown member", "m2", 2)
    commit("nobody", "", -1)
    fetch("current epoch", "m1", 2)
    fetch("stale epoch", "m1", 1)
    fetch("unknown member", "m2", 2)
    fetch("nobody", None, -1)
    group.join("", "m2", ask=False)
    time.sleep(ASSIGNMENT_INTERVAL_S)
    group.beat("", "m2", 2, [], ask=False)
    kept = told(group.beat("", "m1", 2, [0, 1, 2, 3], ask=False))
    group.beat("", "m1", 2, kept, ask=False)
    for partition in range(4):
        commit(f"previous epoch, partition {partition}", "m1", 2, partition)
    node.ask("subscribed", "OffsetDelete", 0, group_id="commits", topics=[{"name": "committed", "partitions": [{"partition_index": 0}]}])
    group.beat("", "m1", -1, ask=False)
    group.beat("", "m2", -1, ask=False)
    commit("nobody is in it", "", -1)
    node.ask("nobody is in it", "OffsetDelete", 0, group_id="commits", topics=[{"name": "committed", "partitions": [{"partition_index": 0}]}])


@case
def groups_change_their_protocol(node):
    create(node, topic_of("subscribed", 2))
    wait_for(node, "subscribed")
    group = Group(node, "changing", "subscribed")
    first = node.quiet("JoinGroup", 9, **joining("changing"))["member_id"]
    node.quiet("JoinGroup", 9, **joining("changing", first))
    mine = b"\0\0\0\0\0\1\0\nsubscribed\0\0\0\2\0\0\0\0\0\0\0\1\xff\xff\xff\xff"
    node.quiet("SyncGroup", 5, group_id="changing", member_id=first, generation_id=1, protocol_type="consumer", protocol_name="range",
               assignments=[{"member_id": first, "assignment": mine}])
    group.join("upgrades", "zzz")
    node.ask("classic API", "DescribeGroups", 6, groups=["changing"])
    heartbeat = {"group_id": "changing", "member_id": first, "generation_id": 1}
    time.sleep(ASSIGNMENT_INTERVAL_S)
    group.beat("waits", "zzz", 2, [])
    node.ask("has to join again", "Heartbeat", 4, **heartbeat)
    node.ask("unknown member", "Heartbeat", 4, **heartbeat | {"member_id": "nobody"})
    node.ask("another generation", "Heartbeat", 4, **heartbeat | {"generation_id": 9})
    node.ask("not of the classic protocol", "Heartbeat", 4, **heartbeat | {"member_id": "zzz"})
    node.ask("stale generation", "SyncGroup", 5, group_id="changing", member_id=first, generation_id=9, protocol_type="consumer",
             protocol_name="range", assignments=[])
    joined = node.ask("joins again", "JoinGroup", 9, **joining("changing", first))
    node.ask("another protocol", "SyncGroup", 5, group_id="changing", member_id=first, generation_id=joined["generation_id"],
             protocol_type="consumer", protocol_name="other", assignments=[])
    node.ask("gets its part", "SyncGroup", 5, group_id="changing", member_id=first, generation_id=joined["generation_id"],
             protocol_type="consumer", protocol_name="range", assignments=[])
    node.ask("other strategy", "JoinGroup", 9, **joining("changing", protocols=[{"name": "other", "metadata": SUBSCRIPTION}]))
    node.ask("other type", "JoinGroup", 9, **joining("changing", protocol_type="connect"))
    group.beat("gets the rest", "zzz", 2, [])
    node.ask("unknown leaves", "LeaveGroup", 5, group_id="changing", members=[{"member_id": "nobody"}])
    group.beat("leaves", "zzz", -1)
    node.ask("classic again", "ConsumerGroupDescribe", 1, group_ids=["changing"], include_authorized_operations=False)
    node.ask("is told", "Heartbeat", 4, **heartbeat | {"generation_id": joined["generation_id"]})
    node.ask("classic leaves", "LeaveGroup", 5, group_id="changing", members=[{"member_id": first}])
    group.join("takes over an empty one", "zzz")
    group.beat("leaves it empty", "zzz", -1)
    node.ask("classic takes over an empty one", "JoinGroup", 9, keep=lambda a: a | {"member_id": "<id>"}, **joining("changing"))


@case
def group_settings(node):
    def alter(label, group, *settings, **more):
        node.ask(label, "IncrementalAlterConfigs", 1, resources=[{"resource_type": 32, "resource_name": group, "configs": [
            {"name": name, "config_operation": operation, "value": value} for name, operation, value in settings]}], **more)

    def show(label, group):
        node.ask(label, "DescribeConfigs", 4, include_synonyms=True, resources=[{"resource_type": 32, "resource_name": group, "configuration_keys": [
            "consumer.assignment.interval.ms", "consumer.heartbeat.interval.ms", "consumer.session.timeout.ms"]}])
    show("has none", "set")
    alter("set", "set", ("consumer.session.timeout.ms", 0, "50000"), ("consumer.heartbeat.interval.ms", 0, "6000"))
    for value in ("44999", "60001", "x", ""):
        alter(f"session of {value}", "set", ("consumer.session.timeout.ms", 0, value))
    for value in ("4999", "15001", "0"):
        alter(f"heartbeat of {value}", "set", ("consumer.heartbeat.interval.ms", 0, value))
    for value in ("-1", "15001"):
        alter(f"assignment of {value}", "set", ("consumer.assignment.interval.ms", 0, value))
    alter("unknown", "set", ("no.such", 0, "1"))
    alter("appended", "set", ("consumer.session.timeout.ms", 2, "1"))
    alter("validated", "other", ("consumer.session.timeout.ms", 0, "50000"), validate_only=True)
    alter("without a name", "", ("consumer.session.timeout.ms", 0, "50000"))
    time.sleep(0.5)
    show("has two", "set")
    show("was only validated", "other")
    alter("unset", "set", ("consumer.session.timeout.ms", 1, None))
    time.sleep(0.5)
    show("has one", "set")
    node.ask("groups with settings", "ListConfigResources", 1, resource_types=[32])
