# SPDX-License-Identifier: Apache-2.0
"""Goal and floor of each figure: ("ratio" to Apache Kafka or "value"), goal, floor; which way is better follows from goal and floor."""

TOPOLOGIES = ("map and filter", "count over 1 M keys", "tumbling count", "stream-stream join")

GOALS = {
    ("os, batches of 1 MB", "CPU-s/GB"): ("ratio", 0.6, 0.8),
    ("os, batches of 1 MB", "GB/s"): ("ratio", 1.2, 0.95),
    ("os, batches of 16 KiB", "CPU-s/GB"): ("ratio", 0.3, 0.5),
    ("os, batches of 16 KiB", "GB/s"): ("ratio", 3, 1.5),
    ("one record a request, 1 connection", "p50 us"): ("ratio", 0.35, 0.6),
    ("one record a request, 16 connections, 16 partitions", "requests/s"): ("ratio", 3, 2),
    ("one record a request, 16 connections, 16 partitions", "CPU us/request"): ("ratio", 0.3, 0.5),
    ("durable, one record, 1 in flight", "requests/s"): ("ratio", 1.8, 1.4),
    ("durable, one record, 16 connections, 1 partition", "requests/s"): ("ratio", 8, 4),
    ("durable, one record, 16 connections, 16 partitions", "requests/s"): ("ratio", 4, 2),
    ("durable, one record, 64 connections, 100 partitions", "requests/s"): ("ratio", 6, 3),
    ("durable, batches of 1 MB", "GB/s"): ("ratio", 1.5, 1.0),
    ("end to end, os, 1,000/s", "p99 ms"): ("ratio", 0.4, 0.7),
    ("end to end, os, 20,000/s", "p99 ms"): ("ratio", 0.4, 0.7),
    ("end to end, durable, 1,000/s", "p99 ms"): ("ratio", 0.15, 0.3),
    ("catch-up read", "CPU-s/GB"): ("ratio", 0.6, 1.05),
    ("catch-up read", "GB/s"): ("ratio", 1.2, 0.9),
    ("start, empty", "seconds"): ("value", 0.03, 0.1),
    ("start after kill -9, cold cache", "seconds"): ("value", 0.3, 2),
    ("start with 8,000 partitions", "seconds"): ("value", 0.3, 2),
    ("start, empty", "resident idle MiB"): ("value", 12, 30),
    ("resident after the runs", "MiB"): ("value", 60, 150),
    ("start with 8,000 partitions", "resident MiB"): ("value", 60, 150),
    ("create 1,000 topics one by one", "seconds"): ("value", 1, 4),
    ("create 1,000 partitions in one request", "seconds"): ("value", 0.1, 0.5),
    ("create 5,000 partitions in one request", "seconds"): ("value", 0.5, 2),
    # Those of the table `security`.
    ("transactions of 1 record", "transactions/s"): ("ratio", 3, 1.5),
    ("transactions of 100 records over 10 partitions", "transactions/s"): ("ratio", 3, 1.5),
    ("exactly once, commits each 100 ms", "cost %"): ("value", 5, 10),
    ("TLS", "produce: CPU-s/GB"): ("ratio", 0.4, 0.7),
    ("TLS", "fetch: CPU-s/GB"): ("ratio", 0.4, 0.7),
    ("SCRAM logins", "logins/s"): ("ratio", 3, 1.5),
    ("SCRAM logins", "p99 of a live client, ms"): ("value", 20, 50),
    ("10,000 access rules, a produce of one small batch", "instructions added, %"): ("value", 3, 8),
    ("100 members stable, classic", "seconds"): ("ratio", 0.3, 0.8),
    ("100 members stable, consumer protocol", "seconds"): ("ratio", 0.3, 0.8),
    # Those of the table `streams`, against Kafka Streams.
    **{(topology, f"{how} once: records/CPU-s"): ("ratio", 4, 2) for topology in TOPOLOGIES for how in ("at least", "exactly")},
    **{(topology, "cost of exactly once, %"): ("value", 5, 12) for topology in TOPOLOGIES},
    **{(f"engine alone: {topology}", "records/CPU-s"): ("ratio", 8, 4) for topology in TOPOLOGIES},
    ("count over 1 M keys", "resident MiB"): ("ratio", 0.2, 0.4),
    ("restore of a store, values of 100 bytes", "records/s"): ("ratio", 4, 2),
    ("start to first output, empty", "seconds"): ("value", 0.1, 0.5),
    ("count on disk, 20,000 records/s", "p99 ms"): ("ratio", 0.3, 0.6),
}


#: How many times the null broker's figure still stands at the machine's limit.
NEAR = 1.1


def judge(cell, figure, mid):
    """The verdict on Leat's figure, and the goal in words; both "" for a figure without a goal. `mid`: figure by "leat", "kafka", "null".

    "goal"; "floor" (between the two) and "BELOW"; instead of these "machine" where a null broker, which does nothing but receive, write and answer,
    misses the same mark in the same run, and Leat is not further than NEAR from it, either way: no broker could reach the mark here. One that Leat
    beats by more shows no limit.
    """
    rule = GOALS.get((cell, figure))
    if rule is None:
        return "", ""
    kind, goal, floor = rule
    lower_is_better = goal < floor
    text = f"{'≤' if lower_is_better else '≥'} {goal:g}{'×' if kind == 'ratio' else ''}"

    def reaches(broker, mark):
        value = mid[broker] / (mid["kafka"] if kind == "ratio" else 1)
        return value <= mark if lower_is_better else value >= mark

    if "leat" not in mid or (kind == "ratio" and not mid.get("kafka")):
        return "", text
    if reaches("leat", goal):
        return "goal", text
    missed = goal if reaches("leat", floor) else floor
    if mid.get("null") and not reaches("null", missed):
        behind = mid["leat"] / mid["null"] if lower_is_better else mid["null"] / mid["leat"]
        if 1 / NEAR <= behind <= NEAR:
            return "machine", text
    return ("floor" if missed == goal else "BELOW"), text


def unjudged(titles, verdicts):
    """Goals of these cells that have no verdict: the figure was not measured, or not of both sides of a ratio. `verdicts`: by (cell, figure)."""
    return [row for row in GOALS if row[0] in titles and not verdicts.get(row)]
