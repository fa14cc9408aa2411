// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Features about transactions: what is seen of them, fencing, offsets inside them, administration. */
final class Transactions {
    static void add(Map<String, Program.Feature> features) {
        features.put("transactions", Transactions::transactions);
        features.put("transactional_offsets", (context, facts) -> transactionalOffsets(context, facts, ""));
        features.put("consumer_protocol_transactions", (context, facts) -> transactionalOffsets(context, facts, "modern-", "group.protocol", "consumer"));
        features.put("read_committed", (context, facts) -> {
            // Somebody else's transactions: see transactional.py.
            read(context, facts, context.topic("committed"), 1, "read_committed");
            read(context, facts, context.topic("committed"), 1, "read_uncommitted");
        });
    }

    private static KafkaProducer<byte[], byte[]> producer(Context context, String id) {
        Map<String, Object> settings = Map.of("bootstrap.servers", context.bootstrap, "transactional.id", context.topic(id), "linger.ms", 0);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, String topic, int partition, String value) {
        producer.send(new ProducerRecord<>(topic, partition, null, Context.bytes(value)));
    }

    /** A commit is answered before its markers are written: the coordinator tells when they are. */
    private static void waitForMarkers(Context context, String id) throws Exception {
        Program.waitUntil("the markers of " + id, () -> context.admin.describeTransactions(List.of(context.topic(id)))
                .description(context.topic(id)).get().state().toString().startsWith("Complete"));
    }

    /** Rows of all partitions up to the last stable offset. */
    private static void read(Context context, List<String> facts, String topic, int partitions, String isolation) throws Exception {
        List<TopicPartition> places = new ArrayList<>();
        for (int i = 0; i < partitions; i++) {
            places.add(new TopicPartition(topic, i));
        }
        try (KafkaConsumer<byte[], byte[]> consumer = context.consumer(context.topic("reader"), "isolation.level", isolation)) {
            consumer.assign(places);
            consumer.seekToBeginning(places);
            Map<TopicPartition, Long> ends = consumer.endOffsets(places);
            Map<String, String> rows = new TreeMap<>();
            Program.waitUntil("the end of " + topic, () -> {
                for (ConsumerRecord<byte[], byte[]> row : consumer.poll(Duration.ofMillis(50))) {
                    rows.put(row.partition() + ":" + row.offset(), new String(row.value()));
                }
                return places.stream().allMatch(place -> consumer.position(place) >= ends.get(place));
            });
            rows.forEach((place, value) -> facts.add(isolation + " " + place + " " + value));
            places.forEach(place -> facts.add(isolation + " end of " + place.partition() + " " + ends.get(place)));
        }
    }

    private static void transactions(Context context, List<String> facts) throws Exception {
        String topic = context.create("transactions", 3);
        try (KafkaProducer<byte[], byte[]> first = producer(context, "writer")) {
            first.initTransactions();
            for (int i = 0; i < 6; i++) {
                first.beginTransaction();
                for (int partition = 0; partition < 3; partition++) {
                    send(first, topic, partition, "t" + i + "-" + partition);
                }
                if (i % 3 == 2) {
                    first.flush();
                    first.abortTransaction();
                } else {
                    first.commitTransaction();
                }
            }
            first.beginTransaction();
            facts.add("nothing committed " + Program.outcome(() -> {
                first.commitTransaction();
                return null;
            }));
            first.beginTransaction();
            facts.add("nothing aborted " + Program.outcome(() -> {
                first.abortTransaction();
                return null;
            }));
            first.beginTransaction();
            send(first, topic, 0, "left open");
            first.flush();
            read(context, facts, topic, 3, "read_committed");
            list(context, facts);
            try (KafkaProducer<byte[], byte[]> second = producer(context, "writer")) {
                second.initTransactions();
                facts.add("fenced " + Program.outcome(() -> {
                    send(first, topic, 0, "too late");
                    first.commitTransaction();
                    return null;
                }));
                second.beginTransaction();
                send(second, topic, 1, "second");
                second.commitTransaction();
            }
        }
        waitForMarkers(context, "writer");
        read(context, facts, topic, 3, "read_committed");
        read(context, facts, topic, 3, "read_uncommitted");
    }

    private static void list(Context context, List<String> facts) throws Exception {
        String id = context.topic("writer");
        for (TransactionListing each : context.admin.listTransactions().all().get()) {
            if (each.transactionalId().equals(id)) {
                facts.add("listed " + each.state());
            }
        }
        TransactionDescription found = context.admin.describeTransactions(List.of(id)).description(id).get();
        facts.add("described " + found.state() + " epoch " + found.producerEpoch() + " timeout " + found.transactionTimeoutMs()
                + " started " + found.transactionStartTimeMs().isPresent() + " in " + found.topicPartitions().size());
        facts.add("unknown " + Program.outcome(() -> context.admin.describeTransactions(List.of("no-such")).description("no-such").get()));
    }

    /** Consume, transform, produce: what was read is committed with what was written, or not at all. */
    private static void transactionalOffsets(Context context, List<String> facts, String stem, String... settings) throws Exception {
        String source = context.create(stem + "source", 1);
        String target = context.create(stem + "target", 1);
        String group = context.topic(stem + "transformers");
        List<String> all = new ArrayList<>(List.of(settings));
        all.addAll(List.of("enable.auto.commit", "false"));
        context.produce(Context.simple(source, 0, Context.numbered("v", 10)));
        TopicPartition place = new TopicPartition(source, 0);
        try (KafkaProducer<byte[], byte[]> producer = producer(context, stem + "transformer");
                KafkaConsumer<byte[], byte[]> consumer = context.consumer(group, all.toArray(new String[0]))) {
            producer.initTransactions();
            consumer.subscribe(List.of(source));
            List<ConsumerRecord<byte[], byte[]>> rows = new ArrayList<>();
            Program.waitUntil("ten records", () -> {
                consumer.poll(Duration.ofMillis(50)).forEach(rows::add);
                return rows.size() >= 10;
            });
            // A member that is behind, or ahead, must abort, and may go on.
            for (int by : new int[] {-1, 1}) {
                ConsumerGroupMetadata now = consumer.groupMetadata();
                ConsumerGroupMetadata stale = new ConsumerGroupMetadata(group, now.generationId() + by, now.memberId(), now.groupInstanceId());
                producer.beginTransaction();
                send(producer, target, 0, "stale " + by);
                producer.flush();
                facts.add("stale by " + by + " " + Program.outcome(() -> {
                    producer.sendOffsetsToTransaction(Map.of(place, new OffsetAndMetadata(1)), stale);
                    return null;
                }));
                producer.abortTransaction();
            }
            for (int i = 0; i < 10; i += 5) {
                producer.beginTransaction();
                for (ConsumerRecord<byte[], byte[]> row : rows.subList(i, i + 5)) {
                    send(producer, target, 0, "seen " + row.offset());
                }
                producer.sendOffsetsToTransaction(Map.of(place, new OffsetAndMetadata(i + 5L)), consumer.groupMetadata());
                if (i == 0) {
                    producer.commitTransaction();
                } else {
                    producer.flush();
                    producer.abortTransaction();
                }
                facts.add("committed " + consumer.committed(java.util.Set.of(place)).get(place).offset());
            }
        }
        waitForMarkers(context, stem + "transformer");
        read(context, facts, target, 1, "read_committed");
    }

    private Transactions() {}
}
