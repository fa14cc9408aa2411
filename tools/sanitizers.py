#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All tests under address and undefined-behaviour sanitizers, and under the thread sanitizer.

Runs what is built (`make sanitizers` builds it) kind by kind and keeps the outcome of each in build/PRESET/sanitized-KIND.json, so that a long run may be
made in pieces: --report writes the page of all pieces that are there, and names those that are not, or are of another commit.
What a sanitizer finds in any process, also in one that a test kills later, ends that process and leaves a file: each is told, whatever its test made of it.
Exit codes: 0 all passed, 1 a test failed or was skipped, or something was found, 2 nothing ran.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import machine  # noqa: E402

PRESETS = {"asan": "address and undefined behaviour", "tsan": "threads"}
KINDS = ("unit", "sim", "system")
#: What each preset must find, or it would find nothing: programs with a mistake.
MISTAKES = {
    "asan": {"memory": "int main() { int* p = new int{1}; delete p; return *p; }",
             "behaviour": "int main(int count, char**) { int most = 2147483647; most += count; return most == 0; }",
             "leak": "int* volatile kept; int main() { kept = new int{1}; kept = nullptr; }"},
    "tsan": {"threads": "#include <thread>\nint shared; int main() { std::thread a{[] { shared = 1; }}, b{[] { shared = 2; }}; a.join(); b.join(); }"},
}
#: Of one test; sanitizers slow programs down by two to fifteen times.
SECONDS_MAX = 1800


def outcomes(junit):
    """By name of test: passed, failed or skipped."""
    out = {}
    for case in xml.parse(junit).getroot().iter("testcase"):
        status = case.get("status")
        skipped = case.find("skipped") is not None or status in ("notrun", "disabled")
        out[case.get("name")] = "failed" if status == "fail" else "skipped" if skipped else "passed"
    return out


def environment(folder):
    """Of all processes: the first finding ends one, with an error, and is written to a file there."""
    common = f"halt_on_error=1:log_path={folder}/finding"
    # In front: what a test sets for itself wins.
    return os.environ | {name: f"{common}:{os.environ.get(name, '')}".rstrip(":") for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")}


def findings(folder):
    """Of each file of a finding there: what it is about."""
    out = []
    for file in sorted(folder.glob("finding.*")):
        text = file.read_text(errors="replace")
        told = re.search(r"^SUMMARY: (.*)$", text, re.MULTILINE) or re.search(r"(?:ERROR|WARNING|runtime error): (.*)$", text, re.MULTILINE)
        out.append(told[1] if told else f"{file.name}: {text[:200]!r}")
    return out


def unfound(preset, build):
    """Of the mistakes that the preset must find, those that it did not."""
    cache = (build / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.MULTILINE)[1]
    kinds = re.search(r"^LEAT_SANITIZE:\w+=(.*)$", cache, re.MULTILINE)[1]
    out = []
    for name, text in MISTAKES[preset].items():
        folder = fresh(build / "mistake")
        (folder / "mistake.cc").write_text(text + "\n")
        subprocess.run([compiler, "-std=c++20", "-O1", "-g", "-w", f"-fsanitize={kinds}", "-fno-sanitize-recover=all", str(folder / "mistake.cc"), "-o",
                        str(folder / "mistake")], check=True)
        ended = subprocess.run([folder / "mistake"], env=environment(folder), check=False).returncode
        if ended == 0 or len(findings(folder)) != 1:
            out.append(name)
    return out


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run(preset, kind, options):
    build = ROOT / "build" / preset
    if missed := unfound(preset, build):
        print(f"sanitizers: {preset} finds nothing in programs with a mistake of: {', '.join(missed)}", file=sys.stderr)
        return None
    found = fresh(build / f"findings-{kind}")
    junit, log = build / f"sanitized-{kind}.xml", build / f"sanitized-{kind}.log"
    junit.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", str(build), "-L", f"^{kind}$", "-j", str(options.jobs), "--timeout", str(SECONDS_MAX), "--output-on-failure",
               "--no-tests=error", "--output-junit", str(junit)] + (["-R", options.tests] if options.tests else [])
    begun = time.time()
    with open(log, "w", encoding="utf-8") as to:
        subprocess.run(command, stdout=to, stderr=subprocess.STDOUT, cwd=ROOT, env=environment(found), check=False)
    if not junit.is_file():
        print(f"sanitizers: {preset} {kind}: nothing ran, see {log.relative_to(ROOT)}", file=sys.stderr)
        return None
    got = {"commit": machine.commit(ROOT), "when": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "seconds": round(time.time() - begun),
           "only": options.tests, "outcomes": outcomes(junit), "findings": findings(found)}
    (build / f"sanitized-{kind}.json").write_text(json.dumps(got))
    bad = [f"{name} {how}" for name, how in got["outcomes"].items() if how != "passed"]
    print(f"sanitizers: {preset} {kind}: {len(got['outcomes']) - len(bad)} of {len(got['outcomes'])} passed, {len(got['findings'])} findings in "
          f"{got['seconds']} s", *bad, *got["findings"], sep="\n  ", flush=True)
    return got


def is_good(got):
    return bool(got["outcomes"]) and all(how == "passed" for how in got["outcomes"].values()) and not got["findings"]


def row(preset, kind, got):
    """One line of the page's table."""
    what = f"| {preset}: {PRESETS[preset]} | {kind}"
    if got is None:
        return f"{what} | – | – | – | – | – | – | not run |"
    counts = [sum(how == each for how in got["outcomes"].values()) for each in ("passed", "failed", "skipped")]
    verdict = "ok" if is_good(got) else "FAILED"
    only = f", those of `{got['only']}`" if got["only"] else ""
    return (f"{what}{only} | {got['commit']} | {counts[0]:,} | {counts[1]} | {counts[2]} | "
            f"{len(got['findings'])} | {got['seconds']:,} | {verdict} |")


def page(found, computer):
    """`found`: by (preset, kind), what run() gives, or None."""
    bad = [f"{preset} {kind}: {name} {how}" for (preset, kind), got in found.items() if got for name, how in got["outcomes"].items() if how != "passed"]
    bad += [f"{preset} {kind}: {each}" for (preset, kind), got in found.items() if got for each in got["findings"]]
    left_out = list(found.values()).count(None)
    whens = sorted(got["when"] for got in found.values() if got)
    lines = ["# Sanitizers: all tests, with memory, behaviour and threads watched", "",
             f"- Commits: {', '.join(sorted({got['commit'] for got in found.values() if got})) or 'none'}",
             f"- When: {whens[0]} to {whens[-1]} UTC" if whens else "- When: never", f"- Machine: {computer}", "- Command: `make sanitizers`, kind by kind",
             f"- Result: {sum(len(got['outcomes']) for got in found.values() if got):,} tests, {len(bad)} that did not pass or findings"
             f"{f', {left_out} kinds not run' if left_out else ''}", "",
             "A finding of a sanitizer in any process, servers and tools that a test starts too, ends that process and is counted, whatever the test made of it. "
             "Leaks are looked for at an orderly end: not in what a test kills. Before each run programs with a mistake of each kind are run, and must be found out.",
             "", "| sanitizer | kind of tests | commit | passed | failed | skipped | findings | seconds | verdict |",
             "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"]
    lines += [row(preset, kind, got) for (preset, kind), got in found.items()]
    return "\n".join(lines + ([""] + [f"- {each}" for each in bad] if bad else [])) + "\n"


def kept(preset, kind):
    file = ROOT / "build" / preset / f"sanitized-{kind}.json"
    return json.loads(file.read_text()) if file.is_file() else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, action="append", help="this one only (may be repeated)")
    parser.add_argument("--kind", choices=KINDS, action="append", help="these tests only (may be repeated)")
    parser.add_argument("--tests", metavar="REGEX", help="tests of such names only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests at a time [%(default)s]")
    parser.add_argument("--report", metavar="FILE", help="write the page of all that was run, also before")
    parser.add_argument("--no-run", action="store_true", help="only write the page")
    options = parser.parse_args()
    every = [(preset, kind) for preset in PRESETS for kind in KINDS]
    wanted = [] if options.no_run else [each for each in every if (not options.preset or each[0] in options.preset) and (not options.kind or each[1] in options.kind)]
    ran = [run(*each, options) for each in wanted]
    found = {each: kept(*each) for each in every}
    if options.report:
        pathlib.Path(options.report).write_text(page(found, machine.describe()))
    told = list(found.values()) if options.no_run else ran
    if None in told or not told:
        return 2
    return 0 if all(map(is_good, told)) else 1


if __name__ == "__main__":
    sys.exit(main())
