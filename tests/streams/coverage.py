# SPDX-License-Identifier: Apache-2.0
"""What cases cover: cells (operators, join cells, kinds of windows, handlers) by what the input that reaches them has."""
import collections

import generate
from cases import SOURCES

WINDOWS = ("tumbling", "hopping", "sliding", "session", "unlimited")
PROPERTIES = ("null keys", "null values", "out of order", "late", "same time", "tombstones")
# How far behind its topic's time a record is late: behind the end of most windows of the cases.
LATE_MS = 10

CELLS = tuple(sorted(
    ["stream " + verb for verb in ("filter", "filter_not", "map", "map_values", "flat_map", "flat_map_values", "select_key", "peek", "foreach",
                                   "merge", "split", "repartition", "process", "process_values", "to", "to per record", "to_table",
                                   "group_by_key", "group_by", "by pattern")]
    + ["punctuate stream time", "punctuate wall clock", "two processors on one store", "two aggregates of one group"]
    + ["table " + verb for verb in ("source", "versioned", "filter", "filter_not", "map_values", "group_by", "to_stream", "to_stream by key")]
    + [f"{group} {verb}" for group in ("stream group", "table group") for verb in ("count", "reduce", "aggregate")]
    + [f"{window} {verb}" for window in WINDOWS for verb in ("count", "reduce", "aggregate")]
    + [f"{window} emit on close" for window in WINDOWS if window != "unlimited"]
    + ["cogroup"] + [f"cogroup {window}" for window in WINDOWS]
    + [f"suppress {how}" for how in ("until close", "until time", "records", "bytes", "shut down")]
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
        self.topics = []    # What reaches it.
        self.readers = collections.Counter(self.group_of(op) for op in self.ops if op["op"] in ("count", "reduce", "aggregate"))
        for op in self.ops:
            above = [op[field] for field in ("from", "with") if field in op]
            own = op.get("topics", [op["topic"]] if op["op"] in SOURCES else [])
            if op["op"] == "look_up":
                own = [one["topic"] for one in self.ops if one.get("store") == op["store"] and one["op"] in SOURCES]
            self.topics.append(set(own).union(*(self.topics[at] for at in above)))
            self.window.append(window_of(op) if op["op"] == "windowed" else self.window[above[0]] if above and op["op"] in
                               ("emit_on_close", "count", "reduce", "aggregate") else None)
            self.versioned.append("history" in op or bool(above) and op["op"] in ("filter", "filter_not", "map_values")
                                  and self.versioned[above[0]])
            self.kind.append(self.kind_of(op, above))

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
        """(cell, topics whose input reaches it)."""
        for at, op in enumerate(self.ops):
            for cell in self.cells_of(op, at) + (self.cached(op) if self.is_cached else []):
                yield cell, self.topics[at]
        for node in self.nodes:
            if node["node"] in ("read_only", "global"):
                yield f"store {node['node'].replace('_', '-')}, node by node read", {one["topic"] for one in self.nodes if one["node"] != "sink" and "topic" in one}

    def cached(self, op):
        """Of an aggregate or a processor's store whose updates are held back."""
        if op["op"] in ("count", "reduce", "aggregate") and not op.get("nocache"):
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
        if verb == "join":
            return self.join(op)
        if verb in ("count", "reduce", "aggregate"):
            return self.aggregate(op, kind, below)
        if verb == "suppress":
            if op["until"] == "close":
                return ["suppress until close"]
            return ["suppress " + ("shut down" if op.get("strict") else "records" if "max_records" in op else "bytes" if "max_bytes" in op
                                   else "until time")]
        if op.get("older") or verb == "through":
            return ["older " + verb.removesuffix("_values")]
        if verb == "look_up":
            return [f"store {self.kind_of_store(op)} read"]
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
        cells = [self.join_cell(op)]
        if "fk" in op:
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
            return ["cogroup" + (f" {window}" if window else "")]
        out = [f"{window} {op['op']}" if window else f"{'stream group' if kind == 'group' else kind} {op['op']}"]
        if self.ops[below]["op"] == "emit_on_close":
            out.append(f"{window} emit on close")
        if self.readers[self.group_of(op)] > 1:
            out.append("two aggregates of one group")
        return out


def properties(inputs, topics):
    """What the records of these topics have."""
    out, times, held = set(), collections.defaultdict(list), set()
    for row in inputs:
        if isinstance(row, dict) or row[0] not in topics:
            continue
        topic, key, value, at = row[:4]
        if key is None:
            out.add("null keys")
        if value is None:
            out.add("null values")
            if (topic, key) in held:
                out.add("tombstones")
        elif key is not None:
            held.add((topic, key))
        seen = times[topic]
        if seen and at < max(seen):
            out.add("out of order")
            if at + LATE_MS < max(seen):
                out.add("late")
        if at in seen:
            out.add("same time")
        seen.append(at)
    return out


def of_case(case):
    """Pairs of cell and property that a case covers, and (cell, None) for each of its cells."""
    out = set()
    given = case.get("handlers", {})
    reaches = list(Walk(case).cells())
    everywhere = {row[0] for row in case["inputs"] if not isinstance(row, dict)}
    reaches += [(f"handler {kind}", everywhere) for kind in ("deserialization", "processing", "production") if kind in given]
    reaches += [("handler dead letters", everywhere)] if "dead" in given else []
    reaches += [("handler after an output", everywhere)] if case.get("focus") == "handlers.two_topics" else []
    reaches += [("handler behind a cache", everywhere)] if case.get("focus") == "handlers.cached" else []
    for cell, topics in reaches:
        out.add((cell, None))
        out |= {(cell, has) for has in properties(case["inputs"], topics)}
    return out


if __name__ == "__main__":
    import sys
    counts = collections.Counter()
    for number in range(int(sys.argv[1])):
        counts.update(of_case(generate.case("1", number)))
    for cell in CELLS:
        print(f"{cell:32} {counts[cell, None]:6}", *(f"{counts[cell, one]:6}" for one in PROPERTIES))
    print({cell for cell, _ in counts} - set(CELLS))
