# SPDX-License-Identifier: Apache-2.0
"""Parts of random cases at the edges of a topology: stores that topics fill, partitioners, print, outputs before an error, older forms.

Each takes the Grower of generate.py, which has what the parts stand on.
"""
from vocabulary import KEY_PARTITIONERS, KEYS, PARTITIONERS, TABLE_JOINERS, VALUES


def filled(g):
    """What a store is that a topic fills, and how its processor fills it."""
    g.names += 1
    return {"store": f"st{g.names}", "k": g.pick(("key", "key", "key", "first_letter", "value")), "f": g.pick(("id", "id", "id", *VALUES)),
            "memory": True if g.memory else None, "timed": True if g.rng.random() < 0.4 else None}


def looked(g, store, connect=None):
    """How a processor looks what a store has; global ones refuse what it writes."""
    writes = True if g.rng.random() < (0.06 if connect is None else 0.3) else None
    return {"store": store["store"], "timed": store.get("timed"), "k": g.pick(("key", "key", *KEYS)), "connect": connect,
            "all": True if g.rng.random() < 0.3 else None, "writes": writes}


def global_store(g):
    store = filled(g)
    g.add("global_store", topic=g.topic(), **store, name=g.name(0.3))
    for _ in range(g.rng.randint(1, 2)):
        g.end_stream(g.add("look_up", g.stream(1), **looked(g, store), name=g.name()))


def global_table(g):
    """A global table's store that a processor reads, which may be one that is joined too."""
    g.names += 1
    store = {"store": f"st{g.names}", "timed": True}
    table = g.add("global", topic=g.topic(), store=store["store"], memory=True if g.memory else None, name=g.name(0.3))
    at = g.stream(1)
    if g.rng.random() < 0.3:
        at = g.add("join", at, table, kind=g.pick(("inner", "left")), k=g.pick(KEYS), **g.joiner(), name=g.name())
    g.end_stream(g.add("look_up", at, **looked(g, store), name=g.name()))


def table_store(g):
    """A table's own store that a processor reads and now and then writes; also as it hears of the table's updates, when it only reads."""
    g.names += 1
    store = {"store": f"st{g.names}", "timed": True}
    table = g.add("table", topic=g.topic(), store=store["store"], memory=True if g.memory else None)
    below = g.rng.random() < 0.4
    look = looked(g, store, True) | ({"writes": None, "all": True} if below else {})
    g.end_stream(g.add("look_up", g.add("to_stream", table, name=g.name()) if below else g.stream(1), **look, name=g.name()))


def is_read_below(ops):
    """Whether a processor hears of a table that it reads."""
    return any(op["op"] == "look_up" and ops[op["from"]]["op"] == "to_stream" for op in ops)


def node_by_node(kind):
    """A store that a topic fills, read-only or global, in a part of the topology that is made node by node."""
    def grow(g):
        store = filled(g)
        number = len(g.nodes)
        source, processor = f"feed{number}", f"fills{number}"
        if kind == "read_only" and g.rng.random() < 0.1:
            store["cached"] = True
        g.add_node(kind, source, topic=g.topic(), processor=processor, **store)
        above = [f"in{number}"]
        g.add_node("source", above[0], topic=g.topic())
        if g.rng.random() < 0.3:
            above.append(f"more{number}")
            g.add_node("source", above[1], topic=g.topic())
        g.add_node("look_up", f"looks{number}", parents=above, **looked(g, store, True if kind == "read_only" else None))
        for at in range(g.rng.randint(1, 2)):
            g.add_node("sink", f"sink{number}-{at}", topic=f"out-{number}-{at}", parents=[f"looks{number}", *above[:at]],
                       partitioner=chooser(g, 0.2))
    return grow


def chooser(g, chance=1.0):
    return g.pick(PARTITIONERS) if g.rng.random() < chance else None


def partitioned_to(g):
    g.wide()
    windowed = g.rng.random() < 0.2
    if windowed:
        at = g.add("to_stream", g.gather(g.windowed(), "reduce"))
    else:
        at = g.stream()
    strict = True if g.handlers.get("production") is not None and not windowed else None
    if g.rng.random() < 0.2:
        g.add("to", at, topic_of=True, partitioner=chooser(g), name=g.name())
        return
    g.outs += 1
    # Windowed keys without a partitioner go by the key alone.
    g.add("to", at, topic=f"out{g.outs}", partitioner=chooser(g, 0.5 if windowed else 1), strict=strict, name=g.name())


def partitioned_repartition(g):
    g.wide()
    at = g.add("repartition", g.stream(), partitioner=chooser(g), name=g.name(), partitions=g.pick((None, None, 1, 3)))
    if g.rng.random() < 0.4:
        at = g.add("to_stream", g.gather(g.add("group_by_key", at)))
        numbers = g.ops[g.ops[at]["from"]]["op"] == "count"
        g.end_stream(at, numbers=numbers)
    else:
        g.end_stream(at)


def partitioned_foreign(g):
    g.wide()
    left, right = g.table(), g.table()
    g.end_table(g.add("join", left, right, kind=g.pick(("inner", "left")), fk=g.pick(("value", "first_letter", "constant", "key")),
                      partitioner=g.pick((*KEY_PARTITIONERS, None)), other_partitioner=g.pick((*KEY_PARTITIONERS, None)),
                      f=g.pick(TABLE_JOINERS), store=g.store(0.4), name=g.name()))


def printed(g):
    """Lines of a stream, and what becomes of it."""
    kind = g.rng.random()
    if kind < 0.2:
        at = g.add("to_stream", g.gather(g.windowed()))
    elif kind < 0.35:
        at = g.add("to_stream", g.gather(g.grouped()))
    else:
        at = g.stream()
        if g.rng.random() < 0.5:
            g.end_stream(at)
    g.add("print", at, label=g.pick((None, None, "here", "a b")), f=g.pick((None, None, *VALUES)), name=g.name())


def two_topics(g):
    """A record that is written to a topic before a handler is asked about it.

    Kafka Streams lets go of key and value for what stands below the node that handed the record on, once for each time that it did. With the
    switch our driver does so for the whole record; the two are the same when the topic and the failing node have one parent, and nothing above
    makes several records of one."""
    kind = g.pick(("production", "processing"))
    g.handlers = {kind: g.rng.random() < 0.9, "dead": "dead"}
    g.boom = True
    while True:
        before = len(g.ops)
        at = g.stream(1)
        if not any(op["op"].startswith("flat_") for op in g.ops[before:]):
            break
    fails = [False] * g.rng.randint(1, 2) + [True]
    g.rng.shuffle(fails)
    for is_failing in fails:
        g.outs += 1
        below = at
        if is_failing and kind == "processing":
            below = g.add("map_values", below, f="boom", name=g.name())
        elif is_failing and g.rng.random() < 0.5:
            below = g.add("peek", below, name=g.name())
        g.add("to", below, topic=f"out{g.outs}", strict=True if is_failing and kind == "production" else None, name=g.name(0.1))


def behind_a_cache(g):
    """An update that was held back, and is then skipped."""
    kind = g.pick(("production", "processing"))
    g.handlers = {kind: g.rng.random() < 0.9, "dead": "dead"}
    g.boom = g.cached = True
    at = g.grouped()
    window = g.rng.random() < 0.3
    if window:
        at = g.add("windowed", at, **g.window())
    # Not without the cache: what then comes of one record are several results, see two_topics().
    kept = {field: value for field, value in g.kept(at).items() if field != "nocache"}
    at = g.add("reduce", at, f=g.pick(("last", "last", "max", "first")), **kept, name=g.name())
    at = g.add("to_stream", at, name=g.name())
    if kind == "processing":
        at = g.add("map_values", at, f="boom", name=g.name())
    g.outs += 1
    g.add("to", at, topic=f"out{g.outs}", strict=True if kind == "production" else None)


def cached_on_close(g):
    """Windows that are told on close, several of whose updates one record makes."""
    at = g.stream(1)
    if g.rng.random() < 0.7:
        at = g.add("flat_map_values", at, f=g.pick(("words", "twice")), name=g.name())
    at = g.add("group_by_key", at, name=g.name())
    at = g.add("emit_on_close", g.add("windowed", at, **g.window(g.pick(("tumbling", "hopping")))))
    verb = g.pick(("count", "reduce", "aggregate"))
    g.end_table(g.gather(at, verb), numbers=verb == "count", windowed=True)


def put_again(g):
    """Rows of a cached store, of which one record puts some again behind others."""
    source = g.stream(1)
    first = g.add("flat_map", source, k=g.pick(("value", "first_letter")), f="words", name=g.name())
    again = g.add("map", source, k="first_letter", f=g.pick(VALUES[:3]), name=g.name())
    at = g.add("merge", first, again, name=g.name())
    g.names += 1
    g.end_stream(g.add(g.pick(("process", "process_values")), at, store=f"st{g.names}", name=g.name(), memory=True if g.memory else None,
                       cached=True if g.cached else None))


def transform_values(g):
    kept = g.named()
    g.end_table(g.add("transform_values", g.table(), f=g.pick(VALUES), **kept, name=g.name()))


def older_process(g):
    g.names += 1
    g.end_stream(g.add(g.pick(("process", "process_values")), g.stream(), store=f"st{g.names}", older=True, name=g.name()))


def older_split(g):
    tests = [[g.pick(("has_a", "even_length", "value_nonnull", "key_is_a", "false"))] for _ in range(g.rng.randint(1, 3))]
    whole = g.add("split", g.stream(), branches=tests, older=True)
    for number in range(len(tests)):
        if number == 0 or g.rng.random() < 0.7:
            g.end_stream(g.add("branch", whole, branch=str(number + 1)))


def through(g):
    g.throughs += 1
    g.end_stream(g.add("through", g.stream(), topic=f"through{g.throughs}", name=g.name()))


FOCUSES = {"store.global": global_store, "store.global_table": global_table, "store.table": table_store,
           "store.read_only": node_by_node("read_only"), "store.global_node": node_by_node("global"),
           "partition.to": partitioned_to, "partition.repartition": partitioned_repartition, "partition.foreign": partitioned_foreign,
           "print.lines": printed, "handlers.two_topics": two_topics, "handlers.cached": behind_a_cache,
           "cached.emit_on_close": cached_on_close, "cached.put_again": put_again,
           "older.transform_values": transform_values, "older.process": older_process, "older.split": older_split, "older.through": through}
