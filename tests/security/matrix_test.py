#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison of the matrix: what is told beside a right error code is a difference, and so is a connection that is closed."""
import contextlib
import io
import pathlib
import sys
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import matrix  # noqa: E402
import own  # noqa: E402

SOME, OTHER = "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "4f2504e0-4f89-11d3-9a0c-0305e82c3301"


def differ(api, leat, kafka):
    return [one.field for one in own.Differences().of(api, leat, kafka)]


class Leaks(unittest.TestCase):
    """Each beside the error code that Kafka gives too."""

    def leaks(self, api, honest, **told):
        self.assertEqual(differ(api, honest, honest), [])
        self.assertEqual(differ(api, {"rows": [honest | told]}, {"rows": [honest]}), list(told))

    def test_records(self):
        self.leaks("Fetch", {"error_code": 29, "records": b""}, records=b"secret")
        self.leaks("Fetch", {"error_code": 29, "high_watermark": -1}, high_watermark=7)
        self.leaks("Fetch", {"error_code": 29, "aborted_transactions": []}, aborted_transactions=[{"producer_id": 1}])

    def test_offsets(self):
        self.leaks("OffsetFetch", {"error_code": 30, "committed_offset": -1}, committed_offset=5)
        self.leaks("ListOffsets", {"error_code": 29, "offset": -1}, offset=5)

    def test_settings(self):
        self.leaks("DescribeConfigs", {"error_code": 29, "configs": []}, configs=[{"name": "retention.ms"}])
        self.leaks("DescribeConfigs", {"name": "retention.ms", "value": "1"}, value="2")

    def test_producers_and_tokens(self):
        self.leaks("DescribeProducers", {"error_code": 29, "active_producers": []}, active_producers=[{"producer_id": 1}])
        self.leaks("CreateDelegationToken", {"error_code": 65, "hmac": b""}, hmac=b"secret")
        self.leaks("DescribeDelegationToken", {"error_code": 65, "token_id": ""}, token_id="one")

    def test_the_id_of_a_topic(self):
        self.leaks("DeleteTopics", {"error_code": 29, "topic_id": own.apart.NO_ID}, topic_id=SOME)

    def test_nodes(self):
        self.leaks("Metadata", {"brokers": []}, brokers=[{"node_id": 1}])

    def test_topics_of_the_brokers_own(self):
        kafka = {"topics": [{"name": "mx-topic"}]}
        self.assertEqual(differ("Metadata", {"topics": [{"name": "__consumer_offsets"}, {"name": "mx-topic"}]}, kafka), ["topics"])


class Own(unittest.TestCase):
    def test_what_is_a_nodes_own_must_be_there_in_both(self):
        self.assertEqual(differ("Produce", {"topic_id": SOME}, {"topic_id": OTHER}), [])
        self.assertEqual(differ("Produce", {"topic_id": SOME}, {"topic_id": own.apart.NO_ID}), ["topic_id"])
        self.assertEqual(differ("Produce", {"topic_id": SOME}, {}), ["topic_id"])
        self.assertEqual(differ("GetTelemetrySubscriptions", {"subscription_id": -5}, {"subscription_id": 7}), [])
        self.assertEqual(differ("GetTelemetrySubscriptions", {"subscription_id": 0}, {"subscription_id": 7}), ["subscription_id"])

    def test_it_is_so_of_that_request_only(self):
        self.assertEqual(differ("ListOffsets", {"topic_id": SOME}, {"topic_id": OTHER}), ["topic_id"])

    def test_rows_come_in_any_order(self):
        rows = [{"name": "a", "topic_id": SOME}, {"name": "b", "topic_id": OTHER}]
        self.assertEqual(differ("Metadata", {"topics": rows}, {"topics": [rows[1] | {"topic_id": SOME}, rows[0] | {"topic_id": OTHER}]}), [])
        self.assertEqual(differ("Metadata", {"topics": rows}, {"topics": rows[:1] * 2}), ["name"])

    def test_settings_that_kafka_has_not(self):
        kafka = {"configs": [{"name": "retention.ms"}]}
        self.assertEqual(differ("CreateTopics", {"configs": [{"name": "leat.durability"}, {"name": "retention.ms"}]}, kafka), [])
        self.assertEqual(differ("CreateTopics", {"configs": [{"name": "other"}, {"name": "retention.ms"}]}, kafka), ["configs"])

    def test_a_rule_that_no_answer_needs_is_told(self):
        differences = own.Differences()
        every = len(differences.stale())
        self.assertEqual(every, len(own.OWN) - len(own.CHANCE))
        differences.of("Metadata", {"cluster_id": "one"}, {"cluster_id": "one"})
        self.assertEqual(len(differences.stale()), every)
        differences.of("Metadata", {"cluster_id": "one"}, {"cluster_id": "two"})
        self.assertEqual(len(differences.stale()), every - 1)


class Deciding(unittest.TestCase):
    def test_what_moves_on_by_itself_decides_nothing(self):
        one = {"error_code": 0, "base_offset": 0, "records": b"x", "topic_id": SOME}
        self.assertEqual(own.outline("Produce", one), own.outline("Produce", one | {"base_offset": 5, "records": b"xy", "topic_id": OTHER}))

    def test_what_is_told_or_not_decides(self):
        for told, hidden in (({"error_code": 0}, {"error_code": 29}), ({"base_offset": 0}, {"base_offset": -1}), ({"records": b"x"}, {"records": b""}),
                             ({"topics": [1]}, {"topics": []}), ({"operations": 8}, {"operations": 12})):
            self.assertNotEqual(own.outline("Produce", told), own.outline("Produce", hidden))


class Connection:
    def __init__(self, *answers):
        self.answers = list(answers)

    def call(self, *_, **__):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Asking(unittest.TestCase):
    def peer(self, *connections):
        peer = matrix.Peer("leat", types.SimpleNamespace(addresses={}), None)
        made = list(connections)
        peer.connect = lambda way: made.pop(0)
        peer.left = made
        return peer

    def test_a_connection_that_is_closed_is_not_asked_again(self):
        for why in (matrix.protocol.Closed(), ConnectionResetError()):
            peer = self.peer(Connection({"error_code": 0}, why), Connection({"error_code": 0}))
            ask = lambda peer=peer: peer.ask("PLAIN", "Metadata", 1, lambda _: {})
            self.assertEqual([ask(), ask()], [{"error_code": 0}, "closed"])
            self.assertEqual(len(peer.left), 1)
            self.assertEqual(ask(), {"error_code": 0})  # The next request has another.

    def test_what_passes_is_asked_again(self):
        peer = self.peer(Connection({"error_code": 14}, {"error_code": 0}))
        self.assertEqual(peer.ask("PLAIN", "Metadata", 1, lambda _: {}), {"error_code": 0})

    def test_closed_is_a_difference_also_of_both(self):
        answer = {"error_code": 0}
        self.assertTrue(differ("Metadata", "closed", answer))
        self.assertTrue(differ("Metadata", answer, "closed"))
        self.assertTrue(differ("Metadata", "closed", "closed"))


class Stopping(unittest.TestCase):
    def test_all_are_stopped_though_one_tells_of_a_crash(self):
        stopped = []

        def crash():
            stopped.append("leat")
            raise RuntimeError("ended with -11")
        nodes = [types.SimpleNamespace(stop=crash), types.SimpleNamespace(stop=lambda: stopped.append("kafka"))]
        with self.assertRaises(RuntimeError), matrix.stopped_after([types.SimpleNamespace(node=node) for node in nodes]):
            pass
        self.assertEqual(sorted(stopped), ["kafka", "leat"])


class Judging(unittest.TestCase):
    def matrix(self, *pairs):
        made = matrix.Matrix([], ["PLAIN"], {}, False)
        with contextlib.redirect_stdout(io.StringIO()):
            for leat, kafka in pairs:
                made.compare("Metadata v1 named: no right", "Metadata", "PLAIN", [leat, kafka])
        return made

    def test_cells_are_counted_and_differences_kept(self):
        made = self.matrix(({"error_code": 0}, {"error_code": 0}), ({"error_code": 0, "a": 1}, {"error_code": 0, "a": 2}))
        self.assertEqual((made.cells, len(made.unexplained)), (2, 1))

    def test_a_mutant_is_caught_by_another_error_only(self):
        self.assertTrue(self.matrix(({"error_code": 0}, {"error_code": 29})).is_caught())
        self.assertFalse(self.matrix(({"error_code": 0, "a": 1}, {"error_code": 0, "a": 2})).is_caught())
        self.assertFalse(self.matrix(("closed", {"error_code": 29})).is_caught())

    def test_a_request_that_there_is_not_is_bad_usage(self):
        with mock.patch.object(sys, "argv", ["matrix.py", "leat", "--only", "Metadatas"]), contextlib.redirect_stderr(io.StringIO()):
            with self.assertRaises(SystemExit) as ended:
                matrix.main()
        self.assertEqual(ended.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
