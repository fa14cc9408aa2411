// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.utils.AppInfoParser;

/** The features on Apache Kafka's Java clients; compiled against each release. Called as scenario.py says. */
public final class Program {
    interface Feature {
        void run(Context context, List<String> facts) throws Exception;
    }

    interface Attempt {
        Object run() throws Exception;
    }

    static final class Failure extends RuntimeException {
        Failure(String text) {
            super(text);
        }
    }

    static void expect(boolean condition, String text) {
        if (!condition) {
            throw new Failure(text);
        }
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    static void waitUntil(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(40).toNanos();
        while (!condition.holds()) {
            expect(System.nanoTime() < deadline, "waited in vain for " + what);
            Thread.sleep(10);
        }
    }

    /** Apache Kafka tells of a change a moment after it agreed to it: pause before looking at the outcome. */
    static void settle() throws InterruptedException {
        Thread.sleep(500);
    }

    /** What came out, or the class of the exception: its words are the broker's own. */
    static String outcome(Attempt attempt) throws Exception {
        try {
            Object result = attempt.run();
            return result == null ? "OK" : String.valueOf(result);
        } catch (ExecutionException why) {
            return why.getCause().getClass().getSimpleName();
        } catch (org.apache.kafka.common.KafkaException why) {
            return why.getClass().getSimpleName();
        }
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    private static void run(Context context, String name, Feature feature) {
        List<String> facts = new ArrayList<>();
        String error = null;
        long started = System.nanoTime();
        try {
            feature.run(context, facts);
        } catch (Exception | Error why) {
            why.printStackTrace();
            error = why.toString();
        }
        List<String> rows = new ArrayList<>();
        facts.forEach(fact -> rows.add(quoted(fact)));
        System.out.printf("{\"feature\": \"%s\", \"ok\": %s, \"facts\": [%s], \"error\": %s, \"seconds\": %.2f}%n", name, error == null,
                String.join(", ", rows), error == null ? "null" : quoted(error), (System.nanoTime() - started) / 1e9);
        System.out.flush();
    }

    public static void main(String[] arguments) {
        System.err.println("kafka-clients " + AppInfoParser.getVersion());
        Map<String, Feature> features = new LinkedHashMap<>();
        Records.add(features);
        Groups.add(features);
        Admins.add(features);
        Transactions.add(features);
        Security.add(features);
        List<String> wanted = List.of(arguments).subList(2, arguments.length);
        try (Context context = new Context(arguments[0], arguments[1])) {
            features.forEach((name, feature) -> {
                if (wanted.isEmpty() || wanted.contains(name)) {
                    run(context, name, feature);
                }
            });
        }
    }

    private Program() {}
}
