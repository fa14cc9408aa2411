# SPDX-License-Identifier: Apache-2.0
"""The cells of `bench/run --table security`: transactions, TLS, logins, rights and groups. Each starts a broker of its own, because each needs
other settings. A cell takes a Place and returns {figure: value}."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/interop"), str(ROOT / "tests/security"), str(ROOT / "bench")]

import group_stable  # noqa: E402
import machine  # noqa: E402
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
    place.load(node.address, "create", "--topic", name, "--partitions", partitions, *(word for row in configs for word in ("--config", row)))


def page_cache(place):
    return () if place.name == "kafka" else ("leat.durability=os",)


def transactions(records, partitions):
    def cell(place):
        with place.node(durable(place)) as node:
            topic(place, node, "bank", partitions)
            got = place.java("transactions", node.address, "bank", place.seconds, records, partitions)
        return {"transactions/s": got["transactions_per_s"]}
    return cell


def exactly_once(place):
    """What transactions of 100 ms cost: the same two producers with and without, twice each, so that a drift of the machine tells."""
    rates = {"plain": [], "once": []}
    with place.node() as node:
        for number, kind in enumerate(("plain", "once", "once", "plain")):
            name = f"stream-{number}"
            topic(place, node, name, 4, *page_cache(place))
            rates[kind].append(place.java("stream", node.address, name, place.seconds, kind)["records_per_s"])
    plain, once = (sum(values) for values in rates.values())
    return {"cost %": 100 * (plain - once) / plain, "records/s, exactly once": once / 2, "records/s, without": plain / 2}


def tls(place):
    secrets = security.Secrets(place.folder / "secrets")
    try:
        settings = {name: value for name, value in secrets.settings().items() if name.startswith("ssl.")}
        client = secrets.login("tls", True)["java"]
        with place.node(settings, {"TLS": "SSL"}) as node:
            topic(place, node, "secret", 1, *page_cache(place))
            out = {}
            for mode in ("produce", "fetch"):
                place.java(mode, node.addresses["TLS"], "secret", 3, **client)  # Warms the broker as well.
                cpu = machine.cpu_seconds(node.pid)
                got = place.java(mode, node.addresses["TLS"], "secret", place.seconds, **client)
                out[f"{mode}: CPU-s/GB"] = (machine.cpu_seconds(node.pid) - cpu) / (got["bytes"] / 1e9)
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
        if crowd.returncode != 0 or live["errors"]:
            raise Wrong(f"logins: {why.strip()}, {live['errors']} errors of the live client")
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
