# SPDX-License-Identifier: Apache-2.0
"""How the matrix compares two answers: all of them, but for texts and what each node has of its own, of which it compares whether it is there.

A right code beside a thing that should not be told is a leak, so nothing is left out: records, offsets and lists are compared by their values.
"""
import json
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import apart  # noqa: E402

# Texts are compared by tests/interop/error_codes.py; Kafka's of a denial name objects of its own program.
TEXTS = {"error_message", "message"}


def there(kafka, leat):
    """not zero in both"""
    return type(kafka) is type(leat) and kafka != 0 and leat != 0


def of(apis, fields, reason, related=apart.alike):
    return {(api, field): (related, reason) for api in apis.split() for field in fields.split()}


#: API and field: how the two values are related, and why they need not be the same.
OWN = (
    of("Produce Fetch Metadata OffsetCommit OffsetFetch CreateTopics DeleteTopics ConsumerGroupDescribe DescribeTopicPartitions", "topic_id", "made at random")
    | of("Metadata DescribeCluster", "cluster_id", "made at random")
    | of("GetTelemetrySubscriptions", "client_instance_id", "made at random")
    | of("GetTelemetrySubscriptions", "subscription_id", "a checksum of things in an order of its own", there)
    | of("Metadata FindCoordinator DescribeCluster DescribeQuorum", "port", "where the node listens")
    | of("DescribeLogDirs", "log_dir", "where the node keeps its data")
    | of("DescribeLogDirs", "usable_bytes", "the disk's, to which others write too")
    | of("CreateDelegationToken DescribeDelegationToken", "token_id hmac", "made at random")
    | of("DescribeDelegationToken", "issue_timestamp expiry_timestamp max_timestamp", "a time")
    | of("CreateDelegationToken", "issue_timestamp_ms max_timestamp_ms", "a time")
    | of("CreateDelegationToken RenewDelegationToken ExpireDelegationToken", "expiry_timestamp_ms", "a time")
    | of("DescribeTransactions", "transaction_start_time_ms", "a time")
    | of("DescribeQuorum", "last_fetch_timestamp last_caught_up_timestamp", "a time")
    | of("DescribeQuorum", "high_watermark log_end_offset", "counts records of Kafka's metadata log, changes of our store")
    | of("DescribeQuorum", "leader_epoch", "Kafka's one controller has elected itself", apart.exactly(1, 0))
    | of("DescribeQuorum", "name", "Kafka's voters are at a listener of their own, Leat has none")
    | of("CreateTopics", "config_source", "eligible leader replicas, which one node has no use for, fix min.insync.replicas", apart.exactly(3, 5))
    | of("DescribeConfigs", "config_source", "node.id is in the file of Kafka's node", apart.exactly(4, 5))
)
#: Those that may be the same by chance.
CHANCE = {("DescribeLogDirs", "usable_bytes"), ("DescribeQuorum", "last_fetch_timestamp"), ("DescribeQuorum", "last_caught_up_timestamp")}

# What moves on at one node from cell to cell, whatever rights there are.
MOVING = {field for _, field in OWN} | {
    "throttle_time_ms", "base_offset", "log_start_offset", "log_append_time_ms", "last_stable_offset", "offset", "end_offset", "producer_id",
    "producer_epoch", "total_bytes", "low_watermark", "last_timestamp", "timestamp", "aborted_transactions", "records", "partition_size", "offset_lag",
    "committed_offset", "active_producers", "session_id"}


def ordered(items, key):
    """An order of rows that does not depend on what is a node's own."""
    return sorted(items, key=lambda item: json.dumps(key(item), sort_keys=True, default=str))


def normal(api, value):
    """The answer without texts and without settings that Kafka has not; lists in an order that both have."""
    if isinstance(value, dict):
        return {name: normal(api, one) for name, one in value.items() if name not in TEXTS}
    if isinstance(value, list):
        items = [normal(api, one) for one in value if not (isinstance(one, dict) and str(one.get("name")).startswith("leat."))]
        return ordered(items, lambda item: shaped(item, {field for of_api, field in OWN if of_api == api}))
    return value


def shaped(value, fields):
    """The same with whether there is something, in place of these fields."""
    if isinstance(value, dict):
        return {name: is_there(one) if name in fields else shaped(one, fields) for name, one in value.items()}
    return ordered([shaped(one, fields) for one in value], lambda item: item) if isinstance(value, list) else value


def is_there(value):
    return value >= 0 if isinstance(value, int) else apart.shape(value)


def outline(api, answer):
    """What a right may change in the answers of one node."""
    return shaped(normal(api, answer), MOVING)


class Differences:
    """Judges pairs of answers, and knows which rules they needed."""

    def __init__(self):
        self.used = set()

    def of(self, api, leat, kafka):
        """What differs and may not. A connection that was closed is no answer, on both sides neither."""
        if "closed" in (leat, kafka):
            return [apart.Difference("", kafka, leat)]
        return [one for one in apart.differences(normal(api, kafka), normal(api, leat)) if not self.is_own(api, one)]

    def is_own(self, api, one):
        related, _ = OWN.get((api, one.field), (None, None))
        if related is None or not related(one.kafka, one.leat):
            return False
        self.used.add((api, one.field))
        return True

    def stale(self):
        return [f"{api} {field}" for api, field in sorted(OWN.keys() - self.used - CHANCE)]
