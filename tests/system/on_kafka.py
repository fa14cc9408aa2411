#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our clients and streams on a real Apache Kafka: the system tests that take --kafka, which `make test` runs on Leat.

usage: on_kafka.py BUILD [--kafka VERSION] [--only REGEX] [--log FOLDER]

BUILD is a configured folder whose programs for these tests are built; ctest knows there which they are. What each printed goes to FOLDER.
A test of which all is skipped fails: it showed nothing. What is skipped is printed and counted.
Exit codes: 0 all passed, 1 some failed, 3 Apache Kafka cannot be had here.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "interop"))
import kafka_node  # noqa: E402

#: Beside what a test may take on Leat: Kafka starts in seconds, not in tens of milliseconds, and has shorter breath on a busy machine.
TIMES_SLOWER = 4


def commands(build):
    """name -> (command, seconds) of the tests that run on either broker."""
    listed = json.loads(subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True, capture_output=True, text=True).stdout)
    found = {}
    for test in listed["tests"]:
        script = next((word for word in test.get("command", ()) if word.endswith(".py")), "")
        if pathlib.Path(script).parent == ROOT / "tests" / "system" and "[--kafka VERSION]" in pathlib.Path(script).read_text():
            seconds = next((one["value"] for one in test["properties"] if one["name"] == "TIMEOUT"), 300)
            found[test["name"]] = (test["command"], seconds)
    return found


def run(command, seconds, log):
    """How it ended, and what it skipped; what it printed goes to the log."""
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=ROOT,
                                                start_new_session=True) as test:
        try:
            code = test.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(test.pid, signal.SIGKILL)  # What it started goes too: brokers and applications.
            return f"not over after {seconds:.0f} s", []
    return judge(code, log.read_text(errors="replace"))


def judge(code, text):
    """The same of what unittest printed."""
    names = re.findall(r"^(\S+) .*\.\.\. skipped (.*)$", text, re.M)
    if code:
        return f"ended with {code}\n" + "\n".join(text.splitlines()[-25:]), names
    # unittest calls a run without a test a good one, and one that skips them all.
    count = re.search(r"^Ran (\d+) tests? in", text, re.M)
    if count is None or count.group(1) == "0":
        return "ran no test", names
    told = re.search(r"^OK \(.*skipped=(\d+)", text, re.M)
    skipped = int(told.group(1)) if told else 0
    names += [("?", "not told why")] * (skipped - len(names))
    if skipped >= int(count.group(1)):
        return f"skipped all of its {skipped} tests", names
    return f"ok, {int(count.group(1)) - skipped} tests" + (f", {skipped} skipped" if skipped else ""), names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--kafka", default=kafka_node.VERSIONS[0], metavar="VERSION")
    parser.add_argument("--only", default="", metavar="REGEX", help="tests in whose name it is found")
    parser.add_argument("--log", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    try:
        kafka_node.jars(options.kafka)
    except kafka_node.Unavailable as why:
        print(f"on_kafka: {why}", file=sys.stderr)
        return 3
    chosen = {name: how for name, how in commands(options.build).items() if re.search(options.only, name)}
    if not chosen:
        parser.error(f"no test of {options.build} that takes --kafka fits '{options.only}'")
    folder = options.log or pathlib.Path(tempfile.mkdtemp(prefix="leat-on-kafka-"))
    folder.mkdir(parents=True, exist_ok=True)
    failed = skipped = 0
    for name, (command, seconds) in chosen.items():
        begun = time.monotonic()
        how, left_out = run([*command, "--kafka", options.kafka], TIMES_SLOWER * seconds, folder / f"{name}.log")
        failed += not how.startswith("ok")
        skipped += len(left_out)
        print(f"on Kafka {options.kafka}: {name}: {how} ({time.monotonic() - begun:.0f} s)", flush=True)
        for test, why in left_out:
            print(f"  skipped {test}: {why}", flush=True)
    print(f"on Kafka {options.kafka}: {len(chosen) - failed} passed, {failed} failed, {skipped} tests in them skipped; {folder}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
