#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes targets in a fresh Debian with the repository in /leat, and holds the time of two of them against a bound.

usage: steps.py [--report FILE] ROOT [TARGET...]

  build  `make build`, after its packages are there: at most FRESH_BUILD_SECONDS (300)
  demo   `make demo`, packages included
  test   `make test`, packages and build included
  unit   `make test LABELS=unit` once more, without its build: at most FRESH_UNIT_SECONDS (60), as ctest counts them

These four in this order, unless named; any other target of the Makefile may be named too. The bounds are for two processors: where there are
more, two are used. A step that fails ends the run, one that is too slow does not; the exit code is 1 for both.
"""
import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import machine  # noqa: E402

PROCESSORS = 2
USUAL = ("build", "demo", "test", "unit")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclasses.dataclass
class Step:
    words: tuple  # of make
    what: str  # is in the time
    before: tuple = ()  # of make, not timed
    bound: str = ""  # a variable of the environment
    seconds_max: int = 0
    of_ctest: bool = False  # the time is what ctest says

    def limit(self):
        """Seconds, or None."""
        return int(os.environ.get(self.bound) or self.seconds_max) if self.bound else None


STEPS = {
    "build": Step(("build",), "configure, compile, link", before=("setup", "FOR=build"), bound="FRESH_BUILD_SECONDS", seconds_max=300),
    "demo": Step(("demo",), "packages, build, demo"),
    "test": Step(("test",), "packages, build, all tests"),
    "unit": Step(("test", "LABELS=unit"), "the unit tests alone", bound="FRESH_UNIT_SECONDS", seconds_max=60, of_ctest=True),
}


@dataclasses.dataclass
class Row:
    name: str
    what: str
    seconds: float
    limit: int | None
    is_made: bool  # make ended with 0, and its time is known

    def verdict(self):
        if not self.is_made:
            return "FAILED"
        return "TOO SLOW" if self.limit is not None and self.seconds > self.limit else "ok"


def say(text):
    print(f"fresh: {text}", file=sys.stderr, flush=True)


def entering(root):
    """The function that runs make in that root: (exit code, what it printed), printed meanwhile too."""
    def make(words):
        command = ["chroot", root, "/usr/bin/env", "-i", "HOME=/root", f"PATH={PATH}", "LANG=C.UTF-8", "make", "-C", "/leat", *words]
        text = []
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace") as process:
            for line in process.stdout:
                print(line, end="", flush=True)
                text.append(line)
        return process.returncode, "".join(text)
    return make


def timed(step, make):
    """(whether it was made, seconds)."""
    if step.before and make(step.before)[0] != 0:
        return False, 0
    begun = time.monotonic()
    code, text = make(step.words)
    seconds = time.monotonic() - begun
    if step.of_ctest:
        told = re.findall(r"^Total Test time \(real\) = +([\d.]+) sec", text, re.M)
        return code == 0 and bool(told), float(told[-1]) if told else 0
    return code == 0, seconds


def run(names, make):
    rows = []
    for name in names:
        step = STEPS.get(name) or Step((name,), "all of it")
        is_made, seconds = timed(step, make)
        rows.append(Row(name, step.what, seconds, step.limit(), is_made))
        bound = f" of at most {rows[-1].limit}" if rows[-1].limit is not None else ""
        say(f"{name}: {rows[-1].verdict()}, {seconds:.0f} s{bound}")
        if not is_made:
            break
    return rows


def is_good(rows, names):
    return [row.name for row in rows if row.verdict() == "ok"] == list(names)


def page(rows, names, commit, computer):
    left_out = [name for name in names if name not in [row.name for row in rows]]
    result = "ok" if is_good(rows, names) else "FAILED" + (f"; not begun: {', '.join(left_out)}" if left_out else "")
    command = "make fresh FRESH=\"--report FILE" + ("" if tuple(names) == USUAL else " FOLDER " + " ".join(names)) + "\""
    lines = ["# A new Debian 12", "",
             f"- Commit: {commit}",
             f"- When: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC",
             f"- Machine: {computer}",
             f"- Command: `{command}`",
             f"- Result: {result}", "",
             "A minimal Debian 12 with git and make, the commit cloned into it, no compiler's cache; each step as root, after the one before.", "",
             "| step | in its time | s | at most | result |", "|---|---|---:|---:|---|"]
    lines += [f"| {row.name} | {row.what} | {row.seconds:.0f} | {row.limit or ''} | {row.verdict()} |" for row in rows]
    lines += ["", "It does not show other machines, nor package sources other than this one's; seconds with packages are mostly those of the network."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="writes a page, as for docs/proof/")
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    names = options.targets or list(USUAL)
    computer = machine.describe()
    available = sorted(os.sched_getaffinity(0))
    if len(available) > PROCESSORS:
        os.sched_setaffinity(0, available[:PROCESSORS])
        computer += f"; {PROCESSORS} processors used"
    commit = machine.commit(options.root / "leat")
    say(f"commit {commit}, targets: {' '.join(names)}")
    rows = run(names, entering(options.root))
    if options.report:
        options.report.write_text(page(rows, names, commit, computer))
    return 0 if is_good(rows, names) else 1


if __name__ == "__main__":
    sys.exit(main())
