#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the checker of joins by a foreign key fires on results that break it, and none on good ones."""
import unittest

import streams_foreign
import streams_history

INPUTS = [(0, 0, 0, "a", "1"), (0, 1, 0, "a", "2"), (1, 0, 0, "b", "21")]
#: 1 and 21 refer to the same row, whose third version is its last.
NAMES = [(0, 0, 0, "k1", "1"), (0, 1, 0, "k1", "2"), (1, 0, 0, "k2", "1"), (0, 2, 0, "k1", "3")]
REFERRED = [(0, 0, 0, "ta", ""), (0, 1, 0, "ta", "1 1"), (0, 2, 0, "ta", "1 2"), (0, 3, 0, "ta", "2 1"), (1, 0, 0, "tb", "21 3")]


def rows(of):
    return [streams_history.ROWS(*row) for row in of]


class Rules(unittest.TestCase):
    def expect(self, *rules, referred=REFERRED, exactly_once=True):
        found = streams_foreign.Judge(rows(INPUTS), rows(NAMES), exactly_once).judge(rows(referred))
        self.assertEqual(set(found), set(rules), found)

    def test_good_results(self):
        for once in (True, False):
            self.expect(exactly_once=once)
            self.expect(referred=REFERRED[3:], exactly_once=once)
            # A row that a cache holds back is met, and then told to those who met it.
            self.expect(referred=[*REFERRED, (1, 1, 0, "tb", "21 3")], exactly_once=once)

    def test_missing(self):
        for once in (True, False):
            self.expect("missing", referred=REFERRED[:4], exactly_once=once)
            self.expect("missing", referred=[*REFERRED, (1, 1, 0, "tb", "")], exactly_once=once)

    def test_last(self):
        for once in (True, False):
            self.expect("last", referred=REFERRED[:3] + REFERRED[4:], exactly_once=once)
            self.expect("last", referred=[*REFERRED[:4], (1, 0, 0, "tb", "21 2")], exactly_once=once)

    def test_went_back(self):
        back = [*REFERRED[:3], (0, 3, 0, "ta", "1 1"), (0, 4, 0, "ta", "2 1"), REFERRED[4]]
        self.expect("went back", referred=back)
        self.expect(referred=back, exactly_once=False)

    def test_stray(self):
        for once in (True, False):
            for value in ("0 1", "1 4"):
                self.expect("stray", referred=[(0, 0, 0, "ta", value), *REFERRED[3:]], exactly_once=once)
            self.expect("stray", referred=[*REFERRED, (0, 9, 0, "tc", "1 1")], exactly_once=once)


if __name__ == "__main__":
    unittest.main()
