#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the checker of streams fires on results that break it, and none on good ones."""
import collections
import unittest

import streams_history

INPUTS = [(0, 0, 1000, "a", "1"), (1, 0, 1100, "b", "1"), (0, 1, 1200, "a", "2"), (0, 2, 6000, "a", "3")]
JOINED = [(0, 0, 1000, "a", "1 1"), (1, 0, 1100, "b", "1 1"), (0, 2, 1200, "a", "2 2"), (0, 4, 6000, "a", "3 2")]
TOTALS = [(1, 0, 1000, "ta", "1 1 0"), (0, 0, 1100, "tb", "1 1 0"), (1, 2, 1200, "ta", "2 2 0"), (1, 4, 6000, "ta", "3 3 0")]
WINDOWS = [(1, 0, 1000, "ta@0", "1 1 1"), (0, 0, 1100, "tb@0", "1 1 1"), (1, 2, 1200, "ta@0", "1 2 2"), (1, 4, 6000, "ta@5000", "3 3 1")]


def rows(of):
    return [streams_history.ROWS(*row) for row in of]


def changed(of, at, value):
    return [(*row[:4], value) if index == at else row for index, row in enumerate(of)]


class Rules(unittest.TestCase):
    def findings(self, joined=JOINED, totals=TOTALS, windows=WINDOWS, changelog=TOTALS, inputs=INPUTS, exactly_once=True, kept=None):
        judge = streams_history.Judge(rows(inputs), exactly_once)
        return judge.judge(rows(joined), rows(windows), totals=(rows(totals), None if changelog is None else rows(changelog)),
                           kept=(rows(TOTALS if kept is None else kept), None))

    def expect(self, *rules, **given):
        self.assertEqual(set(self.findings(**given)), set(rules), self.findings(**given))

    def test_good_results(self):
        self.expect()
        self.expect(exactly_once=False)
        self.expect(changelog=None)

    def test_lines(self):
        self.assertEqual(streams_history.rows_of(["0\t1\t1000\ta\t1 1\n", "half\t"]), rows([(0, 1, 1000, "a", "1 1")]))

    def test_missing(self):
        for once in (True, False):
            self.expect("missing", joined=JOINED[:1] + JOINED[2:], exactly_once=once)
            self.expect("missing", totals=TOTALS[:1] + TOTALS[2:], exactly_once=once)
            self.expect("missing", windows=WINDOWS[:3], exactly_once=once)

    def test_twice(self):
        again = [*JOINED, (0, 6, 6000, "a", "3 2")]
        self.expect("twice", joined=again)
        self.expect(joined=again, exactly_once=False)
        self.expect("twice", windows=[*WINDOWS, (1, 6, 6000, "ta@5000", "3 3 1")])
        more = [*TOTALS, (1, 6, 6000, "ta", "3 4 0")]
        self.expect("twice", "wrong", totals=more, changelog=more)
        self.expect(totals=more, changelog=more, exactly_once=False)

    def test_repeated(self):
        # The results of 2 and 3 were lost, their changes were not; both come again.
        late = [*TOTALS[:2], (1, 2, 1200, "ta", "3 4 0"), (1, 4, 6000, "ta", "3 5 0")]
        self.expect(totals=late, changelog=late, exactly_once=False)
        self.expect("missing", totals=late[:3], changelog=late[:3], exactly_once=False)

    def test_reordered(self):
        mixed = changed(changed(JOINED, 0, "2 1"), 2, "1 2")
        self.expect("reordered", joined=mixed)

    def test_wrong(self):
        self.expect("wrong", windows=changed(WINDOWS, 2, "1 2 3"))
        self.expect(windows=changed(WINDOWS, 2, "1 2 3"), exactly_once=False)
        for once in (True, False):
            self.expect("wrong", windows=changed(WINDOWS, 2, "2 2 2"), exactly_once=once)

    def test_each_topic_of_totals(self):
        for once in (True, False):
            self.expect("missing", kept=TOTALS[:1] + TOTALS[2:], exactly_once=once)

    def test_gap(self):
        gone = changed(TOTALS, 3, "3 2 1")
        self.expect("gap", "wrong", totals=gone, changelog=gone, exactly_once=False)

    def test_table(self):
        self.expect("unjoined", joined=changed(JOINED, 2, "2 nobody"), exactly_once=False)
        self.expect("went back", joined=changed(JOINED, 3, "3 1"))
        self.expect(joined=changed(JOINED, 3, "3 1"), exactly_once=False)

    def test_last(self):
        back = [*JOINED, (0, 6, 6000, "a", "2 2")]
        self.expect("last", joined=back, exactly_once=False)

    def test_stray(self):
        self.expect("stray", joined=[*JOINED, (0, 6, 0, "c", "1 1")])
        self.expect("stray", totals=[*TOTALS, (0, 6, 0, "tc", "1 1 0")], changelog=None)
        self.expect("stray", windows=[*WINDOWS, (0, 6, 0, "ta@10000", "4 4 1")])

    def test_changelog(self):
        for once in (True, False):
            self.expect("changelog", changelog=TOTALS[:3], exactly_once=once)


class Fed(unittest.TestCase):
    """What was fed is what the topics of inputs hold."""

    def expect(self, *rules, inputs=INPUTS, **fed):
        found = streams_history.judge_fed(**{"in": (rows(inputs), collections.Counter(a=3, b=1) | collections.Counter(fed))})
        self.assertEqual(set(found), set(rules), found)

    def test_all_is_there(self):
        self.expect()

    def test_one_is_lost(self):
        self.expect("input lost", b=2)
        self.expect("input lost", inputs=INPUTS[1:])  # With its whole key, too.
        self.expect("input lost", c=1)

    def test_one_is_there_again(self):
        self.expect("input twice", inputs=[*INPUTS, (0, 3, 6000, "a", "3")])

    def test_one_that_nobody_fed(self):
        self.expect("input twice", inputs=[*INPUTS, (0, 3, 6000, "c", "1")])

    def test_another_order(self):
        self.expect("input lost", inputs=[*INPUTS[:2], (0, 2, 1200, "a", "2"), (0, 1, 6000, "a", "3")])


if __name__ == "__main__":
    unittest.main()
