#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the checker of transactions fires on a history that breaks it, and none on a good one."""
import unittest

import transactions_history

BANK = """\
I 0 1
B 0.1.0
c 0.1.0
C 0.1.0
R 0 0 0.1.0 0 1 95 -5
R 1 0 0.1.0 1 1 105 5
B 0.1.1
x 0.1.1
X 0.1.1
B 0.1.2
c 0.1.2
I 0 2
B 0.2.0
c 0.2.0
C 0.2.0
R 0 4 0.2.0 0 2 94 -1
R 1 4 0.2.0 1 2 106 1
q 1
Q 1 0 94
Q 1 1 106
D 0 0 0.1.0 0 1 95 -5
D 1 0 0.1.0 1 1 105 5
D 0 4 0.2.0 0 2 94 -1
D 1 4 0.2.0 1 2 106 1
e D
"""

TRANSFORM = f"""\
I 0 1
i 0 0 7
i 0 1 8
B 0.1.0
c 0.1.0
C 0.1.0
R 0 0 0.1.0 0 0 7 {transactions_history.transformed(7)}
B 0.1.1
c 0.1.1
R 0 2 0.1.1 0 1 8 {transactions_history.transformed(8)}
D 0 0 0.1.0 0 0 7 {transactions_history.transformed(7)}
D 0 2 0.1.1 0 1 8 {transactions_history.transformed(8)}
e D
E 0 0 7
E 0 1 8
e E
G 0 2
"""


def judge(kind, text):
    return set(transactions_history.KINDS[kind]().load(text.splitlines()).judge())


class BankRules(unittest.TestCase):
    def expect(self, found, *changes):
        text = BANK
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.assertEqual(judge("bank", text), found)

    def test_accepts_a_good_history(self):
        self.expect(set())

    def test_accepts_a_commit_without_an_answer_that_is_there(self):
        self.expect(set(), ("C 0.2.0\n", ""))

    def test_finds_a_lost_transfer(self):
        self.expect({"lost", "read gone"}, ("D 0 4 0.2.0 0 2 94 -1\n", ""), ("D 1 4 0.2.0 1 2 106 1\n", ""))

    def test_finds_half_a_transfer(self):
        self.expect({"torn", "sum"}, ("D 0 4 0.2.0 0 2 94 -1\n", ""), ("R 0 4 0.2.0 0 2 94 -1\n", ""))

    def test_finds_a_half_that_is_there_twice(self):
        self.expect({"twice", "chain", "unread"}, ("e D", "D 0 5 0.2.0 0 2 94 -1\ne D"))

    def test_finds_an_aborted_one_at_the_end(self):
        self.expect({"aborted seen"}, ("C 0.2.0\n", "x 0.2.0\nX 0.2.0\n"))

    def test_finds_one_that_was_never_to_be_committed(self):
        self.expect({"aborted seen"}, ("c 0.2.0\nC 0.2.0\n", ""))

    def test_finds_one_that_was_read_early(self):
        self.expect({"seen early"}, ("c 0.2.0\nC 0.2.0\nR 0 4 0.2.0 0 2 94 -1\n", "R 0 4 0.2.0 0 2 94 -1\nc 0.2.0\nC 0.2.0\n"))

    def test_finds_a_zombie_that_is_acknowledged(self):
        self.expect({"zombie", "lost"}, ("c 0.1.2\nI 0 2\n", "I 0 2\nc 0.1.2\nC 0.1.2\n"))

    def test_finds_what_a_zombie_has_written(self):
        self.expect({"zombie"}, ("I 0 1\n", "I 0 1\nI 0 2\n"), ("c 0.1.2\nI 0 2\n", "c 0.1.2\n"), ("C 0.1.0\n", ""))

    def test_finds_an_account_that_does_not_follow(self):
        self.expect({"chain", "sum"}, ("0.2.0 0 2 94 -1", "0.2.0 0 2 84 -1"))

    def test_finds_a_lost_version(self):
        self.expect({"chain"}, ("0.2.0 0 2 94 -1", "0.2.0 0 3 94 -1"))

    def test_finds_an_audit_whose_sum_is_off(self):
        self.expect({"sum"}, ("Q 1 1 106", "Q 1 1 107"))

    def test_finds_a_reader_that_skips(self):
        self.expect({"skipped"}, ("R 1 0 0.1.0 1 1 105 5\n", ""))

    def test_finds_a_reader_that_stands_still(self):
        self.expect({"unread"}, ("R 1 4 0.2.0 1 2 106 1\n", ""))

    def test_finds_a_reader_that_was_told_something_else(self):
        self.expect({"read otherwise"}, ("R 1 4 0.2.0 1 2 106 1", "R 1 4 0.2.0 1 2 107 1"))

    def test_finds_a_reader_that_goes_back(self):
        self.expect({"read twice"}, ("q 1\n", "R 1 4 0.2.0 1 2 106 1\nq 1\n"))

    def test_finds_an_audit_that_saw_nothing(self):
        self.expect({"incomplete"}, ("Q 1 0 94\nQ 1 1 106\n", ""))

    def test_wants_the_end(self):
        self.expect({"incomplete"}, ("e D\n", ""))

    def test_calls_nothing_lost_without_the_end(self):
        end = BANK[BANK.index("D 0 0"):]
        self.expect({"incomplete"}, (end, ""))
        self.expect({"incomplete"}, (end, "D 0 0 0.1.0 0 1 95 -5\n"))
        self.expect({"incomplete", "sum"}, (end, ""), ("Q 1 1 106", "Q 1 1 107"))


class TransformRules(unittest.TestCase):
    def expect(self, found, *changes):
        text = TRANSFORM
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.assertEqual(judge("transform", text), found)

    def test_accepts_a_good_history(self):
        self.expect(set())

    def test_finds_an_output_that_is_there_twice(self):
        self.expect({"twice", "unread"}, ("e D", f"D 0 4 0.1.1 0 1 8 {transactions_history.transformed(8)}\ne D"))

    def test_finds_an_input_that_was_left_out(self):
        self.expect({"left out"}, ("i 0 1 8\n", "i 0 1 8\ni 0 2 9\n"), ("e E", "E 0 2 9\ne E"), ("G 0 2", "G 0 3"))

    def test_finds_an_input_that_is_left(self):
        self.expect({"unfinished"}, ("e E", "E 0 2 9\ne E"))

    def test_finds_offsets_that_are_behind_their_outputs(self):
        self.expect({"ahead", "unfinished"}, ("G 0 2", "G 0 1"))

    def test_finds_a_wrong_output(self):
        self.expect({"wrong"}, (f"0 1 8 {transactions_history.transformed(8)}", "0 1 8 1"))

    def test_finds_reordered_outputs(self):
        seven, eight = (f"0 {n - 7} {n} {transactions_history.transformed(n)}" for n in (7, 8))
        self.expect({"reordered"}, (seven, "Z"), (eight, seven), ("Z", eight))

    def test_finds_a_lost_input(self):
        self.expect({"input lost"}, ("i 0 1 8\n", "i 0 1 8\ni 0 9 9\n"))

    def test_wants_inputs_and_offsets(self):
        self.expect({"incomplete"}, ("G 0 2\n", ""))
        self.expect({"incomplete"}, ("e E\n", ""), ("E 0 1 8\n", ""))

    def test_calls_nothing_lost_without_the_end(self):
        self.expect({"incomplete"}, ("e D\n", ""), ("D 0 2", "D 0 3"))


if __name__ == "__main__":
    unittest.main()
