# SPDX-License-Identifier: Apache-2.0
"""The negative matrix: every API x every missing right, Leat beside a running Apache Kafka.

    matrix.py PROGRAM [--only API]... [--way WAY]... [--open] [--report FILE] [--mutant deny|host|prefix|principal]

Cells come from the table in the code, as `PROGRAM reference --print rights` prints it: for each request and version no right and all
of them; in the newest version, all that it does not need, and for each right: all but it, it alone, all with a DENY of it, and all with it granted on another name,
on a prefix that is one character off, for another host, to another principal, for an operation that does not imply it. With --open
(allow.everyone.if.no.acl.found) also all of them but one, or all, granted to another principal. Each is asked
once for each way to prove who one is (mechanisms.py). Both peers get the same rules and the same bytes; answers are compared whole, but for
texts and what own.py lists, of which it is compared whether it is there. A closed connection is no answer. Differences must be in
differences.txt, with a reason each. Each right of the table must decide: with it and without it both peers must answer otherwise in at
least one cell, or untried.txt says why it cannot be so. A mutant weakens the rules that Leat is given, as a broker would that does not look at that part
of them: the matrix must see it. Exit code: 0 as expected, 1 differences (of a mutant: none) or a right that decides nothing, 3 Kafka
cannot be had; 2 when there is nothing to ask.
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT / "tests/interop"))
sys.path.insert(0, str(ROOT / "tests/system"))
sys.path.insert(0, str(HERE))
import apart  # noqa: E402
import clients  # noqa: E402
import kafka_node  # noqa: E402
import machine  # noqa: E402
import protocol  # noqa: E402
import kdc  # noqa: E402
import mechanisms  # noqa: E402
import own  # noqa: E402
import samples  # noqa: E402
import security  # noqa: E402

AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
OPERATIONS = {name: 2 + i for i, name in enumerate(
    "ALL READ WRITE CREATE DELETE ALTER DESCRIBE CLUSTER_ACTION DESCRIBE_CONFIGS ALTER_CONFIGS IDEMPOTENT_WRITE CREATE_TOKENS "
    "DESCRIBE_TOKENS TWO_PHASE_COMMIT".split())}
RESOURCES = {"TOPIC": 2, "GROUP": 3, "CLUSTER": 4, "TRANSACTIONAL_ID": 5, "DELEGATION_TOKEN": 6, "USER": 7}
DENY, ALLOW, LITERAL, PREFIXED = 2, 3, 3, 4
# What both peers are told beside the ways in.
SHARED = {"authorizer.class.name": AUTHORIZER, "auto.create.topics.enable": "false", "super.users": "User:ANONYMOUS",
          # One node writes each change down before it answers; more of it would be the machine's.
          "group.initial.rebalance.delay.ms": "0"}
# What keeps things alive for as long as the matrix takes, and lets Metadata make topics.
LASTING = {"auto.create.topics.enable": "true", "transaction.max.timeout.ms": "7200000", "group.consumer.session.timeout.ms": "7200000",
           "group.consumer.max.session.timeout.ms": "7200000"}
EVERY_RULE = {"resource_type_filter": 1, "resource_name_filter": None, "pattern_type_filter": 1, "principal_filter": None,
              "host_filter": None, "operation": 1, "permission_type": 1}


# A coordinator that loads, is being made, or ends the transaction before.
PASSING = {14, 15, 16, 51}


def codes_of(answer):
    if isinstance(answer, dict):
        return {answer["error_code"]} if "error_code" in answer and answer["error_code"] else set().union(*map(codes_of, answer.values()), set())
    return set().union(*map(codes_of, answer), set()) if isinstance(answer, list) else set()


class Peer:
    """A broker with rules. `principal` is who is tested, `admin` may do everything."""
    principal = f"User:{security.USER}"

    def __init__(self, name, node, secrets):
        self.name, self.node, self.secrets, self.users = name, node, secrets, {}

    def connect(self, way):
        address = self.node.addresses[mechanisms.WAYS[way][0]]
        return mechanisms.Connection(address, way, self.secrets, token=self.token)

    def start(self):
        self.node.start()
        security.add_users(self.node.address)
        security.add_users(self.node.address, samples.OTHER)
        self.token = mechanisms.make_token(self.node.addresses["CLEAR"], self.secrets)
        self.prepare()
        self.make_tokens()
        self.open_transaction()
        self.join_group()

    def prepare(self):
        """What the requests speak of, made by who may do everything."""
        self.admin = protocol.Client(self.node.address)
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
        for _ in range(100):  # Kafka makes its topic of transactions on demand.
            if self.admin.call("InitProducerId", 1, transactional_id="mx-warm", transaction_timeout_ms=1000)["error_code"] in (0, 35):
                break
            self.admin.call("FindCoordinator", 1, key="mx-warm", key_type=1)
            time.sleep(0.05)
        self.base_rules = self.rules()
        for kind, name, setting, value in ((16, samples.METRICS, "metrics", "org.apache."), (32, samples.LIVE, "consumer.heartbeat.interval.ms", "6000")):
            self.settled("IncrementalAlterConfigs", 1, resources=[{"resource_type": kind, "resource_name": name, "configs": [
                {"name": setting, "config_operation": 0, "value": value}]}])

    def subscribed(self):
        """A client's instance that has just asked what to push."""
        told = self.admin.call("GetTelemetrySubscriptions", 0, client_instance_id=protocol.ZERO_ID)
        return {"client_instance_id": told["client_instance_id"], "subscription_id": told["subscription_id"]}

    def pushed(self):
        """One that has pushed since."""
        out = self.subscribed()
        answer = self.admin.call("PushTelemetry", 0, **out, terminating=False, compression_type=0, metrics=b"")
        if answer["error_code"]:
            raise RuntimeError(f"no push: {answer}")
        return out

    def make_token(self, *arguments, **options):
        for _ in range(200):  # Kafka learns of a user, and of a right, a moment after it agreed to them.
            try:
                return mechanisms.make_token(self.node.addresses["CLEAR"], self.secrets, "SCRAM-SHA-256", *arguments, **options)
            except mechanisms.Refused as why:
                last = why
                time.sleep(0.05)
        raise RuntimeError(f"{arguments} {options}: {last}")

    def make_tokens(self):
        """Those of another: one that he made, one that he made with the tested user as renewer, one that the tested user asked for."""
        self.token_of_another, of_another = self.make_token(samples.OTHER)
        renewed = self.make_token(samples.OTHER, renewers=[security.USER])[1]
        self.set_rules([(RESOURCES["USER"], f"User:{samples.OTHER}", LITERAL, None, "*", OPERATIONS["CREATE_TOKENS"], ALLOW)])
        asked_for = self.make_token(owner=samples.OTHER)[1]
        self.set_rules([])
        self.tokens = {"of another": of_another, "as a renewer": renewed, "asked for another": asked_for, "unknown": b"none"}

    def settled(self, api, version, **fields):
        """The answer once nothing passes that a coordinator may have to say first."""
        for _ in range(400):
            answer = self.admin.call(api, version, **fields)
            if not PASSING & codes_of(answer):
                break
            time.sleep(0.02)
        if codes_of(answer):
            raise RuntimeError(f"{api}: {answer}")
        return answer

    def open_transaction(self):
        """One that is open for as long as the matrix takes."""
        self.settled("FindCoordinator", 4, key_type=1, coordinator_keys=[samples.OPEN])
        begun = self.settled("InitProducerId", 4, transactional_id=samples.OPEN, transaction_timeout_ms=int(LASTING["transaction.max.timeout.ms"]))
        self.settled("AddPartitionsToTxn", 3, v3_and_below_transactional_id=samples.OPEN, v3_and_below_producer_id=begun["producer_id"],
                     v3_and_below_producer_epoch=begun["producer_epoch"], v3_and_below_topics=[{"name": samples.TOPIC, "partitions": [0]}])

    def join_group(self):
        """A member of the new protocol that has the topic."""
        self.settled("FindCoordinator", 4, key_type=0, coordinator_keys=[samples.LIVE])
        fields = {"group_id": samples.LIVE, "member_id": "mx-member", "member_epoch": 0, "rebalance_timeout_ms": 60_000,
                  "subscribed_topic_names": [samples.TOPIC], "topic_partitions": []}
        owned = None
        while owned is None:
            answer = self.settled("ConsumerGroupHeartbeat", 1, **fields)
            owned = (answer["assignment"] or {}).get("topic_partitions") or None
            fields = {"group_id": samples.LIVE, "member_id": "mx-member", "member_epoch": answer["member_epoch"]}
            time.sleep(0.05)
        self.settled("ConsumerGroupHeartbeat", 1, **fields | {"topic_partitions": owned})

    def unmake(self, answer):
        """Deletes the topic that a cell made."""
        if answer == "closed" or not any(t["name"] == samples.MADE and not t["error_code"] for t in answer["topics"]):
            return
        self.admin.call("DeleteTopics", 5, topic_names=[samples.MADE], timeout_ms=10_000)
        for _ in range(1000):
            told = self.admin.call("Metadata", 10, topics=[{"name": samples.MADE}], allow_auto_topic_creation=False)
            if told["topics"][0]["error_code"]:
                return
            time.sleep(0.005)
        raise RuntimeError("the topic that was made does not go")

    def find_ids(self):
        """Makes the topic anew that a cell may have deleted, and waits until the broker knows of it."""
        made = self.admin.call("CreateTopics", 7, timeout_ms=10_000,
                               topics=[{"name": "mx-gone", "num_partitions": 1, "replication_factor": 1}])["topics"][0]
        for _ in range(1000):
            answer = self.admin.call("Metadata", 10, topics=[{"name": samples.TOPIC}, {"name": "mx-gone"}], allow_auto_topic_creation=False)
            ids = {t["name"]: t["topic_id"] for t in answer["topics"] if not t["error_code"]}
            if len(ids) == 2 and (made["error_code"] or ids["mx-gone"] == made["topic_id"]):
                self.topic_id, self.gone_id = ids[samples.TOPIC], ids["mx-gone"]
                return
            time.sleep(0.005)
        raise RuntimeError("the topics are not there")

    def rules(self):
        answer = self.admin.call("DescribeAcls", 2, **EVERY_RULE)
        return {(r["resource_type"], r["resource_name"], r["pattern_type"], a["principal"], a["host"], a["operation"], a["permission_type"])
                for r in answer["resources"] for a in r["acls"]}

    mutate = staticmethod(lambda rules: rules)

    def set_rules(self, rules):
        """Exactly these rules beside those of the administrator, in force when this returns."""
        rules = self.mutate([(r[0], r[1](self) if callable(r[1]) else r[1], *r[2:]) for r in rules])
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

    def ask(self, way, api, version, fields, passing=frozenset()):
        """The answer, or "closed". Not asked a second time: rules act on connections that are there, and close none."""
        attempts = 0
        while True:
            attempts += 1
            try:
                if way not in self.users:
                    self.users[way] = self.connect(way)
                answer = self.users[way].call(api, version, **fields(self))
            except (protocol.Closed, ConnectionError):
                self.users.pop(way, None)
                return "closed"
            if attempts > 100 or not (PASSING | passing) & codes_of(answer):
                return answer
            time.sleep(0.02)


def make_peers(program, folder, realm, is_open=False):
    secrets = security.Secrets(folder / "secrets")
    settings = mechanisms.settings(secrets, realm) | SHARED | LASTING
    if is_open:
        settings["allow.everyone.if.no.acl.found"] = "true"
    options = [*secrets.java_options(), f"-Djava.security.krb5.conf={realm.config}"]
    return [Peer("leat", kafka_node.LeatNode(folder / "leat", program, settings=settings, listeners=mechanisms.LISTENERS,
                                             environment=realm.environment), secrets),
            Peer("kafka", kafka_node.KafkaNode(folder / "kafka", heap="512m", settings=settings | {"metric.reporters": "Receiver"},
                                               listeners=mechanisms.LISTENERS, java_options=options, classes=clients.receiver()), secrets)]


def table(program):
    """{API: [(operation, resource, first version, last version)]} of the code."""
    out = {}
    page = subprocess.run([program, "reference", "--print", "rights"], capture_output=True, text=True, check=True).stdout
    for line in page.splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if len(row) == 6 and row[2] in OPERATIONS:
            first, last = map(int, row[1].split("-"))
            out.setdefault(row[0], []).append((row[2], row[3], first, last))
    if not out:
        raise RuntimeError(f"{program} prints no rights")
    return out


# A name that each peer has for itself is a function of the peer.
NAMES = {"TOPIC": ("mx-topic", "mx-new", "mx-gone", "mx-made"), "GROUP": ("mx-group", "mx-no-group", "mx-new-group", "mx-live"),
         "CLUSTER": ("kafka-cluster",), "TRANSACTIONAL_ID": ("mx-txn", "mx-open"), "USER": (f"User:{samples.OTHER}",),
         "DELEGATION_TOKEN": (lambda peer: peer.token_of_another,)}
FOREIGN = {"READ": "CREATE", "WRITE": "READ", "CREATE": "DESCRIBE", "DELETE": "DESCRIBE", "ALTER": "DESCRIBE", "DESCRIBE": "CREATE",
           "CLUSTER_ACTION": "CREATE", "DESCRIBE_CONFIGS": "DESCRIBE", "ALTER_CONFIGS": "DESCRIBE_CONFIGS", "IDEMPOTENT_WRITE": "CREATE",
           "CREATE_TOKENS": "DESCRIBE_TOKENS", "DESCRIBE_TOKENS": "CREATE_TOKENS", "TWO_PHASE_COMMIT": "DESCRIBE"}


def rules_of(right, permission=ALLOW, operation=None, host="127.0.0.1", principal=None, pattern=LITERAL, rename=lambda name: name):
    kind = RESOURCES[right[1]]

    def renamed(name):
        return (lambda peer: rename(name(peer))) if callable(name) else rename(name)
    return [(kind, name if kind == 4 else renamed(name), pattern, principal, host, OPERATIONS[operation or right[0]], permission)
            for name in NAMES[right[1]]]


# Which there are, as AclEntry.supportedOperations has it.
SUPPORTED = {"TOPIC": "READ WRITE CREATE DESCRIBE DELETE ALTER DESCRIBE_CONFIGS ALTER_CONFIGS",
             "GROUP": "READ DESCRIBE DELETE DESCRIBE_CONFIGS ALTER_CONFIGS",
             "CLUSTER": "CREATE CLUSTER_ACTION DESCRIBE_CONFIGS ALTER_CONFIGS IDEMPOTENT_WRITE ALTER DESCRIBE",
             "TRANSACTIONAL_ID": "DESCRIBE WRITE TWO_PHASE_COMMIT", "DELEGATION_TOKEN": "DESCRIBE", "USER": "CREATE_TOKENS DESCRIBE_TOKENS"}


# Operation: those that have it in them.
IMPLIED = {"DESCRIBE": {"READ", "WRITE", "DELETE", "ALTER"}, "DESCRIBE_CONFIGS": {"ALTER_CONFIGS"}}


def others_of(rights):
    """Rules for every right that is none of these and has none of them in it: the table may lack one."""
    own = {(one, kind) for operation, kind, *_ in rights for one in {operation} | IMPLIED.get(operation, set())}
    return sum((rules_of((operation, kind)) for kind, operations in SUPPORTED.items() for operation in operations.split()
                if (operation, kind) not in own), [])


def label_of(right):
    return f"{right[0]} on {right[1]}"


def pairs_of(right, rights, is_open):
    """Cells that differ in that right alone. Where everyone has what nobody is named for, somebody else is."""
    if is_open:
        label = label_of(right)
        return [("all rights", f"{label} to another"), (f"only {label}, the others to another", "all to another")]
    if len(rights) == 1:
        return [("all rights", "no right")]
    return [("all rights", f"all but {label_of(right)}"), (f"only {label_of(right)}", "no right")]


def cells_of(rights, is_open):
    """(label, rules) of the newest version of a request that needs `rights`."""
    yield "no right", []
    yield "all rights", sum((rules_of(r) for r in rights), [])
    yield "all rights but its own", others_of(rights)
    to_another = {label_of(r): rules_of(r, principal="User:alicf") for r in rights}
    if is_open:
        yield "all to another", sum(to_another.values(), [])
    for right in rights:
        if is_open:
            yield (f"only {label_of(right)}, the others to another",
                   sum((rules for label, rules in to_another.items() if label != label_of(right)), []) + rules_of(right))
        label = label_of(right)
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


def reasons(name):
    """{what: why} of a list in this folder."""
    lines = (HERE / name).read_text().splitlines()
    return dict(line.split(" :: ") for line in lines if line and not line.startswith("#"))


MUTANTS = {
    "deny": lambda rules: [r for r in rules if r[6] != DENY],
    "host": lambda rules: [(*r[:4], "*", *r[5:]) for r in rules],
    "prefix": lambda rules: [(r[0], r[1][:-2] if r[2] == PREFIXED else r[1], *r[2:]) for r in rules],
    "principal": lambda rules: [(*r[:3], None, *r[4:]) for r in rules],
}


class Matrix:
    def __init__(self, peers, ways, rights, is_open):
        self.peers, self.ways, self.rights, self.is_open = peers, ways, rights, is_open
        self.known = {re.compile(pattern): reason for pattern, reason in reasons("differences.txt").items()}
        self.untried = {one.removeprefix("open: "): why for one, why in reasons("untried.txt").items() if one.startswith("open: ") == is_open}
        self.cells, self.differences, self.unexplained, self.used = 0, [], [], set()
        self.own = own.Differences()
        self.by_api, self.by_way, self.skipped = {}, {way: [0, 0] for way in ways}, set()
        self.idle = {(api, label_of(right)) for api, rows in rights.items() for right in rows}

    def cell(self, sample, version, what, rules):
        """What each peer answers, the first way."""
        api, label, _, fields = sample
        for peer in self.peers:
            peer.set_rules(rules)
        first = None
        for way in self.ways:
            answers = []
            for peer in self.peers:
                answers.append(peer.ask(way, api, version, fields, samples.PASSING.get((api, label), frozenset())))
                if api == "DeleteTopics":
                    peer.find_ids()
                if label == "creating":
                    peer.unmake(answers[-1])
            self.compare(f"{api} v{version} {label}: {what}".replace("  ", " "), api, way, answers)
            first = first or [own.outline(api, answer) for answer in answers]
        return first

    def compare(self, name, api, way, answers):
        self.cells += 1
        row = self.by_api.setdefault(api, [0, 0, set()])
        row[0] += 1
        self.by_way[way][0] += 1
        lines = self.own.of(api, *answers)
        if not lines:
            return
        self.differences.append(name)
        row[1] += 1
        self.by_way[way][1] += 1
        reason = next((r for r in self.known if r.fullmatch(name)), None)
        row[2].add(self.known.get(reason, "none"))
        if reason is None:
            self.unexplained.append((name, answers))
            print(f"differs: {name} by {way}\n  " + "\n  ".join(map(str, lines)), flush=True)
        else:
            self.used.add(reason)

    def is_caught(self):
        """Whether a mutant answered with other errors: what else may differ is no fault of its."""
        return any("closed" not in answers and sorted(apart.codes(answers[0])) != sorted(apart.codes(answers[1])) for _, answers in self.unexplained)

    def run(self, only):
        for sample in samples.SAMPLES:
            api, _, first, _ = sample
            if only and api not in only:
                continue
            key = protocol.APIS[api].key
            ranges = [p.versions[key] for p in self.peers if key in p.versions]
            if len(ranges) < len(self.peers):
                print(f"skipped: {api}, not served by both", flush=True)
                self.skipped.add(api)
                continue
            low, high = max(first, *(r[0] for r in ranges)), min(r[1] for r in ranges)
            for version in range(low, high + 1):
                needs = [r for r in self.rights.get(api, []) if r[2] <= version <= r[3]]
                cells = list(cells_of(needs, self.is_open))
                full = version == high or (api, version) in samples.OLDER
                answers = {what: self.cell(sample, version, what, rules) for what, rules in (cells if full else cells[:2])}
                self.note_deciding(api, needs, answers)

    def note_deciding(self, api, needs, answers):
        for right in needs:
            for one, other in pairs_of(right, needs, self.is_open):
                if one in answers and other in answers and all(a != b for a, b in zip(answers[one], answers[other])):
                    self.idle.discard((api, label_of(right)))

    def undecided(self, only):
        """Lines about rights that no cell has put to the test, and about reasons that are none any more."""
        idle = {f"{api} {label}" for api, label in self.idle if not only or api in only}
        stale = set() if only else set(self.untried) - idle
        return [f"decides nothing: {one}" for one in sorted(idle - set(self.untried))] + [f"stale in untried.txt: {one}" for one in sorted(stale)]


def report(path, matrix, summary):
    if matrix.is_open:  # A section behind what the other run wrote.
        lines = ["", "## With allow.everyone.if.no.acl.found=true", "", f"- Commit: {machine.commit(ROOT)}",
                 f"- When: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC",
                 f"- Command: `tests/security/matrix.py LEAT --open{''.join(f' --way {way}' for way in matrix.ways)} --report FILE`", f"- Result: {summary}", "",
                 "Everyone has what nobody is named for, so each right is also granted to another user.",
                 *(f"Decides nothing: {one}: {why}." for one, why in matrix.untried.items())]
        with path.open("a") as file:
            file.write("\n".join(lines) + "\n")
        return
    lines = ["# The negative matrix: every API x every missing right, beside Apache Kafka", "", f"- Commit: {machine.commit(ROOT)}",
             f"- When: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC", f"- Machine: {machine.describe()}",
             "- Command: `tests/security/matrix.py LEAT --report FILE`", f"- Result: {summary}", "",
             "Cells come from the table in the code (`docs/reference/rights.md`), but for one that grants all that is not there. Both brokers get the same access rules and the same bytes;",
             "answers are compared whole, but for texts and what is listed at the end, of which it is compared whether it is there.",
             "Each request is asked by every way of `tests/security/mechanisms.py`, with",
             "the same rules: in its newest version, and in older ones that have something of their own, in all cells; in the others without any",
             "right and with all of them. A right decides when both brokers answer otherwise with it and without it.", "",
             "| who one is by | cells | differ |", "|---|---|---|", *(f"| {way} | {n} | {d} |" for way, (n, d) in matrix.by_way.items()), "",
             "| API | cells | differ | reasons | rights | of them decide |", "|---|---|---|---|---|---|"]
    for api, (cells, differ, why) in sorted(matrix.by_api.items()):
        rows = matrix.rights.get(api, [])
        decide = sum((api, label_of(right)) not in matrix.idle for right in rows)
        lines.append(f"| {api} | {cells} | {differ} | {'; '.join(sorted(why))} | {len(rows)} | {decide} |")
    lines += ["", *(f"Decides nothing: {one}: {why}." for one, why in matrix.untried.items())] if matrix.untried else []
    if matrix.skipped:
        lines += ["", "Not served by both, not tried: " + ", ".join(sorted(matrix.skipped)) + "."]
    lines += ["", "| of each node's own | compared | why |", "|---|---|---|"]
    lines += [f"| {api} {field} | {related.__doc__} | {why} |" for (api, field), (related, why) in sorted(own.OWN.items(), key=lambda row: row[0])]
    path.write_text("\n".join(lines) + "\n")


def stopped_after(peers):
    """All of them, also when one tells of a crash as it is stopped."""
    stack = contextlib.ExitStack()
    for peer in peers:
        stack.callback(peer.node.stop)
    return stack


def try_all(args, peers):
    with stopped_after(peers):
        if args.mutant:
            peers[0].mutate = MUTANTS[args.mutant]
        for peer in peers:
            peer.start()
        matrix = Matrix(peers, args.way or list(mechanisms.WAYS), table(args.program), args.open)
        matrix.run(args.only)
        return matrix


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--only", action="append")
    parser.add_argument("--report")
    parser.add_argument("--way", action="append", choices=list(mechanisms.WAYS), default=[])
    parser.add_argument("--open", action="store_true", help="with allow.everyone.if.no.acl.found=true; --report adds a section")
    parser.add_argument("--mutant", choices=sorted(MUTANTS))
    args = parser.parse_args()
    if unknown := set(args.only or ()) - {api for api, *_ in samples.SAMPLES}:
        parser.error(f"no request of {', '.join(sorted(unknown))}")
    folder, began = pathlib.Path(tempfile.mkdtemp(prefix="leat-matrix-")), time.monotonic()
    try:
        with kdc.Kdc(folder / "realm") as realm:
            os.environ.update(realm.environment)
            matrix = try_all(args, make_peers(args.program, folder, realm, args.open))
    except kafka_node.Unavailable as error:
        print(f"Apache Kafka is missing: {error}", file=sys.stderr)
        return 3
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    stale = [r.pattern for r in matrix.known if r not in matrix.used] + matrix.own.stale() if not args.only else []
    undecided = matrix.undecided(args.only)
    rights = sum(map(len, matrix.rights.values()))
    summary = (f"{matrix.cells} cells, {len(matrix.differences)} differ, {len(matrix.unexplained)} of them without a reason, "
               f"{len(stale)} reasons without a difference; {rights - len(matrix.idle)} of {rights} rights decide; "
               f"{time.monotonic() - began:.0f} s")
    print(summary)
    if args.mutant:
        print(f"mutant {args.mutant}: {'caught' if matrix.is_caught() else 'NOT CAUGHT'}")
        return 0 if matrix.is_caught() else 1
    for pattern in stale:
        print(f"stale: {pattern}")
    print("".join(f"{line}\n" for line in undecided), end="")
    if args.report:
        report(pathlib.Path(args.report), matrix, summary)
    return 1 if matrix.unexplained or stale or undecided else 0 if matrix.cells else 2


if __name__ == "__main__":
    sys.exit(main())
