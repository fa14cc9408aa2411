// SPDX-License-Identifier: Apache-2.0
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A producer, a consumer and an admin client PREFIX-producer, PREFIX-consumer and PREFIX-admin that work until a line comes in, and then close.
 * Nothing else is set that has to do with metrics: an admin client alone does not push them by itself.
 */
public final class Pusher {
    public static void main(String[] words) throws Exception {
        Map<String, Object> common = Map.of("bootstrap.servers", words[0]);
        String prefix = words[1];
        try (Admin admin = Admin.create(with(common, Map.of("client.id", prefix + "-admin", "enable.metrics.push", "true")));
             KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(with(common, Map.of("client.id", prefix + "-producer")),
                 new ByteArraySerializer(), new ByteArraySerializer());
             KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                 with(common, Map.of("client.id", prefix + "-consumer", "group.id", prefix, "auto.offset.reset", "earliest")),
                 new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("t"));
            long sent = 0;
            while (System.in.available() == 0) {
                producer.send(new ProducerRecord<>("t", new byte[10])).get();
                consumer.poll(Duration.ofMillis(20));
                admin.describeCluster().nodes().get();
                if (++sent == 20) {
                    System.out.println("works");
                    System.out.flush();
                }
            }
        }
        System.out.println("closed");
    }

    private static Map<String, Object> with(Map<String, Object> some, Map<String, Object> more) {
        var out = new java.util.HashMap<>(some);
        out.putAll(more);
        return out;
    }
}
