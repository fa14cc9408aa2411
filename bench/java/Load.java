// SPDX-License-Identifier: Apache-2.0

import java.io.FileReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Load by Apache Kafka's own client, for figures that its transactions or its TLS are part of.
 *
 * <pre>
 * Load transactions FILE TOPIC SECONDS RECORDS PARTITIONS   one transaction after the other
 * Load stream       FILE TOPIC SECONDS plain|once           two alternating producers, 100 ms each; once: in transactions
 * Load produce      FILE TOPIC SECONDS                      as fast as it goes
 * Load fetch        FILE TOPIC SECONDS                      from the beginning, again and again
 * </pre>
 *
 * FILE has the client's properties. Prints one line of JSON; what is measured comes after a warm-up, whose own count is `warm_up`.
 */
public final class Load {
    private static final byte[] VALUE = new byte[1000];
    private static final long SLICE_NS = 100_000_000;

    private static Properties properties(String file, Object... more) throws Exception {
        Properties all = new Properties();
        try (FileReader reader = new FileReader(file)) {
            all.load(reader);
        }
        for (int i = 0; i < more.length; i += 2) {
            all.setProperty((String) more[i], String.valueOf(more[i + 1]));
        }
        return all;
    }

    private static KafkaProducer<byte[], byte[]> producer(Properties settings) {
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static void transactions(String[] words) throws Exception {
        int records = Integer.parseInt(words[4]);
        int partitions = Integer.parseInt(words[5]);
        try (KafkaProducer<byte[], byte[]> producer = producer(properties(words[1], "transactional.id", words[2], "linger.ms", 0))) {
            producer.initTransactions();
            long warmUp = run(producer, words[2], records, partitions, 2);
            long began = System.nanoTime();
            long count = run(producer, words[2], records, partitions, Double.parseDouble(words[3]));
            double seconds = (System.nanoTime() - began) / 1e9;
            System.out.printf("{\"mode\":\"transactions\",\"warm_up\":%d,\"transactions\":%d,\"transactions_per_s\":%.2f}%n", warmUp, count,
                    count / seconds);
        }
    }

    private static long run(KafkaProducer<byte[], byte[]> producer, String topic, int records, int partitions, double seconds) {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        long count = 0;
        for (; System.nanoTime() < end; ++count) {
            producer.beginTransaction();
            for (int i = 0; i < records; ++i) {
                producer.send(new ProducerRecord<>(topic, i % partitions, null, VALUE));
            }
            producer.commitTransaction();
        }
        return count;
    }

    /** Two producers take turns: one fills its slice while what the other wrote is committed. */
    private static final class Alternating implements AutoCloseable {
        private final List<KafkaProducer<byte[], byte[]>> producers = new ArrayList<>();
        private final List<Future<?>> ends = new ArrayList<>();
        private final ExecutorService background = Executors.newFixedThreadPool(2);
        private final boolean once;
        private int turn;

        Alternating(String file, String topic, boolean once) throws Exception {
            this.once = once;
            for (int i = 0; i < 2; ++i) {
                Object[] more = {"batch.size", 65536, "linger.ms", 5, "buffer.memory", 67108864};
                Properties settings = properties(file, more);
                if (once) {
                    settings.setProperty("transactional.id", topic + "-" + i);
                }
                producers.add(producer(settings));
                if (once) {
                    producers.get(i).initTransactions();
                }
                ends.add(background.submit(() -> {}));
            }
        }

        long run(String topic, double seconds) throws Exception {
            long end = System.nanoTime() + (long) (seconds * 1e9);
            long count = 0;
            while (System.nanoTime() < end) {
                KafkaProducer<byte[], byte[]> producer = producers.get(turn);
                ends.get(turn).get();
                if (once) {
                    producer.beginTransaction();
                }
                for (long until = System.nanoTime() + SLICE_NS; System.nanoTime() < until; ++count) {
                    producer.send(new ProducerRecord<>(topic, (int) (count % 4), null, VALUE));
                }
                ends.set(turn, background.submit(once ? producer::commitTransaction : producer::flush));
                turn = 1 - turn;
            }
            for (Future<?> each : ends) {
                each.get();
            }
            return count;
        }

        @Override
        public void close() {
            background.shutdown();
            producers.forEach(KafkaProducer::close);
        }
    }

    private static void stream(String[] words) throws Exception {
        try (Alternating producers = new Alternating(words[1], words[2], words[4].equals("once"))) {
            long warmUp = producers.run(words[2], 3);
            long began = System.nanoTime();
            long count = producers.run(words[2], Double.parseDouble(words[3]));
            double seconds = (System.nanoTime() - began) / 1e9;
            System.out.printf("{\"mode\":\"stream\",\"warm_up\":%d,\"records\":%d,\"records_per_s\":%.1f}%n", warmUp, count, count / seconds);
        }
    }

    private static void produce(String[] words) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(properties(words[1], "batch.size", 262144, "linger.ms", 5, "buffer.memory", 67108864))) {
            producer.send(new ProducerRecord<>(words[2], 0, null, VALUE)).get(); // Time begins when all is connected.
            long end = System.nanoTime() + (long) (Double.parseDouble(words[3]) * 1e9);
            long count = 1;
            for (; System.nanoTime() < end; ++count) {
                producer.send(new ProducerRecord<>(words[2], 0, null, VALUE));
            }
            producer.flush();
            System.out.printf("{\"mode\":\"produce\",\"records\":%d,\"bytes\":%d}%n", count, count * VALUE.length);
        }
    }

    private static void fetch(String[] words) throws Exception {
        Properties settings = properties(words[1], "max.partition.fetch.bytes", 8388608, "fetch.max.bytes", 8388608, "max.poll.records", 100000,
                "receive.buffer.bytes", 1048576);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition place = new TopicPartition(words[2], 0);
            consumer.assign(List.of(place));
            consumer.seekToBeginning(List.of(place));
            long last = consumer.endOffsets(List.of(place)).get(place);
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos((long) (Double.parseDouble(words[3]) * 1e3));
            long count = 0;
            while (System.nanoTime() < end) {
                count += consumer.poll(Duration.ofMillis(100)).count();
                if (consumer.position(place) >= last) {
                    consumer.seekToBeginning(List.of(place));
                }
            }
            System.out.printf("{\"mode\":\"fetch\",\"records\":%d,\"bytes\":%d}%n", count, count * VALUE.length);
        }
    }

    public static void main(String[] words) throws Exception {
        switch (words[0]) {
            case "transactions" -> transactions(words);
            case "stream" -> stream(words);
            case "produce" -> produce(words);
            case "fetch" -> fetch(words);
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private Load() {}
}
