# SPDX-License-Identifier: Apache-2.0
"""How a client program in Python states its features: used by the programs under clients/, not by the runner.

A program is called as `PROGRAM BOOTSTRAP PREFIX [FEATURE]...` and prints one JSON line a feature: what it is, whether it went as
it should, and the facts it saw (its transcript). Facts are compared between brokers, so they say nothing of speed.
"""
import json
import os
import sys
import time
import traceback

EPOCH_MS = 1_700_000_000_000  # 2023-11-14; all times that a scenario sets start here, see normalise.py


class Scenario:
    def __init__(self):
        self.features = []

    def feature(self, function):
        """Decorator; the function takes the context and a list to which it adds facts."""
        self.features.append(function)
        return function

    def ways_in(self, names, try_way):
        """A feature for each way into a secured broker (security.py): try_way(context, facts, topic, bootstrap, good, wrong)."""
        for name in names:
            def feature(context, facts, name=name):
                with open(os.environ["LEAT_SECURITY"], encoding="utf-8") as file:
                    way = json.load(file)[name]
                try_way(context, facts, context.topic(name), way["bootstrap"], way["good"], way["wrong"])
            feature.__name__ = name
            self.feature(feature)

    def run(self, context_of):
        bootstrap, prefix, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
        context = context_of(bootstrap, prefix)
        for function in self.features:
            if wanted and function.__name__ not in wanted:
                continue
            facts, error = [], None
            started = time.monotonic()
            try:
                function(context, facts)
            except Exception as why:  # a client may raise anything; the trace goes to the log
                error = f"{type(why).__name__}: {why}"
                traceback.print_exc()
            print(json.dumps({"feature": function.__name__, "ok": error is None, "facts": facts, "error": error,
                              "seconds": round(time.monotonic() - started, 2)}), flush=True)


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def wait_until(condition, what, seconds=40, pause=0.02):
    """Polls until the condition gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(pause)


def settle():
    """Apache Kafka tells of a change a moment after it agreed to it: pause before looking at the outcome."""
    time.sleep(1.5)


def connections_to(address):
    """Ports of ours that are connected to that port of this machine. Nobody else is connected there while a program runs."""
    wanted, found = int(address.rsplit(":", 1)[1]), set()
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}", encoding="ascii") as rows:
            for row in list(rows)[1:]:
                local, remote, state = row.split()[1:4]
                if state == "01" and int(remote.rsplit(":", 1)[1], 16) == wanted:
                    found.add(int(local.rsplit(":", 1)[1], 16))
    return found


def outlive_session(facts, bootstrap, write):
    """Writes for longer than two sessions of security.py last: who does not prove anew who he is loses his connections and opens others.
    One that comes late once, on a busy machine, loses one."""
    for number in range(10):
        write(number)
        time.sleep(0.1)
    before = connections_to(bootstrap)
    for number in range(10, 90):
        write(number)
        time.sleep(0.1)
    after = connections_to(bootstrap)
    expect(before and after, "nobody is connected")
    facts.append(f"stayed connected {bool(before & after) and len(after - before) <= 1}")


def text_of(value):
    """Bytes of a record as text; null differs from empty."""
    return "null" if value is None else '"' + value.decode(errors="backslashreplace") + '"'


def sample(index):
    """Key, value, headers and time of the sample record of that index: null and empty in each place, repeated header names."""
    key = [b"key-%d" % (index % 7), b"", None][2 if index % 10 == 9 else 1 if index % 10 == 8 else 0]
    value = [b"value-%d" % index, b"", None][2 if index % 10 == 7 else 1 if index % 10 == 6 else 0]
    headers = [("index", b"%d" % index), ("empty", b""), ("again", b"1"), ("again", b"2")][:index % 5]
    return key, value, headers, EPOCH_MS + index * 1000


def payload(index, size=300):
    """A value that compresses, but not to nothing."""
    return (b"payload-%d-" % index + b"abcdefghij%d" % (index * 7919) * (size // 10))[:size]


def record_line(partition, offset, timestamp, key, value, headers):
    shown = ",".join(f"{name}={text_of(content)}" for name, content in headers or [])
    return f"{partition}:{offset} t={timestamp} k={text_of(key)} v={text_of(value)} h=[{shown}]"
