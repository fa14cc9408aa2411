#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Connections that go over to the shard of the partition that they write to, and those that do not.

usage: moving_test.py LEAT [TEST...]
"""
import concurrent.futures
import contextlib
import pathlib
import struct
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from broker_test import metric  # noqa: E402
from raw_client import PRODUCE, Broker, batch, text  # noqa: E402

LEAT = ""
REQUESTS = 400
SASL_HANDSHAKE, SASL_AUTHENTICATE = 17, 36


class Moving(unittest.TestCase):
    def moved(self, broker):
        return metric(broker, "leat_connections_moved_total")

    def write(self, client, partition, first):
        for i in range(first, first + REQUESTS):
            self.assertEqual(client.produce("t", partition, [f"{partition}:{i}".encode()]), (0, i))

    def read(self, broker, partition):
        with broker.client() as client:
            return [value.decode() for _, value in client.read_all("t", partition)]

    def test_who_writes_to_one_partition_goes_to_its_shard_and_nothing_is_lost(self):
        partitions = 8
        with Broker(LEAT, "leat.shards=2") as broker, contextlib.ExitStack() as stack:
            with broker.client() as client:
                client.create_topic("t", partitions)
            clients = [stack.enter_context(broker.client()) for _ in range(partitions)]
            # Neighbours are on different shards, partitions and connections alike: in one of the two orders all are on the wrong one.
            for shift in (0, 1):
                with concurrent.futures.ThreadPoolExecutor(partitions) as pool:
                    for done in [pool.submit(self.write, clients[(i + shift) % partitions], i, shift * REQUESTS) for i in range(partitions)]:
                        done.result()
            self.assertGreater(self.moved(broker), 0)
            self.assertEqual(metric(broker, "leat_connections"), partitions)
            for i in range(partitions):
                self.assertEqual(self.read(broker, i), [f"{i}:{n}" for n in range(2 * REQUESTS)])

    def test_requests_that_are_sent_ahead_are_answered_in_order(self):
        with Broker(LEAT, "leat.shards=2") as broker:
            with broker.client() as client:
                client.create_topic("t", 2)
            with broker.client() as one, broker.client() as other:
                # In one of the two orders both are on the wrong shard.
                for clients in ((one, other), (other, one)):
                    for partition, client in enumerate(clients):
                        body = client.produce_body("t", partition, batch([b"v"]))
                        for _ in range(50):
                            sent = [client.send(PRODUCE, 7, body) for _ in range(7)]
                            self.assertEqual([client.receive()[0] for _ in sent], sent)
                self.assertGreater(self.moved(broker), 0)
                self.assertEqual([one.end_offset("t", partition) for partition in (0, 1)], [700, 700])

    def test_who_writes_to_several_partitions_stays(self):
        with Broker(LEAT, "leat.shards=2") as broker, broker.client() as client, broker.client() as other:
            client.create_topic("t", 2)
            for i in range(REQUESTS):
                for partition in (0, 1):
                    client.produce("t", partition, [b"v"])
                    other.produce("t", partition, [b"v"])
            self.assertEqual(self.moved(broker), 0)

    def test_who_has_logged_in_is_known_on_the_other_shard(self):
        jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="secret";'
        settings = ("listeners=SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms=PLAIN",
                    "listener.name.sasl_plaintext.plain.sasl.jaas.config=" + jaas, "super.users=User:ann",
                    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer")
        with Broker(LEAT, "leat.shards=2", *settings, listen=()) as broker, broker.client() as one, broker.client() as other:
            for client in (one, other):
                self.assertEqual(client.call(SASL_HANDSHAKE, 1, text("PLAIN")).take("h"), 0)
                token = b"\0ann\0secret"
                self.assertEqual(client.call(SASL_AUTHENTICATE, 0, struct.pack(">i", len(token)) + token).take("h"), 0)
            one.create_topic("t", 2)
            for first, clients in ((0, (one, other)), (REQUESTS, (other, one))):
                for partition, client in enumerate(clients):
                    self.write(client, partition, first)
            self.assertGreater(self.moved(broker), 0)

    def test_who_has_fetched_stays(self):
        with Broker(LEAT, "leat.shards=2") as broker, broker.client() as one, broker.client() as other:
            one.create_topic("t", 2)
            for clients in ((one, other), (other, one)):
                for partition, client in enumerate(clients):
                    client.fetch("t", partition, 0)
                    for _ in range(REQUESTS):
                        client.produce("t", partition, [b"v"])
            self.assertEqual(self.moved(broker), 0)

    def test_one_partition_does_not_gather_all_who_write_to_it(self):
        with Broker(LEAT, "leat.shards=2") as broker, contextlib.ExitStack() as stack:
            clients = [stack.enter_context(broker.client()) for _ in range(12)]
            clients[0].create_topic("t")
            with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
                list(pool.map(lambda client: [client.produce("t", 0, [b"v"]) for _ in range(REQUESTS)], clients))
            self.assertLessEqual(self.moved(broker), 1)
            self.assertEqual(clients[0].end_offset("t"), len(clients) * REQUESTS)

    def write_until_stopped(self, client, partition):
        """How many were acknowledged before the connection ended."""
        for i in range(1 << 30):
            try:
                self.assertEqual(client.produce("t", partition, [f"{partition}:{i}".encode()]), (0, i))
            except OSError:
                return i

    def test_stop_while_connections_go_over_ends_at_once_and_loses_nothing(self):
        partitions, moved = 16, 0
        for attempt in range(10):
            with Broker(LEAT, "leat.shards=4") as broker:
                with broker.client() as client:
                    client.create_topic("t", partitions)
                with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(partitions) as pool:
                    clients = [stack.enter_context(broker.client()) for _ in range(partitions)]
                    writers = [pool.submit(self.write_until_stopped, client, i) for i, client in enumerate(clients)]
                    # Each attempt a little later in the time in which they go over. How many do is luck: most may stand right.
                    until = time.monotonic() + 1
                    while self.moved(broker) < attempt % 5 and time.monotonic() < until:
                        time.sleep(0.001)
                    moved += self.moved(broker)
                    self.assertEqual(broker.stop(), 0)
                    acknowledged = [writer.result() for writer in writers]
                broker.start()
                for i, count in enumerate(acknowledged):
                    values = self.read(broker, i)
                    self.assertGreaterEqual(len(values), count)
                    self.assertEqual(values, [f"{i}:{n}" for n in range(len(values))])
        self.assertGreater(moved, 0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    LEAT = sys.argv.pop(1)
    unittest.main(verbosity=2)
