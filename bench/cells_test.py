#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the cells of the bench need of the disk, and that they have no figures when their counts do not add up."""
import unittest
from unittest import mock

import cells


def named(*titles):
    return [cell for cell in cells.WARM + cells.COLD if cell[0] in titles]


class RoomFor(unittest.TestCase):
    def test_the_longest_cell_counts(self):
        few, full = named("one record a request, 1 connection"), named("one record a request, 1 connection", "os, batches of 1 MB")
        self.assertEqual((1, 2), (len(few), len(full)))
        self.assertEqual(60e9, cells.room_for(full, 20, 5))
        self.assertEqual(40e9, cells.room_for(few, 20, 5))
        self.assertEqual(20e9, cells.room_for(few, 10, 5))

    def test_a_start_after_kill_needs_its_log(self):
        start = named("start after kill -9, cold cache")
        self.assertEqual(1, len(start))
        self.assertEqual(15e9, cells.room_for(start, 20, 10))

    def test_other_tables_need_none(self):
        self.assertEqual(0, cells.room_for([], 20, 5))


class Counted:
    """A Bench whose load generator says what it is told to; each time that it is asked, log ends are the next ones."""
    name, seconds, pid = "leat", 1, 0

    def __init__(self, ends=(0,), stored=1e12, **said):
        self.ends, self.of_topic, self.said = iter(ends), stored, said

    def load(self, mode, *_):
        return {"sum": next(self.ends), "error": 0} if mode == "offsets" else self.said.get(mode, {"seconds": 1})

    def stored(self, _):
        return self.of_topic

    cpu_seconds = staticmethod(lambda: 0)
    fresh = staticmethod(lambda: "cell1")
    port = staticmethod(lambda: 1)


PRODUCED = {"errors": 0, "last_error": 0, "records": 50, "record_bytes": 5000, "socket_bytes": 6000}
READ = {"records": 153, "rounds": 3, "fewest": 51, "most": 51, "bytes": 15300, "bytes_per_s": 1}
DELAYED = {"errors": 0, "records": 100, "sent": 100, "record_bytes": 1000, "p50_us": 1, "p99_us": 2}


class Counts(unittest.TestCase):
    def refuses(self, cell, bench):
        with self.assertRaises(cells.Wrong):
            cell(bench)

    def test_what_is_produced_is_in_the_log_and_in_its_files(self):
        cell = cells.throughput(cells.MB, cells.durable)
        produced = PRODUCED | {"record_bytes_per_s": 1}
        self.assertIn("GB/s", cell(Counted((2, 52), produce=produced)))
        for bench in (Counted((2, 51), produce=produced), Counted((2, 52), stored=2000, produce=produced),
                      Counted((2, 52), produce=produced | {"errors": 1})):
            self.refuses(cell, bench)

    def test_each_round_of_a_catch_up_has_the_whole_log(self):
        self.assertIn("GB/s", cells.catch_up(Counted((1, 51, 51), produce=PRODUCED, fetch=READ)))
        for wrong in ({"fewest": 50}, {"most": 52}, {"rounds": 0, "fewest": 0, "most": 0}, {"bytes": 14999}):
            self.refuses(cells.catch_up, Counted((1, 51, 51), produce=PRODUCED, fetch=READ | wrong))

    def test_what_was_sent_at_a_rate_came_and_is_in_the_log(self):
        cell = cells.latency(100, cells.page_cache)
        self.assertEqual({"p99 ms", "p50 ms"}, set(cell(Counted((1, 101), latency=DELAYED))))
        for bench in (Counted((1, 100), latency=DELAYED), Counted((1, 101), stored=400, latency=DELAYED), Counted((1, 101), latency=DELAYED | {"records": 99}),
                      Counted((1, 51), latency=DELAYED | {"records": 50, "sent": 50})):
            self.refuses(cell, bench)

    def test_topics_are_there_with_their_partitions(self):
        def topic(name, partitions, error=0):
            return {"name": name, "partitions": [{"partition_index": i, "error_code": error} for i in range(partitions)]}
        names = ["cell1-0", "cell1-1"]
        with mock.patch.object(cells.protocol, "Client") as client:
            told = client.return_value.__enter__.return_value.call
            told.return_value = {"topics": [topic("cell1-1", 2), topic("cell1-0", 2)]}
            cells.check_topics(Counted(), names, 2)
            for topics in ([topic("cell1-0", 2)], [topic("cell1-0", 2), topic("cell1-1", 1)], [topic("cell1-0", 2), topic("cell1-1", 2, 5)]):
                told.return_value = {"topics": topics}
                self.refuses(lambda bench: cells.check_topics(bench, names, 2, patience=0), Counted())


if __name__ == "__main__":
    unittest.main()
