# SPDX-License-Identifier: Apache-2.0
"""The backbone under load: `leat serve` and crash_worker as processes, and what a cycle needs of them."""
import collections
import json
import os
import re
import select
import signal
import struct
import subprocess
import time

import history


class Broken(Exception):
    """The run cannot go on: that is a finding too."""

    def __init__(self, text, rule="broken"):
        super().__init__(text)
        self.rule = rule


class Stuck(Broken):
    """The backbone is up but does no work any more, or a part of it: what some mutants do."""

    def __init__(self, text, rule="stuck"):
        super().__init__(text, rule)


def rule_of(why):
    return getattr(why, "rule", "broken")


#: What the load does beside sending: its counter, how much more of it shows that it goes on, and the finding when it does not. One may have been
#: answered and not counted yet, and somebody who reads has some left of before.
WORK = (("read", 100, "reader stuck"), ("marked", 2, "marks stuck"), ("committed", 2, "commits stuck"), ("asked", 2, "offsets stuck"))
#: Findings by which no mutant is found: a run that could not go on, stood still or was not read to its end shows nothing by that alone. A slow
#: machine may do as much.
PROVES_NOTHING = ("broken", "incomplete", "fell", "stuck", "behind", *(rule for _, _, rule in WORK))


def caught(findings, by=(), proves_nothing=PROVES_NOTHING):
    """Whether a mutant was found. `by`: what proves nothing of others, and is the sign of this one."""
    return bool(findings.keys() - (set(proves_nothing) - set(by)))


def wait_for(what, condition, seconds=60, error=Broken):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.002)
    raise error(f"{what}: not within {seconds} s")


#: The topic takes batches up to here; one producer's records are larger: they must be refused, and never be there.
BATCH_MAX = 65536
TOO_LARGE = BATCH_MAX + 1000


class Broker:
    def __init__(self, leat, data, settings, log):
        self.leat, self.data, self.log = leat, data, log
        self.settings = settings
        self.port = 0
        self.process = None
        self.falls = {}  # Process -> what was wrong with its end.

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, environment=None):
        self.fallen()  # Of the one before.
        command = [str(self.leat), "serve", "--data", str(self.data), "--listen", self.address, "--output", "json",
                   "--set", "leat.http.listen=127.0.0.1:0"]
        for setting in self.settings:
            command += ["--set", setting]
        with open(self.log, "ab") as sink:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sink, stdin=subprocess.DEVNULL, text=True,
                                            env={**os.environ, **(environment or {})})
        # With a fault in it, it may also hang: that is a finding, not a harness that waits for ever.
        if not select.select([self.process.stdout], [], [], 60)[0]:
            raise Stuck(f"leat serve is not ready within 60 s, see {self.log}")
        line = self.process.stdout.readline()
        if not line:
            self.kill()
            return False
        self.port = int(json.loads(line)["listeners"][0]["address"].rsplit(":", 1)[1])
        return True

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def check(self):
        """Broken when it ended by itself."""
        if not self.is_running():
            raise Broken(f"leat serve ended with {self.process and self.process.returncode}, see {self.log}")

    def note_end(self):
        """Of a process that may have ended by itself: that no signal may do to it but SIGKILL, which is ours or a fault point's."""
        code = self.process.poll()
        if code is not None and code < 0 and code != -signal.SIGKILL:
            self.falls[self.process.pid] = f"leat serve ended by {signal.Signals(-code).name}, see {self.log}"

    def fallen(self):
        """The finding about its ends until now, if there is one, whatever else was well after them."""
        if self.process is not None:
            self.note_end()
        return {"fell": list(self.falls.values())} if self.falls else {}

    def kill(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.note_end()
            self.process.stdout.close()

    def stop(self, seconds=30):
        """SIGTERM; its exit code, or None when it did not end in time and had to be killed: a finding."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                self.falls[self.process.pid] = f"leat serve did not end within {seconds} s of SIGTERM, see {self.log}"
                self.kill()
                return None
        self.kill()
        return self.process and self.process.returncode

    def run(self, *arguments):
        try:
            done = subprocess.run([str(self.leat), *map(str, arguments), "--bootstrap", self.address], capture_output=True, text=True,
                                  timeout=60, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as why:
            raise Stuck(f"leat {arguments}: not within {why.timeout} s") from why
        if done.returncode != 0:
            raise Broken(f"leat {arguments}: {done.stderr}")


class Said:
    """What a log says from here on."""

    def __init__(self, path):
        self.path, self.begin = path, path.stat().st_size if path.exists() else 0

    def text(self):
        with open(self.path, "rb") as file:
            file.seek(self.begin)
            return file.read().decode(errors="replace")

    def says(self, words, path):
        """Whether a line has one of the words, and names something below `path`."""
        return any(word in line and str(path) in line for line in self.text().splitlines() for word in words)


#: A topic that is made while it perhaps cannot be. Whether it serves later is asked of it, and it goes again.
LATE = "late"


def given_up(said):
    """Partitions that are out of service by what a log says, and did not come back."""
    partitions = set(re.findall(r'"partition (?:offline|not opened)" partition=(\S+)', said))
    partitions -= set(re.findall(r'"partition opened at last" partition=(\S+)', said))
    return sorted(partition for partition in partitions if not partition.startswith(f"{LATE}-"))


def drop_torn_line(path):
    """Who dies while he writes leaves half a line, behind which the next would go on."""
    with open(path, "r+b") as file:
        kept = file.read()
        file.truncate(kept.rfind(b"\n") + 1)


#: As worker_client.h has them.
Counters = collections.namedtuple("Counters", "acknowledged in_flight read marked committed asked")
COUNTERS = struct.Struct("q" * len(Counters._fields))


class Worker:
    """crash_worker load, and its counters."""

    def __init__(self, binary, broker, folder, partitions, idempotent=True, value_bytes=120, lies=""):
        self.binary, self.partitions, self.value_bytes = binary, partitions, value_bytes
        self.log, self.status = folder / "history.log", folder / "status"
        self.address = broker.address
        self.errors = folder / "worker.err"
        with open(self.errors, "ab") as sink:
            self.process = subprocess.Popen(
                [str(binary), "load", *self.options(), "--status", str(self.status), "--idempotent", "true" if idempotent else "false",
                 "--refused-bytes", str(TOO_LARGE), "--lies", lies], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        wait_for("the worker's counters", lambda: self.status.is_file() and self.status.stat().st_size >= COUNTERS.size)

    def options(self):
        return ["--broker", self.address, "--log", str(self.log), "--partitions", str(self.partitions), "--value-bytes",
                str(self.value_bytes)]

    def counters(self):
        return Counters(*COUNTERS.unpack(self.status.read_bytes()[:COUNTERS.size]))

    def wait_for_acknowledgements(self, count, seconds=60):
        self.wait_for_more("acknowledged", count, self.counters(), seconds, "stuck")

    def wait_for_work(self, seconds=60):
        """Until all that it does beside sending was done after now. Not while a partition is out of service, as it may be: for whoever works
        with that one waits."""
        before = self.counters()
        for what, least, rule in WORK:
            self.wait_for_more(what, least, before, seconds, rule)

    def wait_for_more(self, what, count, before, seconds, rule):
        wanted = getattr(before, what) + count
        wait_for(f"{count} {'acknowledgements' if what == 'acknowledged' else what}",
                 lambda: getattr(self.counters(), what) >= wanted or self.gone(), seconds, lambda text: Stuck(text, rule))

    def gone(self):
        if self.process.poll() is not None:
            raise Broken(f"the worker ended: {self.errors.read_text()[-300:].strip()}")
        return False

    def finish(self, is_broken=False):
        """Ends the load and reads the whole log; returns the history. `is_broken`: the worker need not end well."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=15 if is_broken else 120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = -9
        if is_broken:
            drop_torn_line(self.log)
        if code != 0 and not is_broken:
            raise Broken(f"the worker ended with {code}: {self.errors.read_text()[-300:].strip()}")
        done = subprocess.run([str(self.binary), "dump", *self.options()], capture_output=True, text=True, timeout=180)
        if done.returncode != 0:
            raise Broken(f"the log cannot be read: {done.stderr[-300:].strip()}")
        return self.seen()

    def seen(self):
        """What is written down, in whole lines."""
        with open(self.log, encoding="ascii") as file:
            return history.History().load(line for line in file if line.endswith("\n"))

    def abandon(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
