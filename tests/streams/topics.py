#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The internal topics of applications: names, partitions and configs beside those that Kafka Streams makes. See README.md.

    topics.py --fixed      the committed ones through Leat alone
    topics.py              Kafka Streams makes them on a real broker; compared with Leat's
    topics.py --fix        the same, and writes what it made to topics.jsonl
"""
import argparse
import json
import pathlib
import sys
import tempfile

import engines

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
FIXED = HERE / "topics.jsonl"
HOUR = 3_600_000


class Ops:
    """The operators of a case, as README.md has them; each call answers where its operator stands."""

    def __init__(self, app):
        self.app = app
        self.ops = []

    def __call__(self, op, on=None, **fields):
        self.ops.append({"op": op, **({} if on is None else {"from": on}), **fields})
        return len(self.ops) - 1

    def stream(self, *topics):
        return self("stream", topics=[f"{self.app}.{topic}" for topic in topics])

    def table(self, topic, **kept):
        return self("table", topic=f"{self.app}.{topic}", **kept)


def windows(do):
    grouped = do("group_by_key", do.stream("in"))
    for name, window in (("tumbling", {"window": "time", "size": 10, "grace": 3}),
                         ("hopping", {"window": "time", "size": HOUR, "advance": 5, "grace": HOUR}), ("sliding", {"window": "sliding", "size": 10, "grace": 3}), ("session", {"window": "session", "size": 7, "grace": 2}),
                         ("unlimited", {"window": "unlimited", "start": 5})):
        made = do("windowed", grouped, **window)
        for kept in ({}, {"memory": True}, {"retention": 2**63 - 1} if name == "unlimited" else {"retention": 3 * HOUR}):
            do("count", made, store=f"{name}{len(do.ops)}", **kept)
        if name != "unlimited":
            do("reduce", do("emit_on_close", made), f="concat", store=f"closed-{name}")
        if name == "tumbling":
            do("suppress", do("count", made, store="told"), until="close", name="until")
    do("suppress", do("count", grouped, store="plain"), until="time", ms=100)
    do("count", grouped, store="none", nolog=True)


def versions(do):
    table = do.table("table", store="versions", history=HOUR)
    do.table("other", store="short", history=0)
    do("join", do.stream("in"), kind="left", f="pair", grace=HOUR // 2, name="waits", **{"with": table})
    do("aggregate", do("group_by_key", do.stream("more")), f="collect", store="collected", history=5)
    do.table("latest", store="latest")


def stream_joins(do):
    left, right = do.stream("left"), do.stream("right")
    for kind in ("inner", "left", "outer"):
        do("join", left, kind=kind, f="pair", before=3, after=5, grace=7, **{"with": right})
        do("join", left, kind=kind, f="pair", before=3, after=HOUR, grace=0, name=f"by-{kind}", store=f"rows-{kind}", **{"with": right})
    do("join", left, kind="inner", f="pair", before=3, after=5, grace=7, **{"with": left})


def table_joins(do):
    orders, customers = do.table("orders", store="orders"), do.table("customers")
    do("join", orders, kind="inner", f="pair", fk="value", name="by", store="joined", **{"with": customers})
    do("join", orders, kind="left", f="pair", fk="first_letter", **{"with": customers})
    same = do.table("same")
    do("join", orders, kind="outer", f="pair", store="outer", **{"with": same})
    do("join", do("filter", same, f="has_a"), kind="left", f="pair", **{"with": orders})
    do("count", do("group_by", orders, k="value", f="id", name="regrouped"), store="counted")


def repartitions(do):
    stream = do.stream("in")
    do("count", do("group_by", stream, f="value", name="named"), store="counts")
    do("count", do("group_by", stream, f="first_letter"))
    do("repartition", stream, name="wide", partitions=7)
    do("repartition", stream)
    table = do.table("table")
    changed = do("select_key", stream, f="value")
    do("join", changed, kind="inner", f="pair", name="met", **{"with": table})
    do("to_table", changed, name="turned", store="turned")
    other = do("select_key", do.stream("other"), f="value")
    do("join", other, kind="outer", f="pair", before=3, after=5, grace=7, name="both", **{"with": do("map", do.stream("third"), k="value", f="id")})
    do("join", do("repartition", stream, name="five", partitions=5), kind="inner", f="pair", before=3, after=5, grace=7, name="fifth",
       **{"with": do("select_key", do.stream("fourth"), f="value")})


def behind_joins(do):
    """What a join makes of a width does not reach the topic behind it, whose own depends on the order of Java's hashes."""
    changed = do("select_key", do.stream("in"), f="value")
    joined = do("join", changed, kind="inner", f="pair", before=3, after=5, grace=7, name="by", **{"with": do.stream("other")})
    do("count", do("group_by", joined, f="value", name="behind"), store="counts")


def behind_tables(do):
    table = do.table("table", store="versions", history=HOUR)
    joined = do("join", do("select_key", do.stream("in"), f="value"), kind="left", f="pair", grace=HOUR // 2, name="waits", **{"with": table})
    counted = do("count", do("windowed", do("group_by", joined, f="value", name="behind"), window="session", size=7, grace=2), store="counts")
    turned = do("to_stream", counted, k="text")
    do("process", do("repartition", do("map_values", do("select_key", joined, f="first_letter"), f="upper"), name="far"), store="seen", name="sees")
    return turned


def shared_stores(do):
    """Processors that share a store may read topics of different widths."""
    do("process", do.stream("control"), store="rules", name="learns")
    data = do("repartition", do("select_key", do.stream("data"), f="value"), name="by-value")
    out = do("process", data, store="rules", shared=True, name="obeys")
    do("count", do("group_by", out, f="value", name="after"), store="counts")


def cogroups(do):
    one = do("cogroup", do("group_by", do.stream("one"), f="value", name="first"), f="collect")
    both = do("cogroup", one, f="collect", **{"with": do("group_by_key", do.stream("two"))})
    do("aggregate", both, f="collect", store="both")
    for name, window in (("time", {"window": "time", "size": 10, "grace": 3}), ("session", {"window": "session", "size": 7, "grace": 2})):
        plain = do("cogroup", do("group_by_key", do.stream(name)), f="collect")
        do("aggregate", do("windowed", plain, **window), f="collect", store=f"by-{name}")


def mixed(do):
    windows(do)
    table = do.table("table", store="versions", history=HOUR)
    changed = do("select_key", do.stream("left"), f="value")
    do("join", changed, kind="left", f="pair", grace=HOUR // 2, name="waits", **{"with": table})
    do("join", changed, kind="outer", f="pair", before=3, after=5, grace=7, name="by", **{"with": do("select_key", do.stream("right"), f="value")})


TOPIC_SETTINGS = {f"topic.{name}": value for name, value in (
    ("retention.ms", "1234567"), ("min.compaction.lag.ms", "77"), ("segment.bytes", "1048576"), ("message.timestamp.type", "LogAppendTime"))}
# Name: operators, partitions of the input, and more of the case.
CASES = {
    "windows": (windows, {"in": 2}, {}),
    "windows-in-memory": (windows, {"in": 1}, {"in_memory": True}),
    "versions": (versions, {"table": 2, "other": 1, "in": 2, "more": 3, "latest": 1}, {}),
    "stream-joins": (stream_joins, {"left": 2, "right": 2}, {}),
    "stream-joins-in-memory": (stream_joins, {"left": 2, "right": 2}, {"in_memory": True, "optimize": True}),
    "table-joins": (table_joins, {"orders": 2, "customers": 5, "same": 2}, {}),
    "table-joins-optimized": (table_joins, {"orders": 2, "customers": 5, "same": 2}, {"optimize": True}),
    "repartitions": (repartitions, {"in": 6, "table": 3, "other": 2, "third": 4, "fourth": 3}, {}),
    "repartitions-optimized": (repartitions, {"in": 6, "table": 3, "other": 2, "third": 4, "fourth": 3}, {"optimize": True}),
    **{f"behind-joins{end}": (behind_joins, {"in": 6, "other": 3}, {}) for end in ("", "-2", "-three", "-fourth")},
    "behind-joins-optimized": (behind_joins, {"in": 4, "other": 7}, {"optimize": True}),
    **{f"behind-tables{end}": (behind_tables, {"in": 8, "table": 5}, {}) for end in ("", "-2", "-three")},
    "shared-stores": (shared_stores, {"control": 1, "data": 6}, {}),
    "cogroups": (cogroups, {"one": 3, "two": 3, "time": 2, "session": 1}, {}),
    "settings": (mixed, {"in": 2, "table": 3, "left": 2, "right": 3},
                 {"settings": TOPIC_SETTINGS | {"windowstore.changelog.additional.retention.ms": "1000"}}),
    "policy": (mixed, {"in": 2, "table": 3, "left": 2, "right": 3},
               {"settings": {"topic.cleanup.policy": "compact", "windowstore.changelog.additional.retention.ms": "9000000000000000"}}),
}


def cases():
    for name, (declare, topics, more) in CASES.items():
        do = Ops(name)
        declare(do)
        yield {"id": name, "app": name, "topics": {f"{name}.{topic}": count for topic, count in topics.items()}, "ops": do.ops, **more}


def differences(java, leat):
    """Lines that say where the topics of two outcomes differ."""
    if "topics" not in java or "topics" not in leat:
        return [f"java: {java}", f"leat: {leat}"]
    a, b = java["topics"], leat["topics"]
    out = [f"error: java {a.get('error')}, leat {b.get('error')}"] if "error" in a or "error" in b else []
    for name in sorted((a.keys() | b.keys()) - {"error"}):
        if a.get(name) != b.get(name):
            out.append(f"{name}:\n  java: {json.dumps(a.get(name), sort_keys=True)}\n  leat: {json.dumps(b.get(name), sort_keys=True)}")
    return out


def ask_java(asked):
    from kafka_node import KafkaNode, Unavailable
    try:
        with tempfile.TemporaryDirectory() as place, KafkaNode(pathlib.Path(place) / "kafka", heap="512m") as node:
            java = engines.Program([*engines.java_command(), f"{place}/state", node.address])
            try:
                return java.outcomes(asked)
            finally:
                java.close()
    except Unavailable as why:
        raise engines.Unavailable(str(why)) from why


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(HERE.parents[1] / "build/dev/tests/streams/streams_case_runner"))
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--fix", action="store_true")
    options = parser.parse_args()
    asked = list(cases())
    leat = engines.Program([options.binary])
    try:
        mine = leat.outcomes(asked)
    finally:
        leat.close()
    try:
        java = ask_java(asked) if not options.fixed else [json.loads(line) for line in FIXED.read_text().splitlines()]
    except engines.Unavailable as why:
        print(f"streams: {why}", file=sys.stderr)
        return 3
    if [row["id"] for row in java] != [case["id"] for case in asked]:
        print(f"{FIXED.name} holds other cases than these: topics.py --fix")
        return 1
    failed = 0
    for theirs, ours in zip(java, mine):
        found = differences(theirs, ours)
        failed += bool(found)
        if found:
            print(f"-- {theirs['id']}\n   " + "\n   ".join(found))
    if options.fix:
        FIXED.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in java))
    print(f"{len(java)} applications, {sum(len(row.get('topics', {})) for row in java)} internal topics, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
