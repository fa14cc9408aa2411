#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types docs/how-to/use-the-command-line.md, measure-a-broker.md and what run-as-a-service.md has for leat and curl into a shell, line by line.

usage: how_to_cli_test.py LEAT [TEST...]

Addresses, data directories and figures that would take minutes are this test's own. What a page speaks of as having happened (a member that
is gone, a transaction that is open, a service that is stopped) happens before the line.
"""
import json
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
sys.path[:0] = [str(ROOT / "tests/interop"), str(ROOT / "tests/system")]
import readme_test  # noqa: E402
import transactions_test  # noqa: E402
from kafka_node import LeatNode  # noqa: E402

LEAT = ""
HOW_TO = ROOT / "docs/how-to"
COMMAND_LINE, MEASURE, SERVICE = "use-the-command-line.md", "measure-a-broker.md", "run-as-a-service.md"
#: Lines of the service's page that need systemd, or make a package: tests/package/deb_test.py has those.
OF_THE_MACHINE = ("make package", "sudo ", "journalctl ")


def text_of(page):
    return (HOW_TO / page).read_text()


def commands(page):
    return [line for block in re.findall(r"```sh\n(.*?)```", text_of(page), re.S) for line in block.splitlines() if line]


class Pages(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-how-to-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "leat").mkdir()
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "leat").symlink_to(LEAT)
        self.node = LeatNode(self.folder / "node", LEAT)
        self.addCleanup(self.node.stop)
        self.node.start()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LEAT_")} | {"PATH": f"{tools}:{os.environ['PATH']}"}
        self.shell = readme_test.Shell(self.folder, environment)
        self.addCleanup(self.shell.kill)
        self.say("set -o pipefail")
        #: What stands in pages, and what is typed in its place.
        self.ours = {"127.0.0.1:9092": self.node.address}

    def say(self, line):
        for theirs, mine in getattr(self, "ours", {}).items():
            line = line.replace(theirs, mine)
        code, said = self.shell.say(line, patience=120)
        self.assertEqual(code, 0, f"{line}\n{said}")
        return said

    def leat(self, *words):
        done = subprocess.run([LEAT, *words, "-b", self.node.address], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def stop(self):
        self.node.stop()

    def start(self):
        if self.node.process is None:
            self.node.start()

    def type_page(self, lines, before):
        """What each line printed, by the line. `before` has, by how a line begins, what happens before it."""
        said = {}
        for line in lines:
            for begin in [begin for begin in before if line.startswith(begin)]:
                before.pop(begin)()
            said[line] = self.say(line)
        self.assertEqual(before, {}, "the page has no such line any more")
        return said

    def assert_said(self, said, begin, *texts):
        """Of the first line that begins so; columns are no matter."""
        line = next((line for line in said if line.startswith(begin)), None)
        self.assertIsNotNone(line, f"the page has no line '{begin}' any more")
        for text in texts:
            self.assertIn(text, re.sub(" +", " ", said[line]), line)


class CommandLine(Pages):
    def leave_member(self):
        """A static member of billing that is gone before anybody has noticed."""
        settings = self.folder / "member.properties"
        settings.write_text("group.instance.id=billing-1\n")
        member = subprocess.Popen([LEAT, "consume", "flights", "--group", "billing", "--config", settings, "-b", self.node.address],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while json.loads(self.leat("group", "describe", "billing", "--output", "json"))["state"] != "Stable":
                self.assertLess(time.monotonic(), deadline, "billing has no member")
                time.sleep(0.1)
        finally:
            member.kill()
            member.wait(60)

    def open_transaction(self):
        producer = transactions_test.Producer(self.node.address, "billing-1")
        self.addCleanup(producer.client.socket.close)
        producer.init()
        producer.add("flights")

    def test_every_line_does_what_the_page_says(self):
        self.ours["/var/lib/leat"] = str(self.node.data)
        said = self.type_page(commands(COMMAND_LINE), {
            "leat group list": self.leave_member, "leat txn list": self.open_transaction, "leat log check": self.stop,
            "leat cluster status": self.start})
        self.assert_said(said, "leat consume flights --from", " ber: landed\n", " sfo: taxiing\n")
        self.assert_said(said, "leat group describe", "flights")
        self.assert_said(said, "leat group list", "billing")
        self.assert_said(said, "leat txn list", "billing-1", "Ongoing")
        self.assert_said(said, "leat config list client-metrics", "slow")
        self.assert_said(said, "leat config describe broker-logger", "root")
        self.assert_said(said, "leat cluster features", "transaction.version")
        self.assert_said(said, "leat log dump", "flights-0", "flights-copy-0")
        self.assert_said(said, "leat cluster status", re.search(r"prints `([^`]+)`", text_of(COMMAND_LINE)).group(1))
        self.assertIn("leat", self.say("complete -p leat"))
        copy = self.leat("consume", "flights-copy", "--from", "beginning", "--until-end", "--format", r"%k: %v\n")
        self.assertEqual(sorted(copy.splitlines()), ["ber: landed", "sfo: taxiing"])
        self.assertEqual(json.loads(self.leat("group", "describe", "billing", "--output", "json"))["members"], [])


class Measure(Pages):
    def test_every_line_does_what_the_page_says(self):
        self.ours |= {"--records 1000000": "--records 20000", "--seconds 30": "--seconds 2"}
        for figure in ("--records 1000000", "--seconds 30"):
            self.assertIn(figure, text_of(MEASURE))
        # The broker is that of everybody who has one running.
        self.say(f"export LEAT_BOOTSTRAP={self.node.address}")
        said = self.type_page(commands(MEASURE), {})
        self.assert_said(said, "leat bench latency", "p99")
        line, proof = re.search(r"when `(leat [^`]+)` prints `([^`]+)`", text_of(MEASURE)).groups()
        self.assertIn(proof, self.say(line))


class Service(Pages):
    def back_up(self):
        self.stop()
        shutil.copytree(self.node.data, self.folder / "backup")
        self.start()

    def test_lines_for_leat_and_curl_do_what_the_page_says(self):
        lines = commands(SERVICE)
        ours = [line for line in lines if line.startswith(("leat ", "curl "))]
        self.assertEqual([line for line in lines if line not in ours and not line.startswith(OF_THE_MACHINE)], [])
        self.leat("topic", "create", "kept")
        self.back_up()
        self.ours |= {"127.0.0.1:8080": re.findall(r"127\.0\.0\.1:\d+", self.node.ready_line)[1], "/backup/leat": str(self.folder / "backup")}
        self.say(f"export LEAT_BOOTSTRAP={self.node.address}")
        said = self.type_page(ours, {})
        ready, healthy = re.search(r"prints `([^`]+)` and `([^`]+)`", text_of(SERVICE)).groups()
        self.assert_said(said, "curl", f"{ready}\n")
        self.assert_said(said, "leat cluster status", healthy)

    def test_what_it_says_to_watch_is_there(self):
        text = text_of(SERVICE)
        http = re.findall(r"127\.0\.0\.1:\d+", self.node.ready_line)[1]
        told = {path: self.say(f"curl -s --fail http://{http}{path}") for path in re.findall(r"\| `(/\w+)` \|", text)}
        self.assertEqual(told.keys(), {"/readyz", "/healthz", "/metrics"})
        names = set(re.findall(r"`(leat_\w+)`", text))
        self.assertGreater(len(names), 4)
        for name in names:
            self.assertRegex(told["/metrics"], rf"(?m)^{name}[ {{]")


if __name__ == "__main__":
    LEAT = transactions_test.LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
