# SPDX-License-Identifier: Apache-2.0
"""Which cases to make when some cells of coverage.py have too few: those that reached what is missing most often so far."""
import collections

import coverage


class Yields:
    """What cases of each sort, a focus with a flavour, have reached: (cell, property), None for the cell alone."""

    def __init__(self):
        self.made = collections.Counter()
        self.reached = collections.defaultdict(collections.Counter)

    def add(self, case, covered):
        sort = case["focus"], case["flavour"]
        self.made[sort] += 1
        self.reached[sort].update(covered)

    def rate(self, sort, what):
        return self.reached[sort][what] / self.made[sort]

    def best(self, what):
        """The sort that reaches it most often; None: none ever did."""
        known = [sort for sort in sorted(self.made) if self.reached[sort][what]]
        return max(known, key=lambda sort: self.rate(sort, what), default=None)


def missing(covered, least, least_with):
    """(cell, property) with how many are missing."""
    out = {}
    for cell in coverage.CELLS:
        wanted = {None: least, **{one: least_with for one in coverage.PROPERTIES if coverage.can_have(cell, one)}}
        out |= {(cell, one): count - covered[cell, one] for one, count in wanted.items() if covered[cell, one] < count}
    return out


def plan(yields, lacking, count):
    """Sorts of the next `count` cases, each for what will then be missing most; fewer when no sort is known for the rest."""
    left = {what: number for what, number in lacking.items() if yields.best(what)}
    out = []
    while left and len(out) < count:
        sort = yields.best(max(left, key=left.get))
        out.append(sort)
        left = {what: number - yields.rate(sort, what) for what, number in left.items()}
        left = {what: number for what, number in left.items() if number > 0}
    return out
