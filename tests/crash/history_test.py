#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of the history checker fires on a history that breaks it alone, and none on a good one."""
import unittest

import history

#: Producer 4 sends what is too large; of 4-1 an attempt timed out before another was refused, and 4-2 was given up: they may be there.
GOOD = """\
S 0 0 0 9 11
S 1 0 1 9 12
S 0 1 0 9 13
S 0 1 1 9 14
M 0 0 0
A 0 0 0 0
A 0 1 1 0
M 0 0 1
K -1001
R 0 0 0 0 9 11
A 1 0 0 1
R 0 1 1 0 9 13
S 0 4 0 900 15
S 0 4 1 900 16
S 0 4 2 900 17
F 4 0 never MSG_SIZE_TOO_LARGE
F 4 1 perhaps MSG_SIZE_TOO_LARGE
F 4 2 never _MSG_TIMED_OUT
M 1 0 1
c 1
C 1
K 1
c 2
K 2
R 1 0 0 1 9 12
R 0 2 4 1 900 16
R 0 4 4 2 900 17
R 0 5 1 1 9 14
D 0 0 0 0 9 11
D 1 0 0 1 9 12
D 0 1 1 0 9 13
D 0 2 4 1 900 16
D 0 4 4 2 900 17
D 0 5 1 1 9 14
M 0 0 6
M 1 0 1
G 2
"""


def judge(text, **more):
    return set(history.History().load(text.splitlines()).judge(**more))


class Checker(unittest.TestCase):
    def expect(self, *rules, without=(), swap=(), more="", before=None, **options):
        """Of GOOD without lines, with others, or with more of them, at the end or before a line."""
        text = GOOD
        for line in without:
            self.assertIn(line + "\n", text)
            text = text.replace(line + "\n", "", 1)
        for line, other in swap:
            self.assertIn(line + "\n", text)
            text = text.replace(line + "\n", other + "\n", 1)
        text = text + more if before is None else text.replace(before, more + before, 1)
        self.assertEqual(judge(text, **options), set(rules))

    def test_accepts_a_good_history(self):
        self.expect()

    def test_finds_a_lost_record(self):
        self.expect("lost", without=["D 1 0 0 1 9 12", "R 1 0 0 1 9 12"])
        self.expect("lost", without=["D 1 0 0 1 9 12", "R 1 0 0 1 9 12"], has_ended=False)

    def test_finds_a_read_record_that_is_gone(self):
        self.expect("unread", without=["D 0 4 4 2 900 17"])

    def test_finds_another_record_at_an_offset(self):
        self.expect("rewritten", swap=[("D 1 0 0 1 9 12", "D 1 0 0 2 9 12")], more="S 1 0 2 9 12\n")

    def test_finds_an_offset_acknowledged_twice(self):
        self.expect("rewritten", more="A 5 5 0 0\n")

    def test_finds_other_bytes_at_an_offset(self):
        # The record that was sent and is there at the end is not the one that was read there.
        self.expect("rewritten", "altered", swap=[("R 1 0 0 1 9 12", "R 1 0 0 1 9 99")])

    def test_finds_a_duplicate(self):
        self.expect("duplicated", more="R 0 6 1 1 9 14\nD 0 6 1 1 9 14\n")

    def test_allows_duplicates_of_plain_producers(self):
        self.expect(more="R 0 6 1 1 9 14\nD 0 6 1 1 9 14\n", duplicates_allowed=True)

    def test_finds_reordering(self):
        self.expect("reordered", more="S 1 7 5 9 20\nS 1 7 9 9 21\nD 1 1 7 9 9 21\nD 1 2 7 5 9 20\n", has_ended=False)

    def test_finds_a_record_that_nobody_sent(self):
        self.expect("phantom", more="R 1 1 7 5 9 20\nD 1 1 7 5 9 20\n")
        self.expect("phantom", more="R 1 1 -1 -1 9 20\nD 1 1 -1 -1 9 20\n")
        self.expect("phantom", without=["S 1 0 1 9 12"])

    def test_finds_a_record_in_another_partition(self):
        self.expect("phantom", swap=[("S 0 1 1 9 14", "S 1 1 1 9 14")])

    def test_finds_other_bytes_than_were_sent(self):
        for other in ("9 99", "8 14"):
            self.expect("altered", swap=[(f"{where} 0 5 1 1 9 14", f"{where} 0 5 1 1 {other}") for where in "RD"])
        self.expect("altered", swap=[("R 1 0 0 1 9 12", "R 1 0 0 1 9 99"), ("D 1 0 0 1 9 12", "D 1 0 0 1 9 99")])

    def test_finds_a_record_whose_sending_failed(self):
        self.expect("failed seen", without=["D 0 4 4 2 900 17", "R 0 4 4 2 900 17", "D 0 2 4 1 900 16", "R 0 2 4 1 900 16"],
                    more="R 0 6 4 0 900 15\nD 0 6 4 0 900 15\n")
        self.expect("failed seen", swap=[("F 4 1 perhaps MSG_SIZE_TOO_LARGE", "F 4 1 never MSG_SIZE_TOO_LARGE")])

    def test_takes_no_timeout_for_a_failure(self):
        for why in ("_MSG_TIMED_OUT", "_TRANSPORT", "REQUEST_TIMED_OUT", "KAFKA_STORAGE_ERROR", "NOT_ENOUGH_REPLICAS_AFTER_APPEND"):
            self.expect(swap=[("F 4 1 perhaps MSG_SIZE_TOO_LARGE", f"F 4 1 never {why}")])

    def test_finds_what_a_reader_was_not_given(self):
        self.expect("skipped", without=["R 0 1 1 0 9 13"])
        self.expect("skipped", without=["R 0 0 0 0 9 11"])

    def test_finds_a_reader_who_stands_still(self):
        self.expect("behind", without=["R 0 5 1 1 9 14"])
        self.expect("behind", without=["R 0 4 4 2 900 17", "R 0 5 1 1 9 14"])
        self.expect("behind", without=["R 1 0 0 1 9 12"])  # Of this partition he was given nothing.

    def test_does_not_wait_for_a_reader_who_was_broken_off(self):
        self.expect(without=["R 0 5 1 1 9 14"], has_ended=False)
        self.expect("skipped", without=["R 0 4 4 2 900 17"], has_ended=False)

    def test_finds_a_reader_who_goes_back(self):
        self.expect("went back", more="R 0 5 1 1 9 14\n")
        self.expect("went back", more="R 0 1 1 0 9 13\n", before="R 0 4 4 2 900 17")

    def test_finds_a_mark_that_goes_back(self):
        self.expect("mark went back", more="M 0 0 5\n")
        self.expect("mark went back", swap=[("M 0 0 1", "M 0 0 7")])
        self.expect("mark went back", swap=[("M 0 0 1", "M 0 1 1")])

    def test_finds_a_lost_commit(self):
        self.expect("commit lost", swap=[("K 2", "K 1"), ("G 2", "G 0")])
        self.expect("commit lost", swap=[("K 1", "K 0")])

    def test_finds_a_commit_that_goes_back(self):
        self.expect("commit went back", swap=[("G 2", "G 1")])
        self.expect("commit went back", more="K 1\n", before="R 1 0")

    def test_finds_an_invented_commit(self):
        self.expect("commit invented", swap=[("G 2", "G 3")])
        self.expect("commit invented", swap=[("K -1001", "K 1")])

    def test_wants_the_final_offset(self):
        self.expect("incomplete", without=["G 2"])

    def test_knows_each_line(self):
        with self.assertRaises(ValueError):
            judge("X 1 2 3")


if __name__ == "__main__":
    unittest.main()
