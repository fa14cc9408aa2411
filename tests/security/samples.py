# SPDX-License-Identifier: Apache-2.0
"""At least one request for each right of the table, in which it decides, about things of these names. A sample is (API, label, first
version, fields); the fields may depend on the peer, which knows its topic's id. What would change something is asked so that it
changes nothing, or is put back before the next cell; only tokens and markers add up, and ends of tokens move."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("interop", "system")]
import protocol  # noqa: E402
import raw_client  # noqa: E402

TOPIC, GROUP, TXN, NEW = "mx-topic", "mx-group", "mx-txn", "mx-new"
# A topic that Metadata makes, a group with a member who reads TOPIC, a transaction that has TOPIC in it, somebody else with tokens, who asks.
MADE, LIVE, OPEN, OTHER, USER = "mx-made", "mx-live", "mx-open", "bob", "alice"
# A subscription to metrics of clients.
METRICS = "mx-metrics"
NOBODY = "00000000-0000-0000-0000-0000000000ff"
BATCH = raw_client.batch([b"x"])
IN_TRANSACTION = raw_client.batch([b"x"], producer=(99_999, 0, 0), attributes=0x10)
REPLICA = 5
# Versions besides the newest in which all cells are tried: a field or a way to name things is in no later one.
OLDER = {("AddPartitionsToTxn", 3), ("Fetch", 12), ("Metadata", 10), ("Produce", 12)}
# Codes that pass, besides those that do for all.
PASSING = {("Metadata", "creating"): {3, 5}}


def resource(kind, name, **fields):
    return {"resources": [{"resource_type": kind, "resource_name": name, **fields}]}


def altered(kind, which, operation=True, **setting):
    setting = {"name": "retention.ms", "value": "1000"} | ({"config_operation": 0} if operation else {}) | setting
    return resource(kind, which, configs=[setting]) | {"validate_only": True}


SAMPLES = [
    ("Produce", "", 3, lambda p: dict(transactional_id=None, acks=-1, timeout_ms=5000, topic_data=[
        {"name": TOPIC, "topic_id": p.topic_id, "partition_data": [{"index": 0, "records": BATCH}]}])),
    ("Produce", "unknown", 3, lambda p: dict(transactional_id=None, acks=-1, timeout_ms=5000, topic_data=[
        {"name": NEW, "topic_id": NOBODY, "partition_data": [{"index": 0, "records": BATCH}]}])),
    ("Produce", "in a transaction", 3, lambda p: dict(transactional_id=TXN, acks=-1, timeout_ms=5000, topic_data=[
        {"name": TOPIC, "topic_id": p.topic_id, "partition_data": [{"index": 0, "records": IN_TRANSACTION}]}])),
    ("Fetch", "", 0, lambda p: dict(replica_id=-1, max_wait_ms=0, min_bytes=0, max_bytes=1 << 20, session_epoch=-1, topics=[
        {"topic": TOPIC, "topic_id": p.topic_id, "partitions": [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1}]}])),
    ("Fetch", "unknown", 0, lambda p: dict(replica_id=-1, max_wait_ms=0, min_bytes=0, max_bytes=1 << 20, session_epoch=-1, topics=[
        {"topic": NEW, "topic_id": NOBODY, "partitions": [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1}]}])),
    ("Fetch", "as a replica", 0, lambda p: dict(
        replica_id=REPLICA, replica_state={"replica_id": REPLICA, "replica_epoch": -1}, max_wait_ms=0, min_bytes=0, max_bytes=1 << 20,
        session_epoch=-1, topics=[{"topic": TOPIC, "topic_id": p.topic_id, "partitions": [
            {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1}]}])),
    ("ListOffsets", "", 0, lambda p: dict(replica_id=-1, topics=[
        {"name": TOPIC, "partitions": [{"partition_index": 0, "timestamp": -2}]},
        {"name": NEW, "partitions": [{"partition_index": 0, "timestamp": -2}]}])),
    ("Metadata", "creating", 0, lambda p: dict(allow_auto_topic_creation=True, include_topic_authorized_operations=True,
                                               include_cluster_authorized_operations=True, topics=[{"name": TOPIC}, {"name": MADE}])),
    ("Metadata", "named", 4, lambda p: dict(allow_auto_topic_creation=False, include_topic_authorized_operations=True,
                                            include_cluster_authorized_operations=True, topics=[{"name": TOPIC}, {"name": NEW}])),
    ("Metadata", "all", 1, lambda p: dict(topics=None, include_topic_authorized_operations=True)),
    ("Metadata", "by id", 12, lambda p: dict(topics=[{"topic_id": p.topic_id, "name": None}])),
    ("OffsetCommit", "", 2, lambda p: dict(group_id=GROUP, member_id="", topics=[
        {"name": TOPIC, "topic_id": p.topic_id, "partitions": [
            {"partition_index": 0, "committed_offset": 1, "committed_metadata": ""}]}])),
    ("OffsetFetch", "named", 1, lambda p: dict(group_id=GROUP, topics=[{"name": TOPIC, "partition_indexes": [0]}], groups=[
        {"group_id": GROUP, "topics": [{"name": TOPIC, "topic_id": p.topic_id, "partition_indexes": [0]}]}])),
    ("OffsetFetch", "all", 2, lambda p: dict(group_id=GROUP, topics=None, groups=[{"group_id": GROUP, "topics": None}])),
    ("FindCoordinator", "group", 0, lambda p: dict(key=GROUP, key_type=0, coordinator_keys=[GROUP])),
    ("FindCoordinator", "transaction", 1, lambda p: dict(key=TXN, key_type=1, coordinator_keys=[TXN])),
    ("JoinGroup", "", 0, lambda p: dict(group_id=GROUP, session_timeout_ms=1, rebalance_timeout_ms=1000, member_id="nobody",
                                        protocol_type="consumer", protocols=[{"name": "range", "metadata": b""}])),
    ("Heartbeat", "", 0, lambda p: dict(group_id=GROUP, generation_id=1, member_id="nobody")),
    ("LeaveGroup", "", 0, lambda p: dict(group_id=GROUP, member_id="nobody", members=[{"member_id": "nobody"}])),
    ("SyncGroup", "", 0, lambda p: dict(group_id=GROUP, generation_id=1, member_id="nobody", protocol_type="consumer",
                                        protocol_name="range")),
    ("DescribeGroups", "", 0, lambda p: dict(groups=[GROUP], include_authorized_operations=True)),
    ("ListGroups", "", 0, lambda p: dict()),
    ("CreateTopics", "", 1, lambda p: dict(topics=[{"name": NEW, "num_partitions": 1, "replication_factor": 1},
                                                   {"name": TOPIC, "num_partitions": 1, "replication_factor": 1}],
                                           validate_only=True, timeout_ms=5000)),
    ("DeleteTopics", "", 0, lambda p: dict(topics=[{"name": NEW}], topic_names=[NEW], timeout_ms=5000)),
    ("DeleteTopics", "existing", 0, lambda p: dict(topics=[{"name": "mx-gone"}], topic_names=["mx-gone"], timeout_ms=5000)),
    ("DeleteTopics", "by id", 6, lambda p: dict(topics=[{"name": None, "topic_id": p.gone_id}], timeout_ms=5000)),
    ("DeleteRecords", "", 0, lambda p: dict(timeout_ms=5000, topics=[
        {"name": TOPIC, "partitions": [{"partition_index": 0, "offset": 0}]},
        {"name": NEW, "partitions": [{"partition_index": 0, "offset": 0}]}])),
    ("InitProducerId", "plain", 0, lambda p: dict(transactional_id=None, transaction_timeout_ms=1000)),
    ("InitProducerId", "transactional", 0, lambda p: dict(transactional_id=TXN, transaction_timeout_ms=1000)),
    ("OffsetForLeaderEpoch", "", 0, lambda p: dict(topics=[{"topic": TOPIC, "partitions": [{"partition": 0, "leader_epoch": 0}]},
                                                           {"topic": NEW, "partitions": [{"partition": 0, "leader_epoch": 0}]}])),
    ("AddPartitionsToTxn", "", 0, lambda p: dict(
        v3_and_below_transactional_id=TXN, v3_and_below_producer_id=99_999, v3_and_below_producer_epoch=0,
        v3_and_below_topics=[{"name": TOPIC, "partitions": [0]}],
        transactions=[{"transactional_id": TXN, "producer_id": 99_999, "producer_epoch": 0, "verify_only": True,
                       "topics": [{"name": TOPIC, "partitions": [0]}]}])),
    ("AddOffsetsToTxn", "", 0, lambda p: dict(transactional_id=TXN, producer_id=99_999, producer_epoch=0, group_id=GROUP)),
    ("EndTxn", "", 0, lambda p: dict(transactional_id=TXN, producer_id=99_999, producer_epoch=0, committed=True)),
    ("TxnOffsetCommit", "", 0, lambda p: dict(transactional_id=TXN, group_id=GROUP, producer_id=99_999, producer_epoch=0, member_id="",
                                              topics=[{"name": TOPIC, "partitions": [
                                                  {"partition_index": 0, "committed_offset": 1, "committed_metadata": ""}]}])),
    ("DescribeAcls", "", 1, lambda p: dict(resource_type_filter=2, resource_name_filter="no-such", pattern_type_filter=3,
                                           principal_filter=None, host_filter=None, operation=1, permission_type=1)),
    ("CreateAcls", "", 1, lambda p: dict(creations=[{"resource_type": 2, "resource_name": "", "resource_pattern_type": 3,
                                                     "principal": "User:x", "host": "*", "operation": 3, "permission_type": 3}])),
    ("DeleteAcls", "", 1, lambda p: dict(filters=[{
        "resource_type_filter": 2, "resource_name_filter": "no-such", "pattern_type_filter": 3, "principal_filter": None,
        "host_filter": None, "operation": 1, "permission_type": 1}])),
    ("DescribeConfigs", "topic", 1, lambda p: resource(2, TOPIC, configuration_keys=["retention.ms"])),
    ("DescribeConfigs", "unknown topic", 1, lambda p: resource(2, NEW, configuration_keys=["retention.ms"])),
    ("DescribeConfigs", "broker", 1, lambda p: resource(4, "1", configuration_keys=["node.id"])),
    ("DescribeConfigs", "group", 1, lambda p: resource(32, GROUP, configuration_keys=["no.such"])),
    ("DescribeConfigs", "set group", 1, lambda p: resource(32, LIVE, configuration_keys=[
        "consumer.assignment.interval.ms", "consumer.heartbeat.interval.ms", "consumer.session.timeout.ms"])),
    ("DescribeConfigs", "group without a name", 1, lambda p: resource(32, "", configuration_keys=[])),
    ("DescribeConfigs", "client metrics", 1, lambda p: resource(16, METRICS, configuration_keys=["interval.ms", "metrics", "match"])),
    ("DescribeConfigs", "unknown client metrics", 1, lambda p: resource(16, NEW, configuration_keys=None)),
    ("DescribeConfigs", "client metrics without a name", 1, lambda p: resource(16, "", configuration_keys=None)),
    ("DescribeConfigs", "groups and client metrics", 1, lambda p: {"resources": [
        {"resource_type": kind, "resource_name": name, "configuration_keys": keys} for kind, name, keys in (
            (32, LIVE, ["consumer.heartbeat.interval.ms"]), (16, METRICS, ["metrics"]), (2, TOPIC, ["retention.ms"]))]}),
    ("AlterConfigs", "topic", 0, lambda p: altered(2, TOPIC, operation=False)),
    ("AlterConfigs", "broker", 0, lambda p: altered(4, "1", operation=False, name="max.connections")),
    ("AlterConfigs", "group", 0, lambda p: altered(32, GROUP, operation=False, name="consumer.session.timeout.ms", value="50000")),
    ("AlterConfigs", "unknown setting of a group", 0, lambda p: altered(32, GROUP, operation=False, name="no.such")),
    ("AlterConfigs", "group without a name", 0, lambda p: altered(32, "", operation=False, name="consumer.session.timeout.ms", value="50000")),
    ("AlterConfigs", "client metrics", 0, lambda p: altered(16, METRICS, operation=False, name="interval.ms")),
    ("AlterConfigs", "unknown setting of client metrics", 0, lambda p: altered(16, METRICS, operation=False, name="no.such")),
    ("AlterConfigs", "wrong match of client metrics", 0, lambda p: altered(16, METRICS, operation=False, name="match", value="x=y")),
    ("AlterConfigs", "client metrics without a name", 0, lambda p: altered(16, "", operation=False, name="interval.ms")),
    ("AlterConfigs", "unknown topic", 0, lambda p: altered(2, NEW, operation=False)),
    ("IncrementalAlterConfigs", "topic", 0, lambda p: altered(2, TOPIC)),
    ("IncrementalAlterConfigs", "broker", 0, lambda p: altered(4, "1", name="max.connections")),
    ("IncrementalAlterConfigs", "group", 0, lambda p: altered(32, GROUP, name="consumer.session.timeout.ms", value="50000")),
    ("IncrementalAlterConfigs", "unknown setting of a group", 0, lambda p: altered(32, GROUP, name="no.such")),
    ("IncrementalAlterConfigs", "group without a name", 0, lambda p: altered(32, "", name="consumer.session.timeout.ms", value="50000")),
    ("IncrementalAlterConfigs", "setting of a group taken away", 0, lambda p: altered(
        32, LIVE, name="consumer.heartbeat.interval.ms", value=None, config_operation=1)),
    ("IncrementalAlterConfigs", "client metrics", 0, lambda p: altered(16, METRICS, name="interval.ms")),
    ("IncrementalAlterConfigs", "new client metrics", 0, lambda p: altered(16, NEW, name="match", value="client_id=x.*")),
    ("IncrementalAlterConfigs", "more of client metrics", 0, lambda p: altered(16, METRICS, name="metrics", value="x.", config_operation=2)),
    ("IncrementalAlterConfigs", "more of an unknown setting of client metrics", 0, lambda p: altered(
        16, METRICS, name="no.such", value="x.", config_operation=2)),
    ("IncrementalAlterConfigs", "interval of client metrics that is no number", 0, lambda p: altered(16, METRICS, name="interval.ms", value="x")),
    ("IncrementalAlterConfigs", "unknown setting of client metrics", 0, lambda p: altered(16, METRICS, name="no.such")),
    ("IncrementalAlterConfigs", "short interval of client metrics", 0, lambda p: altered(16, METRICS, name="interval.ms", value="99")),
    ("IncrementalAlterConfigs", "wrong match of client metrics", 0, lambda p: altered(16, METRICS, name="match", value="x=y")),
    ("IncrementalAlterConfigs", "client metrics without a name", 0, lambda p: altered(16, "", name="interval.ms")),
    ("AlterReplicaLogDirs", "", 1, lambda p: dict(dirs=[{"path": "/no/such", "topics": [{"name": TOPIC, "partitions": [0]}]}])),
    ("DescribeLogDirs", "", 1, lambda p: dict(topics=[])),
    ("CreatePartitions", "", 0, lambda p: dict(timeout_ms=5000, validate_only=True, topics=[
        {"name": TOPIC, "count": 2, "assignments": None}, {"name": NEW, "count": 2, "assignments": None}])),
    ("DeleteGroups", "", 0, lambda p: dict(groups_names=["mx-no-group"])),
    ("ElectLeaders", "", 0, lambda p: dict(election_type=0, timeout_ms=5000, topic_partitions=[{"topic": TOPIC, "partitions": [0]}])),
    ("AlterPartitionReassignments", "", 0, lambda p: dict(topics=[{"name": TOPIC, "partitions": [{"partition_index": 0, "replicas": None}]}])),
    ("ListPartitionReassignments", "", 0, lambda p: dict(topics=[{"name": TOPIC, "partition_indexes": [0]}])),
    ("OffsetDelete", "", 0, lambda p: dict(group_id=GROUP, topics=[{"name": NEW, "partitions": [{"partition_index": 0}]}])),
    ("DescribeClientQuotas", "", 0, lambda p: dict(components=[], strict=True)),
    ("AlterClientQuotas", "", 0, lambda p: dict(validate_only=True, entries=[{
        "entity": [{"entity_type": "user", "entity_name": "x"}],
        "ops": [{"key": "producer_byte_rate", "value": 1000.0, "remove": False}]}])),
    ("DescribeUserScramCredentials", "", 0, lambda p: dict(users=[{"name": "no-such"}])),
    ("AlterUserScramCredentials", "", 0, lambda p: dict(deletions=[{"name": "no-such", "mechanism": 1}])),
    ("DescribeQuorum", "", 0, lambda p: dict(topics=[{"topic_name": "__cluster_metadata", "partitions": [{"partition_index": 0}]}])),
    ("UpdateFeatures", "", 1, lambda p: dict(validate_only=True, feature_updates=[
        {"feature": "no.such", "max_version_level": 1, "upgrade_type": 1}])),
    ("DescribeCluster", "", 0, lambda p: dict(include_cluster_authorized_operations=True)),
    ("DescribeProducers", "", 0, lambda p: dict(topics=[{"name": TOPIC, "partition_indexes": [0]}, {"name": NEW, "partition_indexes": [0]}])),
    ("DescribeTransactions", "", 0, lambda p: dict(transactional_ids=[TXN, OPEN])),
    ("ListTransactions", "", 0, lambda p: dict()),
    ("WriteTxnMarkers", "", 1, lambda p: dict(markers=[{
        "producer_id": 99_999, "producer_epoch": 0, "transaction_result": False, "coordinator_epoch": 0, "topics": [
            {"name": TOPIC, "partition_indexes": [0]}, {"name": NEW, "partition_indexes": [0]}]}])),
    ("DescribeDelegationToken", "of another", 0, lambda p: dict(owners=[{"principal_type": "User", "principal_name": OTHER}])),
    ("DescribeDelegationToken", "of the caller", 0, lambda p: dict(owners=[{"principal_type": "User", "principal_name": USER}])),
    *((api, which, 0, lambda p, which=which, more=more: dict(hmac=p.tokens[which], **more))
      for api, more in (("RenewDelegationToken", {"renew_period_ms": 7_200_000}), ("ExpireDelegationToken", {"expiry_time_period_ms": 7_200_000}))
      for which in ("of another", "asked for another", "as a renewer", "unknown")),
    ("CreateDelegationToken", "for another", 0, lambda p: dict(owner_principal_type="User", owner_principal_name=OTHER, renewers=[],
                                                               max_lifetime_ms=-1)),
    ("ConsumerGroupHeartbeat", "", 0, lambda p: dict(group_id="mx-new-group", member_id="m", member_epoch=5)),
    ("ConsumerGroupHeartbeat", "subscribing", 1, lambda p: dict(group_id="mx-new-group", member_id="m", member_epoch=5,
                                                                subscribed_topic_names=[TOPIC])),
    ("ConsumerGroupDescribe", "", 0, lambda p: dict(group_ids=["mx-no-group", LIVE], include_authorized_operations=True)),
    ("ListConfigResources", "", 0, lambda p: dict()),
    ("GetTelemetrySubscriptions", "", 0, lambda p: dict(client_instance_id=protocol.ZERO_ID)),
    ("GetTelemetrySubscriptions", "reserved id", 0, lambda p: dict(client_instance_id="00000000-0000-0000-0000-000000000001")),
    ("PushTelemetry", "without an id", 0, lambda p: dict(client_instance_id=protocol.ZERO_ID, subscription_id=0, terminating=False,
                                                         compression_type=0, metrics=b"")),
    ("PushTelemetry", "wrong subscription", 0, lambda p: dict(client_instance_id=p.subscribed()["client_instance_id"], subscription_id=1, terminating=False,
                                                              compression_type=0, metrics=b"")),
    ("PushTelemetry", "unknown compression", 0, lambda p: dict(p.subscribed(), terminating=False, compression_type=9, metrics=b"")),
    ("PushTelemetry", "too early", 0, lambda p: dict(p.pushed(), terminating=False, compression_type=0, metrics=b"")),
    ("PushTelemetry", "", 0, lambda p: dict(p.subscribed(), terminating=False, compression_type=0, metrics=b"")),
    ("PushTelemetry", "last", 0, lambda p: dict(p.subscribed(), terminating=True, compression_type=0, metrics=b"")),
    ("PushTelemetry", "garbage", 0, lambda p: dict(p.subscribed(), terminating=True, compression_type=0, metrics=b"\xff\xff")),
    ("PushTelemetry", "too large", 0, lambda p: dict(p.subscribed(), terminating=True, compression_type=0, metrics=bytes(2_000_000))),
    ("DescribeTopicPartitions", "named", 0, lambda p: dict(topics=[{"name": TOPIC}, {"name": NEW}])),
    ("DescribeTopicPartitions", "all", 0, lambda p: dict(topics=[])),
]
