#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks of `make lint`: layout of all sources, house rules, self-contained headers, clang-tidy on what changed.

What changed: against LINT_BASE (a commit), else origin/main, else the commit before. LINT_ALL=1 takes every source.
A source that clang-tidy passed is remembered by what its compiler saw, so the same text is not checked twice.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "lint"
JOBS = int(os.environ.get("JOBS") or os.cpu_count() or 1)
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "leat" / "tidy"


def say(text):
    print(f"lint: {text}", file=sys.stderr, flush=True)


def run(command, **more):
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, **more)


def git(*arguments):
    done = run(["git", *arguments])
    return done.stdout.split("\0" if "-z" in arguments else "\n") if done.returncode == 0 else None


def sources(names):
    return sorted(n for n in names if n.endswith((".h", ".cc", ".def")) and (ROOT / n).is_file())


def commit_of(name):
    found = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return found[0] if found else None


def base():
    """The commit to compare with, and why; None when there is none (then everything counts as changed)."""
    if wanted := os.environ.get("LINT_BASE"):
        if not commit_of(wanted):
            sys.exit(f"lint: LINT_BASE={wanted} names no commit here")
        return commit_of(wanted), wanted
    head = commit_of("HEAD")
    remote = commit_of("origin/main")
    if remote and remote != head and (merged := git("merge-base", "HEAD", "origin/main")):
        return merged[0], "origin/main"
    before = commit_of("HEAD~1")
    return (before, "the commit before") if before else (None, "no commit before this one")


def changed():
    if os.environ.get("LINT_ALL"):
        return None, "LINT_ALL"
    commit, why = base()
    if commit is None:
        return None, why
    names = set(git("diff", "--name-only", "--diff-filter=d", commit))
    names |= set(git("ls-files", "--others", "--exclude-standard"))
    return names, f"changed since {why}"


def said_by(done):
    """What a program that failed has to say, never "": who is ended by a signal, as when memory is short, has said nothing or half of it."""
    said = done.stdout.replace(f"{ROOT}/", "").strip() or done.stderr.strip()
    ended = f"ended with {done.returncode}"
    return f"{said}\n{ended}" if said and done.returncode < 0 else said or ended


def check_layout(names):
    """clang-format is quick: it always looks at everything."""
    done = run(["clang-format-19", "--dry-run", "-Werror", *names])
    if done.returncode == 0:
        return []
    wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error: code should be", done.stderr, re.M)))
    return [f"{name}: not laid out as .clang-format says; run `make format`" for name in wrong] or ["clang-format: " + said_by(done)]


def check_rules():
    findings = []
    for script in ("tools/tidy.py", "tools/check_layers.py"):
        done = run([sys.executable, "-B", script])
        if done.returncode != 0:
            findings.append(f"{script}:\n{done.stdout}{done.stderr}".rstrip())
    return findings


def configure():
    """Database of compile commands, generated sources, and each header compiled alone."""
    done = run(["cmake", "--preset", "lint"])
    if done.returncode != 0:
        return [done.stdout + done.stderr]
    done = run(["ninja", "-C", str(BUILD), "-j", str(JOBS), "-k", "0", "all_verify_interface_header_sets"])
    if done.returncode != 0:
        return ["a header does not compile alone:\n" + "\n".join(done.stdout.splitlines()[-60:])]
    return []


def units(names):
    """The compile commands to check for these files: a header is checked through a source of its stem, else through any
    source that includes it."""
    database = {os.path.relpath(row["file"], ROOT): row for row in json.loads((BUILD / "compile_commands.json").read_text())}
    database = {name: row for name, row in database.items() if not name.startswith(("build/", ".."))}
    if names is None:
        return database
    picked = {}
    texts = None
    for name in names:
        if name in database:
            picked[name] = database[name]
            continue
        if not name.endswith((".h", ".def")):
            continue
        stem = name.rsplit(".", 1)[0]
        near = [unit for unit in (f"{stem}.cc", f"{stem}_test.cc") if unit in database]
        if not near:
            texts = texts or {unit: (ROOT / unit).read_text() for unit in database}
            wanted = f'#include "{name.removeprefix("src/").removeprefix("bench/")}"'
            near = [unit for unit in sorted(database) if wanted in texts[unit]][:1]
        picked.update({unit: database[unit] for unit in near})
    return picked


def key_of(row):
    """What clang-tidy's answer depends on: the preprocessed text, the flags, the checks, its version."""
    command = shlex.split(row["command"])
    command = command[1:] if os.path.basename(command[0]) == "ccache" else command
    bare = [word for n, word in enumerate(command) if word not in ("-c", "-o") and command[n - 1] != "-o"]
    # -C keeps comments, where NOLINT stands.
    done = subprocess.run([*bare, "-E", "-C"], cwd=row["directory"], capture_output=True)
    if done.returncode != 0:
        return None
    digest = hashlib.sha256(done.stdout.replace(os.fsencode(ROOT), b"."))
    digest.update((ROOT / ".clang-tidy").read_bytes() + " ".join(bare).replace(str(ROOT), ".").encode())
    return digest.hexdigest()


def tidy_one(name, row):
    key = key_of(row)
    mark = CACHE / key if key else None
    if mark and mark.exists():
        os.utime(mark)
        return name, "", True
    done = run(["clang-tidy-19", "--quiet", "--warnings-as-errors=*", "-p", str(BUILD), name])
    if done.returncode == 0:
        if mark:
            CACHE.mkdir(parents=True, exist_ok=True)
            mark.touch()
        return name, "", False
    return name, said_by(done), False


def check_tidy(picked):
    findings = []
    known = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, text, was_known in pool.map(lambda item: tidy_one(*item), sorted(picked.items())):
            known += was_known
            if text:
                findings.append(f"clang-tidy {name}:\n{text}".rstrip())
    say(f"clang-tidy: {len(picked)} sources, {known} of them passed before")
    return findings


def main():
    started = time.monotonic()
    everything = sources(git("ls-files"))
    names, why = changed()
    picked_names = everything if names is None else sources(names)
    say(f"{len(picked_names)} of {len(everything)} C++ files ({why})")
    findings = check_layout(everything) + check_rules()
    broken = configure()
    findings += broken
    if not broken:
        findings += check_tidy(units(None if names is None else picked_names))
    for finding in findings:
        print(finding, flush=True)
    say(f"{len(findings)} findings, {time.monotonic() - started:.0f} s")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
