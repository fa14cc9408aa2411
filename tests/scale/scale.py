#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds many idle connections and many partitions at once, and looks whether a live producer and consumer notice.

Every partition takes a record and gives it back. Every connection is a client that has asked ApiVersions. Memory is the growth of the
broker's resident set, divided. Exit code 0 only when every record came back, the live load had no error, all connections are still served when
all else is there too, and what has a bound is within it.
"""
import argparse
import datetime
import json
import pathlib
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "interop")]

import goals  # noqa: E402
import machine  # noqa: E402
from kafka_node import LeatNode  # noqa: E402

RATE = 1_000
#: The floor that the benchmark has for it.
IDLE_MIB = goals.GOALS["start, empty", "resident idle MiB"][2]
#: Two to three times what was measured (1.3 and 4.6, docs/proof/scale.md): a buffer more that each of them keeps, of a page or two, is above.
CONNECTION_KIB, PARTITION_KIB = 4, 12
#: What the live load may take is a matter of the disk, which its records wait for: alone 1.4 ms where nothing else ran, 105 and 382 beside builds. Beside
#: all it took up to three times as much. Ten times, and at least what anybody would notice, is a client that idle ones hold up.
ALONE_MS, BESIDE_MS, TIMES_SLOWER = 2_000, 100, 10
#: Ten thousand took 2.3 s, and 9.3 beside builds, where 500 took 1.8. Above is a partition that waits for a sync of its own.
PARTITIONS_SECONDS, PARTITION_SECONDS = 5, 0.003
#: For the answers of all connections together.
PATIENCE_SECONDS = 60
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)


def say(text):
    print(f"scale: {text}", file=sys.stderr, flush=True)


def exactly(peer, size, until):
    out = b""
    while len(out) < size:
        peer.settimeout(max(0.01, until - time.monotonic()))
        got = peer.recv(size - len(out))
        if not got:
            raise ConnectionError("closed")
        out += got
    return out


def count_answered(peers):
    """How many of these connections get a good answer to ApiVersions; all are asked before the first is read."""
    until, asked, answered = time.monotonic() + PATIENCE_SECONDS, [], 0
    for peer in peers:
        try:
            peer.settimeout(max(0.01, until - time.monotonic()))
            peer.sendall(API_VERSIONS)
            asked.append(peer)
        except OSError:
            pass  # It is not there any more: one answer less.
    for peer in asked:
        try:
            answer = exactly(peer, struct.unpack(">i", exactly(peer, 4, until))[0], until)
            answered += struct.unpack_from(">ih", answer) == (1, 0)
        except (OSError, struct.error):
            pass
    return answered


class Scale:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-scale-"))
        self.node = LeatNode(self.folder, options.build / "leat", {"max.connections": str(options.connections + 1000)})
        self.rows, self.wrong = [], []

    def row(self, what, value, right=None):
        """None: told, and not judged."""
        verdict = "–" if right is None else "ok" if right else "WRONG"
        self.rows.append((what, value, verdict))
        say(f"{what}: {value}{'  WRONG' if verdict == 'WRONG' else ''}")
        if verdict == "WRONG":
            self.wrong.append(what)

    def bounded(self, what, value, unit, bound):
        self.row(what, f"{value:.{1 if unit.endswith('iB') else 2}f} {unit} (≤ {bound:g})", value <= bound)

    def load(self, *arguments):
        done = subprocess.run([str(self.options.build / "loadgen"), arguments[0], "--broker", self.node.address, *map(str, arguments[1:])],
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"loadgen {arguments[0]}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def memory(self):
        return machine.resident_mib(self.node.pid)

    def live(self, name, bound_ms):
        """Records at a fixed rate from producer to consumer; returns the 99th percentile in ms."""
        topic = f"live-{name.replace(' ', '-')}"
        self.load("create", "--topic", topic, "--partitions", 1)
        got = self.load("latency", "--topic", topic, "--rate", RATE, "--seconds", self.options.seconds)
        good = not got["errors"] and got["records"] >= RATE * self.options.seconds * 0.99
        self.row(f"live load, {name}: records, errors", f"{got['records']}, {got['errors']}", good)
        self.bounded(f"live load, {name}: p99", got["p99_us"] / 1e3, "ms", bound_ms)
        return got["p99_us"] / 1e3

    def partitions(self):
        count = self.options.partitions
        before = self.memory()
        got = self.load("partitions", "--topic", "wide", "--partitions", count)
        self.bounded(f"{count} partitions made, each took a record", got["seconds"], "s", PARTITIONS_SECONDS + PARTITION_SECONDS * count)
        self.bounded("memory a partition", (self.memory() - before) * 1024 / count, "KiB", PARTITION_KIB)
        out = subprocess.run([str(self.options.build / "leat"), "consume", "wide", "--from", "beginning", "--until-end", "--format", "%p\\n",
                              "--bootstrap", self.node.address], capture_output=True, text=True, timeout=600)
        seen = set(out.stdout.split())
        self.row("partitions that gave their record back", len(seen), len(seen) == count and out.returncode == 0)

    def connections(self):
        before = self.memory()
        host, port = self.node.address.rsplit(":", 1)
        held = [socket.create_connection((host, int(port)), timeout=30) for _ in range(self.options.connections)]
        self.answered("connections that were answered", held)
        self.bounded("memory an idle connection", (self.memory() - before) * 1024 / len(held), "KiB", CONNECTION_KIB)
        return held

    def answered(self, what, held):
        count = count_answered(held)
        self.row(what, count, count == self.options.connections)

    def restart(self):
        """A stop and a start with all partitions."""
        self.node.stop()
        self.node.start()
        sum_of_ends = self.load("offsets", "--topic", "wide", "--partitions", self.options.partitions)
        self.row("records after a restart", sum_of_ends["sum"],
                 sum_of_ends["sum"] == self.options.partitions and sum_of_ends["error"] == 0)

    def run(self):
        self.node.start()
        self.bounded("resident when idle", self.memory(), "MiB", IDLE_MIB)
        alone_ms = self.live("alone", ALONE_MS)
        # Connections first: on a heap that partitions have grown they would seem to cost nothing.
        held = self.connections()
        self.partitions()
        self.live("beside all", max(BESIDE_MS, TIMES_SLOWER * alone_ms))
        self.row("resident with all", f"{self.memory():.1f} MiB")
        # They have been idle beside all of it: whoever is short of something must not have let go of them.
        self.answered("connections that are answered beside all", held)
        for one in held:
            one.close()
        self.restart()

    def text(self):
        lines = ["# Many connections and partitions", "", f"- commit: {machine.commit(ROOT)}", f"- date: {datetime.date.today()}",
                 f"- machine: {machine.describe()}", f"- command: `tests/scale/run {' '.join(sys.argv[1:])}`", "",
                 "| what | value | verdict |", "|---|---|---|"]
        return "\n".join(lines + [f"| {a} | {b} | {c} |" for a, b, c in self.rows]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--partitions", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--report", type=pathlib.Path)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    scale = Scale(options)
    try:
        scale.run()
        scale.node.stop()  # Raises when it does not end well.
    finally:
        scale.node.stop(kill=True)
        shutil.rmtree(scale.folder, ignore_errors=True)
    print(scale.text())
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(scale.text())
    return 1 if scale.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
