# SPDX-License-Identifier: Apache-2.0
"""The cells of `bench/run --table security`: transactions, TLS, logins, rights and groups. Each starts a broker of its own, because each needs
other settings. A cell takes a Place and returns {figure: value}.

As in cells.py no client's count is believed: the log has to have what was acknowledged; of transactions, committed, for who reads what is committed.
"""
import collections
import json
import pathlib
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/interop"), str(ROOT / "tests/security"), str(ROOT / "bench")]

import group_stable  # noqa: E402
import machine  # noqa: E402
import protocol  # noqa: E402
import security  # noqa: E402
from cells import Wrong  # noqa: E402
from kafka_node import KafkaNode, LeatNode, jars  # noqa: E402


class Place:
    """Where a cell works: which broker, its folder, the load generators."""

    def __init__(self, name, folder, options):
        self.name, self.folder, self.seconds, self.build = name, pathlib.Path(folder), options.seconds, options.build

    def node(self, settings=None, listeners=None):
        if self.name == "kafka":
            return KafkaNode(self.folder / "kafka", settings=settings, listeners=listeners)
        return LeatNode(self.folder / "leat", self.build / "leat", settings=settings, listeners=listeners)

    def load(self, address, *words):
        return _json([self.build / "loadgen", words[0], "--broker", address, *words[1:]])

    def start_load(self, address, *words):
        command = [self.build / "loadgen", words[0], "--broker", address, *words[1:]]
        return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def java(self, mode, address, *words, **properties):
        """bench/java/Load.java on Apache Kafka's client."""
        classes, lib = self.folder / "classes", jars()
        if not classes.is_dir():
            subprocess.run(["javac", "-nowarn", "-cp", f"{lib}/*", "-d", str(classes), str(ROOT / "bench/java/Load.java")], check=True)
        file = self.folder / "client.properties"
        rows = {"bootstrap.servers": address} | {name.replace("_", "."): value for name, value in properties.items()}
        file.write_text("".join(f"{name}={value}\n" for name, value in rows.items()))
        log = f"-Dlog4j2.configurationFile={ROOT / 'tests/interop/clients/java/log4j2.properties'}"
        return _json(["java", "-Xmx512m", "-XX:+UseSerialGC", log, "-cp", f"{classes}:{lib}/*", "Load", mode, file, *words])


def _json(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Wrong(f"{command[0]}: {done.stderr.strip()[-600:] or done.returncode}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def durable(place):
    """Each record, each state of a transaction and each marker is on the disk before it is answered: Leat's default."""
    return {"log.flush.interval.messages": "1"} if place.name == "kafka" else {}


def topic(place, node, name, partitions, *configs):
    """Makes it; returns where the log of each partition ends then: the load generator writes a record to see that it is there."""
    place.load(node.address, "create", "--topic", name, "--partitions", partitions, *(word for row in configs for word in ("--config", row)))
    with Reader(node.address) as client:
        return ends(client, name, partitions)


def page_cache(place):
    return () if place.name == "kafka" else ("leat.durability=os",)


#: Isolation levels of Kafka's protocol.
ALL, COMMITTED = 0, 1
CONTROL, TRANSACTIONAL = 0x20, 0x10
#: What is in a log below the end of what is committed: records, and the markers that end transactions.
Stored = collections.namedtuple("Stored", "records markers")


class Reader(protocol.Client):
    """Reads batches of many MB without putting them together piece by piece."""

    def exactly(self, count):
        out = bytearray(count)
        rest = memoryview(out)
        while rest:
            got = self.socket.recv_into(rest)
            if not got:
                raise protocol.Closed
            rest = rest[got:]
        return out


def ends(client, name, partitions, isolation=ALL, patience=10):
    """The log end of each partition; COMMITTED: as far as all transactions are over. A partition may not have a leader yet."""
    asked, until = [{"partition_index": index, "timestamp": -1} for index in range(partitions)], time.monotonic() + patience
    while True:
        answer = client.call("ListOffsets", 5, replica_id=-1, isolation_level=isolation, topics=[{"name": name, "partitions": asked}])
        told = answer["topics"][0]["partitions"]
        if not any(one["error_code"] for one in told):
            break
        if time.monotonic() > until:
            raise Wrong(f"log ends of {name}: {told}")
        time.sleep(0.1)
    return {one["partition_index"]: one["offset"] for one in told}


def count(batches, end):
    """Stored of these batches, below the end, and the offset after the last. Each data batch has to be of a transaction."""
    at, after, found = 0, 0, collections.Counter()
    while at + 61 <= len(batches):
        base, length = struct.unpack_from(">qi", batches, at)
        if at + 12 + length > len(batches) or base >= end:
            break
        attributes, last = struct.unpack_from(">hi", batches, at + 21)
        if not attributes & TRANSACTIONAL:
            raise Wrong(f"the batch at {base} is of no transaction")
        found["markers" if attributes & CONTROL else "records"] += struct.unpack_from(">i", batches, at + 57)[0]
        at, after = at + 12 + length, base + last + 1
    return Stored(found["records"], found["markers"]), after


def read_committed(client, name, index, offset, end):
    """Stored of a partition, which nobody writes to, from this offset to its end, as a consumer of what is committed is given it."""
    records = markers = 0
    while offset < end:
        answer = client.call("Fetch", 11, replica_id=-1, max_wait_ms=1000, min_bytes=1, max_bytes=16 << 20, isolation_level=COMMITTED, session_epoch=-1,
                             topics=[{"topic": name, "partitions": [{"partition": index, "fetch_offset": offset, "partition_max_bytes": 16 << 20}]}])
        one = answer["responses"][0]["partitions"][0]
        if one["error_code"] or one["aborted_transactions"]:
            raise Wrong(f"{name}-{index} at {offset}: error {one['error_code']}, aborted: {one['aborted_transactions']}")
        stored, after = count(one["records"] or b"", end)
        if after <= offset:
            raise Wrong(f"{name}-{index}: nothing committed is read at {offset}, the log ends at {end}")
        records, markers, offset = records + stored.records, markers + stored.markers, after
    return Stored(records, markers)


def committed(address, name, begin, patience=30):
    """Stored of a topic from `begin` on, a place in each partition, after its producers have ended.

    Wrong when a transaction stays open; Kafka answers before its markers are written.
    """
    partitions = len(begin)
    until = time.monotonic() + patience
    with Reader(address) as client:
        while (end := ends(client, name, partitions)) != (over := ends(client, name, partitions, COMMITTED)):
            if time.monotonic() > until:
                raise Wrong(f"{name}: transactions that were acknowledged are open for {patience} s: ended up to {over} of {end}")
            time.sleep(0.1)
        each = [read_committed(client, name, index, begin[index], end[index]) for index in range(partitions)]
    stored = Stored(sum(one.records for one in each), sum(one.markers for one in each))
    grown = sum(end.values()) - sum(begin.values())
    if stored.records + stored.markers != grown:
        raise Wrong(f"{name}: {stored} of {grown} offsets")
    return stored


def check_transactions(stored, counted, records, partitions):
    """That all are whole, and as many as were counted, those of the warm-up too."""
    number, rest = divmod(stored.records, records)
    if rest or number != counted:
        raise Wrong(f"{counted} transactions of {records} records, {stored.records} records are committed")
    if stored.markers != number * min(records, partitions):
        raise Wrong(f"{stored.markers} markers of {number} transactions, each in {min(records, partitions)} partitions")


def transactions(records, partitions):
    def cell(place):
        with place.node(durable(place)) as node:
            begin = topic(place, node, "bank", partitions)
            got = place.java("transactions", node.address, "bank", place.seconds, records, partitions)
            check_transactions(committed(node.address, "bank", begin), got["warm_up"] + got["transactions"], records, partitions)
        return {"transactions/s": got["transactions_per_s"]}
    return cell


def check_stream(node, name, kind, begin, counted):
    """That the log has as many records since `begin` as were counted, those of the warm-up too."""
    if kind == "once":
        found = committed(node.address, name, begin).records
    else:
        with Reader(node.address) as client:
            found = sum(ends(client, name, len(begin)).values()) - sum(begin.values())
    if found != counted:
        raise Wrong(f"{name}, {kind}: {counted} records acknowledged, {found} in the log")


def exactly_once(place):
    """What transactions of 100 ms cost: the same two producers with and without, twice each, so that a drift of the machine tells."""
    rates = {"plain": [], "once": []}
    with place.node() as node:
        for number, kind in enumerate(("plain", "once", "once", "plain")):
            name = f"stream-{number}"
            begin = topic(place, node, name, 4, *page_cache(place))
            got = place.java("stream", node.address, name, place.seconds, kind)
            check_stream(node, name, kind, begin, got["warm_up"] + got["records"])
            rates[kind].append(got["records_per_s"])
    plain, once = (sum(values) for values in rates.values())
    return {"cost %": 100 * (plain - once) / plain, "records/s, exactly once": once / 2, "records/s, without": plain / 2}


def tls(place):
    secrets = security.Secrets(place.folder / "secrets")
    try:
        settings = {name: value for name, value in secrets.settings().items() if name.startswith("ssl.")}
        client = secrets.login("tls", True)["java"]
        with place.node(settings, {"TLS": "SSL"}) as node:
            begin = topic(place, node, "secret", 1, *page_cache(place))
            out, written = {}, 0
            for mode in ("produce", "fetch"):
                warm = place.java(mode, node.addresses["TLS"], "secret", 3, **client)  # Warms the broker as well.
                cpu = machine.cpu_seconds(node.pid)
                got = place.java(mode, node.addresses["TLS"], "secret", place.seconds, **client)
                out[f"{mode}: CPU-s/GB"] = (machine.cpu_seconds(node.pid) - cpu) / (got["bytes"] / 1e9)
                written += (warm["records"] + got["records"]) * (mode == "produce")
            with Reader(node.address) as reader:
                found = ends(reader, "secret", 1)[0] - begin[0]
            if found != written:
                raise Wrong(f"{written} records acknowledged, {found} in the log")
            return out
    finally:
        secrets.endpoint.shutdown()
        secrets.endpoint.server_close()


def logins(place):
    settings = {"sasl.enabled.mechanisms": "SCRAM-SHA-256", "listener.name.sasl.scram-sha-256.sasl.jaas.config": security.MODULE.format("scram.Scram") + ";",
                "super.users": f"User:ANONYMOUS;User:{security.USER}"}
    with place.node(settings, {"SASL": "SASL_PLAINTEXT"}) as node:
        security.add_users(node.address)
        topic(place, node, "live", 1, *page_cache(place))
        login = ("logins", "--connections", 4, "--config", f"user={security.USER}", "--config", f"password={security.PASSWORD}", "--seconds")
        place.load(node.addresses["SASL"], *login, 3)
        place.load(node.address, "latency", "--topic", "live", "--rate", 1000, "--seconds", 2)
        alone = place.load(node.addresses["SASL"], *login, place.seconds)
        crowd = place.start_load(node.addresses["SASL"], *login, place.seconds + 1)
        try:
            live = place.load(node.address, "latency", "--topic", "live", "--rate", 1000, "--seconds", place.seconds - 0.5)
        finally:
            said, why = crowd.communicate(timeout=120)
        if crowd.returncode != 0 or live["errors"] or live["records"] != live["sent"]:
            raise Wrong(f"logins: {why.strip()}, {live['errors']} errors of the live client, {live['records']} of its {live['sent']} records came")
        return {"logins/s": alone["logins_per_s"], "p99 of a live client, ms": live["p99_us"] / 1e3,
                "logins/s beside the live client": json.loads(said)["logins_per_s"]}


def rights(place):
    done = subprocess.run([sys.executable, str(ROOT / "tests/security/instructions.py"), str(place.build / "leat"), "--requests", "1000"],
                          capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise Wrong(f"instructions.py: {done.stderr.strip()[-300:]}")
    words = done.stdout.split()
    return {"instructions added, %": float(words[words.index("adds") + 1])}


def stable_group(kind):
    def cell(place):
        with place.node() as node:
            return {"seconds": group_stable.once(node.address, 0, group_stable.Size(100, 200), kind)}
    return cell


#: name, cell, brokers that take part.
CELLS = [
    ("transactions of 1 record", transactions(1, 1), "leat kafka"),
    ("transactions of 100 records over 10 partitions", transactions(100, 10), "leat kafka"),
    ("exactly once, commits each 100 ms", exactly_once, "leat kafka"),
    ("TLS", tls, "leat kafka"),
    ("SCRAM logins", logins, "leat kafka"),
    ("10,000 access rules, a produce of one small batch", rights, "leat"),
    ("100 members stable, classic", stable_group("classic"), "leat kafka"),
    ("100 members stable, consumer protocol", stable_group("consumer"), "leat kafka"),
]
