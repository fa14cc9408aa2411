# SPDX-License-Identifier: Apache-2.0
"""What topic_effects.py does to both nodes for each topic setting, and what of its effect it notes.

A case talks to an Observer (topic_effects.py). Times of records are old, so that segments roll by them and not by the clock.
"""
import random
import struct
import time

import batches
from batches import NAMES, batch

CASES = []
HOUR = 3_600_000
DAY = 24 * HOUR
#: Settings whose effect cannot be seen from outside, or that have none; the tool fails when a setting of Kafka's is neither here nor in a case.
UNSEEN = {
    "flush.messages": "when a log is synced is not seen by a client (src/storage/partition_flush_test.cc sees it); that appends and reads go on with it is",
    "flush.ms": "as flush.messages",
    "follower.replication.throttled.replicas": "without effect in Leat: one node does not replicate",
    "leader.replication.throttled.replicas": "without effect in Leat: one node does not replicate",
    "local.retention.bytes": "without effect in Leat: there is no remote storage",
    "local.retention.ms": "without effect in Leat: there is no remote storage",
    "remote.log.copy.disable": "without effect in Leat: there is no remote storage",
    "remote.log.delete.on.disable": "without effect in Leat: there is no remote storage",
    "remote.storage.enable": "without effect in Leat: only false is accepted",
    "unclean.leader.election.enable": "without effect in Leat: one node has one replica",
    "min.insync.replicas": "one node has one replica, and both take the smaller of the two numbers",
    "message.downconversion.enable": "of Kafka 3 only; refused by both",
    "message.format.version": "of Kafka 3 only; refused by both",
    "message.timestamp.difference.max.ms": "of Kafka 3 only; refused by both",
}


def effect(*settings, alone=False):
    """A case; `alone`: not beside others, because memory or disk is measured."""
    def add(function):
        CASES.append((function.__name__, settings, alone, function))
        return function
    return add


def random_bytes(seed, size):
    return random.Random(seed).randbytes(size)


def sized(total, at):
    """A batch of one record that has exactly that many bytes."""
    size = total - 80
    while len(made := batch([(None, random_bytes(1, size))], at)) != total:
        size += total - len(made)
    return made


@effect("max.message.bytes")
def size_of_a_batch(node):
    node.make("max", {"max.message.bytes": "2000"})
    node.make("max-plain", {"max.message.bytes": "2000", "compression.type": "uncompressed"})
    node.make("max-gzip", {"max.message.bytes": "2000", "compression.type": "gzip"})
    soft = [(None, bytes(5000))]
    for label, topic, data in (
            ("at the limit", "max", sized(2000, node.now)), ("one above", "max", sized(2001, node.now)),
            ("compressed below it, unpacked above", "max", batch(soft, node.now, batches.GZIP)),
            ("the same where it is stored unpacked", "max-plain", batch(soft, node.now, batches.GZIP)),
            ("above it, below once compressed by the broker", "max-gzip", batch(soft, node.now)),
            ("at the limit, larger once compressed", "max-gzip", sized(2000, node.now))):
        node.note(label, node.append(topic, data)["error"])
    node.alter("max", {"max.message.bytes": "2001"})
    node.note("after the limit was raised", node.until(lambda: node.append("max", sized(2001, node.now))["error"], 0))
    node.note("ends", [node.ends(topic) for topic in ("max-plain", "max-gzip")])


@effect("compression.type")
def codec_on_disk(node):
    rows = [(b"k%d" % i, b"some text, some text, some text %d" % i, i) for i in range(3)]
    for kind in ("producer", "uncompressed", *NAMES[1:]):
        topic = f"codec-{kind}"
        node.make(topic, {"compression.type": kind})
        for codec in range(5):
            node.append(topic, batch(rows, node.now, codec))
        node.note(kind, [[one.codec, one.base, [[o, k, v, t - node.now] for o, k, v, t in one.rows]] for one in node.read(topic)])


@effect("compression.gzip.level", "compression.lz4.level", "compression.zstd.level")
def effort(node):
    words = [random_bytes(i, 3 + i % 6).hex() for i in range(300)]
    text = " ".join(random.Random(7).choices(words, k=9000)).encode()
    for codec, low, high in (("gzip", 1, 9), ("lz4", 1, 12), ("zstd", 1, 19)):
        sizes = []
        for level in (low, high):
            topic = f"effort-{codec}-{level}"
            node.make(topic, {"compression.type": codec, f"compression.{codec}.level": str(level)})
            node.append(topic, batch([(None, text)], node.now))
            sizes.append(node.read(topic)[0].size)
        node.note(f"{codec}: {high} is smaller than {low}", sizes[1] < sizes[0] < len(text))


@effect("message.timestamp.type")
def whose_time(node):
    then = node.now - HOUR
    for codec in (batches.NONE, batches.GZIP):
        topic = f"stamped-{NAMES[codec]}"
        node.make(topic, {"message.timestamp.type": "LogAppendTime"})
        told = node.append(topic, batch([(None, b"a"), (None, b"b", 500)], then, codec))["told"]
        one = node.read(topic)[0]
        node.note(f"append time, {NAMES[codec]}", {
            "told": abs(told - node.now) < HOUR / 2, "is that of the batch": one.max_at == told, "marked": one.attributes & batches.APPEND_TIME,
            "own times stay below": [t - then for *_, t in one.rows], "found at it": node.by_time(topic, told), "found before it": node.by_time(topic, then),
            "found after it": node.by_time(topic, told + 1)})
        node.note(f"marked by the client, {NAMES[codec]}", node.append(topic, batch([(None, b"a")], then, codec, attributes=batches.APPEND_TIME))["error"])
        node.alter(topic, {"message.timestamp.type": "CreateTime"})
        node.note(f"changed to create time, {NAMES[codec]}", node.until(lambda topic=topic: node.append(topic, batch([(None, b"z")], then))["told"], -1))
        topic = f"created-{NAMES[codec]}"
        node.make(topic, {})
        told = node.append(topic, batch([(None, b"a"), (None, b"b", 500)], then, codec))["told"]
        node.append(topic, batch([(None, b"c")], then, codec, max_at=then + 9000))
        node.append(topic, batch([(None, b"d"), (None, b"e", 700)], then, codec, max_at=then + 300))
        node.note(f"create time, {NAMES[codec]}", {"told": told, "largest of each batch": [one.max_at - then for one in node.read(topic)]})


@effect("message.timestamp.before.max.ms", "message.timestamp.after.max.ms")
def bounds_of_time(node):
    node.make("bounds", {"message.timestamp.before.max.ms": "60000", "message.timestamp.after.max.ms": "60000"})
    node.make("bounds-stamped", {"message.timestamp.before.max.ms": "60000", "message.timestamp.after.max.ms": "60000",
                                 "message.timestamp.type": "LogAppendTime"})
    for codec in (batches.NONE, batches.ZSTD):
        for label, rows, at in (("within", [(None, b"v")], 0), ("too old", [(None, b"v")], -HOUR), ("too new", [(None, b"v")], HOUR),
                                ("one of three too new", [(None, b"v"), (None, b"v", HOUR), (None, b"v", 5)], 0), ("without a time", [(None, b"v")], None)):
            done = node.append("bounds", batch(rows, -1 if at is None else int(time.time() * 1000) + at, codec))
            node.note(f"{label}, {NAMES[codec]}", [done["error"], done["records"]])
        node.note(f"too old where the broker stamps, {NAMES[codec]}", node.append("bounds-stamped", batch([(None, b"v")], node.now - HOUR, codec))["error"])


@effect("retention.ms")
def kept_by_time(node):
    ages = (5 * HOUR, 4 * HOUR, 3 * HOUR, 10 * 60_000, 0)
    for name, settings, wanted in (("some", {"retention.ms": str(HOUR)}, [3, 5]), ("ever", {"retention.ms": "-1"}, None),
                                   ("no-policy", {"retention.ms": str(HOUR), "cleanup.policy": ""}, None),
                                   ("compacted", {"retention.ms": str(HOUR), "cleanup.policy": "compact", "min.cleanable.dirty.ratio": "1"}, None)):
        topic = f"time-{name}"
        node.make(topic, settings | {"segment.ms": "1000"})
        for i, age in enumerate(ages):
            node.append(topic, batch([(b"k%d" % i, b"v")], node.now - age))
        if wanted:
            node.until(lambda topic=topic: node.ends(topic), wanted)
    node.make("time-all", {"retention.ms": str(HOUR), "segment.ms": "1000"})
    for age in ages[:2]:
        node.append("time-all", batch([(None, b"v")], node.now - age))
    node.until(lambda: node.ends("time-all"), [2, 2])
    node.rounds()
    for name in ("some", "all", "ever", "no-policy", "compacted"):
        node.note(name, {"ends": node.ends(f"time-{name}"), "segments": node.segments(f"time-{name}")})
    node.alter("time-ever", {"retention.ms": str(HOUR)})
    node.note("set later", node.until(lambda: node.ends("time-ever"), [3, 5]))
    node.append("time-all", batch([(None, b"v")], int(time.time() * 1000)))
    node.note("it goes on", node.until(lambda: node.ends("time-all"), [2, 3]))


@effect("retention.bytes", "segment.bytes")
def kept_by_size(node):
    values = [random_bytes(i, 500_000) for i in range(6)]
    wanted = {"-1": None, "1100000": [2, 6], "2400000": None, "0": [6, 6], "1": [4, 6]}
    for limit, ends in wanted.items():
        node.make(f"size{limit}", {"retention.bytes": limit, "segment.bytes": "1048576"})
        for value in values:
            node.append(f"size{limit}", batch([(None, value)], node.now))
        if ends:
            node.until(lambda limit=limit: node.ends(f"size{limit}"), ends)
    node.rounds()
    for limit in wanted:
        node.note(limit, {"ends": node.ends(f"size{limit}"), "segments": node.segments(f"size{limit}")})


@effect("segment.ms", "segment.jitter.ms")
def segments_by_age(node):
    then = node.now - HOUR
    node.make("age", {"segment.ms": "10000"})
    for after in (0, 10000, 10001, 5000, 20002, 20003):
        node.append("age", batch([(None, b"v")], then + after))
    node.note("by the records' times", node.segments("age"))
    node.make("age-none", {"segment.ms": "1000"})
    for _ in range(2):
        node.append("age-none", batch([(None, b"v")], -1))
        time.sleep(1.6)
    node.append("age-none", batch([(None, b"v")], -1))
    node.note("by the clock without them", node.segments("age-none"))
    counts = {}
    for jitter in (0, 100000):
        topic = f"jitter-{jitter}"
        node.make(topic, {"segment.ms": "100000", "segment.jitter.ms": str(jitter)}, partitions=32)
        for after in (0, 50000):
            for index in range(32):
                node.append(topic, batch([(None, b"v")], then + after), index)
        counts[jitter] = sum(len(node.segments(topic, index)) == 2 for index in range(32))
    node.note("half the age", {"rolled without jitter": counts[0], "some, not all, with it": 0 < counts[100000] < 32})


@effect("segment.index.bytes", "index.interval.bytes")
def indexes(node):
    then, rng = node.now - 2 * HOUR, random.Random(3)
    times = [then + i * 1000 + rng.choice((0, 0, 5000)) for i in range(40)]
    node.make("full", {"index.interval.bytes": "0", "segment.index.bytes": "64"})
    for at in times[:30]:
        node.append("full", batch([(None, b"v")], at))
    node.note("an index of 64 bytes is full", node.segments("full"))
    for interval in (0, 500, 4096, 1_000_000):
        topic = f"index-{interval}"
        node.make(topic, {"index.interval.bytes": str(interval), "segment.ms": str(HOUR)})
        for i, at in enumerate(times):
            node.append(topic, batch([(None, random_bytes(i, 150)), (None, b"w", 3)], at))
        node.append(topic, batch([(None, b"last")], then + HOUR + 100_000))
        node.note(f"every {interval}: by time", [node.by_time(topic, then + after) for after in range(-1000, 50_000, 700)])
        node.note(f"every {interval}: by offset", [node.read(topic, at)[0].base for at in range(81)])
        offsets, stamps = (node.index(topic, 0, end) for end in ("index", "timeindex"))
        node.note(f"every {interval}: offset index of the closed segment", [list(row) for row in struct.iter_unpack(">ii", offsets)])
        node.note(f"every {interval}: time index of the closed segment", [[at - then, offset] for at, offset in struct.iter_unpack(">qi", stamps)])


def old(node, index):
    return node.now - 10 * HOUR + index * 2000


def fill(node, topic, rows, first=0):
    """Each row a segment of its own, the last one still open. A row is (key, value)."""
    for i, row in enumerate(rows):
        node.append(topic, batch([row], old(node, first + i)))


def compacted(node, topic, settings, rows):
    """A compacted topic with these rows that is left alone until release()."""
    node.make(topic, {"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "1"} | settings)
    fill(node, topic, rows)


def release(node, topic, wanted):
    node.alter(topic, {"min.cleanable.dirty.ratio": "0.01"})
    return node.until(lambda: node.rows(topic), wanted)


ROWS = [(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"c", b"1"), (b"b", b"2"), (b"z", b"1")]
LAST = [[2, "a", "2"], [3, "c", "1"], [4, "b", "2"], [5, "z", "1"]]
ALL = [[i, key.decode(), value.decode()] for i, (key, value) in enumerate(ROWS)]


@effect("cleanup.policy", "min.cleanable.dirty.ratio")
def last_of_each_key(node):
    compacted(node, "compact", {}, ROWS)
    node.note("without a key", node.append("compact", batch([(None, b"v")], old(node, 5)))["error"])
    node.rounds()
    node.note("at the ratio of 1", node.rows("compact"))
    node.note("below it", release(node, "compact", LAST))
    node.note("after", {"ends": node.ends("compact"), "segments": node.segments("compact")})
    node.make("later", {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "retention.ms": "-1"})
    fill(node, "later", ROWS)
    node.rounds()
    node.note("policy of delete", node.rows("later"))
    node.alter("later", {"cleanup.policy": "compact"})
    node.note("policy changed to compact", node.until(lambda: node.rows("later"), LAST))
    compacted(node, "ratio", {}, [(b"%d" % i, random_bytes(i, 200)) for i in range(10)] + [(b"0", b"new"), (b"z", b"1")])
    node.alter("ratio", {"min.cleanable.dirty.ratio": "0.6"})
    node.until(lambda: len(node.rows("ratio")), 11)
    fill(node, "ratio", [(b"1", b"new"), (b"y", b"1")], 12)
    node.rounds()
    node.note("little is dirty", len(node.rows("ratio")))
    node.alter("ratio", {"min.cleanable.dirty.ratio": "0.01"})
    node.note("and that is enough", node.until(lambda: len(node.rows("ratio")), 12))


@effect("delete.retention.ms")
def markers(node):
    for kept in (0, DAY):
        topic = f"markers-{kept}"
        compacted(node, topic, {"delete.retention.ms": str(kept)}, [(b"a", b"1"), (b"b", b"1"), (b"a", None), (b"z", b"1")])
        first = [[1, "b", "1"], [2, "a", None], [3, "z", "1"]]
        node.note(f"kept for {kept}, met first", release(node, topic, first))
        marked = [one for one in node.read(topic) if one.base <= 2 <= one.last and one.rows]
        node.note(f"kept for {kept}, until when", [[bool(one.attributes & batches.HORIZON), (one.base_at > node.now + DAY // 2) == bool(kept)] for one in marked])
        fill(node, topic, [(b"y", b"1"), (b"x", b"1")], 4)
        later = first[:1] + ([] if kept == 0 else first[1:2]) + [[3, "z", "1"], [4, "y", "1"], [5, "x", "1"]]
        node.note(f"kept for {kept}, met again", node.until(lambda topic=topic, later=later: node.rows(topic), later))
        node.rounds()
        node.note(f"kept for {kept}, in the end", node.rows(topic))


@effect("min.compaction.lag.ms")
def young_records(node):
    node.make("young", {"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": str(HOUR)})
    for key, value, at in ((b"a", b"1", old(node, 0)), (b"a", b"2", old(node, 1)), (b"b", b"1", node.now), (b"b", b"2", node.now + 2000),
                           (b"z", b"1", node.now + 4000)):
        node.append("young", batch([(key, value)], at))
    wanted = [[1, "a", "2"], [2, "b", "1"], [3, "b", "2"], [4, "z", "1"]]
    node.until(lambda: node.rows("young"), wanted)
    node.rounds()
    node.note("young ones stay", node.rows("young"))
    node.alter("young", {"min.compaction.lag.ms": "0"})
    node.note("until they may go", node.until(lambda: node.rows("young"), wanted[:1] + wanted[2:]))


@effect("max.compaction.lag.ms")
def overdue_records(node):
    compacted(node, "overdue", {}, ROWS)
    node.rounds()
    node.note("without a limit", node.rows("overdue"))
    node.alter("overdue", {"max.compaction.lag.ms": "60000"})
    node.note("too long dirty", node.until(lambda: node.rows("overdue"), LAST))
    node.make("rolled", {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "1", "max.compaction.lag.ms": "1000"})
    fill(node, "rolled", ROWS)
    node.note("segments are closed by it", node.until(lambda: node.rows("rolled"), LAST))
    node.make("whole", {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0"})
    fill(node, "whole", ROWS)
    node.rounds()
    node.note("the open segment stays", node.rows("whole"))


@effect("cleanup.policy")
def both_policies(node):
    node.make("both", {"cleanup.policy": "compact,delete", "segment.ms": "1000", "min.cleanable.dirty.ratio": "1", "retention.ms": str(HOUR)})
    rows = ((b"a", b"1", -5 * HOUR), (b"b", b"1", -4 * HOUR), (b"a", b"2", -60_000), (b"a", b"3", -50_000), (b"z", b"1", -40_000))
    for key, value, at in rows:
        node.append("both", batch([(key, value)], node.now + at))
    node.note("old ones go", node.until(lambda: node.ends("both"), [2, 5]))
    node.note("of the others the last", release(node, "both", [[3, "a", "3"], [4, "z", "1"]]))


@effect("cleanup.policy", "compression.type")
def batches_after_compaction(node):
    for codec in range(5):
        topic = f"compact-{NAMES[codec]}"
        node.make(topic, {"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "1"})
        node.append(topic, batch([(b"a", b"1"), (b"b", b"1", 7), (b"a", b"2", 9)], old(node, 0), codec))
        node.append(topic, batch([(b"c", b"1"), (b"d", b"1", 2)], old(node, 1), codec))
        node.append(topic, batch([(b"c", b"2"), (b"d", b"2", 2)], old(node, 2), codec))
        node.append(topic, batch([(b"z", b"1")], old(node, 3), codec))
        release(node, topic, [[1, "b", "1"], [2, "a", "2"], [5, "c", "2"], [6, "d", "2"], [7, "z", "1"]])
        node.note(NAMES[codec], [[one.codec, one.base, one.last, one.max_at - old(node, 0), [[o, k, v, t - old(node, 0)] for o, k, v, t in one.rows]]
                                 for one in node.read(topic)])


@effect("file.delete.delay.ms", alone=True)
def files_that_are_gone(node):
    for delay in (100, 600_000):
        topic = f"gone-{delay}"
        node.make(topic, {"file.delete.delay.ms": str(delay), "retention.ms": str(HOUR), "segment.ms": "1000"})
        for age in (5 * HOUR, 4 * HOUR, 0):
            node.append(topic, batch([(None, b"v")], node.now - age))
        node.until(lambda topic=topic: node.ends(topic), [2, 3])
    node.rounds(2)
    for delay in (100, 600_000):
        node.note(f"segments, {delay} ms", node.deleted(f"gone-{delay}"))
    for delay in (100, 600_000):
        node.quiet("DeleteTopics", 5, topic_names=[f"gone-{delay}"], timeout_ms=30000)
    node.rounds(2)
    for delay in (100, 600_000):
        found = sorted(path.name for path in node.node.data.iterdir() if path.name.startswith(f"gone-{delay}"))
        node.note(f"topics, {delay} ms", [name.startswith(f"gone-{delay}-0.") and name.endswith("-delete") for name in found])


@effect("min.insync.replicas")
def replicas_in_sync(node):
    node.make("insync", {"min.insync.replicas": "2"})
    for acks in (1, -1, 0):
        node.note(f"two wanted, acks {acks}", node.append("insync", batch([(None, b"v")], node.now), acks=acks, patience=2)["error"])
    node.alter("insync", {"min.insync.replicas": "1"})
    node.note("one wanted", node.until(lambda: node.append("insync", batch([(None, b"v")], node.now))["error"], 0))


@effect("preallocate", alone=True)
def reserved_space(node):
    node.make("reserved", {"preallocate": "true", "segment.bytes": "1048576"})
    value = random_bytes(1, 300_000)
    for _ in range(4):
        node.append("reserved", batch([(None, value)], node.now))
    closed, active = (node.file("reserved", base, "log") for base in node.segments("reserved")[:2])
    sizes = [one.size for one in node.read("reserved")]
    node.note("segments", node.segments("reserved"))
    node.note("the closed one has its batches' size", closed.stat().st_size == sum(sizes[:3]))
    status = active.stat()
    node.note("the open one has its room", max(status.st_size, status.st_blocks * 512) >= 1048576)
    node.note("records", [one.base for one in node.read("reserved")])


@effect("flush.messages", "flush.ms", "follower.replication.throttled.replicas", "leader.replication.throttled.replicas", "local.retention.bytes",
        "local.retention.ms", "remote.log.copy.disable", "remote.log.delete.on.disable", "remote.storage.enable", "unclean.leader.election.enable",
        "message.downconversion.enable", "message.format.version", "message.timestamp.difference.max.ms")
def nothing_to_see(node):
    for name, value in (("flush.messages", "1"), ("flush.ms", "1"), ("follower.replication.throttled.replicas", "*"), ("unclean.leader.election.enable", "true"),
                        ("leader.replication.throttled.replicas", "*"), ("local.retention.bytes", "1"), ("local.retention.ms", "1"),
                        ("remote.log.copy.disable", "true"), ("remote.log.delete.on.disable", "true"), ("remote.storage.enable", "false"),
                        ("remote.storage.enable", "true"), ("message.downconversion.enable", "true"), ("message.format.version", "3.0"),
                        ("message.timestamp.difference.max.ms", "1")):
        topic = f"same-{name}-{value}".replace("*", "all")
        made = node.make(topic, {name: value, "segment.ms": "1000"})
        if made:
            node.note(f"{name}={value}", {"refused": made})
            continue
        for age in (2 * HOUR, HOUR, 0):
            node.append(topic, batch([(b"k", b"v")], node.now - age))
        elected = node.quiet("ElectLeaders", 2, election_type=1, timeout_ms=30000, topic_partitions=[{"topic": topic, "partitions": [0]}])
        node.note(f"{name}={value}", {"rows": node.rows(topic), "ends": node.ends(topic), "election": [
            part["error_code"] for one in elected["replica_election_results"] for part in one["partition_result"]]})
