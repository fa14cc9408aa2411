# SPDX-License-Identifier: Apache-2.0
"""The table of a crash run, and the page that keeps it: what people wrote around the tables stays as it is.

A page holds each table between <!-- begin NAME --> and <!-- end NAME -->. A run writes the sections of its modes anew, each as a whole,
and nothing else.
"""
import datetime
import sys

import history
import machine

#: The section of each mode; a run of some of a section's modes would drop the rows of the others.
SECTIONS = {
    "backbone": ("power", "kill", "checksum", "failpoint", "flips", "full", "descriptors", "readonly", "control", "mutants", "lies"),
    "control plane": ("control-plane", "control-plane-mutants"),
    "transactions": ("bank-transfer", "consume-transform-produce", "transactions-power", "transactions-mutants"),
    "streams": ("streams", "streams-older", "streams-mutants"),
}


def section_of(mode):
    return next((name for name, modes in SECTIONS.items() if mode in modes), mode)


def marks(section):
    return f"<!-- begin {section} -->\n", f"<!-- end {section} -->"


def objection(path, modes, section, only=None):
    """Why a run of `modes`, of those rows `only` perhaps, cannot go into the page at `path`, or None. To be asked before hours of runs."""
    if not path.exists():
        return None
    if only and not section:
        return f"only {only} would drop the other rows of {path}: write another file, or say --section NAME"
    text = path.read_text()
    for name in [section] if section else dict.fromkeys(map(section_of, modes)):
        begin, end = marks(name)
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            return f"{path} has no section {name} to write"
        left_out = [mode for mode in SECTIONS.get(name, ()) if mode not in modes]
        if left_out and not section:
            return (f"section {name} of {path} also has the rows of {', '.join(left_out)}, which this run would drop: "
                    f"write another file, or say --section {name}")
    return None


class Report:
    def __init__(self, root, say):
        self.rows, self.failed, self.mode = [], 0, ""
        self.is_whole = True  # All rows that were asked for are made.
        self.commit = machine.commit(root)  # Now: a long run outlives what stands here.
        self.say = say

    def add(self, what, cycles, acknowledged, findings, good):
        text = "none" if not findings else "; ".join(
            f"{rule} {len(found)}" if rule not in ("broken", "stuck") else f"{rule}: {found[0]}" for rule, found in findings.items())
        self.rows.append((section_of(self.mode), f"| {what} | {cycles} | {acknowledged:,} | {text} | {'ok' if good else 'FAILED'} |"))
        self.failed += not good
        self.say(f"{what}: {cycles} cycles, {acknowledged} acknowledged, findings: {text}: {'ok' if good else 'FAILED'}")
        if findings:
            print(history.show(findings), file=sys.stderr)

    def has(self, name):
        """Whether a row is named so, or after it."""
        return any(name in row.split("|")[1] for _, row in self.rows)

    def broken(self, what, why):
        """It ended, or something was left out, before all of its rows were made: it takes the place of nothing."""
        self.is_whole = False
        self.add(what, 0, 0, {"broken": [str(why)]}, False)

    def table(self, section=None):
        """Of one section, or of all."""
        lines = [f"- commit: {self.commit}", f"- date: {datetime.date.today()}", f"- machine: {machine.describe()}",
                 f"- command: `tests/crash/run {' '.join(sys.argv[1:])}`", "",
                 "| run | cycles | acknowledged | findings | verdict |", "|---|---|---|---|---|"]
        lines += [row for of, row in self.rows if section in (None, of)]
        lines += ["", "A control or mutant is ok when it is found out. With n cycles without a finding the chance of one a cycle is below "
                  "3/n (95 %)."]
        return "\n".join(lines) + "\n"

    def write(self, path, section=None):
        """Into the sections of the page that is there, or a new one; a run that is not whole writes none. `section`: everything into that one."""
        if not self.is_whole:
            self.say(f"{path} stays as it is: not all rows were made")
            return
        tables = {section: self.table()} if section else {name: self.table(name) for name in dict.fromkeys(of for of, _ in self.rows)}
        if path.exists():
            text = path.read_text()
            for name, table in tables.items():
                begin, end = marks(name)
                text = text[:text.index(begin)] + begin + "\n" + table + "\n" + text[text.index(end):]
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            parts = [f"{begin}\n{table}\n{end}\n" for (begin, end), table in ((marks(name), table) for name, table in tables.items())]
            text = "# Crash runs\n\n" + "\n".join(parts)
        path.write_text(text)
