#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A broker with few file descriptors, or none left: peers that open connections cost nobody else's records, and nothing goes offline.

usage: descriptors_test.py LEAT [TEST...]
"""
import re
import resource
import socket
import sys
import threading
import time
import unittest
import urllib.request

from raw_client import PRODUCE, Broker, Client, batch

LEAT = ""
NONE, STORAGE_ERROR = 0, 56
LIMIT, PARTITIONS = 200, 8
VALUE_BYTES = 300_000  # Four of them fill a segment.
SETTINGS = (("segment.bytes", str(1 << 20)),)


class Limited(Broker):
    """One that may open `LIMIT` files and connections."""

    def command(self):
        return ["sh", "-c", f'ulimit -n {LIMIT} && exec "$@"', "sh", *super().command()]


def metrics(broker):
    with urllib.request.urlopen("http://%s:%d/metrics" % broker.http, timeout=30) as answer:
        lines = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def refused(broker, reason):
    return metrics(broker).get(f'leat_connections_refused_total{{reason="{reason}"}}', 0)


class Load:
    """Sends records to all partitions at once and remembers which were acknowledged."""

    def __init__(self, client):
        self.client, self.acknowledged, self.errors, self.sent = client, {}, [], 0

    def round(self):
        """{partition: error}"""
        values = {}
        for partition in range(PARTITIONS):
            self.sent += 1
            values[partition] = b"%08d" % self.sent + b"x" * VALUE_BYTES
            self.client.send(PRODUCE, 7, self.client.produce_body("t", partition, batch([values[partition]])))
        out = {}
        for partition in range(PARTITIONS):
            error, offset = self.client.produced(self.client.receive()[1])
            out[partition] = error
            if error == NONE:
                self.acknowledged[partition, offset] = values[partition][:8]
        self.errors += out.values()
        return out

    def check(self, test, client):
        """All that was acknowledged is there."""
        for partition in range(PARTITIONS):
            found = {offset: value[:8] for offset, value in client.read_all("t", partition)}
            for (of, offset), value in self.acknowledged.items():
                if of == partition:
                    test.assertEqual(found.get(offset), value, (partition, offset))


class Flood:
    """Opens connections and keeps those that the broker keeps."""

    def __init__(self, address):
        self.address, self.held, self.tried, self.is_over = address, [], 0, False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_over:
            try:
                self.held.append(socket.create_connection(self.address, timeout=5))
            except OSError:
                pass
            self.tried += 1
            self.held = [one for one in self.held if not self.is_closed(one)]
            time.sleep(0.001)

    @staticmethod
    def is_closed(one):
        try:
            one.setblocking(False)
            if one.recv(1) == b"":
                one.close()
                return True
        except BlockingIOError:
            return False
        except OSError:
            one.close()
            return True
        return False

    def end(self):
        self.is_over = True
        self.thread.join()
        for one in self.held:
            one.close()


class Test(unittest.TestCase):
    def works(self, load):
        """Each partition takes a record, without a restart."""
        deadline = time.monotonic() + 30
        while any(load.round().values()):
            self.assertLess(time.monotonic(), deadline, load.errors[-PARTITIONS:])
            time.sleep(0.1)

    def test_a_flood_of_connections_costs_no_record_and_takes_nothing_offline(self):
        with Limited(LEAT, "leat.shards=2") as broker, broker.client() as client:
            self.assertEqual(client.create_topic("t", PARTITIONS, SETTINGS), NONE)
            load = Load(client)
            begun = time.monotonic()
            flood = Flood(broker.address)
            try:
                while flood.tried < 4 * LIMIT or len(load.errors) < 12 * PARTITIONS:
                    load.round()
                self.assertLess(len(flood.held), LIMIT)
                self.assertGreater(refused(broker, "descriptors"), LIMIT)  # And /metrics answers.
                self.assertEqual(metrics(broker)["leat_log_offline_partitions"], 0)
            finally:
                flood.end()
            self.assertLessEqual(set(load.errors), {NONE, STORAGE_ERROR})
            self.works(load)
            seconds = time.monotonic() - begun
            lines = re.findall('event="connection refused" .*limit=descriptors', broker.log())
            self.assertTrue(1 <= len(lines) <= 20 * (seconds + 2), (len(lines), seconds))
            self.assertNotIn("offline", broker.log())
            with broker.client() as another:
                load.check(self, another)
            broker.kill()
            broker.start()
            with broker.client() as another:
                load.check(self, another)

    def test_a_process_without_descriptors_refuses_what_needs_one_and_heals(self):
        with Broker(LEAT, "leat.shards=2") as broker, broker.client() as client:
            self.assertEqual(client.create_topic("t", PARTITIONS, SETTINGS), NONE)
            load = Load(client)
            self.works(load)
            pid = broker.process.pid
            _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
            for _ in range(6):
                load.round()
            self.assertEqual(set(load.errors), {NONE, STORAGE_ERROR})
            self.assertEqual(set(load.errors[-PARTITIONS:]), {STORAGE_ERROR})  # All had to begin a segment.
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
            self.works(load)
            self.assertEqual(metrics(broker)["leat_log_offline_partitions"], 0)
            self.assertNotIn("offline", broker.log())
            broker.kill()
            broker.start()
            with broker.client() as another:
                load.check(self, another)

    def test_connections_over_http_have_a_share_of_their_own(self):
        with Limited(LEAT) as broker, broker.client() as client:
            held = [socket.create_connection(broker.http, timeout=5) for _ in range(LIMIT // 4)]
            self.assertEqual(client.create_topic("t", PARTITIONS, SETTINGS), NONE)
            for one in held:
                one.close()
            deadline = time.monotonic() + 30
            while True:
                try:
                    self.assertGreater(refused(broker, "http"), 0)
                    break
                except OSError:
                    self.assertLess(time.monotonic(), deadline)

    def test_a_setting_that_does_not_fit_is_told_at_the_start(self):
        with Limited(LEAT, "leat.open.files.max=5000", "max.connections=5000") as broker, broker.client() as client:
            self.assertEqual(client.create_topic("t", PARTITIONS, SETTINGS), NONE)
            for setting in ("leat.open.files.max", "max.connections"):
                self.assertRegex(broker.log(), f'too low for a setting" setting={setting} value=5000 used=\\d+ limit={LIMIT}')


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
