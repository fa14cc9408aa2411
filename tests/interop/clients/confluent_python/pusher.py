# SPDX-License-Identifier: Apache-2.0
"""A producer and a consumer PREFIX-producer and PREFIX-consumer that work until a line comes in, and then close.

Nothing is set that has to do with metrics: librdkafka pushes them by itself. usage: pusher.py ADDRESS PREFIX
"""
import select
import sys

import confluent_kafka


def main():
    common = {"bootstrap.servers": sys.argv[1]}
    producer = confluent_kafka.Producer(common | {"client.id": f"{sys.argv[2]}-producer"})
    consumer = confluent_kafka.Consumer(common | {"client.id": f"{sys.argv[2]}-consumer", "group.id": sys.argv[2], "auto.offset.reset": "earliest"})
    consumer.subscribe(["t"])
    sent = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        producer.produce("t", b"x" * 10)
        producer.flush()
        consumer.poll(0.02)
        sent += 1
        if sent == 20:
            print("works", flush=True)
    consumer.close()
    del producer, consumer
    print("closed", flush=True)


if __name__ == "__main__":
    main()
