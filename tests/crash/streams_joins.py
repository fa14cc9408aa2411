# SPDX-License-Identifier: Apache-2.0
"""Judges what joins of two streams made of their input through crashes: as if there had been none.

Which records meet is computed here from the two topics of inputs as they are at the end; of `src/` nothing is used. No record is too late:
those of one partition are processed nearer to each other than the joins' grace. Under exactly once each pair, and each record that nothing
met, is there once; under at least once some may be there again.

Rules
  missing     a pair, or a record that nothing met, has no result
  twice       a result is there again (exactly once)
  wrong       a result has another time than it must
  alone       a record is told as one that nothing met, and something did
  stray       a result of records that are not there, or too far apart
"""
import collections

APART_MS = 1000
GRACE_MS = 30000
END = "end"


def end_key(partition):
    """Of records of `also` that only let time go on: they may be told or not."""
    return f"{END}{partition}"


def by_key(rows):
    """Key -> (timestamp, number)."""
    out = collections.defaultdict(list)
    for row in rows:
        out[row.key].append((row.timestamp, int(row.value)))
    return out


class Expected:
    """(key, number, number of `also`) -> timestamp of the result; 0 stands for nobody."""

    def __init__(self, inputs, others):
        self.pairs, self.alone, self.have_met = {}, {}, set()
        left, right = by_key(inputs), by_key(others)
        for key in left.keys() | right.keys():
            self.meet(key, left.get(key, []), right.get(key, []))

    def meet(self, key, left, right):
        met = [(max(of, at), number, other) for of, number in left for at, other in right if abs(of - at) <= APART_MS]
        self.pairs.update({(key, number, other): timestamp for timestamp, number, other in met})
        have_met = {(key, number, 0) for _, number, _ in met} | {(key, 0, other) for _, _, other in met}
        told = [((key, number, 0), timestamp) for timestamp, number in left] + [((key, 0, other), timestamp) for timestamp, other in right]
        self.alone.update((of, timestamp) for of, timestamp in told if of not in have_met)
        self.have_met |= have_met


class Judge:
    def __init__(self, inputs, others, exactly_once):
        self.expected, self.exactly_once = Expected(inputs, others), exactly_once
        self.findings = collections.defaultdict(list)

    def find(self, rule, what):
        self.findings[rule].append(what)

    def judge(self, met, either):
        """Rows of the topics of the inner and of the outer join. Returns findings by rule."""
        self.judge_results("met", self.expected.pairs, met)
        self.judge_results("either", {**self.expected.pairs, **self.expected.alone}, either)
        return dict(self.findings)

    def judge_results(self, topic, expected, rows):
        counts = collections.Counter()
        for row in rows:
            result = row.key, *map(int, row.value.split(" "))
            counts[result] += 1
            if result not in expected:
                self.find("alone" if result in self.expected.have_met else "stray", f"{topic} {result}")
            elif row.timestamp != expected[result]:
                self.find("wrong", f"{topic} {result} at {row.timestamp}, not {expected[result]}")
        for result in expected:
            if not counts[result] and not result[0].startswith(END):
                self.find("missing", f"{topic} {result}")
            elif self.exactly_once and counts[result] > 1:
                self.find("twice", f"{topic} {result}: {counts[result]} times")
