#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What counts as a report of damage, and what damage may cost: neither a reader's timeout nor another file's partition."""
import pathlib
import tempfile
import unittest

import asked
import flips
import history

LOG = pathlib.Path("history-1/00000000000000000000.log")
VALUE = (0, 0, 9, 11)
OFFLINE = b'level=error event="partition offline" partition=history-1 why="it"\n'
OFFSETS = f"__consumer_offsets-{asked.partition_of_group(flips.GROUP, flips.OFFSETS_PARTITIONS)}"
OTHER_OFFSETS = f"__consumer_offsets-{(asked.partition_of_group(flips.GROUP, flips.OFFSETS_PARTITIONS) + 1) % flips.OFFSETS_PARTITIONS}"
#: Of crash_worker, which waited for what did not come.
TIMEOUTS = "crash_worker: the log's end was not reached\ncrash_worker: the group's offset cannot be read\n"


class Original:
    def __init__(self):
        self.seen = seen()


def seen(final=None, group=7, complaints=""):
    out = history.History()
    out.final = {(0, 0): VALUE, (1, 0): VALUE} if final is None else final
    out.group, out.complaints = group, complaints
    return out


class Judge(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name)
        (self.data / LOG).parent.mkdir()
        (self.data / LOG).touch()

    def expect(self, *rules, path=LOG, log=b"", **read):
        if path != LOG:
            (self.data / path).parent.mkdir(exist_ok=True)
            (self.data / path).touch()
        self.assertEqual(set(flips.judge(Original(), self.data, path, seen(**read), log)), set(rules))

    def test_accepts_what_is_whole(self):
        self.expect()
        self.expect(complaints=TIMEOUTS)

    def test_a_partition_may_be_set_aside_with_a_report(self):
        self.expect(final={(0, 0): VALUE}, log=OFFLINE, complaints=TIMEOUTS)

    def test_a_reader_may_find_it(self):
        for words in flips.FOUND_BY_READER:
            self.expect(final={(0, 0): VALUE}, complaints=f"crash_worker: {words}\n{TIMEOUTS}")

    def test_a_timeout_reports_nothing(self):
        self.expect("missing without a report", final={(0, 0): VALUE}, complaints=TIMEOUTS)
        self.expect("missing without a report", final={(0, 0): VALUE}, complaints="crash_worker: Local: Timed out\n" + TIMEOUTS)

    def test_another_partition_is_not_set_aside(self):
        self.expect("missing", final={(1, 0): VALUE}, log=OFFLINE)
        self.expect("missing", final={(0, 0): VALUE}, log=OFFLINE, path=pathlib.Path("history-1/00000000000000000000.index"))

    def test_a_group_that_hangs(self):
        for name in ("00000000000000000000.index", "00000000000000000000.snapshot", "marks"):
            path = pathlib.Path(OFFSETS, name)
            self.expect("offset of the group changed without a report", path=path, group=None, complaints=TIMEOUTS)
            self.expect("offset of the group changed", path=path, group=None, complaints=TIMEOUTS, log=OFFLINE)

    def test_the_group_goes_with_its_own_partition_only(self):
        name = "00000000000000000000.log"
        for group in (None, 5):
            self.expect(path=pathlib.Path(OFFSETS, name), group=group, log=OFFLINE)
            self.expect("offset of the group changed", path=pathlib.Path(OTHER_OFFSETS, name), group=group, log=OFFLINE)
            self.expect("offset of the group changed", group=group, log=OFFLINE)
            self.expect("offset of the group changed without a report", path=pathlib.Path(OFFSETS, name), group=group,
                        complaints=flips.FOUND_BY_READER[0])

    def test_a_partition_of_a_group(self):
        self.assertEqual(asked.java_hash("polygenelubricants"), -2**31)
        self.assertEqual(asked.java_hash("history-group"), -2138427386)
        self.assertEqual(asked.partition_of_group("history-group", 4), 2)

    def test_wrong_records_and_deleted_files(self):
        self.expect("wrong record served", final={(0, 0): VALUE, (1, 0): (0, 0, 9, 12)})
        (self.data / LOG).unlink()
        self.expect("deleted")


if __name__ == "__main__":
    unittest.main()
