# SPDX-License-Identifier: Apache-2.0
"""Kafka's own command-line tools for administration, run against Leat and against Apache Kafka: what they print must be the same.

    tools.py PROGRAM [--only WORD] [--verbose]

Numbers that differ by nature (ports, offsets, times, ids, sizes) are masked; what else differs is in KNOWN, with its reason.
Exit code: 0 the same, 1 not, 3 Kafka cannot be had.
"""
import argparse
import os
import pathlib
import re
import sys
import tempfile

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
# Pattern of "class arguments" and why the output differs.
KNOWN = {
    "broker-loggers": "the loggers are those of the program: one, root",
    "FeatureCommand describe": "levels are those of what is implemented",
    "--describe --entity-type brokers --entity-default": "eligible leader replicas, which one node has no use for, fix min.insync.replicas there",
    "describe --status": "one voter without a directory id; its log is no topic",
    "describe --replication": "one voter without a directory id",
}
MASKS = [(r"127\.0\.0\.1:\d+", "HOST"), (r"/tmp/[\w./-]+", "PATH"), (r'"size":\d+', '"size":N'), (r"\d{13}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", "TIME"),
         (r"\(org\.apache\.[\w.]*\)", "")]


def normal(text):
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith(("\tat ", "[20"))]
    out = []
    for line in lines:  # Rules of one resource come in no order.
        out.append(line)
    return sorted(out)


class Plain(matrix.Peer):
    """Without the ways in: whoever asks may do everything."""

    def start(self):
        self.node.start()
        self.prepare()


def run(peer, name, words):
    words = [os.devnull if word == "EMPTY" else word for word in words.split()]
    done = kafka_node.run_tool(name, "--bootstrap-server", peer.node.address, *words)
    return done.returncode, normal(done.stdout), normal(done.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    peers, differ, known = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            place = pathlib.Path(folder)
            peers.append(Plain("leat", kafka_node.LeatNode(place / "leat", args.program, settings=SETTINGS), None))
            peers.append(Plain("kafka", kafka_node.KafkaNode(place / "kafka", heap="512m", settings=SETTINGS), None))
            for peer in peers:
                peer.start()
            for step in COMMANDS:
                if callable(step):
                    for peer in peers:
                        step(peer)
                    continue
                name, words = step
                what = f"{name.rsplit('.', 1)[1]} {words}"
                if args.only and args.only not in what:
                    continue
                answers = [run(peer, name, words) for peer in peers]
                if answers[0] == answers[1]:
                    print(f"same: {what}", flush=True)
                    if args.verbose:
                        print("   ", answers[0])
                    continue
                reason = next((reason for word, reason in KNOWN.items() if word in what), None)
                known += reason is not None
                differ += reason is None
                print(f"{'known' if reason else 'DIFFERS'}: {what}{f' ({reason})' if reason else ''}", flush=True)
                if reason is None or args.verbose:
                    for peer, answer in zip(peers, answers):
                        print(f"  {peer.name}: exit {answer[0]}")
                        for line in answer[1] + answer[2]:
                            print(f"    {line}")
        except kafka_node.Unavailable as error:
            print(f"Apache Kafka is missing: {error}", file=sys.stderr)
            return 3
        finally:
            for peer in peers:
                peer.node.stop()
    print(f"{len(COMMANDS)} commands, {differ} differ, {known} differ for a known reason")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
