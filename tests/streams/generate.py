# SPDX-License-Identifier: Apache-2.0
"""Random cases: a topology around one operator, and input of a kind that tends to find differences. The same seed gives the same cases.

A topology is grown from sources towards the operator that is asked for (the focus) and from there to a topic; what stands before and
behind it is random too. Kinds of places: S stream, T table, each as SV (keys and values are Values), SN (values are numbers), WV and WN
(keys are windowed); G grouped stream, GT grouped table, W windowed group, C cogrouped, K global table.
"""
import random

import edges
from cases import above
from vocabulary import FLAVOURS, GATHERERS, JOINERS, KEYS, KEYS_BY_REFERENCE, LISTS, PREDICATES, REDUCERS, REWRITES, TABLE_JOINERS, TIMES, VALUES, WORDS

# Longer than the input of a case: what a cache has kept is then still kept where Kafka Streams' stores forget it.
FOR_EVER = 100_000_000
# How often a case is one that build() refuses, where it might be: suppress() over a table with a history.
REFUSED = 0.02


class Grower:
    """One case."""

    def __init__(self, rng, flavour):
        self.rng = rng
        self.flavour = flavour
        self.ops = []
        self.topics = []
        self.names = 0
        self.optimize = self.pick((True, True, *REWRITES)) if rng.random() < 0.2 else None
        self.memory = rng.random() < 0.2
        self.handlers = {}
        self.bad_bytes = 0.0  # Of records, that are no values.
        self.moves = 0.05  # Of records, behind which the wall clock moves.
        self.boom = False  # Whether mistakes of users' functions come often.
        self.outs = 0
        self.throughs = 0
        self.nodes = []  # What is added to the topology node by node.
        self.widths = None  # Partitions of all topics, as partitioners see it.
        self.cached = False  # Whether stores hold back their updates.

    def add(self, op, source=None, other=None, **fields):
        row = {"op": op}
        if source is not None:
            row["from"] = source
        if other is not None:
            row["with"] = other
        row.update({name: value for name, value in fields.items() if value is not None})
        self.ops.append(row)
        return len(self.ops) - 1

    def add_node(self, node, name, **fields):
        self.nodes.append({"node": node, "name": name} | {field: value for field, value in fields.items() if value is not None})

    def wide(self):
        """From here on partitioners may have several partitions to choose from."""
        self.widths = self.widths or self.pick((1, 2, 3, 5))

    def pick(self, options):
        return self.rng.choice(options)

    def name(self, chance=0.2):
        """A name for an operator, now and then."""
        if self.rng.random() >= chance:
            return None
        self.names += 1
        return f"n{self.names}"

    def store(self, chance=0.5):
        if self.rng.random() >= chance:
            return None
        self.names += 1
        return f"st{self.names}"

    def kept(self, at, chance=0.5, versions=0.15):
        if self.ops[at]["op"] not in ("windowed", "emit_on_close") and self.rng.random() < versions:
            return self.versioned()
        fields = {"store": self.store(chance)}
        if self.cached:
            fields |= self.kept_long(at)
        if self.memory:
            fields["memory"] = True
        if self.rng.random() < 0.05:
            fields["nolog"] = True
        if self.rng.random() < 0.05:
            fields["keep"] = True
        return fields

    def kept_long(self, at):
        """Of windows that are cached: a store in which none of them is over. What is cached Kafka Streams shows for longer than its stores do."""
        fields = {"nocache": True} if self.rng.random() < 0.15 else {}
        while self.ops[at]["op"] in ("emit_on_close", "cogroup"):
            at = self.ops[at]["from"]
        if self.ops[at]["op"] == "windowed" and self.ops[at]["window"] != "unlimited":
            fields["retention"] = FOR_EVER
        return fields

    def named(self, chance=0.4):
        """How a table is kept whose store may have no name: then nothing else is said of it."""
        store = self.store(chance)
        if store is None:
            return {}
        return {"store": store, "memory": True} if self.memory else {"store": store}

    def versioned(self):
        """How a table with a history is kept."""
        self.names += 1
        return {"store": f"st{self.names}", "history": self.pick((5, 20, 20, 100, 1000))}

    def read(self, time=0.05):
        """How a source is read."""
        return {"name": self.name(0.1), "time": self.pick(TIMES) if self.rng.random() < time else None}

    def topic(self):
        self.topics.append(f"in{len(self.topics) + 1}")
        return self.topics[-1]

    # Places of a kind, grown from sources.

    def stream(self, depth=2):
        rng = self.rng
        if depth > 0 and rng.random() < 0.55:
            return STREAM_VERBS[self.pick(sorted(STREAM_VERBS))](self, self.stream(depth - 1))
        topics = [self.topic()]
        if rng.random() < 0.1:
            topics.append(self.topic())
        return self.add("stream", topics=topics, **self.read())

    def grouped(self, depth=1, named=0.2):
        at = self.stream(depth)
        if self.rng.random() < 0.5:
            return self.add("group_by_key", at, name=self.name(named))
        return self.add("group_by", at, f=self.pick(KEYS), name=self.name(named))

    def table(self, depth=1):
        rng = self.rng
        if "table" not in self.enabled or rng.random() < 0.15:
            return self.gather(self.grouped(depth - 1), "reduce")
        if depth > 0 and rng.random() < 0.4:
            return TABLE_VERBS[self.pick(sorted(TABLE_VERBS))](self, self.table(depth - 1))
        return self.source_table()

    def versioned_table(self):
        at = self.add("table", topic=self.topic(), **self.versioned(), **self.read())
        if self.rng.random() < 0.2:
            at = TABLE_VERBS[self.pick(sorted(TABLE_VERBS))](self, at)
        return at

    def history(self):
        """A table with a history of any kind."""
        made = self.rng.random()
        if made < 0.15:
            return self.add("to_table", self.stream(1), **self.versioned(), name=self.name())
        if made < 0.3:
            verb = self.pick(("reduce", "aggregate"))
            return self.add(verb, self.grouped(), f=self.pick(REDUCERS if verb == "reduce" else GATHERERS), **self.versioned(), name=self.name())
        return self.add("table", topic=self.topic(), **self.versioned(), **self.read())

    def source_table(self):
        return self.add("table", topic=self.topic(), **self.named(0.5), **self.read())

    def grouped_table(self):
        return self.add("group_by", self.table(), k=self.pick(KEYS[:5]), f=self.pick(VALUES[:5]), name=self.name())

    def window(self, kind=None):
        rng = self.rng
        kind = kind or self.pick([k for k in ("tumbling", "hopping", "sliding", "session", "unlimited") if k in self.enabled])
        size = self.pick((1, 5, 10, 10, 30))
        grace = self.pick((0, 0, 3, 10, 100))
        if kind == "unlimited":
            return {"window": "unlimited", "start": self.pick((0, 0, 10))}
        if kind == "hopping":
            return {"window": "time", "size": max(size, 5), "advance": self.pick((1, 2, 3, 5)), "grace": grace}
        return {"window": "time" if kind == "tumbling" else kind, "size": size, "grace": grace}

    def windowed(self, kind=None):
        return self.add("windowed", self.grouped(), **self.window(kind))

    def joiner(self, kind=None):
        """What makes the value of a stream's join. It may take the key too: by reference where it is never null, or where nobody looks at it."""
        f = self.pick(JOINERS)
        if f == "boom" and "dead" in self.handlers:
            f = "pair"  # Several results of a record of which one fails: is_told_together().
        by_reference = self.rng.random() < 0.3 and (kind == "inner" or f != "with_key")
        return {"f": f, "key_ref": True if by_reference else None}

    def gather(self, at, verb=None, versions=0.15):
        verb = verb or self.pick(("count", "reduce", "aggregate"))
        f = {"count": None, "reduce": self.pick(REDUCERS), "aggregate": self.pick(GATHERERS)}[verb]
        return self.add(verb, at, f=f, **self.kept(at, versions=versions), name=self.name())

    # From a place to a topic.

    def end_stream(self, at, numbers=False, windowed=False):
        rng = self.rng
        if numbers and rng.random() < 0.3:
            at, numbers = self.add("map_values", at, f=self.pick(VALUES[:6]), name=self.name()), False
        if windowed and rng.random() < 0.3:
            at, windowed = self.add("select_key", at, f="text", name=self.name()), False
        if not numbers and not windowed and rng.random() < 0.4:
            at = STREAM_VERBS[self.pick(sorted(STREAM_VERBS))](self, at)
        if rng.random() < 0.1:
            self.add("peek", at)
        strict = True if self.handlers.get("production") is not None and not numbers and not windowed and not self.is_told_together(at) else None
        self.outs += 1
        self.add("to", at, topic=f"out{self.outs}", name=self.name(0.1), strict=strict)

    def is_told_together(self, at):
        """Whether one of several results of a record may fail behind another: of those, letters differ (edges.two_topics()). Windows that close are
        such, what is made several twice ("x", which cannot be written, is the first of its words), and what is made of a record that another
        output is made of too, as two aggregates of one group are."""
        places = set(above(self.ops, at))
        verbs = [self.ops[place]["op"] for place in places]
        return ("emit_on_close" in verbs or sum(verb.startswith("flat_") for verb in verbs) > 1
                or any(op["op"] == "to" and not places.isdisjoint(above(self.ops, op["from"])) for op in self.ops))

    def end_table(self, at, numbers=False, windowed=False):
        if not windowed and self.rng.random() < 0.15:
            at = self.add("to_stream", at, k="text", name=self.name())
        else:
            at = self.add("to_stream", at, name=self.name())
        self.end_stream(at, numbers, windowed)

    # Input.

    def inputs(self):
        """Records of all topics. What a topic's are like: the case's flavour, and one or two of the others."""
        rng = self.rng
        keys = ("a", "b", "c")[:rng.randint(1, 3)]
        now, out = rng.randint(0, 20), []
        largest_step = self.pick((3, 8, 30))
        like = {topic: {self.flavour} if self.flavour == "plain" else {self.flavour, *rng.choices(FLAVOURS, k=2)} for topic in self.topics}
        queue = [topic for topic in self.topics for _ in range(rng.randint(3, 12))] + [self.topics[0]] * rng.randint(1, 8)
        rng.shuffle(queue)
        for topic in queue:
            is_like = like[topic]
            if "same time" not in is_like or rng.random() < 0.3:
                now += rng.randint(0, largest_step)
            if rng.random() < 0.02:
                now += 100_000 if rng.random() < 0.3 else 1000
            at = now
            if rng.random() < (0.4 if "out of order" in is_like else 0.05):
                at = max(0, now - rng.randint(1, 12))
            if rng.random() < (0.4 if "late" in is_like else 0.05):
                at = max(0, now - (rng.randint(12, 120) if rng.random() < 0.7 else rng.randint(100, 1500)))
            key, value = self.pick(keys), self.pick(WORDS)
            if rng.random() < (0.3 if "null keys" in is_like else 0.02):
                key = None
            if rng.random() < (0.35 if is_like & {"null values", "tombstones"} else 0.04):
                value = None
            if value == "boom" and rng.random() < (0.3 if self.boom else 0.93):
                value = "ba"
            if rng.random() < self.bad_bytes:
                value = {"bytes": self.pick(("zz", "i1", ""))}
            row = [topic, key, value, at]
            if rng.random() < 0.1:
                row.append([["h", self.pick(("1", "2", None))]])
            out.append(row)
            if rng.random() < self.moves:
                out.append({"advance": self.pick((1, 10, 1000))})
        if rng.random() < 0.01:
            out.append([self.pick(self.topics), "a", {"bytes": "zz"}, now])
        return out


STREAM_VERBS = {
    "filter": lambda g, at: g.add("filter", at, f=g.pick(PREDICATES), name=g.name()),
    "filter_not": lambda g, at: g.add("filter_not", at, f=g.pick(PREDICATES), name=g.name()),
    "map_values": lambda g, at: g.add("map_values", at, f=g.pick(VALUES), name=g.name()),
    "flat_map_values": lambda g, at: g.add("flat_map_values", at, f=g.pick(LISTS), name=g.name()),
    "map": lambda g, at: g.add("map", at, k=g.pick(KEYS), f=g.pick(VALUES), name=g.name()),
    "flat_map": lambda g, at: g.add("flat_map", at, k=g.pick(KEYS), f=g.pick(LISTS), name=g.name()),
    "select_key": lambda g, at: g.add("select_key", at, f=g.pick(KEYS), name=g.name()),
    "peek": lambda g, at: g.add("peek", at, name=g.name()),
    "merge": lambda g, at: g.add("merge", at, g.stream(1), name=g.name()),
    "split": lambda g, at: split(g, at),
    "repartition": lambda g, at: g.add("repartition", at, name=g.name(), partitions=g.pick((None, None, 1, 3))),
    "process_values": lambda g, at: process(g, at, "process_values"),
    "process": lambda g, at: process(g, at),
}
TABLE_VERBS = {
    "filter": lambda g, at: g.add("filter", at, f=g.pick(PREDICATES), **g.named(), name=g.name()),
    "filter_not": lambda g, at: g.add("filter_not", at, f=g.pick(PREDICATES), **g.named(), name=g.name()),
    "map_values": lambda g, at: g.add("map_values", at, f=g.pick(VALUES[:6]), **g.named(), name=g.name()),
}


def split(g, at, all_of_them=False):
    """A branch of a split; with the others, each to a topic of its own, if asked for."""
    branches = [[g.pick(PREDICATES)] + ([letter] if g.rng.random() < 0.3 else []) for letter in "xyz"[:g.rng.randint(1, 3)]]
    default = True if g.rng.random() < 0.6 else None
    whole = g.add("split", at, branches=branches, default=default, name=g.name())
    names = [one[1] if len(one) > 1 else str(number + 1) for number, one in enumerate(branches)] + (["0"] if default else [])
    if all_of_them:
        for name in names[1:]:
            g.end_stream(g.add("branch", whole, branch=name))
        return g.add("branch", whole, branch=names[0])
    return g.add("branch", whole, branch=g.pick(names))


def process(g, at, verb="process", **fields):
    g.names += 1
    kept = {"memory": True if g.memory else None, "nolog": True if g.rng.random() < 0.05 else None,
            "cached": True if g.cached and g.rng.random() < 0.7 else None}
    marks = True if verb == "process" and g.rng.random() < 0.3 else None
    return g.add(verb, at, store=f"st{g.names}", name=g.name(), marks=marks, **kept, **fields)


def focus_split(g):
    g.end_stream(split(g, g.stream(), True))


def focus_punctuate(clock):
    def grow(g):
        wall = True if clock == "wall" else None
        if wall:
            g.moves = 0.3
        read, every = g.stream(1), g.pick((1, 5, 10, 100))
        at = process(g, read, every=every, wall=wall, times=g.pick((None, None, 1, 2)))
        # Several that are due at one time.
        for _ in range(g.pick((0, 0, 0, 2, 3))):
            at = g.add("merge", at, process(g, read, every=every, wall=wall), name=g.name())
        g.end_stream(at)
    return grow


def focus_keeping(kind):
    """A processor with a store whose rows have times."""
    def grow(g):
        g.names += 1
        size = g.pick((3, 10))
        fields = {"windows": {"size": size, "timed": True if g.rng.random() < 0.4 else None}, "sessions": {"size": size}, "versions": {}}[kind]
        kept = {"memory": True if g.rng.random() < 0.4 and kind != "versions" else None, "nolog": True if g.rng.random() < 0.05 else None,
                "all": True if g.rng.random() < 0.4 and kind != "sessions" else None, "backward": True if g.rng.random() < 0.3 and kind == "windows" else None}
        g.end_stream(g.add("process", g.stream(), keeps=kind, store=f"st{g.names}", retention=g.pick((10, 30, 100, 1000)), **fields, **kept, name=g.name()))
    return grow


def focus_shared_store(g):
    """Two processors on one store, which makes one sub-topology of them."""
    first = process(g, g.stream(1))
    store = g.ops[first]["store"]
    second = g.add("process", g.stream(1), store=store, shared=True, name=g.name())
    g.end_stream(first)
    g.end_stream(second)


def focus_pattern(g):
    letter = "pqr"[sum("pattern" in op for op in g.ops)]
    topics = [f"{letter}{number}" for number in range(g.rng.randint(1, 3))]
    g.topics += topics
    pattern, read = g.pick((f"{letter}.*", f"{letter}[0-9]")), g.read()
    if read["time"] == "partition":
        read["time"] = None  # Kafka Streams' driver takes all topics of a pattern for one partition.
    g.end_stream(g.add("stream", pattern=pattern, topics=topics, **read))


def focus_self_join(kind):
    def grow(g):
        at = g.stream()
        other = at if g.rng.random() < 0.7 else g.stream(1)
        if kind == "inner" and g.optimize is None and g.rng.random() < 0.4:
            g.optimize = "single.store.self.join"
        before, after = g.pick(((5, 5), (10, 10), (0, 10), (1, 3), (0, 0), (-2, 8), (8, -2)))
        grown = g.add("join", at, other, kind=kind, before=before, after=after, grace=g.pick((0, 3, 10)), **g.joiner(kind),
                      store=g.store(0.2), name=g.name())
        if other != at:  # The same stream in two joins.
            kind_ = g.pick(("inner", "left"))
            g.end_stream(g.add("join", at, g.table(), kind=kind_, **g.joiner(kind_), name=g.name()))
        g.end_stream(grown)
    return grow


def focus_two_aggregates(g):
    """Two aggregates of one grouped stream."""
    at = g.grouped(named=0.5)
    for verb in ("count", g.pick(("count", "reduce", "aggregate"))):
        window = g.window() if g.rng.random() < 0.3 else None
        group = g.add("windowed", at, **window) if window else at
        g.end_table(g.gather(group, verb), numbers=verb == "count", windowed=window is not None)


def focus_foreign(kind):
    def grow(g):
        left, right = (g.history() if g.rng.random() < 0.3 else g.table() for _ in range(2))
        fk = g.pick(("value", "first_letter", "constant", "key", "null_if_b", "first_letter"))
        g.end_table(g.add("join", left, right, kind=kind, fk=fk, f=g.pick(TABLE_JOINERS), store=g.store(0.4), name=g.name()))
    return grow


def focus_versioned(g):
    at = g.versioned_table()
    if g.rng.random() < 0.5:
        at = TABLE_VERBS[g.pick(sorted(TABLE_VERBS))](g, at)
    g.end_table(at)


def focus_versioned_group(verb):
    def grow(g):
        at = g.add("group_by", g.versioned_table(), k=g.pick(KEYS[:5]), f=g.pick(VALUES[:5]), name=g.name())
        g.end_table(g.gather(at, verb), numbers=verb == "count")
    return grow


def focus_versioned_join(kind):
    def grow(g):
        left = g.versioned_table()
        right = g.versioned_table() if g.rng.random() < 0.7 else g.table()
        if g.rng.random() < 0.3:
            left, right = right, left
        g.end_table(g.add("join", left, right, kind=kind, f=g.pick(TABLE_JOINERS), **g.named(), name=g.name()))
    return grow


def focus_as_of_join(kind, waits):
    def grow(g):
        left = g.stream(1)
        right = g.history()
        # The history must not be shorter than the wait.
        grace = g.pick([n for n in (0, 3, 10, 50) if n <= g.ops[right]["history"]]) if waits else None
        g.end_stream(g.add("join", left, right, kind=kind, **g.joiner(kind), grace=grace, name=g.name()))
    return grow


def focus_room(how):
    """Suppression in a buffer that is too small: what is oldest goes out, or the task ends."""
    def grow(g):
        verb = g.pick(("count", "reduce", "aggregate"))
        windowed = g.rng.random() < 0.3
        at = g.gather(g.windowed() if windowed else g.grouped(), verb, versions=REFUSED)
        room = {"max_records": g.pick((0, 1, 2, 3))} if how == "records" or g.rng.random() < 0.5 and how == "shut_down" else \
            {"max_bytes": g.pick((0, 100, 200, 400))}
        if how == "shut_down":
            room = {name: size * 3 for name, size in room.items()} | {"strict": True}
        nolog = True if g.rng.random() < 0.1 else None
        at = g.add("suppress", at, until="time", ms=g.pick((1, 10, 30)), **room, nolog=nolog, name=g.name())
        g.end_table(at, numbers=verb == "count", windowed=windowed)
    return grow


def focus_handlers(kind):
    def grow(g):
        goes_on = g.rng.random() < 0.8
        g.handlers[kind] = goes_on
        if g.rng.random() < 0.6:
            g.handlers["dead"] = "dead"
        if kind == "deserialization":
            g.bad_bytes = 0.12
            g.end_stream(g.stream())
        elif kind == "processing":
            at = g.add("map_values", g.stream(1), f="boom", name=g.name())
            g.boom = True
            g.end_stream(at)
        else:
            g.end_stream(g.stream())
    return grow


def focus_stream(verb):
    return lambda g: g.end_stream(STREAM_VERBS[verb](g, g.stream()))


def focus_gather(verb, window=None):
    def grow(g):
        at = g.windowed(window) if window else g.grouped()
        g.end_table(g.gather(at, verb), numbers=verb == "count", windowed=window is not None)
    return grow


def focus_emit(window):
    def grow(g):
        at = g.add("emit_on_close", g.windowed(window))
        verb = g.pick(("count", "reduce", "aggregate"))
        g.end_table(g.gather(at, verb), numbers=verb == "count", windowed=True)
    return grow


def focus_cogroup(window):
    def grow(g):
        f = g.pick(GATHERERS)
        # Kafka Streams refuses two inputs that go through a repartition topic without a name.
        at = g.add("cogroup", g.grouped(named=0.9), f=f)
        for _ in range(g.rng.randint(0, 2)):
            at = g.add("cogroup", at, g.grouped(named=0.9), f=f)
        # Kafka Streams also compares the partitions of a topic above the one that group_by() makes with those of the other inputs (streams-differences.md).
        if any(op["op"] == "group_by" for op in g.ops):
            for op in g.ops:
                if op["op"] == "repartition":
                    op.pop("partitions", None)
        if window:
            at = g.add("windowed", at, **g.window(window))
        at = g.add("aggregate", at, f=f, **g.kept(at), name=g.name())
        g.end_table(at, windowed=window is not None)
    return grow


def focus_suppress(until):
    def grow(g):
        window = g.pick(("tumbling", "hopping", "sliding", "session")) if until == "close" or g.rng.random() < 0.5 else None
        at = g.add("windowed", g.grouped(), **g.window(window)) if window else g.grouped()
        verb = g.pick(("count", "reduce", "aggregate"))
        at = g.gather(at, verb, versions=REFUSED)
        fields = {"until": "close"} if until == "close" else {"until": "time", "ms": g.pick((1, 10, 30))}
        if until == "time" and g.rng.random() < 0.4:
            fields["max_records"] = g.pick((1, 2, 3))
        at = g.add("suppress", at, **fields, name=g.name())
        g.end_table(at, numbers=verb == "count", windowed=window is not None)
    return grow


def focus_table(verb):
    return lambda g: g.end_table(TABLE_VERBS[verb](g, g.table()))


def focus_source_table(g):
    g.end_table(g.source_table())


def focus_to_table(g):
    at = g.stream()
    g.end_table(g.add("to_table", at, **(g.versioned() if g.rng.random() < 0.4 else g.named()), name=g.name()))


def focus_group_table(verb):
    return lambda g: g.end_table(g.gather(g.grouped_table(), verb), numbers=verb == "count")


def focus_table_join(kind):
    def grow(g):
        left, itself = g.table(), g.rng.random() < 0.15
        if itself and g.rng.random() < 0.5:
            left = g.add("suppress", left, until="time", ms=g.pick((0, 1, 10)), name=g.name())
        right = TABLE_VERBS[g.pick(sorted(TABLE_VERBS))](g, left) if itself else g.table()
        at = g.add("join", left, right, kind=kind, f=g.pick(TABLE_JOINERS), **g.named(), name=g.name())
        g.end_table(at)
    return grow


def focus_stream_table_join(kind):
    def grow(g):
        left, right = g.stream(1), g.table()
        g.end_stream(g.add("join", left, right, kind=kind, **g.joiner(kind), name=g.name()))
    return grow


def focus_stream_join(kind):
    def grow(g):
        left = g.stream(1)
        right = left if kind == "inner" and g.rng.random() < 0.15 else g.stream(1)
        spans = g.pick(((5, 5), (10, 10), (0, 10), (10, 0), (1, 3), (0, 0), (-3, 10), (10, -3)))
        g.end_stream(g.add("join", left, right, kind=kind, before=spans[0], after=spans[1], grace=g.pick((0, 0, 3, 10)),
                           **g.joiner(kind), store=g.store(0.2), name=g.name()))
    return grow


def focus_global_join(kind):
    def grow(g):
        left = g.stream(1)
        right = g.add("global", topic=g.topic(), store=g.store(), name=g.name(0.1))
        g.end_stream(g.add("join", left, right, kind=kind, k=g.pick(KEYS), **g.joiner(), name=g.name()))
    return grow


def focus_to_many(g):
    at = g.stream()
    g.add("to", at, topic_of=True, name=g.name())


def focus_foreach(g):
    at = g.stream()
    g.add("foreach", at, name=g.name())


def focus_group_by(verb):
    def grow(g):
        at = g.stream()
        at = g.add(verb, at, f=g.pick(KEYS) if verb == "group_by" else None, name=g.name(0.4))
        verb_ = g.pick(("count", "reduce", "aggregate"))
        g.end_table(g.gather(at, verb_), numbers=verb_ == "count")
    return grow


def focus_key_by_reference(g):
    """A function that takes the key by reference, where it may be null: it looks at the value alone, or yields the key as it is."""
    verb, k = g.pick(("group_by", "map", "flat_map", "select_key")), g.pick(KEYS_BY_REFERENCE)
    fields = {"map": {"k": k, "f": g.pick(VALUES[:4])}, "flat_map": {"k": k, "f": g.pick(LISTS)}}.get(verb, {"f": k})
    at = g.add(verb, g.stream(g.pick((0, 1))), **fields, key_ref=True, name=g.name())
    if verb != "group_by":
        return g.end_stream(at)
    verb_ = g.pick(("count", "reduce", "aggregate"))
    return g.end_table(g.gather(at, verb_), numbers=verb_ == "count")


# What can be asked for, in the order in which it is counted. Each needs the operators it names to stand in both programs.
FOCUSES = {f"stream.{verb}": focus_stream(verb) for verb in STREAM_VERBS}
FOCUSES |= {"stream.split_all": focus_split, "stream.pattern": focus_pattern, "stream.two_aggregates": focus_two_aggregates,
            "process.stream_time": focus_punctuate("stream"), "process.wall_clock": focus_punctuate("wall"),
            "process.shared_store": focus_shared_store}
FOCUSES |= {f"process.{kind}": focus_keeping(kind) for kind in ("windows", "sessions", "versions")}
FOCUSES |= {f"join.self.{kind}": focus_self_join(kind) for kind in ("inner", "left", "outer")}
FOCUSES |= {f"join.foreign.{kind}": focus_foreign(kind) for kind in ("inner", "left")}
FOCUSES |= {f"join.versioned.{kind}": focus_versioned_join(kind) for kind in ("inner", "left", "outer")}
FOCUSES |= {f"join.as_of.{kind}": focus_as_of_join(kind, False) for kind in ("inner", "left")}
FOCUSES |= {f"join.as_of_grace.{kind}": focus_as_of_join(kind, True) for kind in ("inner", "left")}
FOCUSES |= {"table.versioned": focus_versioned} | {f"table_group.versioned_{verb}": focus_versioned_group(verb) for verb in ("count", "reduce")}
FOCUSES |= {f"suppress.{how}": focus_room(how) for how in ("records", "bytes", "shut_down")}
FOCUSES |= {f"handlers.{kind}": focus_handlers(kind) for kind in ("deserialization", "processing", "production")}
FOCUSES |= {"stream.foreach": focus_foreach, "stream.to_many": focus_to_many,
            "stream.group_by_key": focus_group_by("group_by_key"), "stream.group_by": focus_group_by("group_by")}
FOCUSES |= {"stream.key_by_reference": focus_key_by_reference}
FOCUSES |= {f"group.{verb}": focus_gather(verb) for verb in ("count", "reduce", "aggregate")}
FOCUSES |= {f"{window}.{verb}": focus_gather(verb, window) for window in ("tumbling", "hopping", "sliding", "session", "unlimited")
            for verb in ("count", "reduce", "aggregate")}
FOCUSES |= {f"{window}.emit_on_close": focus_emit(window) for window in ("tumbling", "hopping", "sliding", "session")}
FOCUSES |= {f"cogroup.{window or 'plain'}": focus_cogroup(window)
            for window in (None, "tumbling", "hopping", "sliding", "session", "unlimited")}
FOCUSES |= {"suppress.until_close": focus_suppress("close"), "suppress.until_time": focus_suppress("time")}
FOCUSES |= {f"table.{verb}": focus_table(verb) for verb in TABLE_VERBS}
FOCUSES |= {"table.source": focus_source_table, "stream.to_table": focus_to_table}
FOCUSES |= {f"table_group.{verb}": focus_group_table(verb) for verb in ("count", "reduce", "aggregate")}
FOCUSES |= {f"join.table_table.{kind}": focus_table_join(kind) for kind in ("inner", "left", "outer")}
FOCUSES |= {f"join.stream_table.{kind}": focus_stream_table_join(kind) for kind in ("inner", "left")}
FOCUSES |= {f"join.stream_stream.{kind}": focus_stream_join(kind) for kind in ("inner", "left", "outer")}
FOCUSES |= {f"join.stream_global.{kind}": focus_global_join(kind) for kind in ("inner", "left")}
FOCUSES |= edges.FOCUSES
# Parts that the random surroundings of a focus may use.
Grower.enabled = {"table", "tumbling", "hopping", "sliding", "session", "unlimited"}


# Focuses that say something of the whole case stand alone; others come together.
ALONE = {name for name in FOCUSES if name.startswith("handlers.")}
# What stands in so many cases anyhow that none needs to be built around it, unless it is asked for.
FREQUENT = {f"stream.{verb}" for verb in STREAM_VERBS} | {f"table.{verb}" for verb in TABLE_VERBS} | {"table.source"}
# What comes twice as often as others, for it is only now and then what it is called, stands alone, or comes by no other way.
RARE = ALONE | {"join.self.left", "join.self.outer", "join.self.inner", "stream.two_aggregates", "suppress.until_time", "table_group.aggregate",
                "process.shared_store", "suppress.until_close", "suppress.shut_down", "stream.foreach", "stream.to_table",
                "tumbling.emit_on_close", "sliding.emit_on_close", "hopping.emit_on_close"}


def reads_ranges(op):
    return op["op"] == "emit_on_close" or op.get("window") in ("sliding", "session") or "every" in op or "keeps" in op or bool(op.get("all"))


def case(seed, number, focuses=None, flavour=None):
    """Case `number` of a run. Focus and flavour go round, so that every pair comes equally often; beside the focus grow others, unless it was asked for."""
    chosen = sorted(focuses) if focuses else sorted([*(FOCUSES.keys() - FREQUENT), *RARE])
    focus = chosen[number % len(chosen)]
    flavour = flavour or FLAVOURS[number // len(chosen) % len(FLAVOURS)]
    rng = random.Random(f"{seed}/{number}")
    grower = Grower(rng, flavour)
    grower.cached = rng.random() < 0.2 or focus.startswith("cached.")
    FOCUSES[focus](grower)
    if not focuses:
        others = sorted([*(FOCUSES.keys() - ALONE - FREQUENT), *(RARE - ALONE)])
        for _ in range(rng.choice((1, 2, 2, 2, 3))):
            FOCUSES[rng.choice(others)](grower)
    made = {"id": number, "focus": focus, "flavour": flavour, "ops": grower.ops, "inputs": grower.inputs()}
    if grower.optimize:
        made["optimize"] = grower.optimize
    if "processing" in grower.handlers:
        # Kafka Streams asks no handler of that kind for global stores before 4.3.
        for filling in [*(op for op in grower.ops if op["op"] == "global_store"), *(node for node in grower.nodes if node["node"] == "global")]:
            filling["f"] = "id" if filling["f"] == "boom" else filling["f"]
    for field in ("handlers", "nodes", "widths"):
        if getattr(grower, field):
            made[field] = getattr(grower, field)
    if grower.cached:
        made["cache"] = rng.choice((300, 1000, 5000, 1_000_000))
        # Kafka Streams' reads of ranges make what they find the last to leave a full cache, which shows when more of the record follows,
        # or of the updates that are being told.
        if any(reads_ranges(op) for op in grower.ops) and any(op["op"].startswith("flat_") for op in grower.ops) or edges.is_read_below(grower.ops):
            made["cache"] = 1_000_000
    if rng.random() < 0.1:
        made["in_memory"] = True
    return made
