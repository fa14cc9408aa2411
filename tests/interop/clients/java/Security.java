// SPDX-License-Identifier: Apache-2.0

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The ways into a secured broker, see security.py. */
final class Security {
    private static final List<String> WAYS =
            List.of("tls", "mtls", "sasl_plain", "sasl_scram_256", "sasl_scram_512", "sasl_oauthbearer", "sasl_oidc", "sasl_gssapi");

    static void add(Map<String, Program.Feature> features) {
        for (String way : WAYS) {
            features.put(way, (context, facts) -> run(context, facts, way));
        }
        features.put("reauthentication", Security::stay);
    }

    private static JsonNode way(String name) throws Exception {
        return new ObjectMapper().readTree(new File(System.getenv("LEAT_SECURITY"))).get(name);
    }

    private static double metric(KafkaProducer<byte[], byte[]> producer, String name) {
        return producer.metrics().entrySet().stream().filter(each -> each.getKey().name().equals(name) && each.getKey().group().equals("producer-metrics"))
                .mapToDouble(each -> (Double) each.getValue().metricValue()).sum();
    }

    /** Writes for longer than two sessions of security.py last: who does not prove anew who he is loses his connection and opens another. */
    private static void stay(Context context, List<String> facts) throws Exception {
        JsonNode way = way("reauthentication");
        String topic = context.topic("reauthentication");
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings(way, "good"), new ByteArraySerializer(), new ByteArraySerializer())) {
            double connections = 0;
            for (int i = 0; i < 90; ++i) {
                long offset = producer.send(new ProducerRecord<>(topic, 0, null, Context.bytes("row " + i))).get().offset();
                Program.expect(offset == i, "row " + i + " is at " + offset);
                if (i == 9) {
                    connections = metric(producer, "connection-creation-total");
                }
                Thread.sleep(100);
            }
            facts.add("stayed connected " + (metric(producer, "connection-creation-total") - connections <= 1));
            facts.add("again who it is: " + (metric(producer, "successful-reauthentication-total") >= 2) + ", refused "
                    + metric(producer, "failed-reauthentication-total"));
        }
    }

    private static Map<String, Object> settings(JsonNode way, String login) {
        Map<String, Object> settings = new HashMap<>();
        way.get(login).get("java").fields().forEachRemaining(each -> settings.put(each.getKey(), each.getValue().asText()));
        settings.put("bootstrap.servers", way.get("bootstrap").asText());
        return settings;
    }

    private static void run(Context context, List<String> facts, String name) throws Exception {
        JsonNode way = way(name);
        String topic = context.topic(name);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings(way, "good"), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String text : List.of("a", "b", "c")) {
                facts.add("written " + producer.send(new ProducerRecord<>(topic, 0, null, Context.bytes(text))).get().offset());
            }
        }
        TopicPartition place = new TopicPartition(topic, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings(way, "good"), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(place));
            consumer.seekToBeginning(List.of(place));
            List<String> rows = new ArrayList<>();
            Program.waitUntil("the records", () -> {
                consumer.poll(Duration.ofMillis(50)).forEach(row -> rows.add(new String(row.value())));
                return rows.size() == 3;
            });
            facts.add("read " + rows);
        }
        Map<String, Object> wrong = settings(way, "wrong");
        wrong.put("default.api.timeout.ms", 10000);
        wrong.put("request.timeout.ms", 5000);
        facts.add("the wrong login: " + Program.outcome(() -> {
            try (Admin admin = Admin.create(wrong)) {
                admin.listTopics().names().get(15, TimeUnit.SECONDS);
            }
            return "let in";
        }));
    }

    private Security() {}
}
