#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule about what may differ without `lose_as_kafka` fires on outcomes that break it, and none on good ones."""
import copy
import unittest

import improvements


def key(text, start):
    return "s" + text + start.to_bytes(8, "big").decode("latin-1")


def session(text, at):
    """The key of a session of one record: its end comes before its start."""
    return "s" + text + 2 * at.to_bytes(8, "big").decode("latin-1")


LAST = [{"op": "emit_on_close", "from": 2}, {"op": "reduce", "from": 3, "f": "last"}, {"op": "to_stream", "from": 4}]
CLOSING = {"ops": [{"op": "stream", "topics": ["in1"]}, {"op": "group_by_key", "from": 0}, {"op": "windowed", "from": 1, "window": "time", "size": 10, "grace": 0},
                   *LAST, {"op": "to", "from": 5, "topic": "out1"}, {"op": "to", "from": 0, "topic": "out2"}],
           "inputs": [["in1", "a", "x", 1], ["in1", "a", "w", 2], ["in1", "b", "v", 3], ["in1", "a", "y", 100]]}
HELD = [[0, key("a", 0), "sx", 1], [1, key("a", 0), "sw", 2], [2, key("b", 0), "sv", 3], [3, key("a", 100), "sy", 100]]
LOST = [[3, key("a", 0), "sw", 2], [3, key("b", 0), "sv", 3]]

WAITING = {"ops": [{"op": "table", "topic": "in2", "store": "st", "history": 100}, {"op": "stream", "topics": ["in1"]},
                   {"op": "join", "from": 1, "with": 0, "kind": "left", "grace": 5, "f": "pair"}, {"op": "to", "from": 2, "topic": "out1"}],
           "inputs": [["in2", "a", "t", 1], ["in1", "a", "x", 1], ["in1", "a", "z", 20], ["in1", None, "y", 21]]}
WITH_KEY = [[2, "sa", "sx&t", 1]]
WITHOUT = [[3, None, "sy&null", 21]]


class Both:
    """Answers parts of a case by the topics that they write."""

    def __init__(self, java, leat, rest=("", "")):
        self.sides = java, leat, rest

    def run_java(self, cases):
        return [self.answer(case, self.sides[0], self.sides[2][0]) for case in cases]

    def run_leat(self, cases):
        return [self.answer(case, self.sides[1], self.sides[2][1]) for case in cases]

    def answer(self, case, side, rest):
        topics = {op["topic"] for op in case["ops"] if op["op"] == "to"}
        return {"out": {topic: side[topic] for topic in sorted(topics) if topic in side}, "describe": rest}


class Rules(unittest.TestCase):
    def judge(self, case, java, leat, both):
        return improvements.judge(both, [(case, {"describe": "d", **java}, {"describe": "d", **leat})])[0]

    def closing(self, java=None, leat=None, told=None, theirs=(), held=None, rest=("", "")):
        held = HELD if held is None else held
        java = {"out": {"out2": [[0, "sa", "sx", 1]]}} if java is None else java
        leat = {"out": {"out1": LOST, "out2": [[0, "sa", "sx", 1]]}} if leat is None else leat
        return self.judge(CLOSING, java, leat, Both({"told": list(theirs), "all": held}, {"told": LOST if told is None else told, "all": held}, rest))

    def waiting(self, joined=None, java=None, leat=None, case=None):
        java = {"error": "NullPointerException at 3", "out": {"out1": WITH_KEY}} if java is None else java
        leat = {"out": {"out1": [*WITH_KEY, *WITHOUT]}} if leat is None else leat
        parts = {"kept": WITH_KEY, "alone": WITHOUT}
        return self.judge(case or WAITING, java, leat, Both(parts, parts | {"joined": [*WITH_KEY, *WITHOUT] if joined is None else joined}))

    def expect(self, verdict, text):
        self.assertIn(text, "\n".join(verdict[1]))

    def test_windows_that_were_lost(self):
        self.assertEqual(self.closing(), ({"lost on close"}, []))

    def test_a_value_that_the_window_did_not_hold(self):
        self.expect(self.closing(told=[[3, key("a", 0), "sx", 2], LOST[1]]), "was told as")

    def test_a_window_that_was_not_lost(self):
        near = [*HELD[:3], [3, key("a", 9), "sy", 12]]
        self.expect(self.closing(held=near), "still had")

    def test_a_window_that_is_lost_here_too(self):
        self.expect(self.closing(told=LOST[:1]), "not told")

    def test_a_session_that_both_stores_dropped(self):
        def verdict(in_memory, ends=56, **more):
            ops = [dict(op, window="session", size=1, grace=3) if op["op"] == "windowed" else dict(op, **more) if op["op"] == "reduce" else op for op in CLOSING["ops"]]
            case = dict(CLOSING, ops=ops) | ({"in_memory": True} if in_memory else {})
            held = [[0, session("a", 60), "sx", 60], [1, session("a", ends), "sw", ends], [3, session("a", 100), "sy", 100]]
            told = [[3, session("a", 60), "sx", 60]]
            return self.judge(case, {}, {"out": {"out1": told}}, Both({"told": [], "all": held}, {"told": told, "all": held}))
        self.assertEqual(verdict(True), ({"lost on close"}, []))
        self.assertEqual(verdict(False, memory=True), ({"lost on close"}, []))
        self.expect(verdict(False), "not told")
        self.expect(verdict(True, ends=57), "not told")
        self.expect(verdict(True, retention=5), "not told")

    def test_a_window_that_is_told_twice(self):
        self.expect(self.closing(told=[*LOST, LOST[0]]), "told twice")

    def test_a_window_that_only_kafka_streams_tells(self):
        self.expect(self.closing(theirs=LOST[:1], told=LOST[1:]), "other windows")

    def test_no_reason(self):
        self.expect(self.closing(theirs=LOST), "nothing in the input")

    def test_a_difference_before_the_reason(self):
        self.expect(self.closing(leat={"out": {"out1": LOST, "out2": []}}), "before step 3")

    def test_a_difference_in_what_is_not_affected(self):
        self.expect(self.closing(rest=("a", "b")), "not affected: describe")

    def test_a_row_that_is_not_there(self):
        self.expect(self.closing(java={"out": {"out1": [[3, key("a", 0), "sx", 2]], "out2": [[0, "sa", "sx", 1]]}}), "out1 lacks")

    def test_an_error_before_the_reason(self):
        self.expect(self.closing(java={"out": {"out2": [[0, "sa", "sx", 1]]}, "error": "user at 2"}), "ends before")

    def test_a_null_key(self):
        self.assertEqual(self.waiting(), ({"null key"}, []))

    def test_a_null_key_that_meets_something(self):
        self.expect(self.waiting(joined=[*WITH_KEY, [3, None, "sy&t", 21]]), "without a key")

    def test_a_key_that_is_joined_otherwise(self):
        self.expect(self.waiting(joined=WITHOUT), "with a key")

    def test_an_end_elsewhere(self):
        self.expect(self.waiting(java={"error": "NullPointerException at 2", "out": {}}, leat={"out": {}}), "step 3")

    def test_no_end_although_no_handler_goes_on(self):
        self.expect(self.waiting(java={"out": {"out1": WITH_KEY}}), "did not end")
        goes_on = dict(copy.deepcopy(WAITING), handlers={"processing": True})
        self.assertEqual(self.waiting(java={"out": {"out1": WITH_KEY}}, case=goes_on), ({"null key"}, []))

    def test_letters(self):
        case = {"ops": [], "inputs": [["in1", "k", "v", 1]], "handlers": {"processing": True, "dead": "dead"}}
        headers = [["__streams.errors.topic", "in1"]]
        gone = [[0, None, None, 1, headers]]

        def verdict(value, written=True):
            out = {"out1": [[0, "sk", "sv", 1]]} if written else {}
            return self.judge(case, {"out": {"dead": gone} | out}, {"out": {"dead": [[0, "sk", value, 1, headers]]} | out}, Both({}, {}))
        self.assertEqual(verdict("sv"), ({"dead letters"}, []))
        self.expect(verdict("sw"), "nothing in the input")
        self.expect(verdict("sv", written=False), "nothing in the input")


if __name__ == "__main__":
    unittest.main()
