#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the checker of sessions and closed windows fires on results that break it, and none on good ones."""
import unittest

import streams_history
import streams_windows

#: a: 1, 2 and 3 are a session, the first two at its widest, and 4 is one millisecond too late for it.
INPUTS = [(0, 0, 1000, "a", "1"), (0, 1, 3000, "a", "2"), (0, 2, 3500, "a", "3"), (0, 3, 5501, "a", "4"), (1, 0, 1000, "b", "1")]
SESSIONS = [(0, 0, 1000, "ta@1000-1000", "1 1 1"), (0, 1, 1000, "ta@1000-1000", ""), (0, 2, 3000, "ta@1000-3000", "1 2 2"),
            (0, 3, 3000, "ta@1000-3000", ""), (0, 4, 3500, "ta@1000-3500", "1 3 3"), (0, 5, 5501, "ta@5501-5501", "4 4 1"),
            (1, 0, 1000, "tb@1000-1000", "1 1 1")]
#: What a cache lets go at the end, and no more.
AT_ONCE = [(0, 4, 3500, "ta@1000-3500", "1 3 3"), *SESSIONS[5:]]
ALSO = [(0, 0, 4000, "a", "1"), (0, 1, 4999, "a", "2"), (0, 2, 5000, "a", "3"), (1, 0, 100, "b", "1"), (0, 3, 99000, "end0", "1")]
CLOSED = [(0, 0, 4999, "a@0", "1 2 2"), (1, 0, 100, "b@0", "1 1 1"), (0, 1, 5000, "a@5000", "3 3 1")]


def rows(of):
    return [streams_history.ROWS(*row) for row in of]


def changed(of, at, value):
    return [(*row[:4], value) if index == at else row for index, row in enumerate(of)]


class Rules(unittest.TestCase):
    def expect(self, *rules, sessions=SESSIONS, closed=CLOSED, exactly_once=True):
        found = streams_windows.Judge(rows(INPUTS), rows(ALSO), exactly_once).judge(rows(sessions), rows(closed))
        self.assertEqual(set(found), set(rules), found)

    def test_good_results(self):
        for once in (True, False):
            self.expect(exactly_once=once)
            self.expect(sessions=AT_ONCE, exactly_once=once)
            self.expect(closed=[*CLOSED, (0, 2, 99000, "end0@95000", "1 1 1")], exactly_once=once)

    def test_missing(self):
        for once in (True, False):
            for at in (4, 5, 6):
                self.expect("missing", sessions=SESSIONS[:at] + SESSIONS[at + 1:], exactly_once=once)
                self.expect("missing", sessions=[*SESSIONS, (*SESSIONS[at][:1], 9, *SESSIONS[at][2:4], "")], exactly_once=once)
            for at in range(len(CLOSED)):
                self.expect("missing", closed=CLOSED[:at] + CLOSED[at + 1:], exactly_once=once)

    def test_twice(self):
        self.expect("twice", sessions=[*SESSIONS, (0, 9, 3500, "ta@1000-3500", "1 3 3")])
        self.expect(sessions=[*SESSIONS, (0, 9, 3500, "ta@1000-3500", "1 3 4")], exactly_once=False)
        for row in CLOSED:
            self.expect("twice", closed=[*CLOSED, (row[0], 9, *row[2:])])
            self.expect(closed=[*CLOSED, (row[0], 9, *row[2:])], exactly_once=False)

    def test_wrong(self):
        for once in (True, False):
            for value in ("2 3 3", "1 2 3", "1 3 2"):
                self.expect("wrong", sessions=changed(SESSIONS, 4, value), exactly_once=once)
            for value in ("2 2 2", "1 1 2", "1 2 1", ""):
                self.expect("wrong", closed=changed(CLOSED, 0, value), exactly_once=once)
            self.expect("wrong", sessions=[*SESSIONS[:6], (1, 0, 1001, "tb@1000-1000", "1 1 1")], exactly_once=once)
            self.expect("wrong", closed=[*CLOSED[:2], (0, 1, 5001, "a@5000", "3 3 1")], exactly_once=once)
        self.expect("wrong", sessions=changed(SESSIONS, 4, "1 3 4"))
        self.expect("wrong", closed=changed(CLOSED, 0, "1 2 3"))
        self.expect(sessions=changed(SESSIONS, 4, "1 3 4"), closed=changed(CLOSED, 0, "1 2 3"), exactly_once=False)

    def test_told_again_in_part(self):
        again = [*CLOSED, (0, 9, 4999, "a@0", "2 2 1")]
        self.expect("twice", "wrong", closed=again)
        self.expect(closed=again, exactly_once=False)
        self.expect("wrong", closed=[*CLOSED[1:], again[-1]], exactly_once=False)
        for value in ("0 2 1", "1 3 1", ""):
            self.expect("wrong", closed=[*CLOSED, (0, 9, 4999, "a@0", value)], exactly_once=False)

    def test_left(self):
        self.expect("left", sessions=SESSIONS[:3] + SESSIONS[4:])
        self.expect(sessions=SESSIONS[:3] + SESSIONS[4:], exactly_once=False)

    def test_begun_anew(self):
        anew = [*SESSIONS[:4], (0, 4, 3500, "ta@3500-3500", "3 3 1"), *SESSIONS[5:]]
        self.expect("stray", "missing", sessions=anew)
        self.expect(sessions=anew, exactly_once=False)
        self.expect("wrong", sessions=changed(anew, 4, "1 3 1"), exactly_once=False)

    def test_stray(self):
        for once in (True, False):
            for name in ("ta@1000-5501", "ta@1000-2000", "a@1000-1000", "tc@1000-1000"):
                self.expect("stray", sessions=[*SESSIONS, (0, 9, 0, name, "1 1 1")], exactly_once=once)
                self.expect(sessions=[*SESSIONS, (0, 9, 0, name, "")], exactly_once=once)
            for name in ("a@10000", "c@0", "ta@0"):
                self.expect("stray", closed=[*CLOSED, (0, 9, 0, name, "1 1 1")], exactly_once=once)


if __name__ == "__main__":
    unittest.main()
