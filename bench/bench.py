#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Leat, Apache Kafka and a null broker in turn, in one interleaved run on this machine.

Each round starts each broker once, warms it and runs the cells, each when the disk has what the one before it left dirty: the kernel writes that
half a minute later, and holds up whoever syncs then. Starts and restarts are measured in rounds of their own. In the table
`security` (transactions, TLS, logins, rights, groups) each cell has brokers of its own. In the table `streams` an application on Leat Streams and
its twin on Kafka Streams run in turn on one broker (streams_cells.py). The report has medians over the rounds, their spread, and ratios against Apache Kafka. CPU is the whole process's.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "interop"))
sys.path.insert(0, str(ROOT / "bench"))

import cells  # noqa: E402
import machine  # noqa: E402
import secured_cells  # noqa: E402
import streams_cells  # noqa: E402
from kafka_node import KafkaNode, LeatNode, Unavailable, free_port  # noqa: E402
from results import Results  # noqa: E402


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class NullNode:
    """bench/null_broker behind the interface of the other nodes."""

    def __init__(self, folder, binary, arguments):
        self.data = pathlib.Path(folder)
        self.command = [binary, str(self.data), *arguments]
        self.process = None

    def start(self):
        self.data.mkdir(parents=True)
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.address = self.process.stdout.readline().split()[-1]
        return self.address

    pid = KafkaNode.pid
    stop = KafkaNode.stop


class Bench:
    """One broker under measurement; what cells use."""

    def __init__(self, name, node, options):
        self.name, self.node = name, node
        self.seconds = options.seconds
        self.ballast_gb = options.ballast_gb
        self.loadgen = options.build / "loadgen"
        self.leat = options.build / "leat"
        self.count = 0

    @property
    def pid(self):
        return self.node.pid

    @property
    def data(self):
        return self.node.data

    def fresh(self):
        self.count += 1
        return f"cell{self.count}"

    def load(self, *arguments):
        command = [str(self.loadgen), str(arguments[0]), "--broker", f"127.0.0.1:{self.port()}", *map(str, arguments[1:])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise cells.Wrong(f"loadgen {arguments[0]}: {done.stderr.strip() or done.returncode}")
        return json.loads(done.stdout)

    def port(self):
        return self.node.port if getattr(self.node, "port", None) else int(self.node.address.rsplit(":", 1)[1])

    def cpu_seconds(self):
        return machine.cpu_seconds(self.pid)

    def stored(self, topic):
        """Bytes that its files have on disk."""
        return sum(machine.folder_bytes(folder) for folder in self.data.glob(f"{topic}-*"))

    def give_back_disk(self):
        """Deletes what the cells so far have written, and waits until the file system has it back: rounds of some 20 GB a cell fill a disk."""
        if self.name == "null":
            for path in self.data.iterdir():
                os.truncate(path, 0)
        else:
            topics = sorted({path.name.rpartition("-")[0] for path in self.data.glob("cell*-*") if path.is_dir() and not path.name.endswith("-delete")})
            done = subprocess.run([self.leat, "topic", "delete", *topics, "--yes", "-b", f"127.0.0.1:{self.port()}"], capture_output=True, text=True,
                                  timeout=120, stdin=subprocess.DEVNULL)
            if done.returncode != 0:
                raise cells.Wrong(f"leat topic delete: {done.stderr.strip()}")
            until = time.monotonic() + 120
            while any(self.data.glob("cell*-*")):
                if time.monotonic() > until:
                    raise cells.Wrong("deleted topics still take room after 120 s")
                time.sleep(0.2)
        os.sync()

    def start(self):
        self.node.start()

    def start_in_background(self):
        """Starts the node while the caller already knocks; the returned function waits for it."""
        failed = []

        def run():
            try:
                self.node.start()
            except Exception as why:  # told by the caller's thread
                failed.append(why)
        thread = threading.Thread(target=run)
        thread.start()

        def finish():
            thread.join()
            if failed:
                raise cells.Wrong(str(failed[0]))
        return finish

    def prepare_empty(self):
        if not self.node.port:
            self.node.port = free_port()
        if self.name == "kafka":
            # Formatting the folder is a step of its own with Kafka; it is not part of a start.
            self.node.start()
            self.node.stop()

    def stop(self, kill=False):
        self.node.stop(kill=kill)


#: The same for both brokers; all else is as they come.
SETTINGS = {"log.segment.delete.delay.ms": "1000"}


def make_node(name, folder, options):
    if name == "leat":
        return LeatNode(folder, options.build / "leat", settings=SETTINGS)
    if name == "kafka":
        return KafkaNode(folder, settings=SETTINGS)
    return NullNode(folder, options.build / "null_broker", cells.NULLS[name])


def run_cells(name, wanted, options, results, warm):
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"leat-bench-{name}-", dir=options.scratch))
    kind, name = name, name.partition("-")[0]
    bench = Bench(name, make_node(kind, folder / "node", options), options)
    try:
        bench.start()
        if warm:
            warm_up(bench)
        for title, cell, brokers in wanted:
            if kind not in brokers.split():
                continue
            if warm:
                os.sync()
                options.memory.fill(options.hold_gib)
            try:
                figures = cell(bench)
            except (cells.Wrong, RuntimeError, subprocess.TimeoutExpired) as why:
                say(f"{name}: {title}: {why}")
                results.fail(name, title, str(why))
                continue
            say(f"{name}: {title}: " + ", ".join(f"{k} {v:.4g}" for k, v in figures.items()))
            results.add(name, title, figures)
            if cells.fills_disk(title):
                bench.give_back_disk()
    finally:
        try:
            bench.stop()
        except RuntimeError as why:  # It did not end well, and what it was measured at counts as little.
            say(f"{name}: at its end: {why}")
            results.fail(name, "its end", str(why))
        shutil.rmtree(folder, ignore_errors=True)


def run_secured(name, cell, options, results):
    """A cell of the table `security`, which starts what it needs."""
    title, measure, _ = cell
    os.sync()
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"leat-bench-{name}-", dir=options.scratch))
    try:
        figures = measure(secured_cells.Place(name, folder, options))
    except (cells.Wrong, RuntimeError, OSError, ValueError, subprocess.SubprocessError, cells.protocol.Closed) as why:
        told = str(why) or type(why).__name__
        say(f"{name}: {title}: {told}")
        results.fail(name, title, told)
        return
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say(f"{name}: {title}: " + ", ".join(f"{k} {v:.4g}" for k, v in figures.items()))
    results.add(name, title, figures)


def warm_up(bench):
    seconds, bench.seconds = bench.seconds, max(bench.seconds / 2, 3)
    for batch in (cells.MB, 16 * cells.KIB, 0):
        cells.produce(bench, bench.fresh(), batch=batch, connections=4, partitions=4, in_flight=2)
    bench.seconds = seconds
    bench.give_back_disk()


def run_streams(number, wanted, options, results):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-bench-streams-", dir=options.scratch))

    def take(side, title, figures, why):
        if figures is None:
            say(f"{side}: {title}: {why}")
            results.fail(side, title, why)
            return
        say(f"{side}: {title}: " + ", ".join(f"{k} {v:.4g}" for k, v in figures.items()))
        results.add(side, title, figures)
    try:
        streams_cells.run_round(folder, options, number, wanted, take)
    except RuntimeError as why:
        take(options.streams_broker, "the broker of the round", None, str(why))
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def describe_run(options, titles):
    return {"commit": machine.commit(ROOT), "date": str(datetime.date.today()), "machine": machine.describe(),
            "command": f"bench/run {' '.join(sys.argv[1:])}", "seconds": options.seconds, "cells": titles} | (
                {"streams": f"on {options.streams_broker}: {streams_cells.ABOUT}"} if set(titles) & set(streams_cells.TITLES) else {})


def choose(options):
    """The cells of the chosen table whose names fit --cells, by where they are run."""
    pick = re.compile(options.cells or "")
    kinds = {"warm": ("backbone", cells.WARM), "cold": ("backbone", cells.COLD), "secured": ("security", secured_cells.CELLS),
             "streams": ("streams", streams_cells.CELLS)}
    return {kind: [cell for cell in of_table if pick.search(cell[0]) and options.table in (None, "all", table)] for kind, (table, of_table) in kinds.items()}


def show(results, path, titles=None):
    """Prints the report; 1 when a figure is below its floor or missing, or a goal of what was chosen has none: `titles`, else what the runs say."""
    text, below, unjudged = results.report(titles)
    print(text)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for line in below:
        say(f"below its floor: {line}")
    for line in unjudged:
        say(f"a goal without a verdict: {line}")
    return 1 if below or unjudged or results.failed else 0


def check(options, wanted, parser):
    """Ends with what to do when the programs are not built, or the disk has no room for the cells; makes the scratch folder."""
    missing = [name for name in ("leat", "loadgen", "null_broker") if not (options.build / name).is_file()]
    if missing:
        parser.error(f"{options.build} has no {', '.join(missing)}: name the folder of a release build's programs with --build, or run make build")
    if options.scratch:
        options.scratch.mkdir(parents=True, exist_ok=True)
    scratch = options.scratch or tempfile.gettempdir()
    needed, free = cells.room_for(wanted, options.seconds, options.ballast_gb), shutil.disk_usage(scratch).free
    if free < needed:
        parser.error(f"{scratch} has {free / 1e9:.0f} GB free, these cells may write {needed / 1e9:.0f} GB: "
                     "name a folder with more room with --scratch, or take shorter --seconds")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release/bin", help="folder with leat, loadgen, null_broker")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20, help="length of a cell [%(default)s]")
    parser.add_argument("--table", choices=("all", "backbone", "security", "streams"), help="[all]")
    parser.add_argument("--cells", help="regular expression of the cells to run [all of the table]: goals of others need no figure then")
    parser.add_argument("--brokers", default="leat,kafka,null", help="[%(default)s]")
    parser.add_argument("--ballast-gb", type=float, default=5, help="log size of the restart after kill -9 [%(default)s]")
    parser.add_argument("--streams-broker", choices=("leat", "kafka"), default="leat", help="what stream applications run on [%(default)s]")
    parser.add_argument("--streams-store", type=int, default=10_000_000, help="records of the store that is restored [%(default)s]")
    parser.add_argument("--sides", default="leat,kafka", help="of the table streams [%(default)s]")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the table streams, with its logs")
    parser.add_argument("--hold-gib", type=float, default=64,
                        help="memory that is kept from the host before each cell, as far as it is free [%(default)s]")
    parser.add_argument("--scratch", type=pathlib.Path, default=None, help="where data directories are made")
    parser.add_argument("--report", type=pathlib.Path, help="write the report there too")
    parser.add_argument("--raw", type=pathlib.Path, help="append each cell's figures there, as lines of JSON")
    parser.add_argument("--from", dest="merge", type=pathlib.Path, nargs="+", metavar="FILE",
                        help="measure nothing: write the report of all runs in these files of --raw. Each cell that one of them was to measure needs its "
                             "figures, or each that --table and --cells name")
    options = parser.parse_args()
    chosen = choose(options)
    titles = [cell[0] for of_kind in chosen.values() for cell in of_kind]
    if not titles:
        parser.error(f"no cell of the table fits --cells {options.cells}")
    if options.merge:
        results = Results()
        for path in options.merge:
            results.load(path)
        return show(results, options.report, titles if options.table or options.cells else None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.memory = machine.HeldMemory(options.scratch or tempfile.gettempdir())
    warm, cold, secured, streams = chosen.values()
    check(options, warm + cold, parser)
    results = Results(options.raw)
    results.begin(describe_run(options, titles))
    try:
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            brokers = options.brokers.split(",")
            for name in brokers if number % 2 == 0 else reversed(brokers):
                for kind in cells.NULLS if name == "null" else (name,):
                    if any(kind in c[2].split() for c in warm):
                        run_cells(kind, warm, options, results, warm=True)
                for cell in cold if name != "null" else ():
                    run_cells(name, [cell], options, results, warm=False)
            for cell in secured:  # One after the other on each broker: they are short, and what is compared is close in time.
                for name in brokers if number % 2 == 0 else reversed(brokers):
                    if name in cell[2].split():
                        run_secured(name, cell, options, results)
            if streams:
                run_streams(number, streams, options, results)
    except (Unavailable, streams_cells.engines.Unavailable) as why:
        say(f"Apache Kafka cannot be had: {why}")
        return 3
    finally:
        options.memory.drop()
    return show(results, options.report)


if __name__ == "__main__":
    sys.exit(main())
