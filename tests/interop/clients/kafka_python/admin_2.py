# SPDX-License-Identifier: Apache-2.0
"""Administration by kafka-python 2.0.2: raw responses of old versions. It cannot delete records."""
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.errors import KafkaError, for_code


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
        return sorted(f"{row['topic']} error {row['error_code']} {p['partition']} leader {p['leader']} replicas {p['replicas']} isr {p['isr']}"
                      for row in self.client.describe_topics(topics) for p in row["partitions"])

    def describe_cluster(self):
        found = self.client.describe_cluster()
        return f"controller {found['controller_id']} brokers {len(found['brokers'])}"

    def list_offsets(self, topic):
        return []  # this release has no such call

    def committed(self, group):
        found = self.client.list_consumer_group_offsets(group)
        return sorted(f"committed {place.partition}: {row.offset} {row.metadata}" for place, row in found.items())

    def _described(self, topic):
        found = self.client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], include_synonyms=True)
        return (found[0] if isinstance(found, list) else found).resources[0]

    def describe_configs(self, topic, own=False):
        error, _, _, _, entries = self._described(topic)
        if error:
            return [for_code(error).__name__]
        facts = []
        for name, value, read_only, source, sensitive, synonyms in entries:
            shown = [s[0] for s in synonyms if not s[0].startswith("leat.")]
            if not own or source == 1:
                facts.append(f"config {name}={value} ro {read_only} source {source} sensitive {sensitive} synonyms {shown}")
        return sorted(facts)

    def alter_configs(self, topic, configs):
        found = self.client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])
        return for_code((found[0] if isinstance(found, list) else found).resources[0][0]).__name__

    def grow(self, topic, count):
        return outcome(lambda: self.client.create_partitions({topic: NewPartitions(count)}))

    def delete(self, topic):
        return outcome(lambda: self.client.delete_topics([topic]))

    def is_listed(self, topic):
        return topic in self.client.list_topics()

    def listed(self, group):
        return f"listed {[row for row in self.client.list_consumer_groups() if row[0] == group]}"

    def describe_group(self, group):
        row = self.client.describe_consumer_groups([group])[0]
        members = sorted(str((m.client_id, m.client_host)) for m in row.members)
        return f"{for_code(row.error_code).__name__} {row.group} {row.state} {row.protocol_type} {row.protocol} {members}"

    def delete_group(self, group):
        return self.client.delete_consumer_groups([group])[0][1].__name__
