# SPDX-License-Identifier: Apache-2.0
"""Random cases: a topology around one operator, and input of a kind that tends to find differences. The same seed gives the same cases.

A topology is grown from sources towards the operator that is asked for (the focus) and from there to a topic; what stands before and
behind it is random too. Kinds of places: S stream, T table, each as SV (keys and values are Values), SN (values are numbers), WV and WN
(keys are windowed); G grouped stream, GT grouped table, W windowed group, C cogrouped, K global table.
"""
import random

VALUES = ("id", "upper", "length", "first_word", "with_key", "null_if_short", "boom")
PREDICATES = ("true", "false", "has_a", "even_length", "value_nonnull", "key_nonnull", "key_is_a", "has_a", "even_length")
KEYS = ("key", "value", "length", "first_letter", "constant", "null_if_b")
LISTS = ("words", "twice", "none", "null_too", "words")
REDUCERS = ("concat", "max", "last", "first", "null_on_x", "concat")
GATHERERS = ("collect", "sum_len", "null_on_x", "collect")
JOINERS = ("pair", "with_key", "null_on_x", "pair")
# Table joins hand no key to their joiner.
TABLE_JOINERS = ("pair", "null_on_x", "pair")
FLAVOURS = ("plain", "null keys", "null values", "out of order", "late", "same time", "tombstones")
WORDS = ("a", "b", "x", "aa", "ab", "b a", "x a b", "abc", "", "boom", 7, 12)


class Grower:
    """One case."""

    def __init__(self, rng, flavour):
        self.rng = rng
        self.flavour = flavour
        self.ops = []
        self.topics = []
        self.names = 0
        self.optimize = rng.random() < 0.15
        self.memory = rng.random() < 0.1

    def add(self, op, source=None, other=None, **fields):
        row = {"op": op}
        if source is not None:
            row["from"] = source
        if other is not None:
            row["with"] = other
        row.update({name: value for name, value in fields.items() if value is not None})
        self.ops.append(row)
        return len(self.ops) - 1

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

    def kept(self, chance=0.5):
        fields = {"store": self.store(chance)}
        if self.memory:
            fields["memory"] = True
        if self.rng.random() < 0.05:
            fields["nolog"] = True
        if self.rng.random() < 0.05:
            fields["keep"] = True
        return fields

    def named(self, chance=0.4):
        """How a table is kept whose store may have no name: then nothing else is said of it."""
        store = self.store(chance)
        if store is None:
            return {}
        return {"store": store, "memory": True} if self.memory else {"store": store}

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
        return self.add("stream", topics=topics, name=self.name(0.1))

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

    def source_table(self):
        return self.add("table", topic=self.topic(), **self.named(0.5), name=self.name(0.1))

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

    def gather(self, at, verb=None):
        verb = verb or self.pick(("count", "reduce", "aggregate"))
        f = {"count": None, "reduce": self.pick(REDUCERS), "aggregate": self.pick(GATHERERS)}[verb]
        return self.add(verb, at, f=f, **self.kept(), name=self.name())

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
        self.add("to", at, topic=f"out{sum(op['op'] == 'to' for op in self.ops) + 1}", name=self.name(0.1))

    def end_table(self, at, numbers=False, windowed=False):
        if not windowed and self.rng.random() < 0.15:
            at = self.add("to_stream", at, k="text", name=self.name())
        else:
            at = self.add("to_stream", at, name=self.name())
        self.end_stream(at, numbers, windowed)

    # Input.

    def inputs(self):
        rng, flavour = self.rng, self.flavour
        keys = ("a", "b", "c")[:rng.randint(1, 3)]
        now, out = rng.randint(0, 20), []
        largest_step = self.pick((3, 8, 30))
        for _ in range(rng.randint(4, 24)):
            if flavour != "same time" or rng.random() < 0.2:
                now += rng.randint(0, largest_step)
            if rng.random() < 0.03:
                now += 100_000 if rng.random() < 0.3 else 1000
            at = now
            if rng.random() < (0.5 if flavour == "out of order" else 0.05):
                at = max(0, now - rng.randint(1, 12))
            if rng.random() < (0.4 if flavour == "late" else 0.02):
                at = max(0, now - rng.randint(10, 120))
            key, value = self.pick(keys), self.pick(WORDS)
            if rng.random() < (0.35 if flavour == "null keys" else 0.03):
                key = None
            if rng.random() < (0.4 if flavour in ("null values", "tombstones") else 0.05):
                value = None
            if value == "boom" and rng.random() < 0.8:
                value = "ba"
            row = [self.pick(self.topics), key, value, at]
            if rng.random() < 0.1:
                row.append([["h", self.pick(("1", "2", None))]])
            out.append(row)
            if rng.random() < 0.05:
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
}
TABLE_VERBS = {
    "filter": lambda g, at: g.add("filter", at, f=g.pick(PREDICATES), **g.named(), name=g.name()),
    "filter_not": lambda g, at: g.add("filter_not", at, f=g.pick(PREDICATES), **g.named(), name=g.name()),
    "map_values": lambda g, at: g.add("map_values", at, f=g.pick(VALUES[:6]), **g.named(), name=g.name()),
}


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
        if window:
            at = g.add("windowed", at, **g.window(window))
        at = g.add("aggregate", at, f=f, **g.kept(), name=g.name())
        g.end_table(at, windowed=window is not None)
    return grow


def focus_suppress(until):
    def grow(g):
        if until == "close":
            window = g.pick(("tumbling", "hopping", "sliding", "session"))
            at = g.add("windowed", g.grouped(), **g.window(window))
        else:
            window, at = None, g.grouped()
        verb = g.pick(("count", "reduce", "aggregate"))
        at = g.gather(at, verb)
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
    g.end_table(g.add("to_table", at, **g.named(), name=g.name()))


def focus_group_table(verb):
    return lambda g: g.end_table(g.gather(g.grouped_table(), verb), numbers=verb == "count")


def focus_table_join(kind):
    def grow(g):
        left, right = g.table(), g.table()
        at = g.add("join", left, right, kind=kind, f=g.pick(TABLE_JOINERS), **g.named(), name=g.name())
        g.end_table(at)
    return grow


def focus_stream_table_join(kind):
    def grow(g):
        left, right = g.stream(1), g.table()
        g.end_stream(g.add("join", left, right, kind=kind, f=g.pick(TABLE_JOINERS), name=g.name()))
    return grow


def focus_stream_join(kind):
    def grow(g):
        left = g.stream(1)
        right = left if kind == "inner" and g.rng.random() < 0.15 else g.stream(1)
        spans = g.pick(((5, 5), (10, 10), (0, 10), (10, 0), (1, 3), (0, 0)))
        g.end_stream(g.add("join", left, right, kind=kind, before=spans[0], after=spans[1], grace=g.pick((0, 0, 3, 10)),
                           f=g.pick(TABLE_JOINERS), store=g.store(0.2), name=g.name()))
    return grow


def focus_global_join(kind):
    def grow(g):
        left = g.stream(1)
        right = g.add("global", topic=g.topic(), store=g.store())
        g.end_stream(g.add("join", left, right, kind=kind, k=g.pick(KEYS), f=g.pick(TABLE_JOINERS), name=g.name()))
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


# What can be asked for, in the order in which it is counted. Each needs the operators it names to stand in both programs.
FOCUSES = {f"stream.{verb}": focus_stream(verb) for verb in STREAM_VERBS}
FOCUSES |= {"stream.foreach": focus_foreach, "stream.to_many": focus_to_many,
            "stream.group_by_key": focus_group_by("group_by_key"), "stream.group_by": focus_group_by("group_by")}
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
# Parts that the random surroundings of a focus may use.
Grower.enabled = {"table", "tumbling", "hopping", "sliding", "session", "unlimited"}


def case(seed, number, focuses=None):
    """Case `number` of a run: (case, focus, flavour). Focus and flavour go round, so that every pair comes equally often."""
    focuses = sorted(focuses or FOCUSES)
    focus = focuses[number % len(focuses)]
    flavour = FLAVOURS[number // len(focuses) % len(FLAVOURS)]
    rng = random.Random(f"{seed}/{number}")
    grower = Grower(rng, flavour)
    FOCUSES[focus](grower)
    made = {"id": number, "focus": focus, "flavour": flavour, "ops": grower.ops, "inputs": grower.inputs()}
    if grower.optimize:
        made["optimize"] = True
    return made
