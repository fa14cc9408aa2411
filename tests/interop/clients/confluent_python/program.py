# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka for Python: its wheel carries a newer librdkafka than Debian's."""
import os
import sys
import threading
import time

sys.path.insert(0, os.environ["LEAT_INTEROP"])
import confluent_kafka  # noqa: E402
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, admin  # noqa: E402
from scenario import EPOCH_MS, Scenario, expect, outlive_session, payload, record_line, sample, settle, wait_until  # noqa: E402

scenario = Scenario()
QUICK = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 500, "auto.offset.reset": "earliest",
         "topic.metadata.refresh.fast.interval.ms": 100, "fetch.wait.max.ms": 100}


class Context:
    def __init__(self, bootstrap, prefix):
        self.bootstrap, self.prefix = bootstrap, prefix
        self.admin = admin.AdminClient({"bootstrap.servers": bootstrap})
        print("librdkafka", confluent_kafka.libversion()[0], file=sys.stderr)

    def topic(self, name):
        return f"{self.prefix}-{name}"

    def create(self, name, partitions=1, **options):
        topic = admin.NewTopic(self.topic(name), partitions, 1, **options)
        next(iter(self.admin.create_topics([topic]).values())).result(30)
        return self.topic(name)

    def stable(self, group):
        """The description of the group when it is stable, else None."""
        found = self.admin.describe_consumer_groups([group])[group].result(30)
        return found if found.state == confluent_kafka.ConsumerGroupState.STABLE else None

    def produce(self, topic, rows, **settings):
        """Rows of (partition, key, value, headers, time); gives [(partition, offset)] in order of the rows."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 20} | settings)
        got = [None] * len(rows)

        def delivered(index):
            def note(error, message):
                got[index] = error.name() if error else (message.partition(), message.offset())
            return note

        for index, (partition, key, value, headers, time) in enumerate(rows):
            producer.produce(topic, value, key, partition, on_delivery=delivered(index), timestamp=time, headers=headers)
        expect(producer.flush(40) == 0, "not all records were delivered")
        return got

    def read(self, topic, partition, count, offset=confluent_kafka.OFFSET_BEGINNING):
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.topic("none")} | QUICK)
        consumer.assign([TopicPartition(topic, partition, offset)])
        found = []
        wait_until(lambda: len(found) >= count or found.extend(consumer.consume(count - len(found), 0.2)),
                   f"{count} records of {topic}-{partition}")
        consumer.close()
        for message in found:
            expect(message.error() is None, str(message.error()))
        return found


def line(message):
    kind, time = message.timestamp()
    return record_line(message.partition(), message.offset(), f"{kind}/{time}", message.key(), message.value(), message.headers())


def simple(values, partition=0):
    return [(partition, b"k", value.encode(), None, EPOCH_MS) for value in values]


def outcome(futures):
    """OK or the name of the error."""
    try:
        next(iter(futures.values())).result(30)
        return "OK"
    except KafkaException as why:
        return why.args[0].name()


@scenario.feature
def create_topics(context, facts):
    def create(name, partitions=1, replicas=1, **options):
        return outcome(context.admin.create_topics([admin.NewTopic(name, partitions, replicas, **options)]))

    facts += [
        "new " + create(context.topic("records"), 3),
        "with settings " + create(context.topic("compact"), 1, config={"cleanup.policy": "compact", "retention.ms": "7200000"}),
        "assigned " + create(context.topic("assigned"), 2, -1, replica_assignment=[[1], [1]]),
        "defaults " + create(context.topic("defaults"), -1, -1),
        "again " + create(context.topic("records"), 3),
        "bad name " + create("bad/name"),
        "long name " + create("n" * 250),
        "three replicas " + create(context.topic("three"), 1, 3),
        "no partitions " + create(context.topic("zero"), 0),
        "unknown setting " + create(context.topic("unknown"), config={"no.such.setting": "1"}),
        "bad setting " + create(context.topic("bad"), config={"segment.bytes": "-5"}),
    ]
    only = context.admin.create_topics([admin.NewTopic(context.topic("dry"), 1, 1)], validate_only=True)
    facts.append("validated " + outcome(only))
    settle()
    wanted = [context.topic(name) for name in ("records", "assigned", "defaults")]
    for name, future in context.admin.describe_topics(confluent_kafka.TopicCollection(wanted)).items():
        topic = future.result(30)
        for p in topic.partitions:
            facts.append(f"{name} {p.id} leader {p.leader.id} replicas {[n.id for n in p.replicas]} isr {[n.id for n in p.isr]}")
    expect(context.topic("dry") not in context.admin.list_topics(timeout=20).topics, "validation made a topic")
    cluster = context.admin.describe_cluster().result(30)
    facts.append(f"controller {cluster.controller.id} nodes {[n.id for n in cluster.nodes]}")


@scenario.feature
def produce(context, facts):
    rows = [(i % 3, *sample(i)) for i in range(60)]
    facts += [f"{i}: {place}" for i, place in enumerate(context.produce(context.topic("records"), rows))]
    for acks in ("0", "1", "all"):
        facts.append(f"acks {acks}: {context.produce(context.topic('compact'), simple(['a']), acks=acks)[0][0]}")
    facts.append(f"big {context.produce(context.topic('compact'), simple(['x' * 2_000_000]), **{'message.max.bytes': 5_000_000})}")
    null_key = [(0, None, b"v", None, EPOCH_MS)]
    facts.append(f"null key, compacted {context.produce(context.topic('compact'), null_key)}")


@scenario.feature
def consume(context, facts):
    topic = context.topic("records")
    for partition in range(3):
        facts += map(line, context.read(topic, partition, 20))
    facts += ["from 7: " + line(m) for m in context.read(topic, 1, 13, 7)]
    consumer = Consumer({"bootstrap.servers": context.bootstrap, "group.id": context.topic("none"), "auto.offset.reset": "error"})
    consumer.assign([TopicPartition(topic, 0, 1000)])
    message = wait_until(lambda: consumer.poll(0.2), "an answer for an offset out of range")
    facts.append(f"offset out of range: {message.error().name()}")
    consumer.close()


def codec(name):
    def check(context, facts):
        topic = context.create(f"codec-{name}")
        sent = [payload(i) for i in range(200)]
        places = context.produce(topic, [(0, b"k", value, None, EPOCH_MS + i) for i, value in enumerate(sent)],
                                 **{"compression.type": name})
        back = context.read(topic, 0, 200)
        expect([m.value() for m in back] == sent, "values differ")
        expect([m.timestamp()[1] for m in back] == [EPOCH_MS + i for i in range(200)], "times differ")
        facts += [f"first {places[0]} last {places[-1]}", f"from the middle {context.read(topic, 0, 1, 150)[0].offset()}"]
    check.__name__ = f"codec_{name}"
    return check


for each in ("none", "gzip", "snappy", "lz4", "zstd"):
    scenario.feature(codec(each))


@scenario.feature
def idempotence(context, facts):
    topic = context.create("idempotence")
    values = [f"value-{i}" for i in range(1000)]
    places = context.produce(topic, simple(values), **{"enable.idempotence": True, "batch.num.messages": 10, "linger.ms": 0})
    expect(places == [(0, i) for i in range(1000)], "offsets are not in order")
    expect([m.value().decode() for m in context.read(topic, 0, 1000)] == values, "records differ")
    facts.append(f"first {places[0]} last {places[-1]}")


@scenario.feature
def offsets_by_time(context, facts):
    topic = context.topic("records")
    specs = {"earliest": admin.OffsetSpec.earliest(), "latest": admin.OffsetSpec.latest(), "max": admin.OffsetSpec.max_timestamp()}
    for shift in (-1000, 0, 1, 30_000, 57_000, 57_001, 1_000_000):
        specs[f"{shift} ms"] = admin.OffsetSpec.for_timestamp(EPOCH_MS + shift)
    for isolation in (IsolationLevel.READ_UNCOMMITTED, IsolationLevel.READ_COMMITTED):
        for name, spec in specs.items():
            for partition in range(3):
                place = TopicPartition(topic, partition)
                found = context.admin.list_offsets({place: spec}, isolation_level=isolation)[place].result(30)
                facts.append(f"{isolation.name} {name} {partition}: {found.offset} at {found.timestamp}")
    consumer = Consumer({"bootstrap.servers": context.bootstrap, "group.id": context.topic("none")})
    facts.append(f"watermarks {consumer.get_watermark_offsets(TopicPartition(topic, 0), 20)}")
    found = consumer.offsets_for_times([TopicPartition(topic, p, EPOCH_MS + 5000) for p in range(3)], 20)
    facts += [f"consumer: {p.partition} {p.offset}" for p in found]
    consumer.close()


class Member:
    """A consumer of a group on a thread of its own."""

    def __init__(self, context, group, topic, **settings):
        self.owned, self.rows, self.assigns, self.error = set(), [], [], None
        settings = {"bootstrap.servers": context.bootstrap, "group.id": group} | QUICK | settings
        by_broker = settings.get("group.protocol") == "consumer"
        for name in ("session.timeout.ms", "heartbeat.interval.ms") if by_broker else ():
            del settings[name]  # The broker says so, and the client refuses to be told.
        self.consumer = Consumer(settings)
        self.cooperative = by_broker or settings.get("partition.assignment.strategy") == "cooperative-sticky"
        self.consumer.subscribe([topic], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _assign(self, consumer, partitions):
        self.assigns.append(sorted(p.partition for p in partitions))
        self.owned = (self.owned if self.cooperative else set()) | {p.partition for p in partitions}

    def _revoke(self, consumer, partitions):
        self.owned = self.owned - {p.partition for p in partitions}

    def _run(self):
        while not self.stop.is_set():
            message = self.consumer.poll(0.05)
            if message is None:
                continue
            if message.error():
                self.error = message.error().name()
                if message.error().fatal():
                    break
            else:
                self.rows.append((message.partition(), message.offset(), message.value().decode()))
        self.consumer.close()

    def leave(self):
        self.stop.set()
        self.thread.join(40)


def two_members(context, facts, name, **settings):
    """A alone, A and B, A alone again; all records are read and committed."""
    topic, group = context.create(name, 4), context.topic(f"{name}-group")
    for partition in range(4):
        context.produce(topic, simple([f"value-{partition}-{i}" for i in range(10)], partition))
    first = Member(context, group, topic, **settings)
    try:
        wait_until(lambda: len(first.owned) == 4 and len(first.rows) >= 40, "the first member reads all")
        facts.append(f"A owns {sorted(first.owned)}")
        second = Member(context, group, topic, **settings)
        try:
            wait_until(lambda: len(first.owned) == 2 and len(second.owned) == 2, "two members share")
            facts.append(f"A and B own {sorted(first.owned | second.owned)}")
            described = wait_until(lambda: context.stable(group), "a stable group")
            facts.append(f"{described.state.name} {described.partition_assignor} members {len(described.members)}")
        finally:
            second.leave()
        wait_until(lambda: len(first.owned) == 4, "the first member owns all again")
        for partition in range(4):
            context.produce(topic, simple(["late"], partition))
        wait_until(lambda: sum(row[2] == "late" for row in first.rows) >= 4, "late records")
        facts.append(f"A owns {sorted(first.owned)}, was given anew {[len(a) for a in first.assigns if a] if first.cooperative else '-'}")
    finally:
        first.leave()
    facts += [str(row) for row in sorted(set(first.rows))]
    committed = context.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(30)
    facts += [f"committed {p.partition}: {p.offset}" for p in sorted(committed.topic_partitions, key=lambda p: p.partition)]


@scenario.feature
def group(context, facts):
    two_members(context, facts, "group", **{"partition.assignment.strategy": "range"})


@scenario.feature
def cooperative(context, facts):
    two_members(context, facts, "cooperative", **{"partition.assignment.strategy": "cooperative-sticky"})


@scenario.feature
def consumer_protocol(context, facts):
    two_members(context, facts, "consumer-protocol", **{"group.protocol": "consumer"})


@scenario.feature
def consumer_protocol_static(context, facts):
    topic, group = context.create("consumer-static", 4), context.topic("consumer-static-group")
    modern = {"group.protocol": "consumer"}
    first = Member(context, group, topic, **modern, **{"group.instance.id": "one"})
    other = Member(context, group, topic, **modern, **{"group.instance.id": "two"})
    wait_until(lambda: len(first.owned) == 2 and len(other.owned) == 2, "two static members share")
    before, rebalances = first.owned, len(other.assigns)
    first.leave()
    again = Member(context, group, topic, **modern, **{"group.instance.id": "one"})
    wait_until(lambda: again.owned, "the member comes back")
    facts.append(f"same partitions {again.owned == before}, rebalances of the other {len(other.assigns) - rebalances}")
    described = wait_until(lambda: context.stable(group), "a stable group")
    facts += sorted(f"{m.group_instance_id} {len(m.assignment.topic_partitions)}" for m in described.members)
    for member in (again, other):
        member.leave()


@scenario.feature
def consumer_protocol_pattern(context, facts):
    topic, group = context.create("consumer-pattern-a", 2), context.topic("consumer-pattern-group")
    context.create("consumer-other", 2)
    context.produce(topic, simple(["a"], 0))
    member = Member(context, group, "^" + context.topic("consumer-pattern-") + ".*", **{"group.protocol": "consumer"})
    try:
        wait_until(lambda: (0, 0, "a") in member.rows, "the first topic")
        context.produce(context.create("consumer-pattern-b", 1), simple(["b"], 0))
        wait_until(lambda: (0, 0, "b") in member.rows, "the topic that came later")
        facts += sorted(map(str, set(member.rows)))
    finally:
        member.leave()


@scenario.feature
def migration(context, facts):
    """One group: a classic member, then one of each protocol (upgraded while it lives), then classic again (downgraded)."""
    topic, group = context.create("migration", 4), context.topic("migration-group")
    for partition in range(4):
        context.produce(topic, simple([f"value-{partition}-{i}" for i in range(10)], partition))
    classic, modern = {"partition.assignment.strategy": "range"}, {"group.protocol": "consumer"}
    running = []

    def kind():
        found = context.admin.list_consumer_groups().result(30).valid
        return [f"{g.type.name} {g.state.name}" for g in found if g.group_id == group and g.state.name == "STABLE"]

    def settled(what, *members):
        share = 4 // len(members)
        wait_until(lambda: all(len(m.owned) == share for m in members) and kind(), what)
        facts.append(f"{what}: {kind()} {sorted(p for m in members for p in m.owned)}")

    def join(**settings):
        running.append(Member(context, group, topic, **settings))
        return running[-1]

    try:
        first = join(**classic)
        wait_until(lambda: len(first.rows) >= 40, "the records")
        settled("a classic member alone", first)
        second = join(**modern)
        settled("with one of the consumer protocol", first, second)
        first.leave()
        settled("that one alone", second)
        third = join(**classic)
        settled("with a classic one again", second, third)
        second.leave()
        settled("a classic one alone", third)
        for partition in range(4):
            context.produce(topic, simple(["late"], partition))
        wait_until(lambda: sum(row[2] == "late" for row in third.rows) >= 4, "late records")
    finally:
        for member in running:
            member.leave()
    facts += [str(row) for row in sorted({row for member in running for row in member.rows})]
    committed = context.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(30)
    facts += [f"committed {p.partition}: {p.offset}" for p in sorted(committed.topic_partitions, key=lambda p: p.partition)]


@scenario.feature
def static_membership(context, facts):
    topic, group = context.create("static", 4), context.topic("static-group")
    first = Member(context, group, topic, **{"group.instance.id": "one"})
    other = Member(context, group, topic, **{"group.instance.id": "two"})
    wait_until(lambda: len(first.owned) == 2 and len(other.owned) == 2, "two static members share")
    before, rebalances = first.owned, len(other.assigns)
    first.leave()
    again = Member(context, group, topic, **{"group.instance.id": "one"})
    wait_until(lambda: again.owned, "the member comes back")
    facts.append(f"same partitions {again.owned == before}, rebalances of the other {len(other.assigns) - rebalances}")
    described = wait_until(lambda: context.stable(group), "a stable group")
    facts += sorted(f"{m.group_instance_id} {len(m.assignment.topic_partitions)}" for m in described.members)
    thief = Member(context, group, topic, **{"group.instance.id": "one"})
    wait_until(lambda: again.error, "the member is fenced")
    facts.append(f"fenced: {again.error}")
    for member in (thief, again, other):
        member.leave()


@scenario.feature
def commit_resume(context, facts):
    topic, group = context.create("commit"), context.topic("commit-group")
    context.produce(topic, simple([f"value-{i}" for i in range(10)]))
    settings = {"bootstrap.servers": context.bootstrap, "group.id": group, "enable.auto.commit": False} | QUICK
    for count in (4, 6):
        consumer = Consumer(settings)
        consumer.subscribe([topic])
        for _ in range(count):
            message = wait_until(lambda: consumer.poll(0.2), "a record")
            facts.append(f"{count}: {line(message)}")
        consumer.commit(offsets=[TopicPartition(topic, 0, message.offset() + 1, metadata=f"after {count}")], asynchronous=False)
        found = consumer.committed([TopicPartition(topic, 0)], 20)[0]
        facts.append(f"committed {found.offset} {found.metadata}")
        consumer.close()
    place = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 2)])
    context.admin.alter_consumer_group_offsets([place])[group].result(30)
    found = context.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(30)
    facts.append(f"set back to {[p.offset for p in found.topic_partitions]}")


def writer(context, name):
    producer = Producer({"bootstrap.servers": context.bootstrap, "transactional.id": context.topic(name), "linger.ms": 0})
    producer.init_transactions(30)
    return producer


def seen(context, facts, topic, partitions, isolation):
    """Rows of all partitions up to their end, in order of place."""
    consumer = Consumer({"bootstrap.servers": context.bootstrap, "group.id": context.topic("reader"), "isolation.level": isolation,
                         "enable.partition.eof": True} | QUICK)
    consumer.assign([TopicPartition(topic, i, 0) for i in range(partitions)])
    rows, ended = [], set()

    def read():
        for message in consumer.consume(100, 0.2):
            if message.error() and message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                ended.add(message.partition())
            else:
                expect(message.error() is None, str(message.error()))
                rows.append((message.partition(), message.offset(), message.value().decode()))
        return len(ended) == partitions

    wait_until(read, f"the end of {topic}")
    consumer.close()
    facts += [f"{isolation} {partition}:{offset} {value}" for partition, offset, value in sorted(rows)]


@scenario.feature
def transactions(context, facts):
    topic = context.create("transactions", 3)
    first = writer(context, "writer")
    for i in range(6):
        first.begin_transaction()
        for partition in range(3):
            first.produce(topic, f"t{i}-{partition}", partition=partition)
        if i % 3 == 2:
            first.flush(30)
            first.abort_transaction(30)
        else:
            first.commit_transaction(30)
    first.begin_transaction()
    first.commit_transaction(30)
    first.begin_transaction()
    first.produce(topic, "left open", partition=0)
    first.flush(30)
    seen(context, facts, topic, 3, "read_committed")
    second = writer(context, "writer")
    try:
        first.produce(topic, "too late", partition=0)
        first.commit_transaction(30)
        facts.append("not fenced")
    except KafkaException as why:
        facts.append(f"fenced {why.args[0].name()} fatal {why.args[0].fatal()}")
    second.begin_transaction()
    second.produce(topic, "second", partition=1)
    second.commit_transaction(30)
    seen(context, facts, topic, 3, "read_committed")
    seen(context, facts, topic, 3, "read_uncommitted")


@scenario.feature
def transactional_offsets(context, facts):
    transform(context, facts, "", QUICK)


@scenario.feature
def consumer_protocol_transactions(context, facts):
    by_client = ("session.timeout.ms", "heartbeat.interval.ms")
    transform(context, facts, "modern-", {name: value for name, value in QUICK.items() if name not in by_client} | {"group.protocol": "consumer"})


def transform(context, facts, stem, settings):
    """What was read is committed with what was written, or not at all."""
    source, target = context.create(stem + "source"), context.create(stem + "target")
    context.produce(source, simple([f"v{i}" for i in range(10)]))
    producer = writer(context, stem + "transformer")
    consumer = Consumer({"bootstrap.servers": context.bootstrap, "group.id": context.topic(stem + "transformers"),
                         "enable.auto.commit": False} | settings)
    consumer.subscribe([source])
    rows = []
    wait_until(lambda: len(rows) >= 10 or rows.extend(consumer.consume(10 - len(rows), 0.2)), "ten records")
    for start in (0, 5):
        producer.begin_transaction()
        for row in rows[start:start + 5]:
            producer.produce(target, f"seen {row.offset()}", partition=0)
        producer.send_offsets_to_transaction([TopicPartition(source, 0, start + 5)], consumer.consumer_group_metadata(), 30)
        if start == 0:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)
        facts.append(f"committed {consumer.committed([TopicPartition(source, 0)], 30)[0].offset}")
    consumer.close()
    seen(context, facts, target, 1, "read_committed")


@scenario.feature
def read_committed(context, facts):
    """Somebody else's transactions: see transactional.py."""
    seen(context, facts, context.topic("committed"), 1, "read_committed")
    seen(context, facts, context.topic("committed"), 1, "read_uncommitted")


def shown(entry):
    synonyms = [s for s in entry.synonyms if not s.startswith("leat.")]
    return f"config {entry.name}={entry.value} source {entry.source} ro {entry.is_read_only} " \
           f"sensitive {entry.is_sensitive} synonyms {synonyms}"


@scenario.feature
def describe_configs(context, facts):
    resource = admin.ConfigResource(admin.ResourceType.TOPIC, context.topic("compact"))
    found = context.admin.describe_configs([resource])[resource].result(30)
    facts += [shown(found[name]) for name in sorted(found)]
    broker = admin.ConfigResource(admin.ResourceType.BROKER, "1")
    found = context.admin.describe_configs([broker])[broker].result(30)
    for name in ("auto.create.topics.enable", "num.partitions", "default.replication.factor", "delete.topic.enable", "message.max.bytes",
                 "log.retention.hours", "log.segment.bytes", "log.cleanup.policy", "compression.type", "offsets.topic.num.partitions",
                 "group.initial.rebalance.delay.ms", "group.max.session.timeout.ms", "offsets.retention.minutes", "log.message.timestamp.type"):
        facts.append(f"broker {name}={found[name].value}" if name in found else f"broker {name} missing")
    missing = admin.ConfigResource(admin.ResourceType.TOPIC, context.topic("not-there"))
    facts.append("unknown topic " + outcome(context.admin.describe_configs([missing])))


@scenario.feature
def alter_configs(context, facts):
    name = context.create("settings")

    def alter(*changes, kind=admin.ResourceType.TOPIC, of=name):
        entries = [admin.ConfigEntry(n, v, incremental_operation=op) for op, n, v in changes]
        return outcome(context.admin.incremental_alter_configs([admin.ConfigResource(kind, of, incremental_configs=entries)]))

    seen = [[]]  # What a new topic has.

    def values():
        """Each change shows when the broker has applied it, which Apache Kafka does behind its answer."""
        resource = admin.ConfigResource(admin.ResourceType.TOPIC, name)
        deadline = time.monotonic() + 10
        while True:
            found = context.admin.describe_configs([resource])[resource].result(30)
            now = sorted(f"{e.name}={e.value}" for e in found.values() if e.source == 1)
            if now not in seen or time.monotonic() > deadline:
                seen.append(now)
                return now
            settle()

    op = admin.AlterConfigOpType
    facts += [f"set {alter((op.SET, 'retention.ms', '123456'), (op.SET, 'max.message.bytes', '2000000'))}", str(values())]
    facts += [f"append {alter((op.APPEND, 'cleanup.policy', 'compact'))}", str(values())]
    facts += [f"subtract {alter((op.SUBTRACT, 'cleanup.policy', 'delete'))}", str(values())]
    facts += [f"delete {alter((op.DELETE, 'retention.ms', None))}", str(values())]
    facts.append(f"unknown {alter((op.SET, 'no.such.setting', '1'))}")
    facts.append(f"bad value {alter((op.SET, 'retention.ms', 'soon'))}")
    facts.append(f"bad policy {alter((op.SET, 'cleanup.policy', 'burn'))}")
    facts.append(f"append to a number {alter((op.APPEND, 'retention.ms', '1'))}")
    facts.append(f"unknown topic {alter((op.SET, 'retention.ms', '1'), of=context.topic('not-there'))}")
    facts.append(f"broker {alter((op.SET, 'log.cleaner.threads', '2'), kind=admin.ResourceType.BROKER, of='1')}")
    facts.append(f"broker read-only {alter((op.SET, 'log.dirs', '/x'), kind=admin.ResourceType.BROKER, of='1')}")
    whole = admin.ConfigResource(admin.ResourceType.TOPIC, name, set_config={"retention.bytes": "1000000"})
    facts += [f"replace {outcome(context.admin.alter_configs([whole]))}", str(values())]
    context.produce(name, simple(["after"]))


@scenario.feature
def create_partitions(context, facts):
    topic = context.create("grow")

    def grow(name, count, **options):
        return outcome(context.admin.create_partitions([admin.NewPartitions(name, count, **options)]))

    facts += [f"three {grow(topic, 3)}", f"three again {grow(topic, 3)}", f"fewer {grow(topic, 2)}",
              f"unknown {grow(context.topic('not-there'), 2)}", f"assigned {grow(topic, 5, replica_assignment=[[1], [1]])}",
              f"to another broker {grow(topic, 6, replica_assignment=[[7]])}"]
    settle()
    facts.append(f"count {len(context.admin.list_topics(topic, 20).topics[topic].partitions)}")
    context.produce(topic, simple(["new"], 4))
    facts += map(line, context.read(topic, 4, 1))


@scenario.feature
def delete_records(context, facts):
    topic = context.create("cut")
    context.produce(topic, simple([f"value-{i}" for i in range(10)]))

    def cut(offset, name=topic):
        future = next(iter(context.admin.delete_records([TopicPartition(name, 0, offset)]).values()))
        try:
            return f"low watermark {future.result(30).low_watermark}"
        except KafkaException as why:
            return why.args[0].name()

    facts += [f"before 4: {cut(4)}", f"before 3: {cut(3)}", f"before 11: {cut(11)}", f"unknown topic: {cut(1, context.topic('not-there'))}"]
    facts += map(line, context.read(topic, 0, 6))
    facts += [f"all: {cut(confluent_kafka.OFFSET_END)}"]
    place = TopicPartition(topic, 0)
    facts.append(f"earliest {context.admin.list_offsets({place: admin.OffsetSpec.earliest()})[place].result(30).offset}")


@scenario.feature
def delete_topic(context, facts):
    topic = context.create("gone", 2)
    context.produce(topic, simple(["old"]))
    facts += [f"delete {outcome(context.admin.delete_topics([topic]))}", f"again {outcome(context.admin.delete_topics([topic]))}"]
    settle()
    facts.append(f"listed {topic in context.admin.list_topics(timeout=20).topics}")
    context.create("gone", 1)
    # A broker may tell of the new topic a moment after it agreed to create it.
    wait_until(lambda: context.produce(topic, simple(["new"])) == [(0, 0)], "the topic of the same name")
    facts += map(line, context.read(topic, 0, 1))


@scenario.feature
def groups_admin(context, facts):
    topic, group = context.create("admin"), context.topic("admin-group")
    context.produce(topic, simple(["a", "b"]))
    member = Member(context, group, topic, **{"client.id": "member"})
    wait_until(lambda: len(member.rows) == 2, "the member reads")

    def listed():
        found = context.admin.list_consumer_groups().result(30)
        return [f"{g.group_id} {g.state.name} {g.type.name} simple {g.is_simple_consumer_group}"
                for g in found.valid if g.group_id == group]

    def describe(name):
        d = context.admin.describe_consumer_groups([name])[name].result(30)
        members = [(m.client_id, m.host, [str((p.topic, p.partition)) for p in m.assignment.topic_partitions]) for m in d.members]
        return f"{d.group_id} {d.state.name} simple {d.is_simple_consumer_group} {d.partition_assignor} coordinator {d.coordinator.id} {members}"

    facts += listed()
    facts.append(describe(group))
    facts.append(f"delete with members {outcome(context.admin.delete_consumer_groups([group]))}")
    member.leave()
    facts += listed()
    facts.append(describe(group))
    facts.append(f"delete {outcome(context.admin.delete_consumer_groups([group]))}")
    facts.append(f"again {outcome(context.admin.delete_consumer_groups([group]))}")
    facts.append(f"listed {listed()}")
    try:
        facts.append(f"unknown {describe(context.topic('not-there'))}")
    except KafkaException as why:
        facts.append(f"unknown {why.args[0].name()}")


def with_token(login):
    """librdkafka's properties of a login, with the callback that gives the token."""
    given = dict(login["rdkafka"])
    if login["token"]:
        given["oauth_cb"] = lambda _: (login["token"], __import__("time").time() + 3600)
    return given


def try_way(context, facts, topic, bootstrap, good, wrong):
    settings = {"bootstrap.servers": bootstrap} | with_token(good)
    producer = Producer(settings)
    places = []
    for text in ("a", "b", "c"):
        producer.produce(topic, text.encode(), on_delivery=lambda error, row: places.append(error.name() if error else row.offset()))
    expect(producer.flush(40) == 0, "not all records were delivered")
    facts.append(f"written {places}")
    consumer = Consumer(settings | {"group.id": context.topic("secured")} | QUICK)
    consumer.assign([TopicPartition(topic, 0, confluent_kafka.OFFSET_BEGINNING)])
    rows = []
    wait_until(lambda: len(rows) >= 3 or rows.extend(consumer.consume(3 - len(rows), 0.2)), "the records")
    facts.append(f"read {[row.value().decode() for row in rows]}")
    consumer.close()
    said = set()
    stranger = admin.AdminClient({"bootstrap.servers": bootstrap, "error_cb": lambda error: said.add(error.name())} | with_token(wrong))
    try:
        stranger.list_topics(timeout=4)
        facts.append("the wrong login is let in")
    except KafkaException:
        facts.append(f"the wrong login: {sorted(said & {'_AUTHENTICATION', '_SSL'})}")


def stay(context, facts, topic, bootstrap, good, wrong):
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0} | with_token(good))
    places = []

    def write(number):
        producer.produce(topic, b"row %d" % number, on_delivery=lambda error, row: places.append(error.name() if error else row.offset()))
        expect(producer.flush(10) == 0, "a record was not delivered")

    outlive_session(facts, bootstrap, write)
    facts.append(f"written in order {places == list(range(90))}")


scenario.ways_in(("tls", "mtls", "sasl_plain", "sasl_scram_256", "sasl_scram_512", "sasl_oauthbearer", "sasl_oidc"), try_way)
scenario.ways_in(("reauthentication",), stay)

if __name__ == "__main__":
    scenario.run(Context)
