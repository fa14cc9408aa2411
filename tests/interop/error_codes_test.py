#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison of answers: each rule allows what it is for and nothing beside it, and says when no answer needs it any more."""
import contextlib
import io
import sys
import types
import unittest
from unittest import mock

import allowed
import apart
import error_codes


def unexplained(label, kafka, leat):
    return [one.field for one in allowed.Allowed().unexplained(label, kafka, leat)]


class Comparison(unittest.TestCase):
    def test_what_differs_is_told_wherever_it_is(self):
        self.assertEqual(unexplained("A v1: b", {"x": [{"y": 1}, {"y": 2}]}, {"x": [{"y": 1}, {"y": 3}]}), ["y"])
        self.assertEqual(unexplained("A v1: b", {"x": []}, {"x": [1]}), ["x"])
        self.assertEqual(unexplained("A v1: b", {"x": 1, "y": 1}, {"x": 1}), ["y"])
        self.assertEqual(unexplained("A v1: b", {"x": None}, {"x": ""}), ["x"])
        self.assertEqual(unexplained("A v1: b", {"x": 1}, {"x": True}), ["x"])

    def test_an_epoch_is_compared(self):
        self.assertEqual(unexplained("OffsetForLeaderEpoch v4: of -1", {"leader_epoch": -1}, {"leader_epoch": 0}), ["leader_epoch"])

    def test_a_rule_is_for_its_answers_only(self):
        kafka, leat = {"cluster_id": "one"}, {"cluster_id": "two"}
        self.assertEqual(unexplained("Metadata v12: all", kafka, leat), [])
        self.assertEqual(unexplained("Other v0: all", kafka, leat), ["cluster_id"])

    def test_what_need_not_agree_must_be_there_in_both(self):
        for nothing in ("", None):
            self.assertEqual(unexplained("Metadata v12: all", {"cluster_id": nothing}, {"cluster_id": "two"}), ["cluster_id"])
        self.assertEqual(unexplained("DescribeLogDirs v4: all", {"usable_bytes": 5}, {"usable_bytes": 9}), [])
        self.assertEqual(unexplained("DescribeLogDirs v4: all", {"usable_bytes": 5}, {"usable_bytes": -1}), ["usable_bytes"])
        self.assertEqual(unexplained("DescribeLogDirs v4: all", {"usable_bytes": 5}, {}), ["usable_bytes"])

    def test_an_id_of_zeros_is_none(self):
        self.assertTrue(apart.alike("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "4f2504e0-4f89-11d3-9a0c-0305e82c3301"))
        self.assertFalse(apart.alike("3f2504e0-4f89-11d3-9a0c-0305e82c3301", apart.NO_ID))

    def test_only_a_duplicate_may_lack_its_time(self):
        kafka, leat = {"log_append_time_ms": "a time"}, {"log_append_time_ms": -1}
        self.assertEqual(unexplained("Produce v9: second again", kafka, leat), [])
        self.assertEqual(unexplained("Produce v9: second again", leat, kafka), ["log_append_time_ms"])
        self.assertEqual(unexplained("Produce v9: one record", kafka, leat), ["log_append_time_ms"])

    def test_a_number_may_be_smaller_but_where_it_may_not(self):
        kafka, leat = {"heartbeat_interval_ms": 5000}, {"heartbeat_interval_ms": 100}
        self.assertEqual(unexplained("ConsumerGroupHeartbeat v1: joins", kafka, leat), [])
        self.assertEqual(unexplained("ConsumerGroupHeartbeat v1: joins", leat, kafka), ["heartbeat_interval_ms"])
        self.assertEqual(unexplained("ConsumerGroupHeartbeat v1: joins", kafka, {"heartbeat_interval_ms": 0}), ["heartbeat_interval_ms"])
        self.assertEqual(unexplained("ConsumerGroupHeartbeat v1: settled", kafka, leat), ["heartbeat_interval_ms"])

    def test_texts_agree_in_what_they_speak_of(self):
        kafka = {"error_message": "Invalid value 2.0 for configuration a: no more than 1"}
        for leat, is_same in (("Invalid value 2 for configuration a: no more than 1", True), ("Invalid value 3 for configuration a: no more than 1", False),
                              ("Invalid value 2 for configuration b: no more than 1", False), (None, False)):
            self.assertEqual(not unexplained("A v1: b", kafka, {"error_message": leat}), is_same)

    def test_a_text_of_kafkas_is_no_pattern(self):
        self.assertTrue(allowed.same_text(r"x (.*)", r"y \1", "x a.c", "y a.c"))
        self.assertFalse(allowed.same_text(r"x (.*)", r"y \1", "x a.c", "y abc"))


class Decided(unittest.TestCase):
    LABEL = "Produce v3: codec 7"

    def test_the_errors_must_be_those_decided(self):
        kafka = {"error_code": -1, "error_message": "an exception", "base_offset": -1}
        leat = {"error_code": 76, "error_message": "a reason", "base_offset": -1}
        self.assertEqual(unexplained(self.LABEL, kafka, leat), [])
        self.assertIn("decided as", unexplained(self.LABEL, kafka, leat | {"error_code": 2}))
        self.assertIn("decided as", unexplained(self.LABEL, leat, leat))

    def test_what_both_say_beside_their_errors_is_compared(self):
        kafka, leat = {"error_code": -1, "base_offset": -1}, {"error_code": 76, "base_offset": 0}
        self.assertEqual(unexplained(self.LABEL, kafka, leat), ["base_offset"])

    def test_so_it_is_where_one_succeeds_but_for_what_follows(self):
        label, kafka = "InitProducerId v4: begins anew at 0", {"error_code": 51, "producer_id": -1, "other": 0}
        self.assertEqual(unexplained(label, kafka, {"error_code": 0, "producer_id": "one", "other": 0}), [])
        self.assertEqual(unexplained(label, kafka, {"error_code": 0, "producer_id": "one", "other": 1}), ["other"])

    def test_one_that_was_mended_is_told_though_nothing_differs(self):
        self.assertEqual(unexplained("CreateAcls v3: no kind", {"error_code": 42}, {"error_code": 42}), ["decided as"])
        self.assertEqual(unexplained("CreateAcls v3: no kind", {"closed": True}, {"closed": True}), ["decided as"])
        self.assertEqual(unexplained("CreateAcls v3: no kind", {"closed": True}, {"error_code": 42}), [])
        self.assertEqual(unexplained("InitProducerId v4: begins anew at 0", {"error_code": 51}, {"error_code": 51}), ["decided as"])


class Stale(unittest.TestCase):
    def test_each_rule_is_named_until_an_answer_needs_it(self):
        rules = allowed.Allowed()
        every = len(rules.stale())
        self.assertEqual(every, len(allowed.DECIDED) + len(allowed.ENDS) + len(allowed.FIELDS) + len(allowed.TEXTS))
        rules.unexplained("Metadata v12: all", {"cluster_id": "one"}, {"cluster_id": "one"})
        self.assertEqual(len(rules.stale()), every)
        rules.unexplained("Metadata v12: all", {"cluster_id": "one"}, {"cluster_id": "two"})
        rules.unexplained("ConsumerGroupHeartbeat v1: settled", {}, {})
        rules.unexplained("A v1: b", {"error_message": "Invalid magic found in record: 3"}, {"error_message": None})
        rules.unexplained("Produce v3: codec 7", {"error_code": -1}, {"error_code": 76})
        self.assertEqual(len(rules.stale()), every - 4)


class Normaliser(unittest.TestCase):
    def value(self, value):
        node = types.SimpleNamespace(address="127.0.0.1:9092", addresses={"CLEAR": "127.0.0.1:9093"}, controller=9094, data="/data")
        return error_codes.Normaliser(node).value("", value)

    def test_where_a_node_listens_has_a_name(self):
        for port, name in ((9092, "the node"), (9093, "CLEAR"), (9094, "the controller")):
            self.assertEqual(self.value({"host": "127.0.0.1", "port": port}), {"host": name, "port": name})

    def test_a_wrong_address_and_none_stay(self):
        for one in ({"host": "127.0.0.1", "port": 9099}, {"host": "elsewhere", "port": 9092}, {"host": "", "port": -1}):
            self.assertEqual(self.value(one), one)

    def test_the_host_of_a_rule_stays(self):
        self.assertEqual(self.value({"host": "127.0.0.1", "principal": "User:a"}), {"host": "127.0.0.1", "principal": "User:a"})

    def test_the_folder_of_a_node_without_an_id_shifts_no_number(self):
        some = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
        for directory, name in ((some, "one"), (error_codes.protocol.ZERO_ID, "none")):
            self.assertEqual(self.value({"replica_directory_id": directory, "topic_id": "4f2504e0-4f89-11d3-9a0c-0305e82c3301"}),
                             {"replica_directory_id": name, "topic_id": "<1>"})


class Run(unittest.TestCase):
    ANSWERS = [("# case", None), ("OffsetForLeaderEpoch v4: of -1", {"error_code": 0, "leader_epoch": -1}),
               ("FindCoordinator v3: unknown kind", {"error_code": 42, "host": "", "port": -1})]

    def test_what_is_falsified_is_found(self):
        self.assertEqual(error_codes.are_found(self.ANSWERS, self.ANSWERS), dict.fromkeys(error_codes.FALSIFIED, True))
        self.assertEqual(error_codes.are_found(self.ANSWERS[:2], self.ANSWERS[:2]), {"an epoch": True})

    def test_what_differs_already_is_not_what_is_falsified(self):
        differs = [*self.ANSWERS[:2], (self.ANSWERS[2][0], self.ANSWERS[2][1] | {"error_code": 41})]
        self.assertEqual(error_codes.are_found(self.ANSWERS, differs), {"an epoch": True})

    def told(self, answers, is_whole=False):
        beside = error_codes.Beside("4.3.1", answers, answers, ({}, {}))
        prior = error_codes.Beside("3.9.1", answers, answers, ({}, {}))
        options = types.SimpleNamespace(mutant=False, verbose=False, report=None)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return error_codes.told({"4.3.1": beside, "3.9.1": prior}, is_whole, options)

    def test_the_exit_code(self):
        self.assertEqual(self.told(self.ANSWERS), 0)
        self.assertEqual(self.told(self.ANSWERS, is_whole=True), 1)  # There are rules that it does not need.
        self.assertEqual(self.told([("# case", None)]), 2)

    def test_a_word_in_no_case_is_bad_usage(self):
        with mock.patch.object(sys, "argv", ["error_codes.py", "leat", "--only", "misspelt"]), contextlib.redirect_stderr(io.StringIO()):
            with self.assertRaises(SystemExit) as ended:
                error_codes.main()
        self.assertEqual(ended.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
