// SPDX-License-Identifier: Apache-2.0

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What all features share: where the broker is, an admin client, producing and reading. */
final class Context implements AutoCloseable {
    static final long EPOCH_MS = 1_700_000_000_000L; // all times that a scenario sets start here

    final String bootstrap;
    final String prefix;
    final Admin admin;

    Context(String bootstrap, String prefix) {
        this.bootstrap = bootstrap;
        this.prefix = prefix;
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
    }

    String topic(String name) {
        return prefix + "-" + name;
    }

    String create(String name, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic(name), partitions, (short) 1))).all().get();
        return topic(name);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String shown(byte[] value) {
        return value == null ? "null" : '"' + new String(value, StandardCharsets.UTF_8) + '"';
    }

    static String line(ConsumerRecord<byte[], byte[]> row) {
        List<String> headers = new ArrayList<>();
        row.headers().forEach(header -> headers.add(header.key() + "=" + shown(header.value())));
        return row.partition() + ":" + row.offset() + " t=" + row.timestampType() + "/" + row.timestamp() + " k=" + shown(row.key()) + " v="
                + shown(row.value()) + " h=[" + String.join(",", headers) + "] epoch " + row.leaderEpoch().orElse(-1);
    }

    /** Null and empty keys and values, repeated header names, a null header: nearly the rows of scenario.py. */
    ProducerRecord<byte[], byte[]> sample(String topic, int index) {
        byte[] key = index % 10 == 9 ? null : bytes(index % 10 == 8 ? "" : "key-" + index % 7);
        byte[] value = index % 10 == 7 ? null : bytes(index % 10 == 6 ? "" : "value-" + index);
        List<Header> all = List.of(new RecordHeader("index", bytes("" + index)), new RecordHeader("null", (byte[]) null),
                new RecordHeader("again", bytes("1")), new RecordHeader("again", bytes("2")));
        return new ProducerRecord<>(topic, index % 3, EPOCH_MS + index * 1000L, key, value, all.subList(0, index % 5));
    }

    static String payload(int index) {
        StringBuilder text = new StringBuilder("payload-" + index + "-");
        while (text.length() < 300) {
            text.append("abcdefghij").append(index * 7919L);
        }
        return text.substring(0, 300);
    }

    static List<ProducerRecord<byte[], byte[]>> simple(String topic, int partition, String... values) {
        List<ProducerRecord<byte[], byte[]>> rows = new ArrayList<>();
        for (String value : values) {
            rows.add(new ProducerRecord<>(topic, partition, EPOCH_MS, bytes("k"), bytes(value)));
        }
        return rows;
    }

    static String[] numbered(String stem, int count) {
        return java.util.stream.IntStream.range(0, count).mapToObj(i -> stem + i).toArray(String[]::new);
    }

    /** Sends all rows and gives partition:offset, or the class of the exception, of each. */
    List<String> produce(List<ProducerRecord<byte[], byte[]>> rows, String... settings) throws Exception {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "linger.ms", "20", "delivery.timeout.ms", "40000"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        if ("consumer".equals(all.get("group.protocol"))) {
            // The broker says so, and the client refuses to be told.
            all.remove("session.timeout.ms");
            all.remove("heartbeat.interval.ms");
        }
        List<String> places = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (ProducerRecord<byte[], byte[]> row : rows) {
                sent.add(producer.send(row));
            }
            producer.flush();
            for (Future<RecordMetadata> each : sent) {
                try {
                    RecordMetadata place = each.get();
                    places.add(place.partition() + ":" + place.offset() + "@" + place.timestamp());
                } catch (ExecutionException why) {
                    places.add(why.getCause().getClass().getSimpleName());
                }
            }
        }
        return places;
    }

    KafkaConsumer<byte[], byte[]> consumer(String group, String... settings) {
        Map<String, Object> all = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "group.id", group, "auto.offset.reset", "earliest",
                "session.timeout.ms", "6000", "heartbeat.interval.ms", "300", "fetch.max.wait.ms", "100", "metadata.max.age.ms", "2000"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        if ("consumer".equals(all.get("group.protocol"))) {
            // The coordinator says them; a client that sets them does not start.
            all.keySet().removeAll(java.util.Set.of("session.timeout.ms", "heartbeat.interval.ms"));
        }
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    List<ConsumerRecord<byte[], byte[]>> read(String topic, int partition, int count, long offset) throws Exception {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(topic("none"))) {
            TopicPartition place = new TopicPartition(topic, partition);
            consumer.assign(List.of(place));
            consumer.seek(place, offset);
            Program.waitUntil(count + " records of " + place, () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(found::add);
                return found.size() >= count;
            });
        }
        return found.subList(0, count);
    }

    static List<String> sorted(java.util.Collection<String> rows) {
        String[] all = rows.toArray(new String[0]);
        Arrays.sort(all);
        return List.of(all);
    }
}
