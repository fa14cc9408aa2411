# SPDX-License-Identifier: Apache-2.0
"""Flights as a windowed stream: the average delay of each airport in windows of 15 minutes, by two instances of
examples/streams/flight_delays, exactly once. What comes out is computed again with SQLite."""
import datetime
import json
import signal
import sqlite3
import subprocess
import time

import backbone as bb

WINDOW_MS = 15 * 60 * 1000
# The events are years old: the changelogs of windows must not expire for that.
SETTINGS = ("processing.guarantee=exactly_once_v2", "session.timeout.ms=6000", "heartbeat.interval.ms=300",
            f"windowstore.changelog.additional.retention.ms={100 * 366 * 86_400_000}")


class Instance:
    """One process of the application; it prints its states."""

    def __init__(self, program, address, folder, number):
        self.out = folder / f"delays-{number}.out"
        with open(self.out, "wb") as out, open(folder / f"delays-{number}.log", "wb") as log:
            self.process = subprocess.Popen([program, address, *SETTINGS, f"state.dir={folder / f'delays-{number}'}"],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=log)

    def is_running(self):
        """Raises Failed when it has ended."""
        if self.process.poll() is not None:
            raise bb.Failed(f"flight_delays ended with {self.process.returncode}; see {self.out.with_suffix('.log')}")
        return self.out.read_text().split()[-1:] == ["RUNNING"]

    def end(self, how=signal.SIGTERM):
        """Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


def start(program, address, folder):
    return [Instance(program, address, folder, number) for number in range(2)]


def rows_of(records):
    """What the application told, in the order of each partition."""
    return [json.loads(r["value"]) for r in sorted(records, key=lambda r: (r["partition"], r["offset"]))]


def board(rows):
    """The three latest windows, as text."""
    windows = sorted({(row["airport"], row["start"]): row for row in rows}.values(), key=lambda row: row["start"])[-3:]
    return ", ".join(f"{row['airport']} {when(row['start'])} {row['average']:+.1f} min" for row in windows) or "nothing yet"


def when(milliseconds):
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc).strftime("%m-%d %H:%M")


def by_sqlite(flights):
    """{(airport, start): (flights, average)} of records as they were sent."""
    base = sqlite3.connect(":memory:")
    base.execute("create table flights (airport text, time integer, delay integer)")
    base.executemany("insert into flights values (?, ?, ?)",
                     ((r["key"], r["timestamp"], json.loads(r["value"])["delay"]) for r in flights))
    return {(airport, start): (count, average) for airport, start, count, average in base.execute(
        f"select airport, time / {WINDOW_MS} * {WINDOW_MS}, count(*), avg(delay) from flights group by 1, 2")}


def is_complete(rows, number):
    """Do the windows hold that many flights?"""
    return sum({(row["airport"], row["start"]): row["flights"] for row in rows}.values()) >= number


def count_windows(card, flights, rows):
    """Compares the last word on each window with SQLite's, and looks for updates that were told twice."""
    expected = by_sqlite(flights)
    last, twice = {}, 0
    for row in rows:
        place = (row["airport"], row["start"])
        twice += place in last and row["flights"] <= last[place]["flights"]
        last[place] = row
    card.check("windows: of 15 minutes", len(last), len(last) == len(expected))
    wrong = sum(place not in last or (last[place]["flights"], round(last[place]["average"], 6)) != (count, round(average, 6))
                for place, (count, average) in expected.items())
    card.check("windows: not what SQLite computes", wrong, wrong == 0)
    card.check("windows: updates told twice", twice, twice == 0)


def lose_one(rows):
    """Takes away the last update of a window that has others."""
    places = [(row["airport"], row["start"]) for row in rows]
    del rows[next(n for n in reversed(range(len(rows))) if places.count(places[n]) > 1)]


def wait_for_all(backbone, instance, number, seconds):
    """The results when they are complete, or what there is when the time is over or the instance has ended."""
    deadline = time.monotonic() + seconds
    while True:
        rows = rows_of(backbone.read_all("airport-delays"))
        if is_complete(rows, number) or time.monotonic() > deadline or instance.process.poll() is not None:
            return rows
        time.sleep(0.5)
