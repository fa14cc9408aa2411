#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`leat stream` describes a running word count, tells its lag and lets it start over.

usage: stream_cli_test.py LEAT WORD_COUNT [--kafka VERSION] [TEST...]

The broker is `leat serve`, or a real Apache Kafka.
"""
import json
import shutil
import time

import cli_shapes
import streams_test
import stream_cluster
from stream_cluster import ClusterTest
from streams_test import Instance

PARTITIONS = 3
INTERNAL = ["word-count-by-word-repartition", "word-count-counts-changelog"]


class StreamCommands(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for topic in ("lines", "word-counts"):
            cls.leat("topic", "create", topic, "--partitions", str(PARTITIONS))

    @property
    def state(self):
        return f"state.dir={self.place / 'state'}"

    def stream(self, *arguments):
        return cli_shapes.check(f"stream {arguments[0]}", json.loads(self.leat("stream", *arguments, "--output", "json")))

    def produce(self, lines):
        self.leat("produce", "lines", "--key-separator", "\t", stdin="".join(f"{i}\ta b c\n" for i in range(lines)))

    def wait_without_lag(self, patience=60):
        deadline = time.monotonic() + patience
        while True:
            found = self.stream("lag", "word-count")
            sources = [p for p in found["partitions"] if p["role"] == "source"]
            # Where nothing was committed yet there is no lag either.
            if sources and all(p["committed_offset"] for p in sources) and not found["total_lag"]:
                return found
            self.assertLess(time.monotonic(), deadline, found)
            time.sleep(0.1)

    def test_describe_lag_and_reset(self):
        self.produce(30)
        # Every update is in the changelogs.
        with Instance(self.node, self.place, "commit.interval.ms=100", "num.stream.threads=2", "statestore.cache.max.bytes=0",
                      "application.server=here:1234", self.state) as app:
            app.wait_running()
            found = self.wait_without_lag()
            self.look_at_lag(found)
            self.look_at_description()
            self.look_at_drawings()
            self.assertIn("NON_EMPTY_GROUP", self.leat("stream", "reset", "word-count", "--yes", code=1))
            self.assertEqual(app.stop(), 0)
        self.look_at_a_stopped_one()
        self.reset()
        shutil.rmtree(self.place / "state", ignore_errors=True)
        with Instance(self.node, self.place, "commit.interval.ms=100", "statestore.cache.max.bytes=0", self.state) as app:
            app.wait_running()
            self.wait_without_lag()
            self.assertEqual(app.stop(), 0)
        # All lines were counted again, from nothing.
        out = self.leat("consume", "word-counts", "--from", "beginning", "--until-end", "--format", "%k\n")
        self.assertEqual(out.split().count("a"), 60)

    def look_at_lag(self, found):
        rows = [(p["subtopology"], p["role"], p["topic"], p["partition"]) for p in found["partitions"]]
        kinds = [(0, "source", "lines"), (1, "repartition", INTERNAL[0]), (1, "changelog", INTERNAL[1])]
        self.assertEqual(rows, [(*kind, p) for kind in kinds for p in range(PARTITIONS)])
        self.assertEqual(found["subtopologies"], [{"subtopology": 0, "lag": 0}, {"subtopology": 1, "lag": 0}])
        self.assertEqual(sum(p["committed_offset"] for p in found["partitions"] if p["role"] == "source"), 30)
        self.assertEqual(sum(p["end_offset"] for p in found["partitions"] if p["role"] == "changelog"), 90)

    def look_at_description(self):
        found = self.stream("describe", "word-count")
        self.assertEqual(found["state"], "Stable")
        self.assertEqual(len(found["members"]), 1)
        member = found["members"][0]
        self.assertEqual((member["threads"], member["endpoint"]), (2, "here:1234"))
        tasks = [f"{s}_{p}" for s in (0, 1) for p in range(PARTITIONS)]
        self.assertEqual(member["active"], tasks)
        self.assertEqual([(t["task"], t["active"]) for t in found["tasks"]], [(t, member["member"]) for t in tasks])
        self.assertIn("Sub-topology: 1", found["topology"])
        self.assertIn(member["member"], self.leat("stream", "describe", "word-count"))

    def look_at_drawings(self):
        text = self.leat("stream", "describe", "word-count", "--output", "text")
        self.assertTrue(text.startswith("Topologies:\n   Sub-topology: 0\n"), text)
        drawing = self.leat("stream", "describe", "word-count", "--output", "mermaid")
        self.assertTrue(drawing.startswith("flowchart TB\n"), drawing)
        self.assertIn('(["lines"])', drawing)
        self.assertIn('[("counts")]', drawing)
        (self.place / "topology").write_text(text)

    def look_at_a_stopped_one(self):
        self.assertIn("--topology", self.leat("stream", "describe", "word-count", "--output", "text", code=1))
        given = ("--topology", str(self.place / "topology"))
        self.assertIn("flowchart", self.leat("stream", "describe", "word-count", "--output", "mermaid", *given))
        by_names = self.stream("lag", "word-count")
        self.assertEqual({p["subtopology"] for p in by_names["partitions"]}, {None})
        by_topology = self.stream("lag", "word-count", *given)
        self.assertEqual({p["topic"]: p["subtopology"] for p in by_topology["partitions"]},
                         {"lines": 0, INTERNAL[0]: 1, INTERNAL[1]: 1})

    def reset(self):
        for wrong in (("--to", "end", "--shift-by", "1"), ("--internal", "lines"),
                      ("--input", "lines", "--intermediate", "lines"), ("--input", INTERNAL[0], "--internal", INTERNAL[0])):
            self.leat("stream", "reset", "word-count", *wrong, "--yes", code=2)
        self.assertIn("nothing is committed to word-counts-0",
                      self.leat("stream", "reset", "word-count", "--input", "word-counts", "--shift-by", "-1", "--dry-run", code=1))
        # A topic of the user's, whatever it is called.
        own = self.stream("reset", "word-count", "--input", "lines", "--intermediate", INTERNAL[0], "--dry-run")
        self.assertEqual([t["topic"] for t in own["deleted_topics"]], INTERNAL[1:])
        self.leat("stream", "reset", "word-count", "--input", "missing", "--yes", code=1)
        positions = {p: self.stream("lag", "word-count")["partitions"][p]["committed_offset"] for p in range(PARTITIONS)}
        plan = self.stream("reset", "word-count", "--shift-by", "-1", "--dry-run")
        self.assertEqual([(p["topic"], p["old_offset"], p["new_offset"]) for p in plan["partitions"]],
                         [("lines", o, max(0, o - 1)) for o in positions.values()])
        self.assertEqual([t["topic"] for t in plan["deleted_topics"]], INTERNAL)
        offsets = self.place / "offsets.csv"
        offsets.write_text("lines,1,0\nlines,0,100000\n")
        plan = self.stream("reset", "word-count", "--from-file", str(offsets), "--dry-run")
        self.assertEqual({p["partition"]: p["new_offset"] for p in plan["partitions"]}, {0: positions[0], 1: 0})
        done = self.stream("reset", "word-count", "--input", "lines", "--yes")
        self.assertEqual([p["new_offset"] for p in done["partitions"]], [0] * PARTITIONS)
        topics = json.loads(self.leat("topic", "list", "--output", "json"))["topics"]
        self.assertFalse({t["name"] for t in topics} & set(INTERNAL))
        self.assertFalse(done["failed"])

    def test_force_takes_a_dead_member_out(self):
        with Instance(self.node, self.place, "commit.interval.ms=100", "session.timeout.ms=30000", self.state) as app:
            app.wait_running()
            self.produce(3)
            self.wait_without_lag()
            app.kill()
        self.leat("stream", "reset", "word-count", "--yes", code=1)
        done = self.stream("reset", "word-count", "--to", "end", "--force", "--yes")
        self.assertEqual(len(done["removed_members"]), 1)
        self.assertEqual(self.stream("describe", "word-count")["members"], [])


if __name__ == "__main__":
    stream_cluster.run_tests(__doc__, "word_count")
