# SPDX-License-Identifier: Apache-2.0
"""What error_codes.py asks both nodes: one function a theme, run in the order of CASES.

A case talks to a Recorder: ask() records the answer under a label, quiet() only prepares.
"""
import time

CASES = []
UNKNOWN_ID = "11111111-2222-4333-8444-555555555555"
NO_OPERATIONS = -2147483648


def case_of(cases):
    """A decorator that adds a case to them."""
    def add(function):
        cases.append(function)
        return function
    return add


case = case_of(CASES)


def topic_of(name, partitions=1, factor=1, configs=None, assignments=None):
    return {"name": name, "num_partitions": partitions, "replication_factor": factor,
            "assignments": [{"partition_index": p, "broker_ids": ids} for p, ids in (assignments or [])],
            "configs": [{"name": n, "value": v} for n, v in (configs or {}).items()]}


def create(node, *topics, **options):
    node.quiet("CreateTopics", 7, topics=[topic_of(t) if isinstance(t, str) else t for t in topics], timeout_ms=30000, **options)


def without_configs(answer):
    """Effective settings are compared by their own case."""
    for topic in answer["topics"]:
        topic.pop("configs", None)
    return answer


def id_of(node, name):
    answer = node.quiet("Metadata", 12, topics=[{"name": name}], allow_auto_topic_creation=False)
    return answer["topics"][0]["topic_id"]


def wait_for(node, *names):
    """Kafka answers before its brokers know of a topic."""
    for name in names:
        for _ in range(200):
            if id_of(node, name) != "00000000-0000-0000-0000-000000000000":
                break
            time.sleep(0.05)


def wait_gone(node, name):
    for _ in range(200):
        if id_of(node, name) == "00000000-0000-0000-0000-000000000000":
            break
        time.sleep(0.05)


@case
def before_any_topic(node):
    for version in range(14):
        node.ask("all topics", "Metadata", version, topics=[] if version == 0 else None)
    node.ask("no topics", "Metadata", 12, topics=[])
    node.ask("cluster operations", "Metadata", 10, topics=[], include_cluster_authorized_operations=True)
    node.ask("group of nobody", "DescribeGroups", 5, groups=["nobody"])
    node.ask("none", "ListGroups", 4)
    node.ask("of nobody", "Heartbeat", 4, group_id="nobody", member_id="m", generation_id=1)


def kinds_of_topics(ask, prefix, known):
    """Topics as they may be asked for, most of them refused; `prefix` keeps those of one version from those of another, `known` is there already."""
    def named(name, *more, **options):
        return topic_of((prefix + name)[:249], *more, **options)
    ask("only validated", named("dry", 3), validate_only=True)
    ask("twice in one request", named("twin"), named("twin"), named("other"))
    ask("again", topic_of(known))
    for name in ("", ".", "..", "a/b", "a b", "x" * 250, "ünïcode", "__cluster_metadata"):
        ask(f"name {name[:12]!r}", topic_of(name))
    ask("longest name", named("y" * 249))
    ask("dots", named("with.dot"))
    ask("collision", named("with_dot"))
    for partitions in (0, -1, -2, 10001, 2147483647):
        ask(f"{partitions} partitions", named(f"count{partitions}", partitions))
    for factor in (0, -1, -2, 2, 32767):
        ask(f"{factor} copies", named(f"copies{factor}", 1, factor))
    ask("both default", named("defaults", -1, -1))
    ask("unknown setting", named("set1", configs={"no.such": "1"}))
    ask("bad number", named("set2", configs={"retention.ms": "soon"}))
    ask("out of range", named("set3", configs={"retention.ms": "-2"}))
    ask("bad choice", named("set4", configs={"cleanup.policy": "sometimes"}))
    ask("null setting", named("set5", configs={"retention.ms": None}))
    ask("bad boolean", named("set6", configs={"preallocate": "yes"}))
    ask("bad double", named("set7", configs={"min.cleanable.dirty.ratio": "2"}))
    ask("good settings", named("set8", configs={"retention.ms": "1000", "cleanup.policy": "compact,delete"}))
    ask("local above total", named("set9", configs={"local.retention.ms": "5000", "retention.ms": "1000"}))
    ask("manual", named("manual", -1, -1, assignments=[(0, [1]), (1, [1])]))
    ask("manual and count", named("manual2", 1, -1, assignments=[(0, [1])]))
    ask("manual and factor", named("manual3", -1, 1, assignments=[(0, [1])]))
    ask("manual with a gap", named("manual4", -1, -1, assignments=[(0, [1]), (2, [1])]))
    ask("manual without zero", named("manual5", -1, -1, assignments=[(1, [1])]))
    ask("manual on nobody", named("manual6", -1, -1, assignments=[(0, [9])]))
    ask("manual twice", named("manual7", -1, -1, assignments=[(0, [1, 1])]))
    ask("manual, same partition", named("manual8", -1, -1, assignments=[(0, [1]), (0, [1])]))
    ask("manual, no replica", named("manual9", -1, -1, assignments=[(0, [])]))
    ask("none")


@case
def topics_are_created(node):
    def ask(label, *topics, version=7, **more):
        node.ask(label, "CreateTopics", version, keep=without_configs, topics=list(topics), timeout_ms=30000, **more)
    for version in range(2, 8):
        ask("plain", topic_of(f"plain-{version}", 2), version=version)
    kinds_of_topics(ask, "", "plain-7")


@case
def topics_are_described(node):
    wait_for(node, "plain-7", "manual")
    node.quiet("CreateTopics", 7, topics=[topic_of("meta", 3)], timeout_ms=30000)
    wait_for(node, "meta")
    identity = id_of(node, "meta")
    for version in range(14):
        node.ask("known, unknown and bad names", "Metadata", version, allow_auto_topic_creation=False,
                 topics=[{"name": "meta"}] + ([{"name": "absent"}, {"name": "a/b"}, {"name": ""}, {"name": "meta"}] if version >= 4 else []))
    node.ask("topic operations", "Metadata", 12, topics=[{"name": "meta"}], include_topic_authorized_operations=True)
    node.ask("by id", "Metadata", 12, topics=[{"name": None, "topic_id": identity}])
    node.ask("by unknown id", "Metadata", 12, topics=[{"name": None, "topic_id": UNKNOWN_ID}])
    node.ask("by both", "Metadata", 12, topics=[{"name": "meta", "topic_id": identity}])
    node.ask("by neither", "Metadata", 12, topics=[{"name": None}])
    node.ask("by id and another by name", "Metadata", 12, topics=[{"name": None, "topic_id": identity}, {"name": "plain-7"}])
    node.ask("by id before its time", "Metadata", 10, topics=[{"name": "meta", "topic_id": identity}])
    node.ask("by id before its time", "Metadata", 11, topics=[{"name": "meta", "topic_id": identity}])
    node.ask("no name before its time", "Metadata", 10, topics=[{"name": None}])
    node.ask("pages", "DescribeTopicPartitions", 0, topics=[{"name": "meta"}, {"name": "absent"}, {"name": "a/b"}], response_partition_limit=2)
    node.ask("from a cursor", "DescribeTopicPartitions", 0, topics=[{"name": "meta"}], response_partition_limit=5,
             cursor={"topic_name": "meta", "partition_index": 2})
    node.ask("no limit", "DescribeTopicPartitions", 0, topics=[{"name": "meta"}], response_partition_limit=0)
    for version in (0, 1, 2):
        node.ask("plain", "DescribeCluster", version)
        node.ask("operations", "DescribeCluster", version, include_cluster_authorized_operations=True)
    for kind in (0, 2, 3):
        node.ask(f"endpoint {kind}", "DescribeCluster", 2, endpoint_type=kind)
    node.ask("metadata", "DescribeQuorum", 2, topics=[{"topic_name": "__cluster_metadata", "partitions": [{"partition_index": 0}]}])
    node.ask("another topic", "DescribeQuorum", 2, topics=[{"topic_name": "meta", "partitions": [{"partition_index": 0}]}])


@case
def topics_are_made_on_demand(node):
    node.quiet("Metadata", 12, topics=[{"name": "wanted"}])
    wait_for(node, "wanted")
    node.ask("made", "Metadata", 12, topics=[{"name": "wanted"}])
    node.ask("bad name", "Metadata", 12, topics=[{"name": "not/good"}])
    node.ask("not wanted", "Metadata", 12, topics=[{"name": "unwanted"}], allow_auto_topic_creation=False)
    node.ask("colliding", "Metadata", 12, topics=[{"name": "with_dot"}])


@case
def partitions_are_added(node):
    create(node, topic_of("grow", 2))
    wait_for(node, "grow")

    def ask(label, *topics, version=3, **more):
        node.ask(label, "CreatePartitions", version, topics=list(topics), timeout_ms=30000, **more)
    ask("validated", {"name": "grow", "count": 3, "assignments": None}, validate_only=True)
    for version in range(4):
        ask("one more", {"name": "grow", "count": 3 + version, "assignments": None}, version=version)
    ask("as many", {"name": "grow", "count": 6, "assignments": None})
    ask("fewer", {"name": "grow", "count": 1, "assignments": None})
    ask("negative", {"name": "grow", "count": -1, "assignments": None})
    ask("unknown topic", {"name": "absent", "count": 3, "assignments": None})
    ask("bad name", {"name": "a/b", "count": 3, "assignments": None})
    ask("twice", {"name": "grow", "count": 7, "assignments": None}, {"name": "grow", "count": 8, "assignments": None})
    ask("placed", {"name": "grow", "count": 7, "assignments": [{"broker_ids": [1]}]})
    ask("placed too few", {"name": "grow", "count": 9, "assignments": [{"broker_ids": [1]}]})
    ask("placed on nobody", {"name": "grow", "count": 8, "assignments": [{"broker_ids": [7]}]})
    ask("placed on none", {"name": "grow", "count": 8, "assignments": [{"broker_ids": []}]})
    # Not asked: 10,001 more at once. Kafka answers -1, makes them all the same, and is busy with them for minutes.


@case
def topics_are_deleted(node):
    create(node, *[f"gone-{version}" for version in range(1, 6)], "gone-by-name", "gone-by-id", "gone-twice")
    wait_for(node, "gone-by-id", "gone-twice")
    for version in range(1, 6):
        node.ask("known and unknown", "DeleteTopics", version, topic_names=[f"gone-{version}", "absent"], timeout_ms=30000)
    identity = id_of(node, "gone-by-id")
    node.ask("by name", "DeleteTopics", 6, topics=[{"name": "gone-by-name"}], timeout_ms=30000)
    node.ask("by id", "DeleteTopics", 6, topics=[{"name": None, "topic_id": identity}], timeout_ms=30000)
    node.ask("by id again", "DeleteTopics", 6, topics=[{"name": None, "topic_id": identity}], timeout_ms=30000)
    node.ask("by unknown id", "DeleteTopics", 6, topics=[{"name": None, "topic_id": UNKNOWN_ID}], timeout_ms=30000)
    node.ask("by neither", "DeleteTopics", 6, topics=[{"name": None}], timeout_ms=30000)
    node.ask("by both", "DeleteTopics", 6, topics=[{"name": "gone-twice", "topic_id": UNKNOWN_ID}], timeout_ms=30000)
    node.ask("twice", "DeleteTopics", 6, topics=[{"name": "gone-twice"}, {"name": "gone-twice"}], timeout_ms=30000)
    node.ask("bad name", "DeleteTopics", 6, topics=[{"name": "a/b"}], timeout_ms=30000)
    node.ask("none", "DeleteTopics", 6, topics=[], timeout_ms=30000)
    wait_gone(node, "gone-by-name")
    node.ask("and made again", "CreateTopics", 7, keep=without_configs, topics=[topic_of("gone-by-name")], timeout_ms=30000)


def resource(kind, name, keys=None):
    return {"resource_type": kind, "resource_name": name, "configuration_keys": keys}


def of_topic(answer):
    """Settings that both know. Not min.insync.replicas, which a feature of Kafka's sets for all brokers by itself."""
    for result in answer["results"]:
        result["configs"] = [c for c in result["configs"] if c["name"] in COMMON]
    return answer


COMMON = ("cleanup.policy", "compression.type", "delete.retention.ms", "file.delete.delay.ms", "flush.messages", "flush.ms",
          "index.interval.bytes", "max.compaction.lag.ms", "max.message.bytes", "message.timestamp.type",
          "message.timestamp.before.max.ms", "message.timestamp.after.max.ms", "min.cleanable.dirty.ratio",
          "min.compaction.lag.ms", "preallocate", "retention.bytes", "retention.ms", "segment.bytes",
          "segment.index.bytes", "segment.jitter.ms", "segment.ms")


@case
def settings_are_described(node):
    create(node, topic_of("settings", 1, 1, {"retention.ms": "5000", "cleanup.policy": "compact"}))
    wait_for(node, "settings")
    for version in range(1, 5):
        node.ask("topic", "DescribeConfigs", version, keep=of_topic, resources=[resource(2, "settings")], include_synonyms=True)
    node.ask("topic, some", "DescribeConfigs", 4, resources=[resource(2, "settings", ["retention.ms", "no.such", "segment.bytes"])])
    node.ask("topic, none", "DescribeConfigs", 4, keep=of_topic, resources=[resource(2, "settings", [])])
    node.ask("unknown topic", "DescribeConfigs", 4, resources=[resource(2, "absent")])
    node.ask("bad topic", "DescribeConfigs", 4, resources=[resource(2, "a/b")])
    node.ask("empty topic", "DescribeConfigs", 4, resources=[resource(2, "")])
    node.ask("unknown broker", "DescribeConfigs", 4, resources=[resource(4, "9")])
    node.ask("broker with a name", "DescribeConfigs", 4, resources=[resource(4, "first")])
    node.ask("broker's defaults", "DescribeConfigs", 4, keep=of_topic, resources=[resource(4, "")])
    node.ask("broker, some", "DescribeConfigs", 4, resources=[resource(4, "1", ["num.partitions", "log.retention.hours"])])
    node.ask("unknown kind", "DescribeConfigs", 4, resources=[resource(3, "x")])
    node.ask("unknown logger", "DescribeConfigs", 4, resources=[resource(8, "9")])
    node.ask("nothing", "DescribeConfigs", 4, resources=[])


@case
def settings_are_changed(node):
    create(node, topic_of("change"))
    wait_for(node, "change")

    def ask(label, kind, name, *changes, version=1, **more):
        node.ask(label, "IncrementalAlterConfigs", version, resources=[{
            "resource_type": kind, "resource_name": name,
            "configs": [{"name": n, "config_operation": op, "value": v} for n, op, v in changes]}], **more)
    for version in (0, 1):
        ask("set", 2, "change", ("retention.ms", 0, "1000"), version=version)
    ask("validated", 2, "change", ("retention.ms", 0, "9999"), validate_only=True)
    ask("unset", 2, "change", ("retention.ms", 1, None))
    ask("append", 2, "change", ("cleanup.policy", 2, "compact"))
    ask("append again", 2, "change", ("cleanup.policy", 2, "compact"))
    ask("subtract", 2, "change", ("cleanup.policy", 3, "delete"))
    ask("append to a number", 2, "change", ("retention.ms", 2, "1"))
    ask("subtract from a number", 2, "change", ("retention.ms", 3, "1"))
    ask("unknown operation", 2, "change", ("retention.ms", 4, "1"))
    ask("negative operation", 2, "change", ("retention.ms", -1, "1"))
    ask("null", 2, "change", ("retention.ms", 0, None))
    ask("unknown setting", 2, "change", ("no.such", 0, "1"))
    ask("unset unknown", 2, "change", ("no.such", 1, None))
    ask("bad value", 2, "change", ("retention.ms", 0, "soon"))
    ask("bad choice", 2, "change", ("compression.type", 0, "zip"))
    ask("same setting twice", 2, "change", ("retention.ms", 0, "1"), ("retention.ms", 0, "2"))
    ask("unknown topic", 2, "absent", ("retention.ms", 0, "1"))
    ask("bad topic", 2, "a/b", ("retention.ms", 0, "1"))
    ask("empty topic", 2, "", ("retention.ms", 0, "1"))
    ask("unknown broker", 4, "9", ("log.retention.ms", 0, "1"))
    ask("broker by name", 4, "first", ("log.retention.ms", 0, "1"))
    ask("broker", 4, "1", ("log.retention.ms", 0, "86400000"))
    ask("all brokers", 4, "", ("log.retention.ms", 0, "172800000"))
    ask("broker, bad value", 4, "1", ("log.retention.ms", 0, "soon"))
    ask("broker, unset", 4, "1", ("log.retention.ms", 1, None))
    ask("all brokers, unset", 4, "", ("log.retention.ms", 1, None))
    ask("broker, fixed setting", 4, "1", ("node.id", 0, "5"))
    ask("unknown kind", 3, "x", ("retention.ms", 0, "1"))
    ask("nothing", 2, "change")
    node.ask("twice", "IncrementalAlterConfigs", 1, resources=[
        {"resource_type": 2, "resource_name": "change", "configs": [{"name": "retention.ms", "config_operation": 0, "value": "1"}]}] * 2)
    time.sleep(0.5)
    node.ask("afterwards", "DescribeConfigs", 4, resources=[resource(2, "change", ["retention.ms", "cleanup.policy"])], include_synonyms=True)

    def replace(label, name, *settings, version=2, **more):
        node.ask(label, "AlterConfigs", version, resources=[{"resource_type": 2, "resource_name": name, "configs": [
            {"name": n, "value": v} for n, v in settings]}], **more)
    for version in (0, 1, 2):
        replace("replace", "change", ("segment.ms", "5000000"), version=version)
    replace("validated", "change", ("segment.ms", "70000"), validate_only=True)
    replace("unknown setting", "change", ("no.such", "1"))
    replace("bad value", "change", ("segment.ms", "x"))
    replace("null", "change", ("segment.ms", None))
    replace("unknown topic", "absent", ("segment.ms", "5000000"))
    replace("same setting twice", "change", ("segment.ms", "1"), ("segment.ms", "2"))
    time.sleep(0.5)
    node.ask("afterwards", "DescribeConfigs", 4, resources=[resource(2, "change", ["segment.ms", "cleanup.policy"])])

    def topics_only(answer):
        kept = [r for r in answer["config_resources"] if r.get("resource_type", 16) != 2 or r["resource_name"] in ("change", "settings")]
        return answer | {"config_resources": kept}
    node.ask("client metrics", "ListConfigResources", 0)
    node.ask("all", "ListConfigResources", 1, keep=topics_only)
    node.ask("topics", "ListConfigResources", 1, keep=topics_only, resource_types=[2])
    node.ask("unknown kind", "ListConfigResources", 1, resource_types=[3])


@case
def replicas_stay(node):
    create(node, topic_of("still", 2))
    wait_for(node, "still")
    for version in (0, 1, 2):
        node.ask("known and unknown", "ElectLeaders", version, timeout_ms=30000, topic_partitions=[
            {"topic": "still", "partitions": [0, 1, 5]}, {"topic": "absent", "partitions": [0]}])
    node.ask("all", "ElectLeaders", 2, timeout_ms=30000, topic_partitions=None)
    node.ask("unclean", "ElectLeaders", 2, election_type=1, timeout_ms=30000, topic_partitions=[{"topic": "still", "partitions": [0]}])
    node.ask("unknown kind", "ElectLeaders", 2, election_type=5, timeout_ms=30000, topic_partitions=[{"topic": "still", "partitions": [0]}])

    def move(label, topic, partition, replicas, version=1):
        node.ask(label, "AlterPartitionReassignments", version, timeout_ms=30000,
                 topics=[{"name": topic, "partitions": [{"partition_index": partition, "replicas": replicas}]}])
    for version in (0, 1):
        move("where it is", "still", 0, [1], version)
    move("cancelled", "still", 0, None)
    move("to nobody", "still", 0, [4])
    move("to none", "still", 0, [])
    move("twice", "still", 0, [1, 1])
    move("unknown topic", "absent", 0, [1])
    move("unknown partition", "still", 9, [1])
    node.ask("none", "ListPartitionReassignments", 0, timeout_ms=30000, topics=None)
    for version in (1, 2):
        node.ask("unknown folder", "AlterReplicaLogDirs", version, dirs=[
            {"path": "/nowhere", "topics": [{"name": "still", "partitions": [0]}, {"name": "absent", "partitions": [0]}]}])
        node.ask("where it is", "AlterReplicaLogDirs", version, dirs=[{"path": str(node.node.data), "topics": [{"name": "still", "partitions": [0]}]}])
    for version in range(1, 5):
        node.ask("some", "DescribeLogDirs", version, topics=[{"topic": "still", "partitions": [0, 1, 7]}, {"topic": "absent", "partitions": [0]}])
    node.ask("no topics", "DescribeLogDirs", 4, topics=[])
    for name, level in (("metadata.version", 1), ("no.such.feature", 1)):
        for kind in (1, 2, 3):
            node.ask(f"{name} {kind}", "UpdateFeatures", 2, timeout_ms=30000, feature_updates=[
                {"feature": name, "max_version_level": level, "upgrade_type": kind}], validate_only=True)


def joining(group, member="", session=10000, **more):
    return {"group_id": group, "session_timeout_ms": session, "rebalance_timeout_ms": 60000, "member_id": member,
            "protocol_type": "consumer", "protocols": [{"name": "range", "metadata": SUBSCRIPTION}]} | more


# Version 0, the topic "subscribed", no user data.
SUBSCRIPTION = b"\0\0\0\0\0\1\0\nsubscribed\xff\xff\xff\xff"


def coordinator(node, group, version=4):
    """Until there is one: Kafka makes its topic in the background."""
    for _ in range(400):
        answer = node.quiet("FindCoordinator", version, key_type=0, coordinator_keys=[group])
        if answer["coordinators"][0]["error_code"] == 0:
            break
        time.sleep(0.05)
    for _ in range(400):
        if node.quiet("Heartbeat", 4, group_id=group, member_id="x", generation_id=1)["error_code"] not in (14, 15, 16):
            break
        if node.quiet("OffsetFetch", 8, groups=[{"group_id": group, "topics": None}])["groups"][0]["error_code"] == 0:
            break
        time.sleep(0.05)


@case
def coordinators_are_found(node):
    coordinator(node, "somebody")
    for version in range(4):
        node.ask("group", "FindCoordinator", version, key="somebody", key_type=0)
    for version in range(4, 7):
        node.ask("groups", "FindCoordinator", version, key_type=0, coordinator_keys=["somebody", "else", ""])
    node.ask("none", "FindCoordinator", 4, key_type=0, coordinator_keys=[])
    for kind in (3, -1, 127):
        node.ask(f"kind {kind}", "FindCoordinator", 4, key_type=kind, coordinator_keys=["x"])
        node.ask(f"kind {kind}", "FindCoordinator", 2, key_type=kind, key="x")
    for version in (3, 4, 5):
        node.ask("share group, too early" if version < 6 else "share group", "FindCoordinator", version, key_type=2,
                 **({"key": "g:x:0"} if version < 4 else {"coordinator_keys": ["g:x:0"]}))


def join(node, group, client="check", **more):
    """A member of its own connection: its id after the two rounds of KIP-394, and the join's answer."""
    first = node.quiet("JoinGroup", 9, client=client, **joining(group, **more))
    return first["member_id"], node.quiet("JoinGroup", 9, client=client, **joining(group, first["member_id"], **more))


@case
def members_join(node):
    create(node, topic_of("subscribed", 2))
    wait_for(node, "subscribed")
    for version in range(10):
        group = f"join-{version}"
        coordinator(node, group)
        answer = node.ask("first", "JoinGroup", version, **joining(group))
        if version >= 4:
            answer = node.ask("second", "JoinGroup", version, **joining(group, answer["member_id"]))
        member, generation = answer["member_id"], answer["generation_id"]
        node.ask("again", "JoinGroup", version, **joining(group, member))
        sync_version = min(version, 5)
        more = {"protocol_type": "consumer", "protocol_name": "range"} if sync_version == 5 else {}
        node.ask("as leader", "SyncGroup", sync_version, group_id=group, member_id=member, generation_id=generation,
                 assignments=[{"member_id": member, "assignment": b"mine"}], **more)
        node.ask("alive", "Heartbeat", min(version, 4), group_id=group, member_id=member, generation_id=generation)
        node.ask("stable", "DescribeGroups", min(version, 6), groups=[group])
        if version < 3:
            node.ask("goes", "LeaveGroup", version, group_id=group, member_id=member)
        else:
            node.ask("goes", "LeaveGroup", min(version, 5), group_id=group, members=[{"member_id": member}, {"member_id": "unknown"}])
        node.ask("empty", "DescribeGroups", min(version, 6), groups=[group])
    group = "refused"
    coordinator(node, group)
    node.ask("no group", "JoinGroup", 9, **joining(""))
    node.ask("short session", "JoinGroup", 9, **joining(group, session=10))
    node.ask("long session", "JoinGroup", 9, **joining(group, session=99999999))
    node.ask("unknown member", "JoinGroup", 9, **joining(group, "somebody"))
    node.ask("unknown member, old", "JoinGroup", 3, **joining(group, "somebody"))
    node.ask("no protocols", "JoinGroup", 9, **joining(group, protocols=[]))
    node.ask("no protocol type", "JoinGroup", 9, **joining(group, protocol_type=""))
    node.ask("unknown static member", "JoinGroup", 9, **joining(group, "somebody", group_instance_id="i"))
    member, joined = join(node, group)
    node.ask("another protocol", "JoinGroup", 9, client="two", **joining(group, protocols=[{"name": "other", "metadata": b""}]))
    node.ask("another type", "JoinGroup", 9, client="two", **joining(group, protocol_type="connect"))
    generation = joined["generation_id"]
    sync = {"group_id": group, "member_id": member, "generation_id": generation, "protocol_type": "consumer", "protocol_name": "range"}
    node.ask("stale generation", "SyncGroup", 5, **sync | {"generation_id": generation - 1})
    node.ask("future generation", "SyncGroup", 5, **sync | {"generation_id": generation + 1})
    node.ask("unknown member", "SyncGroup", 5, **sync | {"member_id": "somebody"})
    node.ask("no member", "SyncGroup", 5, **sync | {"member_id": ""})
    node.ask("no group", "SyncGroup", 5, **sync | {"group_id": ""})
    node.ask("unknown group", "SyncGroup", 5, **sync | {"group_id": "not-there"})
    node.ask("other protocol", "SyncGroup", 5, **sync | {"protocol_name": "other"})
    node.ask("other type", "SyncGroup", 5, **sync | {"protocol_type": "other"})
    node.ask("no protocol", "SyncGroup", 5, **sync | {"protocol_name": None})
    node.ask("unknown instance", "SyncGroup", 5, **sync | {"group_instance_id": "nobody"})
    beat = {"group_id": group, "member_id": member, "generation_id": generation}
    for change in ({"generation_id": generation - 1}, {"generation_id": generation + 1}, {"member_id": "somebody"},
                   {"member_id": ""}, {"group_id": ""}, {"group_id": "not-there"}, {"group_instance_id": "nobody"}):
        node.ask(str(change), "Heartbeat", 4, **beat | change)
    node.ask("while assigning", "Heartbeat", 4, **beat)
    node.ask("no group", "LeaveGroup", 5, group_id="", members=[{"member_id": "m"}])
    node.ask("unknown group", "LeaveGroup", 5, group_id="not-there", members=[{"member_id": "m"}])
    node.ask("unknown group, old", "LeaveGroup", 1, group_id="not-there", member_id="m")
    node.ask("unknown member, old", "LeaveGroup", 1, group_id=group, member_id="m")
    node.ask("unknown instance", "LeaveGroup", 5, group_id=group, members=[{"member_id": "", "group_instance_id": "nobody"}])
    node.ask("no members", "LeaveGroup", 5, group_id=group, members=[])


@case
def members_are_static(node):
    group = "static"
    coordinator(node, group)
    join_static = joining(group, group_instance_id="one")
    answer = node.ask("first", "JoinGroup", 9, **join_static)
    member, generation = answer["member_id"], answer["generation_id"]
    sync = {"group_id": group, "member_id": member, "generation_id": generation, "group_instance_id": "one",
            "protocol_type": "consumer", "protocol_name": "range", "assignments": [{"member_id": member, "assignment": b"mine"}]}
    node.ask("assigned", "SyncGroup", 5, **sync)
    again = node.ask("came back", "JoinGroup", 9, client="two", **join_static)
    node.ask("fenced", "Heartbeat", 4, group_id=group, member_id=member, generation_id=generation, group_instance_id="one")
    node.ask("fenced", "JoinGroup", 9, **join_static | {"member_id": member})
    node.ask("fenced", "SyncGroup", 5, **sync)
    node.ask("fenced", "OffsetCommit", 8, group_id=group, member_id=member, generation_id_or_member_epoch=generation, group_instance_id="one",
             topics=[{"name": "subscribed", "partitions": [{"partition_index": 0, "committed_offset": 1, "committed_metadata": ""}]}])
    node.ask("fenced", "LeaveGroup", 5, group_id=group, members=[{"member_id": member, "group_instance_id": "one"}])
    node.ask("alive", "Heartbeat", 4, group_id=group, member_id=again["member_id"], generation_id=again["generation_id"], group_instance_id="one")
    node.ask("came back with an old client", "JoinGroup", 8, client="three", **join_static)
    node.ask("described", "DescribeGroups", 6, groups=[group])
    node.ask("taken out", "LeaveGroup", 5, group_id=group, members=[{"member_id": "", "group_instance_id": "one"}])


def by_topic(rows):
    """Partitions of (topic, partition...) rows under their topics."""
    topics = {}
    for topic, *row in rows:
        topics.setdefault(topic, []).append(row)
    return topics.items()


def commit(group, offsets, generation=-1, member="", **more):
    return {"group_id": group, "generation_id_or_member_epoch": generation, "member_id": member, "topics": [
        {"name": topic, "partitions": [{"partition_index": p, "committed_offset": o, "committed_metadata": text} for p, o, text in rows]}
        for topic, rows in by_topic(offsets)]} | more


@case
def offsets_are_committed(node):
    create(node, topic_of("read", 3))
    wait_for(node, "read")
    identity = id_of(node, "read")
    for version in range(2, 10):
        group = f"commit-{version}"
        coordinator(node, group)
        node.ask("simple", "OffsetCommit", version, **commit(group, [("read", 0, 5, "text"), ("read", 9, 1, ""), ("absent", 0, 1, "")]))
    coordinator(node, "commit-10")
    node.ask("by id", "OffsetCommit", 10, group_id="commit-10", topics=[
        {"topic_id": i, "partitions": [{"partition_index": 0, "committed_offset": 7, "committed_leader_epoch": 0, "committed_metadata": None}]}
        for i in (identity, UNKNOWN_ID)])
    group = "commit-9"
    node.ask("long text", "OffsetCommit", 8, **commit(group, [("read", 0, 5, "t" * 4097), ("read", 1, 5, "t" * 4096)]))
    node.ask("negative offset", "OffsetCommit", 8, **commit(group, [("read", 0, -5, "")]))
    node.ask("nothing", "OffsetCommit", 8, **commit(group, []))
    coordinator(node, "")
    node.ask("no group", "OffsetCommit", 8, **commit("", [("read", 0, 5, "")]))
    for version in (8, 9):
        node.ask("generation of an empty group", "OffsetCommit", version, **commit(group, [("read", 0, 5, "")], 3, "m"))
        node.ask("unknown group with a generation", "OffsetCommit", version, **commit("not-there", [("read", 0, 5, "")], 3, "m"))
        node.ask("unknown member, no generation", "OffsetCommit", version, **commit(group, [("read", 0, 5, "")], -1, "m"))
    group = "commit-live"
    coordinator(node, group)
    member, joined = join(node, group)
    generation = joined["generation_id"]
    node.ask("before the assignment", "OffsetCommit", 8, **commit(group, [("read", 0, 5, "")], generation, member))
    node.quiet("SyncGroup", 5, group_id=group, member_id=member, generation_id=generation, protocol_type="consumer", protocol_name="range",
               assignments=[{"member_id": member, "assignment": b""}])
    node.ask("member", "OffsetCommit", 8, **commit(group, [("read", 0, 6, ""), ("subscribed", 0, 3, "")], generation, member))
    node.ask("stale", "OffsetCommit", 8, **commit(group, [("read", 0, 5, "")], generation - 1, member))
    node.ask("stranger", "OffsetCommit", 8, **commit(group, [("read", 0, 5, "")], generation, "m"))
    node.ask("outsider", "OffsetCommit", 8, **commit(group, [("read", 0, 5, "")]))
    node.ask("unknown instance", "OffsetCommit", 8, **commit(group, [("read", 0, 5, "")], generation, member, group_instance_id="i"))
    node.ask("live group", "DeleteGroups", 2, groups_names=[group])
    node.ask("subscribed and not", "OffsetDelete", 0, group_id=group, topics=[
        {"name": "subscribed", "partitions": [{"partition_index": 0}]}, {"name": "read", "partitions": [{"partition_index": 0}]}])
    node.ask("left", "OffsetFetch", 8, groups=[{"group_id": group, "topics": None}])


@case
def offsets_are_fetched(node):
    identity = id_of(node, "read")
    wanted = [{"name": "read", "partition_indexes": [0, 1, 9]}, {"name": "absent", "partition_indexes": [0]}]
    for version in range(1, 8):
        node.ask("some", "OffsetFetch", version, group_id="commit-8", topics=wanted)
        node.ask("of nobody", "OffsetFetch", version, group_id="nobody", topics=wanted)
        if version >= 2:
            node.ask("all", "OffsetFetch", version, group_id="commit-8", topics=None)
    node.ask("no group", "OffsetFetch", 7, group_id="", topics=wanted)
    node.ask("stable", "OffsetFetch", 7, group_id="commit-8", topics=wanted, require_stable=True)
    for version in (8, 9):
        node.ask("groups", "OffsetFetch", version, groups=[
            {"group_id": "commit-8", "topics": wanted}, {"group_id": "nobody", "topics": wanted}, {"group_id": "commit-7", "topics": None},
            {"group_id": "commit-6", "topics": []}])
    node.ask("as a member", "OffsetFetch", 9, groups=[{"group_id": "commit-8", "member_id": "m", "member_epoch": 5, "topics": wanted}])
    node.ask("by id", "OffsetFetch", 10, groups=[{"group_id": "commit-10", "topics": [
        {"topic_id": i, "partition_indexes": [0, 1]} for i in (identity, UNKNOWN_ID)]}])
    node.ask("all, with ids", "OffsetFetch", 10, groups=[{"group_id": "commit-10", "topics": None}])
    node.ask("no groups", "OffsetFetch", 8, groups=[])


@case
def groups_are_administered(node):
    groups = ["commit-8", "join-9", "commit-live", "nobody", ""]
    for version in range(7):
        node.ask("some", "DescribeGroups", version, groups=groups)
    for version in (3, 5, 6):
        node.ask("operations", "DescribeGroups", version, groups=["join-9", "nobody"], include_authorized_operations=True)
    node.ask("none", "DescribeGroups", 6, groups=[])
    for version in range(6):
        node.ask("all", "ListGroups", version)
    for states in (["Stable"], ["Empty"], ["empty", "DEAD"], ["NoSuchState"], ["CompletingRebalance", "PreparingRebalance"]):
        node.ask(f"states {states}", "ListGroups", 5, states_filter=states)
    for types in (["classic"], ["Consumer"], ["share"], ["nosuch"]):
        node.ask(f"types {types}", "ListGroups", 5, types_filter=types)
    for version in range(3):
        node.ask("unknown, empty and good", "DeleteGroups", version, groups_names=["nobody", "", f"commit-{version + 2}"])
    node.ask("twice", "DeleteGroups", 2, groups_names=["commit-5", "commit-5"])
    node.ask("deleted", "DescribeGroups", 6, groups=["commit-2"])
    node.ask("deleted", "OffsetFetch", 8, groups=[{"group_id": "commit-2", "topics": None}])

    def forget(label, group, *topics):
        node.ask(label, "OffsetDelete", 0, group_id=group, topics=[
            {"name": t, "partitions": [{"partition_index": p} for (p,) in rows]} for t, rows in by_topic(topics)])
    forget("known and unknown", "commit-8", ("read", 0), ("read", 2), ("read", 9), ("absent", 0))
    forget("unknown group", "nobody", ("read", 0))
    forget("no group", "", ("read", 0))
    forget("nothing", "commit-9")
    node.ask("gone", "OffsetFetch", 8, groups=[{"group_id": "commit-8", "topics": None}])


@case
def offsets_go_with_their_topic(node):
    create(node, topic_of("brief", 1))
    wait_for(node, "brief")
    coordinator(node, "reads-brief")
    node.quiet("OffsetCommit", 8, **commit("reads-brief", [("brief", 0, 4, ""), ("read", 0, 1, "")]))
    node.quiet("DeleteTopics", 6, topics=[{"name": "brief"}], timeout_ms=30000)
    wait_gone(node, "brief")
    time.sleep(0.3)
    node.ask("left", "OffsetFetch", 8, groups=[{"group_id": "reads-brief", "topics": None}])


@case
def scram_users_are_altered(node):
    def row(name, mechanism=1, iterations=4096):
        return {"name": name, "mechanism": mechanism, "iterations": iterations, "salt": b"salt", "salted_password": b"p" * 32}

    def alter(label, upsertions=(), deletions=()):
        node.ask(label, "AlterUserScramCredentials", 0, deletions=[{"name": name, "mechanism": mechanism} for name, mechanism in deletions],
                 upsertions=list(upsertions))
    alter("one", [row("one")])
    alter("two mechanisms of one user", [row("two"), row("two", 2)])
    alter("twice", [row("twice"), row("twice")])
    alter("too few iterations, and again", [row("few", iterations=4095), row("few")])
    alter("again, then too few iterations", [row("again"), row("again", iterations=4095)])
    alter("unknown mechanism", [row("unknown", 9)])
    alter("without a name", [row("")])
    alter("removed and set", [row("one")], [("one", 1)])
    alter("none to remove", deletions=[("nobody", 1)])
    alter("none to remove, and again", deletions=[("nobody", 1), ("nobody", 2)])
    alter("removed", deletions=[("one", 1)])
    time.sleep(0.5)
    node.ask("afterwards", "DescribeUserScramCredentials", 0, users=[{"name": name} for name in ("one", "two", "again")])
