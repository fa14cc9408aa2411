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
import pathlib
import re
import sys
import time

import engines
import generate

HERE = pathlib.Path(__file__).resolve().parent
FIXED = HERE / "fixed"
BATCH = 500
# Committed cases that are known to differ: not part of the test, so that they can be worked on.
OPEN = "open"


def batches(numbers):
    for first in range(0, len(numbers), BATCH):
        yield numbers[first:first + BATCH]


def compare(both, cases):
    """(case, java, differences) of each case."""
    java, leat = both.run_java(cases), both.run_leat(cases)
    return [(case, theirs, engines.differences(theirs, mine)) for case, theirs, mine in zip(cases, java, leat)]


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
    del smaller["ops"][index]
    for op in smaller["ops"]:
        for field in ("from", "with"):
            if op.get(field, -1) > index:
                op[field] -= 1
    topics = {t for op in smaller["ops"] for t in op.get("topics", [op["topic"]] if op["op"] in ("table", "global") else [])}
    smaller["inputs"] = [i for i in smaller["inputs"] if isinstance(i, dict) or i[0] in topics]
    return smaller


def candidates(case):
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
        for field in ("name", "store", "memory", "nolog", "keep", "grace"):
            if field in op and not (field == "store" and op["op"].startswith("process")):
                smaller = copy.deepcopy(case)
                del smaller["ops"][index][field]
                yield smaller
    if case.get("optimize"):
        yield {name: value for name, value in case.items() if name != "optimize"}


def what(differences):
    """The sort of a difference: enough to tell one mistake from another while shrinking."""
    return sorted({re.split(r"[ :]", line, maxsplit=1)[0] for line in differences})


def size(case):
    return 3 * len(case["ops"]) + len(case["inputs"]) + sum(len(op) for op in case["ops"])


def shrink(both, case, differences, rounds=12):
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
    print("   " + json.dumps({"ops": case["ops"], "inputs": case["inputs"]} | ({"optimize": True} if case.get("optimize") else {})))
    for line in differences:
        print("   " + line.replace("\n", "\n   "))


def verbs_of(case):
    """Names under which the operators of a case are counted."""
    kinds = []
    for op in case["ops"]:
        name = op["op"]
        source = kinds[op["from"]] if "from" in op else ""
        if name == "windowed":
            name = f"windowed {op['window']}" + (" hopping" if "advance" in op else "")
        if name == "join":
            name = f"join {source} {kinds[op['with']]} {op['kind']}" + (" foreign key" if "fk" in op else "")
        elif source == "table" and name in ("filter", "filter_not", "map_values", "group_by"):
            name = "table " + name
        kinds.append({"stream": "stream", "table": "table", "global": "global", "to_table": "table", "to_stream": "stream"}.get(
            op["op"], "table" if op["op"] in ("count", "reduce", "aggregate") else source or "stream"))
        yield name


class Tally:
    def __init__(self):
        self.cases = self.records = 0
        self.outcomes = collections.Counter()
        self.focuses = collections.Counter()
        self.pairs = collections.Counter()
        self.verbs = collections.Counter()
        self.differing = collections.Counter()

    def add(self, case, java, differences):
        self.cases += 1
        self.records += sum(len(rows) for rows in java.get("out", {}).values())
        self.outcomes["error: " + java["error"].split(" at ")[0] if "error" in java else "ran to its end"] += 1
        self.focuses[case["focus"]] += 1
        self.pairs[case["focus"], case["flavour"]] += 1
        self.verbs.update(set(verbs_of(case)))
        if differences:
            self.differing[case["focus"]] += 1

    def lines(self):
        differing = sum(self.differing.values())
        yield f"cases {self.cases}, records compared {self.records}, cases that differ {differing}"
        yield "outcomes: " + ", ".join(f"{name} {count}" for name, count in sorted(self.outcomes.items()))
        yield "coverage, by what a case is built around (cases, least of a kind of input, differing):"
        for focus, count in sorted(self.focuses.items()):
            least = min(self.pairs[focus, flavour] for flavour in generate.FLAVOURS)
            yield f"  {focus:28} {count:6} {least:5} {self.differing[focus]:5}"
        yield "operators (cases with at least one):"
        for verb, count in sorted(self.verbs.items()):
            yield f"  {verb:40} {count:6}"


def report(options, tally, seconds):
    """The page under docs/proof/."""
    differing = sum(tally.differing.values())
    rows = "\n".join(f"| {focus} | {count} | {min(tally.pairs[focus, flavour] for flavour in generate.FLAVOURS)} | {tally.differing[focus]} |"
                     for focus, count in sorted(tally.focuses.items()))
    verbs = "\n".join(f"| {verb} | {count} |" for verb, count in sorted(tally.verbs.items()))
    outcomes = ", ".join(f"{name}: {count}" for name, count in sorted(tally.outcomes.items()))
    return f"""# Streams beside Kafka Streams {engines.VERSION}

Written by `tests/streams/run --cases {options.cases} --seed {options.seed} --report`, which compares Leat's TestDriver with Kafka Streams'
TopologyTestDriver on the same random topologies and inputs: records of every topic with bytes, timestamps and headers, changelogs and
repartition topics included, `describe()`, the number of dropped records, the kind of an error. How: `tests/streams/README.md`.

Cases {tally.cases}, records compared {tally.records}, **cases that differ {differing}**, {seconds:.0f} s. Outcomes in Kafka Streams: {outcomes}.

The closed list of what is meant to differ: results on window close that Kafka Streams loses after a gap longer than the store's
retention, which Leat emits unless `lose_as_kafka` is on. It is on here.

Not compared: contents of stores other than by their changelogs, results under caching, and in `describe()` what stands behind
`extractor class:` of a sink that chooses its topic (Java prints the address of an object).

Cases by what they are built around, with the least number for one of the kinds of input ({", ".join(generate.FLAVOURS)}):

| built around | cases | least of a kind | differ |
|---|---:|---:|---:|
{rows}

Cases that use an operator, wherever it stands:

| operator | cases |
|---|---:|
{verbs}
"""


def random_cases(options, both):
    focuses = [name for name in generate.FOCUSES if not options.focus or any(part in name for part in options.focus)]
    tally, shown, started = Tally(), 0, time.monotonic()
    kinds = set()
    for numbers in batches(range(options.first, options.first + options.cases)):
        cases = [generate.case(options.seed, number, focuses) for number in numbers]
        for case, java, found in compare(both, cases):
            tally.add(case, java, found)
            if not found or shown >= options.show:
                continue
            key = (case["focus"], tuple(what(found)))
            if key in kinds:
                continue
            kinds.add(key)
            shown += 1
            report_case(*(shrink(both, case, found) if options.shrink else (case, found)))
        print(f"   {tally.cases} cases, {sum(tally.differing.values())} differ", file=sys.stderr, flush=True)
    print(f"seed {options.seed}, {time.monotonic() - started:.0f} s")
    print("\n".join(tally.lines()))
    if options.report:
        pathlib.Path(options.report).write_text(report(options, tally, time.monotonic() - started))
    return 1 if tally.differing else 0


def read_fixed(still_open=False):
    for path in sorted(FIXED.glob("*.jsonl.gz")):
        if (path.name == f"{OPEN}.jsonl.gz") != still_open:
            continue
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            row = json.loads(line)
            yield row["case"], row["java"]


def fixed_cases(options, both):
    """The committed cases through Leat."""
    rows = list(read_fixed(options.open))
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
    """Cases into fixed/, one file for each part of the focus before the dot; those that differ today into open.jsonl.gz."""
    files = collections.defaultdict(list)
    for case, java, found in compare(both, [generate.case(options.seed, number) for number in range(options.fix)]):
        java.pop("detail", None)
        files[OPEN if found else case["focus"].split(".")[0]].append(json.dumps({"case": case, "java": java}, separators=(",", ":")))
    FIXED.mkdir(exist_ok=True)
    for old in FIXED.glob("*.jsonl.gz"):
        old.unlink()
    for name, lines in files.items():
        (FIXED / f"{name}.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode(), 9, mtime=0))
    print(f"{options.fix} cases in {len(files)} files, {len(files[OPEN])} of them differ")
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
    parser.add_argument("--report", metavar="FILE", help="writes the page of docs/proof")
    parser.add_argument("--case", metavar="FILE")
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--open", action="store_true", help="with --fixed: the committed cases that are known to differ")
    parser.add_argument("--fix", type=int, metavar="N")
    options = parser.parse_args()
    if options.report and (options.focus or options.first):
        parser.error("--report describes a whole run: not together with --focus or --first")
    try:
        what_to_do = file_cases if options.case else fixed_cases if options.fixed else fix if options.fix else random_cases
        with engines.Engines(options.binary) as both:
            return what_to_do(options, both)
    except engines.Unavailable as why:
        print(f"streams: {why}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
