#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds many idle connections and many partitions at once, and looks whether a live producer and consumer notice.

Every partition takes a record and gives it back. Every connection is a client that has asked ApiVersions. Memory is the growth of the
broker's resident set, divided. Exit code 0 only when every record came back and the live load had no error.
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "interop")]

import machine  # noqa: E402
from kafka_node import LeatNode  # noqa: E402

RATE = 1_000


def say(text):
    print(f"scale: {text}", file=sys.stderr, flush=True)


class Scale:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-scale-"))
        self.node = LeatNode(self.folder, options.build / "leat", {"max.connections": str(options.connections + 1000)})
        self.rows, self.wrong = [], []

    def row(self, what, value, right=True):
        self.rows.append((what, value, "ok" if right else "WRONG"))
        say(f"{what}: {value}{'' if right else '  WRONG'}")
        if not right:
            self.wrong.append(what)

    def load(self, *arguments):
        done = subprocess.run([str(self.options.build / "loadgen"), arguments[0], "--broker", self.node.address, *map(str, arguments[1:])],
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"loadgen {arguments[0]}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def memory(self):
        return machine.resident_mib(self.node.pid)

    def live(self, name):
        """Records at a fixed rate from producer to consumer; returns the 99th percentile in ms."""
        topic = f"live-{name.replace(' ', '-')}"
        self.load("create", "--topic", topic, "--partitions", 1)
        got = self.load("latency", "--topic", topic, "--rate", RATE, "--seconds", self.options.seconds)
        good = not got["errors"] and got["records"] >= RATE * self.options.seconds * 0.99
        self.row(f"live load, {name}: records, errors", f"{got['records']}, {got['errors']}", good)
        self.row(f"live load, {name}: p99", f"{got['p99_us'] / 1e3:.2f} ms")

    def partitions(self):
        count = self.options.partitions
        before = self.memory()
        got = self.load("partitions", "--topic", "wide", "--partitions", count)
        self.row(f"{count} partitions made, each took a record", f"{got['seconds']:.2f} s")
        self.row("memory a partition", f"{(self.memory() - before) * 1024 / count:.1f} KiB")
        out = subprocess.run([str(self.options.build / "leat"), "consume", "wide", "--from", "beginning", "--until-end", "--format", "%p\\n",
                              "--bootstrap", self.node.address], capture_output=True, text=True, timeout=600)
        seen = set(out.stdout.split())
        self.row("partitions that gave their record back", len(seen), len(seen) == count and out.returncode == 0)

    def connections(self):
        before = self.memory()
        host, port = self.node.address.rsplit(":", 1)
        ask = struct.pack(">ihhih", 10, 18, 0, 1, -1)
        held = []
        for _ in range(self.options.connections):
            one = socket.create_connection((host, int(port)), timeout=30)
            one.sendall(ask)
            held.append(one)
        answered = sum(len(one.recv(65536)) > 8 for one in held)
        self.row("connections that were answered", answered, answered == self.options.connections)
        self.row("memory an idle connection", f"{(self.memory() - before) * 1024 / len(held):.1f} KiB")
        return held

    def restart(self):
        """A stop and a start with all partitions."""
        self.node.stop()
        self.node.start()
        sum_of_ends = self.load("offsets", "--topic", "wide", "--partitions", self.options.partitions)
        self.row("records after a restart", sum_of_ends["sum"],
                 sum_of_ends["sum"] == self.options.partitions and sum_of_ends["error"] == 0)

    def run(self):
        self.node.start()
        self.row("resident when idle", f"{self.memory():.1f} MiB")
        self.live("alone")
        # Connections first: on a heap that partitions have grown they would seem to cost nothing.
        held = self.connections()
        self.partitions()
        self.live("beside all")
        self.row("resident with all", f"{self.memory():.1f} MiB")
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
    finally:
        scale.node.stop()
        shutil.rmtree(scale.folder, ignore_errors=True)
    print(scale.text())
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(scale.text())
    return 1 if scale.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
