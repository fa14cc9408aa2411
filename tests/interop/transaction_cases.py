# SPDX-License-Identifier: Apache-2.0
"""Cases of error_codes.py for transactions, and for a node whose level of transaction.version was lowered."""
import time

from data_cases import batch
from error_cases import case, create, wait_for


def without_producer(answer):
    """Ids of producers are each node's own; epochs are compared."""
    if answer.get("producer_id", -1) >= 0:
        answer["producer_id"] = "one"
    return answer


def begin(node, name, version=4, label=None, **more):
    """A producer that is ready: {id, epoch}."""
    values = {"transactional_id": name, "transaction_timeout_ms": 60000} | more
    for _ in range(400):
        answer = node.quiet("InitProducerId", version, **values)
        if answer["error_code"] not in (14, 15, 16, 51):  # Its coordinator is being made, loads, or ends a transaction.
            break
        time.sleep(0.05)
    if label:
        node.keep(label, "InitProducerId", version, without_producer(dict(answer)))
    return {"producer_id": answer["producer_id"], "producer_epoch": answer["producer_epoch"]}


def ready(node, *topics):
    create(node, *topics)
    wait_for(node, *(t if isinstance(t, str) else t["name"] for t in topics))
    node.quiet("FindCoordinator", 4, key_type=1, coordinator_keys=["ready"])
    node.quiet("FindCoordinator", 4, key_type=0, coordinator_keys=["ready"])


def transactional(node, label, version, name, topic, producer, sequence, value=b"v"):
    data = batch(value, producer=(producer["producer_id"], producer["producer_epoch"], sequence), attributes=0x10)

    def keep(answer):
        for each in answer.get("responses", []):
            for one in each["partition_responses"]:
                one.pop("log_append_time_ms", None)
                one.pop("base_offset", None)  # Markers that are still under way count too.
        return answer
    for _ in range(100):
        answer = node.quiet("Produce", version, transactional_id=name, acks=-1, timeout_ms=30000,
                            topic_data=[{"name": topic, "partition_data": [{"index": 0, "records": data}]}])
        if answer["responses"][0]["partition_responses"][0]["error_code"] not in (3, 6, 14, 51):
            break
        time.sleep(0.05)
    node.keep(label, "Produce", version, keep(answer))


def until_settled(node, api, version, **values):
    for _ in range(100):
        answer = node.quiet(api, version, **values)
        if answer["error_code"] not in (14, 15, 16, 51):
            return answer
        time.sleep(0.05)
    return answer


def add_offsets(node, label, version, name, group, producer, **changes):
    answer = until_settled(node, "AddOffsetsToTxn", version, transactional_id=name, group_id=group, **(producer | changes))
    node.keep(label, "AddOffsetsToTxn", version, answer)


def end(node, label, version, name, producer, committed=True, **changes):
    answer = until_settled(node, "EndTxn", version, transactional_id=name, committed=committed, **(producer | changes))
    node.keep(label, "EndTxn", version, without_producer(dict(answer)))
    return answer


def until_ended(node, name):
    """Markers are written after the answer."""
    for _ in range(100):
        told = node.quiet("DescribeTransactions", 0, transactional_ids=[name])
        if not told["transaction_states"][0]["transaction_state"].startswith("Prepare"):
            return
        time.sleep(0.05)


@case
def offsets_join_transactions(node):
    ready(node, "x-in")
    producer = begin(node, "x-offsets", label="first")
    for version in range(5):
        add_offsets(node, "joins", version, "x-offsets", "x-group", producer)
        add_offsets(node, "joins again", version, "x-offsets", "x-group", producer)
        add_offsets(node, "unknown transactional id", version, "x-nobody", "x-group", producer)
        add_offsets(node, "other producer", version, "x-offsets", "x-group", producer, producer_id=producer["producer_id"] + 1)
        add_offsets(node, "older epoch", version, "x-offsets", "x-group", producer, producer_epoch=producer["producer_epoch"] - 1)
        add_offsets(node, "newer epoch", version, "x-offsets", "x-group", producer, producer_epoch=producer["producer_epoch"] + 1)
        add_offsets(node, "no transactional id", version, "", "x-group", producer)
        add_offsets(node, "no group", version, "x-offsets", "", producer)

    def commit(label, version, **more):
        values = {"transactional_id": "x-offsets", "group_id": "x-group", "topics": [{"name": "x-in", "partitions": [
            {"partition_index": 0, "committed_offset": 5, "committed_leader_epoch": -1, "committed_metadata": ""}]}]} | producer | more
        for _ in range(100):
            answer = node.quiet("TxnOffsetCommit", version, **values)
            if answer["topics"][0]["partitions"][0]["error_code"] not in (14, 15, 16, 51):
                break
            time.sleep(0.05)
        node.keep(label, "TxnOffsetCommit", version, answer)
    for version in range(5):
        commit("in the transaction", version)
        commit("unknown partition", version, topics=[{"name": "x-in", "partitions": [
            {"partition_index": 9, "committed_offset": 5, "committed_leader_epoch": -1, "committed_metadata": ""}]}])
        commit("no group", version, group_id="")
    commit("of a member that is none", 3, member_id="m", generation_id=4)
    commit("of a generation that is none", 3, generation_id=4)
    end(node, "commits", 3, "x-offsets", producer)
    until_ended(node, "x-offsets")  # Until then its offsets are unstable.
    node.ask("afterwards", "OffsetFetch", 7, group_id="x-group", topics=[{"name": "x-in", "partition_indexes": [0]}], require_stable=True)


@case
def transactions_end(node):
    ready(node, "x-out")
    for version in range(5):
        name = f"x-end-{version}"
        producer = begin(node, name)
        end(node, "nothing to end", version, name, producer)
        add_offsets(node, "joins", 3, name, f"g{version}", producer)
        end(node, "other producer", version, name, producer, producer_id=producer["producer_id"] + 1)
        end(node, "newer epoch", version, name, producer, producer_epoch=producer["producer_epoch"] + 1)
        end(node, "unknown transactional id", version, "x-nobody", producer)
        end(node, "commits", version, name, producer)
        end(node, "commits again", version, name, producer)
        end(node, "aborts what is committed", version, name, producer, committed=False)
        begin(node, name, label="once more")
        end(node, "older epoch", version, name, producer)


def lower(node, level):
    """Sets the finalized level, and waits until the node says so."""
    node.ask(f"transaction.version to {level}", "UpdateFeatures", 1, timeout_ms=30000,
             feature_updates=[{"feature": "transaction.version", "max_version_level": level, "upgrade_type": 2 if level < 2 else 1}])
    for _ in range(100):
        told = node.quiet("ApiVersions", 4, client_software_name="check", client_software_version="1")
        levels = {f["name"]: f["max_version_level"] for f in told.get("finalized_features", [])}
        if levels.get("transaction.version", 0) == level:
            return
        time.sleep(0.05)


@case
def transaction_levels(node):
    ready(node, "x-level")
    for turn, level in enumerate((2, 1, 0, 2)):
        if turn > 0:
            lower(node, level)
        name = f"x-level-{turn}"
        for version in (4, 5):
            producer = begin(node, name, version, f"begins at {level}")
        # By the newer protocol: partitions join with their first batch, and each end raises the epoch.
        transactional(node, f"joins by itself at {level}", 12, name, "x-level", producer, 0)
        told = end(node, f"newer end at {level}", 5, name, producer)
        if told["error_code"] == 0:
            producer = {"producer_id": told["producer_id"], "producer_epoch": told["producer_epoch"]}
        # By the older one.
        producer = begin(node, name, 4, f"begins anew at {level}")
        for _ in range(100):
            answer = node.quiet("AddPartitionsToTxn", 3, v3_and_below_transactional_id=name, v3_and_below_producer_id=producer["producer_id"],
                                v3_and_below_producer_epoch=producer["producer_epoch"],
                                v3_and_below_topics=[{"name": "x-level", "partitions": [0]}])
            codes = [p["partition_error_code"] for t in answer["results_by_topic_v3_and_below"] for p in t["results_by_partition"]]
            if not set(codes) & {14, 15, 16, 51}:
                break
            time.sleep(0.05)
        node.keep(f"joins at {level}", "AddPartitionsToTxn", 3, answer)
        transactional(node, f"older at {level}", 11, name, "x-level", producer, 0)
        end(node, f"older end at {level}", 4, name, producer)
        until_ended(node, name)
        end(node, f"newer end of nothing at {level}", 5, name, producer)
