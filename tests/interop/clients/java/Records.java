// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Features about records: topics, produce, consume, codecs, idempotence, offsets by time. */
final class Records {
    static void add(Map<String, Program.Feature> features) {
        features.put("create_topics", Records::createTopics);
        features.put("produce", Records::produce);
        features.put("consume", Records::consume);
        for (String name : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            features.put("codec_" + name, (context, facts) -> codec(context, facts, name));
        }
        features.put("idempotence", Records::idempotence);
        features.put("offsets_by_time", Records::offsetsByTime);
    }

    private static String create(Context context, NewTopic topic) throws Exception {
        return Program.outcome(() -> {
            CreateTopicsResult result = context.admin.createTopics(List.of(topic));
            result.all().get();
            String name = topic.name();
            return "partitions " + result.numPartitions(name).get() + " replicas " + result.replicationFactor(name).get() + " settings "
                    + result.config(name).get().entries().stream().filter(entry -> !entry.isDefault()).map(entry -> entry.name() + "=" + entry.value())
                            .sorted().toList();
        });
    }

    private static void createTopics(Context context, List<String> facts) throws Exception {
        short one = 1;
        Map<String, NewTopic> wanted = new LinkedHashMap<>();
        wanted.put("new", new NewTopic(context.topic("records"), 3, one));
        wanted.put("with settings", new NewTopic(context.topic("compact"), 1, one).configs(Map.of("cleanup.policy", "compact", "retention.ms", "7200000")));
        wanted.put("assigned", new NewTopic(context.topic("assigned"), Map.of(0, List.of(1), 1, List.of(1))));
        wanted.put("assigned elsewhere", new NewTopic(context.topic("elsewhere"), Map.of(0, List.of(7))));
        wanted.put("assigned with a gap", new NewTopic(context.topic("gap"), Map.of(0, List.of(1), 2, List.of(1))));
        wanted.put("defaults", new NewTopic(context.topic("defaults"), Optional.empty(), Optional.empty()));
        wanted.put("again", new NewTopic(context.topic("records"), 3, one));
        wanted.put("bad name", new NewTopic("bad/name", 1, one));
        wanted.put("dots", new NewTopic("..", 1, one));
        wanted.put("empty name", new NewTopic("", 1, one));
        wanted.put("long name", new NewTopic("n".repeat(250), 1, one));
        wanted.put("three replicas", new NewTopic(context.topic("three"), 1, (short) 3));
        wanted.put("no replicas", new NewTopic(context.topic("three"), 1, (short) 0));
        wanted.put("no partitions", new NewTopic(context.topic("zero"), 0, one));
        wanted.put("unknown setting", new NewTopic(context.topic("unknown"), 1, one).configs(Map.of("no.such.setting", "1")));
        wanted.put("bad setting", new NewTopic(context.topic("bad"), 1, one).configs(Map.of("segment.bytes", "-5")));
        for (Map.Entry<String, NewTopic> each : wanted.entrySet()) {
            facts.add(each.getKey() + ": " + create(context, each.getValue()));
        }
        facts.add("validated: " + Program.outcome(() -> context.admin
                .createTopics(List.of(new NewTopic(context.topic("dry"), 1, one)), new CreateTopicsOptions().validateOnly(true)).all().get()));
        Program.settle();
        List<String> names = List.of(context.topic("records"), context.topic("assigned"), context.topic("defaults"));
        context.admin.describeTopics(names).allTopicNames().get().values().stream().sorted((a, b) -> a.name().compareTo(b.name()))
                .forEach(topic -> topic.partitions().forEach(p -> facts.add(topic.name() + " internal " + topic.isInternal() + " " + p.partition()
                        + " leader " + p.leader().id() + " replicas " + p.replicas().size() + " isr " + p.isr().size())));
        facts.add("unknown topic: " + Program.outcome(() -> context.admin.describeTopics(List.of(context.topic("not-there"))).allTopicNames().get()));
        Program.expect(!context.admin.listTopics().names().get().contains(context.topic("dry")), "validation made a topic");
        DescribeClusterResult cluster = context.admin.describeCluster();
        facts.add("controller " + cluster.controller().get().id() + " nodes " + cluster.nodes().get().size());
    }

    private static void produce(Context context, List<String> facts) throws Exception {
        List<ProducerRecord<byte[], byte[]>> rows = new ArrayList<>();
        for (int i = 0; i < 60; ++i) {
            rows.add(context.sample(context.topic("records"), i));
        }
        facts.addAll(context.produce(rows));
        String topic = context.topic("compact");
        for (String acks : List.of("0", "1", "all")) {
            facts.add("acks " + acks + " " + context.produce(Context.simple(topic, 0, "a"), "acks", acks, "enable.idempotence", "false"));
        }
        facts.add("big " + context.produce(Context.simple(topic, 0, "x".repeat(2_000_000)), "max.request.size", "5000000"));
        facts.add("null key, compacted " + context.produce(List.of(new ProducerRecord<>(topic, 0, 1L, null, Context.bytes("v")))));
        String stamped = context.create("stamped", 1);
        context.admin.incrementalAlterConfigs(Map.of(
                new org.apache.kafka.common.config.ConfigResource(org.apache.kafka.common.config.ConfigResource.Type.TOPIC, stamped),
                List.of(new org.apache.kafka.clients.admin.AlterConfigOp(
                        new org.apache.kafka.clients.admin.ConfigEntry("message.timestamp.type", "LogAppendTime"),
                        org.apache.kafka.clients.admin.AlterConfigOp.OpType.SET)))).all().get();
        Program.settle();
        facts.add("append time " + context.produce(Context.simple(stamped, 0, "a", "b")));
        context.read(stamped, 0, 2, 0).forEach(row -> facts.add(Context.line(row)));
    }

    private static void consume(Context context, List<String> facts) throws Exception {
        String topic = context.topic("records");
        for (int partition = 0; partition < 3; ++partition) {
            context.read(topic, partition, 20, 0).forEach(row -> facts.add(Context.line(row)));
        }
        context.read(topic, 1, 13, 7).forEach(row -> facts.add("from 7: " + Context.line(row)));
        try (KafkaConsumer<byte[], byte[]> consumer = context.consumer(context.topic("none"), "auto.offset.reset", "none", "isolation.level", "read_committed")) {
            TopicPartition place = new TopicPartition(topic, 0);
            consumer.assign(List.of(place));
            consumer.seek(place, 1000);
            String[] seen = new String[1];
            Program.waitUntil("an answer for an offset out of range", () -> {
                try {
                    consumer.poll(Duration.ofMillis(200));
                } catch (KafkaException why) {
                    seen[0] = why.getClass().getSimpleName();
                }
                return seen[0] != null;
            });
            facts.add("offset out of range: " + seen[0]);
            facts.add("lag " + consumer.currentLag(place).isPresent() + " end " + consumer.endOffsets(List.of(place)) + " partitions "
                    + consumer.partitionsFor(topic).size());
        }
    }

    private static void codec(Context context, List<String> facts, String name) throws Exception {
        String topic = context.create("codec-" + name, 1);
        List<ProducerRecord<byte[], byte[]>> rows = new ArrayList<>();
        for (int i = 0; i < 200; ++i) {
            rows.add(new ProducerRecord<>(topic, 0, Context.EPOCH_MS + i, Context.bytes("k"), Context.bytes(Context.payload(i))));
        }
        List<String> places = context.produce(rows, "compression.type", name);
        List<ConsumerRecord<byte[], byte[]>> back = context.read(topic, 0, 200, 0);
        for (int i = 0; i < 200; ++i) {
            boolean same = new String(back.get(i).value()).equals(Context.payload(i)) && back.get(i).timestamp() == Context.EPOCH_MS + i;
            Program.expect(same, "record " + i + " differs");
        }
        facts.add("first " + places.get(0) + " last " + places.get(199) + " from the middle " + context.read(topic, 0, 1, 150).get(0).offset());
    }

    private static void idempotence(Context context, List<String> facts) throws Exception {
        String topic = context.create("idempotence", 1);
        List<String> places = context.produce(Context.simple(topic, 0, Context.numbered("value-", 1000)), "enable.idempotence", "true", "batch.size", "200",
                "linger.ms", "0");
        List<ConsumerRecord<byte[], byte[]>> back = context.read(topic, 0, 1000, 0);
        for (int i = 0; i < 1000; ++i) {
            boolean inPlace = places.get(i).startsWith("0:" + i + "@") && new String(back.get(i).value()).equals("value-" + i);
            Program.expect(inPlace, "record " + i + " is out of place: " + places.get(i));
        }
        facts.add("first " + places.get(0) + " last " + places.get(999));
        context.admin.describeProducers(List.of(new TopicPartition(topic, 0))).all().get().values().forEach(state -> state.activeProducers().forEach(
                p -> facts.add("producer epoch " + p.producerEpoch() + " last sequence " + p.lastSequence() + " open " + p.currentTransactionStartOffset())));
    }

    private static void offsetsByTime(Context context, List<String> facts) throws Exception {
        String topic = context.topic("records");
        Map<String, OffsetSpec> specs = new LinkedHashMap<>();
        specs.put("earliest", OffsetSpec.earliest());
        specs.put("latest", OffsetSpec.latest());
        specs.put("max", OffsetSpec.maxTimestamp());
        for (long shift : new long[] {-1000, 0, 1, 30_000, 57_000, 57_001, 1_000_000}) {
            specs.put(shift + " ms", OffsetSpec.forTimestamp(Context.EPOCH_MS + shift));
        }
        for (IsolationLevel isolation : IsolationLevel.values()) {
            for (Map.Entry<String, OffsetSpec> spec : specs.entrySet()) {
                for (int partition = 0; partition < 3; ++partition) {
                    TopicPartition place = new TopicPartition(topic, partition);
                    var found = context.admin.listOffsets(Map.of(place, spec.getValue()), new ListOffsetsOptions(isolation)).partitionResult(place).get();
                    facts.add(isolation + " " + spec.getKey() + " " + partition + ": " + found.offset() + " at " + found.timestamp() + " epoch "
                            + found.leaderEpoch().orElse(-1));
                }
            }
        }
        TopicPartition missing = new TopicPartition(context.topic("records"), 9);
        facts.add("unknown partition " + Program.outcome(() -> context.admin
                .listOffsets(Map.of(missing, OffsetSpec.latest()), new ListOffsetsOptions().timeoutMs(3000)).partitionResult(missing).get()));
        try (KafkaConsumer<byte[], byte[]> consumer = context.consumer(context.topic("none"))) {
            Map<TopicPartition, Long> times = new HashMap<>();
            for (int partition = 0; partition < 3; ++partition) {
                times.put(new TopicPartition(topic, partition), Context.EPOCH_MS + 5000);
            }
            List<String> rows = new ArrayList<>();
            consumer.offsetsForTimes(times).forEach((place, found) -> rows.add("consumer: " + place.partition() + " " + found));
            facts.addAll(Context.sorted(rows));
        }
    }

    private Records() {}
}
