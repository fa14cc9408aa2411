#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts many keys in an application of Leat Streams whose state has a budget of memory, and watches the process's resident set.

What a process takes beside state (read ahead, held back, being written) the same application shows over few keys; what many keys add has to stay
within the budget. The control is the count over many keys with a budget above all of its state: if that stays below the bound as well, the run shows
nothing. Exit code 0 only when every result is right, the bound holds, and the control breaks it.
"""
import argparse
import datetime
import pathlib
import shutil
import sys
import tempfile
import threading
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench")]

import machine  # noqa: E402
import streams_cells  # noqa: E402

CONTROL_MIB = 4096


class Watch:
    """The highest resident set of a process while it is watched."""

    def __init__(self, app):
        self.app, self.highest, self.over = app, 0.0, threading.Event()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        while not self.over.wait(0.1):
            try:
                self.highest = max(self.highest, machine.resident_mib(self.app.pid))
            except (OSError, ValueError, StopIteration):
                return  # It has ended.

    def stop(self):
        self.over.set()
        self.thread.join()


def run(place, options, keys, budget_mib):
    """Highest resident MiB of a run whose results are all right."""
    load = streams_cells.Workload(((f"keys-{keys}", "left"),), options.records, keys)
    watches = []
    try:
        streams_cells.run_through(
            place, "leat", "count", load=load, on_begin=lambda app: watches.append(Watch(app)),
            **{"leat.state.memory.max.bytes": budget_mib << 20})
    finally:
        for watch in watches:
            watch.stop()
    print(f"streams_memory: {keys:,} keys, budget {budget_mib} MiB: at most {watches[0].highest:.1f} MiB resident", file=sys.stderr, flush=True)
    return watches[0].highest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--few-keys", type=int, default=300_000, help="more than updates that are held back [%(default)s]")
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--budget-mib", type=int, default=64)
    parser.add_argument("--append", type=pathlib.Path, help="write the rows behind this page's")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-streams-memory-"))
    try:
        asked = types.SimpleNamespace(build=options.build, seconds=1, sides="leat", streams_broker="leat")
        with streams_cells.Round(folder, asked, 0) as place:
            few = run(place, options, options.few_keys, options.budget_mib)
            within = run(place, options, options.keys, options.budget_mib)
            control = run(place, options, options.keys, CONTROL_MIB)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    bound = few + options.budget_mib
    lines = ["", "## State of a stream application within its budget", "",
             f"- commit: {machine.commit(ROOT)}", f"- date: {datetime.date.today()}", f"- machine: {machine.describe()}",
             f"- command: `tests/scale/streams_memory.py {' '.join(sys.argv[1:])}`",
             f"- {options.records:,} records counted, {streams_cells.PARTITIONS} tasks in one process, all results right; the bound is what the same count over few keys takes, and the budget",
             "", "| keys | budget of the state | resident at most | bound | verdict |", "|---|---|---|---|---|",
             f"| {options.few_keys:,} | {options.budget_mib} MiB | {few:.1f} MiB | – | |",
             f"| {options.keys:,} | {options.budget_mib} MiB | {within:.1f} MiB | {bound:.1f} MiB | {'ok' if within <= bound else 'WRONG'} |",
             f"| {options.keys:,}, control | {CONTROL_MIB} MiB | {control:.1f} MiB | {bound:.1f} MiB | {'ok: above' if control > bound else 'WRONG: below as well'} |"]
    print("\n".join(lines))
    if options.append:
        with options.append.open("a") as page:
            page.write("\n".join(lines) + "\n")
    return 0 if within <= bound < control else 1


if __name__ == "__main__":
    sys.exit(main())
