# SPDX-License-Identifier: Apache-2.0
"""What runs have measured: kept, written to and read from files of raw results, and made into the report.

A file of raw results has one JSON object a line, in the order of measurement: {"run": {...}} once for each run, its "cells" those that were chosen, then
{"broker", "cell", "figures"} or {"broker", "cell", "failed"} for each cell of each round.
"""
import json
import pathlib
import statistics

import cells
import goals
import secured_cells
import streams_cells


TITLES = [cell[0] for cell in cells.WARM + cells.COLD + secured_cells.CELLS + streams_cells.CELLS]


def text_of(value):
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class Results:
    def __init__(self, raw=None):
        self.raw = raw  # a path to append to, or None
        self.runs = []
        self.figures = {}  # (cell, figure) -> broker -> values
        self.failed = []

    def begin(self, run):
        """`run` says what is needed to judge the figures: commit, date, machine, command, seconds, titles of its cells."""
        self._take({"run": run})

    def add(self, broker, cell, figures):
        self._take({"broker": broker, "cell": cell, "figures": figures})

    def fail(self, broker, cell, why):
        self._take({"broker": broker, "cell": cell, "failed": why})

    def load(self, path):
        for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
            try:
                self._apply(json.loads(line))
            except (ValueError, KeyError, TypeError) as why:
                raise SystemExit(f"bench: {path}:{number}: no raw result: {why!r}") from why

    def _take(self, entry):
        self._apply(entry)
        if self.raw:
            self.raw.parent.mkdir(parents=True, exist_ok=True)
            with self.raw.open("a") as out:
                out.write(json.dumps(entry) + "\n")

    def _apply(self, entry):
        if "run" in entry:
            self.runs.append(entry["run"])
        elif "failed" in entry:
            self.failed.append(f"{entry['broker']}: {entry['cell']}: {entry['failed']}")
        else:
            for figure, value in entry["figures"].items():
                self.figures.setdefault((entry["cell"], figure), {}).setdefault(entry["broker"], []).append(value)

    def chosen(self):
        """Titles of the cells that its runs were to measure: all, when one of them does not say or there is none."""
        told = [run.get("cells") for run in self.runs]
        return TITLES if not told or None in told else [title for title in TITLES if any(title in titles for titles in told)]

    def _rows(self):
        order = {title: number for number, title in enumerate(TITLES)}
        return sorted(self.figures.items(), key=lambda row: order.get(row[0][0], len(order)))

    def _head(self):
        lines = ["# Benchmark", ""]
        for title in ("commit", "date", "machine"):
            lines.append(f"- {title}: " + "; ".join(dict.fromkeys(str(run[title]) for run in self.runs)))
        lines += [f"- command: `{command}`" for command in dict.fromkeys(run["command"] for run in self.runs)]
        if len(self.runs) > 1:
            lines.append(f"- merged from {len(self.runs)} runs; brokers are compared over the rounds of all of them")
        seconds = "; ".join(dict.fromkeys(f"{run['seconds']:g}" for run in self.runs))
        counts = sorted({len(values) for by in self.figures.values() for values in by.values()})
        rounds = f"{counts[0]}" if len(set(counts)) == 1 else f"{counts[0]} to {counts[-1]}" if counts else "0"
        lines += [f"- stream applications {about}" for about in dict.fromkeys(run["streams"] for run in self.runs if "streams" in run)]
        lines += [f"- rounds: {rounds} a figure, {seconds} s a cell; medians, in brackets the spread over the rounds", ""]
        return lines

    def report(self, titles=None):
        """The report, which figures are below their floor, and which goals of the cells with these titles, else of chosen(), have no verdict."""
        lines, verdicts = self._head(), {}
        rows = self._rows()
        of_streams = [row for row in rows if row[0][0] in streams_cells.TITLES]
        of_brokers = [row for row in rows if row[0][0] not in streams_cells.TITLES]
        if of_brokers:
            lines += self._table("| what | figure | Leat | Apache Kafka 4.3.1 | null broker | ratio | goal | verdict |", of_brokers,
                                 ("leat", "kafka", "null"), verdicts)
        if of_streams:
            names = " | ".join(streams_cells.NAMES[side] for side in streams_cells.SIDES)
            lines += [""] * bool(of_brokers) + self._table(f"| what | figure | {names} | ratio | goal | verdict |", of_streams, streams_cells.SIDES, verdicts)
        below = [f"{title}, {figure}" for (title, figure), verdict in verdicts.items() if verdict == "BELOW"]
        unjudged = [f"{title}, {figure}" for title, figure in goals.unjudged(self.chosen() if titles is None else titles, verdicts)]
        lines += [f"\nNo figure: {line}" for line in self.failed]
        lines += [f"\nNo verdict: {line}" for line in unjudged]
        return "\n".join(lines) + "\n", below, unjudged

    @staticmethod
    def _table(head, rows, columns, verdicts):
        lines = [head, "|" + "---|" * (head.count("|") - 1)]
        for (title, figure), by in rows:
            mid = {name: statistics.median(values) for name, values in by.items()}
            shown = {name: f"{text_of(mid[name])} ({text_of(min(v))}–{text_of(max(v))})" for name, v in by.items()}
            ratio = mid["leat"] / mid["kafka"] if "leat" in mid and mid.get("kafka") else None
            verdict, goal = goals.judge(title, figure, mid)
            verdicts[title, figure] = verdict
            values = " | ".join(shown.get(name, "–") for name in columns)
            lines.append(f"| {title} | {figure} | {values} | {'–' if ratio is None else f'{ratio:.2f}×'} | {goal} | {verdict} |")
        return lines
