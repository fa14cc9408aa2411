#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the history of a crash run: what was acknowledged or read must be in the log, once, in order, and be what was sent.

usage: history.py LOG [--duplicates-allowed] [--broken-off]

Rules (the letters are those of the worker's log, see worker_client.h)
  lost             an acknowledged record (A) is not at its offset at the end (D)
  unread           a record that somebody read (R) is not at its offset at the end
  rewritten        two acknowledgements, reads or final records give one offset different values
  duplicated       a value stands at two offsets (idempotent producers only)
  reordered        of one producer and partition a later record stands before an earlier one
  phantom          a record was read, or is in the log, that nobody sent (S) to this partition
  altered          so with other bytes than were sent
  failed seen      so of a send that failed for good (F)
  skipped          somebody who reads a partition was not given a record between two that he was given, or before the first
  went back        he was given a record again, or an earlier one
  behind           he was not given the last record of a partition, though he was waited for at the end
  mark went back   the first or the end offset of a partition (M) is lower than it was
  commit lost      the group's offset (K, G) is below the last commit that was acknowledged before (C)
  commit invented  it is above the last commit that was begun before (c)
  commit went back it is lower than it was
Of time the order of a thread's lines is all that is used: who reads, who asks for marks and who commits are one each.

A send failed for good when the broker refused it in so many words, and the client never saw an attempt of it end in another way: after a
timeout or a lost connection it may be in the log, whatever a later attempt is told. KAFKA_STORAGE_ERROR is none of them: what could not be
synced may have been written.
"""
import argparse
import bisect
import collections
import sys

LIMIT = 5  # findings of a kind that are shown
#: librdkafka's names of the errors by which nothing was written.
DEFINITE = {"INVALID_MSG", "INVALID_MSG_SIZE", "INVALID_RECORD", "INVALID_TIMESTAMP", "MSG_SIZE_TOO_LARGE", "POLICY_VIOLATION",
            "RECORD_LIST_TOO_LARGE", "TOPIC_AUTHORIZATION_FAILED", "TOPIC_EXCEPTION", "UNSUPPORTED_FOR_MESSAGE_FORMAT", "_PURGE_QUEUE"}


class History:
    """A record is known by (producer, number); its value is (producer, number, bytes, sum)."""

    def __init__(self):
        self.sent = {}  # (producer, number) -> (partition, value)
        self.failed = set()  # (producer, number)
        self.acknowledged = []  # ((producer, number), partition, offset)
        self.read = []  # (value, partition, offset)
        self.marks = []  # (partition, low, high)
        self.final = {}  # (partition, offset) -> value
        self.begun = self.committed = 0
        self.asked = []  # (offset of the group, acknowledged before, begun before)
        self.group = None
        self.findings = collections.defaultdict(list)

    def load(self, lines):
        for line in lines:
            kind, *rest = line.split()
            if kind == "F":
                self.fail(*rest)
            elif kind in "SARDMcCKG":
                getattr(self, f"load_{kind}")(*map(int, rest))
            else:
                raise ValueError(f"unknown line: {line}")
        return self

    def load_S(self, partition, *value):
        self.sent[value[:2]] = partition, value

    def load_A(self, producer, number, partition, offset):
        self.acknowledged.append(((producer, number), partition, offset))

    def fail(self, producer, number, how, why):
        if how == "never" and why in DEFINITE:
            self.failed.add((int(producer), int(number)))

    def load_R(self, partition, offset, *value):
        self.read.append((value, partition, offset))

    def load_M(self, *mark):
        self.marks.append(mark)

    def load_D(self, partition, offset, *value):
        before = self.final.setdefault((partition, offset), value)
        if before != value:
            self.findings["rewritten"].append(f"{partition}:{offset} was {name(before)}, is {name(value)}")

    def load_c(self, number):
        self.begun = max(self.begun, number)

    def load_C(self, number):
        self.committed = max(self.committed, number)

    def load_K(self, number):
        self.asked.append((max(number, 0), self.committed, self.begun))  # Below 0: there is none.

    def load_G(self, number):
        self.load_K(number)
        self.group = number

    def judge(self, duplicates_allowed=False, has_ended=True):
        """Returns the findings by rule; empty when all is well. `has_ended`: the load was not broken off, so that who reads came to the end."""
        self.check_places("lost", self.acknowledged)
        self.check_places("unread", self.read)
        self.check_sent()
        self.check_reader(has_ended)
        self.check_marks()
        if not duplicates_allowed:
            self.check_duplicates()
            self.check_order()
        self.check_commits()
        return {rule: found for rule, found in self.findings.items() if found}

    def check_places(self, rule, events):
        """An acknowledgement does not say what the value was."""
        places = {}
        for value, partition, offset in events:
            there = places.setdefault((partition, offset), value)
            if there != value:
                self.findings["rewritten"].append(f"{partition}:{offset} was {name(there)}, then {name(value)}")
            final = self.final.get((partition, offset))
            if final is None:
                self.findings[rule].append(f"{name(value)} at {partition}:{offset}")
            elif final[:len(value)] != value:
                self.findings["rewritten"].append(f"{partition}:{offset} was {name(value)}, is {name(final)}")

    def check_sent(self):
        """What was read or is in the log, each once."""
        seen = {(value, partition): offset for value, partition, offset in self.read}
        seen |= {(value, partition): offset for (partition, offset), value in self.final.items()}
        for (value, partition), offset in sorted(seen.items()):
            where = f"{name(value)} at {partition}:{offset}"
            to, sent = self.sent.get(value[:2], (None, None))
            if to is None:
                self.findings["phantom"].append(f"{where} was never sent")
            elif to != partition:
                self.findings["phantom"].append(f"{where} was sent to {to}")
            elif value != sent:
                self.findings["altered"].append(f"{where} has {value[2:]}, was {sent[2:]}")
            if value[:2] in self.failed:
                self.findings["failed seen"].append(where)

    def check_reader(self, has_ended):
        """By partition, in the order in which he was given them; he began at 0."""
        there = collections.defaultdict(list)
        for partition, offset in sorted(self.final):
            there[partition].append(offset)
        last = collections.defaultdict(lambda: -1)
        for value, partition, offset in self.read:
            before = last[partition]
            if offset <= before:
                self.findings["went back"].append(f"{name(value)} at {partition}:{offset} after {before}")
                continue
            at = bisect.bisect_right(there[partition], before)
            if at < len(there[partition]) and there[partition][at] < offset:
                self.findings["skipped"].append(f"{partition}:{there[partition][at]} between {before} and {offset}")
            last[partition] = offset
        for partition, offsets in there.items() if has_ended else ():
            if offsets and last[partition] < offsets[-1]:
                self.findings["behind"].append(f"{partition}: read to {last[partition]} of {offsets[-1]}")

    def check_marks(self):
        last = {}
        for partition, *mark in self.marks:
            before = last.get(partition, (0, 0))
            if mark[0] < before[0] or mark[1] < before[1]:
                self.findings["mark went back"].append(f"{partition}: {mark} after {before}")
            last[partition] = [max(pair) for pair in zip(mark, before)]

    def check_duplicates(self):
        seen = {}
        for (partition, offset), value in sorted(self.final.items()):
            who = value[:2]
            if who in seen:
                self.findings["duplicated"].append(f"{name(value)} at {seen[who]} and {partition}:{offset}")
            seen[who] = f"{partition}:{offset}"

    def check_order(self):
        last = {}
        for (partition, offset), (producer, number, *_) in sorted(self.final.items()):
            if number < last.get((producer, partition), -1):
                self.findings["reordered"].append(f"{producer}-{number} at {partition}:{offset}")
            last[producer, partition] = max(number, last.get((producer, partition), -1))

    def check_commits(self):
        if self.group is None:
            self.findings["incomplete"].append("no final offset of the group")
        highest = 0
        for offset, committed, begun in self.asked:
            if offset < committed:
                self.findings["commit lost"].append(f"{committed} acknowledged, {offset} kept")
            elif offset < highest:
                self.findings["commit went back"].append(f"{offset} after {highest}")
            if offset > begun:
                self.findings["commit invented"].append(f"{begun} begun, {offset} kept")
            highest = max(highest, offset)


def name(value):
    return "%d-%d" % value[:2]


def show(findings):
    return "\n".join(f"{rule}: {len(found)}, such as {'; '.join(found[:LIMIT])}" for rule, found in findings.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log")
    parser.add_argument("--duplicates-allowed", action="store_true", help="the producers were not idempotent")
    parser.add_argument("--broken-off", action="store_true", help="who reads was not waited for at the end")
    options = parser.parse_args()
    with open(options.log, encoding="ascii") as file:
        history = History().load(file)
    findings = history.judge(options.duplicates_allowed, not options.broken_off)
    print(f"{len(history.sent)} sent, {len(history.acknowledged)} acknowledged, {len(history.failed)} failed for good, "
          f"{len(history.read)} read, {len(history.marks)} marks, {len(history.final)} in the log, {history.committed} commits")
    if findings:
        print(show(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
