# SPDX-License-Identifier: Apache-2.0
"""What may differ between an answer of Apache Kafka and Leat's to the same request, each with its reason, and nothing else.

A rule is as narrow as its reason: it names the answers and the field, and says what the two values may be. One that no answer needs any more
is stale: what was decided and then mended must not come back unseen.
"""
import re

from apart import Difference, alike, codes, differences, exactly, shape

TEXTS_END = "_message"  # So end the names of fields that are texts.


def smaller(kafka, leat):
    """smaller in Leat"""
    return 0 < leat < kafka


def refused(kafka, leat):
    """none in Kafka's refusal"""
    return shape(kafka) in (None, -1, False)


# Answers (a pattern for the beginning of their labels), the field, how the two values are related, and why.
FIELDS = [
    (r"Metadata v", "cluster_id", alike, "made by each cluster for itself"),
    (r"DescribeCluster v", "cluster_id", alike, "as above"),
    (r"DescribeLogDirs v", "usable_bytes", alike, "the disk's, to which others write too"),
    (r"DescribeQuorum v2: metadata", "leader_epoch", exactly(1, 0), "Kafka's one controller has elected itself"),
    (r"DescribeQuorum v2: metadata", "high_watermark", alike, "counts records of Kafka's metadata log, changes of our store"),
    (r"DescribeQuorum v2: metadata", "log_end_offset", alike, "as above"),
    (r"DescribeQuorum v2: metadata", "last_fetch_timestamp", alike, "a time"),
    (r"DescribeQuorum v2: metadata", "last_caught_up_timestamp", alike, "a time"),
    *((r"DescribeQuorum v2: metadata", field, exactly(kafka, leat), "Kafka's voters are at a listener of their own, Leat has none")
      for field, kafka, leat in (("name", "CONTROLLER", "PLAINTEXT"), ("host", "the controller", "the node"), ("port", "the controller", "the node"))),
    (r"DescribeConfigs v0: ", "is_default", exactly(False, True), "Kafka 3 says so of every setting"),
    (r"Produce v9: (first|second) again", "log_append_time_ms", exactly("a time", -1),
     "for a duplicate Kafka gives the batch's own time, also where the topic does not stamp records"),
    (r"ConsumerGroupHeartbeat v1: (?!settled$)", "heartbeat_interval_ms", smaller, "Leat has members of a group that is not settled come back sooner"),
]
# What Leat says where it is decided that it does not refuse, see DECIDED.
FIELDS += [(labels, field, refused, "Leat does it") for labels, fields in (
    (r"InitProducerId v4: begins anew at 0", ("producer_id", "producer_epoch")),
    (r"Fetch v[49]: z-(set|becomes) of old", ("records", "aborted_transactions", "high_watermark", "last_stable_offset", "log_start_offset")),
) for field in fields]
# Answers that show where a rule ends, so they must have been asked for.
ENDS = ("ConsumerGroupHeartbeat v1: settled",)

# Texts that differ for a reason: (pattern of Kafka's text, pattern of ours with what must be as in Kafka's, reason).
TEXTS = [
    (r"(Unable to replicate .* registered) or some brokers have all their log directories cordoned\.", r"\1\.", "Leat has one log directory and no cordon"),
    (r"(Invalid value \d+)\.0 (for .*)", r"\1 \2", "Kafka prints the number as Java does, Leat as it was written"),
    (r"", r"Produce requests must have exactly one record batch per partition|clients are not allowed to write control records|a codec that does not exist|"
     r"the batch (does not match its checksum|has an invalid count of records|is larger than max\.message\.bytes)|the batch's base offset is not 0|"
     r"the batch's offset range does not fit its count of records|a batch with a producer id has no valid sequence number|"
     r"producer \d+ epoch \d+(: sequence \d+ where \d+ was expected| is older than \d+)", "Leat says what is wrong with a batch where Kafka says nothing"),
    (r"Invalid magic found in record: 3", r"", "the code says it"),
    (r"(One or more records have been rejected) due to .*", r"\1", "Kafka repeats the records' errors as Java prints them"),
    (r"(Compacted topic cannot accept message without key) in topic partition .*", r"\1", "the answer names the partition already"),
    (r"(Timestamp \d+ of message with offset \d+ is out of range\. The timestamp should be within) \[-\d+, \d+\]", r"\1 \[any, \d+\]",
     "the bounds depend on the time; where there is none, Kafka computes one"),
    (r"(SubscribedTopicRegex `.*` is not a valid regular expression: missing) closing (.)\.", r"\1 \2: .*\.",
     "what is wrong with it is said by RE2, in Kafka by its Java port"),
    (r"Invalid value \[(.*)\] for configuration (\S+): \2 must be the (literal .*)", r"Invalid value \1 for configuration \2: Value must be the \3",
     "Kafka names the setting twice"),
    (r"Tiered Storage functionality is disabled in the broker\. Topic cannot be configured with remote log storage\.",
     r"Invalid value (?i:true) for configuration remote\.storage\.enable: Remote log storage does not exist in this broker", "Leat names the setting"),
    (r"requirement failed: (\S+) must be greater than or equal to (\d+)", r"Invalid value -?\d+ for configuration \1: Value must be at least \2",
     "a check of Kafka's of its own"),
    (r"/ by zero", r"Invalid value 0 for configuration log\.cleaner\.threads: Value must be at least 1", "Kafka divides by it"),
    *((pattern, r"Invalid value \S+ for configuration max\.connections\.per\.ip\.overrides: Value must be a list of address:count",
       "Kafka prints a Java exception")
      for pattern in (r"Error parsing configuration property 'max\.connections\.per\.ip\.overrides'.*", r"For input string: .*")),
    (r"(.*only supports versions 7-)30", r"\1\d+", "levels of the metadata log are Kafka's own"),
]


def same_text(pattern, ours, kafka, leat):
    found = re.fullmatch(pattern, kafka)
    return found is not None and re.fullmatch(re.sub(r"\\([1-9])", lambda group: re.escape(found[int(group[1])]), ours), leat) is not None


OWN_EXCEPTION = "Kafka's answer comes from an exception of its own"
UNREAD = "Kafka does not read a request that has UNKNOWN in it"
CLOSED = "closed"

# Answers that differ on purpose: (label, error of Kafka, error of Leat, reason).
DECIDED = [
    *((label, -1, 42, OWN_EXCEPTION) for label in (
        "Metadata v12: by neither", "IncrementalAlterConfigs v1: unknown operation", "IncrementalAlterConfigs v1: negative operation",
        *(f"CreateAcls v{version}: any {what}" for version in range(4) for what in ("kind", "operation", "permission")))),
    *((f"{api} v{version}: {label}", CLOSED, 42, UNREAD) for version in range(4) for api, labels in (
        ("CreateAcls", ("no kind", "no operation", "no permission")), ("DescribeAcls", ("of no kind", "of no operation", "of no permission")),
        ("DeleteAcls", ("of no kind",))) for label in labels),
    *((f"Produce v{version}: codec 7", -1, 76, "Kafka fails on a codec that does not exist with an exception") for version in (3, 8, 12)),
    *((f"IncrementalAlterConfigs v1: log.retention.ms='-2' of {place}", 0, 42, "Kafka checks this value for topics only")
      for place in ("1", "all")),
    ("IncrementalAlterConfigs v1: min.insync.replicas='1' of 1", 40, 0, "Kafka forbids it while it tracks eligible leader replicas, of which a node has none"),
    *((f"{api}: {label} at 0", 51, code, "Kafka's coordinator does not come back from the record that it could not write at level 0")
      for api, label, code in (("EndTxn v5", "newer end", 35), ("InitProducerId v4", "begins anew", 0), ("AddPartitionsToTxn v3", "joins", 0),
                               ("EndTxn v5", "newer end of nothing", 35))),
    ("EndTxn v4: older end at 0", 49, 0, "as above"),
    *((f"Fetch v{version}: {name} of old", 76, 0, "Kafka 4 gives zstd to clients of before zstd too, Kafka 3 did not where the topic is set to it")
      for version in (4, 9) for name in ("z-set", "z-becomes")),
]


def has(answer, code):
    return answer == {"closed": True} if code == CLOSED else answer != {"closed": True} and codes(answer) == [code] * bool(code)


class Allowed:
    """The rules and which of them were needed."""

    def __init__(self):
        self.used = set()
        self.asked = set()
        self.decided = {label: (kafka, leat) for label, kafka, leat, _ in DECIDED}

    def unexplained(self, label, kafka, leat):
        """The differences of two answers to one request that no rule allows."""
        self.asked.add(label)
        found = list(differences(kafka, leat))
        if label in self.decided:
            of_kafka, of_leat = self.decided[label]
            if not has(kafka, of_kafka) or not has(leat, of_leat):
                return [*found, Difference("decided as", of_kafka, of_leat)]
            if CLOSED in (of_kafka, of_leat):
                return []
            found = [one for one in found if "error_code" not in one.field and not one.field.endswith(TEXTS_END)]
        return [one for one in found if not self.is_allowed(label, one)]

    def is_allowed(self, label, one):
        for rule in FIELDS:
            labels, field, related, _ = rule
            if field == one.field and re.match(labels, label) and related(one.kafka, one.leat):
                self.used.add(rule)
                return True
        if not one.field.endswith(TEXTS_END):
            return False
        for rule in TEXTS:
            if same_text(*rule[:2], one.kafka or "", one.leat or ""):
                self.used.add(rule)
                return True
        return False

    def stale(self):
        """Lines about rules that no answer needed; to be asked for when all cases were."""
        never = [label for label in (*self.decided, *ENDS) if label not in self.asked]
        unused = [rule for rule in FIELDS + TEXTS if rule not in self.used]
        return [f"never asked: {label}" for label in never] + [f"needed by no answer: {rule[0]!r}, {rule[1]!r}" for rule in unused]
