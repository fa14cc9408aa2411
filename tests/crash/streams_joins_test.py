#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the checker of joins fires on results that break it, and none on good ones."""
import unittest

import streams_history
import streams_joins

#: a: 1 meets 1 at the very edge, nothing meets 2; b: nothing meets 1 of `also`; c: 1 meets 1 and 2.
INPUTS = [(0, 0, 1000, "a", "1"), (0, 1, 5000, "a", "2"), (1, 0, 9000, "c", "1"), (1, 1, 90000, "c", "2")]
ALSO = [(0, 0, 2000, "a", "1"), (1, 0, 1100, "b", "1"), (1, 1, 8500, "c", "1"), (1, 2, 9500, "c", "2"), (0, 1, 99000, "end0", "1")]
MET = [(0, 0, 2000, "a", "1 1"), (1, 0, 9000, "c", "1 1"), (1, 1, 9500, "c", "1 2")]
EITHER = [*MET, (0, 1, 5000, "a", "2 0"), (1, 2, 1100, "b", "0 1"), (1, 3, 90000, "c", "2 0")]


def rows(of):
    return [streams_history.ROWS(*row) for row in of]


class Rules(unittest.TestCase):
    def expect(self, *rules, met=MET, either=EITHER, exactly_once=True):
        found = streams_joins.Judge(rows(INPUTS), rows(ALSO), exactly_once).judge(rows(met), rows(either))
        self.assertEqual(set(found), set(rules), found)

    def test_good_results(self):
        for once in (True, False):
            self.expect(exactly_once=once)
            self.expect(either=[*EITHER, (0, 9, 99000, "end0", "0 1")], exactly_once=once)

    def test_missing(self):
        for once in (True, False):
            for at in range(len(MET)):
                self.expect("missing", met=MET[:at] + MET[at + 1:], exactly_once=once)
            for at in range(len(EITHER)):
                self.expect("missing", either=EITHER[:at] + EITHER[at + 1:], exactly_once=once)

    def test_twice(self):
        for of, topic in ((MET, "met"), (EITHER, "either")):
            for row in of:
                self.expect("twice", **{topic: [*of, row]})
                self.expect(**{topic: [*of, row]}, exactly_once=False)

    def test_wrong(self):
        for once in (True, False):
            self.expect("wrong", met=[(0, 0, 1000, "a", "1 1"), *MET[1:]], exactly_once=once)
            self.expect("wrong", either=[*EITHER[:5], (1, 3, 90001, "c", "2 0")], exactly_once=once)

    def test_alone(self):
        for once in (True, False):
            self.expect("alone", either=[*EITHER, (0, 9, 1000, "a", "1 0")], exactly_once=once)
            self.expect("alone", either=[*EITHER, (1, 9, 9500, "c", "0 2")], exactly_once=once)

    def test_stray(self):
        for once in (True, False):
            self.expect("stray", met=[*MET, (0, 9, 5000, "a", "2 1")], exactly_once=once)
            self.expect("stray", met=[*MET, (0, 9, 5000, "a", "2 0")], exactly_once=once)
            self.expect("stray", either=[*EITHER, (0, 9, 5000, "d", "1 0")], exactly_once=once)
            self.expect("stray", either=[*EITHER, (0, 9, 5000, "a", "3 0")], exactly_once=once)


if __name__ == "__main__":
    unittest.main()
