#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns each earthquake into one alert, exactly once: alerts and the offsets of their earthquakes are one transaction.

usage: alerts.py BOOTSTRAP SOURCE TARGET PARTITIONS [HALF_WAY]

It ends at the source's end. With HALF_WAY it stops in the middle of that transaction (from 1), when the alerts are written and the offsets are
not, prints "half way", and goes on at a line on stdin. librdkafka (which `leat` needs anyhow) does the work.
"""
import ctypes
import ctypes.util
import sys

BATCH = 50
SECONDS = 60
NO_ERROR, PARTITION_EOF, COPY = 0, -191, 2


class Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int), ("topic", ctypes.c_void_p), ("partition", ctypes.c_int32), ("payload", ctypes.c_void_p),
                ("len", ctypes.c_size_t), ("key", ctypes.c_void_p), ("key_len", ctypes.c_size_t), ("offset", ctypes.c_int64)]

    def texts(self):
        return [ctypes.string_at(at, size).decode() if at else "" for at, size in ((self.key, self.key_len), (self.payload, self.len))]


class Place(ctypes.Structure):
    _fields_ = [("topic", ctypes.c_char_p), ("partition", ctypes.c_int32), ("offset", ctypes.c_int64)]


class Library:
    """The functions of librdkafka, without their prefix."""

    POINTERS = ("conf_new", "new", "topic_new", "consumer_poll", "topic_partition_list_new", "topic_partition_list_add",
                "topic_partition_list_find", "consumer_group_metadata", "init_transactions", "begin_transaction", "commit_transaction",
                "send_offsets_to_transaction")

    def __init__(self):
        self.library = ctypes.CDLL(ctypes.util.find_library("rdkafka") or "librdkafka.so.1")
        for name in self.POINTERS:
            getattr(self.library, f"rd_kafka_{name}").restype = ctypes.c_void_p
        self.library.rd_kafka_topic_partition_list_find.restype = ctypes.POINTER(Place)
        self.library.rd_kafka_topic_partition_list_add.restype = ctypes.POINTER(Place)
        self.library.rd_kafka_consumer_poll.restype = ctypes.POINTER(Message)
        self.library.rd_kafka_error_string.restype = ctypes.c_char_p

    def __getattr__(self, name):
        function = getattr(self.library, f"rd_kafka_{name}")
        # Handles come back as numbers; they go in as pointers.
        return lambda *given: function(*(ctypes.c_void_p(g) if isinstance(g, int) and abs(g) > 2**31 else g for g in given))

    def handle(self, kind, properties):
        conf, error = self.conf_new(), ctypes.create_string_buffer(512)
        for name, value in properties.items():
            if self.conf_set(conf, name.encode(), str(value).encode(), error, 512) != 0:
                sys.exit(f"alerts: {error.value.decode()}")
        made = self.new(kind, conf, error, 512)
        if not made:
            sys.exit(f"alerts: {error.value.decode()}")
        return made

    def settle(self, call, *given):
        """A call of the transaction API, again while that helps."""
        while True:
            error = call(*given)
            if not error:
                return
            if not self.error_is_retriable(error):
                sys.exit(f"alerts: {self.error_string(error).decode()}")
            self.error_destroy(error)


class Alerts:
    def __init__(self, bootstrap, source, target, partitions):
        self.kafka = kafka = Library()
        self.source, self.partitions = source.encode(), partitions
        quick = {"bootstrap.servers": bootstrap, "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 100, "log_level": 0}
        self.producer = kafka.handle(0, quick | {"transactional.id": "alerts", "linger.ms": 1})
        self.consumer = kafka.handle(1, quick | {"group.id": "alerts", "enable.auto.commit": "false", "isolation.level": "read_committed",
                                                 "enable.partition.eof": "true"})
        kafka.poll_set_consumer(self.consumer)
        self.target = kafka.topic_new(self.producer, target.encode(), None)
        # Whoever had this transactional id before is done with: what it left open is aborted.
        kafka.settle(kafka.init_transactions, self.producer, SECONDS * 1000)
        self.start()

    def start(self):
        """Where the last transaction that was committed ended."""
        places = self.kafka.topic_partition_list_new(self.partitions)
        for partition in range(self.partitions):
            self.kafka.topic_partition_list_add(places, self.source, partition)
        if self.kafka.committed(self.consumer, places, SECONDS * 1000) != NO_ERROR:
            sys.exit("alerts: no committed offsets")
        for partition in range(self.partitions):
            place = self.kafka.topic_partition_list_find(places, self.source, partition).contents
            place.offset = max(place.offset, 0)
        self.kafka.assign(self.consumer, places)

    def batch(self, ended):
        out = []
        while len(out) < BATCH and len(ended) < self.partitions:
            at = self.kafka.consumer_poll(self.consumer, 1000)
            if not at:
                continue
            message = at.contents
            if message.err == PARTITION_EOF:
                ended.add(message.partition)
            elif message.err == NO_ERROR:
                out.append((message.partition, message.offset, *message.texts()))
            self.kafka.message_destroy(at)
        return out

    def write(self, partition, key, value):
        value = value.encode()
        if self.kafka.produce(self.target, partition, COPY, value, ctypes.c_size_t(len(value)), key.encode(),
                              ctypes.c_size_t(len(key.encode())), None) != 0:
            sys.exit("alerts: a record is not taken")

    def run(self, half_way):
        ended, done = set(), 0
        while len(ended) < self.partitions:
            batch = self.batch(ended)
            if not batch:
                continue
            self.kafka.settle(self.kafka.begin_transaction, self.producer)
            for partition, offset, key, value in batch:
                self.write(partition, key, f"{partition}:{offset} {value}")
            done += 1
            if done == half_way:
                self.kafka.flush(self.producer, SECONDS * 1000)
                print("half way", flush=True)
                sys.stdin.readline()
            self.commit(batch)
        print(done, flush=True)

    def commit(self, batch):
        places = self.kafka.topic_partition_list_new(self.partitions)
        for partition, offset in {partition: offset for partition, offset, _, _ in batch}.items():
            self.kafka.topic_partition_list_add(places, self.source, partition).contents.offset = offset + 1
        group = self.kafka.consumer_group_metadata(self.consumer)
        self.kafka.settle(self.kafka.send_offsets_to_transaction, self.producer, places, group, SECONDS * 1000)
        self.kafka.consumer_group_metadata_destroy(group)
        self.kafka.topic_partition_list_destroy(places)
        self.kafka.settle(self.kafka.commit_transaction, self.producer, SECONDS * 1000)


def main():
    bootstrap, source, target, partitions, *half_way = sys.argv[1:]
    Alerts(bootstrap, source, target, int(partitions)).run(int(half_way[0]) if half_way else 0)


if __name__ == "__main__":
    main()
