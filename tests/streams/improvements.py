# SPDX-License-Identifier: Apache-2.0
"""What differs without `lose_as_kafka`: whether it is on the closed list of README.md, and is what the list says.

Each reason for a difference has cases of its own, cut out of the one that differs, which both programs run: they show whether the input has
the reason at all, and what must then come out. What stands below the operator that has one gets other records from Kafka Streams than from
Leat, and is compared with the switch only; all else must be the same."""
import collections
import json

import engines
from cases import above, below, keep_ops, steps_of

AGGREGATES = {"count", "reduce", "aggregate"}
# Each result that comes to them goes on as results of its own.
STATELESS = {"to_stream", "filter", "filter_not", "map_values", "map", "flat_map", "flat_map_values", "select_key", "peek", "foreach", "print",
             "merge", "split", "branch", "to"}
# What does nothing when nothing stands on it, and is in no case alone.
UNFINISHED = {"group_by", "group_by_key", "windowed", "emit_on_close", "cogroup", "split"}
NEVER = float("inf")


def plain(op):
    """An operator without the names that only one may have."""
    return {field: value for field, value in op.items() if field not in ("name", "store")}


def rows_of(outcome, topic):
    return outcome.get("out", {}).get(topic, [])


def without(outcome, topic):
    return outcome | {"out": {name: rows for name, rows in outcome.get("out", {}).items() if name != topic}}


class Part:
    """Operators of a case and more of them, which both programs run. `more` stands behind all operators of the case."""

    def __init__(self, case, kept, more):
        whole = dict(case, ops=case["ops"] + more)
        whole.pop("nodes", None)
        self.case = keep_ops(whole, sorted(kept) + list(range(len(case["ops"]), len(whole["ops"]))))
        self.steps = steps_of(case, self.case)

    def at(self, rows):
        """Rows with the steps of the whole case."""
        return [[self.steps[row[0]], *row[1:]] for row in rows]


class LostOnClose:
    """Windows that closed while time went on by more than their store keeps. What was in one, the same aggregate without emit on close tells."""
    name = "lost on close"

    def __init__(self, case, at):
        ops = case["ops"]
        end, windowed = len(ops), ops[ops[at]["from"]]["from"]
        self.place = at
        self.window = ops[windowed]
        self.retention = ops[at].get("retention", self.needed())
        self.in_memory = bool(case.get("in_memory") or ops[at].get("memory"))
        self.part = Part(case, above(ops, at), [
            {"op": "to_stream", "from": at}, {"op": "to", "from": end, "topic": "told"},
            # Windows of their own: in Kafka Streams, those that stand above would be told on close too.
            dict(self.window), dict(plain(ops[at]), **{"from": end + 2, "nocache": True}), {"op": "to_stream", "from": end + 3},
            {"op": "to", "from": end + 4, "topic": "all"}])
        self.parts = [self.part]

    @staticmethod
    def places(case):
        return [at for at, op in enumerate(case["ops"]) if op["op"] in AGGREGATES and case["ops"][op["from"]]["op"] == "emit_on_close"]

    def needed(self):
        """How long a store keeps windows when nothing is said."""
        size = self.window["size"]
        return (2 * size if self.window["window"] == "sliding" else size) + self.window["grace"]

    def bounds(self, row):
        """Start and end of a row's window."""
        key = row[1].encode("latin-1")
        start = int.from_bytes(key[-8:], "big")
        return start, int.from_bytes(key[-16:-8], "big") if self.window["window"] == "session" else start + self.window["size"]

    def kept_by(self, row):
        """The time by which the store knows whether a window is over for it."""
        start, end = self.bounds(row)
        return end if self.window["window"] == "session" else start

    def check(self, java, leat):
        """(steps with a result that Kafka Streams lost, what is wrong with them)."""
        java, leat = java[0], engines.with_letters_let_go(self.part.case, java[0], leat[0])
        wrong = engines.differences(without(java, "told"), without(leat, "told"))
        told, theirs, updates = rows_of(leat, "told"), rows_of(java, "told"), rows_of(leat, "all")
        extra = collections.Counter(map(json.dumps, told)) - collections.Counter(map(json.dumps, theirs))
        lost, common = [], []
        for row in told:
            extra[json.dumps(row)] -= 1
            (lost if extra[json.dumps(row)] >= 0 else common).append(row)
        if common != theirs:
            wrong.append(f"other windows were told than Kafka Streams' and those that it lost: {theirs} and {common}")
        wrong += [line for row in lost for line in self.judge(row, updates)] + self.missing(told, updates)
        return [row[0] for row in self.part.at(lost)], wrong

    def judge(self, row, updates):
        """What is wrong with a window that Kafka Streams did not tell."""
        until = [one for one in updates if one[0] <= row[0]]
        held = [one for one in until if one[1] == row[1]]
        if not held or held[-1][2] is None or held[-1][2:4] != row[2:4]:
            yield f"a window that held {held[-1:]} was told as {row}"
        elif self.kept_by(row) > max(map(self.kept_by, until)) - self.retention:
            yield f"a window was told that Kafka Streams' store still had: {row}"

    def missing(self, told, updates):
        """Windows that were told twice, or not with others that end no sooner."""
        keys = [row[1] for row in told]
        wrong = [f"told twice: {key!r}" for key, count in collections.Counter(keys).items() if count > 1]
        closed = max((self.bounds(row)[1] for row in told), default=-1)
        latest = {row[1]: row for row in updates}
        return wrong + [f"not told: {row}" for key, row in latest.items()
                        if row[2] is not None and self.bounds(row)[1] <= closed and key not in keys and not self.was_dropped(row, updates)]

    def was_dropped(self, row, updates):
        """Whether both stores dropped a session when it came: in memory they keep none that ends just where their retention does, although a record
        there is not late yet."""
        if self.window["window"] != "session" or not self.in_memory:
            return False
        return self.kept_by(row) == max(self.kept_by(one) for one in updates if one[0] <= row[0]) - self.retention


class NullKey:
    """Records without a key at a left join that waits: joined with nothing, as by one that does not wait. Those with a key are joined as if there
    were no others."""
    name = "null key"

    def __init__(self, case, at):
        ops = case["ops"]
        end, join, left = len(ops), plain(ops[at]), ops[at]["from"]
        alone = {field: value for field, value in join.items() if field != "grace"}
        kept = set(above(ops, at)) - {at}
        self.place = at
        self.apart = Part(case, kept, [
            {"op": "filter", "from": left, "f": "key_nonnull"}, dict(join, **{"from": end}), {"op": "to", "from": end + 1, "topic": "kept"},
            {"op": "filter_not", "from": left, "f": "key_nonnull"}, dict(alone, **{"from": end + 3}), {"op": "to", "from": end + 4, "topic": "alone"}])
        self.joined = Part(case, kept, [join, {"op": "to", "from": end, "topic": "joined"}])
        self.parts = [self.apart, self.joined]

    @staticmethod
    def places(case):
        return [at for at, op in enumerate(case["ops"]) if op["op"] == "join" and op["kind"] == "left" and "grace" in op and "before" not in op]

    def check(self, java, leat):
        wrong = engines.differences(java[0], engines.with_letters_let_go(self.apart.case, java[0], leat[0]))
        for topic, has_key in (("kept", True), ("alone", False)):
            joined = [row for row in rows_of(leat[1], "joined") if (row[1] is not None) == has_key]
            if joined != rows_of(java[0], topic):
                wrong.append(f"joined {'with' if has_key else 'without'} a key: {rows_of(java[0], topic)} and {joined}")
        return [row[0] for row in self.apart.at(rows_of(java[0], "alone"))], wrong


REASONS = (LostOnClose, NullKey)


def reasons_of(case):
    return [kind(case, at) for kind in REASONS for at in kind.places(case)]


def unaffected(case, places):
    """The case without operators that stand on these; None when nothing is left."""
    ops = case["ops"]
    kept = set(range(len(ops))) - below(ops, places)
    while True:
        read = {ops[at][field] for at in kept for field in ("from", "with") if field in ops[at]}
        loose = {at for at in kept if ops[at]["op"] in UNFINISHED and at not in read}
        if not loose:
            break
        kept -= loose
    return keep_ops(case, sorted(kept)) if kept else None


def end_of(outcome):
    """(step at which a case ended with an error, its kind); never, when it did not."""
    if "error" not in outcome:
        return NEVER, None
    kind, at, step = outcome["error"].rpartition(" at ")
    return (int(step), kind) if at else (-1, outcome["error"])


def until(outcome, step):
    """What an outcome has before a step."""
    out = {topic: [row for row in map(engines.without_words, rows) if row[0] < step] for topic, rows in outcome.get("out", {}).items()}
    return ({topic: rows for topic, rows in out.items() if rows}, [row for row in outcome.get("effects", []) if row[0] < step],
            [row for row in outcome.get("printed", []) if row[0] < step])


class Doubt:
    """A case that differs without the switch, and nowhere with it."""

    def __init__(self, case, java, leat):
        self.case = case
        self.java = java
        self.leat = engines.with_letters_let_go(case, java, leat)
        self.names = {"dead letters"} if self.leat is not leat else set()
        self.wrong = []
        self.reasons = reasons_of(case) if engines.differences(java, self.leat) else None
        self.steps = {}  # Of reasons that the input has.
        self.rest = None

    def parts(self):
        return [part.case for reason in self.reasons or [] for part in reason.parts]

    def check(self, java, leat):
        """Takes outcomes of its parts."""
        for reason in self.reasons or []:
            count = len(reason.parts)
            steps, wrong = reason.check(java[:count], leat[:count])
            java, leat = java[count:], leat[count:]
            self.wrong += [f"{reason.name}, operator {reason.place}: {line}" for line in wrong]
            if steps:
                self.steps[reason] = steps
                self.names.add(reason.name)
        if self.steps:
            self.rest = unaffected(self.case, [reason.place for reason in self.steps])

    def conclude(self, java, leat):
        """Takes outcomes of what is not affected, when there is such."""
        if self.reasons is None:
            return
        if not self.steps:
            self.wrong.append("nothing in the input is a reason")
            return
        first = min(min(steps) for steps in self.steps.values())
        if engines.comparable(self.java.get("describe")) != engines.comparable(self.leat.get("describe")) or "crash" in self.leat:
            self.wrong.append("describe() differs, or a crash")
        if until(self.java, first) != until(self.leat, first):
            self.wrong.append(f"differs before step {first}, where the first reason is")
        if self.rest is not None:
            self.wrong += ["not affected: " + line for line in engines.differences(java, engines.with_letters_let_go(self.rest, java, leat))]
        self.judge_ends(first, self.end_of_rest(java))
        self.judge_rows()

    def end_of_rest(self, java):
        """The step of the whole case at which what is not affected ends with an error."""
        if self.rest is None:
            return NEVER
        step, _ = end_of(java)
        return steps_of(self.case, self.rest)[step] if 0 <= step < NEVER else step

    def judge_ends(self, first, rest):
        theirs, mine = end_of(self.java), end_of(self.leat)
        nulls = min((min(steps) for reason, steps in self.steps.items() if isinstance(reason, NullKey)), default=NEVER)
        if min(theirs[0], mine[0]) < first and theirs != mine:
            self.wrong.append(f"ends before the first reason, at step {first}")
        if max(theirs[0], mine[0]) > rest:
            self.wrong.append(f"does not end where what is not affected does, at step {rest}")
        goes_on = self.case.get("handlers", {}).get("processing")
        if theirs[1] == "NullPointerException" and theirs[0] != nulls or theirs[0] > nulls and not goes_on:
            self.wrong.append(f"Kafka Streams did not end at the first record without a key, at step {nulls}")

    def judge_rows(self):
        """Where only stateless operators stand below: each row of Kafka Streams' is there."""
        ops = self.case["ops"]
        if any(ops[at]["op"] not in STATELESS for at in below(ops, [one.place for one in self.steps]) - {one.place for one in self.steps}):
            return
        ends = min(end_of(self.java)[0], end_of(self.leat)[0])
        for topic, rows in self.java.get("out", {}).items():
            if topic == self.case.get("handlers", {}).get("dead"):
                continue  # Offsets in letters count what was written before.
            here, there = (collections.Counter(json.dumps(engines.without_words(row)) for row in side if row[0] < ends)
                           for side in (rows_of(self.leat, topic), rows))
            if there - here:
                self.wrong.append(f"{topic} lacks {list(there - here)[:4]}")


def judge(both, differing):
    """Of (case, java, leat) that differ without the switch: (names of the list's entries, what is wrong), for each."""
    doubts = [Doubt(*one) for one in differing]
    run(both, [(doubt, doubt.parts()) for doubt in doubts], lambda doubt, java, leat: doubt.check(java, leat))
    run(both, [(doubt, [doubt.rest] if doubt.rest is not None else []) for doubt in doubts],
        lambda doubt, java, leat: doubt.conclude(*(java or [{}]), *(leat or [{}])))
    return [(doubt.names, doubt.wrong) for doubt in doubts]


def run(both, wanted, take):
    """Hands each its outcomes in both programs, of Leat without the switch."""
    cases = [dict(case, id=number) for number, case in enumerate(case for _, some in wanted for case in some)]
    java, leat = both.run_java(cases), both.run_leat([dict(case, improve=True) for case in cases])
    for doubt, some in wanted:
        take(doubt, java[:len(some)], leat[:len(some)])
        java, leat = java[len(some):], leat[len(some):]
