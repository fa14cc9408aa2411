#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the history of transactions through crashes: each whole or not at all, once, in order, none acknowledged lost.

usage: transactions_history.py bank|transform LOG

An id is THREAD.INCARNATION.NUMBER. Lines, in the order of their time, of several processes:
  I THREAD INCARNATION      this incarnation has the thread's transactional id
  B ID                      a transaction begins
  c ID / C ID               its commit is asked / answered
  x ID / X ID               its abort is asked / answered
  R PARTITION OFFSET VALUE  read along, by one who wants what is committed
  D PARTITION OFFSET VALUE  so at the end; "e D" when that is complete
  q N / Q N ACCOUNT BALANCE an audit while nobody writes, and what it finds (bank)
  i PARTITION OFFSET VALUE  an input is acknowledged; E: it is there at the end (transform)
  G PARTITION OFFSET        the group's offset at the end (transform)

Rules of both
  lost           a commit was acknowledged, and what it wrote is not there at the end
  aborted seen   what was aborted, or never to be committed, was read or is there
  seen early     it was read before its producer asked for the commit
  zombie         a commit asked by an incarnation that had lost its id was acknowledged, or is there
  read gone      what somebody read is not at its offset at the end; read otherwise: something else is
  skipped        a reader went past what is there at the end; unread: it never came to the end
  incomplete     the end could not be read: then the rules that compare with it are left out; or an audit found nothing
of bank: torn (one half of a transfer is there), twice (a half is there again), chain (an account's versions or balances do not follow
from each other), sum (an audit, or the end, does not hold what all began with)
of transform: twice, reordered, wrong (not what becomes of the input), left out (an input below the group's offset has no output), ahead (an
output at or above it), unfinished (input is left), input lost
"""
import argparse
import collections
import sys

import history
import load

#: Findings by which no mutant is found: the reader has little time for its way to the end there.
PROVES_NOTHING = (*load.PROVES_NOTHING, "unread")
AT_FIRST = 100
ACCOUNTS = 15


def transformed(number):
    return number * 2654435761 % 4294967296


class Transactions:
    """What both have in common. `parse` makes of a value its id and the rest."""

    def __init__(self):
        self.events = collections.defaultdict(dict)  # id -> letter -> when, in lines
        self.owners = collections.defaultdict(list)  # thread -> [(when, incarnation)]
        self.read = {}  # (partition, offset) -> (when, value)
        self.final = {}
        self.complete = set()
        self.audits = collections.defaultdict(dict)
        self.inputs_acknowledged, self.inputs, self.group = {}, {}, {}
        self.findings = collections.defaultdict(list)

    def load(self, lines):
        for when, line in enumerate(lines):
            kind, *rest = line.split()
            if kind in "BcCxX":
                self.events[rest[0]].setdefault(kind, when)
            elif kind == "I":
                self.owners[rest[0]].append((when, int(rest[1])))
            elif kind == "R":
                where = int(rest[0]), int(rest[1])
                if where in self.read:
                    self.findings["read twice"].append(f"{where}")
                self.read[where] = when, tuple(rest[2:])
            elif kind in "DEi":
                {"D": self.final, "E": self.inputs, "i": self.inputs_acknowledged}[kind][int(rest[0]), int(rest[1])] = tuple(rest[2:])
            elif kind == "e":
                self.complete.add(rest[0])
            elif kind == "q":
                self.audits[int(rest[0])] = {}
            elif kind == "Q":
                self.audits[int(rest[0])][int(rest[1])] = int(rest[2])
            elif kind == "G":
                self.group[int(rest[0])] = int(rest[1])
            else:
                raise ValueError(f"unknown line: {line}")
        return self

    @property
    def acknowledged(self):
        return [name for name, events in self.events.items() if "C" in events]

    def find(self, rule, what):
        self.findings[rule].append(what)

    def judge(self):
        """Returns the findings by rule; empty when all is well."""
        has_end = "D" in self.complete
        if not has_end:
            self.find("incomplete", "the end was not read")
        self.judge_sightings()
        self.judge_fates(has_end)
        self.judge_records()
        if has_end:
            self.judge_reader()
            self.judge_end()
        return {rule: found for rule, found in self.findings.items() if found}

    def judge_sightings(self):
        for where, (when, value) in self.read.items():
            asked = self.events.get(value[0], {}).get("c")
            if asked is None:
                self.find("aborted seen", f"{value[0]} was read at {where}, its commit was never asked")
            elif asked > when:
                self.find("seen early", f"{value[0]} was read at {where} before its commit was asked")
        for where, value in sorted(self.final.items()):
            events = self.events.get(value[0], {})
            if "c" not in events or "X" in events:
                self.find("aborted seen", f"{value[0]} at {where}")

    def judge_fates(self, has_end):
        there = {value[0] for value in self.final.values()}
        for name, events in self.events.items():
            if has_end and "C" in events and name not in there:
                self.find("lost", name)
            if "c" not in events:
                continue
            thread, incarnation, _ = name.split(".")
            superseded = any(when < events["c"] and other > int(incarnation) for when, other in self.owners[thread])
            if superseded and ("C" in events or name in there):
                self.find("zombie", f"{name}: {'acknowledged' if 'C' in events else 'there'}")

    def judge_reader(self):
        last = collections.defaultdict(lambda: -1)
        for (partition, offset), (_, value) in self.read.items():
            last[partition] = max(last[partition], offset)
            final = self.final.get((partition, offset))
            if final is None:
                self.find("read gone", f"{value[0]} at {partition}:{offset}")
            elif final != value:
                self.find("read otherwise", f"{partition}:{offset} was {value}, is {final}")
        for partition, offset in sorted(self.final):
            if (partition, offset) not in self.read:
                self.find("skipped" if offset < last[partition] else "unread", f"{partition}:{offset}")


class Bank(Transactions):
    """Values: ID ACCOUNT VERSION BALANCE CHANGE."""

    def judge_records(self):
        for number, balances in self.audits.items():
            if balances:
                self.judge_sum(f"audit {number}", balances)
            else:
                self.find("incomplete", f"audit {number} found no accounts")

    def judge_end(self):
        halves = collections.Counter()
        accounts = collections.defaultdict(lambda: (0, AT_FIRST))
        for (partition, offset), (name, account, version, balance, change) in sorted(self.final.items()):
            halves[name, account] += 1
            before_version, before_balance = accounts[account]
            if int(version) != before_version + 1 or int(balance) != before_balance + int(change):
                self.find("chain", f"account {account} at {partition}:{offset}: version {before_version} with {before_balance}, then "
                          f"{version} with {balance} by {name}")
            accounts[account] = int(version), int(balance)
        for (name, account), count in halves.items():
            if count > 1:
                self.find("twice", f"{name} on account {account}")
        whole = collections.Counter(name for name, _ in halves)
        for name, count in whole.items():
            if count != 2:
                self.find("torn", f"{name}: {count} of 2")
        self.judge_sum("at the end", {account: balance for account, (_, balance) in accounts.items()})

    def judge_sum(self, what, balances):
        total = sum(balances.values()) + AT_FIRST * (ACCOUNTS - len(balances))
        if total != AT_FIRST * ACCOUNTS:
            self.find("sum", f"{what}: {total}, not {AT_FIRST * ACCOUNTS}")


class Transform(Transactions):
    """Values: ID PARTITION OFFSET INPUT OUTPUT, the first three those of the input."""

    def judge_records(self):
        if "E" not in self.complete or not self.group:
            self.find("incomplete", "no inputs or no offsets at the end")

    def judge_end(self):
        has_inputs = "E" in self.complete
        for where, value in self.inputs_acknowledged.items():
            if has_inputs and self.inputs.get(where) != value:
                self.find("input lost", f"{value} at {where}")
        done, last = {}, collections.defaultdict(lambda: -1)
        for (partition, offset), (name, source, at, number, output) in sorted(self.final.items()):
            where, here = (int(source), int(at)), f"{name} at {partition}:{offset}"
            is_of_input = not has_inputs or self.inputs.get(where) == (number,)
            if where[0] != partition or int(output) != transformed(int(number)) or not is_of_input:
                self.find("wrong", here)
            if where in done:
                self.find("twice", f"{here}, before {done[where]}")
            elif where[1] < last[partition]:
                self.find("reordered", here)
            done[where] = here
            last[partition] = max(last[partition], where[1])
            if self.group and where[1] >= self.group.get(partition, -1):
                self.find("ahead", here)
        for partition, offset in sorted(self.inputs) if has_inputs and self.group else ():
            if offset >= self.group.get(partition, -1):
                self.find("unfinished", f"{partition}:{offset}")
            elif (partition, offset) not in done:
                self.find("left out", f"{partition}:{offset}")


KINDS = {"bank": Bank, "transform": Transform}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("log")
    options = parser.parse_args()
    with open(options.log, encoding="ascii") as file:
        seen = KINDS[options.kind]().load(file)
    findings = seen.judge()
    print(f"{len(seen.events)} transactions, {len(seen.acknowledged)} acknowledged, {len(seen.read)} records read, {len(seen.final)} there")
    if findings:
        print(history.show(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
