#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real clients push their metrics to Leat (KIP-714), as they do by themselves: Java's (an admin client alone is told to) and librdkafka's.

    metrics_push.py PROGRAM

Subscriptions are made by Kafka's own kafka-client-metrics.sh and by `leat config`. Clients of the first push every 100 ms: their numbers
are at /metrics while they work, and move. Clients of the other would push in minutes: what is there of them came with their end. Those that
nobody subscribed to push nothing. Exit code 3: a client cannot be had.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import clients  # noqa: E402
import kafka_node  # noqa: E402

PROGRAM = sys.argv.pop(1)
LINE = re.compile(r'leat_client_metric\{client_instance_id="([^"]*)",metric="([^"]*)",attributes="client_id=([^",]*)[^"]*"\} (\S+)')


class Push(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="leat-push-")
        cls.addClassCleanup(folder.cleanup)
        cls.broker = kafka_node.LeatNode(pathlib.Path(folder.name) / "leat", PROGRAM)
        cls.broker.start()
        cls.addClassCleanup(cls.broker.stop)
        cls.http = re.search(r"HTTP (\S+:\d+)", cls.broker.ready_line).group(1)
        cls.leat("topic", "create", "t")
        for name, interval in (("fast", 100), ("slow", 600_000)):
            settings = {"interval.ms": interval, "metrics": "org.apache.kafka.", "match": f"client_id={name}-.*"}
            if name == "slow":
                cls.leat("config", "alter", "client-metrics", name, *(word for key, value in settings.items() for word in ("--set", f"{key}={value}")))
                continue
            done = kafka_node.run_tool("org.apache.kafka.tools.ClientMetricsCommand", "--bootstrap-server", cls.broker.address, "--alter", "--name", name,
                                       "--metrics", settings["metrics"], "--interval", str(interval), "--match", settings["match"])
            if done.returncode:
                raise AssertionError(done.stdout + done.stderr)

    @classmethod
    def leat(cls, *words):
        done = subprocess.run([PROGRAM, *words, "-b", cls.broker.address], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise AssertionError(f"{words}: {done.stdout}{done.stderr}")

    def pushed(self):
        """{client id: {metric: sum of its values}}"""
        with urllib.request.urlopen(f"http://{self.http}/metrics") as page:
            text = page.read().decode()
        out = {}
        for _, metric, client, value in LINE.findall(text):
            metrics = out.setdefault(client, {})
            metrics[metric] = metrics.get(metric, 0) + float(value)
        return out

    def wait_for(self, what, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition(self.pushed())
            if found:
                return found
            time.sleep(0.05)
        self.fail(f"{what}: not within {seconds} s: { {client: sorted(metrics) for client, metrics in self.pushed().items()} }")

    def begin(self, command, prefix):
        process = subprocess.Popen([*command, self.broker.address, prefix], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdin.close(), process.stdout.close()))
        self.assertEqual(process.stdout.readline(), "works\n")
        return process

    def end(self, process):
        process.stdin.write("\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "closed\n")
        self.assertEqual(process.wait(60), 0)

    def check(self, name, command, kinds, last, least, moving):
        """`least` that the number of connections is; `last`: those that push
        at their end; `moving`: a metric of the producer that is another one a moment later."""
        fast, slow, none = (self.begin(command, f"{prefix}-{name}") for prefix in ("fast", "slow", "none"))
        connections = lambda kind: f"org.apache.kafka.{kind.replace('admin', 'admin.client')}.connection.creation.total"
        has = lambda pushed, prefix, kind: pushed.get(f"{prefix}-{name}-{kind}", {}).get(connections(kind), -1) >= least
        for kind in kinds:
            self.wait_for(f"metrics of fast-{name}-{kind}", lambda pushed, kind=kind: has(pushed, "fast", kind))
        client = f"fast-{name}-producer"
        before = self.pushed()[client].get(moving)
        self.wait_for(f"{moving} moves from {before}", lambda pushed: pushed[client].get(moving) not in (None, before))
        self.assertFalse([one for one in self.pushed() if one.startswith((f"slow-{name}", f"none-{name}"))])
        for process in (slow, none, fast):
            self.end(process)
        for kind in last:  # Their last push alone.
            self.wait_for(f"the end of slow-{name}-{kind}", lambda pushed, kind=kind: has(pushed, "slow", kind), 5)
        self.assertFalse([one for one in self.pushed() if one.startswith(f"none-{name}")])

    def test_java(self):
        # A producer and an admin client of 4.3.1 mean to push at their end, but close before they do.
        self.check("java", clients.java_pusher(), ("producer", "consumer", "admin"), ("consumer",), 1, "org.apache.kafka.producer.record.send.total")

    def test_librdkafka(self):
        # It counts connections since it asked what to push.
        self.check("librdkafka", clients.confluent_pusher(), ("producer", "consumer"), ("producer", "consumer"), 0,
                   "org.apache.kafka.producer.request.latency.avg")


def main():
    try:
        clients.java_pusher()
        clients.confluent_pusher()
    except clients.Unavailable as why:
        print(f"a client is missing: {why}", file=sys.stderr)
        return 3
    return 0 if unittest.main(exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
