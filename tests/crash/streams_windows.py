# SPDX-License-Identifier: Apache-2.0
"""Judges what a stream application made of sessions, and of windows that are told once, when they close: as if there had been no crash.

What must be there is computed here from the topics of inputs as they are at the end; of `src/` nothing is used. Times of one partition only
grow, so that no record is late, and each makes its session longer.

A session's change is two rows of its changelog: the shorter one goes, the longer one comes. Under at least once an instance may end between
the two, and what was before is lost from its state: the session may begin anew at any of its records then. It is told to its end nevertheless,
and under exactly once as a whole. So too a shorter one may stay told there, when who took it back was lost. And of a window whose records come
again when its store has let go of it, those that come again are told alone: once it must be told with all of them.

Rules
  missing     a session, or a window that is over, has no result, or its last one takes it back
  twice       a result is there again (exactly once)
  wrong       a result has other numbers or another time than it must
  left        a session that has become a longer one is still told (exactly once)
  stray       a result of no records
"""
import collections

from streams_joins import END

GAP_MS = 2000
WINDOW_MS = 5000


def records_of(rows):
    """Key -> [(timestamp, number)], in the order of the topic."""
    out = collections.defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.partition, row.offset)):
        out[row.key].append((row.timestamp, int(row.value)))
    return out


def span(records):
    """LOWEST HIGHEST COUNT"""
    numbers = [number for _, number in records]
    return min(numbers), max(numbers), len(numbers)


def sessions_of(records):
    """Lists of them."""
    out = []
    for record in records:
        if out and record[0] - out[-1][-1][0] <= GAP_MS:
            out[-1].append(record)
        else:
            out.append([record])
    return out


class Judge:
    def __init__(self, inputs, others, exactly_once):
        self.exactly_once = exactly_once
        #: KEY@FIRST-LAST -> what it holds; `whole`: those that no record made longer; `parts`: those that began anew.
        self.whole, self.shorter, self.parts = {}, {}, {}
        for key, records in records_of(inputs).items():
            for session in sessions_of(records):
                self.add_session("t" + key, session)
        #: KEY@START -> (what it holds, its last time)
        self.windows = {}
        for key, records in records_of(others).items():
            if not key.startswith(END):
                self.add_windows(key, records)
        self.findings = collections.defaultdict(list)

    def add_session(self, key, records):
        for end in range(1, len(records) + 1):
            for begin in range(1 if self.exactly_once else end):
                name = f"{key}@{records[begin][0]}-{records[end - 1][0]}"
                where = self.parts if begin else self.whole if end == len(records) else self.shorter
                where[name] = span(records[begin:end])

    def add_windows(self, key, records):
        by_start = collections.defaultdict(list)
        for record in records:
            by_start[record[0] // WINDOW_MS * WINDOW_MS].append(record)
        for start, inside in by_start.items():
            self.windows[f"{key}@{start}"] = span(inside), max(timestamp for timestamp, _ in inside)

    def find(self, rule, what):
        self.findings[rule].append(what)

    def judge(self, sessions, closed):
        """Rows of the two topics. Returns findings by rule."""
        self.judge_sessions(self.results(sessions))
        self.judge_closed(self.results(closed))
        return dict(self.findings)

    @staticmethod
    def results(rows):
        """Key -> [(what it holds, or None when it is taken back, timestamp)], in the order of the topic."""
        out = collections.defaultdict(list)
        for row in sorted(rows, key=lambda row: (row.partition, row.offset)):
            out[row.key].append((tuple(map(int, row.value.split(" "))) if row.value else None, row.timestamp))
        return out

    def holds(self, found, expected):
        """At least once a record may have counted more than once."""
        if self.exactly_once:
            return found == expected
        return found[:2] == expected[:2] and found[2] >= expected[2]

    def judge_sessions(self, found):
        known = {**self.whole, **self.shorter, **({} if self.exactly_once else self.parts)}
        for name, results in found.items():
            told = [result for result in results if result[0]]
            if name not in known:
                if told:
                    self.find("stray", f"sessions {name}: {told}")
                continue
            last = int(name.rsplit("-", 1)[1])
            for holds, timestamp in told:
                if not self.holds(holds, known[name]) or timestamp != last:
                    self.find("wrong", f"sessions {name}: {holds} at {timestamp}, not {known[name]}")
            if self.exactly_once and len(told) > 1:
                self.find("twice", f"sessions {name}: {told}")
            if self.exactly_once and name in self.shorter and results[-1][0]:
                self.find("left", f"sessions {name}")
        self.judge_ends(found)

    def judge_ends(self, found):
        """Each session must be told to its end: the whole of it, or from where it began anew."""
        ends = {self.end_of(name) for name, results in found.items() if results[-1][0]}
        for name in self.whole:
            if name in found and found[name][-1][0]:
                continue
            if self.exactly_once or self.end_of(name) not in ends:
                self.find("missing", f"sessions {name}")

    @staticmethod
    def end_of(name):
        key, times = name.rsplit("@", 1)
        return key, times.split("-")[1]

    def judge_closed(self, found):
        for name, (expected, timestamp) in self.windows.items():
            results = found.get(name, [])
            if not results:
                self.find("missing", f"closed {name}")
                continue
            whole = [holds is not None and self.holds(holds, expected) and at == timestamp for holds, at in results]
            part = [holds is not None and expected[0] <= holds[0] <= holds[1] <= expected[1] and at <= timestamp for holds, at in results]
            if not (all(whole) if self.exactly_once else any(whole) and all(part)):
                self.find("wrong", f"closed {name}: {results}, not {expected} at {timestamp}")
            if self.exactly_once and len(results) > 1:
                self.find("twice", f"closed {name}: {results}")
        for name in found.keys() - self.windows.keys():
            if not name.startswith(END):
                self.find("stray", f"closed {name}: {found[name]}")
