# SPDX-License-Identifier: Apache-2.0
"""Judges what a stream application made of its input through crashes: as if there had been none.

What must be there is computed here from the topic of inputs as it is at the end; of `src/` nothing is used. Under exactly once a topic
must hold for each key precisely the results of the uninterrupted run, once and in order. Under at least once some may be there again, and
counts may be higher; highest and lowest numbers, and that nothing was left out, stand all the same.

Rules
  missing     an input has no result, or a window none
  twice       a result is there again (exactly once)
  reordered   results of a key are not in the order of its inputs (exactly once)
  wrong       a result is not what the uninterrupted run has
  gap         numbers were left out before one: what was committed came to nothing
  unjoined    the table had nothing for a key that it was given before all inputs
  went back   the table's version for a key is lower than one that was joined before (exactly once)
  last        the last result of a key is not that of its last input
  stray       a result of no input
  changelog   the last row of a store's changelog is not its last result
  input lost  what was fed and acknowledged is not in a topic of inputs, or not in its order
  input twice all of it is there, and more
  unfinished  the application has not committed the end of its input
  ended       an instance ended by itself
  unstruck    a step at which nothing ever struck (long runs)
"""
import collections

WINDOW_MS = 5000
ROWS = collections.namedtuple("ROWS", "partition offset timestamp key value")


def rows_of(lines):
    """Of `leat consume --format '%p\\t%o\\t%T\\t%k\\t%v\\n'`."""
    out = []
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        if len(fields) == 5:
            out.append(ROWS(int(fields[0]), int(fields[1]), int(fields[2]), fields[3], fields[4]))
    return out


def by_key(rows):
    """Key -> values in the order of the topic. A key has one partition."""
    out = collections.defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.partition, row.offset)):
        out[row.key].append(row.value)
    return out


def judge_fed(**topics):
    """By topic of inputs, its rows and how many each key was fed, numbered from 1. Returns findings by rule."""
    findings = collections.defaultdict(list)
    for topic, (rows, fed) in topics.items():
        found = by_key(rows)
        for key in fed.keys() | found.keys():
            numbers, wanted = list(map(int, found.get(key, []))), list(range(1, fed[key] + 1))
            if numbers != wanted:
                is_more = collections.Counter(numbers) > collections.Counter(wanted)
                findings["input twice" if is_more else "input lost"].append(f"{topic} {key}: {len(numbers)} of {fed[key]}")
    return dict(findings)


class Expected:
    """The uninterrupted run."""

    def __init__(self, inputs):
        self.numbers = collections.defaultdict(list)
        self.totals = collections.defaultdict(list)
        self.windows = {}
        state = collections.defaultdict(lambda: (0, 0, 0))
        for row in sorted(inputs, key=lambda row: (row.partition, row.offset)):
            number = int(row.value)
            self.numbers[row.key].append(number)
            key = "t" + row.key
            highest, count, gaps = state[key]
            state[key] = max(highest, number), count + 1, gaps + (number > highest + 1)
            self.totals[key].append("%d %d %d" % state[key])
            window = f"{key}@{row.timestamp // WINDOW_MS * WINDOW_MS}"
            low, high, many = self.windows.get(window, (number, number, 0))
            self.windows[window] = min(low, number), max(high, number), many + 1


class Judge:
    def __init__(self, inputs, exactly_once):
        self.expected, self.exactly_once = Expected(inputs), exactly_once
        self.findings = collections.defaultdict(list)

    def find(self, rule, what):
        self.findings[rule].append(what)

    def judge(self, joined, windows, **totals):
        """Rows of topics. `totals`: by their topic, a pair of its rows and of those of the changelog of its store, which may be None: not looked
        at. Returns findings by rule."""
        self.judge_joined(by_key(joined))
        self.judge_windows(by_key(windows))
        for topic, (rows, changelog) in totals.items():
            found = by_key(rows)
            self.judge_totals(topic, found)
            if changelog is not None:
                self.judge_changelog(topic, found, by_key(changelog))
        return {rule: found for rule, found in self.findings.items() if found}

    def judge_numbers(self, topic, key, expected, found):
        """Numbers of a key's inputs against those of its results."""
        counts, wanted = collections.Counter(found), collections.Counter(expected)
        for number in wanted:
            if counts[number] < (wanted[number] if self.exactly_once else 1):
                self.find("missing", f"{topic} {key} {number}")
        for number, count in counts.items():
            if number not in wanted:
                self.find("stray", f"{topic} {key} {number}")
            elif self.exactly_once and count > wanted[number]:
                self.find("twice", f"{topic} {key} {number}: {count} times")
        if self.exactly_once and counts == wanted and found != expected:
            self.find("reordered", f"{topic} {key}")
        if found and expected and found[-1] != expected[-1]:
            self.find("last", f"{topic} {key}: {found[-1]}, not {expected[-1]}")

    def judge_joined(self, found):
        for key, expected in self.expected.numbers.items():
            values = [value.split(" ") for value in found.get(key, [])]
            self.judge_numbers("joined", key, expected, [int(number) for number, _ in values])
            version_before = 0
            for number, version in values:
                if version == "nobody":
                    self.find("unjoined", f"{key} {number}")
                elif self.exactly_once and int(version) < version_before:
                    self.find("went back", f"{key} {number}: version {version} after {version_before}")
                else:
                    version_before = int(version)
        for key in found.keys() - self.expected.numbers.keys():
            self.find("stray", f"joined {key}")

    def judge_changelog(self, topic, found, logged):
        for key, values in found.items():
            last = logged[key][-1] if key in logged else None
            if last != values[-1] and (self.exactly_once or number_of(last) != number_of(values[-1])):
                self.find("changelog", f"{topic} {key}: {last}, the last result is {values[-1]}")

    def judge_totals(self, topic, found):
        for key, expected in self.expected.totals.items():
            values = found.get(key, [])
            if not self.exactly_once:
                self.judge_repeated(topic, key, expected, values)
            else:
                self.judge_numbers(topic, key, [number_of(value) for value in expected], [number_of(value) for value in values])
                known = set(expected)
                for value in values:
                    if value not in known:
                        self.find("wrong", f"{topic} {key}: {value}")
            for value in values:
                if int(value.split(" ")[2]) > int(expected[-1].split(" ")[2]):
                    self.find("gap", f"{topic} {key}: {value}")
            if values and count_of(values[-1]) < count_of(expected[-1]):
                self.find("wrong", f"{topic} {key}: {values[-1]} counts less than {expected[-1]}")
        for key in found.keys() - self.expected.totals.keys():
            self.find("stray", f"{topic} {key}")

    def judge_repeated(self, topic, key, expected, values):
        """An input that comes again, because its result was lost with who had it, may find itself counted in the changelog: then its result
        tells of a higher number. There is one for each nevertheless."""
        if len(values) < len(expected):
            self.find("missing", f"{topic} {key}: {len(values)} results of {len(expected)} inputs")
        if values and number_of(values[-1]) != number_of(expected[-1]):
            self.find("last", f"{topic} {key}: {values[-1]}, not {expected[-1]}")
        for value in values:
            if number_of(value) > number_of(expected[-1]):
                self.find("stray", f"{topic} {key}: {value}")

    def judge_windows(self, found):
        for key, (low, high, count) in self.expected.windows.items():
            values = [tuple(map(int, value.split(" "))) for value in found.get(key, [])]
            if not values:
                self.find("missing", f"windows {key}")
                continue
            last = values[-1]
            if last[:2] != (low, high) or last[2] < count or (self.exactly_once and last[2] != count):
                self.find("wrong", f"windows {key}: {last}, not {(low, high, count)}")
            counts = [value[2] for value in values]
            if self.exactly_once and any(after <= before for before, after in zip(counts, counts[1:])):
                self.find("twice", f"windows {key}: counts {counts}")
        for key in found.keys() - self.expected.windows.keys():
            self.find("stray", f"windows {key}")


def number_of(value):
    return int(value.split(" ")[0]) if value else None


def count_of(value):
    return int(value.split(" ")[1])
