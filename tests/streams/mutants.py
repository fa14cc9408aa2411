# SPDX-License-Identifier: Apache-2.0
"""Mistakes put into a copy of the sources: the committed cases must find each.

    mutants.py [--build build/dev] [--report FILE] [NAME]...

A mutant is a piece of a header or source and what takes its place. MUTANT there is whether the mistake is made: one program holds all of
them, and an environment variable says which one it makes, so that everything is compiled once. A piece that is no longer there is an
error, so that the list follows the code. Compiled are the sources that read the pieces' files, as the build compiles them, with the copy's
folders in front of the tree's; all else, and how it is linked, is the build's. The program without a mistake comes first and must answer
every case rightly. A mutant is found by answers that are wrong: a program that only crashes proves nothing about the cases.
With --report what came out is the section of that name in the page of docs/proof that differential.py writes.
"""
import argparse
import collections
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import differential
import engines

TREE = pathlib.Path(__file__).resolve().parents[2]
TARGET = "streams_case_runner"
FOLDERS = ("streams_case_runner.dir", "leat_streams.dir")
LIBRARY = "src/streams/libleat_streams.a"
NODES = "include/leat/streams/detail/"
# Name: (file, what stands there, what takes its place).
MUTANTS = {
    "window end inclusive": ("include/leat/streams/windows.h", "timestamp - size.count() + step;",
                             "timestamp - size.count() + step - (MUTANT ? 1 : 0);"),
    "grace ignored": (NODES + "window_nodes.h", "this->stream_time_ - windows_.grace_period.count();",
                      "this->stream_time_ - (MUTANT ? 0 : windows_.grace_period.count());"),
    "old value not sent": (NODES + "table_node.h", "if (!old_values_) out.before = nullptr;", "if (!old_values_ || MUTANT) out.before = nullptr;"),
    "merge order swapped": (NODES + "session_nodes.h", "aggregation_.merge(key, std::move(merged.value), one.value);",
                            "MUTANT ? aggregation_.merge(key, one.value, std::move(merged.value))"
                            " : aggregation_.merge(key, std::move(merged.value), one.value);"),
    "children in wrong order": (NODES + "node.h", "for (Node* child : children_) {",
                                "auto order = children_;\n        if (MUTANT) std::ranges::reverse(order);\n        for (Node* child : order) {"),
    "repartition skipped": (NODES + "grouping.h", "if (in.at.repartition) {", "if (in.at.repartition && !MUTANT) {"),
    "foreign key's hash ignored": (NODES + "foreign_key_nodes.h", "if (hash != answer.hash) {", "if (hash != answer.hash && !MUTANT) {"),
    "punctuation lost": ("src/streams/punctuation.cc", "if (*entry.cancelled) continue;",
                         "if (*entry.cancelled || (MUTANT && now % 3 == 0)) continue;"),
    "as-of time ignored": (NODES + "stream_table_join.h", "LEAT_TRY(other, table_->versioned() ?", "LEAT_TRY(other, table_->versioned() && !MUTANT ?"),
    "dead letters dropped": ("src/streams/error_judge.cc", "if (Result<void> sent = send(letter); !sent)",
                             "if (Result<void> sent = MUTANT ? Result<void>{} : send(letter); !sent)"),
    "held back in another's name": (NODES + "suppress_node.h", "held_back{task(), origin_of(kept, source)};",
                                    "held_back{task(), MUTANT ? task().origin() : origin_of(kept, source)};"),
    "partitioner not asked": (NODES + "edge_nodes.h", "if (!use_.partitioner) return write(out, flow);",
                              "if (!use_.partitioner || MUTANT) return write(out, flow);"),
    "global store written by all": ("src/streams/node.cc", "return std::ranges::find(given_, &store) == given_.end();",
                                    "return MUTANT || std::ranges::find(given_, &store) == given_.end();"),
    "label of print not the node's": (NODES + "kstream_edges.h", "if (used.label.empty()) used.label = at_.node->name;",
                                      'if (used.label.empty()) used.label = MUTANT ? "KSTREAM" : at_.node->name;'),
    "source of a cached row lost": ("src/streams/state/record_cache.cc", "update.has_source = bytes != nullptr;",
                                    "update.has_source = bytes != nullptr && !MUTANT;"),
    "cached row written where it was first": ("src/streams/state/record_cache.cc", "if (held.is_dirty())\n", "if (held.is_dirty() && MUTANT) return;\n    if (held.is_dirty())\n"),
    "key kept from a joiner": (NODES + "join_call.h", "return ask(f, key, l, r);", "return ask(f, MUTANT ? static_cast<const K*>(nullptr) : key, l, r);"),
    "null keys stopped": ("src/streams/rewrite.cc", "if (parent->takes_null_keys) *parent", "if (parent->takes_null_keys && !MUTANT) *parent"),
}
VARIABLE = "LEAT_STREAMS_MUTANT"
# In front of every source of the copy.
SWITCH = f"""#include <algorithm>
#include <cstdlib>
#include <string_view>
inline bool leat_makes_mistake(std::string_view name) {{
    static const char* chosen = std::getenv("{VARIABLE}");
    return chosen != nullptr && name == chosen;
}}
"""


class Build:
    """What the build knows: how each object is made and of what, and how the runner is linked."""

    def __init__(self, folder):
        self.folder = folder.resolve()
        subprocess.run(["ninja", "-C", str(self.folder), TARGET], check=True, stdout=subprocess.DEVNULL)
        self.link = shlex.split(self.ninja("commands", TARGET).splitlines()[-1].split("&&")[1])
        self.compile = {}  # object -> (words, source)
        for entry in json.loads((self.folder / "compile_commands.json").read_text()):
            words = shlex.split(entry["command"])
            out = words[words.index("-o") + 1]
            if any(f"/{name}/" in out for name in FOLDERS):
                self.compile[out] = words, pathlib.Path(entry["file"])
        self.reads = collections.defaultdict(set)  # file of the tree -> objects
        for out in self.compile:
            head, *files = self.ninja("deps", out).splitlines()
            if "(VALID)" not in head:
                raise SystemExit(f"mutants: {head}")
            for file in filter(None, (line.strip() for line in files)):
                path = (self.folder / file).resolve()
                if path.is_relative_to(TREE):
                    self.reads[str(path.relative_to(TREE))].add(out)

    def ninja(self, tool, target):
        return subprocess.run(["ninja", "-C", str(self.folder), "-t", tool, target], check=True, capture_output=True, text=True).stdout

    def make(self, objects, copy, place):
        """The runner with these objects made from the copy."""
        made = {out: str(place / f"{number}.o") for number, out in enumerate(sorted(objects))}
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda out: self.compile_one(out, copy, made[out]), made))
        binary = place / "runner"
        # The library's objects stand in its place, so that no mistake is left out for an object of the build.
        whole = [out for out in self.compile if "/leat_streams.dir/" in out]
        at = self.link.index(LIBRARY)
        words = self.link[:at] + whole + self.link[at + 1:]
        words[words.index("-o") + 1] = str(binary)
        subprocess.run([made.get(word, word) for word in words], cwd=self.folder, check=True)
        return binary

    def compile_one(self, out, copy, to):
        words, source = self.compile[out]
        words = [word.replace(f"-I{TREE}/", f"-I{copy}/", 1) if word in (f"-I{TREE}/include", f"-I{TREE}/src") else word for word in words]
        words[words.index(str(source))] = str(copy / source.relative_to(TREE))
        words = [word for word in words if word != "-Werror"]
        at = words.index("-o")
        words[at + 1] = to
        # What is not copied lies in the tree: it comes behind the copy.
        words[at:at] = [f"-I{TREE}/src", "-include", str(copy / "switch.h")]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"mutants: {source.name}: {done.stderr[-800:]}")


def mutate(copy, file, before, after):
    text = (copy / file).read_text()
    if text.count(before) != 1:
        raise SystemExit(f"mutants: {file} has {text.count(before)} times: {before}")
    (copy / file).write_text(text.replace(before, after))


def make_all(build, folder, names):
    """The program that can make each of these mistakes."""
    copy = folder / "tree"
    for part in ("include", "src/streams", "tests/streams/runner"):
        shutil.copytree(TREE / part, copy / part)
    (copy / "switch.h").write_text(SWITCH)
    objects = set()
    for name in names:
        file, before, after = MUTANTS[name]
        if not build.reads[file]:
            raise SystemExit(f"mutants: nothing reads {file}")
        objects |= build.reads[file]
        mutate(copy, file, before, after.replace("MUTANT", f'leat_makes_mistake("{name}")'))
    return build.make(objects, copy, folder)


def answers(binary, rows, mistake):
    """(cases answered wrongly, crashes) of the program when it makes a mistake, or none."""
    os.environ[VARIABLE] = mistake
    with engines.Engines(binary) as both:
        outcomes = both.run_leat([case for case, _ in rows])
    crashes = sum("crash" in leat for leat in outcomes)
    wrong = sum("crash" not in leat and bool(engines.differences(java, leat)) for (_, java), leat in zip(rows, outcomes))
    return wrong, crashes


def section(rows, total):
    """The part of the page; rows: (name, cases answered wrongly, crashes)."""
    lines = "\n".join(f"| {name} | `{MUTANTS[name][0]}` | {wrong} | {crashes} |" for name, wrong, crashes in rows)
    missed = sum(not wrong for _, wrong, _ in rows)
    return f"""{differential.MUTANTS_HEADING}
Written by `tests/streams/mutants.py --report` at commit {differential.commit()}: mistakes put into a copy of the engine, each alone, and how
many of the {total} committed cases are then answered wrongly. Without a mistake none is. **Mutants {len(rows)}, not caught {missed}.**

| mistake | in | cases answered wrongly | crashes |
|---|---|---:|---:|
{lines}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(TREE / "build/dev"))
    parser.add_argument("--report", metavar="FILE", help="the page of docs/proof that tells of them")
    parser.add_argument("names", nargs="*", help="all unless some are named")
    options = parser.parse_args()
    if options.report and options.names:
        parser.error("--report tells of all mutants: not together with names")
    names = options.names or list(MUTANTS)
    build, rows, found = Build(pathlib.Path(options.build)), list(differential.read_fixed()), []

    def say(name, wrong, crashes):
        print(f"{name:24} {wrong:5} of {len(rows)} cases differ, {crashes} crashes", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        binary = make_all(build, pathlib.Path(folder), names)
        control = answers(binary, rows, "")
        say("no mistake", *control)
        if control != (0, 0) or not rows:
            print("the copy without a mistake does not answer rightly: nothing is shown")
            return 1
        for name in names:
            wrong, crashes = answers(binary, rows, name)
            say(name, wrong, crashes)
            found.append((name, wrong, crashes))
    if options.report:
        page = pathlib.Path(options.report)
        page.write_text(page.read_text().partition(differential.MUTANTS_HEADING)[0].rstrip("\n") + "\n\n" + section(found, len(rows)))
    missed = [name for name, wrong, _ in found if not wrong]
    if missed:
        print("not caught: " + ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
