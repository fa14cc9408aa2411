# SPDX-License-Identifier: Apache-2.0
"""Cases of error_codes.py for the way of the records: Produce, Fetch, offsets, producer ids."""
import struct
import sys
import pathlib
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import batches
import raw_client
from error_cases import UNKNOWN_ID, case, create, id_of, topic_of, wait_for

NOW = int(time.time() * 1000)
NONE = (-1, -1, -1)


def batch(*values, producer=NONE, at=NOW, attributes=0, **changes):
    """A batch; `changes` are (offset, format, value) written after it was sealed, unless sealed=True."""
    data = bytearray(raw_client.batch(list(values), at, producer))
    struct.pack_into(">h", data, 21, attributes)
    for form, place, value in changes.get("fields", ()):
        struct.pack_into(">" + form, data, place, value)
    struct.pack_into(">I", data, 17, raw_client.crc32c(bytes(data[21:])))
    for form, place, value in changes.get("damage", ()):
        struct.pack_into(">" + form, data, place, value)
    return bytes(data)


def produce(node, label, version, topic, *partitions, acks=-1, by_id=None, **more):
    """`partitions` are (index, records)."""
    data = [{"index": index, "records": records} for index, records in partitions]
    name = {"topic_id": by_id} if version >= 13 else {"name": topic}
    return node.ask(label, "Produce", version, keep=without_time, acks=acks, timeout_ms=30000, topic_data=[{**name, "partition_data": data}], **more)


def without_time(answer):
    """When something was appended, by whether it is told."""
    for one in (one for each in answer.get("responses", []) for one in each["partition_responses"]):
        if one.get("log_append_time_ms", -1) > 0:
            one["log_append_time_ms"] = "a time"
    return answer


def fill(node, topic, *batches):
    """Appends; a new partition of Kafka's may not be ready at once."""
    for records in batches:
        for _ in range(200):
            answer = node.quiet("Produce", 9, acks=-1, timeout_ms=30000,
                                topic_data=[{"name": topic, "partition_data": [{"index": 0, "records": records}]}])
            if answer["responses"][0]["partition_responses"][0]["error_code"] == 0:
                break
            time.sleep(0.05)


@case
def produce_versions(node):
    create(node, "p-all")
    wait_for(node, "p-all")
    fill(node, "p-all", batch(b"first"))
    for version in range(3, 13):
        produce(node, "one record", version, "p-all", (0, batch(b"v")))
        produce(node, "unknown topic and partition", version, "p-none", (0, batch(b"v")))
        produce(node, "unknown partition", version, "p-all", (7, batch(b"v")))
        produce(node, "acks 2", version, "p-all", (0, batch(b"v")), acks=2)
        produce(node, "acks 1", version, "p-all", (0, batch(b"v")), acks=1)
    known = id_of(node, "p-all")
    produce(node, "one record", 13, None, (0, batch(b"v")), by_id=known)
    produce(node, "unknown id", 13, None, (0, batch(b"v")), by_id=UNKNOWN_ID)
    produce(node, "unknown partition", 13, None, (3, batch(b"v")), by_id=known)
    produce(node, "one good, one bad", 9, "p-all", (0, batch(b"v")), (5, batch(b"v")))
    node.ask("nothing", "Produce", 9, acks=-1, timeout_ms=1000, topic_data=[])


@case
def produce_bad_batches(node):
    create(node, "p-bad", topic_of("p-small", configs={"max.message.bytes": "500"}),
           topic_of("p-compacted", configs={"cleanup.policy": "compact"}))
    wait_for(node, "p-bad", "p-small", "p-compacted")
    for name in ("p-bad", "p-small"):
        fill(node, name, batch(b"first"))
    for version in (3, 8, 12):  # Kafka does not answer null records at all.
        produce(node, "empty", version, "p-bad", (0, b""))
        produce(node, "wrong checksum", version, "p-bad", (0, batch(b"v", damage=[("I", 17, 1)])))
        produce(node, "cut off", version, "p-bad", (0, batch(b"value")[:-3]))
        produce(node, "two batches", version, "p-bad", (0, batch(b"a") + batch(b"b")))
        produce(node, "magic 1", version, "p-bad", (0, batch(b"v", damage=[("b", 16, 1)])))
        produce(node, "magic 3", version, "p-bad", (0, batch(b"v", damage=[("b", 16, 3)])))
        produce(node, "base offset 5", version, "p-bad", (0, batch(b"v", fields=[("q", 0, 5)])))
        produce(node, "count too large", version, "p-bad", (0, batch(b"v", fields=[("i", 57, 2)])))
        produce(node, "count 0", version, "p-bad", (0, batch(b"v", fields=[("i", 57, 0)])))
        produce(node, "wrong last delta", version, "p-bad", (0, batch(b"v", fields=[("i", 23, 4)])))
        produce(node, "control", version, "p-bad", (0, batch(b"v", attributes=0x20)))
        produce(node, "codec 7", version, "p-bad", (0, batch(b"v", attributes=7)))
        produce(node, "sequence without", version, "p-bad", (0, batch(b"v", producer=(5, 0, -1))))
        produce(node, "too large", version, "p-small", (0, batch(b"v" * 600)))
        produce(node, "no key in a compacted topic", version, "p-compacted", (0, batch(b"v")))
        produce(node, "far in the future", version, "p-bad", (0, batch(b"v", at=NOW + 10**9)))
    node.ask("ends", "ListOffsets", 7, replica_id=-1, topics=[{"name": name, "partitions": [{"partition_index": 0, "timestamp": -1}]}
                                                            for name in ("p-bad", "p-small", "p-compacted")])


@case
def produce_sequences(node):
    create(node, "p-seq")
    wait_for(node, "p-seq")
    fill(node, "p-seq", batch(b"first"))

    def one(label, producer, *values):
        produce(node, label, 9, "p-seq", (0, batch(*values, producer=producer)))

    one("first", (7000, 0, 0), b"a")
    one("second", (7000, 0, 1), b"b", b"c")
    one("second again", (7000, 0, 1), b"b", b"c")
    one("first again", (7000, 0, 0), b"a")
    one("a gap", (7000, 0, 9), b"d")
    one("overlapping", (7000, 0, 2), b"c", b"d")
    one("new epoch, not from 0", (7000, 1, 3), b"d")
    one("new epoch", (7000, 1, 0), b"d")
    one("old epoch", (7000, 0, 3), b"e")
    one("unknown producer, any sequence", (7001, 3, 44), b"f")


def fetch(node, label, version, *partitions, topic="f", by_id=None, session=(0, -1), of_each=None, **more):
    data = [{"partition": index, "fetch_offset": offset, "partition_max_bytes": 100000, "current_leader_epoch": epoch,
             "last_fetched_epoch": -1} | (of_each or {}) for index, offset, epoch in partitions]
    name = {"topic_id": by_id} if version >= 13 else {"topic": topic}
    return node.ask(label, "Fetch", version, keep=without_records, replica_id=-1, max_wait_ms=0, min_bytes=0, max_bytes=1000000,
                    session_id=session[0], session_epoch=session[1], topics=[{**name, "partitions": data}] if data else [], **more)


def without_records(answer):
    """Records are compared by their offsets, values and codec, session ids by whether there is one."""
    if answer.get("session_id", 0):
        answer["session_id"] = "one"
    for topic in answer.get("responses", []):
        for partition in topic["partitions"]:
            records = partition.get("records")
            partition["records"] = None if records is None else [
                [at, value, one.codec] for one in batches.parse(bytes(records)) for at, _, value, _ in one.rows]
    return answer


@case
def fetches(node):
    create(node, "f")
    wait_for(node, "f")
    fill(node, "f", batch(b"a"), batch(b"b"), batch(b"c"))
    known = id_of(node, "f")
    for version in range(4, 19):
        where = {"by_id": known}
        fetch(node, "from the start", version, (0, 0, -1), **where)
        fetch(node, "in the middle", version, (0, 1, -1), **where)
        fetch(node, "at the end", version, (0, 3, -1), **where)
        fetch(node, "beyond", version, (0, 4, -1), **where)
        fetch(node, "negative", version, (0, -1, -1), **where)
        fetch(node, "unknown partition", version, (9, 0, -1), **where)
        fetch(node, "unknown topic", version, (0, 0, -1), topic="nowhere", by_id=UNKNOWN_ID)
        fetch(node, "committed", version, (0, 0, -1), isolation_level=1, **where)
        fetch(node, "named again", version, (0, 0, -1), (0, 2, -1), (0, 1, -1), **where)
        if version >= 9:
            fetch(node, "later epoch", version, (0, 0, 99), **where)
    for watermark in (0, 3, 99):  # Of a replica, since version 18.
        fetch(node, f"who says that {watermark} is the high watermark", 18, (0, 1, -1), by_id=known, of_each={"high_watermark": watermark})
    for version in (7, 12, 16, 18):
        fetch(node, "unknown session", version, session=(12345, 3))
        fetch(node, "nothing", version)
        fetch(node, "a new session", version, (0, 3, -1), by_id=known, session=(0, 0))


@case
def fetch_sessions(node):
    create(node, "f-s")
    wait_for(node, "f-s")
    fill(node, "f-s", batch(b"first"))
    partitions = [{"partition": 0, "fetch_offset": 1, "partition_max_bytes": 100000, "current_leader_epoch": -1, "last_fetched_epoch": -1}]
    same = {"replica_id": -1, "max_wait_ms": 0, "min_bytes": 0, "max_bytes": 1000000}
    session = node.quiet("Fetch", 11, session_id=0, session_epoch=0, topics=[{"topic": "f-s", "partitions": partitions}], **same)["session_id"]

    def more(label, epoch, version=11, **what):
        node.ask(label, "Fetch", version, keep=without_records, session_id=session, session_epoch=epoch, topics=[], **what, **same)

    more("nothing new", 1)
    more("wrong epoch", 5)
    more("mixed with ids", 2, version=13)
    fill(node, "f-s", batch(b"x"))
    more("a record", 2)
    more("the same again", 3)
    more("forgotten", 4, forgotten_topics_data=[{"topic": "f-s", "partitions": [0]}])
    more("after", 5)


def topics_of_zstd(node):
    """{name: id} of topics that have it by their setting, by what producers sent, and from before and after a change of the setting."""
    topics = {"z-set": ("zstd", batches.NONE), "z-sent": ("producer", batches.ZSTD), "z-gzip": ("gzip", batches.ZSTD), "z-was": ("zstd", batches.NONE),
              "z-becomes": ("producer", batches.NONE)}
    create(node, *(topic_of(name, configs={"compression.type": setting}) for name, (setting, _) in topics.items()))
    wait_for(node, *topics)
    for name, (_, codec) in topics.items():
        fill(node, name, batches.batch([(None, b"a" * 100)], NOW, codec), batches.batch([(None, b"b" * 100)], NOW, codec))
    node.quiet("IncrementalAlterConfigs", 1, resources=[
        {"resource_type": 2, "resource_name": name, "configs": [{"name": "compression.type", "config_operation": 0, "value": value}]}
        for name, value in (("z-was", "producer"), ("z-becomes", "zstd"))])
    time.sleep(1)  # Kafka's broker hears of it later.
    return {name: id_of(node, name) for name in topics}


@case
def fetches_of_zstd(node):
    """Clients know it since version 10. Kafka 4 gives it to all; Kafka 3 did not, where the topic is set to it (see prior_cases.py)."""
    known = topics_of_zstd(node)
    for version in range(4, 19):
        for name, identity in known.items():
            fetch(node, f"{name} from the start", version, (0, 0, -1), topic=name, by_id=identity)
        where = {"topic": "z-set", "by_id": known["z-set"]}
        fetch(node, "zstd, committed", version, (0, 0, -1), isolation_level=1, **where)
        fetch(node, "zstd, at the end", version, (0, 2, -1), **where)
        fetch(node, "zstd, beyond", version, (0, 3, -1), **where)
        fetch(node, "zstd, negative", version, (0, -1, -1), **where)
        fetch(node, "zstd, unknown partition", version, (9, 0, -1), **where)
        if version >= 9:
            fetch(node, "zstd, later epoch", version, (0, 0, 99), **where)
    partition = {"partition": 0, "fetch_offset": 2, "partition_max_bytes": 100000, "current_leader_epoch": -1, "last_fetched_epoch": -1}
    same = {"replica_id": -1, "max_wait_ms": 0, "min_bytes": 0, "max_bytes": 1000000}
    for version in (4, 9):
        node.ask("zstd and another", "Fetch", version, keep=without_records, session_epoch=-1, **same, topics=[
            {"topic": name, "partitions": [partition | {"fetch_offset": 0}]} for name in ("z-set", "z-sent")])
    for version in (7, 9):
        session = node.quiet("Fetch", version, session_id=0, session_epoch=0, **same, topics=[
            {"topic": name, "partitions": [partition]} for name in ("z-set", "z-sent")])["session_id"]
        for epoch, label in enumerate(("zstd in a session", "and again", "and with a record", "and without one"), 1):
            if epoch == 3:
                fill(node, "z-set", batch(b"c"))
            node.ask(label, "Fetch", version, keep=without_records, session_id=session, session_epoch=epoch, topics=[], **same)


@case
def offsets(node):
    create(node, "o")
    wait_for(node, "o")
    fill(node, "o", *(batch(value, at=NOW - 5000 + 1000 * i) for i, value in enumerate((b"a", b"b", b"c"))))

    def ask(label, version, timestamp, partition=0, topic="o", epoch=-1, times=1):
        one = {"partition_index": partition, "timestamp": timestamp, "current_leader_epoch": epoch}
        node.ask(label, "ListOffsets", version, keep=from_base, replica_id=-1, isolation_level=0,
                 topics=[{"name": topic, "partitions": [one] * times}])

    for version in range(1, 12):
        for label, timestamp in [(str(t), t) for t in range(-7, 1)] + [(f"base + {t}", NOW - 5000 + t) for t in (0, 1, 2000, 2001)]:
            ask(f"at {label}", version, timestamp)
        ask("unknown partition", version, -1, partition=4)
        ask("unknown topic", version, -1, topic="nowhere")
        ask("twice", version, -1, times=2)
        if version >= 4:
            ask("later epoch", version, -1, epoch=77)


def from_base(answer):
    """Times of this run as a distance."""
    for topic in answer["topics"]:
        for partition in topic["partitions"]:
            if partition.get("timestamp", -1) > 0:
                partition["timestamp"] -= NOW - 5000
    return answer


@case
def epochs(node):
    for version in range(2, 5):
        for label, topic, partition, current, epoch in (
                ("of 0", "o", 0, -1, 0), ("of 5", "o", 0, -1, 5), ("later current", "o", 0, 9, 0), ("unknown partition", "o", 3, -1, 0),
                ("unknown topic", "nowhere", 0, -1, 0), ("of -1", "o", 0, -1, -1), ("of -2", "o", 0, -1, -2)):
            node.ask(label, "OffsetForLeaderEpoch", version, replica_id=-1, topics=[
                {"topic": topic, "partitions": [{"partition": partition, "current_leader_epoch": current, "leader_epoch": epoch}]}])


@case
def records_deleted(node):
    create(node, "d", topic_of("d-compacted", configs={"cleanup.policy": "compact"}), topic_of("d-kept", configs={"cleanup.policy": ""}))
    wait_for(node, "d", "d-compacted", "d-kept")
    fill(node, "d", batch(b"a"), batch(b"b"), batch(b"c"))
    for version in range(3):
        for label, topic, partition, offset in (("to 1", "d", 0, 1), ("to 0", "d", 0, 0), ("beyond", "d", 0, 99), ("negative", "d", 0, -2),
                                                ("unknown partition", "d", 5, 0), ("unknown topic", "nowhere", 0, 0),
                                                ("compacted", "d-compacted", 0, 0), ("without a policy", "d-kept", 0, 0), ("all", "d", 0, -1)):
            node.ask(label, "DeleteRecords", version, timeout_ms=30000, topics=[
                {"name": topic, "partitions": [{"partition_index": partition, "offset": offset}]}])


@case
def producers(node):
    def without_last(answer):
        for topic in answer["topics"]:
            for partition in topic["partitions"]:
                for one in partition["active_producers"]:
                    one["last_timestamp"] = "a time"
        return answer

    for label, topic, partition in (("of p-seq", "p-seq", 0), ("unknown partition", "p-seq", 4), ("unknown topic", "nowhere", 0),
                                    ("none", "o", 0)):
        node.ask(label, "DescribeProducers", 0, keep=without_last, topics=[{"name": topic, "partition_indexes": [partition]}])


@case
def producer_ids(node):
    def without_id(answer):
        if answer["producer_id"] >= 0:
            answer["producer_id"] = "one"
        return answer

    while node.quiet("InitProducerId", 0, transactional_id=None, transaction_timeout_ms=60000)["error_code"] == 14:
        time.sleep(0.05)  # Kafka has no block of ids yet.
    for version in range(6):
        node.ask("new", "InitProducerId", version, keep=without_id, transactional_id=None, transaction_timeout_ms=60000)
        node.ask("empty name", "InitProducerId", version, keep=without_id, transactional_id="", transaction_timeout_ms=60000)
    for version in (3, 5):
        node.ask("id without epoch", "InitProducerId", version, keep=without_id, transactional_id=None, transaction_timeout_ms=1,
                 producer_id=5, producer_epoch=-1)
        node.ask("epoch without id", "InitProducerId", version, keep=without_id, transactional_id=None, transaction_timeout_ms=1,
                 producer_id=-1, producer_epoch=3)
        node.ask("both", "InitProducerId", version, keep=without_id, transactional_id=None, transaction_timeout_ms=1,
                 producer_id=5, producer_epoch=3)
