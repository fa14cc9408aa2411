# SPDX-License-Identifier: Apache-2.0
"""The backbone under load: `leat serve` and crash_worker as processes, and what a cycle needs of them."""
import json
import os
import pathlib
import select
import signal
import struct
import subprocess
import time

import history


class Broken(Exception):
    """The run cannot go on: that is a finding too."""


class Stuck(Broken):
    """The backbone is up but does no work any more: what some mutants do."""


def rule_of(why):
    return "stuck" if isinstance(why, Stuck) else "broken"


def caught(findings, proves_nothing=("broken", "incomplete")):
    """Whether a mutant was found: a run that could not go on, or was not read to its end, shows nothing by that alone."""
    return bool(findings.keys() - set(proves_nothing))


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

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, environment=None):
        command = [str(self.leat), "serve", "--data", str(self.data), "--listen", self.address, "--output", "json",
                   "--set", "leat.http.listen=127.0.0.1:0"]
        for setting in self.settings:
            command += ["--set", setting]
        with open(self.log, "ab") as sink:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sink, stdin=subprocess.DEVNULL, text=True,
                                            env={**os.environ, **(environment or {})})
        # With a fault in it, it may also hang: that is a finding, not a harness that waits for ever.
        if not select.select([self.process.stdout], [], [], 60)[0]:
            raise Broken(f"leat serve is not ready within 60 s, see {self.log}")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            return False
        self.port = int(json.loads(line)["listeners"][0]["address"].rsplit(":", 1)[1])
        return True

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()

    def stop(self, seconds=20):
        """SIGTERM; False when it did not end in time and had to be killed."""
        if not self.is_running():
            return True
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self.process.stdout.close()
        return True

    def run(self, *arguments):
        try:
            done = subprocess.run([str(self.leat), *map(str, arguments), "--bootstrap", self.address], capture_output=True, text=True,
                                  timeout=60, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as why:
            raise Broken(f"leat {arguments}: not within {why.timeout} s") from why
        if done.returncode != 0:
            raise Broken(f"leat {arguments}: {done.stderr}")


class Said:
    """What a log says from here on."""

    def __init__(self, path):
        self.path, self.begin = path, path.stat().st_size

    def text(self):
        with open(self.path, "rb") as file:
            file.seek(self.begin)
            return file.read().decode(errors="replace")

    def says(self, words, path):
        """Whether a line has one of the words, and names something below `path`."""
        return any(word in line and str(path) in line for line in self.text().splitlines() for word in words)


def drop_torn_line(path):
    """Who dies while he writes leaves half a line, behind which the next would go on."""
    with open(path, "r+b") as file:
        kept = file.read()
        file.truncate(kept.rfind(b"\n") + 1)


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
        wait_for("the worker's counters", lambda: self.status.is_file() and self.status.stat().st_size >= 24)

    def options(self):
        return ["--broker", self.address, "--log", str(self.log), "--partitions", str(self.partitions), "--value-bytes",
                str(self.value_bytes)]

    def counters(self):
        """acknowledged, in flight, read"""
        return struct.unpack("qqq", self.status.read_bytes()[:24])

    def wait_for_acknowledgements(self, count, seconds=60):
        before = self.counters()[0]
        wait_for(f"{count} acknowledgements", lambda: self.counters()[0] >= before + count or self.gone(), seconds, Stuck)

    def gone(self):
        if self.process.poll() is not None:
            raise Broken(f"the worker ended: {self.errors.read_text()[-300:].strip()}")
        return False

    def finish(self, is_broken=False):
        """Ends the load and reads the whole log; returns the history. `is_broken`: the worker need not end well."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=15 if is_broken else 90)
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
        with open(self.log, encoding="ascii") as file:
            return history.History().load(file)

    def abandon(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
