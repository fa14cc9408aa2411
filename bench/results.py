# SPDX-License-Identifier: Apache-2.0
"""What runs have measured: kept, written to and read from files of raw results, and made into the report.

A file of raw results has one JSON object a line, in the order of measurement: {"run": {...}} once for each run, then
{"broker", "cell", "figures"} or {"broker", "cell", "failed"} for each cell of each round.
"""
import json
import pathlib
import statistics

import cells
import goals
import secured_cells
import streams_cells


def text_of(value):
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


class Results:
    def __init__(self, raw=None):
        self.raw = raw  # a path to append to, or None
        self.runs = []
        self.figures = {}  # (cell, figure) -> broker -> values
        self.failed = []

    def begin(self, run):
        """`run` says what is needed to judge the figures: commit, date, machine, command, seconds."""
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

    def _rows(self):
        order = {cell[0]: number for number, cell in enumerate(cells.WARM + cells.COLD + secured_cells.CELLS + streams_cells.CELLS)}
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

    def report(self):
        """The report, and which figures are below their floor."""
        lines, below = self._head(), []
        rows = self._rows()
        of_streams = [row for row in rows if row[0][0] in streams_cells.TITLES]
        of_brokers = [row for row in rows if row[0][0] not in streams_cells.TITLES]
        if of_brokers:
            lines += self._table("| what | figure | Leat | Apache Kafka 4.3.1 | null broker | ratio | goal | verdict |", of_brokers,
                                 ("leat", "kafka", "null"), below)
        if of_streams:
            names = " | ".join(streams_cells.NAMES[side] for side in streams_cells.SIDES)
            lines += [""] * bool(of_brokers) + self._table(f"| what | figure | {names} | ratio | goal | verdict |", of_streams, streams_cells.SIDES, below)
        lines += [f"\nNo figure: {line}" for line in self.failed]
        return "\n".join(lines) + "\n", below

    @staticmethod
    def _table(head, rows, columns, below):
        lines = [head, "|" + "---|" * (head.count("|") - 1)]
        for (title, figure), by in rows:
            mid = {name: statistics.median(values) for name, values in by.items()}
            shown = {name: f"{text_of(mid[name])} ({text_of(min(v))}–{text_of(max(v))})" for name, v in by.items()}
            ratio = mid["leat"] / mid["kafka"] if "leat" in mid and mid.get("kafka") else None
            verdict, goal = goals.judge(title, figure, mid)
            if verdict == "BELOW":
                below.append(f"{title}, {figure}")
            values = " | ".join(shown.get(name, "–") for name in columns)
            lines.append(f"| {title} | {figure} | {values} | {'–' if ratio is None else f'{ratio:.2f}×'} | {goal} | {verdict} |")
        return lines
