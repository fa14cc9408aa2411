# SPDX-License-Identifier: Apache-2.0
"""Kafka's own command-line tools for administration, run against Leat and against Apache Kafka: what they print must be the same.

    tools.py PROGRAM [--only WORD] [--verbose]

Numbers that differ by nature (ports, times, sizes) are masked; what else differs is in KNOWN, line by line, with its reason.
Exit code: 0 the same, 1 not or a reason that no command needs, 2 nothing to ask, 3 Kafka cannot be had.
"""
import argparse
import os
import pathlib
import re
import sys
import tempfile
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]
import matrix  # noqa: E402
import kafka_node  # noqa: E402
import hanging_test  # noqa: E402
import samples  # noqa: E402

T = "org.apache.kafka.tools."
ACL, CONFIG, FEATURE, LOG_DIRS = T + "AclCommand", "kafka.admin.ConfigCommand", T + "FeatureCommand", T + "LogDirsCommand"
QUORUM, METRICS, REASSIGN = T + "MetadataQuorumCommand", T + "ClientMetricsCommand", T + "reassign.ReassignPartitionsCommand"
GROUPS, CONSUMER = T + "consumer.group.ConsumerGroupCommand", T + "consumer.ConsoleConsumer"
TRANSACTIONS, TOKENS = T + "TransactionsCommand", T + "DelegationTokenCommand"


def lose_a_transaction(peer):
    """A coordinator that was never told of the partition will not end it."""
    writer = hanging_test.Writer(peer.node.address, "mx-lost")
    if (code := writer.write(samples.TOPIC)) != 0:
        raise RuntimeError(f"{peer.name}: error {code} to a transaction that is to hang")
    writer.client.socket.close()


# A function is done to each of the two.
COMMANDS = [
    (ACL, "--add --allow-principal User:bob --operation Read --topic orders --group billing"),
    (ACL, "--add --allow-principal User:bob --producer --topic pay --resource-pattern-type prefixed"),
    (ACL, "--add --deny-principal User:eve --deny-host 10.0.0.1 --operation All --topic orders"),
    (ACL, "--list"),
    (ACL, "--list --topic orders"),
    (ACL, "--list --topic payments --resource-pattern-type match"),
    (ACL, "--list --principal User:bob"),
    (ACL, "--remove --force --allow-principal User:bob --operation Read --topic orders"),
    (ACL, "--remove --force --topic pay --resource-pattern-type prefixed"),
    (ACL, "--list"),
    (ACL, "--add --allow-principal bob --operation Read --topic orders"),
    (CONFIG, "--alter --add-config producer_byte_rate=1024,consumer_byte_rate=2048 --entity-type users --entity-name bob"),
    (CONFIG, "--alter --add-config request_percentage=150 --entity-type users --entity-name bob --entity-type clients --entity-name app"),
    (CONFIG, "--alter --add-config controller_mutation_rate=10 --entity-type clients --entity-default"),
    (CONFIG, "--alter --add-config connection_creation_rate=100 --entity-type ips --entity-name 127.0.0.1"),
    (CONFIG, "--describe --entity-type users"),
    (CONFIG, "--describe --entity-type users --entity-type clients"),
    (CONFIG, "--describe --entity-type clients --entity-default"),
    (CONFIG, "--describe --entity-type ips"),
    (CONFIG, "--alter --delete-config producer_byte_rate,consumer_byte_rate --entity-type users --entity-name bob"),
    (CONFIG, "--describe --entity-type users --entity-name bob"),
    (CONFIG, "--alter --add-config no_such_rate=10 --entity-type users --entity-name bob"),
    (METRICS, "--alter --name sub --metrics org.apache.kafka.producer. --interval 10000 --match client_id=app"),
    (METRICS, "--list"),
    (METRICS, "--describe --name sub"),
    (METRICS, "--delete --name sub"),
    (METRICS, "--list"),
    (CONFIG, "--alter --add-config retention.ms=1000 --entity-type topics --entity-name mx-topic"),
    (CONFIG, "--describe --entity-type topics --entity-name mx-topic"),
    (CONFIG, "--describe --entity-type broker-loggers --entity-name 1"),
    (FEATURE, "describe"),
    (FEATURE, "upgrade --feature no.such=1"),
    (LOG_DIRS, "--describe --topic-list mx-topic"),
    (QUORUM, "describe --status"),
    (QUORUM, "describe --replication"),
    (REASSIGN, "--list"),
    (FEATURE, "upgrade --feature transaction.version=2 --dry-run"),
    (FEATURE, "upgrade --feature transaction.version=9"),
    (FEATURE, "downgrade --feature transaction.version=1 --dry-run"),
    (FEATURE, "downgrade --feature transaction.version=1"),
    (FEATURE, "upgrade --feature transaction.version=2"),
    (CONFIG, "--alter --add-config log.retention.ms=100000,log.cleaner.threads=2 --entity-type brokers --entity-name 1"),
    (CONFIG, "--describe --entity-type brokers --entity-name 1"),
    (CONFIG, "--alter --delete-config log.retention.ms,log.cleaner.threads --entity-type brokers --entity-name 1"),
    (CONFIG, "--alter --add-config log.retention.ms=200000 --entity-type brokers --entity-default"),
    (CONFIG, "--describe --entity-type brokers --entity-default"),
    (CONFIG, "--alter --add-config log.retention.ms=soon --entity-type brokers --entity-default"),
    (CONFIG, "--alter --delete-config log.retention.ms --entity-type brokers --entity-default"),
    (CONSUMER, "--topic mx-topic --group mx-next --command-property group.protocol=consumer --from-beginning --timeout-ms 4000"),
    (CONSUMER, "--topic mx-topic --group mx-old --from-beginning --timeout-ms 4000"),
    (GROUPS, "--list"),
    (GROUPS, "--list --state"),
    (GROUPS, "--list --type"),
    (GROUPS, "--list --type consumer"),
    (GROUPS, "--describe --group mx-next"),
    (GROUPS, "--describe --group mx-next --state"),
    (GROUPS, "--describe --group mx-next --members --verbose"),
    (GROUPS, "--describe --group mx-old --state"),
    (GROUPS, "--describe --group mx-none"),
    (GROUPS, "--reset-offsets --group mx-next --topic mx-topic --to-latest --dry-run"),
    (GROUPS, "--reset-offsets --group mx-next --topic mx-topic --shift-by -1 --execute"),
    (GROUPS, "--delete-offsets --group mx-next --topic mx-topic"),
    (CONFIG, "--alter --add-config consumer.session.timeout.ms=50000 --entity-type groups --entity-name mx-next"),
    (CONFIG, "--describe --entity-type groups --entity-name mx-next"),
    (CONFIG, "--alter --add-config consumer.session.timeout.ms=1 --entity-type groups --entity-name mx-next"),
    (CONFIG, "--alter --delete-config consumer.session.timeout.ms --entity-type groups --entity-name mx-next"),
    (GROUPS, "--delete --group mx-next"),
    (GROUPS, "--delete --group mx-none"),
    (TRANSACTIONS, "list"),
    (TRANSACTIONS, "describe --transactional-id mx-warm"),
    (TRANSACTIONS, "describe --transactional-id mx-none"),
    (TRANSACTIONS, "abort --topic mx-topic --partition 0 --start-offset 7"),
    lose_a_transaction,
    (TRANSACTIONS, "describe-producers --topic mx-topic --partition 0"),
    (TRANSACTIONS, "find-hanging --broker-id 1 --max-transaction-timeout 0"),
    (TRANSACTIONS, "abort --topic mx-topic --partition 0 --start-offset 0"),
    (TRANSACTIONS, "find-hanging --broker-id 1 --max-transaction-timeout 0"),
    (TRANSACTIONS, "forceTerminateTransaction --transactionalId mx-lost"),
    (TRANSACTIONS, "forceTerminateTransaction --transactionalId mx-warm"),
    (TOKENS, "--describe --command-config EMPTY"),
]
SETTINGS = matrix.SHARED | {"transaction.partition.verification.enable": "false"}


def level(feature, least, most, now):
    columns = (f"SupportedMinVersion: {least}", f"SupportedMaxVersion: {most}", f"FinalizedVersionLevel: {now}", "Epoch: N")
    return r"\s+".join(map(re.escape, (f"Feature: {feature}", *columns)))


#: "class arguments" of what differs: why, patterns of the lines that only Leat prints, and of those that only Kafka does. Each line must be one
#: of these and each of these must be there; exit codes and what goes to stderr are the same also here.
KNOWN = {
    "ConfigCommand --describe --entity-type broker-loggers --entity-name 1": (
        "the loggers are those of each program", [r"  [a-z]+=INFO sensitive=false synonyms=\{\}"], [r"  [\w.$]+=[A-Z]+ sensitive=false synonyms=\{\}"]),
    "FeatureCommand describe": (
        "levels are those of what is implemented, and one node has no use for eligible leader replicas",
        [level("eligible.leader.replicas.version", 0, 1, 0), level("metadata.version", "3.3-IV3", "4.1-IV1", "4.1-IV1")],
        [level("eligible.leader.replicas.version", 0, 1, 1), level("metadata.version", "3.3-IV3", "4.3-IV0", "4.3-IV0"),
         level("share.version", 0, 1, 1), level("streams.version", 0, 1, 1)]),
    "ConfigCommand --describe --entity-type brokers --entity-default": (
        "eligible leader replicas, which one node has no use for, fix min.insync.replicas there", [],
        [r"  min\.insync\.replicas=1 sensitive=false synonyms=\{DYNAMIC_DEFAULT_BROKER_CONFIG:min\.insync\.replicas=1\}"]),
    "MetadataQuorumCommand describe --status": (
        "Kafka's one controller has elected itself, and has a listener of its own",
        [r"CurrentVoters: +\[\{\"id\": 1, \"endpoints\": \[\"PLAINTEXT://HOST\"\]\}\]", r"LeaderEpoch: +0"],
        [r"CurrentVoters: +\[\{\"id\": 1, \"endpoints\": \[\"CONTROLLER://HOST\"\]\}\]", r"LeaderEpoch: +1"]),
}
MASKS = [(r"127\.0\.0\.1:\d+", "HOST"), (r"/tmp/[\w./-]+", "PATH"), (r'"size":\d+', '"size":N'), (r"\d{13}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", "TIME"),
         (r"\(org\.apache\.[\w.]*\)", ""),
         # What counts changes of metadata, and is each node's own.
         (r"(Feature: .*Epoch:) \d+", r"\1 N"), (r"(HighWatermark:) +\d+", r"\1 N"), (r"(ClusterId:) +\S{22}", r"\1 ID"),
         (r"(?m)^(1\s+A{22}\s+)\d+\s+", r"\1N ")]


def normal(text):
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("\tat ")]
    return sorted(lines)  # Rules of one resource come in no order.


class Plain(matrix.Peer):
    """Without the ways in: whoever asks may do everything."""

    def start(self):
        self.node.start()
        self.prepare()


def run(peer, name, words):
    words = [os.devnull if word == "EMPTY" else word for word in words.split()]
    done = kafka_node.run_tool(name, "--bootstrap-server", peer.node.address, *words)
    return done.returncode, normal(done.stdout), normal(done.stderr)


def lines_apart(leat, kafka):
    """Lines that only one of them has, as often as the other has not."""
    return [sorted((Counter(own) - Counter(other)).elements()) for own, other in ((leat, kafka), (kafka, leat))]


def are_just(lines, patterns):
    """Each line is one of these, and each of these is there."""
    return (all(any(re.fullmatch(pattern, line) for pattern in patterns) for line in lines)
            and all(any(re.fullmatch(pattern, line) for line in lines) for pattern in patterns))


class Comparison:
    def __init__(self):
        self.same, self.known, self.different = [], [], []

    def add(self, what, leat, kafka):
        """(exit code, lines, lines of stderr) of each; the verdict."""
        if leat == kafka:
            self.same.append(what)
            return "same"
        if what in KNOWN and (leat[0], leat[2]) == (kafka[0], kafka[2]):
            _, of_leat, of_kafka = KNOWN[what]
            only_leat, only_kafka = lines_apart(leat[1], kafka[1])
            if are_just(only_leat, of_leat) and are_just(only_kafka, of_kafka):
                self.known.append(what)
                return "known"
        self.different.append(what)
        return "DIFFERS"

    def stale(self):
        return [what for what in KNOWN if what not in self.known]

    def count(self):
        return len(self.same) + len(self.known) + len(self.different)

    def summary(self, is_whole):
        return (f"{self.count()} commands, {len(self.different)} differ, {len(self.known)} differ for a known reason, "
                f"{len(self.stale()) if is_whole else 0} reasons without a difference")

    def code(self, is_whole):
        return 1 if self.different or is_whole and self.stale() else 0 if self.count() else 2


def name_of(step):
    return f"{step[0].rsplit('.', 1)[1]} {step[1]}"


def compare(peers, args, comparison):
    for step in COMMANDS:
        if callable(step):
            for peer in peers:
                step(peer)
            continue
        what = name_of(step)
        if args.only and args.only not in what:
            continue
        answers = [run(peer, *step) for peer in peers]
        verdict = comparison.add(what, *answers)
        print(f"{verdict}: {what}{f' ({KNOWN[what][0]})' if verdict == 'known' else ''}", flush=True)
        if args.verbose or verdict == "DIFFERS":
            for peer, answer in zip(peers, answers):
                print(f"  {peer.name}: exit {answer[0]}")
                for line in answer[1] + answer[2]:
                    print(f"    {line}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    if args.only and not any(args.only in name_of(step) for step in COMMANDS if not callable(step)):
        parser.error(f"no command has {args.only} in it")
    comparison = Comparison()
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        peers = [Plain("leat", kafka_node.LeatNode(place / "leat", args.program, settings=SETTINGS), None),
                 Plain("kafka", kafka_node.KafkaNode(place / "kafka", heap="512m", settings=SETTINGS), None)]
        try:
            with matrix.stopped_after(peers):
                for peer in peers:
                    peer.start()
                compare(peers, args, comparison)
        except kafka_node.Unavailable as error:
            print(f"Apache Kafka is missing: {error}", file=sys.stderr)
            return 3
    for what in comparison.stale() if not args.only else []:
        print(f"stale: {what}")
    print(comparison.summary(not args.only))
    return comparison.code(not args.only)


if __name__ == "__main__":
    sys.exit(main())
