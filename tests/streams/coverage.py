# SPDX-License-Identifier: Apache-2.0
"""What cases cover: cells (operators, join cells, kinds of windows, handlers) by what the records that reach them have."""
import collections

from cases import SOURCES
from vocabulary import REWRITES

WINDOWS = ("tumbling", "hopping", "sliding", "session", "unlimited")
PROPERTIES = ("null keys", "null values", "out of order", "late", "same time", "tombstones")
# How far behind the time of its stream a record is late where an operator has no grace period of its own.
LATE_MS = 10

CELLS = tuple(sorted(
    ["stream " + verb for verb in ("filter", "filter_not", "map", "map_values", "flat_map", "flat_map_values", "select_key", "peek", "foreach",
                                   "merge", "split", "repartition", "process", "process_values", "to", "to per record", "to_table",
                                   "group_by_key", "group_by", "by pattern")]
    + [f"processor's {kind}" for kind in ("windows", "sessions", "versions")] + ["source with times of its own"]
    + ["versioned aggregate", "versioned aggregate of a table", "versioned to_table", "join foreign versioned", "join with a negative bound"]
    + [f"optimization {name} alone" for name in REWRITES]
    + ["punctuate stream time", "punctuate wall clock", "two processors on one store", "two aggregates of one group"]
    + ["table " + verb for verb in ("source", "versioned", "filter", "filter_not", "map_values", "group_by", "to_stream", "to_stream by key")]
    + [f"{group} {verb}" for group in ("stream group", "table group") for verb in ("count", "reduce", "aggregate")]
    + [f"{window} {verb}" for window in WINDOWS for verb in ("count", "reduce", "aggregate")]
    + [f"{window} emit on close" for window in WINDOWS if window != "unlimited"]
    + ["cogroup"] + [f"cogroup {window}" for window in WINDOWS]
    + [f"suppress {how}" for how in ("until close", "until time", "until time of windows", "records", "bytes", "shut down")]
    + [f"join stream stream {kind}" for kind in ("inner", "left", "outer")] + [f"join self {kind}" for kind in ("inner", "left", "outer")]
    + [f"join stream {table} {kind}" for table in ("table", "versioned", "versioned grace", "global") for kind in ("inner", "left")]
    + [f"join table {table} {kind}" for table in ("table", "versioned") for kind in ("inner", "left", "outer")]
    + [f"join foreign {kind}" for kind in ("inner", "left")] + [f"joiner with the key, {other}" for other in ("stream", "table", "global")]
    + ["joiner with the key by reference"]
    + [f"handler {kind}" for kind in ("deserialization", "processing", "production", "dead letters", "after an output", "behind a cache")]
    + [f"store {kind} read" for kind in ("global", "global table's", "table's", "read-only, node by node", "global, node by node")]
    + [f"partitioner of {what}" for what in ("to", "repartition", "foreign-key join")]
    + ["null key by reference", "stream print", "table transform_values", "older process", "older split", "older through"]
    + [f"cached {what}" for what in ("aggregate", "windows", "windows told on close", "sessions", "processor's store")]))


# Tables have no null keys, so that what stands on them alone is never given one.
WITHOUT_NULL_KEYS = {cell for cell in CELLS if cell.startswith(("table ", "join table", "join foreign", "suppress", "versioned aggregate of"))
                     and cell not in ("table source", "table versioned")} | {"partitioner of foreign-key join"}


# A window's updates have its newest time, and none come when it is over.
NEVER_LATE = {"suppress until close", "suppress until time of windows"}


def can_have(cell, has):
    return cell not in {"null keys": WITHOUT_NULL_KEYS, "late": NEVER_LATE}.get(has, ())


def window_of(op):
    if op["window"] != "time":
        return op["window"]
    return "hopping" if "advance" in op else "tumbling"


class Walk:
    """The operators of a case in their order: what each stands on."""

    def __init__(self, case):
        self.ops = case["ops"]
        self.nodes = case.get("nodes", [])
        self.is_cached = "cache" in case
        self.kind = []      # stream, table, group, table group, cogroup, split, global, end
        self.window = []    # Of a windowed group.
        self.versioned = [] # Whether a table has a history, or comes from one that has.
        self.late = []      # How far behind the time of its stream a record is late for it.
        self.readers = collections.Counter(self.group_of(op) for op in self.ops if op["op"] in ("count", "reduce", "aggregate"))
        for op in self.ops:
            above = [op[field] for field in ("from", "with") if field in op]
            self.window.append(window_of(op) if op["op"] == "windowed" else self.window[above[0]] if above and op["op"] in
                               ("emit_on_close", "count", "reduce", "aggregate") else None)
            self.versioned.append("history" in op or bool(above) and op["op"] in ("filter", "filter_not", "map_values")
                                  and self.versioned[above[0]])
            self.kind.append(self.kind_of(op, above))
            self.late.append(self.late_for(op, above))

    def late_for(self, op, above):
        """A window's end and grace, or the history that a store has, counted from the record."""
        if op["op"] == "windowed" and op["window"] != "unlimited":
            return op["size"] + op["grace"]
        if op["op"] in ("emit_on_close", "count", "reduce", "aggregate", "suppress") and self.window[above[0]]:
            return self.late[above[0]]
        if op["op"] == "join" and "before" in op:
            return max(op["before"], op["after"]) + op["grace"]
        if op["op"] == "join" and self.kind[above[0]] == "stream" and self.versioned[above[1]]:
            return op.get("grace", self.late[above[1]])
        return op.get("history", op["retention"] if "keeps" in op else self.late[above[0]] if above and self.versioned[-1] else LATE_MS)

    def group_of(self, op):
        """The grouping that an aggregate stands on, windowed or not."""
        at = op["from"]
        while self.ops[at]["op"] in ("windowed", "emit_on_close"):
            at = self.ops[at]["from"]
        return at

    def kind_of(self, op, above):
        verb = op["op"]
        below = self.kind[above[0]] if above else None
        if verb in ("stream", "to_stream", "branch"):
            return "stream"
        if verb in ("table", "to_table", "count", "reduce", "aggregate", "suppress"):
            return "table"
        if verb in ("group_by", "group_by_key"):
            return "table group" if below == "table" else "group"
        return {"global": "global", "print": "end", "windowed": below, "emit_on_close": below, "cogroup": "cogroup", "split": "split", "to": "end",
                "foreach": "end"}.get(verb, below)

    def cells(self):
        """(cell, place of its operator)."""
        for at, op in enumerate(self.ops):
            for cell in self.cells_of(op, at) + (self.cached(op) if self.is_cached else []):
                yield cell, at

    def cached(self, op):
        """Of an aggregate or a processor's store whose updates are held back."""
        if op["op"] in ("count", "reduce", "aggregate") and not op.get("nocache") and "history" not in op:
            window = self.window[op["from"]]
            if self.ops[op["from"]]["op"] == "emit_on_close":
                return ["cached windows told on close"] if window in ("tumbling", "hopping") else []
            return ["cached " + ("sessions" if window == "session" else "windows" if window else "aggregate")]
        return ["cached processor's store"] if op.get("cached") else []

    def kind_of_store(self, op):
        """What keeps the store that a processor looks into."""
        made = next(one for one in self.ops if one.get("store") == op["store"] and one["op"] in SOURCES)
        return {"table": "table's", "global": "global table's", "global_store": "global"}[made["op"]]

    def cells_of(self, op, at):
        verb = op["op"]
        below = op.get("from")
        kind = self.kind[below] if below is not None else None
        if "time" in op:
            return ["source with times of its own", *self.cells_of({field: value for field, value in op.items() if field != "time"}, at)]
        if verb == "join":
            return self.join(op)
        if verb in ("count", "reduce", "aggregate"):
            return self.aggregate(op, kind, below)
        if verb == "suppress":
            if op["until"] == "close":
                return ["suppress until close"]
            return ["suppress " + ("shut down" if op.get("strict") else "records" if "max_records" in op else "bytes" if "max_bytes" in op
                                   else "until time")] + (["suppress until time of windows"] if self.window[below] else [])
        if op.get("older") or verb == "through":
            return ["older " + verb.removesuffix("_values")]
        if verb == "look_up":
            return [f"store {self.kind_of_store(op)} read"]
        if "keeps" in op:
            return ["stream process", f"processor's {op['keeps']}"]
        if verb == "to_table" and "history" in op:
            return ["stream to_table", "versioned to_table"]
        if verb == "process":
            return ["stream process"] + (["punctuate " + ("wall clock" if op.get("wall") else "stream time")] if "every" in op else []) \
                + (["two processors on one store"] if op.get("shared") else [])
        if verb == "to":
            return ["stream to per record" if "topic_of" in op else "stream to"] + (["partitioner of to"] if "partitioner" in op else [])
        if verb == "to_stream":
            return ["table to_stream by key" if "k" in op else "table to_stream"]
        if verb == "table":
            return ["table versioned" if self.versioned[at] else "table source"]
        if verb == "stream":
            return ["stream by pattern"] if "pattern" in op else []
        if verb in ("branch", "windowed", "cogroup", "emit_on_close", "global", "global_store"):
            return []
        if verb == "repartition" and "partitioner" in op:
            return ["stream repartition", "partitioner of repartition"]
        return [f"{kind} {verb}"] + (["null key by reference"] if op.get("key_ref") else [])

    def join(self, op):
        cells = [self.join_cell(op)] + (["join with a negative bound"] if min(op.get("before", 0), op.get("after", 0)) < 0 else [])
        if "fk" in op:
            cells += ["join foreign versioned"] if self.versioned[op["from"]] or self.versioned[op["with"]] else []
            return cells + (["partitioner of foreign-key join"] if {"partitioner", "other_partitioner"} & op.keys() else [])
        if op["f"] == "with_key":
            cells.append(f"joiner with the key, {self.kind[op['with']]}")
        return cells + (["joiner with the key by reference"] if op.get("key_ref") else [])

    def join_cell(self, op):
        left, right = op["from"], op["with"]
        kind = op["kind"]
        if "fk" in op:
            return f"join foreign {kind}"
        if self.kind[left] == "table":
            return f"join table {'versioned' if self.versioned[left] or self.versioned[right] else 'table'} {kind}"
        if self.kind[right] == "stream":
            return f"join self {kind}" if left == right else f"join stream stream {kind}"
        if self.kind[right] == "global":
            return f"join stream global {kind}"
        return f"join stream {'versioned grace' if 'grace' in op else 'versioned' if self.versioned[right] else 'table'} {kind}"

    def aggregate(self, op, kind, below):
        window = self.window[below]
        if kind == "cogroup":
            return ["cogroup" + (f" {window}" if window else "")] + (["versioned aggregate"] if "history" in op else [])
        out = [f"{window} {op['op']}" if window else f"{'stream group' if kind == 'group' else kind} {op['op']}"]
        if "history" in op:
            out.append("versioned aggregate" + (" of a table" if kind == "table group" else ""))
        if self.ops[below]["op"] == "emit_on_close":
            out.append(f"{window} emit on close")
        if self.readers[self.group_of(op)] > 1:
            out.append("two aggregates of one group")
        return out


def tapped(case):
    """The case with a topic behind each operator that others stand on, which shows what reaches these."""
    walk, ops = Walk(case), list(case["ops"])
    for at in sorted({op[field] for op in case["ops"] for field in ("from", "with") if field in op}):
        op, kind, shown = case["ops"][at], walk.kind[at], at
        if op["op"] == "group_by" and kind == "group":  # Under its new key.
            ops.append({"op": "select_key", "from": op["from"], "f": op["f"]})
            shown = len(ops) - 1
        elif kind == "table":
            ops.append({"op": "to_stream", "from": at})
            shown = len(ops) - 1
        elif kind != "stream":
            continue
        ops.append({"op": "to", "from": shown, "topic": f"tap{at}"})
    return dict(case, ops=ops)


class Reach:
    """What reaches each operator: (key, value, timestamp), of each stream that does."""

    def __init__(self, case, outcome):
        self.ops = case["ops"]
        self.nodes = case.get("nodes", [])
        self.taps = {name: [tuple(row[1:4]) for row in rows] for name, rows in outcome.get("out", {}).items() if name.startswith("tap")}
        self.inputs = collections.defaultdict(list)
        for row in case["inputs"]:
            if not isinstance(row, dict):
                self.inputs[row[0]].append(tuple(row[1:4]))

    def everywhere(self):
        return list(self.inputs.values())

    def by_nodes(self):
        return [self.inputs[node["topic"]] for node in self.nodes if node["node"] != "sink" and "topic" in node]

    def of(self, at):
        op = self.ops[at]
        topics = op.get("topics", [op["topic"]] if op["op"] in SOURCES else [])
        if op["op"] == "look_up":
            topics = [one["topic"] for one in self.ops if one.get("store") == op["store"] and one["op"] in SOURCES]
        return [self.inputs[topic] for topic in topics] + [rows for field in ("from", "with") if field in op for rows in self.behind(op[field])]

    def behind(self, at):
        """What an operator hands on; of a grouping, a split, a global table: what it was given."""
        return [self.taps[f"tap{at}"]] if f"tap{at}" in self.taps else self.of(at) if self.ops[at]["op"] in PASSING else []


# What has no records of its own to show, or, of a grouping by the key, the same.
PASSING = {"group_by", "group_by_key", "windowed", "emit_on_close", "cogroup", "split", "global"}


def properties(rows, late):
    """What these records of one stream have."""
    out, held, seen, newest = set(), set(), set(), -1
    for key, value, at in rows:
        if key is None:
            out.add("null keys")
        if value is None:
            out.add("null values")
            if key in held:
                out.add("tombstones")
        elif key is not None:
            held.add(key)
        if at is None:
            continue
        if at < newest:
            out.add("out of order")
        if at + late < newest:
            out.add("late")
        if at in seen:
            out.add("same time")
        seen.add(at)
        newest = max(newest, at)
    return out


def of_case(case, outcome):
    """Pairs of cell and property that a case covers, and (cell, None) for each of its cells. `outcome`: of tapped()."""
    out = set()
    walk, reach = Walk(case), Reach(case, outcome)
    given = case.get("handlers", {})
    cells = [(cell, reach.of(at), walk.late[at]) for cell, at in walk.cells()]
    cells += [(f"store {node['node'].replace('_', '-')}, node by node read", reach.by_nodes(), LATE_MS)
              for node in walk.nodes if node["node"] in ("read_only", "global")]
    whole = [f"handler {kind}" for kind in ("deserialization", "processing", "production") if kind in given]
    whole += ["handler dead letters"] if "dead" in given else []
    whole += ["handler after an output"] if case.get("focus") == "handlers.two_topics" else []
    whole += ["handler behind a cache"] if case.get("focus") == "handlers.cached" else []
    whole += [f"optimization {case['optimize']} alone"] if case.get("optimize") in REWRITES else []
    for cell, streams, late in cells + [(cell, reach.everywhere(), LATE_MS) for cell in whole]:
        out.add((cell, None))
        out |= {(cell, has) for rows in streams for has in properties(rows, late)}
    return out


def main():
    """How often each cell comes in so many cases."""
    import sys

    import engines
    import generate
    counts = collections.Counter()
    cases = [generate.case("1", number) for number in range(int(sys.argv[1]))]
    leat = engines.Program([sys.argv[2]])
    for case, outcome in zip(cases, leat.outcomes([tapped(case) for case in cases])):
        counts.update(of_case(case, outcome))
    leat.close()
    for cell in CELLS:
        print(f"{cell:32} {counts[cell, None]:6}", *(f"{counts[cell, one]:6}" for one in PROPERTIES))
    print({cell for cell, _ in counts} - set(CELLS))


if __name__ == "__main__":
    main()
