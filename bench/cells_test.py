#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the cells of the bench need of the disk, and that they have no figures when their counts do not add up."""
import contextlib
import pathlib
import struct
import types
import unittest
from unittest import mock

import cells
import secured_cells


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


def batch(base, count, attributes=secured_cells.TRANSACTIONAL):
    """As much of a record batch as is looked at."""
    return struct.pack(">qiiBIhi", base, 61 - 12 + 100, 0, 2, 0, attributes, count - 1) + bytes(30) + struct.pack(">i", count) + bytes(100)


MARKER = secured_cells.TRANSACTIONAL | secured_cells.CONTROL


class Log:
    """A broker's partitions behind the interface of Reader: each is (batches, its end, where what is committed ends, aborted)."""

    def __init__(self, *partitions):
        self.partitions = partitions

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def call(self, name, _, isolation_level, topics, **_more):
        asked = topics[0]["partitions"]
        if name == "ListOffsets":
            told = [{"partition_index": one["partition_index"], "error_code": 0,
                     "offset": self.partitions[one["partition_index"]][2 if isolation_level == secured_cells.COMMITTED else 1]} for one in asked]
            return {"topics": [{"partitions": told}]}
        batches, _, _, aborted = self.partitions[asked[0]["partition"]]
        rest = [data for data in batches if struct.unpack_from(">q", data)[0] >= asked[0]["fetch_offset"]]
        # One whole batch and the beginning of the next.
        records = rest[0] + b"".join(rest[1:])[:70] if rest else b""
        return {"responses": [{"partitions": [{"error_code": 0, "aborted_transactions": aborted, "records": records}]}]}


class Secured(unittest.TestCase):
    def committed(self, *partitions, patience=0):
        with mock.patch.object(secured_cells, "Reader", return_value=Log(*partitions)):
            return secured_cells.committed("x", "bank", dict.fromkeys(range(len(partitions)), 1), patience)

    def refuses(self, what, *arguments, **named):
        with self.assertRaises(cells.Wrong):
            what(*arguments, **named)

    #: Behind a record of no transaction, which is there from the beginning.
    WHOLE = ([batch(0, 1, 0), batch(1, 5), batch(6, 1, MARKER), batch(7, 5), batch(12, 1, MARKER)], 13, 13, None)

    def test_what_is_committed_is_counted(self):
        self.assertEqual((10, 2), self.committed(self.WHOLE))
        self.assertEqual((20, 4), self.committed(self.WHOLE, self.WHOLE))

    def test_a_transaction_that_stays_open_or_was_aborted_is_wrong(self):
        self.refuses(self.committed, (self.WHOLE[0][:4], 12, 7, None))
        self.refuses(self.committed, self.WHOLE[:3] + ([{"producer_id": 1, "first_offset": 1}],))

    def test_what_is_missing_in_the_log_is_wrong(self):
        self.refuses(self.committed, (self.WHOLE[0][:3], 13, 13, None))
        self.refuses(self.committed, (self.WHOLE[0][:2] + self.WHOLE[0][3:], 13, 13, None))

    def test_records_outside_a_transaction_are_wrong(self):
        self.refuses(self.committed, ([batch(1, 5, 0)], 6, 6, None))

    def test_transactions_are_whole_and_as_many_as_counted(self):
        check, stored = secured_cells.check_transactions, secured_cells.Stored
        check(stored(300, 9), 3, 100, 3)
        check(stored(10, 10), 10, 1, 1)
        for wrong in ((stored(300, 9), 2), (stored(300, 9), 4), (stored(250, 6), 2), (stored(300, 8), 3), (stored(0, 0), 1)):
            self.refuses(check, *wrong, 100, 3)

    def place(self, log, **said):
        """A Place whose clients say what they are told to, on a broker with this log."""
        node = mock.MagicMock(pid=0, addresses={"TLS": "x", "SASL": "x"}, address="x")
        node.__enter__.return_value = node
        self.enterContext(mock.patch.object(secured_cells, "topic", side_effect=lambda _, __, ___, partitions, *____: dict.fromkeys(range(partitions), 1)))
        place = mock.MagicMock(node=lambda *_: node, java=lambda mode, *_, **__: said[mode], seconds=1, folder=pathlib.Path("/x"))
        self.enterContext(mock.patch.object(secured_cells, "Reader", return_value=log))
        return place

    def test_what_is_in_a_topic_from_the_beginning_does_not_count(self):
        with mock.patch.object(secured_cells, "Reader", return_value=Log(([], 1, 1, None), ([], 0, 0, None))):
            self.assertEqual({0: 1, 1: 0}, secured_cells.topic(mock.MagicMock(), mock.MagicMock(), "t", 2))

    def test_a_partition_without_a_leader_is_waited_for(self):
        told = [{"topics": [{"partitions": [{"partition_index": 0, "error_code": code, "offset": 7}]}]} for code in (6, 0)]
        client = mock.MagicMock(call=mock.Mock(side_effect=told))
        self.assertEqual({0: 7}, secured_cells.ends(client, "t", 1))
        client.call.side_effect = told
        self.refuses(secured_cells.ends, client, "t", 1, patience=-1)

    def test_a_cell_of_transactions_looks_into_the_log(self):
        cell = secured_cells.transactions(5, 1)
        said = {"warm_up": 1, "transactions": 1, "transactions_per_s": 7}
        self.assertEqual({"transactions/s": 7}, cell(self.place(Log(self.WHOLE), transactions=said)))
        for wrong in ({"transactions": 2}, {"warm_up": 2}):
            self.refuses(cell, self.place(Log(self.WHOLE), transactions=said | wrong))

    def test_both_streams_of_exactly_once_are_in_the_log(self):
        said = {"warm_up": 10, "records": 30, "records_per_s": 100}
        plain, once = [Log(*[part] * 4) for part in (([], 11, 11, None), self.WHOLE)]
        for wrong in ({}, {"records": 31}, {"records": 29}, {"warm_up": 11}):
            place = self.place(plain, stream=said | wrong)
            with mock.patch.object(secured_cells, "Reader", side_effect=[plain, once, once, plain]):
                if wrong:
                    self.refuses(secured_cells.exactly_once, place)
                else:
                    self.assertIn("cost %", secured_cells.exactly_once(place))
        node, begin = types.SimpleNamespace(address="x"), dict.fromkeys(range(4), 1)
        with mock.patch.object(secured_cells, "Reader", return_value=plain):
            secured_cells.check_stream(node, "s", "plain", begin, 40)
            for wrong in (39, 41):
                self.refuses(secured_cells.check_stream, node, "s", "plain", begin, wrong)

    def test_what_was_sent_over_tls_is_in_the_log(self):
        said = {"produce": {"records": 5, "bytes": 5000}, "fetch": {"records": 5, "bytes": 5000}}
        with mock.patch.object(secured_cells.security, "Secrets"), mock.patch.object(secured_cells.machine, "cpu_seconds", return_value=0):
            self.assertIn("fetch: CPU-s/GB", secured_cells.tls(self.place(Log(([], 11, 11, None)), **said)))
            self.refuses(secured_cells.tls, self.place(Log(([], 10, 10, None)), **said))

    def test_a_live_client_beside_logins_gets_all_its_records(self):
        crowd = mock.MagicMock(returncode=0, communicate=lambda **_: ('{"logins_per_s": 1}', ""))
        for records in (100, 99):
            place = self.place(Log(([], 1, 1, None)))
            place.load = lambda *_: {"logins_per_s": 1, "errors": 0, "sent": 100, "records": records, "p99_us": 1}
            place.start_load = lambda *_: crowd
            with mock.patch.object(secured_cells.security, "add_users"), contextlib.ExitStack() as stack:
                if records < 100:
                    stack.enter_context(self.assertRaises(cells.Wrong))
                secured_cells.logins(place)


if __name__ == "__main__":
    unittest.main()
