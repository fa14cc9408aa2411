# SPDX-License-Identifier: Apache-2.0
"""Cases of error_codes.py for transactions, and for a node whose level of transaction.version was lowered."""
import time

from consumer_group_cases import ASSIGNMENT_INTERVAL_S, Group, told
from data_cases import batch, without_time
from error_cases import case, create, topic_of, wait_for


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
                if one["base_offset"] >= 0:
                    one["base_offset"] = "one"  # Markers that are still under way count too.
        return without_time(answer)
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


def commit_offsets(node, label, version, name, topic, partitions, values, metadata=None):
    """`values`: of whom; `metadata` by partition."""
    topics = [{"name": topic, "partitions": [
        {"partition_index": p, "committed_offset": 5, "committed_leader_epoch": -1, "committed_metadata": (metadata or {}).get(p, "")} for p in partitions]}]
    for _ in range(100):
        answer = node.quiet("TxnOffsetCommit", version, transactional_id=name, topics=topics, **values)
        if not {p["error_code"] for p in answer["topics"][0]["partitions"]} & {14, 15, 16, 51}:
            break
        time.sleep(0.05)
    node.keep(label, "TxnOffsetCommit", version, answer)


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

    def commit(label, version, partition=0, **more):
        commit_offsets(node, label, version, "x-offsets", "x-in", [partition], producer | {"group_id": "x-group"} | more)
    for version in range(6):
        commit("in the transaction", version)
        commit("unknown partition", version, 9)
        commit("no group", version, group_id="")
    for version in (3, 4, 5):
        commit("of a member that is none", version, member_id="m", generation_id=4)
        commit("of a generation that is none", version, generation_id=4)
    end(node, "commits", 3, "x-offsets", producer)
    until_ended(node, "x-offsets")  # Until then its offsets are unstable.
    node.ask("afterwards", "OffsetFetch", 7, group_id="x-group", topics=[{"name": "x-in", "partition_indexes": [0]}], require_stable=True)


@case
def offsets_of_consumer_groups_join_transactions(node):
    ready(node, topic_of("x-modern", 4))
    group = Group(node, "x-moderns", "x-modern")
    group.join("", "m1", ask=False)
    producer = begin(node, "x-modern-offsets")
    add_offsets(node, "joins for a consumer group", 4, "x-modern-offsets", group.name, producer)

    def commit(label, member, epoch, *partitions, **more):
        for version in (3, 4, 5):
            commit_offsets(node, label, version, "x-modern-offsets", "x-modern", partitions,
                           producer | {"group_id": group.name, "member_id": member, "generation_id": epoch}, **more)
    commit("current epoch", "m1", 2, 0, 3)
    commit("newer epoch", "m1", 3, 0, 3)
    commit("older epoch", "m1", 1, 0, 3)
    commit("unknown member of a consumer group", "m2", 2, 0)
    commit("member of no epoch", "m1", -1, 0)
    commit("nobody, while there are members", "", -1, 0)
    group.join("", "m2", ask=False)
    time.sleep(ASSIGNMENT_INTERVAL_S)
    group.beat("", "m2", 2, [], ask=False)
    kept = told(group.beat("", "m1", 2, [0, 1, 2, 3], ask=False))
    group.beat("", "m1", 2, kept, ask=False)
    revoked = [p for p in range(4) if p not in kept]
    commit("current epoch, after a revocation", "m1", 3, 0, 1, 2, 3)
    commit("previous epoch, what it kept", "m1", 2, *kept)
    commit("previous epoch, what it gave up", "m1", 2, *revoked)
    commit("previous epoch, all", "m1", 2, 0, 1, 2, 3)
    commit("previous epoch, what it gave up is refused for itself", "m1", 2, *kept, revoked[0], metadata={revoked[0]: "m" * 5000})
    node.ask("previous epoch, all", "OffsetCommit", 9, group_id=group.name, member_id="m1", generation_id_or_member_epoch=2, topics=[
        {"name": "x-modern", "partitions": [{"partition_index": p, "committed_offset": 7} for p in range(4)]}])
    end(node, "commits for a consumer group", 4, "x-modern-offsets", producer)
    until_ended(node, "x-modern-offsets")
    node.ask("of a consumer group", "OffsetFetch", 9, require_stable=True, groups=[
        {"group_id": group.name, "member_id": None, "member_epoch": -1, "topics": [{"name": "x-modern", "partition_indexes": [0, 1, 2, 3]}]}])


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


def join(node, name, topic, partition, producer):
    for _ in range(100):
        answer = node.quiet("AddPartitionsToTxn", 3, v3_and_below_transactional_id=name, v3_and_below_producer_id=producer["producer_id"],
                            v3_and_below_producer_epoch=producer["producer_epoch"], v3_and_below_topics=[{"name": topic, "partitions": [partition]}])
        if answer["results_by_topic_v3_and_below"][0]["results_by_partition"][0]["partition_error_code"] == 0:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{name}: {answer}")


def in_each_state(node, prefix, topic):
    """{what became of it: its producer}."""
    out = {}
    for what in ("empty", "open", "committed", "aborted"):
        name = f"{prefix}-{what}"
        out[what] = begin(node, name)
        if what != "empty":
            join(node, name, topic, 0, out[what])
        if what in ("committed", "aborted"):
            until_settled(node, "EndTxn", 3, transactional_id=name, committed=what == "committed", **out[what])
            until_ended(node, name)
    return out


@case
def transactions_are_listed(node):
    ready(node, "x-listed")
    producers = {what: each["producer_id"] for what, each in in_each_state(node, "xl", "x-listed").items()}

    def keep(answer):
        """Those of this case; a producer is told by its owner."""
        answer["transaction_states"] = [t for t in answer["transaction_states"] if t["transactional_id"].startswith("xl-")]
        for each in answer["transaction_states"]:
            each["producer_id"] = [what for what, producer in producers.items() if producer == each["producer_id"]]
        return answer

    def ask(label, version, **filters):
        node.ask(label, "ListTransactions", version, keep=keep, **filters)
    time.sleep(0.1)  # They are older than nothing.
    for version in range(3):
        ask("all", version)
        for state in ("Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"):
            ask(f"in state {state}", version, state_filters=[state])
        ask("in two states", version, state_filters=["Ongoing", "CompleteAbort"])
        ask("in a state twice", version, state_filters=["Ongoing", "Ongoing"])
        for state in ("Sleepy", "ongoing", ""):
            ask(f"in a state that is none: {state!r}", version, state_filters=[state])
        ask("in a state and in some that are none", version, state_filters=["Ongoing", "Sleepy", "Drowsy"])
        ask("of a producer", version, producer_id_filters=[producers["open"]])
        ask("of two producers", version, producer_id_filters=[producers["empty"], producers["committed"]])
        ask("of a producer that is none", version, producer_id_filters=[999_999_999])
        ask("of a producer and one that is none", version, producer_id_filters=[999_999_999, producers["open"]])
        ask("of a producer in another state", version, producer_id_filters=[producers["open"]], state_filters=["Empty"])
    for version in (1, 2):
        for duration in (-2, -1, 0, 1, 3_600_000, (1 << 63) - 1):
            ask(f"for longer than {duration} ms", version, duration_filter=duration)
        ask("for longer than 0 ms in a state", version, duration_filter=0, state_filters=["Ongoing"])
    for pattern in (None, "", "xl-open", "xl-o", "xl-.*", ".*e.*", "xl-(open|empty)", "XL-OPEN", "(?i)XL-OPEN", "x-nothing", "(", "[", "*", "xl-[^e].*"):
        ask(f"by the pattern {pattern!r}", 2, transactional_id_pattern=pattern)
    ask("by all at once", 2, transactional_id_pattern="xl-.*", duration_filter=0, state_filters=["Ongoing", "Empty"],
        producer_id_filters=[producers["open"], producers["aborted"]])


@case
def transactions_are_described(node):
    ready(node, "x-described")
    in_each_state(node, "xd", "x-described")

    def keep(answer):
        for each in answer["transaction_states"]:
            without_producer(each)
            each["transaction_start_time_ms"] = min(each["transaction_start_time_ms"], 1)
        return answer

    def ask(label, *names):
        node.ask(label, "DescribeTransactions", 0, keep=keep, transactional_ids=list(names))
    for what in ("empty", "open", "committed", "aborted"):
        ask(f"one that is {what}", f"xd-{what}")
    ask("several", "xd-open", "xd-empty", "x-nobody")
    ask("one twice", "xd-open", "xd-open")
    ask("one that is none", "x-nobody")
    ask("no name", "")
    ask("no name and one", "", "xd-open")
    ask("none")


@case
def markers_are_written(node):
    ready(node, topic_of("x-marked", 2))
    name = "xm"
    begin(node, name)
    producer = begin(node, name)  # Of a second epoch, so that there is an older one.
    join(node, name, "x-marked", 0, producer)
    transactional(node, "before its marker", 11, name, "x-marked", producer, 0)
    end(node, "before more markers", 3, name, producer)
    until_ended(node, name)

    def marker(coordinator_epoch, partitions=(0,), topic="x-marked", committed=False, **changes):
        return producer | changes | {"transaction_result": committed, "coordinator_epoch": coordinator_epoch,
                                     "topics": [{"name": topic, "partition_indexes": list(partitions)}]}

    def keep(answer):
        for each in answer["markers"]:
            without_producer(each)
        return answer

    def ask(label, *markers):
        node.ask(label, "WriteTxnMarkers", 1, keep=keep, markers=list(markers))
    ask("none")
    ask("no topic", marker(10) | {"topics": []})
    ask("no partition", marker(10, partitions=[]))
    # Not asked: one with a partition and one without. Kafka never answers that.
    ask("unknown topic", marker(10, topic="x-nowhere"))
    ask("unknown partition", marker(10, partitions=[9]))
    ask("known and unknown", marker(10, partitions=[0, 9]))
    ask("older epoch", marker(10, producer_epoch=producer["producer_epoch"] - 1))
    ask("newer coordinator", marker(11))
    ask("older coordinator", marker(9))
    ask("same coordinator, committed", marker(11, committed=True))
    ask("newer epoch", marker(11, producer_epoch=producer["producer_epoch"] + 1))
    ask("epoch of before", marker(11))
    ask("unknown producer", marker(0, partitions=[1], producer_id=999_999_999))
    ask("two at once", marker(12, partitions=[1]), marker(12, partitions=[1], producer_id=999_999_998))


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
