# SPDX-License-Identifier: Apache-2.0
"""What rights, users, quotas and tokens may be after a cut, from what was asked and what was answered. Knows nothing of src/."""
import collections

#: Of a deletion, and of what never was.
ABSENT = None


def fits(possible, seen):
    """A value, or a span of those that it may have: (lowest, highest)."""
    return possible[0] <= seen <= possible[1] if isinstance(possible, tuple) and seen is not ABSENT else possible == seen


class History:
    """Keys are (kind, name). What was acknowledged is there; what was asked and not answered is there or is not, and stays so from the next look."""

    def __init__(self):
        self.possible = {}  # key -> values that it may have; the last is what was asked last
        self.acknowledged = 0
        self.findings = collections.defaultdict(list)

    def ask(self, key, value):
        self.possible.setdefault(key, [ABSENT]).append(value)

    def answer(self, key, value):
        self.possible[key] = [value]
        self.acknowledged += 1

    def now(self, key):
        """Its value, of a key that nothing is asked of."""
        return self.possible.get(key, [ABSENT])[-1]

    def look(self, seen):
        """`seen`: the value of each key that is there."""
        for key, possible in self.possible.items():
            value = seen.get(key, ABSENT)
            if not any(fits(one, value) for one in possible):
                rule = "lost" if value is ABSENT else "came back" if possible == [ABSENT] else "altered"
                self.findings[rule].append(f"{key[0]} {key[1]}: {value}, may be {possible}")
            self.possible[key] = [value]
        for key, value in seen.items():
            if key not in self.possible:
                self.findings["phantom"].append(f"{key[0]} {key[1]}: {value}")
                self.possible[key] = [value]
