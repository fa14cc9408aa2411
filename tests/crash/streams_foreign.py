# SPDX-License-Identifier: Apache-2.0
"""Judges what a join by a foreign key made of its tables through crashes: as if there had been none.

Each key's last number refers to a row of `names`. Which results there are on the way depends on who is first; at the end there is one for
each key, of the last number and the last version, and under exactly once nothing goes back on the way. Of `src/` nothing is used.

Rules
  missing     a key has no result, or its last one is null
  last        the last result of a key is not that of the last number and version
  went back   a result is of an older number or version than one before (exactly once)
  stray       a result of a number or of a version that is not there
"""
import collections

import streams_history

ROWS = 20


def referred(number):
    """The row of `names`."""
    return f"k{number % ROWS}"


class Judge:
    def __init__(self, inputs, names, exactly_once):
        self.exactly_once = exactly_once
        self.numbers = {"t" + key: list(map(int, values)) for key, values in streams_history.by_key(inputs).items()}
        self.versions = {key: list(map(int, values)) for key, values in streams_history.by_key(names).items()}
        self.findings = collections.defaultdict(list)

    def find(self, rule, what):
        self.findings[rule].append(what)

    def judge(self, rows):
        """Returns findings by rule."""
        found = streams_history.by_key(rows)
        for key, numbers in self.numbers.items():
            self.judge_key(key, numbers, found.get(key, []))
        for key in found.keys() - self.numbers.keys():
            self.find("stray", f"referred {key}")
        return dict(self.findings)

    def judge_key(self, key, numbers, values):
        results = [tuple(map(int, value.split(" "))) for value in values if value]
        known = set(numbers)
        for number, version in results:
            if number not in known or version not in self.versions.get(referred(number), []):
                self.find("stray", f"referred {key}: {number} {version}")
        if self.exactly_once:
            for before, after in zip(results, results[1:]):
                if after < before:
                    self.find("went back", f"referred {key}: {after} after {before}")
        wanted = numbers[-1], self.versions.get(referred(numbers[-1]), [0])[-1]
        if not values or not values[-1]:
            self.find("missing", f"referred {key}: {wanted}")
        elif results[-1] != wanted:
            self.find("last", f"referred {key}: {results[-1]}, not {wanted}")
