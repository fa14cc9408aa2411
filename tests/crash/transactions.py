# SPDX-License-Identifier: Apache-2.0
"""Transactions through crashes: transfers of a bank, and consume-transform-produce, with kills of broker and client at random and at each step.

A cycle ends broker, client or both, in one of these ways:
  broker        kill -9 of the broker at a random moment, or the power goes (on a loop disk)
  broker step   so while the client waits at a step of its transaction
  broker call   the broker ends itself before or after its N-th write or sync on a log of the coordinators or of the topic: the enrolment, the
                decision, a marker, the record that all markers are there
  client        kill -9 of the client at a random moment; another one takes over its transactional ids
  client step   so at a step of its transaction
  zombie        the client is stopped at a step, another takes over, and in the middle of a transaction of that one the first goes on
  both          broker and client
  both commit   so some milliseconds after the client went on to ask for its commit
It counts when transactions were committed since the last one and one was open.
"""
import itertools
import os
import random
import signal
import struct
import subprocess
import time

import load
import power
import transactions_history

COMMITS_MIN = 8
PARTITIONS = 4
SETTINGS = ["log.segment.bytes=1048576", "log.retention.ms=-1", "transaction.state.log.num.partitions=4", "offsets.topic.num.partitions=4",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms=500"]
#: Steps of a client, as txn_worker.h numbers them.
BEGUN, HALF, WHOLE, ENDED, IDLE = 1, 2, 3, 4, 5
BEGIN_ANEW = 75
WAYS = ("broker", "broker step", "broker call", "client", "client step", "zombie", "both", "both commit")
NUMBERS = itertools.count()


def write_status(path, offset, value):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(struct.pack("q", value))


class Client:
    """One incarnation of the worker."""

    def __init__(self, run, incarnation):
        self.status = run.folder / f"status.{incarnation}"
        self.errors = run.folder / "worker.err"
        with open(self.errors, "ab") as sink:
            self.process = subprocess.Popen(run.command(run.kind, "--status", self.status, "--incarnation", incarnation),
                                            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        load.wait_for("the worker's counters", lambda: self.status.is_file() and self.status.stat().st_size >= 40)

    def counters(self):
        """committed, open, read, hold, held"""
        return struct.unpack("qqqqq", self.status.read_bytes()[:40])

    def hold(self, step):
        write_status(self.status, 24, step)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Run:
    """A broker and its clients through many cycles, and the judgement."""

    def __init__(self, options, kind, settings=(), environment=None, disk=None):
        # Numbered: the patterns of fault points must not be found in the names above the data directory.
        self.options, self.kind, self.disk = options, kind, disk
        self.folder = options.folder / f"t{next(NUMBERS)}"
        self.folder.mkdir()
        self.log = self.folder / "history.log"
        self.environment = environment or {}
        data = (disk.mount_point if disk else self.folder) / "data"
        self.broker = load.Broker(options.leat, data, [*SETTINGS, *settings], self.folder / "broker.log")
        self.threads = 3 if kind == "bank" else 2
        self.incarnation = 0
        self.client, self.feeder, self.others = None, None, []

    def command(self, mode, *more):
        return [str(part) for part in (
            self.options.txn_worker, mode, "--broker", self.broker.address, "--log", self.log, "--topic",
            "bank" if self.kind == "bank" else "output", "--input", "input", "--group", "transformers", "--partitions", PARTITIONS,
            "--threads", self.threads, *more)]

    def spawn(self, mode):
        with open(self.folder / f"{mode}.err", "ab") as sink:
            process = subprocess.Popen(self.command(mode, "--status", self.folder / f"status.{mode}"), stdin=subprocess.DEVNULL,
                                       stdout=sink, stderr=sink)
        self.others.append(process)
        return process

    def finish(self, mode, *more, seconds=60):
        done = subprocess.run(self.command(mode, *more), capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise load.Broken(f"{mode}: {done.stderr[-300:].strip()}")

    # Up and down.

    def begin(self):
        self.restart()
        for topic in ("bank",) if self.kind == "bank" else ("input", "output"):
            self.broker.run("topic", "create", topic, "--partitions", PARTITIONS)
        self.reader = self.spawn("read")
        self.feeder = self.spawn("feed") if self.kind == "transform" else None
        self.take_over()

    def restart(self, more=None):
        if not self.broker.start({**self.environment, **(more or {})}):
            raise load.Broken(f"leat serve does not start, see {self.folder / 'broker.log'}")

    def down(self):
        if self.disk is None:
            return self.broker.kill()
        if self.broker.is_running():
            self.broker.process.send_signal(signal.SIGSTOP)
        self.disk.cut()
        self.broker.kill()
        self.disk.unmount()
        self.disk.mount()

    def take_over(self):
        self.incarnation += 1
        self.client = Client(self, self.incarnation)

    def tend(self):
        """A client that gave up is replaced, as whoever runs it would."""
        if self.feeder:
            self.pace()
        code = self.client.process.poll()
        if code is None:
            return
        if code != BEGIN_ANEW:
            raise load.Broken(f"the worker ended with {code}: {self.client.errors.read_text()[-300:].strip()}")
        self.take_over()

    def pace(self):
        """The feeder hears how many outputs were read, and stays near that."""
        ways = self.folder / "status.read", self.folder / "status.feed"
        if all(path.is_file() and path.stat().st_size >= 40 for path in ways):
            write_status(ways[1], 24, struct.unpack("qqq", ways[0].read_bytes()[:24])[2])

    def until(self, what, condition, seconds=60, error=load.Broken):
        def check():
            self.tend()
            return condition()
        load.wait_for(what, check, seconds, error)

    def wait_for_commits(self, count=COMMITS_MIN):
        seen, last = 0, [self.client, self.client.counters()[0]]

        def enough():
            nonlocal seen
            if last[0] is not self.client:
                last[:] = self.client, 0
            now = self.client.counters()[0]
            seen, last[1] = seen + now - last[1], now
            return seen >= count
        self.until(f"{count} commits", enough, error=load.Stuck)

    def hold(self, step):
        def held():
            self.client.hold(step)
            return self.client.counters()[4] > 0
        self.until(f"the client at step {step}", held)

    # The ways of a cycle; each returns whether a transaction was open when it struck.

    def strike(self, way, rng):
        hits_broker = way in ("broker", "broker step", "both", "both commit")
        hits_client = way in ("client", "client step", "both", "both commit")
        is_open = False
        if way.endswith("step"):
            self.hold(rng.choice((BEGUN, HALF, WHOLE, ENDED)))
            is_open = True
        elif way.endswith("commit"):
            self.hold(WHOLE)
            self.client.hold(0)
            time.sleep(rng.uniform(0, 0.1 if "delay" in self.environment.get("LEAT_FAULT_DISK", "") else 0.005))
            is_open = True
        elif way not in ("broker call", "zombie"):
            time.sleep(rng.uniform(0, 0.03))
            is_open = self.client.counters()[1] > 0
        if hits_broker:
            self.broker.check()
            self.down()
        if hits_client:
            self.client.kill()
        if hits_broker:
            self.restart()
            self.client.hold(0)
        if hits_client:
            self.take_over()
        if way == "broker call":
            is_open = self.strike_call(rng)
        if way == "zombie":
            is_open = self.strike_zombie(rng)
        return is_open

    def strike_call(self, rng):
        logs = ["__transaction_state-", "/bank-"] if self.kind == "bank" else ["__transaction_state-", "/output-", "__consumer_offsets-"]
        point = f"{rng.choice(('kill-before', 'kill-after'))}:{rng.choice(('write', 'write', 'sync'))}:{rng.choice(logs)}:{rng.randint(1, 40)}"
        self.broker.check()
        self.down()
        fault = {"LEAT_FAULT_DISK": ",".join(filter(None, (self.environment.get("LEAT_FAULT_DISK"), point)))}
        said = self.broker.log.stat().st_size
        if not self.broker.start({**self.environment, **fault}):
            if not self.struck(point, said):
                raise load.Broken(f"leat serve does not start, see {self.broker.log}")
            self.down()  # A kill in recovery.
            self.restart()
            return True
        try:
            self.until(point, lambda: not self.broker.is_running(), 10)
        except load.Broken:
            if self.broker.is_running():
                self.down()
                self.restart()
                return False  # Such calls did not come often enough.
        if not self.struck(point, said):
            raise load.Broken(f"leat serve ended, but not at {point}, see {self.broker.log}")
        is_open = self.client.counters()[1] > 0
        self.down()
        self.restart()
        return is_open

    def struck(self, point, since):
        """Whether the broker's log says so after so many bytes."""
        _, call, pattern, _ = point.split(":")
        with open(self.broker.log, errors="replace") as log:
            log.seek(since)
            return any(line.startswith(f"fault-disk: struck {call} ") and pattern in line for line in log)

    def strike_zombie(self, rng):
        self.hold(rng.choice((BEGUN, HALF, WHOLE)))
        zombie = self.client
        zombie.process.send_signal(signal.SIGSTOP)
        self.take_over()
        try:
            self.wait_for_commits(3)
            self.hold(HALF)
            zombie.hold(0)
            zombie.process.send_signal(signal.SIGCONT)
            try:  # It must find out and end; one that does not shows in the history.
                zombie.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                pass
            self.client.hold(0)
            return True
        finally:
            zombie.kill()

    def audit(self, number):
        def all_idle():
            self.client.hold(IDLE)
            return self.client.counters()[4] == self.threads
        self.until("all tellers at rest", all_idle)
        self.finish("audit", "--number", number)
        self.client.hold(0)

    # The end.

    def stop_client(self):
        """Asked to stop, it ends what it has begun; a transformer goes on to the end of its input."""
        def stopped():
            code = self.client.process.poll()
            if code == 0:
                return True
            self.tend()
            self.client.hold(0)
            self.client.process.send_signal(signal.SIGTERM)
            return False
        load.wait_for("the worker's end", lambda: stopped() or time.sleep(0.1), 60)

    def judge(self, why=None):
        findings = {load.rule_of(why): [str(why)]} if why else {}
        try:
            if not self.broker.is_running():
                self.restart()
            self.conclude(patience=5 if why or self.environment else 30)
        except (load.Broken, subprocess.TimeoutExpired) as more:
            findings.setdefault("broken", []).append(str(more))
        with open(self.log, encoding="ascii") as file:
            # A reader that is killed may leave half a line.
            lines = [line for line in file if line.endswith("\n")]
        seen = transactions_history.KINDS[self.kind]().load(lines)
        return seen, {**findings, **self.broker.fallen(), **seen.judge()}

    def conclude(self, patience):
        if self.feeder:
            self.feeder.send_signal(signal.SIGTERM)
            self.feeder.wait(timeout=60)
        self.stop_client()
        self.finish("dump", "--patience", patience)
        if self.feeder:
            self.finish("dump", "--topic", "input", "--letter", "E", "--patience", patience)
            self.finish("offsets")
        want = sum(line.startswith("D ") for line in open(self.log, encoding="ascii"))
        status = self.folder / "status.read"
        load.wait_for("the reader at the end", lambda: struct.unpack("qqq", status.read_bytes()[:24])[2] >= want, patience)

    def end(self):
        for process in [*self.others, *([self.client.process] if self.client else [])]:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.broker.kill()


def cycles(options, kind, count, ways=WAYS, environment=None, file_system=None, audits=25):
    """Returns (counted cycles, history, findings)."""
    rng = random.Random(options.seed)
    disk = None
    if file_system:
        folder = options.folder / f"d{next(NUMBERS)}"
        folder.mkdir()
        disk = power.LoopDisk(file_system, folder)
        disk.mount()
    run = Run(options, kind, environment=environment, disk=disk)
    counted = tried = 0
    progress = options.progress(f"{kind}", count)
    try:
        run.begin()
        try:
            run.wait_for_commits()
            while counted < count:
                if tried > 10 * count:
                    raise load.Broken(f"{counted} of {tried} cycles found a transaction open")
                counted += run.strike(ways[(options.seed + tried) % len(ways)], rng)  # Short runs begin elsewhere each time.
                run.wait_for_commits()
                tried += 1
                if kind == "bank" and (tried % audits == 0 or counted == count):
                    run.audit(tried)
                progress.at(counted, " cycles")
        except (load.Broken, subprocess.TimeoutExpired) as why:
            return counted, *run.judge(why)
        return counted, *run.judge()
    finally:
        run.end()
        if disk:
            disk.close()


#: Fault of the broker -> (workload, ways, file system for power cuts, disk's faults).
SLOW_DECISIONS = "delay:sync:__transaction_state:1,delay:sync:/bank-1/:1,delay:sync:/bank-3/:1"
MUTANTS = {
    "transactions.marker_lost": ("bank", WAYS, None, None),
    "transactions.marker_before_log": ("bank", ("both commit",), "ext4", SLOW_DECISIONS),
    "transactions.answer_before_durable": ("bank", ("both commit",), "ext4", SLOW_DECISIONS),
    "transactions.not_reconciled": ("bank", ("broker call", "both"), None, None),
    "transactions.no_fencing": ("bank", ("zombie",), None, None),
    "lso_too_high": ("bank", WAYS, None, None),
    "no_abort_filter": ("bank", WAYS, None, None),
    "skip_dedupe": ("bank", ("broker call",), None, None),
    "groups.offsets_outside_transaction": ("transform", WAYS, None, None),
}
#: What proves nothing of the others: here what is decided is never finished, so that nobody comes past it. Nothing is lost by that.
SIGNS = {"transactions.marker_lost": ("stuck",), "transactions.not_reconciled": ("stuck",)}


def mutant(options, fault, count):
    kind, ways, file_system, slow = MUTANTS[fault]
    if file_system and os.geteuid() != 0:
        return None
    environment = {"LEAT_FAULTS": fault}
    if slow:
        environment["LEAT_FAULT_DISK"] = slow
    return cycles(options, kind, count, ways, environment, file_system)
