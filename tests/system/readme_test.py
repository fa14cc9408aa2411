#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types the README's quick start into a shell, line by line, as somebody does who has just cloned it; and pastes it at once.

usage: readme_test.py LEAT

The shell stands in a folder like that of the repository after `make build`, whose `leat` takes ports of this test's instead of 9092 and 8080.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/interop"))
from kafka_node import free_port  # noqa: E402

LEAT = ""
WRAPPER = """#!/bin/sh
if [ "$1" = serve ]; then shift; set -- serve --listen "$LEAT_BOOTSTRAP" --http-listen 127.0.0.1:0 "$@"; fi
exec {leat} "$@"
"""


def section():
    return re.search(r"^## 60 seconds\n(.*?)^## ", (ROOT / "README.md").read_text(), re.S | re.M).group(1)


def commands():
    return re.search(r"```sh\n(.*?)```", section(), re.S).group(1).splitlines()


class Shell:
    """A bash that is told lines; `say` waits for the end of each and returns its exit code and what was printed meanwhile."""

    def __init__(self, folder, environment):
        self.out = folder / "out"
        with open(self.out, "wb") as sink:
            self.process = subprocess.Popen(["bash"], cwd=folder / "leat", env=environment, stdin=subprocess.PIPE, stdout=sink, stderr=sink,
                                            text=True, bufsize=1)
        self.lines = 0

    def text(self):
        return self.out.read_text()

    def say(self, line, patience=60):
        before = len(self.text())
        self.lines += 1
        self.process.stdin.write(f"{line}\necho \"END {self.lines} $?\"\n")
        done = self.wait_for(rf"^END {self.lines} (\d+)$", patience)
        return int(done.group(1)), self.text()[before:]

    def wait_for(self, pattern, patience=60):
        deadline = time.monotonic() + patience
        while not (found := re.search(pattern, self.text(), re.M)):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"no '{pattern}' in\n{self.text()}")
            time.sleep(0.005)
        return found

    def end(self):
        """The exit code of what runs in the background."""
        code, _ = self.say("wait %1")
        self.process.stdin.close()
        self.process.wait(60)
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.stdin.write("kill -9 $(jobs -p)\n")
            self.process.stdin.close()
            self.process.wait(60)


class QuickStart(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-readme-"))
        self.addCleanup(shutil.rmtree, self.folder)
        tools = self.folder / "leat/build/release/bin"
        tools.mkdir(parents=True)
        (tools / "leat").write_text(WRAPPER.format(leat=LEAT))
        (tools / "leat").chmod(0o755)
        self.address = f"127.0.0.1:{free_port()}"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("LEAT_")} | {
            "LEAT_BOOTSTRAP": self.address, "XDG_DATA_HOME": str(self.folder / "home")}

    def shell(self):
        shell = Shell(self.folder, self.environment)
        self.addCleanup(shell.kill)
        return shell

    def lines(self):
        """All but the first, which builds: that it is a target is seen here, that it works by tests/fresh."""
        first, *rest = commands()
        self.assertEqual(first, "make build")
        subprocess.run(["make", "-n", "build"], cwd=ROOT, check=True, capture_output=True)
        self.assertEqual(rest[-1], "kill %1")
        return rest

    def assert_consumed(self, text):
        for value in ("hello", "good morning"):
            self.assertEqual(text.splitlines().count(value), 1, text)

    def test_every_line_works(self):
        shell = self.shell()
        said = {}
        for line in self.lines():
            code, said[line] = shell.say(line)
            self.assertEqual(code, 0, f"{line}\n{said[line]}")
            if line == "leat serve &":
                shell.wait_for("leat is ready: .*" + re.escape(self.address))
            if line.startswith("leat consume"):
                # What the page says of other clients is so.
                code, listed = shell.say(re.search(r"`(kcat .*?)`", section()).group(1).replace("localhost:9092", self.address))
                self.assertIn('topic "greetings" with 3 partitions', listed)
        self.assertEqual(shell.end(), 0)
        self.assert_consumed(next(text for line, text in said.items() if line.startswith("leat consume")))
        self.assertTrue((self.folder / "home/leat/meta.properties").is_file())

    def test_it_may_be_pasted_at_once(self):
        shell = self.shell()
        code, said = shell.say("\n".join(self.lines()))
        self.assertEqual(code, 0, said)
        self.assertEqual(shell.end(), 0, shell.text())
        self.assert_consumed(said)


if __name__ == "__main__":
    LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
