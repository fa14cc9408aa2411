#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same requests to Apache Kafka and to Leat, byte for byte; the answers must be the same.

usage: error_codes.py LEAT [--release 4.3.1|3.9.1] [--kafka HOST:PORT] [--leat HOST:PORT] [--only WORD] [--mutant] [--verbose] [--report FILE]

Beside Kafka 4.3.1 all cases but those of versions that Kafka 4 dropped, which are asked beside 3.9.1: each that Leat serves must be. --release: one of
both. Without addresses, which are for 4.3.1 only, it starts a node of each. Each of both must be fresh: no topics, no groups. What must differ is
normalised by the rules below, each with its reason; all the rest is compared, error messages too. --mutant answers
one error code wrongly on Leat's side and must be found; a report says that it was. Exit 0: no differences; 1: some, or a version that was not asked;
3: no Kafka to be had.
"""
import argparse
import contextlib
import copy
import dataclasses
import io
import pathlib
import re
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import consumer_group_cases  # noqa: F401: adds its cases
import data_cases  # noqa: F401: adds its cases
import error_cases
import frame_cases  # noqa: F401: adds its cases
import kafka_node
import machine
import prior_cases
import protocol
import setting_cases  # noqa: F401: adds its cases
import transaction_cases  # noqa: F401: adds its cases

# Fields that never agree, and why. A key is a field, or API.field.
IGNORED = {
    "throttle_time_ms": "quotas are not what is compared",
    "cluster_id": "made by each cluster for itself",
    "host": "where the node listens",
    "port": "where the node listens",
    "leader_epoch": "counts other things: Kafka's restarts, our unclean starts",
    "total_bytes": "the disk's",
    "usable_bytes": "the disk's",
    "size_bytes": "segments of Kafka are preallocated in other units",
    "partition_size": "bytes of __consumer_offsets depend on when they were written",
    "log_dir": "where the node keeps its data",
    "documentation": "texts are our own",
    "DescribeConfigs.is_default": "of version 0: Kafka 3 says false of every setting",
    "DescribeConfigs.read_only": "Kafka calls broker settings read-only that Leat can change, and the other way round",
    "DescribeQuorum.high_watermark": "counts records of Kafka's metadata log, changes of our store",
    "DescribeQuorum.log_end_offset": "as above",
    "DescribeQuorum.last_fetch_timestamp": "a time",
    "DescribeQuorum.last_caught_up_timestamp": "a time",
    "DescribeQuorum.replica_directory_id": "made by each node for itself",
    "DescribeQuorum.nodes": "Kafka names its controller listener, Leat has none",
    "finalized_features_epoch": "counts Kafka's metadata records",
}

# Texts that differ for a reason: (pattern of Kafka's text, pattern of ours, reason).
TEXTS = [
    (r"(Unable to replicate .* registered) or some brokers have all their log directories cordoned\.", r"Unable to replicate .* registered\.",
     "Leat has one log directory and no cordon"),
    (r"Invalid value (\d+)\.0 for .*", r"Invalid value \d+ for .*", "Kafka prints the number as Java does, Leat as it was written"),
    (r"", r"Produce requests must have .*|producer \d+ epoch .*|the batch.*|a batch .*|clients are not allowed .*|a codec that does not exist",
     "Leat says what is wrong with a batch where Kafka says nothing"),
    (r"Invalid magic found in record: 3", r"", "the code says it"),
    (r"One or more records have been rejected .*", r".*", "Kafka repeats the records' errors as Java prints them"),
    (r"(Compacted topic cannot accept message without key) in topic partition .*", r"Compacted topic cannot accept message without key",
     "the answer names the partition already"),
    (r"Timestamp \d+ of message with offset \d+ is out of range.*", r"Timestamp \d+ of message with offset \d+ is out of range.*",
     "the bounds depend on the time"),
    (r"(SubscribedTopicRegex `.*` is not a valid regular expression): .*", r"SubscribedTopicRegex `.*` is not a valid regular expression.*",
     "what is wrong with it is said by RE2, in Kafka by its Java port"),
    (r"Invalid value \[(.*)\] for configuration (\S+): \2 must be the (literal .*)", r"Invalid value .* for configuration .*: Value must be the literal .*",
     "Kafka names the setting twice"),
    (r"Tiered Storage functionality is disabled in the broker.*", r"Invalid value .* for configuration remote.storage.enable: Remote log storage does not exist.*",
     "Leat names the setting"),
    (r"requirement failed: (\S+) must be greater than or equal to (\d+)", r"Invalid value .* for configuration \S+: Value must be at least \d+",
     "a check of Kafka's of its own"),
    (r"/ by zero", r"Invalid value 0 for configuration log.cleaner.threads: Value must be at least 1", "Kafka divides by it"),
    (r"Error parsing configuration property 'max.connections.per.ip.overrides'.*|For input string: .*",
     r"Invalid value .* for configuration max.connections.per.ip.overrides: Value must be a list of address:count", "Kafka prints a Java exception"),
    (r".*only supports versions 7-30", r".*only supports versions 7-\d+", "levels of the metadata log are Kafka's own"),
]

# Answers of Kafka that come from an exception of its own; Leat refuses the same with a reason. By label: what Leat must say.
KAFKA_FAILS = {
    "Metadata v12: by neither": 42,
    "IncrementalAlterConfigs v1: unknown operation": 42,
    "IncrementalAlterConfigs v1: negative operation": 42,
} | {f"CreateAcls v{version}: any {what}": 42 for version in range(4) for what in ("kind", "operation", "permission")}

# Requests that Kafka does not read, and closes the connection; Leat says why, in all versions. By label: with which error.
KAFKA_CLOSES = {f"{api}: {label}": 42 for api, labels in (
    ("CreateAcls", ("no kind", "no operation", "no permission")), ("DescribeAcls", ("of no kind", "of no operation", "of no permission")),
    ("DeleteAcls", ("of no kind",))) for label in labels}

# Answers that differ on purpose: (label, error of Kafka, error of Leat, reason).
DECIDED = [
    *((f"Produce v{version}: codec 7", -1, 76, "Kafka fails on a codec that does not exist with an exception") for version in (3, 8, 12)),
    *((f"IncrementalAlterConfigs v1: log.retention.ms='-2' of {place}", 0, 42, "Kafka checks this value for topics only")
      for place in ("1", "all")),
    ("IncrementalAlterConfigs v1: min.insync.replicas='1' of 1", 40, 0, "Kafka forbids it while it tracks eligible leader replicas, of which a node has none"),
    *((f"{api}: {label} at 0", 51, code, "Kafka's coordinator does not come back from the record that it could not write at level 0")
      for api, label, code in (("EndTxn v5", "newer end", 35), ("InitProducerId v4", "begins anew", 0), ("AddPartitionsToTxn v3", "joins", 0),
                               ("EndTxn v5", "newer end of nothing", 35))),
    ("EndTxn v4: older end at 0", 49, 0, "as above"),
    ("Metadata v12: colliding", 3, 17, "Kafka makes topics in the background and never says why it could not"),
    *((f"Fetch v{version}: {name} of old", 76, 0, "Kafka 4 gives zstd to clients of before zstd too, Kafka 3 did not where the topic is set to it")
      for version in (4, 9) for name in ("z-set", "z-becomes")),
]

# Numbers that may be smaller in Leat, and why; by label: answers in which they may not.
SMALLER = {"heartbeat_interval_ms": "Leat has members of a group that is not settled come back sooner"}
NOT_SMALLER = {"ConsumerGroupHeartbeat v1: settled"}

#: Release: its cases, settings of both nodes, more listeners of theirs.
RELEASES = {"4.3.1": (error_cases.CASES, {"auto.create.topics.enable": "true"}, {}),
            "3.9.1": (prior_cases.CASES, prior_cases.SETTINGS, prior_cases.LISTENERS)}
NEWEST, PRIOR = RELEASES
#: Kafka 4 tells of Produce from 0 on since librdkafka looks for it (KAFKA-18659), and takes it from here on.
TAKEN_FROM = {"Produce": 3}

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ARRAY_KEYS = ("topic_index", "partition_index", "partition", "name", "topic", "topic_name", "group_id", "resource_name",
              "partition_id", "member_id", "key", "node_id", "broker_id", "log_dir", "feature", "topic_id")


class Normaliser:
    """Makes the answers of one node comparable: what is random gets a number by order of appearance."""

    def __init__(self, node):
        self.node = node
        self.names = {protocol.ZERO_ID: "none"}

    def text(self, value):
        def name(match):
            return self.names.setdefault(match[0], f"<{len(self.names)}>")
        return ID.sub(name, value).replace(str(self.node.data), "<data>")

    def value(self, api, field, value):
        if isinstance(value, dict):
            return {k: self.value(api, k, v) for k, v in value.items() if k not in IGNORED and f"{api}.{k}" not in IGNORED}
        if isinstance(value, list):
            # Numbers are given in an order that does not depend on what is random.
            value = sorted(value, key=lambda item: ID.sub("", str(item)))
            return self.array([self.value(api, field, item) for item in value])
        return self.text(value) if isinstance(value, str) else value

    @staticmethod
    def array(items):
        """Order of answers is no promise of Kafka's."""
        def key(item):
            return tuple(str(item[k]) for k in ARRAY_KEYS if k in item) if isinstance(item, dict) else str(item)
        return sorted(items, key=key)


def same_text(kafka, leat):
    return any(re.fullmatch(a, kafka or "") and re.fullmatch(b, leat or "") for a, b, _ in TEXTS)


def is_smaller(path, kafka, leat):
    return path.rsplit(".", 1)[-1] in SMALLER and 0 < leat < kafka


def differences(kafka, leat, path="", exact=False):
    """Lines that say where two normalised answers part."""
    if isinstance(kafka, dict) and isinstance(leat, dict):
        for name in sorted(kafka.keys() | leat.keys()):
            if name not in kafka or name not in leat:
                yield f"{path}.{name}: only in {'Kafka' if name in kafka else 'Leat'}: {kafka.get(name, leat.get(name))!r}"
            else:
                yield from differences(kafka[name], leat[name], f"{path}.{name}", exact)
    elif isinstance(kafka, list) and isinstance(leat, list):
        if len(kafka) != len(leat):
            yield f"{path}: {len(kafka)} against {len(leat)}: {kafka!r} / {leat!r}"
        for i, (a, b) in enumerate(zip(kafka, leat)):
            yield from differences(a, b, f"{path}[{i}]", exact)
    elif kafka != leat and not (path.endswith("_message") and same_text(kafka, leat)) and (exact or not is_smaller(path, kafka, leat)):
        yield f"{path}: Kafka {kafka!r}, Leat {leat!r}"


def codes(answer):
    """All error codes of an answer that are not 0."""
    if isinstance(answer, dict):
        own = [v for k, v in answer.items() if k in ("error_code", "partition_error_code") and v]
        return own + [code for v in answer.values() for code in codes(v)]
    return [code for item in answer for code in codes(item)] if isinstance(answer, list) else []


def is_decided(label, kafka, leat):
    if label in KAFKA_FAILS:
        return codes(kafka) == [-1] and codes(leat) == [KAFKA_FAILS[label]]
    closes = KAFKA_CLOSES.get(re.sub(r" v\d+:", ":", label))
    if closes:
        return kafka == {"closed": True} and codes(leat) == [closes]
    return any(label == name and codes(kafka) == [a] * bool(a) and codes(leat) == [b] * bool(b) for name, a, b, _ in DECIDED)


class Recorder:
    """What a case talks to: sends to one node and keeps what came back."""

    def __init__(self, node, mutant=False):
        self.node = node
        self.normaliser = Normaliser(node)
        self.answers = []
        self.clients = {}
        self.mutant = mutant

    def client(self, name="check"):
        if name not in self.clients:
            self.clients[name] = protocol.Client(self.node.address, client_id=name)
        return self.clients[name]

    def quiet(self, api, version, client="check", **values):
        """A call whose answer only prepares what follows."""
        return self.client(client).call(api, version, **values)

    def ask(self, label, api, version, client="check", keep=None, **values):
        try:
            answer = self.client(client).call(api, version, **values)
        except protocol.Closed:
            self.clients.pop(client)
            answer = {"closed": True}
        self.keep(label, api, version, keep(answer) if keep else answer)
        return answer

    def keep(self, label, api, version, answer):
        self.answers.append((f"{api} v{version}: {label}", self.normaliser.value(api, "", answer)))


def chosen(release, only):
    return [case for case in RELEASES[release][0] if not only or only in case.__name__]


def record(node, cases, mutant):
    recorder = Recorder(node, mutant)
    for case in cases:
        recorder.answers.append((f"# {case.__name__}", None))
        case(recorder)
    if mutant:
        mutate(recorder.answers)
    return recorder.answers


def mutate(answers):
    """Turns the first error code into another one."""
    def walk(value):
        if isinstance(value, dict):
            if value.get("error_code", 0) > 0:
                value["error_code"] += 1
                return True
            return any(walk(v) for v in value.values())
        return isinstance(value, list) and any(walk(v) for v in value)
    if not any(walk(answer) for _, answer in answers):
        raise RuntimeError("there is no error to falsify")


class At:
    """A node that somebody else runs."""

    def __init__(self, address, data="?"):
        self.address, self.data = address, data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def count_asked(answers):
    return sum(answer is not None for _, answer in answers)


def compare(kafka, leat, verbose):
    found, strict = 0, NOT_SMALLER - {label for label, _ in kafka}
    if strict and any(label == "# consumer_groups_reconcile" for label, _ in kafka):
        raise RuntimeError(f"never asked: {strict}")
    for (label, a), (other, b) in zip(kafka, leat, strict=True):
        if label != other:
            raise RuntimeError(f"the nodes were asked differently: {label} / {other}")
        lines = list(differences(a, b, exact=label in NOT_SMALLER)) if a is not None and not is_decided(label, a, b) else []
        found += bool(lines)
        if lines:
            print(f"DIFFERENT {label}")
            for line in lines:
                print(f"    {line}")
        elif verbose and a is not None:
            print(f"same      {label}")
    return found


def is_found(kafka, leat):
    """Whether one wrong code in Leat's answers is told."""
    falsified = copy.deepcopy(leat)
    mutate(falsified)
    with contextlib.redirect_stdout(io.StringIO()):
        return compare(kafka, falsified, False) > compare(kafka, leat, False)


def rows_by_api(answers):
    """{API: (versions, requests, codes)} of what a node answered."""
    out = {}
    for label, answer in answers:
        if answer is None:
            continue
        api, version = re.match(r"(\w+) v(\d+): ", label).groups()
        versions, requests, seen = out.get(api, (set(), 0, set()))
        out[api] = (versions | {int(version)}, requests + 1, seen | set(codes(answer)))
    return out


@dataclasses.dataclass
class Beside:
    """What one release of Kafka and Leat answered."""
    release: str
    kafka: list  # (label, answer)
    leat: list
    ranges: list  # {API: (first version, last)} of Kafka and of Leat, as they say
    found: int = 0

    def summary(self):
        return f"beside {self.release}: {count_asked(self.kafka)} requests, {self.found} answered differently"


def served(node):
    names = {api.key: name for name, api in protocol.APIS.items()}
    with protocol.Client(node.address) as client:
        told = client.call("ApiVersions", 0)["api_keys"]
    return {names[one["api_key"]]: (one["min_version"], one["max_version"]) for one in told if one["api_key"] in names}


def not_asked(answers, versions):
    """Those of {API: versions} of which there is no request."""
    asked = {api: seen for api, (seen, *_) in rows_by_api(answers).items()}
    left = {api: sorted(set(some) - asked.get(api, set())) for api, some in sorted(versions.items())}
    return [f"{api} {', '.join(map(str, some))}" for api, some in left.items() if some]


def first_taken(api, of_kafka):
    return TAKEN_FROM.get(api, of_kafka[api][0])


def neglected(newest, prior):
    """Versions that Leat serves, that release 4 dropped, and that were not asked beside the one before."""
    of_kafka, of_leat = newest.ranges
    return not_asked(prior.kafka, {api: range(first, first_taken(api, of_kafka)) for api, (first, _) in of_leat.items() if api in of_kafka})


def left_out(asked):
    """Versions that the newest release and Leat serve, and that nobody was asked."""
    of_kafka, of_leat = asked[NEWEST].ranges
    return not_asked([row for one in asked.values() for row in one.kafka],
                     {api: range(max(first, first_taken(api, of_kafka)), min(last, of_kafka[api][1]) + 1)
                      for api, (first, last) in of_leat.items() if api in of_kafka})


def table(answers):
    lines = ["| API | versions | requests | error codes of Kafka's answers |", "|---|---|---|---|"]
    for api, (versions, requests, seen) in sorted(rows_by_api(answers).items()):
        lines.append(f"| {api} | {', '.join(map(str, sorted(versions)))} | {requests} | {', '.join(map(str, sorted(seen)))} |")
    return lines


def report(path, asked, missed):
    """`asked`: by release. False when the comparison does not find what is wrong."""
    is_sound = all(is_found(one.kafka, one.leat) for one in asked.values())
    lines = ["# The same requests to Apache Kafka and to Leat, answer by answer", "", f"- Commit: {machine.commit(protocol.ROOT)}",
             f"- When: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC", f"- Machine: {machine.describe()}",
             "- Command: `tests/interop/error_codes.py LEAT --report FILE`",
             f"- Result: {'; '.join(one.summary() for one in asked.values())}; one code falsified in Leat's answers is "
             f"{'found' if is_sound else 'NOT FOUND'} beside each", "",
             "Bytes sent are the same; what comes back is compared field by field, texts of errors too, but for what is listed below."]
    for release, one in asked.items():
        lines += ["", f"## Beside Apache Kafka {release}", ""]
        if release == PRIOR:
            lines += [f"Versions that {NEWEST} does not take any more and Leat does, for clients of before 2018; rules and tokens "
                      "in all versions; and Fetch, for what it says of zstd. "
                      f"Not asked of them: {'; '.join(missed) or 'none'}.", ""]
        lines += table(one.kafka)
    if NEWEST in asked:
        lines += ["", f"Served by both and asked nowhere here: {'; '.join(left_out(asked)) or 'none'}. The matrix of [rights](rights.md) asks each."]
    lines += ["", "## Different on purpose", "", "| request | Kafka | Leat | reason |", "|---|---|---|---|"]
    lines += [f"| {label} | -1 | {code} | Kafka's answer comes from an exception of its own |" for label, code in KAFKA_FAILS.items()]
    lines += [f"| {label} | closed | {code} | Kafka does not read a request that has UNKNOWN in it |" for label, code in KAFKA_CLOSES.items()]
    lines += [f"| {label} | {a} | {b} | {reason} |" for label, a, b, reason in DECIDED]
    quoted = lambda pattern: pattern.replace("|", "\\|") or " "
    lines += ["", "## Texts that may differ", "", "| Kafka's | Leat's | reason |", "|---|---|---|"]
    lines += [f"| `{quoted(a)}` | `{quoted(b)}` | {reason} |" for a, b, reason in TEXTS]
    lines += ["", "## Not compared", "", "| field | reason |", "|---|---|"]
    lines += [f"| {field} | {reason} |" for field, reason in (IGNORED | {f"{k}, when smaller in Leat": v for k, v in SMALLER.items()}).items()]
    pathlib.Path(path).write_text("\n".join(lines) + "\n")
    return is_sound


def ask_both(release, options, place):
    """One after the other, so that neither has less of the machine."""
    _, settings, listeners = RELEASES[release]
    nodes = (At(options.kafka) if options.kafka else kafka_node.KafkaNode(place / f"kafka-{release}", release, settings=settings, listeners=listeners),
             At(options.leat) if options.leat else kafka_node.LeatNode(place / f"leat-{release}", options.binary, settings=settings, listeners=listeners))
    answers, ranges = [], []
    for node, mutant in zip(nodes, (False, options.mutant)):
        with node:
            ranges.append(served(node))
            answers.append(record(node, chosen(release, options.only), mutant))
    return Beside(release, *answers, ranges)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--release", choices=tuple(RELEASES))
    parser.add_argument("--kafka")
    parser.add_argument("--leat")
    parser.add_argument("--only")
    parser.add_argument("--mutant", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--report", metavar="FILE")
    options = parser.parse_args()
    if options.kafka or options.leat:
        options.release = NEWEST
    asked = {}
    with tempfile.TemporaryDirectory(prefix="leat-codes-") as folder:
        for release in (options.release,) if options.release else [one for one in RELEASES if chosen(one, options.only)]:
            try:
                asked[release] = ask_both(release, options, pathlib.Path(folder))
            except kafka_node.Unavailable as why:
                print(f"error_codes: {why}", file=sys.stderr)
                return 3
    for one in asked.values():
        one.found = compare(one.kafka, one.leat, options.verbose)
        print(one.summary())
    missed = neglected(asked[NEWEST], asked[PRIOR]) if len(asked) > 1 and not options.only else []
    for version in missed:
        print(f"NOT ASKED {version}")
    is_sound = not options.report or report(options.report, asked, missed)
    return 1 if missed or not is_sound or any(one.found for one in asked.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
