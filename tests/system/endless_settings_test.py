#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times without end: every LONG setting of milliseconds at the largest number, which is how Kafka says "never", and at -1 where that may be.

Whoever multiplies them into nanoseconds wraps around, and "never" becomes "long ago": connections die, timers run hot, files go at once.
The settings are those that the program itself lists, one node for each.

usage: endless_settings_test.py LEAT [TEST...]
"""
import concurrent.futures
import os
import pathlib
import re
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from raw_client import FETCH, PRODUCE, Answer, Broker, batch, text, values_of  # noqa: E402

LEAT = ""
MOST = 2**63 - 1
FIND_COORDINATOR, DELETE_TOPICS = 10, 20
IDLE_SECONDS = 2.5  # Deadlines of connections are looked at once a second.
POLLS = 40
VALUE = b"v" * 500_000  # Many of them are more than the kernel holds.


def long_times():
    """(is of a topic, name, least, most) of each setting that has an effect."""
    page = subprocess.run([LEAT, "reference", "--print", "settings"], check=True, capture_output=True, text=True, timeout=30).stdout
    out = []
    for part in re.split(r"^##+ ", page, flags=re.MULTILINE):
        title = part.split("\n")[0]
        if title not in ("Topics", "Broker"):
            continue
        for name, bounds in re.findall(r"^\| `([^`]+\.ms)` \| LONG \| [^|]* \| ([^|]*) \|", part, flags=re.MULTILINE):
            numbers = [int(n) for n in re.findall(r"-?\d+", bounds)]
            out.append((title == "Topics", name, numbers[0] if numbers else -MOST, numbers[1] if len(numbers) > 1 else MOST))
    return out


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def whole_answers(client):
    """Reads to the end of the connection: what is wrong with that, or None. Requests that a stop finds unread are left, no answer is cut."""
    data = b""
    while got := client.socket.recv(1_000_000):
        data += got
    at = count = 0
    while at < len(data):
        size = struct.unpack_from(">i", data, at)[0] if len(data) - at >= 4 else len(data)
        if len(data) - at - 4 < size:
            return "a stop cut an answer off"
        error, _, records = client.fetched(Answer(data[at + 8:at + 4 + size]))
        if error != 0 or next(values_of(records)) != (0, VALUE):
            return "a poll is not served"
        at, count = at + 4 + size, count + 1
    return None if count > 0 else "no poll is served"


def serves(broker_settings, topic_settings):
    """What is wrong with a node of these settings, or None."""
    with Broker(LEAT, "leat.shards=2", "offsets.topic.num.partitions=1", *broker_settings) as broker:
        with broker.client() as client, broker.client() as slow, broker.client() as halting:
            assert client.create_topic("t", settings=topic_settings) == 0, "topic not made"
            assert client.create_topic("gone", settings=topic_settings) == 0, "topic not made"
            assert client.create_topic("compacted", settings=[("cleanup.policy", "compact"), *topic_settings]) == 0, "topic not made"
            client.call(FIND_COORDINATOR, 0, text("g"))  # That there is one: it has timers of its own.
            assert client.produce("t", 0, [VALUE]) == (0, 0), "not written"
            client.call(DELETE_TOPICS, 1, struct.pack(">i", 1) + text("gone") + struct.pack(">i", 30000))
            # It reads nothing of this until the node stops.
            slow.socket.sendall(b"".join(slow.frame(FETCH, 11, slow.fetch_body("t", 0, 0)) for _ in range(POLLS)))
            frame = halting.frame(PRODUCE, 7, halting.produce_body("t", 0, batch([b"late"])))
            halting.socket.sendall(frame[:20])
            time.sleep(0.3)  # What the start itself takes.
            before = cpu_seconds(broker.process.pid)
            time.sleep(IDLE_SECONDS)
            used = cpu_seconds(broker.process.pid) - before
            if used > IDLE_SECONDS / 4:
                return f"idle, it used {used} s of a processor"
            if not list((broker.folder / "data").glob("gone-0.*-delete")):
                return "the folder of a deleted topic is gone at once"
            try:
                if client.produce("t", 0, [b"again"]) != (0, 1) or client.read_all("t", 0)[-1] != (1, b"again"):
                    return "the connection that idled is not served"
                halting.socket.sendall(frame[20:])
                if halting.produced(halting.receive()[1]) != (0, 2):
                    return "the request that halted is not served"
                broker.process.terminate()
                if wrong := whole_answers(slow):
                    return wrong
            except OSError as error:
                return f"{error}: {broker.log()}"
            code = broker.process.wait(timeout=30)
            broker.process.stdout.close()
            if code != 0 or "with requests unanswered" in broker.log():
                return f"stopped with {code}: {broker.log()}"
    return None


class Endless(unittest.TestCase):
    def check(self, pairs):
        """`pairs` of a setting and its value: each alone on a node, then all on one."""
        nodes = [([pair] if not of_topic else [], [pair] if of_topic else []) for of_topic, pair in pairs]
        nodes.append(([p for of_topic, p in pairs if not of_topic], [p for of_topic, p in pairs if of_topic]))

        def run(node):
            try:
                return serves([f"{name}={value}" for name, value in node[0]], [(name, str(value)) for name, value in node[1]])
            except (AssertionError, OSError) as error:
                return str(error)

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            for node, wrong in zip(nodes, pool.map(run, nodes)):
                with self.subTest(node=node):
                    self.assertIsNone(wrong)

    def test_the_largest_number(self):
        settings = long_times()
        self.assertGreater(len(settings), 25)
        self.check([(of_topic, (name, most)) for of_topic, name, _, most in settings])

    def test_minus_one(self):
        settings = [(of_topic, (name, -1)) for of_topic, name, least, _ in long_times() if least <= -1]
        self.assertIn((False, ("connections.max.idle.ms", -1)), settings)
        self.check(settings)


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
