# SPDX-License-Identifier: Apache-2.0
"""Random cases through Kafka Streams' test driver and Leat's, compared record by record. See README.md.

    run --cases 10000 [--seed N] [--focus PART]...   both programs; exit 1 and shrunk cases when they differ
    run --case FILE                                  cases of a file through both, with their outcomes
    run --fixed                                      the committed cases through Leat alone
    run --fix N [--seed N]                           makes the committed cases anew
"""
import argparse
import collections
import copy
import gzip
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

import coverage
import engines
import filling
import generate
import improvements
from cases import above, keep_ops

HERE = pathlib.Path(__file__).resolve().parent
FIXED = HERE / "fixed"
BY_HAND = HERE / "by_hand.jsonl"
BATCH = 250
# A run of so many cases must have so many in each cell of coverage.py.
WHOLE_RUN = 10_000
LEAST = 100
# And so many with each property that the records of a cell can have, behind all that stands above it.
LEAST_WITH = 100
# Where chance made fewer it is helped, by so many cases in all.
FILLING = 20_000
# Of a committed file, so that none grows large.
FILE_CASES = 80
# Of the part of the page that mutants.py writes.
MUTANTS_HEADING = "## Mutants\n"


def batches(numbers):
    for first in range(0, len(numbers), BATCH):
        yield numbers[first:first + BATCH]


def compare(both, cases):
    """(case, java, differences) of each case."""
    java, leat = both.run_java(cases), both.run_leat(cases)
    return [(case, theirs, engines.differences(theirs, mine)) for case, theirs, mine in zip(cases, java, leat)]


def compare_both_ways(both, cases, tally):
    """compare(), and the same without `lose_as_kafka`, where only what is on the closed list may differ."""
    free = both.run_leat([dict(case, improve=True) for case in cases])
    rows = compare(both, cases)
    differing = {at: (case, java, mine) for at, ((case, java, found), mine) in enumerate(zip(rows, free)) if not found and engines.differences(java, mine)}
    verdicts = dict(zip(differing, improvements.judge(both, list(differing.values()))))
    for at, (case, java, found) in enumerate(rows):
        names, wrong = verdicts.get(at, ((), ()))
        if wrong:
            found = ["without the switch: " + line for line in [*wrong, *engines.differences(java, free[at])]]
        elif names:
            tally.improved[" and ".join(sorted(names))] += 1
        yield case, java, found


# Shrinking: fewer inputs first, then fewer operators, as long as the same part of the outcome differs.

def without_op(case, index):
    """The case without an operator on which nothing stands, or with its children moved to its parent; None when it makes no sense."""
    ops = case["ops"]
    children = [op for op in ops if index in (op.get("from"), op.get("with"))]
    parent = ops[index].get("from")
    if children and parent is None:
        return None
    smaller = copy.deepcopy(case)
    for op in smaller["ops"]:
        for field in ("from", "with"):
            if op.get(field) == index:
                op[field] = parent
    return keep_ops(smaller, [at for at in range(len(ops)) if at != index])


def candidates(case):
    read = {op[field] for op in case["ops"] for field in ("from", "with") if field in op}
    ends = [at for at in range(len(case["ops"])) if at not in read]
    for end in ends if len(ends) > 1 else []:
        yield keep_ops(case, above(case["ops"], end))
    inputs = case["inputs"]
    size = len(inputs) // 2
    while size >= 1:
        for first in range(0, len(inputs), size):
            yield {**case, "inputs": inputs[:first] + inputs[first + size:]}
        size //= 2
    for index in reversed(range(len(case["ops"]))):
        smaller = without_op(case, index)
        if smaller:
            yield smaller
    for index, op in enumerate(case["ops"]):
        for field in ("name", "store", "memory", "nolog", "keep", "nocache", "cached", "grace", "partitioner", "other_partitioner", "all", "timed"):
            if field in op and not (field == "store" and op["op"] in ("process", "process_values", "look_up", "global_store")):
                smaller = copy.deepcopy(case)
                del smaller["ops"][index][field]
                yield smaller
    for name in ("optimize", "cache", "in_memory", "nodes", "widths", "handlers"):
        if name in case:
            yield {field: value for field, value in case.items() if field != name}


def what(differences):
    """The sort of a difference: enough to tell one mistake from another while shrinking."""
    return sorted({re.split(r"[ :]", line, maxsplit=1)[0] for line in differences})


def size(case):
    return 3 * len(case["ops"]) + len(case["inputs"]) + sum(len(op) for op in case["ops"])


def shrink(both, case, differences, rounds=16):
    sort = what(differences)
    for _ in range(rounds):
        smaller = [dict(one, id=i) for i, one in enumerate(candidates(case))]
        failing = [(one, found) for one, java, found in compare(both, smaller)
                   if found and set(what(found)) <= set(sort) and java.get("error") != "build" and "crash" not in java]
        failing = [row for row in failing if size(row[0]) < size(case)]
        if not failing:
            break
        case, differences = min(failing, key=lambda row: size(row[0]))
    return case, differences


def report_case(case, differences):
    print(f"-- case {case['id']} ({case.get('focus')}, {case.get('flavour')})")
    print("   " + json.dumps({name: case[name] for name in engines.ASKED if name in case}))
    for line in differences:
        print("   " + line.replace("\n", "\n   "))


class Tally:
    def __init__(self):
        self.cases = self.records = self.rows = 0
        self.improved = collections.Counter()  # Cases that differ without the switch, by why.
        self.outcomes = collections.Counter()
        self.covered = collections.Counter()
        self.differing = collections.Counter()
        self.yields = filling.Yields()

    def add(self, case, java, differences, covered):
        self.cases += 1
        self.records += sum(len(rows) for rows in java.get("out", {}).values())
        self.rows += sum(len(rows or []) for rows in java.get("stores", {}).values())
        self.outcomes["error: " + java["error"].split(" at ")[0] if "error" in java else "ran to its end"] += 1
        self.covered.update(covered)
        self.yields.add(case, covered)
        if differences:
            self.differing[case["focus"]] += 1

    def missing(self):
        return filling.missing(self.covered, LEAST, LEAST_WITH)

    def least(self, cell):
        return min(self.covered[cell, one] for one in coverage.PROPERTIES if coverage.can_have(cell, one))

    def reasons(self):
        return ", ".join(f"{name} {count}" for name, count in sorted(self.improved.items())) or "none"

    def lines(self):
        yield (f"cases {self.cases}, records compared {self.records}, rows of stores {self.rows}, "
               f"cases that differ {sum(self.differing.values())}; without lose_as_kafka {self.improved.total()} more by the closed list")
        yield "the closed list: " + self.reasons()
        yield "outcomes: " + ", ".join(f"{name} {count}" for name, count in sorted(self.outcomes.items()))
        yield "coverage (cases in which what reaches it has ...):"
        yield f"  {'':32} " + " ".join(f"{name:>12}" for name in ("all", *coverage.PROPERTIES))
        for cell in coverage.CELLS:
            yield f"  {cell:32} " + " ".join(f"{self.covered[cell, one]:12}" for one in (None, *coverage.PROPERTIES))
        if self.differing:
            yield "differing, by what a case is built around: " + ", ".join(f"{name} {n}" for name, n in self.differing.most_common())


def commit():
    done = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def machine():
    return f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"


def report(options, tally, seconds):
    """The page under docs/proof/."""
    cells = "\n".join(f"| {cell} | " + " | ".join(str(tally.covered[cell, one]) for one in (None, *coverage.PROPERTIES)) + " |"
                      for cell in coverage.CELLS)
    outcomes = ", ".join(f"{name}: {count}" for name, count in sorted(tally.outcomes.items()))
    keeping = " (what Kafka Streams said to a case before was kept in a file)" if options.keep else ""
    least = min(tally.covered[cell, None] for cell in coverage.CELLS)
    least_with = min(map(tally.least, coverage.CELLS))
    more = max(tally.cases - options.cases, 0)
    return f"""# Streams beside Kafka Streams {engines.VERSION}

Written by `tests/streams/run --cases {options.cases} --seed {options.seed} --report` at commit {commit()}, on {machine()}. It compares
Leat's TestDriver with Kafka Streams' TopologyTestDriver on the same random topologies and inputs: records of every topic with bytes,
timestamps and headers, changelogs, repartition topics and dead letters included; rows of every store; `describe()`; the number of dropped
records; what `peek` and `foreach` saw; lines of `print`; partitions that partitioners chose; the kind of an error and where it came.
How: `tests/streams/README.md`.

Cases {tally.cases}, records compared {tally.records}, rows of stores {tally.rows}, **cases that differ {sum(tally.differing.values())}**,
{seconds:.0f} s{keeping}. Outcomes in Kafka Streams: {outcomes}.

Each case runs with `lose_as_kafka` on, where nothing may differ, and off, where only the closed list may: {tally.improved.total()} cases do
({tally.reasons()}). Both programs then also run parts of the case, which show that its input has the reason, what had to come of it, and that all
else is the same. The list:
1. Results on window close that Kafka Streams loses after a gap longer than the store's retention: Leat emits them.
2. A record without a key at a left join with a grace period: it ends Kafka Streams' task with a NullPointerException; Leat joins it with
   nothing, as without a grace period.
3. Dead letters of a record that was written to another topic before it failed: Kafka Streams has let go of its key and value, Leat has not.

Not compared: how many records are dropped where processors keep windows, sessions or versions, the ends of versions that these ask for, extractors of global tables
and stores; cached windows that are over for their store, which Kafka Streams shows for as long as they happen to be in the cache; offsets in dead letters of topics of a pattern, and the time of its partition: Kafka's driver takes such topics for one; rows of the
buffers of `suppress` and of joins with a grace period, other than by their changelogs; rows of joins whose window has no length, which
Kafka Streams cannot list; numbers of partitions above a `group_by()` of a cogroup; what `describe()` and dead letters say of Java's own classes (extractors of topics, exceptions with their texts).

Cases in which an operator stands, and of these in how many the records that reach it have null keys, null values, and so on, after all that stands
above. {more} of the cases were made behind the others, of sorts that reach what had come too seldom. Late is what comes behind its own window and grace, or history; {coverage.LATE_MS} ms where it has none. Least of a cell: {least}, of a property that it can have: {least_with}.

| operator | cases | {" | ".join(coverage.PROPERTIES)} |
|---|{"---:|" * (1 + len(coverage.PROPERTIES))}
{cells}
"""


def is_whole(options):
    return options.cases >= WHOLE_RUN and not options.focus


def cases_of(options, tally):
    """In batches; of a whole run also those that fill cells which have too few by then."""
    focuses = [name for name in generate.FOCUSES if any(part in name for part in options.focus)] if options.focus else None
    for numbers in batches(range(options.first, options.first + options.cases)):
        yield [generate.case(options.seed, number, focuses) for number in numbers]
    while is_whole(options) and (room := options.cases + FILLING - tally.cases) > 0:
        sorts = filling.plan(tally.yields, tally.missing(), min(room, BATCH))
        if not sorts:
            break
        first = options.first + tally.cases
        yield [generate.case(options.seed, first + at, [focus], flavour) for at, (focus, flavour) in enumerate(sorts)]


def random_cases(options, both):
    tally, shown, started = Tally(), 0, time.monotonic()
    kinds = set()
    for cases in cases_of(options, tally):
        taps = both.run_leat([coverage.tapped(case) for case in cases])
        for (case, java, found), tap in zip(compare_both_ways(both, cases, tally), taps):
            tally.add(case, java, found, coverage.of_case(case, tap))
            if not found or shown >= options.show:
                continue
            key = (case["focus"], tuple(what(found)))
            if key in kinds:
                continue
            kinds.add(key)
            shown += 1
            can_shrink = options.shrink and not found[0].startswith("without the switch")
            report_case(*(shrink(both, case, found) if can_shrink else (case, found)))
        print(f"   {tally.cases} cases, {sum(tally.differing.values())} differ", file=sys.stderr, flush=True)
    print(f"seed {options.seed}, {time.monotonic() - started:.0f} s")
    print("\n".join(tally.lines()))
    if options.report:
        page = pathlib.Path(options.report)
        _, heading, mutants = page.read_text().partition(MUTANTS_HEADING) if page.exists() else ("", "", "")
        page.write_text(report(options, tally, time.monotonic() - started) + (f"\n{heading}{mutants}" if heading else ""))
    thin = tally.missing() if is_whole(options) else {}
    for (cell, has), count in thin.items():
        print(f"too few: {cell}{f' with {has}' if has else ''}: {count} more are wanted")
    return 1 if tally.differing or thin else 0


def read_fixed():
    for path in sorted(FIXED.glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            row = json.loads(line)
            yield row["case"], row["java"]


def fixed_cases(options, both):
    """The committed cases through Leat."""
    rows = list(read_fixed())
    outcomes = both.run_leat([case for case, _ in rows])
    failed = 0
    for (case, java), leat in zip(rows, outcomes):
        found = engines.differences(java, leat)
        if not found:
            continue
        failed += 1
        if failed <= options.show:
            report_case(case, found)
    print(f"{len(rows)} committed cases, {failed} differ")
    return 1 if failed or not rows else 0


def fix(options, both):
    """Cases into fixed/, one file for each part of the focus before the dot, unless one differs."""
    files = collections.defaultdict(list)
    cases = [generate.case(options.seed, number) for number in range(options.fix)]
    cases += map(json.loads, BY_HAND.read_text().splitlines())
    differ = 0
    for case, java, found in compare(both, cases):
        if found:
            report_case(case, found)
            differ += 1
        java.pop("detail", None)
        java["out"] = {topic: [engines.without_words(row) for row in rows] for topic, rows in java.get("out", {}).items()}
        files[case["focus"].split(".")[0]].append(json.dumps({"case": case, "java": java}, separators=(",", ":")))
    if differ:
        print(f"{differ} of {len(cases)} cases differ: nothing is written")
        return 1
    FIXED.mkdir(exist_ok=True)
    for old in FIXED.glob("*.jsonl.gz"):
        old.unlink()
    for name, lines in files.items():
        for first in range(0, len(lines), FILE_CASES):
            part = "" if first == 0 else f"-{first // FILE_CASES + 1}"
            packed = gzip.compress("\n".join(lines[first:first + FILE_CASES]).encode(), 9, mtime=0)
            (FIXED / f"{name}{part}.jsonl.gz").write_bytes(packed)
    print(f"{len(cases)} cases in {len(files)} files")
    return 0


def file_cases(options, both):
    cases = [json.loads(line) for line in pathlib.Path(options.case).read_text().splitlines() if line.strip()]
    for number, case in enumerate(cases):
        case.setdefault("id", number)
    for theirs, mine in zip(both.run_java(cases), both.run_leat(cases)):
        print("java", json.dumps(theirs))
        print("leat", json.dumps(mine))
        print("\n".join(engines.differences(theirs, mine)) or "equal")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(HERE.parents[1] / "build/dev/tests/streams/streams_case_runner"))
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--focus", action="append", help="only what has this in its name")
    parser.add_argument("--show", type=int, default=8, help="how many differing cases are shown")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    parser.add_argument("--keep", metavar="FILE", help="Kafka Streams' outcomes: read from there, and written when they are new")
    parser.add_argument("--report", metavar="FILE", help="writes the page of docs/proof")
    parser.add_argument("--case", metavar="FILE")
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--fix", type=int, metavar="N")
    options = parser.parse_args()
    if options.report and (options.focus or options.first):
        parser.error("--report describes a whole run: not together with --focus or --first")
    try:
        what_to_do = file_cases if options.case else fixed_cases if options.fixed else fix if options.fix else random_cases
        with engines.Engines(options.binary, options.keep) as both:
            return what_to_do(options, both)
    except engines.Unavailable as why:
        print(f"streams: {why}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
