# SPDX-License-Identifier: Apache-2.0
"""Failpoints: every call on every kind of file of a data directory, and a batch with a wrong checksum.

Which calls there are is not written down here: a run with the action "trace" meets them (starts after a clean stop and after a kill, rolls,
compaction, retention, topics that come and go, offset commits), and each of them becomes a failpoint.
"""
import collections
import concurrent.futures
import itertools
import os
import pathlib
import re
import socket
import struct
import subprocess
import time

import asked
import history
import load
import protocol

#: Ends of the process, and errors from then on or once.
KILLS = ("kill-before", "kill-after")
ERRORS = ("io-error", "io-errors", "no-space")
#: The calls that change nothing fail only with EIO, and a kill at them is one at the change before.
QUIET = {"open", "read", "list"}
#: Of each kind of call, which one: the first for those, a later one for the rest.
AT_FIRST = {"kill-before", "io-error", "no-space"}
LATER = 3
#: Seconds for what comes by itself, such as compaction; of the traced run, and of those that look for a call once more.
IDLE, LONG_IDLE, LONGEST_IDLE = 1.5, 4, 15
#: Small segments and impatient housekeeping, so that everything happens within seconds.
SETTINGS = ["log.cleaner.backoff.ms=100", "log.retention.check.interval.ms=300",
            "offsets.topic.num.partitions=4", "offsets.topic.segment.bytes=1048576"]
VALUE_BYTES = 1500
NUMBERS = itertools.count()


def kinds(log):
    """{(call, pattern)} of what a traced run met."""
    out = set()
    for line in pathlib.Path(log).read_text(errors="replace").splitlines():
        if not line.startswith("fault-disk: met "):
            continue
        call, path = line.removeprefix("fault-disk: met ").split(" ", 1)
        name = path.split(" ")[-1].rsplit("/", 1)[-1]  # of a rename: its target
        if call in ("list", "make-directory", "sync-directory") and re.search(r"-\d+$", name):
            name = "-"  # every partition's folder
        elif call == "sync-directory":
            name = ""
        elif name.endswith("-delete"):
            name = "-delete"  # before it an id in hexadecimal, whose letters are other ones each time
        pieces = [piece for piece in re.split(r"\d+", name) if piece]
        out.add((call, max(pieces, key=len, default="")))
        if "__consumer_offsets-" in path and ".log" in name and call in ("write", "sync"):
            out.add((call, "__consumer_offsets"))
    return sorted(out)


class Scenario:
    """One life of a data directory with a fault point in it, from its first start to the judgement."""

    def __init__(self, options, run_class, folder, point):
        self.run = run_class(options, folder, folder / "data", SETTINGS, {"LEAT_FAULT_DISK": point}, VALUE_BYTES)
        self.broker = self.run.broker
        self.feed = folder / "feed"
        self.feed.write_text("".join(f"key-{i % 50}:{'v' * 1000}{i}\n" for i in range(1500)))
        self.findings = {}

    def struck(self):
        log = self.broker.log
        return log.is_file() and b"fault-disk: struck " in log.read_bytes()

    def try_to(self, *arguments):
        """A command that may fail, since the backbone may."""
        try:
            subprocess.run([str(self.broker.leat), *arguments, "--bootstrap", self.broker.address], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10)
        except subprocess.TimeoutExpired:
            pass

    def begin(self):
        """As Run.begin(), but the point may come while the backbone starts or while the topic is made."""
        try:
            self.run.begin()
        except load.Broken as why:
            if not self.struck() or (isinstance(why, load.Stuck) and self.broker.is_running()):
                raise
            self.broker.kill()
            self.run.environment = {}
            self.run.begin()

    def keep_busy(self):
        """Everything that touches files: until the backbone ends."""
        steps = [
            ("topic", "create", "latest", "--partitions", "1", "--set", "cleanup.policy=compact", "--set", "segment.bytes=1048576",
             "--set", "min.cleanable.dirty.ratio=0.01"),
            ("topic", "create", "short", "--partitions", "1", "--set", "retention.bytes=1", "--set", "segment.bytes=1048576", "--set",
             "file.delete.delay.ms=100"),
            ("topic", "create", "gone", "--partitions", "2", "--set", "file.delete.delay.ms=100"),
            ("produce", "latest", "--file", str(self.feed), "--key-separator", ":"),
            ("produce", "short", "--file", str(self.feed), "--key-separator", ":"),
            ("produce", "latest", "--file", str(self.feed), "--key-separator", ":"),
            ("produce", "short", "--file", str(self.feed), "--key-separator", ":"),
            ("topic", "delete", "gone", "--yes"),
        ]
        for step in steps:
            if not self.broker.is_running() or self.struck():
                return
            self.try_to(*step)

    def linger(self, seconds):
        """Until the point has struck, and for a moment after."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.broker.is_running() and not self.struck():
            time.sleep(0.01)
        if self.struck() and self.broker.is_running():
            time.sleep(0.3)

    def start(self):
        """False when the backbone does not start: a fault may forbid that."""
        return self.broker.start(self.run.environment)

    def live(self, idle=IDLE):
        """With the fault: load, a clean stop, a start after it, a kill, a start after that."""
        self.begin()
        self.keep_busy()
        self.linger(idle)
        self.ask()
        self.stop()
        for _ in range(2):
            if self.struck():
                break
            if self.start():
                self.linger(0.3)
                self.ask()
            elif not self.struck():
                raise load.Broken(f"leat serve does not start, see {self.broker.log}")
            self.broker.kill()
        self.broker.kill()

    def ask(self):
        """Whoever asks has an answer, also after an error; or the backbone has given up, in good order."""
        if not self.broker.is_running():
            return
        try:
            with protocol.Client(self.broker.address, patience=30) as client:
                asked.metadata(client, "history")
        except (OSError, protocol.Closed) as why:
            time.sleep(1)  # Its connections end before it does.
            if self.broker.is_running():
                self.findings["no answer"] = [repr(why)]

    def stop(self):
        """In good order too. Only when nothing has struck all must be well then."""
        was_running = self.broker.is_running()
        code = self.broker.stop()
        if was_running and code and not self.struck():
            self.findings["ended"] = [f"leat serve ended with {code}, see {self.broker.log}"]

    def recover(self):
        """Without it: everything that was acknowledged must be there. The history and the findings."""
        self.run.environment = {}
        self.run.restart()
        self.run.worker.wait_for_acknowledgements(100)
        seen, findings = self.run.judge()
        return seen, {**self.findings, **findings}


def one(options, run_class, title, point, idle):
    """(struck, history, findings) of one point."""
    # Numbered: a point's pattern must not be found in the names above the data directory.
    folder = options.folder / f"point{next(NUMBERS)}"
    scenario = Scenario(options, run_class, folder, point)
    (folder / "title").write_text(title)
    try:
        scenario.live(idle)
        return scenario.struck(), *scenario.recover()
    except (load.Broken, subprocess.TimeoutExpired) as why:
        return scenario.struck(), history.History(), {**scenario.findings, **scenario.broker.fallen(),
                                                      load.rule_of(why): [f"{why} ({folder.name})"]}
    finally:
        scenario.run.end()


def trace(options, run_class):
    """The kinds of calls that a whole life meets."""
    scenario = Scenario(options, run_class, options.folder / "trace", "trace:any::1")
    try:
        scenario.live(LONG_IDLE)
        seen, findings = scenario.recover()
        if findings:
            raise load.Broken(f"the traced run itself: {findings}")
        return kinds(scenario.broker.log)
    finally:
        scenario.run.end()


def run(options, run_class):
    """Yields a row for each kind of call: name, points struck, acknowledged, findings, whether it is well."""
    points = [(f"{call} {pattern or 'data directory'}", call, pattern) for call, pattern in trace(options, run_class)]
    if options.only:
        points = [point for point in points if point[0] in options.only.split(",")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # The processes do the work, and they wait much.
        yield from pool.map(lambda point: all_actions(options, run_class, *point), points)


def all_actions(options, run_class, name, call, pattern):
    """The row of one kind of call. Each action has to strike: where there is no later call of the kind, at the first."""
    struck, acknowledged, findings = collections.Counter(), 0, {}
    for action in ("io-error", "io-errors") if call in QUIET else (*KILLS, *ERRORS):
        for nth, idle in tries(options.times, action):
            title = f"{action} {name} {nth}"
            hit, seen, found = one(options, run_class, title, f"{action}:{call}:{pattern}:{nth}", idle)
            struck[action] += hit
            acknowledged += len(seen.acknowledged)
            for rule, events in found.items():
                findings.setdefault(f"{title}: {rule}", []).extend(events)
            if hit and not options.times:
                break
        if not struck[action]:
            findings[f"{action} {name}: never struck"] = [action]
    of_each = ", ".join(f"{count} {action}" for action, count in struck.items())
    return f"failpoint: {name}: {of_each}", struck.total(), acknowledged, findings, not findings


def tries(times, action):
    """(which call, seconds for what comes by itself) of each."""
    again = [] if times else [(1, LONG_IDLE), (1, LONGEST_IDLE)]
    return [(nth, IDLE) for nth in times or (1 if action in AT_FIRST else LATER,)] + again


def bad_checksum_accepted(broker):
    """Sends one batch whose CRC is wrong; True when the backbone takes it."""
    record = b"\x14\x00\x00\x00\x01\x08evil\x00"
    body = struct.pack(">hiqqqhii", 0, 0, 0, 0, -1, -1, -1, 1) + record
    batch = struct.pack(">qiibI", 0, len(body) + 9, -1, 2, 0xBADC0DE) + body
    topic = b"history"
    request = struct.pack(">hhih", 0, 3, 7, -1) + struct.pack(">hhi", -1, -1, 5000) + struct.pack(">ih", 1, len(topic)) + topic + \
        struct.pack(">iii", 1, 0, len(batch)) + batch
    with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as peer:
        peer.sendall(struct.pack(">i", len(request)) + request)
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + struct.unpack(">i", answer[:4])[0]:
            more = peer.recv(4096)
            if not more:
                raise load.Broken("the backbone closed the connection on a bad checksum")
            answer += more
    at = 4 + 4 + 4 + 2 + len(topic) + 4 + 4
    return struct.unpack(">h", answer[at:at + 2])[0] == 0


def checksum_cycles(options, run_class, environment):
    """For the mutant that checks no CRC: it must take the bad batch; the backbone itself must not."""
    folder = options.folder / f"checksum-{len(list(options.folder.iterdir()))}"
    run = run_class(options, folder, folder / "data", environment=environment)
    try:
        run.begin()
        findings = {"bad checksum accepted": ["Produce v3 with a wrong CRC"]} if bad_checksum_accepted(run.broker) else {}
        return 1, history.History(), findings
    finally:
        run.end()
