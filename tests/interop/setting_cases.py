# SPDX-License-Identifier: Apache-2.0
"""Cases of error_codes.py for settings, one by one: what each takes, refuses and shows; levels of single loggers."""
import time

from error_cases import case, create, topic_of, wait_for

NUMBERS = ("", " 7 ", "x", "-3", "-2", "-1", "0", "1", "1.5", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808")
SWITCHES = ("true", "TRUE", " false ", "yes", "1", "")
#: Each topic setting, and what it is given; the last one is kept.
TOPIC = {
    "cleanup.policy": ("compact", "delete,compact", "compact,compact", "Compact", "", "sometimes", " delete ", "delete, compact"),
    "compression.gzip.level": (*NUMBERS, "9", "10", "-1", "3"),
    "compression.lz4.level": (*NUMBERS, "17", "18", "4"),
    "compression.type": ("gzip", "snappy", "lz4", "zstd", "uncompressed", "producer", "none", "GZIP", "", "zip", "lz4"),
    "compression.zstd.level": (*NUMBERS, "22", "23", "-131072", "-131073", "5"),
    "delete.retention.ms": (*NUMBERS, "5000"),
    "file.delete.delay.ms": (*NUMBERS, "5000"),
    "flush.messages": (*NUMBERS, "5000"),
    "flush.ms": (*NUMBERS, "5000"),
    "follower.replication.throttled.replicas": ("*", "0:1", "0:1,1:1", "x", "0:x", "", "0:1"),
    "index.interval.bytes": (*NUMBERS, "5000"),
    "leader.replication.throttled.replicas": ("*", "0:1", "x", "", "0:1"),
    "local.retention.bytes": (*NUMBERS, "-2"),
    "local.retention.ms": (*NUMBERS, "-2"),
    "max.compaction.lag.ms": (*NUMBERS, "5000"),
    "max.message.bytes": (*NUMBERS, "5000"),
    "message.timestamp.after.max.ms": (*NUMBERS, "5000"),
    "message.timestamp.before.max.ms": (*NUMBERS, "5000"),
    "message.timestamp.type": ("CreateTime", "LogAppendTime", "createtime", "", "x", "LogAppendTime"),
    "min.cleanable.dirty.ratio": ("0", "1", "0.25", "1.01", "-0.1", "x", "", "NaN", "0.25"),
    "min.compaction.lag.ms": (*NUMBERS, "4000"),
    "min.insync.replicas": (*NUMBERS, "1"),
    "preallocate": SWITCHES,
    "remote.log.copy.disable": SWITCHES,
    "remote.log.delete.on.disable": SWITCHES,
    "remote.storage.enable": (*SWITCHES, "false"),
    "retention.bytes": (*NUMBERS, "5000"),
    "retention.ms": (*NUMBERS, "5000"),
    "segment.bytes": (*NUMBERS, "1048575", "1048576", "5000000"),
    "segment.index.bytes": (*NUMBERS, "5000"),
    "segment.jitter.ms": (*NUMBERS, "5000"),
    "segment.ms": (*NUMBERS, "5000"),
    "unclean.leader.election.enable": SWITCHES,
    # Of Kafka 3 only.
    "message.downconversion.enable": ("true",),
    "message.format.version": ("3.0",),
    "message.timestamp.difference.max.ms": ("1",),
}
#: Settings of a broker that can be changed while it runs, and some that cannot.
BROKER = {
    "background.threads": ("10", "0", "x"),
    "compression.type": ("lz4", "zip"),
    "log.cleaner.backoff.ms": ("100", "-1", "x"),
    "log.cleaner.dedupe.buffer.size": ("134217728", "x"),
    "log.cleaner.delete.retention.ms": ("5000", "-1"),
    "log.cleaner.io.buffer.load.factor": ("0.5", "x"),
    "log.cleaner.io.buffer.size": ("65536", "-1"),
    "log.cleaner.io.max.bytes.per.second": ("1000000", "x"),
    "log.cleaner.min.cleanable.ratio": ("0.1", "1.5"),
    "log.cleaner.min.compaction.lag.ms": ("5", "-1"),
    "log.cleaner.max.compaction.lag.ms": ("5", "0"),
    "log.cleaner.threads": ("1", "0", "x"),
    "log.cleanup.policy": ("compact", "x"),
    "log.flush.interval.messages": ("7", "0"),
    "log.flush.interval.ms": ("7", "x"),
    "log.index.interval.bytes": ("7", "-1"),
    "log.index.size.max.bytes": ("70000", "1"),
    "log.message.timestamp.after.max.ms": ("7", "-1"),
    "log.message.timestamp.before.max.ms": ("7", "-1"),
    "log.message.timestamp.type": ("LogAppendTime", "x"),
    "log.preallocate": ("true", "x"),
    "log.retention.bytes": ("7", "x"),
    "log.retention.hours": ("7",),
    "log.retention.minutes": ("7",),
    "log.retention.ms": ("7", "-2"),
    "log.roll.jitter.ms": ("7", "-1"),
    "log.roll.ms": ("7", "0"),
    "log.segment.bytes": ("1048576", "1"),
    "log.segment.delete.delay.ms": ("7", "-1"),
    "max.connection.creation.rate": ("7", "-1", "x"),
    "max.connections": ("100", "-1", "x"),
    "max.connections.per.ip": ("100", "-1", "x"),
    "max.connections.per.ip.overrides": ("127.0.0.1:50", "127.0.0.1", "x:y"),
    "message.max.bytes": ("5000", "-1"),
    "min.insync.replicas": ("1", "0"),
    "num.io.threads": ("8", "0"),
    "num.network.threads": ("3", "0"),
    "num.recovery.threads.per.data.dir": ("2", "0"),
    "num.replica.fetchers": ("1", "0"),
    "producer.id.expiration.ms": ("86400000", "0"),
    "transaction.partition.verification.enable": ("true", "x"),
    "unclean.leader.election.enable": ("true", "x"),
    # These need a restart.
    "auto.create.topics.enable": ("true",),
    "broker.rack": ("a",),
    "delete.topic.enable": ("true",),
    "fetch.max.bytes": ("100000",),
    "group.max.size": ("100",),
    "num.partitions": ("2",),
    "offsets.retention.minutes": ("100",),
    "socket.request.max.bytes": ("1000000",),
    "no.such.setting": ("1",),
}


def alter(node, label, kind, name, *changes, **more):
    node.ask(label, "IncrementalAlterConfigs", 1, resources=[{"resource_type": kind, "resource_name": name, "configs": [
        {"name": n, "config_operation": op, "value": v} for n, op, v in changes]}], **more)


def described(node, label, kind, name, keys):
    node.ask(label, "DescribeConfigs", 4, include_synonyms=True,
             resources=[{"resource_type": kind, "resource_name": name, "configuration_keys": keys}])


def set_and_seen(node, name, value):
    """Kafka answers before its broker knows of the change."""
    node.quiet("IncrementalAlterConfigs", 1, resources=[{"resource_type": 2, "resource_name": "each", "configs": [
        {"name": name, "config_operation": 0, "value": value}]}])
    for _ in range(40):
        told = node.quiet("DescribeConfigs", 4, resources=[{"resource_type": 2, "resource_name": "each", "configuration_keys": [name]}])
        if any(one["config_source"] == 1 for one in told["results"][0]["configs"]):
            return
        time.sleep(0.05)


@case
def topic_settings_one_by_one(node):
    create(node, topic_of("each"))
    wait_for(node, "each")
    for name, values in TOPIC.items():
        shows_all = name != "min.insync.replicas"  # Kafka keeps a value of the cluster for it.
        if shows_all:
            described(node, f"{name}: default", 2, "each", [name])
        for value in values:
            alter(node, f"{name}={value!r}", 2, "each", (name, 0, value), validate_only=True)
        alter(node, f"{name} appended to", 2, "each", (name, 2, values[-1]), validate_only=True)
        alter(node, f"{name} without a value", 2, "each", (name, 0, None), validate_only=True)
        if name.startswith("message.") and values == TOPIC[name] and len(values) == 1:
            continue
        set_and_seen(node, name, values[-1])
        if shows_all:
            described(node, f"{name}: as set", 2, "each", [name])
        alter(node, f"{name} unset", 2, "each", (name, 1, None))
    for label, settings in {
        "lag above its most": {"min.compaction.lag.ms": "10", "max.compaction.lag.ms": "5"},
        "local time above all": {"local.retention.ms": "10", "retention.ms": "5"},
        "local bytes above all": {"local.retention.bytes": "10", "retention.bytes": "5"},
        "remote without a store": {"remote.storage.enable": "true"},
        "compact with remote": {"remote.storage.enable": "true", "cleanup.policy": "compact"},
    }.items():
        alter(node, label, 2, "each", *((name, 0, value) for name, value in settings.items()), validate_only=True)


@case
def broker_settings_one_by_one(node):
    for name, values in BROKER.items():
        for place in ("1", ""):
            for value in values:
                alter(node, f"{name}={value!r} of {place or 'all'}", 4, place, (name, 0, value), validate_only=True)


@case
def loggers_have_levels(node):
    def ask(label, *changes, name="1"):
        alter(node, label, 8, name, *changes)
    ask("a level that is none", ("root", 0, "LOUD"))
    ask("a logger that is none", ("no.such.logger", 0, "INFO"))
    ask("a logger that is none, unset", ("no.such.logger", 1, None))
    ask("root unset", ("root", 1, None))
    ask("root appended to", ("root", 2, "INFO"))
    ask("root subtracted from", ("root", 3, "INFO"))
    ask("root without a value", ("root", 0, None))
    ask("root twice", ("root", 0, "INFO"), ("root", 0, "WARN"))
    ask("another node", ("root", 0, "INFO"), name="9")
    ask("no node", ("root", 0, "INFO"), name="")
    for level in ("WARN", "INFO"):
        ask(f"root to {level}", ("root", 0, level))
        described(node, f"root at {level}", 8, "1", ["root"])
    described(node, "unknown logger", 8, "1", ["no.such.logger"])
