# SPDX-License-Identifier: Apache-2.0
"""The embedded backbone and the programs that talk to it, as processes."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time


class Failed(Exception):
    """Something that had to work did not; the text is for the user."""


class Backbone:
    """`leat serve` on a data directory; it keeps its port over restarts."""

    def __init__(self, leat, data, settings):
        self.leat = leat
        self.data = data
        self.settings = settings
        self.port = 0
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        """Returns the seconds until it was ready."""
        begun = time.monotonic()
        command = [self.leat, "serve", "--data", str(self.data), "--listen", self.address, "--output", "json",
                   "--set", "leat.http.listen=127.0.0.1:0"]
        for setting in self.settings:
            command += ["--set", setting]
        log = open(f"{self.data}.log", "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)
        log.close()
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"leat serve ended with {self.process.wait()}; its log is {self.data}.log")
        kafka = next(one for one in json.loads(line)["listeners"] if one["name"] == "PLAINTEXT")
        self.port = int(kafka["address"].rsplit(":", 1)[1])
        return time.monotonic() - begun

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Returns the exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def command(self, *arguments):
        return [self.leat, *map(str, arguments), "--bootstrap", self.address]

    def run(self, *arguments):
        """Runs a client command to its end and returns what it printed."""
        done = subprocess.run(self.command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise Failed(f"leat {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--output", "json"))

    def read_all(self, topic, *more):
        text = self.run("consume", topic, "--until-end", "--output", "json", *(more or ("--from", "beginning")))
        return [json.loads(line) for line in text.splitlines()]


class Member:
    """A consumer of a group; what it prints goes to a file."""

    def __init__(self, backbone, group, topic, path, properties):
        self.path = path
        self.errors = open(f"{path}.err", "wb")
        self.out = open(path, "wb")
        self.process = subprocess.Popen(
            backbone.command("consume", topic, "--group", group, "--from", "beginning", "--output", "json", "--config", properties),
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.errors)

    def end(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.out.close()
        self.errors.close()

    def records(self):
        """What was printed so far; a line cut off by a kill is left out."""
        with open(self.path, "rb") as file:
            whole = file.read().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines()]


class Writer:
    """alerts.py, which stops in the middle of one of its transactions."""

    def __init__(self, backbone, half_way):
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(pathlib.Path(__file__).with_name("alerts.py")), backbone.address, "earthquakes", "alerts", "3",
             str(half_way)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_until_half_way(self):
        line = self.process.stdout.readline().strip()
        if line != "half way":
            raise Failed(f"alerts.py ended with {self.process.wait()} before its transaction was half done")

    def finish(self, seconds):
        """Lets it go on, to its end."""
        try:
            self.process.communicate("\n", timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if self.process.wait() != 0:
            raise Failed(f"alerts.py ended with {self.process.returncode}")


def write_lines(path, records):
    with open(path, "w", encoding="utf-8") as file:
        for one in records:
            file.write(json.dumps(one, ensure_ascii=False) + "\n")
    return path


def environment_note():
    return f"{os.cpu_count()} CPUs, Linux {os.uname().release}"
