# SPDX-License-Identifier: Apache-2.0
"""The negative matrix: every API x every missing right, Leat beside a running Apache Kafka.

    matrix.py PROGRAM [--only API]... [--report FILE] [--no-kafka]

Cells come from docs/reference/rights.md, which is printed from the table in the code: for each request and version no right and all
of them; in the newest version, for each right: all but it, it alone, all with a DENY of it, and all with it granted on another name,
on a prefix that is one character off, for another host, to another principal, for an operation that does not imply it. Both peers
get the same rules and the same bytes; answers are compared without texts, ids, times and sizes. Differences must be in
differences.txt, with a reason each. Exit code: 0 as expected, 1 differences, 3 Kafka cannot be had.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/interop"))
sys.path.insert(0, str(ROOT / "tests/system"))
sys.path.insert(0, str(HERE))
import kafka_node  # noqa: E402
import protocol  # noqa: E402
import raw_client  # noqa: E402
import samples  # noqa: E402

AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
OPERATIONS = {name: 2 + i for i, name in enumerate(
    "ALL READ WRITE CREATE DELETE ALTER DESCRIBE CLUSTER_ACTION DESCRIBE_CONFIGS ALTER_CONFIGS IDEMPOTENT_WRITE CREATE_TOKENS "
    "DESCRIBE_TOKENS TWO_PHASE_COMMIT".split())}
RESOURCES = {"TOPIC": 2, "GROUP": 3, "CLUSTER": 4, "TRANSACTIONAL_ID": 5, "DELEGATION_TOKEN": 6, "USER": 7}
DENY, ALLOW, LITERAL, PREFIXED = 2, 3, 3, 4
SECRET = "matrix-secret"
# What both peers are told.
SHARED = {
    "authorizer.class.name": AUTHORIZER, "auto.create.topics.enable": "false", "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config":
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="' + SECRET + '" ' +
        " ".join(f'user_{name}="{SECRET}"' for name in ("admin", "alice")) + ";"}
EVERY_RULE = {"resource_type_filter": 1, "resource_name_filter": None, "pattern_type_filter": 1, "principal_filter": None,
              "host_filter": None, "operation": 1, "permission_type": 1}


class Client(protocol.Client):
    def __init__(self, address, source="127.0.0.1", user=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30, source_address=(source, 0))
        self.client_id, self.correlation = "matrix", 0
        if user:
            self.call("SaslHandshake", 1, mechanism="PLAIN")
            answer = self.call("SaslAuthenticate", 2, auth_bytes=f"\0{user}\0{SECRET}".encode())
            if answer["error_code"]:
                raise RuntimeError(f"{user}: {answer}")


class Peer:
    """A broker with rules. `principal` is who is tested, `admin` may do everything."""

    def start(self):
        self.admin = self.connect_admin()
        self.versions = {a["api_key"]: (a["min_version"], a["max_version"]) for a in self.admin.call("ApiVersions", 0)["api_keys"]}
        topics = [{"name": name, "num_partitions": 1, "replication_factor": 1} for name in (samples.TOPIC, "mx-gone")]
        self.admin.call("CreateTopics", 5, topics=topics, timeout_ms=10_000)
        self.find_ids()
        for _ in range(200):
            code = self.admin.call("FindCoordinator", 1, key=samples.GROUP, key_type=0)["error_code"]
            if code == 0:
                answer = self.admin.call("OffsetCommit", 7, group_id=samples.GROUP, member_id="", topics=[{
                    "name": samples.TOPIC, "partitions": [{"partition_index": 0, "committed_offset": 0, "committed_metadata": ""}]}])
                if answer["topics"][0]["partitions"][0]["error_code"] == 0:
                    break
            time.sleep(0.05)
        self.base_rules = self.rules()

    def find_ids(self):
        for _ in range(200):
            answer = self.admin.call("Metadata", 10, topics=[{"name": samples.TOPIC}, {"name": "mx-gone"}], allow_auto_topic_creation=False)
            ids = {t["name"]: t["topic_id"] for t in answer["topics"] if not t["error_code"]}
            if len(ids) == 2:
                self.topic_id, self.gone_id = ids[samples.TOPIC], ids["mx-gone"]
                return
            self.admin.call("CreateTopics", 5, timeout_ms=10_000, topics=[{"name": "mx-gone", "num_partitions": 1, "replication_factor": 1}])
            time.sleep(0.02)
        raise RuntimeError("the topics are not there")

    def rules(self):
        answer = self.admin.call("DescribeAcls", 2, **EVERY_RULE)
        return {(r["resource_type"], r["resource_name"], r["pattern_type"], a["principal"], a["host"], a["operation"], a["permission_type"])
                for r in answer["resources"] for a in r["acls"]}

    def set_rules(self, rules):
        """Exactly these rules beside those of the administrator, in force when this returns."""
        wanted = {(r[0], r[1], r[2], r[3] or self.principal, r[4], r[5], r[6]) for r in rules} | self.base_rules
        have = self.rules()
        if have - wanted:
            keys = ("resource_type_filter", "resource_name_filter", "pattern_type_filter", "principal_filter", "host_filter", "operation",
                    "permission_type")
            self.admin.call("DeleteAcls", 2, filters=[dict(zip(keys, rule)) for rule in have - wanted])
        if wanted - have:
            keys = ("resource_type", "resource_name", "resource_pattern_type", "principal", "host", "operation", "permission_type")
            answer = self.admin.call("CreateAcls", 2, creations=[dict(zip(keys, rule)) for rule in wanted - have])
            if any(r["error_code"] for r in answer["results"]):
                raise RuntimeError(answer)
        for _ in range(500):
            if self.rules() == wanted:
                return
            time.sleep(0.005)
        raise RuntimeError("the rules did not come into force")

    def ask(self, api, version, fields):
        for attempt in (0, 1):
            try:
                self.user = self.user or self.connect_user()
                return self.user.call(api, version, **fields(self))
            except (protocol.Closed, ConnectionError):
                self.user = None
                if attempt:
                    return "closed"
        return None


class LeatPeer(Peer):
    name = "leat"
    principal = "User:alice"
    user = None

    def __init__(self, program):
        self.broker = raw_client.Broker(program, *(f"{k}={v}" for k, v in SHARED.items()), "super.users=User:admin",
                                        listen=("SASL_PLAINTEXT://127.0.0.1:0",))
        self.address = "{}:{}".format(*self.broker.address)

    def connect_admin(self):
        return Client(self.address, user="admin")

    def connect_user(self):
        return Client(self.address, user="alice")

    def stop(self):
        self.broker.__exit__()


class KafkaPeer(Peer):
    name = "kafka"
    principal = "User:alice"
    user = None

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="leat-matrix-")
        plain, sasl, controller = (kafka_node.free_port() for _ in range(3))
        self.node = kafka_node.KafkaNode(self.folder, heap="512m", settings={
            "listeners": f"PLAINTEXT://127.0.0.1:{plain},SASL_PLAINTEXT://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},SASL_PLAINTEXT://127.0.0.1:{sasl}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}", "inter.broker.listener.name": "PLAINTEXT",
            "super.users": "User:ANONYMOUS;User:admin"} | SHARED)
        self.node.start()
        self.address = f"127.0.0.1:{sasl}"

    def connect_admin(self):
        return Client(self.address, user="admin")

    def connect_user(self):
        return Client(self.address, user="alice")

    def stop(self):
        self.node.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def table():
    """{API: [(operation, resource, first version, last version)]} of the reference page."""
    out = {}
    for line in (ROOT / "docs/reference/rights.md").read_text().splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if len(row) == 6 and row[2] in OPERATIONS:
            first, last = map(int, row[1].split("-"))
            out.setdefault(row[0], []).append((row[2], row[3], first, last))
    return out


NAMES = {"TOPIC": ("mx-topic", "mx-new", "mx-gone"), "GROUP": ("mx-group", "mx-no-group", "mx-new-group"), "CLUSTER": ("kafka-cluster",),
         "TRANSACTIONAL_ID": ("mx-txn",), "DELEGATION_TOKEN": ("*",), "USER": ("*",)}
FOREIGN = {"READ": "CREATE", "WRITE": "READ", "CREATE": "DESCRIBE", "DELETE": "DESCRIBE", "ALTER": "DESCRIBE", "DESCRIBE": "CREATE",
           "CLUSTER_ACTION": "CREATE", "DESCRIBE_CONFIGS": "DESCRIBE", "ALTER_CONFIGS": "DESCRIBE_CONFIGS", "IDEMPOTENT_WRITE": "CREATE",
           "CREATE_TOKENS": "DESCRIBE_TOKENS", "DESCRIBE_TOKENS": "CREATE_TOKENS", "TWO_PHASE_COMMIT": "DESCRIBE"}


def rules_of(right, permission=ALLOW, operation=None, host="127.0.0.1", principal=None, pattern=LITERAL, rename=lambda name: name):
    kind = RESOURCES[right[1]]
    return [(kind, name if kind == 4 else rename(name), pattern, principal, host, OPERATIONS[operation or right[0]], permission)
            for name in NAMES[right[1]]]


def cells_of(rights):
    """(label, rules) of the newest version of a request that needs `rights`."""
    yield "no right", []
    yield "all rights", sum((rules_of(r) for r in rights), [])
    for right in rights:
        label = f"{right[0]} on {right[1]}"
        others = sum((rules_of(r) for r in rights if r != right), [])
        if len(rights) > 1:
            yield f"all but {label}", others
            yield f"only {label}", rules_of(right)
        yield f"{label} denied", others + rules_of(right) + rules_of(right, DENY)
        yield f"{label} denied to all users", others + rules_of(right) + rules_of(right, DENY, principal="User:*")
        yield f"{label} by {FOREIGN[right[0]]}", others + rules_of(right, operation=FOREIGN[right[0]])
        yield f"{label} by ALL", others + rules_of(right, operation="ALL")
        yield f"{label} from everywhere", others + rules_of(right, host="*")
        yield f"{label} from elsewhere", others + rules_of(right, host="127.0.0.7")
        yield f"{label} to another", others + rules_of(right, principal="User:alicf")
        yield f"{label} to another type", others + rules_of(right, principal="Group:alice")
        if right[1] != "CLUSTER":
            yield f"{label} on another name", others + rules_of(right, rename=lambda name: name + "x")
            yield f"{label} on a prefix", others + rules_of(right, pattern=PREFIXED, rename=lambda name: name[:-1])
            yield f"{label} on a wrong prefix", others + rules_of(right, pattern=PREFIXED, rename=lambda name: name[:-1] + "~")
            yield f"{label} on all names", others + rules_of(right, rename=lambda name: "*")
            yield f"{label} denied on a prefix", others + rules_of(right) + rules_of(right, DENY, pattern=PREFIXED, rename=lambda name: "mx-")


# What differs for reasons that have nothing to do with rights.
IGNORED = {"error_message", "message", "topic_id", "throttle_time_ms", "host", "port", "node_id", "cluster_id", "controller_id", "brokers",
           "leader", "leader_id", "leader_epoch", "records", "base_offset", "log_start_offset", "log_append_time_ms", "high_watermark",
           "last_stable_offset", "offset", "end_offset", "producer_id", "total_bytes", "usable_bytes", "log_dir", "nodes", "low_watermark",
           "current_voters", "observers", "config_source", "synonyms", "documentation", "read_only", "replica_nodes", "isr_nodes",
           "session_id", "is_default", "value", "committed_leader_epoch", "last_timestamp", "eligible_leader_replicas", "timestamp",
           "preferred_read_replica", "aborted_transactions", "current_leader", "node_endpoints", "offline_replicas", "last_known_elr",
           "partition_size", "offset_lag", "committed_offset", "active_producers", "configs"}


def normal(value):
    if isinstance(value, dict):
        return {k: normal(v) for k, v in value.items() if k not in IGNORED}
    if isinstance(value, list):
        return sorted((normal(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True, default=str))
    return value


def known_differences():
    out = {}
    for line in (HERE / "differences.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, reason = line.split(" :: ")
            out[re.compile(pattern)] = reason
    return out


class Matrix:
    def __init__(self, peers):
        self.peers, self.known = peers, known_differences()
        self.cells, self.differences, self.unexplained, self.used = 0, [], [], set()

    def cell(self, name, api, version, fields, rules):
        answers = []
        for peer in self.peers:
            peer.set_rules(rules)
            answers.append(peer.ask(api, version, fields))
            if api == "DeleteTopics":
                peer.find_ids()
        self.cells += 1
        if len(answers) == 2 and normal(answers[0]) != normal(answers[1]):
            self.differences.append(name)
            reason = next((r for r in self.known if r.fullmatch(name)), None)
            if reason is None:
                self.unexplained.append((name, answers))
                print(f"differs: {name}\n  leat:  {normal(answers[0])}\n  kafka: {normal(answers[1])}", flush=True)
            else:
                self.used.add(reason)

    def run(self, only):
        rights = table()
        for api, label, first, fields in samples.SAMPLES:
            if only and api not in only:
                continue
            key = protocol.APIS[api].key
            ranges = [p.versions[key] for p in self.peers if key in p.versions]
            if len(ranges) < len(self.peers):
                print(f"skipped: {api}, not served by both", flush=True)
                continue
            low, high = max(first, *(r[0] for r in ranges)), min(r[1] for r in ranges)
            for version in range(low, high + 1):
                needs = [r for r in rights.get(api, []) if r[2] <= version <= r[3]]
                full = version == high or (api, version) in (("AddPartitionsToTxn", 3), ("Fetch", 12), ("Produce", 12))
                for what, rules in cells_of(needs) if full else list(cells_of(needs))[:2]:
                    self.cell(f"{api} v{version} {label}: {what}".replace("  ", " "), api, version, fields, rules)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--only", action="append")
    parser.add_argument("--report")
    parser.add_argument("--no-kafka", action="store_true")
    args = parser.parse_args()
    peers, began = [], time.monotonic()
    try:
        peers.append(LeatPeer(args.program))
        if not args.no_kafka:
            peers.append(KafkaPeer())
        for peer in peers:
            peer.start()
        matrix = Matrix(peers)
        matrix.run(args.only)
    except kafka_node.Unavailable as error:
        print(f"Apache Kafka is missing: {error}", file=sys.stderr)
        return 3
    finally:
        for peer in peers:
            peer.stop()
    stale = [r.pattern for r in matrix.known if r not in matrix.used] if not args.only else []
    summary = (f"{matrix.cells} cells, {len(matrix.differences)} differ, {len(matrix.unexplained)} of them without a reason, "
               f"{len(stale)} reasons without a difference, {time.monotonic() - began:.0f} s")
    print(summary)
    for pattern in stale:
        print(f"stale: {pattern}")
    if args.report:
        pathlib.Path(args.report).write_text(summary + "\n" + "".join(f"{name}\n" for name in matrix.differences))
    return 1 if matrix.unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main())
