#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of stream processing, on a broker and in the test driver: what comes out is what SQLite makes of the same
rows.

usage: stream_examples_test.py LEAT FOLDER [--sample] [TEST...]

FOLDER has the examples' programs. --sample: the committed sample is played even where the real data can be had.
"""
import argparse
import base64
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import stream_data

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from kafka_node import LeatNode  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPTIONS = None
DATA = None
PARTITIONS = 3
QUARTER, DAY, HOUR = 900_000, 86_400_000, 3_600_000
# What a test does not wait for longer, in seconds.
PATIENCE = 120


def record(key, value, timestamp):
    """As `leat produce --json` takes it; a dict becomes JSON, None is null."""
    text = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    row = {"timestamp": timestamp, "value": text}
    if key is not None:
        row["key"] = key
    return row


def part(row, name):
    """Key or value as bytes, of a line of `leat consume --output json` or of an example's --try."""
    if row.get(f"{name}_base64") is not None:
        return base64.b64decode(row[f"{name}_base64"])
    text = row.get(name)
    return None if text is None else text.encode()


def number(data):
    return struct.unpack(">q", data)[0]


def table(records, key=bytes.decode, value=json.loads):
    """The last value of each key; a null deletes."""
    last = dict(records)
    return {key(k): value(v) for k, v in last.items() if v is not None}


def database(**tables):
    """An SQLite database with these lists of dicts for tables."""
    db = sqlite3.connect(":memory:")
    for name, rows in tables.items():
        columns = list(rows[0])
        db.execute(f"CREATE TABLE {name} ({', '.join(columns)})")
        db.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", [tuple(row[c] for c in columns) for row in rows])
    return db


class Example(unittest.TestCase):
    def setUp(self):
        """A broker of its own: two examples read the same topic."""
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="leat-examples-"))
        self.addCleanup(shutil.rmtree, self.place)
        self.node = LeatNode(self.place / "leat", OPTIONS.leat, settings={"group.min.session.timeout.ms": "1000"})
        self.node.start()
        self.addCleanup(self.node.stop)

    def leat(self, *arguments, stdin=None):
        done = subprocess.run([OPTIONS.leat, *arguments], input=stdin, capture_output=True, text=True, timeout=PATIENCE,
                              env={**os.environ, "LEAT_BOOTSTRAP": self.node.address})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def create(self, *topics):
        """Kept for ever: the records' times are long past, and retention goes by those."""
        for topic in topics:
            self.leat("topic", "create", topic, "--partitions", str(PARTITIONS), "--set", "retention.ms=-1")

    def produce(self, topic, records):
        self.leat("produce", topic, "--json", stdin="".join(json.dumps(row) + "\n" for row in records))

    def rows(self, topic):
        out = self.leat("consume", topic, "--from", "beginning", "--until-end", "--isolation", "read_committed", "--output", "json")
        return [json.loads(line) for line in out.splitlines()]

    def consume(self, topic):
        """(key, value) as bytes, each key's in its order."""
        return [(part(row, "key"), part(row, "value")) for row in self.rows(topic)]

    @contextlib.contextmanager
    def running(self, example, *settings):
        """Until the block ends; then it must stop well, unless the block has killed it."""
        log = self.place / f"{example}.log"
        with open(log, "ab") as sink:
            process = subprocess.Popen([OPTIONS.folder / example, self.node.address, f"state.dir={self.place / 'state'}",
                                        "commit.interval.ms=100", *settings], stdout=sink, stderr=sink, stdin=subprocess.DEVNULL)
        try:
            yield process
            if process.returncode != -signal.SIGKILL:
                self.assertIsNone(process.poll(), f"{example} has ended: " + log.read_text()[-2000:])
                process.terminate()
                self.assertEqual(process.wait(PATIENCE), 0, log.read_text()[-2000:])
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def wait_until(self, topic, read, expected):
        """Until what `read` makes of the topic's records is what must be."""
        deadline = time.monotonic() + PATIENCE
        while (found := read(self.consume(topic))) != expected:
            if time.monotonic() > deadline:
                self.differ(topic, found, expected)
            time.sleep(0.2)

    def differ(self, topic, found, expected):
        wrong = [(key, found.get(key), value) for key, value in expected.items() if found.get(key) != value]
        more = [key for key in found if key not in expected]
        self.assertFalse(wrong or more, f"{topic}: {len(wrong)} of {len(expected)} are wrong, {len(more)} too many: {wrong[:3]} {more[:3]}")
        self.fail(f"{topic} differs")

    def tried(self, example, records):
        """Topic -> (key, value) in order, out of the test driver. `records`: (topic, record)."""
        lines = "".join(json.dumps({"topic": topic} | row) + "\n" for topic, row in records)
        done = subprocess.run([OPTIONS.folder / example, "--try"], input=lines, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = collections.defaultdict(list)
        for row in map(json.loads, done.stdout.splitlines()):
            out[row["topic"]].append(tuple(None if row[name] is None else bytes.fromhex(row[name]) for name in ("key", "value")))
        return out

    def check(self, example, inputs, expected, *settings):
        """`inputs`: topic -> records, in the order in which the test driver gets them; `expected`: topic -> (read, what it
        makes of the records)."""
        out = self.tried(example, [(topic, row) for topic, rows in inputs.items() for row in rows])
        for topic, (read, result) in expected.items():
            found = read(out[topic])
            if found != result:
                self.differ(f"{topic} in the test driver", found, result)
        self.create(*inputs, *expected)
        for topic, rows in inputs.items():
            self.produce(topic, rows)
        with self.running(example, *settings):
            for topic, (read, result) in expected.items():
                self.wait_until(topic, read, result)

    def test_word_count(self):
        lines = [line for path in sorted((ROOT / "docs" / "how-to").glob("*.md")) for line in path.read_text().splitlines()]
        db = database(words=[{"word": word} for line in lines for word in re.split(r"[ \t\n\v\f\r]+", line) if word])
        counts = dict(db.execute("SELECT word, COUNT(*) FROM words GROUP BY word"))
        self.check("word_count", {"lines": [record(str(n), line, 1 + n) for n, line in enumerate(lines)]},
                   {"word-counts": (lambda out: table(out, value=number), counts)})

    def test_flight_delays(self):
        db = database(flights=DATA.flights)
        names = ("airport", "start", "flights", "average")
        grouped = "SELECT origin, time / ? * ? AS start, COUNT(*), SUM(delay) * 1.0 / COUNT(*) AS average FROM flights GROUP BY 1, 2"
        quarters = {f"{row[0]} {row[1]}": dict(zip(names, row)) for row in db.execute(grouped, (QUARTER, QUARTER))}
        days = collections.defaultdict(list)
        for row in db.execute(f"SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY start ORDER BY average DESC, origin) AS place "
                              f"FROM ({grouped})) WHERE place <= 10 ORDER BY start, place", (DAY, DAY)):
            days[row[1]].append(dict(zip(names, row)))
        flights = [record(f["origin"], f, f["time"]) for f in DATA.flights]
        self.check("flight_delays", {"flights": flights},
                   {"airport-delays": (table, quarters), "worst-airports": (lambda out: table(out, key=number), dict(days))})

    def test_earthquake_swarms(self):
        db = database(quakes=[q | {"region": q["place"].rsplit(", ", 1)[-1]} for q in DATA.quakes])
        rows = db.execute(f"""
            WITH steps AS (SELECT *, time - LAG(time, 1, -{HOUR}) OVER (PARTITION BY region ORDER BY time) > {HOUR} AS quiet FROM quakes),
              sessions AS (SELECT *, SUM(quiet) OVER (PARTITION BY region ORDER BY time ROWS UNBOUNDED PRECEDING) AS n FROM steps)
            SELECT region, MIN(time), MAX(time), COUNT(*), MAX(magnitude) FROM sessions GROUP BY region, n HAVING COUNT(*) >= 3""")
        names = ("region", "first", "last", "quakes", "strongest")
        swarms = {f"{row[0]} {row[1]} {row[2]}": dict(zip(names, row)) for row in rows}
        self.assertGreater(len(swarms), 5)
        quakes = [record(str(n), q, q["time"]) for n, q in enumerate(DATA.quakes)]
        self.check("earthquake_swarms", {"quakes": quakes}, {"swarms": (table, swarms)})

    def test_order_enrichment(self):
        chance = random.Random(11)
        customers, orders = {}, {}
        inputs = {"customers": [], "orders": []}
        for step in range(3000):
            kind, data, key = (("customers", customers, f"c{chance.randrange(60)}") if chance.random() < 0.2
                               else ("orders", orders, f"o{chance.randrange(500)}"))
            value = None
            if chance.random() > 0.1:
                value = ({"name": f"Name {step}", "city": chance.choice(["London", "Zürich", "Łódź"])} if kind == "customers"
                         else {"customer": f"c{chance.randrange(70)}", "cents": chance.randrange(100_000)})
            data[key] = value
            inputs[kind].append(record(key, value, 1 + step))
        db = database(customers=[{"id": k} | v for k, v in customers.items() if v],
                      orders=[{"id": k} | v for k, v in orders.items() if v])
        names = ("customer", "name", "city", "cents")
        rows = db.execute("SELECT o.id, o.customer, c.name, c.city, o.cents FROM orders o LEFT JOIN customers c ON c.id = o.customer")
        self.check("order_enrichment", inputs, {"orders-enriched": (table, {row[0]: dict(zip(names, row[1:])) for row in rows})})

    def test_departures(self):
        # Airports of one state are not known.
        airports = [a for a in DATA.airports if a["state"] != "HI"]
        db = database(flights=DATA.flights, airports=airports)
        names = ("origin", "city", "state", "destination", "delay")
        rows = db.execute("SELECT origin, city, state, destination, delay FROM flights JOIN airports ON iata = origin")
        expected = collections.Counter(json.dumps(dict(zip(names, row))) for row in rows)
        self.assertLess(expected.total(), len(DATA.flights))
        inputs = {"airports": [record(a["iata"], a, 1) for a in airports],
                  "flights": [record(f["origin"], f, f["time"]) for f in DATA.flights]}
        self.check("departures", inputs,
                   {"departures": (lambda out: collections.Counter(json.dumps(json.loads(value)) for _, value in out), expected)})

    def test_bank_ledger_through_kills(self):
        chance = random.Random(5)
        transfers = []
        for n in range(4000):
            source, target = (f"a{account}" for account in chance.sample(range(40), 2))
            transfers.append({"id": f"t{n}", "source": source, "target": target, "cents": chance.randrange(1, 10_000)})
        db = database(transfers=transfers)
        balances = dict(db.execute("SELECT account, SUM(cents) FROM (SELECT source AS account, -cents AS cents FROM transfers "
                                   "UNION ALL SELECT target, cents FROM transfers) GROUP BY account"))
        self.assertEqual(sum(balances.values()), 0)
        records = [record(t["id"], {"id": t["id"], "from": t["source"], "to": t["target"], "cents": t["cents"]}, 1 + n)
                   for n, t in enumerate(transfers)]
        read = {"balances": lambda out: table(out, value=number)}
        found = read["balances"](self.tried("bank_ledger", [("transfers", row) for row in records])["balances"])
        self.assertEqual(found, balances)

        self.create("transfers", "journal", "balances")
        settings = ("session.timeout.ms=1000", "heartbeat.interval.ms=200", "num.stream.threads=2")
        rest = iter(records)
        for _ in range(3):
            self.produce("transfers", [next(rest) for _ in range(1000)])
            before = len(self.consume("journal"))
            with self.running("bank_ledger", *settings) as process:
                # Struck when it has begun to book and is not done.
                deadline = time.monotonic() + PATIENCE
                while len(self.consume("journal")) <= before:
                    self.assertLess(time.monotonic(), deadline, "nothing is booked")
                process.kill()
                process.wait()
        self.produce("transfers", rest)
        with self.running("bank_ledger", *settings):
            self.wait_until("balances", read["balances"], balances)
            journal = [(row["partition"], json.loads(row["value"])) for row in self.rows("journal")]
        entries = collections.Counter((entry["id"], entry["account"], entry["cents"]) for _, entry in journal)
        once = {(t["id"], account, cents): 1 for t in transfers
                for account, cents in ((t["source"], -t["cents"]), (t["target"], t["cents"]))}
        if entries != once:
            self.differ("journal", entries, once)
        # Both sides of a transfer lie together.
        places = {(entry["id"], partition) for partition, entry in journal}
        self.assertEqual(len(places), len(transfers))
        self.assertEqual({partition for _, partition in places}, set(range(PARTITIONS)))


def main():
    global OPTIONS, DATA
    parser = argparse.ArgumentParser()
    parser.add_argument("leat")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--sample", action="store_true")
    OPTIONS, rest = parser.parse_known_args()
    DATA = stream_data.sample() if OPTIONS.sample else stream_data.load()
    print("played:", DATA.source, file=sys.stderr)
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
