# SPDX-License-Identifier: Apache-2.0
"""Cases of error_codes.py for versions of requests that Kafka 4 dropped (KIP-896) and Leat serves, for clients of before 2018: asked beside Kafka 3.9.1.

Rules need an authorizer and tokens somebody who has logged in, so both nodes have them: SETTINGS and LISTENERS. These are asked in all versions.
"""
import time

import protocol
from batches import message
from data_cases import batch, fetch, fill, produce, topics_of_zstd
from error_cases import case_of, create, kinds_of_topics, of_topic, resource, topic_of, wait_for, wait_gone, without_configs

USER, PASSWORD = "alice", "password-of-alice"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
LISTENERS = {"CLEAR": "SASL_PLAINTEXT"}
SETTINGS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users": f"User:ANONYMOUS;User:{USER}",
    "listener.name.clear.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.clear.plain.sasl.jaas.config": f'{PLAIN} user_{USER}="{PASSWORD}";', "delegation.token.secret.key": "secret-of-tokens",
    # The default of Kafka 4, where 3.9.1 has no bound.
    "log.message.timestamp.after.max.ms": "3600000",
}
CASES = []
case = case_of(CASES)


@case
def topics_of_old_clients(node):
    for version in (0, 1):
        def ask(label, *topics, version=version, **more):
            node.ask(label, "CreateTopics", version, keep=without_configs, topics=list(topics), timeout_ms=30000, **more)
        ask("plain", topic_of(f"plain-{version}", 2))
        kinds_of_topics(ask, f"v{version}-", f"plain-{version}")
    wait_for(node, "plain-0", "plain-1", "v1-with.dot")
    node.ask("made", "Metadata", 12, allow_auto_topic_creation=False,
             topics=[{"name": name} for name in ("plain-0", "plain-1", "v0-set8", "v1-set8", "v0-manual", "v1-manual", "v1-dry")])


@case
def topics_deleted_by_old_clients(node):
    create(node, "gone", "gone-twice", "stays")
    wait_for(node, "gone", "gone-twice", "stays")

    def delete(label, *names):
        node.ask(label, "DeleteTopics", 0, topic_names=list(names), timeout_ms=30000)
    delete("known and unknown", "gone", "absent")
    wait_gone(node, "gone")
    delete("again", "gone")
    delete("twice", "gone-twice", "gone-twice")
    delete("twice, unknown", "absent", "absent")
    delete("bad names", "a/b", "")
    delete("none")
    node.ask("afterwards", "Metadata", 12, allow_auto_topic_creation=False, topics=[{"name": name} for name in ("gone", "stays")])


@case
def settings_described_to_old_clients(node):
    create(node, topic_of("settings", 1, 1, {"retention.ms": "5000", "cleanup.policy": "compact"}))
    wait_for(node, "settings")

    def ask(label, kind, name, keys=None, **more):
        node.ask(label, "DescribeConfigs", 0, resources=[resource(kind, name, keys)], **more)
    ask("topic", 2, "settings", keep=of_topic)
    ask("topic, some", 2, "settings", ["retention.ms", "no.such", "segment.bytes"])
    ask("topic, none", 2, "settings", [], keep=of_topic)
    ask("topic, default of the broker's file", 2, "settings", ["message.timestamp.after.max.ms"])
    ask("unknown topic", 2, "absent")
    ask("bad topic", 2, "a/b")
    ask("empty topic", 2, "")
    ask("broker, some", 4, "1", ["num.partitions", "log.retention.hours", "log.message.timestamp.after.max.ms"])
    ask("broker, a secret", 4, "1", ["delegation.token.secret.key"])
    ask("unknown broker", 4, "9")
    ask("broker with a name", 4, "first")
    ask("broker's defaults", 4, "", keep=of_topic)
    ask("unknown kind", 3, "x")
    ask("unknown logger", 8, "9")
    node.ask("nothing", "DescribeConfigs", 0, resources=[])
    node.quiet("IncrementalAlterConfigs", 1, resources=[{"resource_type": 4, "resource_name": name, "configs": [
        {"name": "log.cleaner.backoff.ms", "config_operation": 0, "value": value}]} for name, value in (("1", "7000"), ("", "8000"))])
    time.sleep(1)  # Kafka's broker hears of it later.
    ask("broker, changed while it runs", 4, "1", ["log.cleaner.backoff.ms"])
    ask("broker's defaults, changed while it runs", 4, "", ["log.cleaner.backoff.ms"])


@case
def folders_described_to_old_clients(node):
    create(node, topic_of("still", 2))
    wait_for(node, "still")
    fill(node, "still", batch(b"first"))
    for label, topics in (("some", [{"topic": "still", "partitions": [0, 1, 7]}, {"topic": "absent", "partitions": [0]}]), ("none", []),
                          ("twice", [{"topic": "still", "partitions": [0, 0]}]), ("no partitions", [{"topic": "still", "partitions": []}])):
        node.ask(label, "DescribeLogDirs", 0, topics=topics)
    node.ask("all", "DescribeLogDirs", 0, topics=None)
    asked = [{"name": "still", "partitions": [0, 9]}, {"name": "absent", "partitions": [0]}]
    node.ask("to an unknown folder", "AlterReplicaLogDirs", 0, dirs=[{"path": "/nowhere", "topics": asked}])
    node.ask("to a folder that is no path", "AlterReplicaLogDirs", 0, dirs=[{"path": "here", "topics": asked}])
    node.ask("to where it is", "AlterReplicaLogDirs", 0, dirs=[{"path": str(node.node.data), "topics": asked}])
    node.ask("nothing", "AlterReplicaLogDirs", 0, dirs=[])


@case
def epochs_of_old_clients(node):
    create(node, "o")
    wait_for(node, "o")
    fill(node, "o", batch(b"a"), batch(b"b"))
    for version in (0, 1):
        for label, topic, partition, epoch in (("of 0", "o", 0, 0), ("of 5", "o", 0, 5), ("of -1", "o", 0, -1), ("of -2", "o", 0, -2),
                                               ("unknown partition", "o", 3, 0), ("unknown topic", "nowhere", 0, 0)):
            node.ask(label, "OffsetForLeaderEpoch", version, topics=[{"topic": topic, "partitions": [{"partition": partition, "leader_epoch": epoch}]}])
        node.ask("nothing", "OffsetForLeaderEpoch", version, topics=[])


@case
def records_of_old_clients(node):
    """The answers; what becomes of the messages is compared by topic_effects.py."""
    create(node, "p-all", topic_of("p-stamped", configs={"message.timestamp.type": "LogAppendTime"}),
           topic_of("p-small", configs={"max.message.bytes": "500"}), topic_of("p-compacted", configs={"cleanup.policy": "compact"}))
    names = ("p-all", "p-stamped", "p-small")
    wait_for(node, *names, "p-compacted")
    for name in names:
        fill(node, name, batch(b"first"))
    at = int(time.time() * 1000) - 60_000
    for version in (0, 1, 2):
        magic = 1 if version == 2 else 0
        one = message(magic, b"v", key=b"k", at=at)
        produce(node, "one message", version, "p-all", (0, one))
        produce(node, "two messages", version, "p-all", (0, one + message(magic, b"w", at=at, offset=1)))
        produce(node, "unknown topic", version, "p-none", (0, one))
        produce(node, "unknown partition", version, "p-all", (7, one))
        produce(node, "one good, one bad", version, "p-all", (0, one), (5, one))
        produce(node, "acks 2", version, "p-all", (0, one), acks=2)
        produce(node, "acks 1", version, "p-all", (0, one), acks=1)
        produce(node, "wrong checksum", version, "p-all", (0, message(magic, b"v", at=at, damage=1)))
        produce(node, "too large", version, "p-small", (0, message(magic, b"v" * 600, at=at)))
        produce(node, "no key in a compacted topic", version, "p-compacted", (0, message(magic, b"v", at=at)))
        answer = node.quiet("Produce", version, acks=-1, timeout_ms=30000,
                            topic_data=[{"name": "p-stamped", "partition_data": [{"index": 0, "records": one}]}])
        stamped = answer["responses"][0]["partition_responses"][0]
        stamped["log_append_time_ms"] = abs(stamped.get("log_append_time_ms", -1) - time.time() * 1000) < 60_000
        node.keep("one that gets its time here", "Produce", version, answer)
        node.ask("nothing", "Produce", version, acks=-1, timeout_ms=1000, topic_data=[])
    node.ask("ends", "ListOffsets", 7, replica_id=-1, topics=[{"name": name, "partitions": [{"partition_index": 0, "timestamp": -1}]} for name in names])


@case
def zstd_of_old_clients(node):
    """Versions that are served still, in which Kafka 4 answers otherwise."""
    known = topics_of_zstd(node)
    for version in (4, 9, 10):
        for name, identity in known.items():
            fetch(node, f"{name} of old", version, (0, 0, -1), topic=name, by_id=identity)


EVERY_RULE = {"resource_type_filter": 1, "resource_name_filter": None, "principal_filter": None, "host_filter": None, "operation": 1,
              "permission_type": 1}


def rule(kind=2, name="a", principal="User:x", host="*", operation=3, permission=3, **more):
    return {"resource_type": kind, "resource_name": name, "principal": principal, "host": host, "operation": operation, "permission_type": permission} | more


def until_rules(node, count):
    """Kafka answers before its broker knows of a rule."""
    for _ in range(200):
        told = node.quiet("DescribeAcls", 2, **EVERY_RULE, pattern_type_filter=1)
        if sum(len(one["acls"]) for one in told["resources"]) == count:
            return
        time.sleep(0.05)


@case
def rules(node):
    """Of all versions: nobody else compares what they say."""
    for version in range(4):
        rules_of(node, version)
        node.quiet("DeleteAcls", 2, filters=[EVERY_RULE | {"pattern_type_filter": 1}])
        until_rules(node, 0)


def rules_of(node, version):
    there, removed = set(), 0

    def make(label, *rules):
        told = node.ask(label, "CreateAcls", version, creations=list(rules)).get("results", [])
        there.update(tuple(one.items()) for one, result in zip(rules, told) if not result["error_code"])
        until_rules(node, len(there) - removed)

    def show(label, **filters):
        node.ask(label, "DescribeAcls", version, **EVERY_RULE | filters)

    def remove(label, *filters):
        nonlocal removed
        told = node.ask(label, "DeleteAcls", version, filters=[EVERY_RULE | one for one in filters]).get("filter_results", [])
        removed += sum(len(one["matching_acls"]) for one in told)
        until_rules(node, len(there) - removed)

    show("all of none")
    make("of each kind", rule(), rule(2, "*"), rule(3, "g"), rule(4, "kafka-cluster", operation=8), rule(5, "t", operation=4), rule(6, "token", operation=8),
         rule(host="127.0.0.1"), rule(permission=2), rule(2, "b", "User:y"))
    make("one that is there", rule())
    make("twice", rule(2, "twice"), rule(2, "twice"))
    node.quiet("CreateAcls", 2, creations=[rule(2, "prefix", resource_pattern_type=4)])
    there.add("prefix")
    for label, bad in {
        "no name": rule(name=""), "any kind": rule(1), "unknown kind": rule(99), "no kind": rule(0), "another cluster": rule(4, "mine", operation=8),
        "any operation": rule(operation=1), "unknown operation": rule(operation=99), "no operation": rule(operation=0),
        "an operation of another kind": rule(operation=12), "any permission": rule(permission=1), "unknown permission": rule(permission=9),
        "no permission": rule(permission=0), "principal without a kind": rule(principal="x"), "no principal": rule(principal=""), "no host": rule(host=""),
    }.items():
        make(label, bad)
    make("nothing")
    make("one good, one bad", rule(2, "good"), rule(2, ""))
    show("all")  # But the one with a pattern, of which version 0 knows nothing and the others were not asked.
    for label, filters in {
        "of a topic": {"resource_type_filter": 2, "resource_name_filter": "a"}, "of topics": {"resource_type_filter": 2},
        "of the name *": {"resource_type_filter": 2, "resource_name_filter": "*"}, "of a prefix": {"resource_type_filter": 2, "resource_name_filter": "prefix"},
        "of somebody": {"principal_filter": "User:y"}, "of a host": {"host_filter": "127.0.0.1"}, "of an operation": {"operation": 8},
        "that deny": {"permission_type": 2}, "of nobody": {"principal_filter": "User:nobody"}, "of a principal without a kind": {"principal_filter": "x"},
        "of an unknown kind": {"resource_type_filter": 99}, "of no kind": {"resource_type_filter": 0}, "of no operation": {"operation": 0},
        "of no permission": {"permission_type": 0},
    }.items():
        show(label, **filters)
    remove("of nobody", {"principal_filter": "User:nobody"})
    remove("of a prefix", {"resource_type_filter": 2, "resource_name_filter": "prefix"})
    remove("of somebody, and what is left of a topic", {"principal_filter": "User:y"}, {"resource_type_filter": 2, "resource_name_filter": "twice"})
    remove("of an unknown kind", {"resource_type_filter": 99})
    remove("of no kind", {"resource_type_filter": 0})
    remove("nothing")
    remove("all")
    show("what is left")


def login(node, name=USER):
    """Tokens are for those who have proved who they are: a connection of alice's."""
    client = node.clients[name] = protocol.Client(node.node.addresses["CLEAR"], client_id=name)
    client.call("SaslHandshake", 1, mechanism="PLAIN")
    told = client.call("SaslAuthenticate", 2, auth_bytes=f"\0{USER}\0{PASSWORD}".encode())
    if told["error_code"]:
        raise RuntimeError(f"{USER} is not let in: {told}")


def of_token(answer):
    """Times as distances from the first one, in minutes; ids and secrets are each node's own."""
    for one in [answer, *answer.get("tokens", [])]:
        begin = next((one[name] for name in ("issue_timestamp_ms", "issue_timestamp") if one.get(name, -1) > 0), int(time.time() * 1000))
        for name in one:
            if "timestamp" in name and one[name] > 0:
                one[name] = f"{round((one[name] - begin) / 60_000)} min"
            elif name in ("token_id", "hmac"):
                one[name] = bool(one[name])
    return answer


NEWEST_OF_TOKENS = {"CreateDelegationToken": 3, "RenewDelegationToken": 2, "ExpireDelegationToken": 2, "DescribeDelegationToken": 3}


@case
def tokens(node):
    login(node)
    for version in range(4):
        tokens_of(node, version)


def tokens_of(node, version):
    def ask(label, api, client=USER, **values):
        return node.ask(label, api, min(version, NEWEST_OF_TOKENS[api]), client=client, keep=lambda answer: of_token(dict(answer)), **values)

    made = []

    def make(label, *renewers, lifetime=-1, **more):
        made.append(ask(label, "CreateDelegationToken", renewers=[{"principal_type": kind, "principal_name": name} for kind, name in renewers],
                        max_lifetime_ms=lifetime, **more))
        return made[-1]

    def show(label, *owners, **more):
        ask(label, "DescribeDelegationToken", owners=[{"principal_type": kind, "principal_name": name} for kind, name in owners], **more)

    def until_tokens(count):
        for _ in range(200):
            if len(node.quiet("DescribeDelegationToken", 2, client=USER, owners=None)["tokens"]) == count:
                return
            time.sleep(0.05)

    for client in ("check", USER):
        show("none there", client=client)
    make("from nobody", client="check")
    first = make("one", ("User", "bob"))
    short = make("of an hour", lifetime=3_600_000)
    make("for ever", lifetime=1 << 62)
    make("of no time", lifetime=0)
    make("a renewer of another kind", ("Group", "bob"))
    make("a renewer without a name", ("User", ""))
    until_tokens(sum(not one["error_code"] for one in made))
    show("none of the owners")
    ask("all", "DescribeDelegationToken", owners=None)
    show("own", ("User", USER))
    show("of nobody", ("User", "nobody"))
    for api, field in (("RenewDelegationToken", "renew_period_ms"), ("ExpireDelegationToken", "expiry_time_period_ms")):
        ask("from nobody", api, client="check", hmac=first["hmac"], **{field: 1000})
        ask("no such token", api, hmac=b"x" * 64, **{field: 1000})
        ask("without a token", api, hmac=b"", **{field: 1000})
        ask("for two hours", api, hmac=first["hmac"], **{field: 7_200_000})
        ask("for longer than it lasts", api, hmac=short["hmac"], **{field: 7_200_000})
    ask("by default", "RenewDelegationToken", hmac=first["hmac"], renew_period_ms=-1)
    ask("for longer than one is given", "RenewDelegationToken", hmac=first["hmac"], renew_period_ms=2 * 86_400_000)
    ask("for no time", "RenewDelegationToken", hmac=first["hmac"], renew_period_ms=0)
    ask("at once", "ExpireDelegationToken", hmac=first["hmac"], expiry_time_period_ms=-1)
    until_tokens(sum(not one["error_code"] for one in made) - 1)
    ask("after its end", "RenewDelegationToken", hmac=first["hmac"], renew_period_ms=1000)
    ask("after its end", "ExpireDelegationToken", hmac=first["hmac"], expiry_time_period_ms=1000)
    ask("afterwards", "DescribeDelegationToken", owners=None)
    for one in node.quiet("DescribeDelegationToken", 2, client=USER, owners=None)["tokens"]:
        node.quiet("ExpireDelegationToken", 2, client=USER, hmac=one["hmac"], expiry_time_period_ms=-1)
    until_tokens(0)
