// SPDX-License-Identifier: Apache-2.0

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;

/** Features about administration: configs, partitions, deletion of records and topics. */
final class Admins {
    static void add(Map<String, Program.Feature> features) {
        features.put("describe_configs", Admins::describeConfigs);
        features.put("alter_configs", Admins::alterConfigs);
        features.put("create_partitions", Admins::createPartitions);
        features.put("delete_records", Admins::deleteRecords);
        features.put("delete_topic", Admins::deleteTopic);
    }

    private static Config config(Context context, Type type, String name) throws Exception {
        ConfigResource resource = new ConfigResource(type, name);
        return context.admin.describeConfigs(List.of(resource), new DescribeConfigsOptions().includeSynonyms(true)).all().get().get(resource);
    }

    private static String shown(ConfigEntry entry) {
        List<String> synonyms = entry.synonyms().stream().map(row -> row.name() + "=" + row.value() + " " + row.source())
                .filter(row -> !row.startsWith("leat.")).toList();
        return "config " + entry.name() + "=" + entry.value() + " " + entry.source() + " " + entry.type() + " ro " + entry.isReadOnly() + " sensitive "
                + entry.isSensitive() + " synonyms " + synonyms;
    }

    private static void describeConfigs(Context context, List<String> facts) throws Exception {
        List<String> rows = new ArrayList<>();
        config(context, Type.TOPIC, context.topic("compact")).entries().forEach(entry -> rows.add(shown(entry)));
        facts.addAll(Context.sorted(rows));
        Config broker = config(context, Type.BROKER, "1");
        for (String name : List.of("auto.create.topics.enable", "num.partitions", "default.replication.factor", "delete.topic.enable", "message.max.bytes",
                "log.retention.hours", "log.segment.bytes", "log.cleanup.policy", "compression.type", "offsets.topic.num.partitions",
                "group.max.session.timeout.ms", "offsets.retention.minutes", "log.message.timestamp.type", "min.insync.replicas")) {
            ConfigEntry entry = broker.get(name);
            facts.add("broker " + name + "=" + (entry == null ? "missing" : entry.value() + " " + entry.source() + " " + entry.type() + " ro " + entry.isReadOnly()));
        }
        facts.add("unknown topic " + Program.outcome(() -> config(context, Type.TOPIC, context.topic("not-there"))));
    }

    private static void alterConfigs(Context context, List<String> facts) throws Exception {
        String topic = context.create("settings", 1);
        alter(context, facts, "set", Type.TOPIC, topic, op("retention.ms", "123456", AlterConfigOp.OpType.SET), op("max.message.bytes", "2000000", AlterConfigOp.OpType.SET));
        alter(context, facts, "append", Type.TOPIC, topic, op("cleanup.policy", "compact", AlterConfigOp.OpType.APPEND));
        alter(context, facts, "append again", Type.TOPIC, topic, op("cleanup.policy", "compact", AlterConfigOp.OpType.APPEND));
        alter(context, facts, "subtract", Type.TOPIC, topic, op("cleanup.policy", "delete", AlterConfigOp.OpType.SUBTRACT));
        alter(context, facts, "delete", Type.TOPIC, topic, op("retention.ms", null, AlterConfigOp.OpType.DELETE));
        alter(context, facts, "unknown", Type.TOPIC, topic, op("no.such.setting", "1", AlterConfigOp.OpType.SET));
        alter(context, facts, "bad value", Type.TOPIC, topic, op("retention.ms", "soon", AlterConfigOp.OpType.SET));
        alter(context, facts, "out of range", Type.TOPIC, topic, op("segment.bytes", "1", AlterConfigOp.OpType.SET));
        alter(context, facts, "append to a number", Type.TOPIC, topic, op("retention.ms", "1", AlterConfigOp.OpType.APPEND));
        alter(context, facts, "unknown topic", Type.TOPIC, context.topic("not-there"), op("retention.ms", "1", AlterConfigOp.OpType.SET));
        alter(context, facts, "broker", Type.BROKER, "1", op("log.cleaner.threads", "2", AlterConfigOp.OpType.SET));
        alter(context, facts, "broker back", Type.BROKER, "1", op("log.cleaner.threads", null, AlterConfigOp.OpType.DELETE));
        alter(context, facts, "all brokers", Type.BROKER, "", op("message.max.bytes", "3000000", AlterConfigOp.OpType.SET));
        Program.settle();
        ConfigEntry limit = config(context, Type.BROKER, "1").get("message.max.bytes");
        facts.add("message.max.bytes " + limit.value() + " " + limit.source());
        alter(context, facts, "all brokers back", Type.BROKER, "", op("message.max.bytes", null, AlterConfigOp.OpType.DELETE));
        alter(context, facts, "read-only", Type.BROKER, "1", op("log.dirs", "/x", AlterConfigOp.OpType.SET));
        context.produce(Context.simple(topic, 0, "after"));
    }

    private static AlterConfigOp op(String name, String value, AlterConfigOp.OpType kind) {
        return new AlterConfigOp(new ConfigEntry(name, value), kind);
    }

    private static void alter(Context context, List<String> facts, String what, Type type, String name, AlterConfigOp... changes) throws Exception {
        Map<ConfigResource, Collection<AlterConfigOp>> wanted = Map.of(new ConfigResource(type, name), List.of(changes));
        facts.add(what + " " + Program.outcome(() -> context.admin.incrementalAlterConfigs(wanted).all().get()));
        if (type == Type.TOPIC && !what.startsWith("unknown topic")) {
            Program.settle();
            List<String> own = new ArrayList<>();
            config(context, type, name).entries().stream().filter(entry -> entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
                    .forEach(entry -> own.add(entry.name() + "=" + entry.value()));
            facts.add(Context.sorted(own).toString());
        }
    }

    private static void createPartitions(Context context, List<String> facts) throws Exception {
        String topic = context.create("grow", 1);
        grow(context, facts, "three", topic, NewPartitions.increaseTo(3));
        grow(context, facts, "three again", topic, NewPartitions.increaseTo(3));
        grow(context, facts, "fewer", topic, NewPartitions.increaseTo(2));
        grow(context, facts, "unknown", context.topic("not-there"), NewPartitions.increaseTo(3));
        grow(context, facts, "assigned", topic, NewPartitions.increaseTo(5, List.of(List.of(1), List.of(1))));
        grow(context, facts, "assigned elsewhere", topic, NewPartitions.increaseTo(6, List.of(List.of(7))));
        grow(context, facts, "assigned too few", topic, NewPartitions.increaseTo(7, List.of(List.of(1))));
        Program.waitUntil("five partitions", () -> context.admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size() == 5);
        facts.add("new record " + context.produce(Context.simple(topic, 4, "new")));
        context.read(topic, 4, 1, 0).forEach(row -> facts.add(Context.line(row)));
        TopicPartition place = new TopicPartition(topic, 0);
        facts.add("elect " + context.admin.electLeaders(ElectionType.PREFERRED, Set.of(place)).partitions().get().get(place).map(e -> e.getClass().getSimpleName()));
        facts.add("reassignments " + context.admin.listPartitionReassignments(Set.of(place)).reassignments().get());
        facts.add("cancel " + Program.outcome(() -> context.admin.alterPartitionReassignments(Map.of(place, java.util.Optional.empty())).all().get()));
    }

    private static void grow(Context context, List<String> facts, String what, String topic, NewPartitions count) throws Exception {
        facts.add(what + " " + Program.outcome(() -> context.admin.createPartitions(Map.of(topic, count)).all().get()));
    }

    private static void deleteRecords(Context context, List<String> facts) throws Exception {
        String topic = context.create("cut", 1);
        TopicPartition place = new TopicPartition(topic, 0);
        context.produce(Context.simple(topic, 0, Context.numbered("value-", 10)));
        for (long offset : new long[] {4, 3, 11, -1}) {
            facts.add("before " + offset + ": " + Program.outcome(
                    () -> context.admin.deleteRecords(Map.of(place, RecordsToDelete.beforeOffset(offset))).lowWatermarks().get(place).get().lowWatermark()));
            if (offset == 11) {
                context.read(topic, 0, 6, 4).forEach(row -> facts.add(Context.line(row)));
            }
        }
        facts.add("earliest " + context.admin.listOffsets(Map.of(place, OffsetSpec.earliest())).partitionResult(place).get().offset());
    }

    private static void deleteTopic(Context context, List<String> facts) throws Exception {
        String topic = context.create("gone", 2);
        var before = context.admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
        context.produce(Context.simple(topic, 0, "old"));
        facts.add("delete " + Program.outcome(() -> context.admin.deleteTopics(List.of(topic)).all().get()));
        facts.add("again " + Program.outcome(() -> context.admin.deleteTopics(List.of(topic)).all().get()));
        Program.waitUntil("the topic to vanish", () -> !context.admin.listTopics().names().get().contains(topic));
        context.create("gone", 1);
        Program.waitUntil("the topic of the same name", () -> context.produce(Context.simple(topic, 0, "new")).get(0).startsWith("0:0"));
        context.read(topic, 0, 1, 0).forEach(row -> facts.add(Context.line(row)));
        var after = context.admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
        facts.add("another id " + !before.equals(after));
        var byId = org.apache.kafka.common.TopicCollection.ofTopicIds(List.of(after));
        facts.add("delete by id " + Program.outcome(() -> context.admin.deleteTopics(byId).all().get()));
        facts.add("again by id " + Program.outcome(() -> context.admin.deleteTopics(byId).all().get()));
    }

    private Admins() {}
}
