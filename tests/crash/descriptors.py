# SPDX-License-Identifier: Apache-2.0
"""A process that has no file descriptor left, under load with rolls and with many logs that are not synced yet.

Requests wait with errors that may be tried again; no partition is given up; the operator is told. What was acknowledged meanwhile is there
after a power cut, also one in the middle of it. When there are descriptors again it heals without a restart.

Its limit is lowered while it runs, to what it has open and a few more: whatever it closes it may open again.
"""
import contextlib
import itertools
import os
import resource
import signal
import subprocess
import threading
import time

import asked
import load
import power
import protocol

MANY, LATE = "many", load.LATE
PARTITIONS = 100
STORAGE_ERROR, NONE = asked.STORAGE_ERROR, 0
WHY = "Too many open files"
#: Descriptors that are left, in turn: some steps of a roll have one, the next ones do not. When nothing misses one, there is none soon.
SPARE = (0, 1, 2, 3)
PATIENCE = 8
#: Of each shortage, once it has struck.
SECONDS = 3


def lowest_free(process):
    """The number that its next descriptor would have."""
    used = {int(name) for name in os.listdir(f"/proc/{process}/fd")}
    return next(number for number in itertools.count() if number not in used)


class Shortage:
    """Only so many more descriptors for a process, inside the block."""

    def __init__(self, process, spare):
        self.process, self.spare = process, spare
        self.limits = resource.prlimit(process, resource.RLIMIT_NOFILE)

    def __enter__(self):
        self.leave(self.spare)
        return self

    def leave(self, spare):
        resource.prlimit(self.process, resource.RLIMIT_NOFILE, (lowest_free(self.process) + spare, self.limits[1]))

    def strikes(self, run, log):
        """Whether a file could not be opened, and the broker said so: a connection that is refused shows nothing."""
        for spare in (self.spare, 0):
            self.leave(spare)
            try:
                load.wait_for("a file that cannot be opened", lambda: log.says([WHY], run.broker.data), PATIENCE if spare else 30)
                return True
            except load.Broken:
                pass
        return False

    def __exit__(self, *_):
        try:
            resource.prlimit(self.process, resource.RLIMIT_NOFILE, self.limits)
        except ProcessLookupError:  # It was killed.
            pass


class Many:
    """Records for all partitions of a topic in turn, until stop(). Whoever sends them tries again for five minutes."""

    def __init__(self, run):
        self.run, self.rounds, self.stopping = run, 0, threading.Event()
        run.broker.run("topic", "create", MANY, "--partitions", PARTITIONS)
        with open(run.folder / "many.err", "ab") as log:
            self.process = subprocess.Popen([str(run.broker.leat), "produce", MANY, "--bootstrap", run.broker.address, "--json", "--idempotent",
                                             "--timeout", "300"], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        self.thread = threading.Thread(target=self.feed, daemon=True)
        self.thread.start()

    def wait_for_first(self):
        """Who has never met a broker gives up when he is refused."""
        with protocol.Client(self.run.broker.address) as client:
            load.wait_for(f"records of {MANY}", lambda: all(asked.list_offset(client, MANY, at, -1)[1] > 0 for at in (0, PARTITIONS - 1)))

    def feed(self):
        try:
            while not self.stopping.wait(0.02):
                lines = [f'{{"value": "{self.rounds}", "partition": {partition}}}\n' for partition in range(PARTITIONS)]
                self.process.stdin.write("".join(lines))
                self.process.stdin.flush()
                self.rounds += 1
        except OSError:
            pass  # It ended: stop() tells.

    def stop(self):
        """The findings: all that was sent is acknowledged, and there, once and in order."""
        self.stopping.set()
        self.thread.join()
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            code = self.process.wait(timeout=90)
        except subprocess.TimeoutExpired:
            return {"stuck": [f"{MANY} cannot be written"]}
        there = self.read()
        if there is None:
            return {"unread": [MANY]}
        if code != 0:
            count = sum(map(len, there.values()))
            return {"not tried again": [f"{(self.run.folder / 'many.err').read_text()[-300:].strip()}; {count} are there"]}
        wrong = [f"{MANY}-{partition}: {len(numbers)} of {self.rounds}" for partition, numbers in there.items()
                 if numbers != list(range(self.rounds))]
        return {f"{MANY}: lost, twice or reordered": wrong} if wrong else {}

    def read(self):
        """Partition -> numbers, or None."""
        done = subprocess.run([str(self.run.broker.leat), "consume", MANY, "--bootstrap", self.run.broker.address, "--from", "beginning",
                               "--until-end", "--format", "%p %v\\n"], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            return None
        there = {partition: [] for partition in range(PARTITIONS)}
        for line in done.stdout.splitlines():
            partition, number = map(int, line.split())
            there[partition].append(number)
        return there

    def end(self):
        self.stopping.set()
        self.process.kill()
        self.process.wait()
        self.thread.join()


def look_around(client, findings):
    """Through a connection that was there before."""
    error = asked.metadata(client, "history")
    if error != NONE:
        findings.setdefault("metadata fail without descriptors", []).append(str(error))
    errors = {asked.fetch(client, "history", partition, 0) for partition in range(4)}
    if errors - {NONE, STORAGE_ERROR}:
        findings.setdefault("reads fail without descriptors", []).append(str(errors))
    # May be refused; when it is not, it has to serve later.
    client.call("CreateTopics", 5, topics=[{"name": LATE, "num_partitions": 3, "replication_factor": 1, "assignments": [], "configs": []}],
                timeout_ms=5000, validate_only=False)


def serves_late(run, findings):
    """As in full.py: what was made meanwhile takes records now."""
    with protocol.Client(run.broker.address) as client:
        if asked.metadata(client, LATE) != NONE:
            return
    try:
        subprocess.run([str(run.broker.leat), "produce", LATE, "--bootstrap", run.broker.address, "--timeout", "20"], input="1\n2\n3\n", text=True,
                       capture_output=True, timeout=60, check=True)
        run.broker.run("topic", "delete", LATE, "--yes")
    except (load.Broken, subprocess.SubprocessError) as why:
        findings.setdefault("made without descriptors, and serves nobody", []).append(str(why))


def one_shortage(run, disk, spare, findings):
    """Takes descriptors away and gives them back; every other time the power goes meanwhile."""
    log = load.Said(run.broker.log)
    is_cut = spare % 2 == 1
    with contextlib.ExitStack() as until_end:
        client = until_end.enter_context(protocol.Client(run.broker.address))
        asked.metadata(client, "history")  # It is accepted, and does not only wait for that.
        shortage = until_end.enter_context(Shortage(run.broker.process.pid, spare))
        if not shortage.strikes(run, log):
            findings.setdefault("the operator is not told", []).append(f"{spare} to spare: no file that cannot be opened")
        try:
            look_around(client, findings)
        except (OSError, protocol.Closed) as why:
            findings.setdefault("no answer without descriptors", []).append(f"{spare} to spare: {why!r}")
        time.sleep(SECONDS)
        if is_cut:
            run.broker.process.send_signal(signal.SIGSTOP)
            disk.cut()
            run.broker.kill()
    if is_cut:
        disk.unmount()
        disk.mount()
        log = load.Said(run.broker.log)  # What it said before may tell of the cut.
        run.restart()
    elif run.broker.process.poll() is not None:
        findings.setdefault("ended", []).append(str(run.broker.process.returncode))
        run.restart()
    run.worker.wait_for_acknowledgements(100)
    serves_late(run, findings)
    if lost := load.given_up(log.text()):
        findings.setdefault("given up", []).extend(lost)


def cycles(options, run_class, kind, count):
    """(history, findings, cycles) of so many shortages on a file system of `kind`."""
    folder = options.folder / f"descriptors-{kind}"
    folder.mkdir()
    disk = power.LoopDisk(kind, folder, mib=4096)
    disk.mount()
    run = run_class(options, folder, disk.mount_point / "data", value_bytes=1500)
    done = 0

    def body(findings):
        nonlocal done
        many = Many(run)
        try:
            many.wait_for_first()
            run.worker.wait_for_acknowledgements(100)
            while done < count and not findings:
                one_shortage(run, disk, SPARE[done % len(SPARE)], findings)
                done += 1
            findings |= many.stop()
        finally:
            many.end()

    return (*run.live(disk, body), done)
