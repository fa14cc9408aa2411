#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs docs/how-to/process-a-stream.md and query-a-stream.md in an empty folder, and the programs of docs/explanation/streams-*.md,
handle-errors.md and write-a-processor.md.

usage: how_to_test.py LEAT BUILD

BUILD is a build folder whose target leat_sdk is there. What a program prints must be the text block that follows it.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "interop"))
from kafka_node import LeatNode  # noqa: E402

LEAT = BUILD = ""
HOW_TO = ROOT / "docs" / "how-to" / "process-a-stream.md"
LOOKUP = ROOT / "docs" / "how-to" / "query-a-stream.md"
ERRORS = ROOT / "docs" / "how-to" / "handle-errors.md"
PROCESSOR = ROOT / "docs" / "how-to" / "write-a-processor.md"
SERDES = ROOT / "docs" / "how-to" / "choose-a-serde.md"
FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]

# The name of a file, in the paragraph before its block.
FILE = r"`(\w+\.(?:h|cc|txt))`(?:[^\n]|\n(?!\n))*?:\n\n```(?:cpp|cmake)\n(.*?)```"

RESULTS = r"leat consume spending --from beginning --until-end --isolation read_committed --format '%k %v\n'"
SPENT = {"ann": 1251, "bob": 6, "cid": 42, "dan": 63}
WAIT = f"""until {RESULTS} | awk '{{v[$1] = $2}} END {{for (k in v) sum += v[k]; exit sum < {sum(SPENT.values())}}}'; do sleep 0.3; done
echo RESULTS
{RESULTS}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.S)


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="leat-how-to-"))
        cls.prefix = cls.place / "prefix"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix, "--component", "dev"], check=True, stdout=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        if "LEAT_KEEP" not in os.environ:
            shutil.rmtree(cls.place)

    def run_in(self, folder, *command, **environment):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL,
                              env={**os.environ, "CXX": "g++-12", **environment})
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def project(self):
        """The how-to's files; each is named in the line before its block."""
        folder = self.place / "project"
        folder.mkdir()
        for name, text in re.findall(FILE, HOW_TO.read_text(), re.S):
            (folder / name).write_text(text)
        self.assertEqual({path.name for path in folder.iterdir()}, {"spending.h", "spending.cc", "spending_test.cc", "CMakeLists.txt"})
        return folder

    def test_the_how_to_does_what_it_says(self):
        folder = self.project()
        tools = self.place / "tools"
        tools.mkdir()
        (tools / "leat").symlink_to(LEAT)
        node = LeatNode(self.place / "leat", LEAT, settings={"group.min.session.timeout.ms": "1000"})
        node.start()
        try:
            # The page's commands, but for the broker's address. Before the end it waits until all is counted.
            script = "set -e\ntrap 'kill -9 $(jobs -p) 2>/dev/null || true' EXIT\n" + "".join(blocks(HOW_TO, "sh")).replace(
                "localhost:9092", node.address).replace(" &\n", " 2>>log &\n").replace("kill %2\n", WAIT + "kill %2\n")
            out = self.run_in(folder, "bash", "-c", script, CMAKE_PREFIX_PATH=str(self.prefix), LEAT_BOOTSTRAP=node.address,
                              PATH=f"{tools}:{os.environ['PATH']}")
        finally:
            node.stop()
        self.assertIn(blocks(HOW_TO, "text")[0], out)
        spent = collections.Counter()
        last = dict(re.findall(r"^(\w+@\d+) (\d+)$", out.split("RESULTS")[1], re.M))
        for key, cents in last.items():
            spent[key.split("@")[0]] += int(cents)
        self.assertEqual(spent, SPENT)

    def test_two_instances_answer_for_each_other(self):
        self.compile("lookup", blocks(LOOKUP, "cpp")[0])
        ports = [free_port(), free_port()]
        node = LeatNode(self.place / "lookup-leat", LEAT)
        node.start()
        apps = []
        try:
            environment = {**os.environ, "LEAT_BOOTSTRAP": node.address}
            # The page's commands, but for addresses; the programs are ours to end.
            page = blocks(LOOKUP, "sh")[0].replace("localhost:9092", node.address)
            for port, mine in zip((7071, 7072), ports):
                page = page.replace(str(port), str(mine))
            for line in page.splitlines():
                if line.startswith("leat ") or "| leat " in line:
                    subprocess.run(["bash", "-c", line.replace("leat ", f"{LEAT} ")], check=True, env=environment, capture_output=True)
                elif line.startswith("./lookup"):
                    apps.append(subprocess.Popen(line.removesuffix(" &").split(), cwd=self.place, stderr=subprocess.DEVNULL))
            answers = {url: self.answer(url) for url in re.findall(r"curl '([^']+)'", page)}
        finally:
            for app in apps:
                app.terminate()
            codes = [app.wait(60) for app in apps]
            node.stop()
        self.assertEqual(codes, [0, 0])
        one, two = (answers[f"http://127.0.0.1:{port}/stores/counts/key?key=hello"] for port in ports)
        self.assertEqual(one, two)
        self.assertEqual(json.loads(one)["value"], 2)

    def answer(self, url):
        """Once it is there and both words are counted."""
        deadline = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(url, timeout=30) as got:
                    text = got.read().decode()
                if "key=hello" not in url or json.loads(text)["value"] == 2:
                    return text
            except (urllib.error.URLError, ConnectionError) as why:
                text = str(why)
            self.assertLess(time.monotonic(), deadline, f"{url}: {text}")
            time.sleep(0.2)

    def test_programs_print_what_their_page_says(self):
        explained = [page for page in sorted((ROOT / "docs" / "explanation").glob("streams-*.md")) if "```cpp" in page.read_text()]
        self.assertTrue(explained)
        for page in [*explained, ERRORS, PROCESSOR]:
            for number, (program, expected) in enumerate(re.findall(r"```cpp\n(.*?)```.*?```text\n(.*?)```", page.read_text(), re.S)):
                with self.subTest(page.name, number=number):
                    self.assertEqual(self.output_of(f"{page.stem}-{number}", program), expected)

    def test_a_described_struct_is_written_as_json(self):
        program = blocks(SERDES, "cpp")[0] + """
#include <iostream>
int main() {
    std::string text;
    const auto serde = leat::streams::json<Order>();
    const auto done = serde->encode("orders", {"ann", 5, {}}, text);
    const auto back = serde->decode("orders", text);
    std::cout << text << (done && back && back->cents == 5 ? " ok" : " wrong");
}
"""
        self.assertEqual(self.output_of("serde", program), '{"customer":"ann","cents":5,"note":null} ok')

    def output_of(self, name, program):
        self.compile(name, program)
        return self.run_in(self.place, f"./{name}")

    def compile(self, name, program):
        libraries = subprocess.run(["pkg-config", "--cflags", "--libs", "leat-streams"], capture_output=True, text=True, check=True, env={
            **os.environ, "PKG_CONFIG_PATH": str(next(self.prefix.glob("lib/**/pkgconfig")))}).stdout.split()
        (self.place / f"{name}.cc").write_text(program)
        self.run_in(self.place, "g++-12", *FLAGS, f"{name}.cc", "-o", name, *libraries)


if __name__ == "__main__":
    BUILD = sys.argv.pop(2)
    LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
