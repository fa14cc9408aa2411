#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the history of a crash run: what was acknowledged or read must be in the log, once, in order.

usage: history.py LOG [--duplicates-allowed]

Rules (the letters are those of the worker's log):
  lost            an acknowledged record (A) is not at its offset at the end (D)
  unread          a record that somebody read (R) is not at its offset at the end
  rewritten       two acknowledgements, reads or final records give one offset different values
  duplicated      a value stands at two offsets (idempotent producers only)
  reordered       of one producer and partition a later record stands before an earlier one
  commit lost     the group's offset (G) is below the last acknowledged commit (C)
  commit invented the group's offset is above the last commit that was begun (c)
"""
import argparse
import collections
import sys

LIMIT = 5  # findings of a kind that are shown


class History:
    def __init__(self):
        self.acknowledged = []  # (value, partition, offset)
        self.read = []
        self.final = {}  # (partition, offset) -> value
        self.begun = self.committed = 0
        self.group = None
        self.findings = collections.defaultdict(list)

    @staticmethod
    def value(text):
        """"producer-number" of a value; the padding does not count."""
        producer, number, _ = text.split("-", 2)
        return int(producer), int(number)

    def load(self, lines):
        for line in lines:
            kind, *rest = line.split()
            if kind == "A":
                producer, number, partition, offset = map(int, rest)
                self.acknowledged.append(((producer, number), partition, offset))
            elif kind == "R":
                self.read.append((self.value(rest[2]), int(rest[0]), int(rest[1])))
            elif kind == "D":
                self.put(int(rest[0]), int(rest[1]), self.value(rest[2]))
            elif kind == "c":
                self.begun = max(self.begun, int(rest[0]))
            elif kind == "C":
                self.committed = max(self.committed, int(rest[0]))
            elif kind == "G":
                self.group = int(rest[0])
            elif kind != "F":
                raise ValueError(f"unknown line: {line}")
        return self

    def put(self, partition, offset, value):
        before = self.final.setdefault((partition, offset), value)
        if before != value:
            self.findings["rewritten"].append(f"{partition}:{offset} was {before}, is {value}")

    def judge(self, duplicates_allowed=False):
        """Returns the findings by rule; empty when all is well."""
        self.check_places("lost", self.acknowledged)
        self.check_places("unread", self.read)
        if not duplicates_allowed:
            self.check_duplicates()
            self.check_order()
        self.check_commits()
        return {rule: found for rule, found in self.findings.items() if found}

    def check_places(self, rule, events):
        places = {}
        for value, partition, offset in events:
            there = places.setdefault((partition, offset), value)
            if there != value:
                self.findings["rewritten"].append(f"{partition}:{offset} was {there}, then {value}")
            final = self.final.get((partition, offset))
            if final is None:
                self.findings[rule].append(f"{value} at {partition}:{offset}")
            elif final != value:
                self.findings["rewritten"].append(f"{partition}:{offset} was {value}, is {final}")

    def check_duplicates(self):
        seen = {}
        for (partition, offset), value in sorted(self.final.items()):
            if value in seen:
                self.findings["duplicated"].append(f"{value} at {seen[value]} and {partition}:{offset}")
            seen[value] = f"{partition}:{offset}"

    def check_order(self):
        last = {}
        for (partition, offset), (producer, number) in sorted(self.final.items()):
            if number < last.get((producer, partition), -1):
                self.findings["reordered"].append(f"{producer}-{number} at {partition}:{offset}")
            last[producer, partition] = max(number, last.get((producer, partition), -1))

    def check_commits(self):
        if self.group is None:
            self.findings["incomplete"].append("no final offset of the group")
            return
        if self.group < self.committed:
            self.findings["commit lost"].append(f"{self.committed} acknowledged, {self.group} kept")
        if self.group > self.begun:
            self.findings["commit invented"].append(f"{self.begun} begun, {self.group} kept")


def show(findings):
    return "\n".join(f"{rule}: {len(found)}, such as {'; '.join(found[:LIMIT])}" for rule, found in findings.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log")
    parser.add_argument("--duplicates-allowed", action="store_true", help="the producers were not idempotent")
    options = parser.parse_args()
    with open(options.log, encoding="ascii") as file:
        history = History().load(file)
    findings = history.judge(options.duplicates_allowed)
    print(f"{len(history.acknowledged)} acknowledged, {len(history.read)} read, {len(history.final)} in the log, "
          f"{history.committed} commits")
    if findings:
        print(show(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
