# SPDX-License-Identifier: Apache-2.0
"""Kafka's own command-line tools for administration, run against Leat and against Apache Kafka: what they print must be the same.

    tools.py PROGRAM [--only WORD] [--verbose]

Numbers that differ by nature (ports, offsets, times, ids, sizes) are masked; what else differs is in KNOWN, with its reason.
Exit code: 0 the same, 1 not, 3 Kafka cannot be had.
"""
import argparse
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import matrix  # noqa: E402
import kafka_node  # noqa: E402

T = "org.apache.kafka.tools."
ACL, CONFIG, FEATURE, LOG_DIRS = T + "AclCommand", "kafka.admin.ConfigCommand", T + "FeatureCommand", T + "LogDirsCommand"
QUORUM, METRICS, REASSIGN = T + "MetadataQuorumCommand", T + "ClientMetricsCommand", T + "reassign.ReassignPartitionsCommand"
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
]
# Pattern of "class arguments" and why the output differs.
KNOWN = {
    "broker-loggers": "the loggers are those of the program: one, root",
    "FeatureCommand describe": "levels are those of what is implemented",
    "describe --status": "one voter without a directory id; its log is no topic",
    "describe --replication": "one voter without a directory id",
}
MASKS = [(r"127\.0\.0\.1:\d+", "HOST"), (r"/tmp/[\w./-]+", "PATH"), (r'"size":\d+', '"size":N'), (r"\d{13}", "TIME"),
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
    done = kafka_node.run_tool(name, "--bootstrap-server", peer.node.address, *words.split())
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
            peers.append(Plain("leat", kafka_node.LeatNode(place / "leat", args.program, settings=matrix.SHARED), None))
            peers.append(Plain("kafka", kafka_node.KafkaNode(place / "kafka", heap="512m", settings=matrix.SHARED), None))
            for peer in peers:
                peer.start()
            for name, words in COMMANDS:
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
