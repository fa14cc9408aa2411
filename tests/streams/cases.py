# SPDX-License-Identifier: Apache-2.0
"""Parts of cases: some of their operators with the input that these read."""
import copy

# Operators that read the topic they name.
SOURCES = ("table", "global", "global_store")


def topics_read(case):
    """Topics that a case pipes its input to."""
    topics = {t for op in case["ops"] for t in op.get("topics", [op["topic"]] if op["op"] in SOURCES else [])}
    return topics | {node["topic"] for node in case.get("nodes", []) if node["node"] != "sink" and "topic" in node}


def keep_ops(case, kept):
    """The case with these operators only, and the input that they read."""
    places = {at: place for place, at in enumerate(kept)}
    smaller = copy.deepcopy(case)
    smaller["ops"] = [smaller["ops"][at] for at in kept]
    for op in smaller["ops"]:
        for field in ("from", "with"):
            if field in op:
                op[field] = places[op[field]]
    topics = topics_read(smaller)
    smaller["inputs"] = [i for i in smaller["inputs"] if isinstance(i, dict) or i[0] in topics]
    return smaller


def steps_of(case, smaller):
    """Which inputs of a case are those of a part of it."""
    topics = topics_read(smaller)
    return [step for step, row in enumerate(case["inputs"]) if isinstance(row, dict) or row[0] in topics]


def above(ops, index):
    """An operator and all that it stands on."""
    out = {index}
    for at in range(index, -1, -1):
        if at in out:
            out |= {ops[at][field] for field in ("from", "with") if field in ops[at]}
    return sorted(out)


def below(ops, indices):
    """Operators and all that stands on them, or shares a store with such."""
    out, before = set(indices), None
    while before != len(out):
        before = len(out)
        stores = {ops[at]["store"] for at in out if "store" in ops[at]}
        out |= {at for at, op in enumerate(ops) if op.get("from") in out or op.get("with") in out or op.get("store") in stores}
    return out
