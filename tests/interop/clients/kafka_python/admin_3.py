# SPDX-License-Identifier: Apache-2.0
"""Administration by kafka-python 3: dictionaries in and out, the highest versions of everything."""
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic, OffsetSpec
from kafka.errors import KafkaError

UNSAID = ("throttle_time_ms", "topic_id", "error_message", "cluster_id", "member_metadata", "host", "port", "documentation")


def tidy(value):
    """A result as text in one order, without times, ids and words of the broker's own."""
    if isinstance(value, dict):
        rows = {str(key): tidy(row) for key, row in value.items() if key not in UNSAID}
        return "{" + ", ".join(f"{key}: {rows[key]}" for key in sorted(rows)) + "}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return "[" + ", ".join(sorted(tidy(row) for row in value)) + "]"
    return value.__name__ if isinstance(value, type) else str(value)


def outcome(action):
    """OK, or the class of the error."""
    try:
        action()
        return "OK"
    except KafkaError as why:
        return type(why).__name__


class Admin:
    def __init__(self, bootstrap):
        self.client = KafkaAdminClient(bootstrap_servers=bootstrap)

    def create(self, topic, partitions=1, replicas=1, **options):
        return outcome(lambda: self.client.create_topics([NewTopic(topic, partitions, replicas, **options)]))

    def describe_topics(self, topics):
        return sorted(tidy(row) for row in self.client.describe_topics(topics))

    def describe_cluster(self):
        found = self.client.describe_cluster()
        return f"controller {found['controller_id']} brokers {len(found['brokers'])}"

    def list_offsets(self, topic):
        facts = []
        for name in ("EARLIEST", "LATEST", "MAX_TIMESTAMP"):
            places = {TopicPartition(topic, partition): OffsetSpec[name] for partition in range(3)}
            facts.append(f"{name} {tidy(self.client.list_partition_offsets(places))}")
        return facts

    def committed(self, group):
        found = self.client.list_group_offsets({group: None})[group]
        return sorted(f"committed {place.partition}: {tidy(row)}" for place, row in found.items())

    def describe_configs(self, topic, own=False):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        try:
            found = self.client.describe_configs([resource], include_synonyms=True, config_filter="modified" if own else "all")
        except KafkaError as why:
            return [type(why).__name__]
        facts = []
        for entries in found.values():
            for name, entry in entries[topic].items():
                if isinstance(entry, dict) and "synonyms" in entry:
                    entry["synonyms"] = [s for s in entry["synonyms"] if not str(s.get("name", s)).startswith("leat.")]
                facts.append(f"config {name}={tidy(entry)}")
        return sorted(facts)

    def alter_configs(self, topic, configs):
        try:
            resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs)
            found = self.client.alter_configs([resource], raise_on_unknown=False)
            return ", ".join(str(row).split(":")[0].split("(")[0] for entries in found.values() for row in entries.values())
        except KafkaError as why:
            return type(why).__name__

    def grow(self, topic, count):
        return outcome(lambda: self.client.create_partitions({topic: count}))

    def cut(self, topic, offset):
        try:
            return tidy(self.client.delete_records({TopicPartition(topic, 0): offset}))
        except KafkaError as why:
            return type(why).__name__

    def delete(self, topic):
        return outcome(lambda: self.client.delete_topics([topic]))

    def is_listed(self, topic):
        return topic in self.client.list_topics()

    def listed(self, group):
        return f"listed {tidy([row for row in self.client.list_groups() if row['group_id'] == group])}"

    def describe_group(self, group):
        try:
            return tidy(self.client.describe_groups([group]))
        except KafkaError as why:
            return type(why).__name__

    def delete_group(self, group):
        try:
            return tidy(self.client.delete_groups([group]))
        except KafkaError as why:
            return type(why).__name__
