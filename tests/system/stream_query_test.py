#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A running application answers about its stores and tells its metrics.

usage: stream_query_test.py LEAT STREAM_QUERY_APP
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from kafka_node import LeatNode  # noqa: E402

LEAT, APP = "", ""


class Queries(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="leat-stream-query-"))
        self.node = LeatNode(self.place / "leat", LEAT)
        self.node.start()
        self.log = open(self.place / "log", "w")
        self.leat("topic", "create", "lines", "--partitions", "2")
        self.leat("topic", "create", "names", "--partitions", "3")
        self.apps = []
        self.app = self.start()

    def start(self):
        number = len(self.apps) + 1
        app = subprocess.Popen(
            [APP, self.node.address, "commit.interval.ms=100", "metrics.recording.level=DEBUG", f"state.dir={self.place / f'state-{number}'}",
             # A name for the others: nobody listens there.
             f"application.server=127.0.0.1:{number}",
             # Of a file of Java's: known, without effect; and a name that nobody knows.
             "default.key.serde=org.apache.kafka.common.serialization.Serdes$StringSerde", "my.own=1"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.apps.append(app)
        return app

    def tearDown(self):
        for app in self.apps:
            if app.poll() is None:
                app.kill()
            app.wait()
            app.stdin.close()
            app.stdout.close()
        self.log.close()
        self.node.stop()
        shutil.rmtree(self.place)

    def leat(self, *arguments, stdin=None):
        subprocess.run([LEAT, *arguments], input=stdin, text=True, check=True, capture_output=True, timeout=60,
                       env={**os.environ, "LEAT_BOOTSTRAP": self.node.address})

    def ask(self, word, app=None):
        app = app or self.app
        app.stdin.write(word + "\n")
        app.stdin.flush()
        out = []
        while (line := app.stdout.readline().rstrip("\n")) not in (".", ""):
            if line.startswith("error"):
                return [line]
            out.append(line)
        return out

    def lags(self):
        name = "kafka_streams_consumer_fetch_manager_metrics_records_lag{"
        rows = [row.removeprefix(name).rsplit("} ", 1) for row in self.ask("?") if row.startswith(name)]
        tags = [dict(tag.replace('"', "").split("=") for tag in row[0].split(",")) for row in rows]
        return {(tag["topic"], tag["partition"]): float(row[1]) for tag, row in zip(tags, rows)}

    def test_answers_and_metrics_of_a_running_application(self):
        self.leat("produce", "lines", "--key-separator", "\t",
                  stdin="".join(f"{i}\t{'hello' if i % 4 else 'world'}\n" for i in range(2000)))
        deadline = time.monotonic() + 60
        while sum(int(row.split()[2]) for row in self.ask("hello") if row.split()[2].isdigit()) != 1500:
            self.assertLess(time.monotonic(), deadline, self.ask("hello"))
            time.sleep(0.1)
        self.assertEqual(sum(int(row.split()[2]) for row in self.ask("world")), 500)
        self.assertEqual([row.split()[2] for row in self.ask("nobody")], ["0", "0"])
        counted = [row for row in self.ask("?") if row.startswith("kafka_streams_stream_topic_metrics_records_consumed_total{")]
        self.assertEqual(sum(int(row.split()[-1]) for row in counted), 4000)
        # Each partition that it reads is read to its end; it looks once a second.
        read = {(topic, str(partition)): 0.0 for topic in ("lines", "lookup-by-word-repartition") for partition in range(2)}
        deadline = time.monotonic() + 60
        while (lags := self.lags()) != read:
            self.assertLess(time.monotonic(), deadline, lags)
            time.sleep(0.1)
        most = [row for row in self.ask("?") if row.startswith("kafka_streams_consumer_fetch_manager_metrics_records_lag_max{")]
        self.assertEqual(len([row for row in most if "topic=" not in row]), 1, "of the one thread")
        self.app.stdin.close()
        self.assertEqual(self.app.wait(60), 0)
        warned = (self.place / "log").read_text()
        for name in ("default.key.serde", "my.own"):
            self.assertIn(f"setting={name}", warned)

    def test_what_is_elsewhere_names_its_owner(self):
        self.leat("produce", "lines", "--key-separator", "\t", stdin="".join(f"{i}\thello\n" for i in range(100)))
        self.start()

        def is_told(first, second):
            """One has it, and the other says so; that may be making a copy, to take the partition over later on."""
            for has, lacks, owner, other in ((first, second, 1, 2), (second, first, 2, 1)):
                if has == "here":
                    copy = f"NOT_ACTIVE owner 127.0.0.1:{owner} standby 127.0.0.1:{other}"
                    return lacks in (f"NOT_PRESENT owner 127.0.0.1:{owner}", copy)
            return False

        deadline = time.monotonic() + 60
        while True:
            answers = [[self.ask(f"@{partition} hello", app)[0] for app in self.apps] for partition in range(2)]
            if all(is_told(*answer) for answer in answers):
                break
            self.assertLess(time.monotonic(), deadline, answers)
            time.sleep(0.1)

    def test_a_global_table_is_asked_as_a_whole(self):
        self.leat("produce", "names", "--key-separator", "\t", stdin="".join(f"k{i}\tname{i}\n" for i in range(30)))
        deadline = time.monotonic() + 60
        while (answer := self.ask("!k29")) != ["-1 name29"]:
            self.assertLess(time.monotonic(), deadline, answer)
            time.sleep(0.1)
        for i in range(30):
            self.assertEqual(self.ask(f"!k{i}"), [f"-1 name{i}"])
        self.assertEqual(self.ask("!nobody"), ["-1 nothing"])


if __name__ == "__main__":
    LEAT, APP = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
