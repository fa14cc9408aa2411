#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every fuzz target of the fuzz preset for FUZZ_SECONDS (60) on its corpus, JOBS at a time, and prints a table.

New inputs go to build/fuzz/corpus, so that a longer run starts where the last one ended; tests/corpus is read only. What
breaks a target is kept in build/fuzz/findings. FUZZ_ONLY is a regular expression of names; FUZZ_REPORT is a file for the report.
"""
import concurrent.futures
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
JOBS = int(os.environ.get("JOBS") or os.cpu_count() or 1)
SECONDS = int(os.environ.get("FUZZ_SECONDS") or 60)


def targets():
    only = re.compile(os.environ.get("FUZZ_ONLY") or "")
    found = [path for path in BUILD.rglob("*_fuzz") if path.is_file() and os.access(path, os.X_OK)]
    return sorted(path for path in found if only.search(path.name))


def run(path):
    name = path.name
    grown = BUILD / "corpus" / name
    grown.mkdir(parents=True, exist_ok=True)
    findings = BUILD / "findings"
    findings.mkdir(exist_ok=True)
    corpora = [str(grown)]
    if (ROOT / "tests" / "corpus" / name).is_dir():
        corpora.append(str(ROOT / "tests" / "corpus" / name))
    # The address sanitizer keeps freed memory; the limit is for inputs that make the target allocate without bound.
    command = [str(path), f"-max_total_time={SECONDS}", "-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1",
               f"-artifact_prefix={findings}/{name}-", *corpora]
    started = time.monotonic()
    # Targets name their inputs by paths from the root of the tree.
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, errors="replace")
    log = BUILD / "logs" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(done.stderr)
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    new = re.search(r"stat::new_units_added:\s*(\d+)", done.stderr)
    coverage = re.findall(r"cov: (\d+)", done.stderr)
    return {"name": name, "ok": done.returncode == 0, "seconds": time.monotonic() - started, "log": log,
            "corpus": len(corpora) > 1, "runs": int(runs[1]) if runs else 0, "new": int(new[1]) if new else 0,
            "coverage": int(coverage[-1]) if coverage else 0, "tail": done.stderr[-3000:]}


def verdict(row):
    if not row["ok"]:
        return "FINDING"
    return "ok" if row["runs"] else "RAN NOTHING"


def report(rows, path):
    """Writes the table of what ran, for docs/proof."""
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False).stdout.strip()

    # Reports of the runs before it are no change of what is run.
    changed = " with changes" if git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)docs/proof") else ""
    bad = [row["name"] for row in rows if verdict(row) != "ok"]
    lines = ["# Fuzzing: every decoder of what peers, files and users send", "",
             f"- Commit: {git('rev-parse', '--short', 'HEAD')}{changed}",
             f"- When: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC",
             f"- Machine: {os.cpu_count()} CPUs, {platform.machine()}, Linux {platform.release()}",
             f"- Command: `make fuzz FUZZ_SECONDS={SECONDS}`, {JOBS} targets at a time",
             f"- Result: {len(rows)} targets, {len(bad)} with a finding{': ' + ', '.join(bad) if bad else ''}; "
             f"{sum(row['runs'] for row in rows):,} inputs", "",
             "Built with address and undefined-behaviour sanitizers; a target also fails on an input of 10 s or 2 GiB. `new`: inputs that reached",
             "new code beyond the corpus in `tests/corpus` and what earlier runs in the same tree had found.", "",
             "| target | inputs | inputs/s | edges | new | result |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    lines += [f"| {row['name']} | {row['runs']:,} | {row['runs'] / max(row['seconds'], 1e-9):,.0f} | {row['coverage']} | {row['new']} | "
              f"{verdict(row)} |" for row in rows]
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def main():
    found = targets()
    if not found:
        print("fuzz: no target is built, or none matches FUZZ_ONLY", file=sys.stderr)
        return 2
    print(f"fuzz: {len(found)} targets, {SECONDS} s each, {JOBS} at a time", file=sys.stderr)
    print(f"{'target':<52} {'runs':>12} {'runs/s':>9} {'edges':>7} {'new':>6}  result")
    rows = []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for row in pool.map(run, found):
            rows.append(row)
            note = "" if row["corpus"] else "  (no corpus in tests/corpus)"
            print(f"{row['name']:<52} {row['runs']:>12,} {row['runs'] / max(row['seconds'], 1e-9):>9,.0f} {row['coverage']:>7} "
                  f"{row['new']:>6}  {verdict(row)}{note}", flush=True)
    if os.environ.get("FUZZ_REPORT"):
        report(rows, os.environ["FUZZ_REPORT"])
    failed = [row for row in rows if verdict(row) != "ok"]
    for row in failed:
        print(f"\n{row['name']}: log {row['log'].relative_to(ROOT)}, input kept in build/fuzz/findings\n{row['tail']}")
    print(f"{len(found) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
