# SPDX-License-Identifier: Apache-2.0
"""kafka-python, of today (3.x) and the 2.0.2 that many still run; the administration of both differs and is in admin_3.py, admin_2.py."""
import os
import sys
import threading

sys.path.insert(0, os.environ["LEAT_INTEROP"])
sys.path.append("/usr/lib/python3/dist-packages")  # Debian's python3-gssapi, for a python3 that is not Debian's.
import kafka  # noqa: E402
from kafka import KafkaConsumer, KafkaProducer, TopicPartition  # noqa: E402
from kafka.errors import KafkaError  # noqa: E402
from kafka.structs import OffsetAndMetadata  # noqa: E402
from scenario import EPOCH_MS, Scenario, expect, outlive_session, payload, record_line, sample, settle, wait_until  # noqa: E402

MODERN = int(kafka.__version__.split(".")[0]) >= 3
if MODERN:
    from admin_3 import Admin
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
else:
    from admin_2 import Admin
from kafka.coordinator.assignors.range import RangePartitionAssignor  # noqa: E402

scenario = Scenario()
QUICK = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 300, "auto_offset_reset": "earliest", "fetch_max_wait_ms": 100,
         "metadata_max_age_ms": 2000}
# A member polls with patience: when the answer to SyncGroup comes just as a poll ends, kafka-python 3.0.12 takes the group for joined, never takes up
# its partitions, and waits for ever.
JOINING_MS = 2000


class Context:
    def __init__(self, bootstrap, prefix):
        self.bootstrap, self.prefix = bootstrap, prefix
        self.admin = Admin(bootstrap)
        print("kafka-python", kafka.__version__, file=sys.stderr)

    def topic(self, name):
        return f"{self.prefix}-{name}"

    def create(self, name, partitions=1):
        made = self.admin.create(self.topic(name), partitions)
        expect(made == "OK", f"{name}: {made}")
        return self.topic(name)

    def produce(self, topic, rows, **settings):
        """Rows of (partition, key, value, headers, time); gives what came of each in order."""
        producer = KafkaProducer(**({"bootstrap_servers": self.bootstrap, "linger_ms": 20, "acks": "all", "retries": 5} | settings))
        sent = [producer.send(topic, value, key, headers, partition, time) for partition, key, value, headers, time in rows]
        got = []
        for future in sent:
            try:
                place = future.get(40)
                got.append((place.partition, place.offset))
            except KafkaError as why:
                got.append(type(why).__name__)
        producer.close(20)
        return got

    def consumer(self, group=None, **settings):
        return KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=group, **(QUICK | settings))

    def read(self, topic, partition, count, offset=0):
        consumer = self.consumer()
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        consumer.seek(place, offset)
        found = []
        wait_until(lambda: len(found) >= count or found.extend(consumer.poll(200).get(place, [])), f"{count} records of {place}")
        consumer.close()
        return found[:count]


def line(row):
    return record_line(row.partition, row.offset, f"{row.timestamp_type}/{row.timestamp}", row.key, row.value, row.headers)


def simple(values, partition=0):
    return [(partition, b"k", value.encode(), [], EPOCH_MS) for value in values]


@scenario.feature
def create_topics(context, facts):
    create = context.admin.create
    facts += [f"new {create(context.topic('records'), 3)}",
              f"with settings {create(context.topic('compact'), 1, topic_configs={'cleanup.policy': 'compact', 'retention.ms': '7200000'})}",
              f"again {create(context.topic('records'), 3)}", f"bad name {create('bad/name')}", f"long name {create('n' * 250)}",
              f"three replicas {create(context.topic('three'), 1, 3)}", f"no partitions {create(context.topic('zero'), 0)}",
              f"unknown setting {create(context.topic('unknown'), topic_configs={'no.such.setting': '1'})}",
              f"bad setting {create(context.topic('bad'), topic_configs={'segment.bytes': '-5'})}"]
    settle()
    facts += context.admin.describe_topics([context.topic("records"), context.topic("compact")])
    facts.append(context.admin.describe_cluster())


@scenario.feature
def produce(context, facts):
    rows = [(i % 3, *sample(i)) for i in range(60)]
    facts += [f"{i}: {place}" for i, place in enumerate(context.produce(context.topic("records"), rows))]
    for acks in (0, 1, "all"):
        facts.append(f"acks {acks}: {context.produce(context.topic('compact'), simple(['a']), acks=acks)[0][0]}")
    facts.append(f"big {context.produce(context.topic('compact'), simple(['x' * 2_000_000]), max_request_size=5_000_000)}")
    facts.append(f"null key, compacted {context.produce(context.topic('compact'), [(0, None, b'v', [], EPOCH_MS)])}")


@scenario.feature
def consume(context, facts):
    topic = context.topic("records")
    for partition in range(3):
        facts += map(line, context.read(topic, partition, 20))
    facts += ["from 7: " + line(row) for row in context.read(topic, 1, 13, 7)]


def codec(name):
    def check(context, facts):
        topic = context.create(f"codec-{name}")
        sent = [payload(i) for i in range(200)]
        places = context.produce(topic, [(0, b"k", value, [], EPOCH_MS + i) for i, value in enumerate(sent)],
                                 compression_type=None if name == "none" else name)
        back = context.read(topic, 0, 200)
        expect([row.value for row in back] == sent, "values differ")
        expect([row.timestamp for row in back] == [EPOCH_MS + i for i in range(200)], "times differ")
        facts += [f"first {places[0]} last {places[-1]}", f"from the middle {context.read(topic, 0, 1, 150)[0].offset}"]
    check.__name__ = f"codec_{name}"
    return check


for each in ("none", "gzip", "snappy", "lz4", "zstd"):
    scenario.feature(codec(each))


@scenario.feature
def idempotence(context, facts):
    topic = context.create("idempotence")
    values = [f"value-{i}" for i in range(500)]
    places = context.produce(topic, simple(values), enable_idempotence=True, batch_size=200, linger_ms=0)
    expect(places == [(0, i) for i in range(500)], "offsets are not in order")
    expect([row.value.decode() for row in context.read(topic, 0, 500)] == values, "records differ")
    facts.append(f"first {places[0]} last {places[-1]}")


@scenario.feature
def offsets_by_time(context, facts):
    consumer = context.consumer()
    places = [TopicPartition(context.topic("records"), partition) for partition in range(3)]
    facts += [f"beginning {sorted(consumer.beginning_offsets(places).values())}", f"end {sorted(consumer.end_offsets(places).values())}"]
    for shift in (0, 1, 30_000, 57_000, 57_001, 1_000_000):
        found = consumer.offsets_for_times({place: EPOCH_MS + shift for place in places})
        facts += [f"{shift} ms {place.partition}: {found[place] and (found[place].offset, found[place].timestamp)}" for place in places]
    consumer.close()
    facts += context.admin.list_offsets(context.topic("records"))


class Member:
    """A consumer of a group on a thread of its own."""

    def __init__(self, context, group, topic, **settings):
        self.owned, self.rows, self.error = set(), set(), None
        self.arguments = (context, group, topic, settings)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        context, group, topic, settings = self.arguments
        consumer = context.consumer(group, auto_commit_interval_ms=200, **settings)
        consumer.subscribe([topic])
        try:
            while not self.stop.is_set():
                for rows in consumer.poll(JOINING_MS).values():
                    self.rows |= {(row.partition, row.offset, row.value.decode()) for row in rows}
                self.owned = {place.partition for place in consumer.assignment()}
        except KafkaError as why:
            self.error = type(why).__name__
        consumer.close()

    def leave(self):
        self.stop.set()
        self.thread.join(60)


def two_members(context, facts, name, **settings):
    """A alone, A and B, A alone again; all records are read and committed."""
    topic, group = context.create(name, 4), context.topic(f"{name}-group")
    for partition in range(4):
        context.produce(topic, simple([f"value-{partition}-{i}" for i in range(10)], partition))
    first = Member(context, group, topic, **settings)
    try:
        wait_until(lambda: len(first.owned) == 4 and len(first.rows) == 40, "the first member reads all")
        facts.append(f"A owns {sorted(first.owned)}")
        second = Member(context, group, topic, **settings)
        try:
            wait_until(lambda: len(first.owned) == 2 and len(second.owned) == 2, "two members share")
            facts.append(f"A and B own {sorted(first.owned | second.owned)}")
        finally:
            second.leave()
        wait_until(lambda: len(first.owned) == 4, "the first member owns all again")
        for partition in range(4):
            context.produce(topic, simple(["late"], partition))
        wait_until(lambda: len(first.rows) == 44, "late records")
        facts.append(f"A owns {sorted(first.owned)}")
    finally:
        first.leave()
    facts += [str(row) for row in sorted(first.rows)]
    facts += context.admin.committed(group)


@scenario.feature
def group(context, facts):
    two_members(context, facts, "group", partition_assignment_strategy=[RangePartitionAssignor])


@scenario.feature
def cooperative(context, facts):
    two_members(context, facts, "cooperative", partition_assignment_strategy=[CooperativeStickyAssignor])


@scenario.feature
def static_membership(context, facts):
    topic, group = context.create("static", 4), context.topic("static-group")
    first = Member(context, group, topic, group_instance_id="one")
    other = Member(context, group, topic, group_instance_id="two")
    try:
        wait_until(lambda: len(first.owned) == 2 and len(other.owned) == 2, "two static members share")
        before = first.owned
        first.leave()
        again = Member(context, group, topic, group_instance_id="one")
        try:
            wait_until(lambda: len(again.owned) == 2, "the member comes back")
            facts.append(f"same partitions {again.owned == before}")
            wait_until(lambda: "Stable" in context.admin.describe_group(group), "a stable group")
            facts.append(context.admin.describe_group(group))
        finally:
            again.leave()
    finally:
        first.leave()
        other.leave()


@scenario.feature
def commit_resume(context, facts):
    topic, group = context.create("commit"), context.topic("commit-group")
    context.produce(topic, simple([f"value-{i}" for i in range(10)]))
    place = TopicPartition(topic, 0)
    for count in (4, 6):
        consumer = context.consumer(group, enable_auto_commit=False, max_poll_records=1)
        consumer.subscribe([topic])
        found = []
        wait_until(lambda: len(found) >= count or found.extend(consumer.poll(JOINING_MS).get(place, [])), "records of the group")
        facts += [f"{count}: {line(row)}" for row in found]
        commit = (found[-1].offset + 1, f"after {count}") + ((-1,) if MODERN else ())
        consumer.commit({place: OffsetAndMetadata(*commit)})
        facts.append(f"committed {consumer.committed(place)}")
        consumer.close()
    facts += context.admin.committed(group)


@scenario.feature
def describe_configs(context, facts):
    facts += context.admin.describe_configs(context.topic("compact"))
    facts += [f"unknown topic {row}" for row in context.admin.describe_configs(context.topic("not-there"))]


@scenario.feature
def alter_configs(context, facts):
    topic = context.create("settings")
    for what, configs in (("set", {"retention.ms": "123456", "max.message.bytes": "2000000"}), ("policy", {"cleanup.policy": "compact,delete"}),
                          ("unknown", {"no.such.setting": "1"}), ("bad value", {"retention.ms": "soon"})):
        facts.append(f"{what} {context.admin.alter_configs(topic, configs)}")
        settle()
        facts += context.admin.describe_configs(topic, own=True)


@scenario.feature
def create_partitions(context, facts):
    topic = context.create("grow")
    grow = context.admin.grow
    facts += [f"three {grow(topic, 3)}", f"three again {grow(topic, 3)}", f"fewer {grow(topic, 2)}",
              f"unknown {grow(context.topic('not-there'), 2)}"]
    context.produce(topic, simple(["new"], 2))
    facts += map(line, context.read(topic, 2, 1))


@scenario.feature
def delete_records(context, facts):
    topic = context.create("cut")
    context.produce(topic, simple([f"value-{i}" for i in range(10)]))
    facts += [f"before {offset}: {context.admin.cut(topic, offset)}" for offset in (4, 3, 11)]
    facts += map(line, context.read(topic, 0, 6, 4))
    facts.append(f"all: {context.admin.cut(topic, -1)}")


@scenario.feature
def delete_topic(context, facts):
    topic = context.create("gone", 2)
    context.produce(topic, simple(["old"]))
    facts += [f"delete {context.admin.delete(topic)}", f"again {context.admin.delete(topic)}"]
    settle()
    facts.append(f"listed {context.admin.is_listed(topic)}")
    context.create("gone")
    # A broker may tell of the new topic a moment after it agreed to create it.
    wait_until(lambda: context.produce(topic, simple(["new"])) == [(0, 0)], "the topic of the same name")
    facts += map(line, context.read(topic, 0, 1))


@scenario.feature
def groups_admin(context, facts):
    topic, group = context.create("admin"), context.topic("admin-group")
    context.produce(topic, simple(["a", "b"]))
    member = Member(context, group, topic, client_id="member")
    wait_until(lambda: len(member.rows) == 2, "the member reads")
    admin = context.admin
    facts += [admin.listed(group), admin.describe_group(group), f"delete with members {admin.delete_group(group)}"]
    member.leave()
    facts += [admin.listed(group), admin.describe_group(group), f"delete {admin.delete_group(group)}", f"again {admin.delete_group(group)}"]
    facts += [admin.listed(group), f"unknown {admin.describe_group(context.topic('not-there'))}"]


def writer(context, name):
    producer = KafkaProducer(bootstrap_servers=context.bootstrap, transactional_id=context.topic(name), acks="all", linger_ms=0)
    producer.init_transactions()
    return producer


def seen(context, facts, topic, partitions, count, isolation):
    """Rows of all partitions as far as there are any; this client is told of no end."""
    consumer = context.consumer(isolation_level=isolation)
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    rows = []

    def poll(wait):
        for found in consumer.poll(wait).values():
            rows.extend((row.partition, row.offset, row.value.decode()) for row in found)

    wait_until(lambda: len(rows) >= count or poll(200), f"{count} records of {topic}")
    poll(1000)  # What comes now is too much.
    consumer.close()
    facts += [f"{isolation} {partition}:{offset} {value}" for partition, offset, value in sorted(rows)]


@scenario.feature
def transactions(context, facts):
    topic = context.create("transactions", 3)
    first = writer(context, "writer")
    for i in range(6):
        first.begin_transaction()
        for partition in range(3):
            first.send(topic, b"t%d-%d" % (i, partition), partition=partition)
        if i % 3 == 2:
            first.flush(30)
            first.abort_transaction()
        else:
            first.commit_transaction()
    first.begin_transaction()
    first.commit_transaction()
    first.begin_transaction()
    first.send(topic, b"left open", partition=0).get(30)
    seen(context, facts, topic, 3, 12, "read_committed")
    second = writer(context, "writer")
    try:
        first.send(topic, b"too late", partition=0).get(30)
        first.commit_transaction()
        facts.append("not fenced")
    except KafkaError as why:
        facts.append(f"fenced {type(why).__name__}")
    second.begin_transaction()
    second.send(topic, b"second", partition=1)
    second.commit_transaction()
    seen(context, facts, topic, 3, 13, "read_committed")
    seen(context, facts, topic, 3, 20, "read_uncommitted")
    first.close(5)
    second.close(20)


@scenario.feature
def transactional_offsets(context, facts):
    source, target, group = context.create("source"), context.create("target"), context.topic("transformers")
    context.produce(source, simple([f"v{i}" for i in range(10)]))
    producer = writer(context, "transformer")
    consumer = context.consumer(group, enable_auto_commit=False)
    consumer.subscribe([source])
    place, rows = TopicPartition(source, 0), []
    wait_until(lambda: len(rows) >= 10 or rows.extend(consumer.poll(JOINING_MS).get(place, [])), "ten records")
    for start in (0, 5):
        producer.begin_transaction()
        for row in rows[start:start + 5]:
            producer.send(target, b"seen %d" % row.offset, partition=0)
        producer.send_offsets_to_transaction({place: OffsetAndMetadata(start + 5, "", -1)}, consumer.group_metadata())
        if start == 0:
            producer.commit_transaction()
        else:
            producer.flush(30)
            producer.abort_transaction()
        settle()
        facts.append(f"committed {consumer.committed(place)}")
    consumer.close()
    producer.close(20)
    seen(context, facts, target, 1, 5, "read_committed")


@scenario.feature
def read_committed(context, facts):
    """Somebody else's transactions: see transactional.py."""
    seen(context, facts, context.topic("committed"), 1, 4, "read_committed")
    seen(context, facts, context.topic("committed"), 1, 7, "read_uncommitted")


if MODERN:
    from kafka.net.sasl.oauth import AbstractTokenProvider
else:
    from kafka.oauth.abstract import AbstractTokenProvider


class Token(AbstractTokenProvider):
    def __init__(self, text):
        self.text = text

    def token(self):
        return self.text


def settings_of(bootstrap, login):
    out = {"bootstrap_servers": bootstrap, "security_protocol": login["java"]["security.protocol"], "ssl_cafile": login["ca"],
           "ssl_certfile": login["certificate"], "ssl_keyfile": login["key"]}
    if not MODERN:  # which asks for versions over a whole login, and gives up after 2 s: too soon on a busy machine
        out |= {"api_version_auto_timeout_ms": 20000}
    if login["mechanism"]:
        out |= {"sasl_mechanism": login["mechanism"], "sasl_plain_username": login["user"], "sasl_plain_password": login["password"]}
    if login["service"]:
        out |= {"sasl_kerberos_service_name": login["service"]}
    if login["token"]:
        out |= {"sasl_oauth_token_provider": Token(login["token"])}
    return out


def try_way(context, facts, topic, bootstrap, good, wrong):
    producer = KafkaProducer(acks="all", **settings_of(bootstrap, good))
    facts.append(f"written {[producer.send(topic, text, partition=0).get(40).offset for text in (b'a', b'b', b'c')]}")
    producer.close(20)
    consumer = KafkaConsumer(**(QUICK | settings_of(bootstrap, good)))
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    rows = []
    wait_until(lambda: len(rows) >= 3 or rows.extend(consumer.poll(200).get(place, [])), "the records")
    consumer.close()
    facts.append(f"read {[row.value.decode() for row in rows]}")
    try:
        patience = {"bootstrap_timeout_ms": 4000} if MODERN else {}
        KafkaProducer(max_block_ms=4000, **patience, **settings_of(bootstrap, wrong)).send(topic, b"d").get(5)
        facts.append("the wrong login is let in")
    except (KafkaError, OSError, AssertionError):
        facts.append("the wrong login is refused")


def stay(context, facts, topic, bootstrap, good, wrong):
    producer = KafkaProducer(acks="all", linger_ms=0, **settings_of(bootstrap, good))
    places = []
    outlive_session(facts, bootstrap, lambda number: places.append(producer.send(topic, b"row %d" % number, partition=0).get(10).offset))
    producer.close(20)
    facts.append(f"written in order {places == list(range(90))}")


scenario.ways_in(("tls", "mtls", "sasl_plain", "sasl_scram_256", "sasl_scram_512", "sasl_oauthbearer", "sasl_gssapi"), try_way)
scenario.ways_in(("reauthentication",), stay)

if __name__ == "__main__":
    scenario.run(Context)
