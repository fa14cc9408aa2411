# SPDX-License-Identifier: Apache-2.0
"""The cells of the benchmark: what is run against a broker and which figures come out.

A cell takes a Bench and returns {figure: value}. Every cell that writes checks that nothing was refused, that the log ends say as many
records as were acknowledged, and that the bytes are in the broker's files; what reads, that each round had all records; what makes topics, that each
is there with its partitions.
"""
import os
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "interop"))

import machine  # noqa: E402
import protocol  # noqa: E402

MB, KIB = 1_000_000, 1024


class Wrong(Exception):
    """A cell whose counts do not add up has no figures."""


def durable(bench):
    return ("flush.messages=1",) if bench.name == "kafka" else ("leat.durability=sync",)


def page_cache(bench):
    return () if bench.name == "kafka" else ("leat.durability=os",)


def create(bench, topic, partitions, settings):
    if bench.name != "null":
        configs = [x for s in settings for x in ("--config", s)]
        bench.load("create", "--topic", topic, "--partitions", partitions, *configs)


def ends(bench, topic, partitions=1):
    """Sum of the log ends."""
    got = bench.load("offsets", "--topic", topic, "--partitions", partitions)
    if got["error"]:
        raise Wrong(f"log ends of {topic}: error {got['error']}")
    return got["sum"]


def check_stored(bench, topic, grown, records, size):
    """`grown`: by how much the log ends are more than before."""
    if grown != records:
        raise Wrong(f"{records} records acknowledged, {grown} in the log")
    if bench.name == "null" or bench.stored(topic) >= size * 0.5:
        return
    os.sync()  # A page may still be waiting for its block: delayed allocation counts when it is written.
    if bench.stored(topic) < size:
        raise Wrong("the records' bytes are not in the files")


def produce(bench, topic, *, connections=1, partitions=1, batch=0, in_flight=1, settings=()):
    create(bench, topic, partitions, settings)
    before = ends(bench, topic, partitions)
    cpu = bench.cpu_seconds()
    got = bench.load("produce", "--topic", topic, "--connections", connections, "--partitions", partitions, "--batch-bytes", batch,
                     "--in-flight", in_flight, "--threads", 1 if connections == 1 else 2, "--seconds", bench.seconds)
    cpu = bench.cpu_seconds() - cpu
    if got["errors"]:
        raise Wrong(f"{got['errors']} requests refused, last error {got['last_error']}")
    if got["socket_bytes"] < got["record_bytes"]:
        raise Wrong("fewer bytes on the socket than in the records")
    check_stored(bench, topic, ends(bench, topic, partitions) - before, got["records"], got["record_bytes"])
    return got, cpu


def throughput(batch, settings_of):
    def cell(bench):
        got, cpu = produce(bench, bench.fresh(), batch=batch, in_flight=4, connections=2, partitions=2, settings=settings_of(bench))
        gb = got["record_bytes"] / 1e9
        return {"CPU-s/GB": cpu / gb, "GB/s": got["record_bytes_per_s"] / 1e9}
    return cell


def single(bench):
    got, cpu = produce(bench, bench.fresh(), settings=page_cache(bench))
    return {"p50 us": got["p50_us"], "CPU us/request": cpu / got["requests"] * 1e6}


def sixteen(bench):
    got, cpu = produce(bench, bench.fresh(), connections=16, partitions=16, settings=page_cache(bench))
    return {"requests/s": got["requests_per_s"], "CPU us/request": cpu / got["requests"] * 1e6}


def synced(connections, partitions):
    def cell(bench):
        got, cpu = produce(bench, bench.fresh(), connections=connections, partitions=partitions, settings=durable(bench))
        return {"requests/s": got["requests_per_s"], "p99 us": got["p99_us"], "CPU us/request": cpu / got["requests"] * 1e6}
    return cell


def latency(rate, settings_of):
    def cell(bench):
        topic = bench.fresh()
        create(bench, topic, 1, settings_of(bench))
        before = ends(bench, topic)
        got = bench.load("latency", "--topic", topic, "--rate", rate, "--seconds", bench.seconds)
        if got["errors"] or got["records"] != got["sent"] or got["sent"] < rate * bench.seconds * 0.99:
            raise Wrong(f"{got['errors']} errors, {got['records']} records of {got['sent']} came")
        check_stored(bench, topic, ends(bench, topic) - before, got["sent"], got["record_bytes"])
        return {"p99 ms": got["p99_us"] / 1e3, "p50 ms": got["p50_us"] / 1e3}
    return cell


def catch_up(bench):
    topic = bench.fresh()
    seconds, bench.seconds = bench.seconds, 2  # a log of a GB or two, in the page cache
    try:
        produced, _ = produce(bench, topic, batch=MB, in_flight=4, settings=page_cache(bench))
    finally:
        bench.seconds = seconds
    end = ends(bench, topic)
    cpu = bench.cpu_seconds()
    got = bench.load("fetch", "--topic", topic, "--seconds", bench.seconds)
    cpu = bench.cpu_seconds() - cpu
    if not got["rounds"] or not got["fewest"] == got["most"] == end:
        raise Wrong(f"{got['rounds']} rounds of {got['fewest']} to {got['most']} records, the log has {end}")
    if got["bytes"] < got["rounds"] * produced["record_bytes"]:
        raise Wrong("fewer bytes than the records have")
    return {"CPU-s/GB": cpu / (got["bytes"] / 1e9), "GB/s": got["bytes_per_s"] / 1e9}


def check_topics(bench, names, partitions, patience=10):
    """That they are there, each partition with a leader; Kafka answers before its brokers know of a topic."""
    wanted, until = list(range(partitions)), time.monotonic() + patience
    with protocol.Client(f"127.0.0.1:{bench.port()}") as client:
        while True:
            told = client.call("Metadata", 8, topics=[{"name": name} for name in names], allow_auto_topic_creation=False)["topics"]
            found = {topic["name"]: sorted(one["partition_index"] for one in topic["partitions"] if not one["error_code"]) for topic in told}
            missing = [name for name in names if found.get(name) != wanted]
            if not missing:
                return
            if time.monotonic() > until:
                raise Wrong(f"{len(missing)} of {len(names)} topics are not there with {partitions} partitions, such as {missing[0]}")
            time.sleep(0.1)


def topics_one_by_one(bench, count=1000):
    topic = bench.fresh()
    got = bench.load("topics", "--topic", topic, "--count", count)
    check_topics(bench, [f"{topic}-{i}" for i in range(count)], 1)
    return {"seconds": got["seconds"]}


def many_partitions(count):
    def cell(bench):
        topic = bench.fresh()
        got = bench.load("partitions", "--topic", topic, "--partitions", count)
        check_topics(bench, [topic], count)
        return {"seconds": got["seconds"]}
    return cell


def resident(bench):
    return {"MiB": machine.resident_mib(bench.pid)}


def first_ack(bench, topic="first"):
    """Starts the stopped broker and returns seconds until the first acknowledgement."""
    begun = time.monotonic_ns()
    process = bench.start_in_background()
    got = bench.load("first-ack", "--topic", topic, "--seconds", 120)
    process()
    return (got["monotonic_ns"] - begun) / 1e9


def start_empty(bench):
    bench.stop()
    shutil.rmtree(bench.data, ignore_errors=True)
    bench.prepare_empty()
    took = first_ack(bench)
    time.sleep(1)
    return {"seconds": took, "resident idle MiB": machine.resident_mib(bench.pid)}


def start_after_kill(bench):
    create(bench, "ballast", 4, durable(bench) if bench.name == "leat" else ())
    written = 0
    while written < bench.ballast_gb * 1e9:
        got = bench.load("produce", "--topic", "ballast", "--partitions", 4, "--connections", 4, "--threads", 2, "--batch-bytes", MB,
                         "--seconds", 1)
        if got["errors"]:
            raise Wrong(f"{got['errors']} requests refused")
        written += got["record_bytes"]
    bench.stop(kill=True)
    machine.drop_caches()
    return {"seconds": first_ack(bench, "ballast"), "GB in the log": written / 1e9}


def start_many_partitions(bench):
    bench.load("partitions", "--topic", "wide", "--partitions", 8000)
    bench.stop(kill=True)
    machine.drop_caches()
    took = first_ack(bench, "wide")
    time.sleep(1)
    return {"seconds": took, "resident MiB": machine.resident_mib(bench.pid)}


def fills_disk(name):
    """What these have written goes before the next cell."""
    return "batches of" in name


#: The null broker and its arguments. One thread holds long polls, as brokers do, and syncs for all who wait: a limit for one producer.
NULLS = {"null": (), "null-one": ("--threads", "1"), "null-synced": ("--threads", "1", "--sync")}

#: name, cell, brokers that take part. Order matters: resident memory is read after the load.
WARM = [
    ("os, batches of 1 MB", throughput(MB, page_cache), "leat kafka null"),
    ("os, batches of 16 KiB", throughput(16 * KIB, page_cache), "leat kafka null"),
    ("one record a request, 1 connection", single, "leat kafka null"),
    ("one record a request, 16 connections, 16 partitions", sixteen, "leat kafka null"),
    ("durable, one record, 1 in flight", synced(1, 1), "leat kafka null-synced"),
    ("durable, one record, 16 connections, 1 partition", synced(16, 1), "leat kafka"),
    ("durable, one record, 16 connections, 16 partitions", synced(16, 16), "leat kafka"),
    ("durable, one record, 64 connections, 100 partitions", synced(64, 100), "leat kafka"),
    ("durable, batches of 1 MB", throughput(MB, durable), "leat kafka"),
    ("end to end, os, 1,000/s", latency(1_000, page_cache), "leat kafka null-one"),
    ("end to end, os, 20,000/s", latency(20_000, page_cache), "leat kafka null-one"),
    ("end to end, durable, 1,000/s", latency(1_000, durable), "leat kafka null-synced"),
    ("catch-up read", catch_up, "leat kafka null"),
    ("resident after the runs", resident, "leat kafka"),
    ("create 1,000 topics one by one", topics_one_by_one, "leat kafka"),
    ("create 1,000 partitions in one request", many_partitions(1000), "leat kafka"),
    ("create 5,000 partitions in one request", many_partitions(5000), "leat kafka"),
]
COLD = [
    ("start, empty", start_empty, "leat kafka"),
    ("start after kill -9, cold cache", start_after_kill, "leat kafka"),
    ("start with 8,000 partitions", start_many_partitions, "leat kafka"),
]


def room_for(wanted, seconds, ballast_gb):
    """Bytes of disk that the warm-up and these cells of WARM and COLD may have filled before they are deleted. A broker that finds less refuses, or ends."""
    warm_up = 2e9
    rates = [3e9 if fills_disk(cell[0]) else warm_up for cell in wanted if cell in WARM]
    return max([rate * seconds for rate in rates] + [ballast_gb * 1.5e9 for cell in wanted if cell[1] is start_after_kill], default=0)
