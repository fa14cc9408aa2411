# SPDX-License-Identifier: Apache-2.0
"""kcat 1.7.1: the command line over Debian's librdkafka. Topics come into being by their first use: it has no administration."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ["LEAT_INTEROP"])
from scenario import EPOCH_MS, Scenario, expect, payload, wait_until  # noqa: E402

scenario = Scenario()
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
CONSUMER = ("-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=500", "-X", "topic.auto.offset.reset=earliest",
            "-X", "topic.metadata.refresh.fast.interval.ms=100", "-X", "fetch.wait.max.ms=100")
ROW = "%p:%o t=%T k=%K:%k v=%S:%s h=[%h]\n"


class Context:
    def __init__(self, bootstrap, prefix):
        self.bootstrap, self.prefix = bootstrap, prefix

    def topic(self, name):
        return f"{self.prefix}-{name}"

    def command(self, *arguments):
        return ["kcat", "-b", self.bootstrap, *arguments]

    def call(self, *arguments, data=None, ok=True):
        done = subprocess.run(self.command(*arguments), input=data, capture_output=True, timeout=60)
        expect(not ok or done.returncode == 0, f"kcat {arguments}: exit {done.returncode}: {done.stderr.decode()[-300:]}")
        return done.stdout.decode()

    def produce(self, topic, rows, *options):
        self.call("-P", "-t", topic, "-K", "|", *options, data="".join(row + "\n" for row in rows).encode())

    def read(self, topic, *options, row=ROW):
        return self.call("-C", "-t", topic, "-e", "-q", "-f", row, *options).splitlines()


class Member:
    """A kcat in a consumer group; what it prints goes to files."""

    def __init__(self, context, group, topic, *options):
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            context.command("-G", group, *CONSUMER, *options, "-u", "-f", "%p:%o %s\n", topic),
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err)

    @staticmethod
    def _lines(sink):
        return os.pread(sink.fileno(), 1 << 24, 0).decode().splitlines()

    def rows(self):
        return self._lines(self.out)

    def said(self):
        return self._lines(self.err)

    def owned(self):
        """Partitions assigned now, from the notes on rebalances."""
        owned = set()
        for text in self.said():
            found = re.search(r"rebalanced.*?(incremental )?(assign|revoke).*?: (.* \[\d+\])", text)
            if not found:
                continue
            incremental, verb, listed = found.groups()
            parts = set(re.findall(r"\[(\d+)\]", listed))
            if verb == "revoke":
                owned -= parts
            else:
                owned = owned | parts if incremental else parts
        return sorted(owned)

    def leave(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


@scenario.feature
def create_topics(context, facts):
    context.produce(context.topic("records"), ["k|first"], "-p", "0")
    listed = json.loads(context.call("-L", "-J", "-t", context.topic("records")))
    topic = listed["topics"][0]
    facts += [f"brokers {len(listed['brokers'])}", f"topic {topic['topic']}"]
    facts += [f"partition {p['partition']} leader {p['leader']} replicas {p['replicas']} isrs {p['isrs']}" for p in topic["partitions"]]
    bad = subprocess.run(context.command("-P", "-t", "bad/name", "-X", "message.timeout.ms=3000"), input=b"x\n",
                         capture_output=True, timeout=60)
    expect(bad.returncode != 0, "a topic with a bad name was accepted")
    facts.append(f"bad name: exit {bad.returncode}, invalid {b'Invalid topic' in bad.stderr}")


@scenario.feature
def produce(context, facts):
    topic = context.topic("records")
    for partition in range(4):
        context.produce(topic, [f"key-{i}|value-{i}" for i in range(partition, 40, 4)], "-p", str(partition),
                        "-H", f"partition={partition}", "-H", "again=1", "-H", "again=2")
    context.produce(topic, ["|empty key", "null value|", "|"], "-p", "1", "-Z")
    for acks in ("0", "1", "all"):
        context.produce(topic, [f"acks|{acks}"], "-p", "2", "-X", f"topic.acks={acks}")
    wait_until(lambda: len(context.read(topic, "-p", "2")) >= 13, "records of all acks")
    facts += [f"partition {p}: {len(context.read(topic, '-p', str(p)))}" for p in range(4)]


@scenario.feature
def consume(context, facts):
    for partition in range(4):
        facts += context.read(context.topic("records"), "-p", str(partition), "-o", "beginning", "-Z")
    facts += ["from 5: " + row for row in context.read(context.topic("records"), "-p", "1", "-o", "5")]
    facts += ["last 2: " + row for row in context.read(context.topic("records"), "-p", "1", "-o", "-2")]


def codec(name):
    def check(context, facts):
        topic = context.topic(f"codec-{name}")
        rows = [payload(i).decode() for i in range(200)]
        context.produce(topic, [f"k|{row}" for row in rows], "-p", "0", "-z", name, "-X", "linger.ms=50")
        back = context.read(topic, "-p", "0", row="%s\n")
        expect(back == rows, f"{len(back)} of 200 records came back, or others")
        facts.append(f"{len(back)} records the same")
    check.__name__ = f"codec_{name}"
    return check


for each in CODECS:
    scenario.feature(codec(each))


@scenario.feature
def idempotence(context, facts):
    topic, rows = context.topic("idempotence"), [f"value-{i}" for i in range(500)]
    context.produce(topic, [f"k|{row}" for row in rows], "-p", "0", "-X", "enable.idempotence=true",
                    "-X", "batch.num.messages=10", "-X", "linger.ms=0")
    facts += context.read(topic, "-p", "0", row="%o %s\n")
    expect([f.split()[1] for f in facts] == rows, "records are not those that were sent")


@scenario.feature
def offsets_by_time(context, facts):
    topic = context.topic("records")
    for time in (-1, -2, 0, EPOCH_MS, 4_000_000_000_000):
        facts.append(f"{time}: " + context.call("-Q", "-t", f"{topic}:0:{time}").strip())
    facts.append("from time: " + str(len(context.read(topic, "-p", "0", "-o", f"s@{EPOCH_MS}"))))


def two_members(context, facts, name, *options):
    """A alone, A and B, A alone again; all records are read."""
    topic, group = context.topic(name), context.topic(f"{name}-group")
    for partition in range(4):
        context.produce(topic, [f"k|value-{partition}-{i}" for i in range(10)], "-p", str(partition))
    first = Member(context, group, topic, *options)
    try:
        wait_until(lambda: len(first.owned()) == 4 and len(first.rows()) >= 40, "the first member reads all")
        facts.append(f"A alone owns {first.owned()}")
        second = Member(context, group, topic, *options)
        try:
            wait_until(lambda: len(first.owned()) == 2 and len(second.owned()) == 2, "two members share", 60)
            facts.append(f"A and B own {sorted(first.owned() + second.owned())}")
        finally:
            second.leave()
        wait_until(lambda: len(first.owned()) == 4, "the first member owns all again", 60)
        facts.append(f"A owns {first.owned()}")
        for partition in range(4):
            context.produce(topic, ["k|late"], "-p", str(partition))
        wait_until(lambda: sum("late" in row for row in first.rows()) >= 4, "late records")
    finally:
        first.leave()
    facts += sorted(set(first.rows()))
    last = context.call("-G", group, *CONSUMER, *options, "-e", "-q", "-f", "%p:%o %s\n", topic)
    facts.append(f"left for the next member: {last.splitlines()}")


@scenario.feature
def group(context, facts):
    two_members(context, facts, "group", "-X", "partition.assignment.strategy=range")


@scenario.feature
def cooperative(context, facts):
    two_members(context, facts, "cooperative", "-X", "partition.assignment.strategy=cooperative-sticky")


@scenario.feature
def static_membership(context, facts):
    topic, group = context.topic("static"), context.topic("static-group")
    for partition in range(4):
        context.produce(topic, [f"k|value-{partition}"], "-p", str(partition))
    options = ("-X", "group.instance.id=one")
    first = Member(context, group, topic, *options)
    try:
        wait_until(lambda: len(first.owned()) == 4 and len(first.rows()) == 4, "the first member reads all")
        second = Member(context, group, topic, *options)
        try:
            wait_until(lambda: len(second.owned()) == 4, "the second takes the first one's place")
            wait_until(lambda: any("fenced" in text.lower() for text in first.said()) or first.process.poll() is not None,
                       "the first is fenced")
            facts.append(f"second owns {second.owned()}; first fenced {any('fenced' in t.lower() for t in first.said())}")
        finally:
            second.leave()
    finally:
        first.leave()
    facts += sorted(set(first.rows()))


@scenario.feature
def commit_resume(context, facts):
    topic, group = context.topic("commit"), context.topic("commit-group")
    context.produce(topic, [f"k|value-{i}" for i in range(10)], "-p", "0")
    for count in ("4", "3", "3"):
        out = context.call("-G", group, *CONSUMER, "-c", count, "-q", "-f", "%p:%o %s\n", topic)
        facts += [f"{count}: {row}" for row in out.splitlines()]


def seen(context, facts, topic):
    for isolation in ("read_committed", "read_uncommitted"):
        facts += [f"{isolation} {row}" for row in context.read(topic, "-p", "0", "-X", f"isolation.level={isolation}", row="%p:%o %s\n")]


@scenario.feature
def transactions(context, facts):
    """All that one call writes is one transaction; one that is ended in the middle of it leaves nothing."""
    topic = context.topic("transactions")
    context.produce(topic, [f"k|first {i}" for i in range(5)], "-p", "0", "-X", f"transactional.id={topic}-writer")
    broken = subprocess.Popen(context.command("-P", "-t", topic, "-p", "0", "-X", f"transactional.id={topic}-writer", "-X", "linger.ms=0"),
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    broken.stdin.write(b"never committed\n" * 20_000)  # It reads blocks.
    broken.stdin.flush()
    wait_until(lambda: "never committed" in context.read(topic, "-p", "0", "-X", "isolation.level=read_uncommitted", row="%s\n"), "the record")
    broken.kill()
    broken.wait()
    broken.stdin.close()
    context.produce(topic, [f"k|second {i}" for i in range(5)], "-p", "0", "-X", f"transactional.id={topic}-writer")
    facts += context.read(topic, "-p", "0", "-X", "isolation.level=read_committed", row="%s\n")


@scenario.feature
def read_committed(context, facts):
    """Somebody else's transactions: see transactional.py."""
    seen(context, facts, context.topic("committed"))


def try_way(context, facts, topic, bootstrap, good, wrong):
    def call(login, *words, data=None):
        options = [word for name, value in login["rdkafka"].items() for word in ("-X", f"{name}={value}")]
        return subprocess.run(["kcat", "-b", bootstrap, *options, *words], input=data, capture_output=True, timeout=60)
    wrote = call(good, "-P", "-t", topic, data=b"a\nb\nc\n")
    expect(wrote.returncode == 0, f"not written: {wrote.stderr.decode()[-300:]}")
    facts.append("read " + call(good, "-C", "-t", topic, "-e", "-q", "-f", "%o:%s ").stdout.decode())
    facts.append(f"the wrong login: exit {call(wrong, '-L', '-m', '4').returncode}")


# Not SCRAM: librdkafka before 2.6.1 sends a wrong nonce, and Apache Kafka looks at it since 3.7.2.
scenario.ways_in(("tls", "mtls", "sasl_plain", "sasl_gssapi"), try_way)

if __name__ == "__main__":
    scenario.run(Context)
