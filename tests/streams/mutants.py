# SPDX-License-Identifier: Apache-2.0
"""Mistakes put into a copy of the sources, one at a time: the committed cases must find each.

    mutants.py [--build build/dev] [NAME]...

A mutant is a piece of a header or source and what takes its place. A piece that is no longer there is an error, so that the list follows
the code. The sources are compiled as the build's compile commands say, with the copy's folders in front of the tree's.
"""
import argparse
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import differential
import engines

TREE = pathlib.Path(__file__).resolve().parents[2]
NODES = "include/leat/streams/detail/"
# Name: (file, what stands there, what takes its place).
MUTANTS = {
    "window end inclusive": ("include/leat/streams/windows.h", "timestamp - size.count() + step;", "timestamp - size.count() + step - 1;"),
    "grace ignored": (NODES + "window_nodes.h", "this->stream_time_ - windows_.grace_period.count();", "this->stream_time_;"),
    "old value not sent": (NODES + "table_node.h", "if (!old_values_) out.before = nullptr;", "out.before = nullptr;"),
    "merge order swapped": (NODES + "session_nodes.h", "merge(key, std::move(merged.value), one.value);",
                            "merge(key, one.value, std::move(merged.value));"),
    "children in wrong order": (NODES + "node.h", "for (Node* child : children_) {",
                                "for (std::size_t i = children_.size(); i-- > 0;) {\n            Node* child = children_[i];"),
    "repartition skipped": (NODES + "grouping.h", "if (in.at.repartition)", "if (false && in.at.repartition)"),
}


def commands(build):
    """(argv without output, source) of the sources of the runner and of the streams library."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if "streams_case_runner.dir" in entry["command"] or "leat_streams.dir" in entry["command"]:
            words = shlex.split(entry["command"])
            yield words, pathlib.Path(entry["file"]), entry["directory"]


def mutate(copy, file, before, after):
    text = (copy / file).read_text()
    if text.count(before) != 1:
        raise SystemExit(f"mutants: {file} has {text.count(before)} times: {before}")
    (copy / file).write_text(text.replace(before, after))


def compile_one(words, source, directory, copy, out):
    words = [word.replace(str(TREE / "include"), str(copy / "include")).replace(f"-I{TREE}/src", f"-I{copy}/src") for word in words]
    at = words.index("-o")
    words[at + 1] = str(out)
    words[words.index(str(source))] = str(copy / source.relative_to(TREE))
    for option in ("-MT", "-MF"):
        if option in words:
            del words[words.index(option):words.index(option) + 2]
    words = [word for word in words if word not in ("-MD", "-Werror")]
    # What is not mutated lies in the tree: it comes behind the copy.
    words.insert(at, f"-I{TREE}/src")
    return subprocess.run(words, cwd=directory, capture_output=True, text=True)


def build_mutant(build, name, folder):
    copy = pathlib.Path(folder, "tree")
    for part in ("include", "src/streams", "tests/streams/runner"):
        shutil.copytree(TREE / part, copy / part)
    mutate(copy, *MUTANTS[name])
    objects = []
    for number, (words, source, directory) in enumerate(commands(build)):
        out = pathlib.Path(folder, f"{number}.o")
        done = compile_one(words, source, directory, copy, out)
        if done.returncode != 0:
            raise SystemExit(f"mutants: {name}: {done.stderr[-800:]}")
        objects.append(str(out))
    binary = pathlib.Path(folder, "runner")
    libraries = [str(build / "src/base/libleat_base.a"), "-lboost_json", "-lboost_container", "-lre2"]
    subprocess.run(["clang++-19", *objects, *libraries, "-o", str(binary)], check=True)
    return binary


def caught(build, name, rows):
    """How many committed cases the mutant gets wrong."""
    with tempfile.TemporaryDirectory() as folder:
        with engines.Engines(build_mutant(build, name, folder)) as both:
            outcomes = both.run_leat([case for case, _ in rows])
        return sum(bool(engines.differences(java, leat)) for (_, java), leat in zip(rows, outcomes))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(TREE / "build/dev"))
    parser.add_argument("names", nargs="*", help="all unless some are named")
    options = parser.parse_args()
    rows, missed = list(differential.read_fixed()), []
    for name in options.names or MUTANTS:
        found = caught(pathlib.Path(options.build), name, rows)
        print(f"{name:24} {found:5} of {len(rows)} cases differ", flush=True)
        if not found:
            missed.append(name)
    if missed:
        print("not caught: " + ", ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
