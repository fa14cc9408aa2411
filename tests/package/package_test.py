#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The installed streams library: a project outside the tree builds the README's program and runs it.

usage: package_test.py LEAT BUILD [--kafka VERSION] [TEST...]

BUILD is a build folder whose target leat_sdk is there. The broker is `leat serve`, or a real Apache Kafka.
"""
import argparse
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "interop"))
from kafka_node import KafkaNode, LeatNode  # noqa: E402

OPTIONS = None
COMPILERS = ("g++-12", "clang++-19")
STRICT = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
PATIENCE_SECONDS = 90
LINES = "hello world\nhello again\n"

# Boost.JSON as Boost says to use it without its library, beside a serde that parses JSON.
OWN_JSON = """
#include <boost/json/src.hpp>
#include <cstdio>
#include "leat/streams/json.h"

struct Order {
    int count = 0;
};
template <>
struct leat::streams::Members<Order> {
    static constexpr auto list = members_of(member("count", &Order::count));
};

int main() {
    const auto order = leat::streams::serde_for<Order>()->decode("orders", R"({"count": 2})");
    if (!order) return 1;
    std::printf("%s %d\\n", boost::json::serialize(boost::json::parse("[1]")).c_str(), order->count);
}
"""


def block(language):
    """The README's block of that language in its section on streams."""
    section = re.search(r"^## Streams in C\+\+\n(.*?)^## ", (ROOT / "README.md").read_text(), re.S | re.M).group(1)
    return re.search(rf"```{language}\n(.*?)```", section, re.S).group(1)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="leat-package-"))
        cls.prefix = cls.place / "prefix"
        subprocess.run(["cmake", "--install", OPTIONS.build, "--prefix", cls.prefix, "--component", "dev"], check=True,
                       stdout=subprocess.DEVNULL)
        # The tree may be moved: nothing in it knows where it was installed.
        cls.prefix = cls.prefix.rename(cls.place / "moved")
        cls.include = cls.prefix / "include"

    @classmethod
    def tearDownClass(cls):
        if "LEAT_KEEP" not in os.environ:
            shutil.rmtree(cls.place)

    def run_in(self, folder, *command, **environment):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL,
                              env={**os.environ, "CXX": COMPILERS[0], **environment})
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def project(self, name):
        folder = self.place / name
        folder.mkdir()
        (folder / "hello.cc").write_text(block("cpp"))
        (folder / "CMakeLists.txt").write_text(block("cmake"))
        shutil.copy(HERE / "Makefile", folder)
        return folder

    def test_the_program_of_the_readme_has_at_most_30_lines(self):
        self.assertLessEqual(len(block("cpp").splitlines()), 30)

    def test_the_program_of_the_readme_names_the_operator_that_is_wrong(self):
        folder = self.project("wrong")
        (folder / "hello.cc").write_text(block("cpp").replace('"counts"', '"no name"'))
        self.run_in(folder, "make", "hello", "CXX=" + COMPILERS[0], "CXXFLAGS=-O0",
                    PKG_CONFIG_PATH=str(next(self.prefix.glob("lib/**/pkgconfig"))))
        done = subprocess.run([folder / "hello"], cwd=folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("hello: no name", done.stderr)

    def test_headers_include_only_what_is_installed(self):
        headers = [path for path in self.include.rglob("*") if path.is_file()]
        self.assertGreater(len(headers), 50)
        for path in headers:
            text = path.read_text()
            for name in re.findall(r'^\s*#\s*include "([^"]+)"', text, re.M):
                self.assertTrue((self.include / name).is_file(), f"{path} includes {name}")
            for name in re.findall(r"^\s*#\s*include <([^>]+)>", text, re.M):
                self.assertNotIn("/", name, path)  # the standard library has no folders
                self.assertFalse(name.endswith(".h") or name == "coroutine", f"{path} includes {name}")

    def test_headers_compile_as_cpp20_with_both_compilers(self):
        source = self.place / "all.cc"
        headers = sorted(path.relative_to(self.include) for path in self.include.glob("leat/stream*/*.h"))
        source.write_text("".join(f'#include "{path}"\n' for path in headers))
        for compiler in COMPILERS:
            with self.subTest(compiler):
                self.run_in(self.place, compiler, *STRICT, f"-I{self.include}", str(source))

    def test_programs_may_have_boost_json_of_their_own(self):
        source = self.place / "own_json.cc"
        source.write_text(OWN_JSON)
        flags = self.run_in(self.place, "pkg-config", "--cflags", "--libs", "leat-streams",
                            PKG_CONFIG_PATH=str(next(self.prefix.glob("lib/**/pkgconfig")))).split()
        self.run_in(self.place, COMPILERS[0], "-std=c++20", "-O1", str(source), "-o", "own_json", *flags)
        self.assertEqual(self.run_in(self.place, "./own_json"), "[1] 2\n")

    def test_other_versions_and_components_are_not_found(self):
        folder = self.place / "refused"
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text("""
cmake_minimum_required(VERSION 3.25)
project(refused LANGUAGES CXX)
foreach(asked IN ITEMS "0.2" "1.0" "0.1;COMPONENTS;other")
  find_package(leat ${asked} QUIET)
  message(STATUS "${asked}: ${leat_FOUND} ${leat_NOT_FOUND_MESSAGE}")
endforeach()
find_package(leat 0.1 REQUIRED COMPONENTS streams)
""")
        out = self.run_in(folder, "cmake", "-B", "build", CMAKE_PREFIX_PATH=str(self.prefix))
        for line in ("0.2: 0", "1.0: 0", "0.1;COMPONENTS;other: 0 leat has the component 'streams' and no 'other'"):
            self.assertIn(line, out)

    def test_the_readmes_program_counts_with_each_build(self):
        first = self.project("by-cmake")
        settings = {"group.min.session.timeout.ms": "1000"}
        node = (KafkaNode(self.place / "kafka", OPTIONS.kafka, settings=settings) if OPTIONS.kafka
                else LeatNode(self.place / "leat", OPTIONS.leat, settings=settings))
        node.start()
        try:
            self.follow_the_page(first, node, COMPILERS[0])
            self.expect_counts(node, 1)
            second = self.project("by-cmake-and-clang")
            self.run_in(second, "sh", "-c", block("sh").splitlines()[0], CXX=COMPILERS[1], CMAKE_PREFIX_PATH=str(self.prefix))
            self.count_again(second / "build" / "hello", node)
            self.expect_counts(node, 2)
            third = self.project("by-pkg-config")
            self.run_in(third, "make", "hello", "CXX=" + COMPILERS[0], "CXXFLAGS=-O2 -flto",
                        PKG_CONFIG_PATH=str(next(self.prefix.glob("lib/**/pkgconfig"))))
            self.count_again(third / "hello", node)
            self.expect_counts(node, 3)
        finally:
            node.stop()

    def follow_the_page(self, folder, node, compiler):
        """Runs the page's commands as one script. It differs from the page in the broker's address only."""
        tools = self.place / "tools"
        tools.mkdir()
        (tools / "leat").symlink_to(pathlib.Path(OPTIONS.leat).resolve())
        page = block("sh")
        self.assertIn("build/hello &", page)
        script = "set -e\n" + page.replace("build/hello &", f"build/hello {node.address} &") + "wait $!\n"
        out = self.run_in(folder, "bash", "-c", script, CXX=compiler, CMAKE_PREFIX_PATH=str(self.prefix),
                          LEAT_BOOTSTRAP=node.address, PATH=f"{tools}:{os.environ['PATH']}")
        # How many counts of one word are told before the next commit is the record cache's choice.
        self.assertLessEqual({"world: 1"}, set(re.findall(r"^\w+: \d+$", out, re.M)), out)

    def count_again(self, program, node):
        log = open(self.place / "hello.log", "ab")
        with log, subprocess.Popen([program, node.address], cwd=program.parent, stdin=subprocess.DEVNULL, stderr=log) as app:
            try:
                before = self.counts(node)
                subprocess.run([OPTIONS.leat, "produce", "lines", "-b", node.address], input=LINES, text=True, check=True,
                               capture_output=True)
                self.wait_for_change(node, before)
            finally:
                app.terminate()
                self.assertEqual(app.wait(60), 0)

    def counts(self, node):
        out = subprocess.run([OPTIONS.leat, "consume", "word-counts", "--from", "beginning", "--until-end", "--format", r"%k %v\n", "-b",
                              node.address], capture_output=True, text=True, check=True).stdout
        return collections.Counter({word: int(n) for word, n in (line.split() for line in out.splitlines())})

    def wait_for_change(self, node, before):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(self.counts(node)[word] == before[word] for word in ("hello", "world", "again")):
            self.assertLess(time.monotonic(), deadline, "nothing was counted")
            time.sleep(0.2)

    def expect_counts(self, node, times):
        # The program has committed and ended: what it counted is there.
        self.assertEqual(self.counts(node), {"hello": 2 * times, "world": times, "again": times})


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    parser.add_argument("leat")
    parser.add_argument("build")
    parser.add_argument("--kafka", default="")
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
