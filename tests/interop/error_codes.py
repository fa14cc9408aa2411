#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same requests to Apache Kafka and to Leat, byte for byte; the answers must be the same.

usage: error_codes.py LEAT [--release 4.3.1|3.9.1] [--kafka HOST:PORT] [--leat HOST:PORT] [--only WORD] [--mutant] [--verbose] [--report FILE]

Beside Kafka 4.3.1 all cases but those of versions that Kafka 4 dropped, which are asked beside 3.9.1: each that Leat serves must be. --release: one of
both. Without addresses, which are for 4.3.1 only, it starts a node of each. Each of both must be fresh: no topics, no groups. What may differ is
in allowed.py, each with its reason; all the rest is compared, error messages too. At the end a code, an epoch and an address are falsified in Leat's
answers, which must be found. --mutant: one error code is falsified before the comparison, which must fail.
Exit 0: no differences; 1: some, a version that was not asked, or a reason that no answer needs; 2: nothing to ask; 3: no Kafka to be had.
"""
import argparse
import copy
import dataclasses
import pathlib
import re
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import allowed
import apart
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

    def value(self, field, value):
        if isinstance(value, dict):
            return {k: self.value(k, v) for k, v in self.at(value).items()}
        if isinstance(value, list):
            # Numbers are given in an order that does not depend on what is random.
            value = sorted(value, key=lambda item: ID.sub("", str(item)))
            return self.array([self.value(field, item) for item in value])
        if field == "replica_directory_id":  # Not numbered: a node that has none would count otherwise from there on.
            return "none" if value == protocol.ZERO_ID else "one"
        return self.text(value) if isinstance(value, str) else value

    def at(self, value):
        """Where a node listens is its own matter; that it says so rightly, and where nobody is, is compared."""
        if "port" not in value or not value["host"]:
            return value
        names = {self.node.address: "the node", f"127.0.0.1:{getattr(self.node, 'controller', None)}": "the controller"}
        name = (names | {at: name for name, at in self.node.addresses.items()}).get(f"{value['host']}:{value['port']}")
        return value | {"host": name, "port": name} if name else value

    @staticmethod
    def array(items):
        """Order of answers is no promise of Kafka's."""
        def key(item):
            return tuple(str(item[k]) for k in ARRAY_KEYS if k in item) if isinstance(item, dict) else str(item)
        return sorted(items, key=key)


class Recorder:
    """What a case talks to: sends to one node and keeps what came back."""

    def __init__(self, node):
        self.node = node
        self.normaliser = Normaliser(node)
        self.answers = []
        self.clients = {}

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
        self.answers.append((f"{api} v{version}: {label}", self.normaliser.value("", answer)))


def chosen(release, only):
    return [case for case in RELEASES[release][0] if not only or only in case.__name__]


def record(node, cases):
    recorder = Recorder(node)
    for case in cases:
        recorder.answers.append((f"# {case.__name__}", None))
        case(recorder)
    return recorder.answers


def of_code(label, part):
    if part.get("error_code", 0) > 0:
        part["error_code"] += 1
        return True
    return False


def of_epoch(label, part):
    """An epoch where there is none."""
    if label.startswith("OffsetForLeaderEpoch ") and part.get("leader_epoch") == -1:
        part["leader_epoch"] = 0
        return True
    return False


def of_address(label, part):
    """An address beside an error."""
    if label.startswith("FindCoordinator ") and part.get("error_code", 0) > 0 and part.get("host") == "":
        part["host"] = part["port"] = "the node"
        return True
    return False


#: What is wrong in it, and how an answer is falsified: (label, part of an answer) -> whether it could be.
FALSIFIED = {"an error code": of_code, "an epoch": of_epoch, "an address": of_address}


def falsify(answers, change):
    """Whether there was an answer to falsify; the first one is."""
    def walk(label, value):
        if isinstance(value, dict):
            return change(label, value) or any(walk(label, v) for v in value.values())
        return isinstance(value, list) and any(walk(label, v) for v in value)
    return any(walk(label, answer) for label, answer in answers)


class At:
    """A node that somebody else runs."""

    def __init__(self, address, data="?"):
        self.address, self.data, self.addresses = address, data, {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def count_asked(answers):
    return sum(answer is not None for _, answer in answers)


def judge(kafka, leat, rules):
    """(label, what differs that no rule allows) of each request."""
    for (label, a), (other, b) in zip(kafka, leat, strict=True):
        if label != other:
            raise RuntimeError(f"the nodes were asked differently: {label} / {other}")
        if a is not None:
            yield label, rules.unexplained(label, a, b)


def compare(kafka, leat, rules, verbose):
    found = 0
    for label, lines in judge(kafka, leat, rules):
        found += bool(lines)
        if lines:
            print(f"DIFFERENT {label}")
            for line in lines:
                print(f"    {line}")
        elif verbose:
            print(f"same      {label}")
    return found


def are_found(kafka, leat):
    """{what was falsified in one of Leat's answers: whether it is told}; what cannot be is left out."""
    rules = allowed.Allowed()
    same = [i for i, ((label, a), (_, b)) in enumerate(zip(kafka, leat)) if a is not None and not rules.unexplained(label, a, b)]
    kafka, leat, out = [kafka[i] for i in same], [leat[i] for i in same], {}
    for what, change in FALSIFIED.items():
        falsified = copy.deepcopy(leat)
        if falsify(falsified, change):
            out[what] = any(lines for _, lines in judge(kafka, falsified, allowed.Allowed()))
    return out


def rows_by_api(answers):
    """{API: (versions, requests, codes)} of what a node answered."""
    out = {}
    for label, answer in answers:
        if answer is None:
            continue
        api, version = re.match(r"(\w+) v(\d+): ", label).groups()
        versions, requests, seen = out.get(api, (set(), 0, set()))
        out[api] = (versions | {int(version)}, requests + 1, seen | set(apart.codes(answer)))
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


def report(path, asked, missed, stale, tried):
    """`asked`: by release; `tried`: what was falsified beside each."""
    lines = ["# The same requests to Apache Kafka and to Leat, answer by answer", "", f"- Commit: {machine.commit(protocol.ROOT)}",
             f"- When: {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC", f"- Machine: {machine.describe()}",
             "- Command: `tests/interop/error_codes.py LEAT --report FILE`",
             f"- Result: {'; '.join(one.summary() for one in asked.values())}; {len(stale)} reasons without a difference; "
             f"falsified in one of Leat's answers: {'; '.join(told_of(tried))}", "",
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
    lines += [f"| {label} | {a} | {b} | {reason} |" for label, a, b, reason in allowed.DECIDED]
    quoted = lambda pattern: pattern.replace("|", "\\|") or " "
    lines += ["", "## Texts that may differ", "", "| Kafka's | Leat's | reason |", "|---|---|---|"]
    lines += [f"| `{quoted(a)}` | `{quoted(b)}` | {reason} |" for a, b, reason in allowed.TEXTS]
    lines += ["", "## Fields that may differ", "", "| answers, a pattern | field | how | reason |", "|---|---|---|---|"]
    lines += [f"| `{quoted(labels)}` | {field} | {related.__doc__} | {reason} |" for labels, field, related, reason in allowed.FIELDS]
    pathlib.Path(path).write_text("\n".join(lines) + "\n")


def told_of(tried):
    for what in FALSIFIED:
        seen = {release: found[what] for release, found in tried.items() if what in found}
        yield f"{what} {'is found' if seen and all(seen.values()) else 'is NOT FOUND'} beside {' and '.join(seen) or 'none'}"


def ask_both(release, options, place):
    """One after the other, so that neither has less of the machine."""
    _, settings, listeners = RELEASES[release]
    nodes = (At(options.kafka) if options.kafka else kafka_node.KafkaNode(place / f"kafka-{release}", release, settings=settings, listeners=listeners),
             At(options.leat) if options.leat else kafka_node.LeatNode(place / f"leat-{release}", options.binary, settings=settings, listeners=listeners))
    answers, ranges = [], []
    for node in nodes:
        with node:
            ranges.append(served(node))
            answers.append(record(node, chosen(release, options.only)))
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
    releases = [one for one in ([options.release] if options.release else RELEASES) if chosen(one, options.only)]
    if not releases:
        parser.error(f"no case of {options.release or 'any release'} has {options.only} in its name")
    is_whole = not options.only and len(releases) == len(RELEASES)
    asked = {}
    with tempfile.TemporaryDirectory(prefix="leat-codes-") as folder:
        for release in releases:
            try:
                asked[release] = ask_both(release, options, pathlib.Path(folder))
            except kafka_node.Unavailable as why:
                print(f"error_codes: {why}", file=sys.stderr)
                return 3
    return told(asked, is_whole, options)


def told(asked, is_whole, options):
    """Prints and reports what was found; the exit code."""
    rules = allowed.Allowed()
    if not any(count_asked(one.kafka) for one in asked.values()):
        print("error_codes: nothing was asked", file=sys.stderr)
        return 2
    for one in asked.values():
        if options.mutant and not falsify(one.leat, of_code):
            raise RuntimeError("there is no error to falsify")
        one.found = compare(one.kafka, one.leat, rules, options.verbose)
        print(one.summary())
    missed = neglected(asked[NEWEST], asked[PRIOR]) if is_whole else []
    stale = rules.stale() if is_whole else []
    tried = {release: are_found(one.kafka, one.leat) for release, one in asked.items()}
    falsified = {what for found in tried.values() for what in found}
    is_sound = all(all(found.values()) for found in tried.values()) and (not is_whole or falsified == set(FALSIFIED))
    unsound = [] if is_sound else told_of(tried)
    for what, lines in (("NOT ASKED", missed), ("STALE", stale), ("FALSIFIED", unsound)):
        for line in lines:
            print(f"{what} {line}")
    if options.report:
        report(options.report, asked, missed, stale, tried)
    return 1 if missed or stale or not is_sound or any(one.found for one in asked.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
