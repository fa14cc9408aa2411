#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each topic setting does, and what becomes of slow and greedy peers: on Apache Kafka and on Leat the same, or for a reason.

usage: topic_effects.py LEAT [--part settings|peers|bombs|vast|legacy]... [--only WORD] [--mutants] [--report FILE] [--verbose]

settings: each topic setting is set and its effect looked at: answers, records that come back, segments on disk, over the rounds of
retention and compaction. peers: silent, slow and oversized ones. bombs: batches that unpack to far more than they weigh or say what is
not so. vast: what unpacks to a lot and is within the defaults. legacy: messages of before Kafka 0.11, beside Kafka 3.9.1, the last that
takes them. Of Leat, memory is bounded too.
What differs must be in KNOWN, with a reason; a case that breaks off is wrong on both sides alike. --mutants: each setting is left out on Leat's
side, which must be found by an effect that both had and Leat now has otherwise; beside them a control, from which nothing is left out.
Exit 0: as expected; 1: not; 2: nothing to ask; 3: no Kafka to be had.
"""
import argparse
import concurrent.futures
import pathlib
import re
import sys
import tempfile
import time

import effect_cases
import error_codes
import kafka_node
import peer_cases
from batches import parse
from effect_cases import UNSEEN
from error_cases import topic_of, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
AT_ONCE = 8
NOT_READY = (3, 5, 6)
ROUNDS = {"log.retention.check.interval.ms": "500", "log.cleaner.backoff.ms": "200", "auto.create.topics.enable": "false"}
SHORT = {"connections.max.idle.ms": str(peer_cases.IDLE_MS), "socket.request.max.bytes": str(peer_cases.REQUEST_MAX)}
UNPACKED = {"leat.decompressed.max.bytes": str(peer_cases.UNPACKED_MAX)}
#: Part: its cases, the release beside which it runs, settings of both, of Kafka, of Leat.
PARTS = {
    "settings": (effect_cases.CASES, "4.3.1", ROUNDS, {"log.initial.task.delay.ms": "500"}, {}),
    "peers": (peer_cases.PEERS, "4.3.1", SHORT, {}, {"leat.request.receive.timeout.ms": str(peer_cases.IDLE_MS),
                                                     "leat.response.send.timeout.ms": str(peer_cases.IDLE_MS)}),
    "bombs": (peer_cases.BOMBS, "4.3.1", ROUNDS, {"log.initial.task.delay.ms": "500"}, UNPACKED),
    "vast": (peer_cases.VAST, "4.3.1", ROUNDS, {"log.initial.task.delay.ms": "500"}, {}),
    "legacy": (peer_cases.LEGACY, "3.9.1", {"log.message.timestamp.after.max.ms": "3600000"}, {}, UNPACKED),
}
FEATURES = {"eligible.leader.replicas.version": "0"}  # With it Kafka fixes min.insync.replicas for all.

BROKE = "broke off"
CONTROL = "nothing"  # What the control leaves out.

# What differs on purpose: (pattern of the label, what Kafka has, what Leat has, reason).
WHOLE = "leat.request.receive.timeout.ms: a request that has begun must be there in time; Kafka asks only for some byte now and then"
NOT_OPENED = "Leat opens a compressed batch only where a setting of the topic needs its records, and keeps it as it came otherwise"
LIMIT = "leat.decompressed.max.bytes: Kafka unpacks without a limit"
THROWS = "Kafka fails on it with an exception of its library; Leat says that the records are bad"
KNOWN = [
    ("whose_time: create time, gzip", {"told": -1, "largest of each batch": [500, 0, 700]},
     {"told": -1, "largest of each batch": [500, 9000, 300]}, NOT_OPENED),
    ("kept_by_time: compacted", {"ends": [0, 5], "segments": [0, 1, 2, 3, 4]}, {"ends": [0, 5], "segments": [0, 1, 2, 3, 4, 5]},
     "Leat closes the open segment of a compacted topic when segment.ms is over, Kafka at the next append"),
    ("last_of_each_key: after", {"ends": [0, 6], "segments": [0, 5]}, {"ends": [0, 6], "segments": [0, 6]}, "as above"),
    ("files_that_are_gone: topics, 100 ms", [True], [], "the topic's own delay; Kafka takes the broker's for a whole topic"),
    ("dripping: a byte every half second", "open", "closed", WHOLE),
    ("waiting: for records for longer than it may be idle", "closed", 0, "who waits for an answer is not idle to Leat"),
    (r"what_unpacks_to_much: bomb, \w+, (time|compact|zstd|gzip)", 0, 10, LIMIT),
    ("many_at_once: 16 bombs at once, their errors", [0], [10], LIMIT),
    (r"old_bombs: v\d, bomb, \w+", 0, 10, LIMIT),
    (r"what_lies: zstd with a window of 1 GiB, time", -1, 0, "Leat unpacks in one piece and needs no window; Kafka's library has no room for it"),
    (r"what_lies: .*, plain", -1, 0, NOT_OPENED),
    (r"what_lies: .*, time", -1, 87, THROWS),
    (r"what_counts_wrong: .*, (gzip|snappy|lz4|zstd), plain", 87, 0, NOT_OPENED),
    (r"old_messages: v\d, magic \d, cut off", 0, 2, "Kafka drops the message that is cut off and says that all is well"),
    (r"old_messages: v\d, magic \d, nothing", 0, 87, "as both do in the versions since"),
    (r"old_messages: v\d, magic \d, zstd", 87, 76, "the code says what is wrong"),
    (r"old_messages: v\d, magic \d, codec 7", -1, 76, THROWS),
    (r"old_messages: v\d, magic \d, packed garbage", -1, 87, THROWS),
]
# Of these, Kafka's outcome is a matter of chance: it closes one connection a round, the one that was silent for longest.
CHANCE = {"waiting: for records for longer than it may be idle"}


def memory(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith(f"{field}:"))


class Observer(error_codes.Recorder):
    """What a case talks to: makes topics, appends, reads, looks at the files of one node; keeps what was seen."""

    def __init__(self, node, name, ignored=()):
        super().__init__(node)
        self.name, self.ignored, self.grown = name, ignored, []
        self.now = int(time.time() * 1000)

    def note(self, label, value):
        label = f"{self.name}: {label}"
        if label in dict(self.answers):
            raise RuntimeError(f"noted twice: {label}")  # One would hide the other.
        self.answers.append((label, value))

    def alone(self):
        """The same node by a connection of its own."""
        return Observer(self.node, self.name)

    def make(self, topic, settings, partitions=1):
        """0, or the error code."""
        settings = {name: value for name, value in settings.items() if name not in self.ignored}
        made = self.quiet("CreateTopics", 7, topics=[topic_of(topic, partitions, 1, settings)], timeout_ms=30000)["topics"][0]["error_code"]
        if made in (0, 36):
            wait_for(self, topic)
            return 0
        return made

    def alter(self, topic, settings):
        settings = {name: value for name, value in settings.items() if name not in self.ignored}
        if not settings:
            return
        self.quiet("IncrementalAlterConfigs", 1, resources=[{"resource_type": 2, "resource_name": topic, "configs": [
            {"name": name, "config_operation": 0, "value": value} for name, value in settings.items()]}])

        def seen():
            told = self.quiet("DescribeConfigs", 4, resources=[{"resource_type": 2, "resource_name": topic, "configuration_keys": list(settings)}])
            return {one["name"]: one["value"] for one in told["results"][0]["configs"]}
        self.until(seen, settings)

    def append(self, topic, data, partition=0, acks=-1, patience=10):
        fields = {"acks": acks, "timeout_ms": 30000, "topic_data": [{"name": topic, "partition_data": [{"index": partition, "records": data}]}]}
        if acks == 0:
            self.client().send("Produce", 9, **fields)
            return {"error": None}
        deadline = time.monotonic() + patience
        while True:
            one = self.quiet("Produce", 9, **fields)["responses"][0]["partition_responses"][0]
            if one["error_code"] not in NOT_READY or time.monotonic() > deadline:
                return {"error": one["error_code"], "base": one["base_offset"], "told": one["log_append_time_ms"],
                        "records": [bad["batch_index"] for bad in one["record_errors"]]}
            time.sleep(0.05)

    def offset(self, topic, timestamp, partition=0):
        answer = self.quiet("ListOffsets", 7, replica_id=-1, isolation_level=0, topics=[
            {"name": topic, "partitions": [{"partition_index": partition, "timestamp": timestamp, "current_leader_epoch": -1}]}])
        return answer["topics"][0]["partitions"][0]["offset"]

    by_time = offset

    def ends(self, topic):
        return [self.offset(topic, -2), self.offset(topic, -1)]

    def read(self, topic, at=None, unpack=True):
        """All batches from there, or from the beginning, to the end."""
        first, end = self.ends(topic)
        at, out = first if at is None else at, []
        while at < end or not out:
            answer = self.quiet("Fetch", 11, replica_id=-1, max_wait_ms=0, min_bytes=0, max_bytes=50_000_000, session_id=0, session_epoch=-1, topics=[
                {"topic": topic, "partitions": [{"partition": 0, "fetch_offset": at, "partition_max_bytes": 50_000_000, "current_leader_epoch": -1,
                                                 "last_fetched_epoch": -1}]}])
            part = answer["responses"][0]["partitions"][0]
            if part["error_code"]:
                raise RuntimeError(f"{topic} at {at}: {part['error_code']}")
            got = parse(bytes(part["records"] or b""), unpack)
            if not got:
                break
            out += got
            at = got[-1].last + 1
        return out

    def rows(self, topic):
        try:
            return [[offset, key, value] for one in self.read(topic) for offset, key, value, _ in one.rows]
        except RuntimeError:
            return None  # The beginning moved in between.

    def folder(self, topic, partition=0):
        return self.node.data / f"{topic}-{partition}"

    def file(self, topic, base, end, partition=0):
        return self.folder(topic, partition) / f"{base:020d}.{end}"

    def segments(self, topic, partition=0):
        return sorted(int(path.stem) for path in self.folder(topic, partition).glob("*.log"))

    def deleted(self, topic):
        return sorted(int(path.name.split(".")[0]) for path in self.folder(topic).glob("*.log.deleted"))

    def index(self, topic, base, end):
        return self.file(topic, base, end).read_bytes()

    @staticmethod
    def until(look, wanted, patience=12):
        deadline = time.monotonic() + patience
        while (seen := look()) != wanted and time.monotonic() < deadline:
            time.sleep(0.1)
        return seen

    @staticmethod
    def rounds(count=1):
        """Long enough for several rounds of retention and compaction."""
        time.sleep(2.5 * count)

    def bounded(self, what, most, action):
        """Of Leat: how much its memory grows while `action` runs, at most."""
        if not isinstance(self.node, kafka_node.LeatNode):
            action()
            return
        pathlib.Path(f"/proc/{self.node.pid}/clear_refs").write_text("5", encoding="ascii")  # From now on the peak is counted anew.
        before = memory(self.node.pid, "VmRSS")
        action()
        self.grown.append((f"{self.name}: {what}", most, max(0, memory(self.node.pid, "VmHWM") - before)))


def known_settings(node):
    """Topic settings that the node describes."""
    observer = Observer(node, "known")
    observer.make("any", {})
    told = observer.quiet("DescribeConfigs", 4, resources=[{"resource_type": 2, "resource_name": "any", "configuration_keys": None}])
    return {one["name"] for one in told["results"][0]["configs"]}


def observe(node, cases, ignored=()):
    """(labels and what was seen, memory), in the order of the cases; those that measure come last and one by one."""
    observers = {name: Observer(node, name, ignored) for name, *_ in cases}

    def run(case):
        name, _, _, function = case
        try:
            function(observers[name])
            if not observers[name].answers:
                raise RuntimeError("it noted nothing")
        except Exception as why:  # noqa: BLE001: a case that cannot go on is told, and the others go on.
            observers[name].note(BROKE, f"{type(why).__name__}: {why}")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run, [case for case in cases if not case[2]]))
    for case in cases:
        if case[2]:
            run(case)
    return {label: seen for one in observers.values() for label, seen in one.answers}, [row for one in observers.values() for row in one.grown]


def reason_of(label, kafka, leat):
    for pattern, of_kafka, of_leat, reason in KNOWN:
        if re.fullmatch(pattern, label) and (of_kafka, of_leat) == (kafka, leat):
            return pattern, reason
    return None, None


def is_broken(label):
    return label.endswith(f": {BROKE}")


class Comparison:
    def __init__(self):
        self.rows = []      # (part, label, Kafka, Leat, reason)
        self.grown = []     # (what, most, by how much)
        self.used = set()
        self.missing = []   # settings without a case
        self.mutants = []   # those of Mutant

    def add(self, part, kafka, leat):
        for label in [*kafka, *(label for label in leat if label not in kafka)]:
            a, b = (seen.get(label, "not asked") for seen in (kafka, leat))
            pattern, reason = reason_of(label, a, b) if a != b else (None, None)
            self.used.add(pattern)
            self.rows.append((part, label, a, b, reason))

    def bad(self):
        """What differs without a reason, and what was not asked to its end: there nothing is compared."""
        return [row for row in self.rows if row[2] != row[3] and not row[4] or is_broken(row[1])]

    def swollen(self):
        return [row for row in self.grown if row[2] > row[1]]

    def stale(self, whole):
        return [pattern for pattern, *_ in KNOWN if pattern not in self.used | CHANCE] if whole else []

    def summary(self, whole):
        known = sum(row[2] != row[3] and row[4] is not None for row in self.rows)
        text = (f"{len(self.rows)} effects, {len(self.bad())} differ without a reason or break off, {known} with one, "
                f"{len(self.stale(whole))} reasons without a difference; {len(self.grown)} bounds of memory, {len(self.swollen())} passed over; "
                f"{len(self.missing)} settings without a case")
        if self.mutants:
            left_out = [one for one in self.mutants if one.setting != CONTROL]
            text += f"; {sum(one.is_found for one in left_out)} of {len(left_out)} settings left out were found"
            text += "".join(f"; the control {one}" for one in self.mutants if one.setting == CONTROL)
        return text

    def code(self, whole):
        return 1 if self.bad() or self.swollen() or self.stale(whole) or self.missing or not all(one.is_right for one in self.mutants) else 0


class Mutant:
    """What was seen without a setting, beside what both brokers had with it."""

    def __init__(self, setting, kafka, leat, seen):
        self.setting = setting
        self.broken = [label for label in seen if is_broken(label)]
        self.differ = [label for label, value in seen.items() if not is_broken(label) and label in kafka and label in leat
                       and kafka[label] == leat[label] != value]

    @property
    def is_found(self):
        """By an effect: a case that breaks off may only have been too slow."""
        return bool(self.differ) and not self.broken

    @property
    def is_right(self):
        return not self.differ and not self.broken if self.setting == CONTROL else self.is_found

    def __str__(self):
        return f"has {len(self.differ)} effects that differ and {len(self.broken)} cases that broke off"


def short(value, most=160):
    text = str(value).replace("|", "\\|")
    return text if len(text) <= most else text[:most] + " …"


def write(path, comparison, whole, command):
    sys.path.insert(0, str(ROOT / "bench"))
    import machine  # noqa: PLC0415: only a report needs it
    lines = ["# Effects of topic settings, and bad peers, beside Apache Kafka", "", f"- Commit: {machine.commit(ROOT)}",
             f"- When: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC", f"- Machine: {machine.describe()}", f"- Command: `{command}`",
             f"- Result: {comparison.summary(whole)}", "",
             "Each setting is set on a topic of its own, and what follows from it is noted on both brokers: answers, records, offsets, segments. Legacy "
             "messages run beside Apache Kafka 3.9.1, the last that takes them, all else beside 4.3.1.", "",
             "## Topic settings", "", "| setting | effects compared | differ | left out on our side |", "|---|---|---|---|"]
    found = {one.setting: one.is_found for one in comparison.mutants}
    names = sorted({name for _, settings, *_ in effect_cases.CASES for name in settings})
    for name in names:
        cases = {case for case, settings, *_ in effect_cases.CASES if name in settings}
        rows = [row for row in comparison.rows if row[1].split(":")[0] in cases]
        rows = [row for row in rows if f": {name}=" in row[1]] or rows
        mark = UNSEEN.get(name, "not tried") if name not in found else "found" if found[name] else "NOT FOUND"
        lines.append(f"| `{name}` | {len(rows)} | {sum(row[2] != row[3] for row in rows)} | {mark} |")
    lines += ["", "## Peers, bombs, old messages", "", "| case | outcomes compared | differ |", "|---|---|---|"]
    for part in ("peers", "bombs", "vast", "legacy"):
        for name, *_ in PARTS[part][0]:
            rows = [row for row in comparison.rows if row[1].startswith(f"{name}:")]
            lines.append(f"| {part}: {name.replace('_', ' ')} | {len(rows)} | {sum(row[2] != row[3] for row in rows)} |")
    lines += ["", "## What differs", "", "| what | Apache Kafka | Leat | why |", "|---|---|---|---|"]
    lines += [f"| {short(label)} | {short(a)} | {short(b)} | {reason or 'NO REASON'} |" for _, label, a, b, reason in comparison.rows
              if a != b or is_broken(label)]
    lines += ["", "## Memory of Leat", "", f"At `leat.decompressed.max.bytes={peer_cases.UNPACKED_MAX}`; bombs unpack to {peer_cases.BOMB >> 20} MiB. By how "
              "much its resident memory grew at most, of the largest of each case.", "", "| case | worst | grew by, MiB | bound, MiB |", "|---|---|---|---|"]
    for name in dict.fromkeys(what.split(":")[0] for what, *_ in comparison.grown):
        what, most, grown = max((row for row in comparison.grown if row[0].startswith(f"{name}:")), key=lambda row: row[2])
        lines.append(f"| {name.replace('_', ' ')} | {what.split(': ', 1)[1]} | {grown / 2**20:.0f} | {most >> 20} |")
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def chosen(part, only):
    return [case for case in PARTS[part][0] if not only or only in case[0]]


def run_part(part, options, place, comparison):
    _, version, both, of_kafka, of_leat = PARTS[part]
    cases = chosen(part, options.only)
    if not cases:
        return
    with kafka_node.KafkaNode(place / f"kafka-{part}", version, settings=both | of_kafka, features=FEATURES if version[0] == "4" else None) as node:
        kafka, _ = observe(node, cases)
        if part == "settings" and not options.only:
            tried = {name for _, settings, *_ in effect_cases.CASES for name in settings}
            comparison.missing = sorted(known_settings(node) - tried)
    with kafka_node.LeatNode(place / f"leat-{part}", options.binary, settings=both | of_leat) as node:
        leat, grown = observe(node, cases)
        comparison.add(part, kafka, leat)
        comparison.grown += grown
        if node.process.poll() is not None:
            comparison.rows.append((part, f"{part}: Leat died", "", node.process.returncode, None))
    if options.mutants and part == "settings":
        leave_out(cases, kafka, leat, both | of_leat, options, place, comparison)


def leave_out(cases, kafka, leat, settings, options, place, comparison):
    """Each setting alone, and beside them the control, as busy as they are."""
    def without(setting):
        own = [case for case in cases if setting in (*case[1], CONTROL)]
        with kafka_node.LeatNode(place / f"without-{setting}", options.binary, settings=settings) as node:
            return Mutant(setting, kafka, leat, observe(node, own, (setting,))[0])
    settings_tried = sorted({name for _, names, *_ in cases for name in names} - set(UNSEEN))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE // 2) as pool:
        for one in pool.map(without, [CONTROL, *settings_tried]):
            comparison.mutants.append(one)
            verdict = ("control" if one.is_right else "NOT THE SAME") if one.setting == CONTROL else "found" if one.is_found else "NOT FOUND"
            print(f"{verdict}: without {one.setting}: {one}{''.join(f'; {label}' for label in one.broken)}"
                  f"{''.join(f'; {label}' for label in one.differ if one.setting == CONTROL)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--part", action="append", choices=tuple(PARTS))
    parser.add_argument("--only", help="cases whose name has this word")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--report", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    whole = not options.part and not options.only
    if not any(chosen(part, options.only) for part in options.part or PARTS):
        parser.error(f"no case of {' and '.join(options.part or ['any part'])} has {options.only} in its name")
    comparison = Comparison()
    with tempfile.TemporaryDirectory(prefix="leat-effects-") as folder:
        try:
            for part in options.part or PARTS:
                run_part(part, options, pathlib.Path(folder), comparison)
        except kafka_node.Unavailable as why:
            print(f"topic_effects: {why}", file=sys.stderr)
            return 3
    for _, label, kafka, leat, reason in comparison.rows:
        if kafka != leat or is_broken(label):
            print(f"{'known' if reason else 'DIFFERENT'} {label}\n    Kafka {short(kafka, 1500)}\n    Leat  {short(leat, 1500)}\n    {reason or ''}")
        elif options.verbose:
            print(f"same {label}: {short(kafka, 600)}")
    for what, most, grown in comparison.grown:
        if grown > most or options.verbose:
            print(f"{'TOO MUCH' if grown > most else 'memory'} {what}: {grown >> 20} MiB of {most >> 20}")
    for name in comparison.missing:
        print(f"NO CASE for {name}")
    for pattern in comparison.stale(whole):
        print(f"STALE {pattern}")
    print(comparison.summary(whole))
    if options.report:
        write(options.report, comparison, whole, "tests/interop/topic_effects.py LEAT --mutants --report FILE")
    return comparison.code(whole)


if __name__ == "__main__":
    sys.exit(main())
