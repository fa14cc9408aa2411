# SPDX-License-Identifier: Apache-2.0
"""What came out: verdict of each client and feature, the grid, the differences, and the report as Markdown."""
import datetime
import difflib
import pathlib
import sys

import machine
import normalise
from clients import CONSUMER_PROTOCOL, FEATURES

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASS, FAIL, NONE = "pass", "FAIL", "-"
SHOWN = 40  # lines of one difference that are printed


def command():
    """As it was called, without where its output went."""
    words = iter(sys.argv[1:])
    return " ".join(["tests/interop/run", *(word for word in words if word not in ("--keep", "--report") or not next(words, None))])


class Outcome:
    def __init__(self, options):
        self.options = options
        self.rows = []      # (client, {feature: (mark of each broker, differences)})
        self.absent = []    # (title, why)
        self.checks = []    # (name, ok, detail) of the proof on files
        self.deaths = []
        self.started = datetime.datetime.now(datetime.UTC)

    def missing(self, client, why):
        if client.title not in [title for title, _, _ in self.absent]:
            self.absent.append((client.title, why, len(client.features)))

    def cannot(self, why):
        self.absent.append(("the run", why, 1))

    def check(self, name, ok, detail=""):
        self.checks.append((name, ok, detail))

    def add(self, client, found, features):
        verdicts = {}
        for feature in features:
            problems = [f"{broker}: {results[feature]['error']}" for broker, results in found.items() if not results[feature]["ok"]]
            marks = {broker: PASS if results[feature]["ok"] else FAIL for broker, results in found.items()}
            if len(found) == 2:
                lines = [normalise.transcript(found[broker][feature]["facts"]) for broker in ("kafka", "leat")]
                if lines[0] != lines[1]:
                    marks["leat"] = FAIL
                    problems += difflib.unified_diff(*lines, "kafka", "leat", lineterm="", n=1)
            verdicts[feature] = (marks, problems)
        known = [v for c, v in self.rows if c is client]
        if known:  # Its other features came before.
            known[0].update(verdicts)
        else:
            self.rows.append((client, verdicts))

    def _bad(self, marks):
        return FAIL in marks.values()

    def line(self, client):
        verdicts = next(v for c, v in self.rows if c is client)
        failed = [name for name, (marks, _) in verdicts.items() if self._bad(marks)]
        return f"{client.name}: {len(verdicts) - len(failed)} of {len(verdicts)}" + (f", not {' '.join(failed)}" if failed else "")

    def counts(self):
        cells = [marks for _, verdicts in self.rows for marks, _ in verdicts.values()]
        failed = sum(map(self._bad, cells)) + sum(not ok for _, ok, _ in self.checks) + len(self.deaths)
        passed = sum(not self._bad(marks) for marks in cells) + sum(ok for _, ok, _ in self.checks)
        return passed, failed, sum(number for _, _, number in self.absent)

    def code(self):
        """Of nothing at all: as of bad usage, for nothing was compared."""
        passed, failed, skipped = self.counts()
        return 1 if failed else 3 if skipped else 0 if passed else 2

    def summary(self):
        return "{} passed, {} failed, {} skipped".format(*self.counts())

    def _cell(self, client, verdicts, feature):
        if feature not in verdicts:
            return NONE if feature not in client.features else ""
        marks = verdicts[feature][0]
        return "/".join(marks[broker] for broker in marks)

    def grid(self):
        """Rows are features, columns clients; a cell has the verdict of each broker."""
        names = [client.name for client, _ in self.rows]
        brokers = "kafka/leat" if self.options.broker == "both" else self.options.broker
        table = [[f"feature ({brokers})", *names]]
        for feature in (*FEATURES, *CONSUMER_PROTOCOL):
            table.append([feature, *(self._cell(client, verdicts, feature) for client, verdicts in self.rows)])
        return table

    def problems(self):
        for client, verdicts in self.rows:
            for feature, (marks, found) in verdicts.items():
                if self._bad(marks):
                    yield f"{client.title}, {feature}", found

    def print(self):
        if self.rows:
            table = self.grid()
            widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
            for row in table:
                print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        for name, ok, detail in self.checks:
            print(f"{PASS if ok else FAIL}  {name}" + (f": {detail}" if detail else ""))
        for title, found in self.problems():
            print(f"\n== {title}")
            print("\n".join(found[:SHOWN]) + (f"\n... {len(found) - SHOWN} more" if len(found) > SHOWN else ""))
        for death in self.deaths:
            print(f"\n== {death}")
        for title, why, _ in self.absent:
            print(f"\n== cannot be had: {title}: {why}")
        print(self.summary())

    def write(self, path):
        rows = [["---"] * len(self.grid()[0])] if self.rows else []
        table = self.grid() if self.rows else []
        text = ["# Foreign clients on Leat and on Apache Kafka", "",
                f"- Commit: {machine.commit(ROOT)}", f"- When: {self.started:%Y-%m-%d %H:%M} UTC", f"- Machine: {machine.describe()}",
                f"- Command: `{command()}`", f"- Result: {self.summary()}", "",
                "Each client's program runs on a fresh Apache Kafka 4.3.1 and on a fresh Leat with the same settings. A cell passes when each step "
                "went as it should and both transcripts are the same after the replacements below. `-`: the client does not have it.", ""]
        text += ["| " + " | ".join(row) + " |" for row in table[:1] + rows + table[1:]]
        text += ["", "Clients: " + "; ".join(f"{client.name} = {client.title}" for client, _ in self.rows), ""]
        if self.checks:
            text += ["## Files, and the harness put to the test", ""] + [f"- {PASS if ok else FAIL}: {name}" + (f" ({detail})" if detail else "") for name, ok, detail in self.checks]
        text += ["", "## Replaced before comparison", "", normalise.as_markdown()]
        text += ["", "## What it does not show", "",
                 "Delegation tokens and rights (`tests/security`); load, faults and restarts (`make crash`); several nodes. Words of error messages and "
                 "times are not compared, error codes are."]
        if self.absent:
            text += ["", "## Could not be had", ""] + [f"- {title}: {why}" for title, why, _ in self.absent]
        for title, found in self.problems():
            text += ["", f"## Differs: {title}", "", "```", *found[:SHOWN], "```"]
        text += [f"\n{death}" for death in self.deaths]
        pathlib.Path(path).write_text("\n".join(text) + "\n")
