# SPDX-License-Identifier: Apache-2.0
"""What the tests of stream applications share: a broker for a class of tests, and `leat` talking to it."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from kafka_node import KafkaNode, LeatNode  # noqa: E402


def run_tests(doc, program="app"):
    """Runs the tests of the file that is run: LEAT, the program of an application, --kafka VERSION, names of tests."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("leat")
    parser.add_argument(program)
    parser.add_argument("--kafka", default="", metavar="VERSION")
    ClusterTest.options, rest = parser.parse_known_args()
    unittest.main(module="__main__", argv=[sys.argv[0], *rest], verbosity=2)


class ClusterTest(unittest.TestCase):
    """`options`: of run_tests(): `leat`, `kafka`, a version of Apache Kafka or "", and the application's program."""
    options = None
    # Of the broker, beyond those below.
    broker_settings = {}

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="leat-streams-"))
        # An instance that was killed keeps its partitions until its session is over.
        # Records have times long past, and retention, of changelogs too, goes by those: its first round is drawn from the interval.
        settings = {"group.min.session.timeout.ms": "1000", "log.retention.ms": "-1",
                    "log.retention.check.interval.ms": "86400000", **cls.broker_settings}
        cls.node = (KafkaNode(cls.place / "kafka", cls.options.kafka, settings=settings) if cls.options.kafka
                    else LeatNode(cls.place / "leat", cls.options.leat, settings=settings))
        cls.node.start()

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        if "LEAT_KEEP" not in os.environ:
            shutil.rmtree(cls.place)

    @classmethod
    def environment(cls):
        return {**os.environ, "LEAT_BOOTSTRAP": cls.node.address}

    @classmethod
    def leat(cls, *arguments, stdin=None, code=0):
        """What it printed; what it complained of when it was to fail."""
        done = subprocess.run([cls.options.leat, *arguments], input=stdin, capture_output=True, text=True, timeout=120,
                              env=cls.environment())
        if done.returncode != code:
            raise AssertionError(f"{arguments}: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def topics(self):
        listed = json.loads(self.leat("topic", "list", "--output", "json"))
        rows = listed if isinstance(listed, list) else listed.get("topics", [])
        return [row["name"] if isinstance(row, dict) else row for row in rows]
