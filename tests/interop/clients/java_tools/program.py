# SPDX-License-Identifier: Apache-2.0
"""Kafka's command line tools from the jars: topics, configs, groups, console clients, offsets, log dirs, leaders, quorum."""
import base64
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["LEAT_INTEROP"])
from kafka_node import tool_command  # noqa: E402
from scenario import EPOCH_MS, Scenario, expect, payload, settle, wait_until  # noqa: E402

scenario = Scenario()
VERSION = os.environ["LEAT_TOOLS_VERSION"]
CLASSES = os.environ["LEAT_TOOLS_CLASSES"]
OLD = VERSION.startswith("3.")
TOOL = "org.apache.kafka.tools."
TOPICS, GROUPS, CONSUMER = TOOL + "TopicCommand", TOOL + "consumer.group.ConsumerGroupCommand", TOOL + "consumer.ConsoleConsumer"
OFFSETS, RECORDS, DIRS = TOOL + "GetOffsetShell", TOOL + "DeleteRecordsCommand", TOOL + "LogDirsCommand"
PRODUCER = "kafka.tools.ConsoleProducer" if OLD else TOOL + "ConsoleProducer"
VERSIONS = "kafka.admin.BrokerApiVersionsCommand" if OLD else TOOL + "BrokerApiVersionsCommand"
CLUSTER = TOOL + "ClusterTool"
CONFIGS = "kafka.admin.ConfigCommand"


class Context:
    def __init__(self, bootstrap, prefix):
        self.bootstrap, self.prefix = bootstrap, prefix
        command = tool_command("Tools", VERSION)
        command[command.index("-cp") + 1] += f":{CLASSES}"
        command[1:1] = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        self.tools = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.folder = tempfile.mkdtemp()

    def topic(self, name):
        return f"{self.prefix}-{name}"

    def call(self, name, *arguments, data=""):
        """(exit code, output, errors) of a tool."""
        words = [name, data, *arguments, "--bootstrap-server", self.bootstrap]
        if name.endswith(("TransactionsCommand", "MetadataQuorumCommand")):
            words = [name, data, "--bootstrap-server", self.bootstrap, *arguments]
        print("$", name, *arguments, file=sys.stderr)
        self.tools.stdin.write(" ".join(base64.b64encode(word.encode()).decode() for word in words) + "\n")
        self.tools.stdin.flush()
        code, out, err = self.tools.stdout.readline().rstrip("\n").split(" ")
        out, err = (base64.b64decode(text).decode() for text in (out, err))
        print(out, err, sep="\n", file=sys.stderr)
        return int(code), out, err

    def run(self, name, *arguments, data=""):
        code, out, err = self.call(name, *arguments, data=data)
        expect(code == 0, f"{name} {arguments}: exit {code}: {(err or out)[-400:]}")
        return out

    def outcome(self, name, *arguments):
        """Exit code and the exceptions that were named: the words are the broker's own."""
        code, out, err = self.call(name, *arguments)
        named = sorted(set(re.findall(r"\b(\w+Exception)\b", out + err)) - {"ExecutionException", "RuntimeException", "KafkaException"})
        return f"exit {code} {' '.join(named)}"

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as sink:
            sink.write(text)
        return path

    def produce(self, topic, rows, *options):
        self.run(PRODUCER, "--topic", topic, *options, data="".join(row + "\n" for row in rows))

    def read(self, topic, count, *options):
        out = self.run(CONSUMER, "--topic", topic, "--max-messages", str(count), "--timeout-ms", "30000", *options)
        return values_of(out)


ALL = ("--from-beginning", "--property", "print.key=true", "--property", "print.headers=true", "--property", "print.partition=true",
       "--property", "print.offset=true", "--property", "print.timestamp=true", "--property", "null.literal=(null)")
KEYED = ("--property", "parse.key=true", "--property", "key.separator=|")


def values_of(text):
    """What a console consumer read, without what it says about itself."""
    return [row for row in text.splitlines() if not row.startswith(("Processed", "Option --"))]


def rows_of(text):
    """Lines of a table, blanks made one."""
    return [" ".join(row.split()) for row in text.splitlines() if row.strip()]


@scenario.feature
def create_topics(context, facts):
    facts += rows_of(context.run(TOPICS, "--create", "--topic", context.topic("records"), "--partitions", "3", "--replication-factor", "1"))
    context.run(TOPICS, "--create", "--topic", context.topic("compact"), "--partitions", "1", "--config", "cleanup.policy=compact", "--config", "retention.ms=7200000")
    context.run(TOPICS, "--create", "--topic", context.topic("assigned"), "--replica-assignment", "1,1")
    for name, options in (("records", ()), ("three", ("--replication-factor", "3")), ("unknown", ("--config", "no.such.setting=1"))):
        facts.append(f"{name} {context.outcome(TOPICS, '--create', '--topic', context.topic(name), *options)}")
    facts.append(f"exists {context.outcome(TOPICS, '--create', '--if-not-exists', '--topic', context.topic('records'))}")
    settle()
    for name in ("records", "compact", "assigned"):
        facts += rows_of(context.run(TOPICS, "--describe", "--topic", context.topic(name)))
    facts += [row for row in rows_of(context.run(TOPICS, "--list")) if row.startswith(context.prefix + "-")]
    facts.append(f"under-replicated {rows_of(context.run(TOPICS, '--describe', '--under-replicated-partitions'))}")
    facts.append(f"unknown {context.outcome(TOPICS, '--describe', '--topic', context.topic('not-there'))}")


@scenario.feature
def produce(context, facts):
    topic = context.topic("records")
    context.produce(topic, [f"a:{i},b:again|key-{i}|value-{i}" for i in range(30)], *KEYED, "--property", "parse.headers=true",
                    "--property", "headers.delimiter=|", "--property", "null.marker=(null)")
    context.produce(context.topic("compact"), ["k|v", "|empty key", "k|"], *KEYED, "--sync")
    for acks in ("0", "1", "all"):
        context.produce(context.topic("compact"), [f"acks|{acks}"], *KEYED, "--request-required-acks", acks)
    facts += rows_of(context.run(OFFSETS, "--topic", topic))


@scenario.feature
def consume(context, facts):
    facts += sorted(context.read(context.topic("records"), 30, *ALL), key=lambda row: row.split("\t")[1:])  # not by time
    facts += context.read(context.topic("records"), 3, "--partition", "1", "--offset", "2")
    facts += sorted(context.read(context.topic("compact"), 6, *ALL), key=lambda row: row.split("\t")[1:])


def codec(name):
    def check(context, facts):
        topic = context.topic(f"codec-{name}")
        context.run(TOPICS, "--create", "--topic", topic, "--partitions", "1")
        rows = [payload(i).decode() for i in range(100)]
        context.produce(topic, rows, "--compression-codec", name)
        expect(context.read(topic, 100, "--from-beginning") == rows, "records differ")
        facts.append("100 records the same")
    check.__name__ = f"codec_{name}"
    return check


for each in ("none", "gzip", "snappy", "lz4", "zstd"):
    scenario.feature(codec(each))


@scenario.feature
def idempotence(context, facts):
    topic = context.topic("idempotence")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "1")
    rows = [f"value-{i}" for i in range(300)]
    context.produce(topic, rows, "--producer-property", "enable.idempotence=true", "--producer-property", "batch.size=200")
    expect(context.read(topic, 300, "--from-beginning") == rows, "records differ")
    out = rows_of(context.run(TOOL + "TransactionsCommand", "describe-producers", "--topic", topic, "--partition", "0"))
    facts += [re.sub(r"^\d+ ", "<producer> ", row) for row in out]


@scenario.feature
def offsets_by_time(context, facts):
    topic = context.topic("records")
    for when in ("-1", "-2", "-3", "earliest", "latest", "max-timestamp", str(EPOCH_MS), "4000000000000"):
        rows = rows_of(context.run(OFFSETS, "--topic", topic, "--time", when))
        if when in ("-3", "max-timestamp"):  # records have the time when they were sent: which has the last is chance
            rows = [row.rpartition(":")[0] for row in rows]
        facts += [f"{when} {row}" for row in rows]
    facts += rows_of(context.run(OFFSETS, "--topic-partitions", f"{topic}:0-2", "--exclude-internal-topics"))


class Member:
    """A console consumer in a group, in a process of its own."""

    def __init__(self, context, group, topic, *options):
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        command = tool_command(CONSUMER, VERSION)
        command[1:1] = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        properties = ("session.timeout.ms=6000", "heartbeat.interval.ms=300", "fetch.max.wait.ms=100", "auto.commit.interval.ms=200")
        for row in properties:
            options += ("--consumer-property", row)
        self.process = subprocess.Popen([*command, "--bootstrap-server", context.bootstrap, "--topic", topic, "--group", group,
                                         "--from-beginning", *options], stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err)

    def rows(self):
        return values_of(os.pread(self.out.fileno(), 1 << 24, 0).decode().rpartition("\n")[0])

    def leave(self):
        self.process.terminate()
        self.process.wait(60)


def members(context, group):
    """How many partitions each member has."""
    code, out, _ = context.call(GROUPS, "--describe", "--group", group, "--members")
    rows = [row.split() for row in rows_of(out)] if code == 0 else []
    header = next((row for row in rows if row[0] == "GROUP"), None)
    return sorted(row[header.index("#PARTITIONS")] for row in rows if row[0] == group) if header else []


def two_members(context, facts, name, *options):
    topic, group = context.topic(name), context.topic(f"{name}-group")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "4")
    rows = [f"key-{i}|value-{i}" for i in range(40)]
    context.produce(topic, rows, *KEYED)
    first = Member(context, group, topic, *options)
    try:
        wait_until(lambda: len(first.rows()) == 40, "the first member reads all", pause=0.2)
        facts.append(f"A alone has {members(context, group)}")
        second = Member(context, group, topic, *options)
        try:
            wait_until(lambda: members(context, group) == ["2", "2"], "two members share", pause=0.2)
            facts.append("A and B have 2 each")
        finally:
            second.leave()
        wait_until(lambda: members(context, group) == ["4"], "the first member has all again", pause=0.2)
        context.produce(topic, [f"key-{i}|late-{i}" for i in range(40)], *KEYED)
        wait_until(lambda: len(set(first.rows())) == 80, "late records", pause=0.2)
    finally:
        first.leave()
    facts += sorted(set(first.rows()))
    facts += [row.split(" - ")[0] for row in sorted(rows_of(context.run(GROUPS, "--describe", "--group", group)))]


@scenario.feature
def group(context, facts):
    two_members(context, facts, "group", "--consumer-property", "partition.assignment.strategy=org.apache.kafka.clients.consumer.RangeAssignor")


@scenario.feature
def cooperative(context, facts):
    two_members(context, facts, "cooperative", "--consumer-property",
                "partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor")


@scenario.feature
def static_membership(context, facts):
    topic, group = context.topic("static"), context.topic("static-group")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "4")
    options = ("--consumer-property", "group.instance.id=one")
    for _ in range(2):
        member = Member(context, group, topic, *options)
        try:
            wait_until(lambda: members(context, group) == ["4"] and member.process.poll() is None, "the member has all", pause=0.2)
        finally:
            member.leave()
        facts.append(f"after it left: {members(context, group)}")
    # A static member does not leave: it is there until its session ends.
    wait_until(lambda: members(context, group) == [], "the session ends", pause=0.5)


@scenario.feature
def commit_resume(context, facts):
    topic, group = context.topic("commit"), context.topic("commit-group")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "1")
    context.produce(topic, [f"value-{i}" for i in range(10)])
    for count in (4, 6):
        facts += [f"{count} {row}" for row in context.read(topic, count, "--from-beginning", "--group", group)]
        facts += [row.split(" - ")[0] for row in rows_of(context.run(GROUPS, "--describe", "--group", group))]
    reset = (GROUPS, "--reset-offsets", "--group", group, "--topic", topic)
    for how in (("--to-earliest",), ("--to-offset", "3"), ("--shift-by", "2"), ("--to-datetime", "2020-01-01T00:00:00.000"), ("--to-latest",)):
        facts += [f"{how[0]} {row}" for row in rows_of(context.run(*reset, *how, "--execute"))]
    facts += rows_of(context.run(GROUPS, "--delete-offsets", "--group", group, "--topic", topic))


@scenario.feature
def describe_configs(context, facts):
    def described(*what):
        out = context.run(CONFIGS, "--describe", *what)
        return [f"config {row}" for row in sorted(rows_of(out)) if not re.match(r"leat\.", row)]

    facts += described("--entity-type", "topics", "--entity-name", context.topic("compact"), "--all")
    facts += described("--entity-type", "topics", "--entity-name", context.topic("compact"))
    facts += described("--entity-type", "brokers", "--entity-name", "1")
    facts.append(context.outcome(CONFIGS, "--describe", "--entity-type", "topics", "--entity-name", context.topic("not-there")))


@scenario.feature
def alter_configs(context, facts):
    topic = context.topic("settings")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "1")
    entity = ("--entity-type", "topics", "--entity-name", topic)
    for change in (("--add-config", "retention.ms=123456,max.message.bytes=2000000"), ("--add-config", "cleanup.policy=[compact,delete]"),
                   ("--delete-config", "retention.ms"), ("--add-config", "no.such.setting=1"), ("--add-config", "retention.ms=soon"),
                   ("--delete-config", "retention.bytes")):
        facts.append(f"{change} {context.outcome(CONFIGS, '--alter', *entity, *change)}")
        settle()
        facts += rows_of(context.run(CONFIGS, "--describe", *entity))
    broker = ("--entity-type", "brokers", "--entity-name", "1")
    for change in (("--add-config", "log.cleaner.threads=2"), ("--delete-config", "log.cleaner.threads")):
        facts.append(f"{change} {context.outcome(CONFIGS, '--alter', *broker, *change)}")
        settle()
        facts += rows_of(context.run(CONFIGS, "--describe", *broker))


@scenario.feature
def create_partitions(context, facts):
    topic = context.topic("grow")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "1")
    for count in ("3", "3", "2"):
        facts.append(f"{count} {context.outcome(TOPICS, '--alter', '--topic', topic, '--partitions', count)}")
    settle()
    facts += rows_of(context.run(TOPICS, "--describe", "--topic", topic))


@scenario.feature
def delete_records(context, facts):
    topic = context.topic("cut")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "1")
    context.produce(topic, [f"value-{i}" for i in range(10)])
    for offset in (4, 11, -1):
        plan = context.file("cut.json", f'{{"partitions": [{{"topic": "{topic}", "partition": 0, "offset": {offset}}}], "version": 1}}')
        code, out, err = context.call(RECORDS, "--offset-json-file", plan)
        low = re.findall(r"low_watermark: (\d+)", out)
        named = re.findall(r"(\w+Exception)", out + err)
        facts.append(f"before {offset}: exit {code} low watermark {low} {named}")
        facts += rows_of(context.run(OFFSETS, "--topic", topic, "--time", "earliest"))


@scenario.feature
def delete_topic(context, facts):
    topic = context.topic("gone")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "2")
    facts.append(f"delete {context.outcome(TOPICS, '--delete', '--topic', topic)}")
    settle()
    facts += [f"again {context.outcome(TOPICS, '--delete', '--topic', topic)}"]
    facts.append(f"if it exists {context.outcome(TOPICS, '--delete', '--if-exists', '--topic', topic)}")


@scenario.feature
def groups_admin(context, facts):
    topic, group = context.topic("admin"), context.topic("admin-group")
    context.run(TOPICS, "--create", "--topic", topic, "--partitions", "1")
    context.produce(topic, ["a", "b"])
    context.read(topic, 2, "--from-beginning", "--group", group)
    wait_until(lambda: members(context, group) == [], "the group is empty", pause=0.2)
    facts += [row for row in rows_of(context.run(GROUPS, "--list", "--state")) if row.startswith(group)]
    facts += rows_of(context.run(GROUPS, "--describe", "--group", group))
    facts += rows_of(context.run(GROUPS, "--describe", "--group", group, "--state"))
    facts.append(f"delete {context.outcome(GROUPS, '--delete', '--group', group)}")
    facts.append(f"again {context.outcome(GROUPS, '--delete', '--group', group)}")
    facts.append(f"describe {context.outcome(GROUPS, '--describe', '--group', group)}")
    facts += [row for row in rows_of(context.run(GROUPS, "--list")) if row == group]


@scenario.feature
def read_committed(context, facts):
    """Somebody else's transactions (see transactional.py), and what the tool for transactions says of them."""
    topic = context.topic("committed")
    for isolation, count in (("read_committed", 4), ("read_uncommitted", 7)):
        rows = context.read(topic, count, "--from-beginning", "--isolation-level", isolation)
        facts += [f"{isolation} {row}" for row in rows]
    # One more than there are: the console consumer ends by its timeout.
    out = context.run(CONSUMER, "--topic", topic, "--max-messages", "5", "--timeout-ms", "3000", "--from-beginning", "--isolation-level", "read_committed")
    facts.append(f"no fifth: {values_of(out)}")
    transactions = TOOL + "TransactionsCommand"
    described = rows_of(context.run(transactions, "describe", "--transactional-id", f"{topic}-writer"))
    facts += [re.sub(r"\b\d{4,}\b", "<number>", row) for row in described]
    facts += [row.split()[-1] for row in rows_of(context.run(transactions, "list")) if row.startswith(f"{topic}-writer ")]


@scenario.feature
def cluster_tools(context, facts):
    topic = context.topic("records")
    for name in sorted(set(re.findall(r"^\t(\w+\(\d+\))", context.run(VERSIONS), re.M))):
        if name in CLIENT_APIS:
            facts.append(f"serves {name}")
    out = context.run(DIRS, "--describe", "--topic-list", topic)
    facts += [f"log of {row}" for row in sorted(re.findall(r'"partition":"([^"]+)"', out))]
    errors = re.findall(r'"error":([^,}]+)', out)
    facts.append(f"log dir errors {errors}")
    code, out, _ = context.call(CLUSTER, "cluster-id")
    facts.append(f"cluster id: exit {code} {out.split(':')[0]}")
    plan = context.file("elect.json", f'{{"partitions": [{{"topic": "{topic}", "partition": 0}}]}}')
    facts += rows_of(context.run(TOOL + "LeaderElectionCommand", "--election-type", "preferred", "--path-to-json-file", plan))
    status = context.run(TOOL + "MetadataQuorumCommand", "describe", "--status")
    facts += [row for row in rows_of(status) if row.startswith(("LeaderId", "MaxFollowerLag:"))]
    moves = context.file("moves.json", f'{{"version": 1, "partitions": [{{"topic": "{topic}", "partition": 0, "replicas": [1]}}]}}')
    reassign = TOOL + "reassign.ReassignPartitionsCommand"
    facts.append(f"reassign {context.outcome(reassign, '--execute', '--reassignment-json-file', moves)}")
    facts.append(f"verify {context.outcome(reassign, '--verify', '--reassignment-json-file', moves)}")


# What a client may ask for; a broker that also serves other brokers lists more.
CLIENT_APIS = {f"{name}({key})" for name, key in {
    "Produce": 0, "Fetch": 1, "ListOffsets": 2, "Metadata": 3, "OffsetCommit": 8, "OffsetFetch": 9, "FindCoordinator": 10, "JoinGroup": 11,
    "Heartbeat": 12, "LeaveGroup": 13, "SyncGroup": 14, "DescribeGroups": 15, "ListGroups": 16, "ApiVersions": 18, "CreateTopics": 19,
    "DeleteTopics": 20, "DeleteRecords": 21, "InitProducerId": 22, "OffsetForLeaderEpoch": 23, "DescribeConfigs": 32, "AlterConfigs": 33,
    "DescribeLogDirs": 35, "CreatePartitions": 37, "DeleteGroups": 42, "ElectLeaders": 43, "IncrementalAlterConfigs": 44,
    "AlterPartitionReassignments": 45, "ListPartitionReassignments": 46, "OffsetDelete": 47, "DescribeCluster": 60, "DescribeProducers": 61,
    "DescribeTopicPartitions": 75}.items()}


def try_way(context, facts, topic, bootstrap, good, wrong):
    plain = context.bootstrap
    context.bootstrap = bootstrap
    try:
        files = [context.file(f"{topic}-{name}.properties", "".join(f"{k}={v}\n" for k, v in login["java"].items()))
                 for name, login in (("good", good), ("wrong", wrong))]
        context.run(TOPICS, "--create", "--topic", topic, "--command-config", files[0])
        configured = ("--producer.config", "--consumer.config") if OLD else ("--command-config", "--command-config")
        context.produce(topic, ["a", "b", "c"], configured[0], files[0])
        facts.append(f"read {context.read(topic, 3, '--from-beginning', configured[1], files[0])}")
        facts.append("the wrong login: " + context.outcome(TOPICS, "--list", "--command-config", files[1]))
    finally:
        context.bootstrap = plain


scenario.ways_in(("tls", "mtls", "sasl_plain", "sasl_scram_256", "sasl_scram_512", "sasl_oauthbearer", "sasl_oidc", "sasl_gssapi"), try_way)

if __name__ == "__main__":
    scenario.run(Context)
