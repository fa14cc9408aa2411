// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The application that is measured on Kafka Streams; streams_load.cc is its twin.
 *
 * <pre>
 * StreamsLoad run TOPOLOGY HOST:PORT APPLICATION [name=value]...   until standard input ends
 * </pre>
 *
 * Prints each state and, behind it, how many records were restored before. With bench.profile=true it looks at what runs every 10 ms,
 * from its start on, so that what the profiler itself needs at first is over before anything is measured. Of standard input it obeys
 * "measure", from which on samples count, and "share", which ends that and prints "share PART SAMPLES": the part of the samples, of
 * those in Kafka's classes, in which Kafka Streams runs and not Kafka's client below it. Where a sample belongs is said by the innermost
 * frame that is one of the two; serializers and the like belong to who calls them. Only Java code is looked at: threads in system calls
 * are not.
 */
public final class StreamsLoad {
    private static final Duration WINDOW = Duration.ofMillis(10_000);
    private static final Duration GRACE = Duration.ofMillis(10_000);
    private static final Duration APART = Duration.ofMillis(2_000);

    private static final class Topics {
        String in = "in";
        String right = "right";
        String out = "out";
    }

    private static void declare(String topology, StreamsBuilder builder, Topics topics) {
        Consumed<String, String> text = Consumed.with(Serdes.String(), Serdes.String());
        Produced<String, String> texts = Produced.with(Serdes.String(), Serdes.String());
        switch (topology) {
            case "map-filter" -> builder.stream(topics.in, text)
                    .filter((key, value) -> value.charAt(7) != '0')
                    .map((key, value) -> KeyValue.pair(value.substring(0, 8), key + value.substring(8)))
                    .to(topics.out, texts);
            case "count" -> builder.stream(topics.in, text)
                    .groupByKey(Grouped.with(Serdes.String(), Serdes.String()))
                    .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts").withKeySerde(Serdes.String())
                            .withValueSerde(Serdes.Long()))
                    .toStream()
                    .to(topics.out, Produced.with(Serdes.String(), Serdes.Long()));
            case "tumbling" -> builder.stream(topics.in, text)
                    .groupByKey(Grouped.with(Serdes.String(), Serdes.String()))
                    .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, GRACE))
                    .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("windows").withKeySerde(Serdes.String())
                            .withValueSerde(Serdes.Long()))
                    .toStream()
                    .to(topics.out, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, WINDOW.toMillis()), Serdes.Long()));
            case "join" -> {
                KStream<String, String> right = builder.stream(topics.right, text);
                builder.stream(topics.in, text)
                        .join(right, (mine, theirs) -> mine.substring(0, 8) + theirs.substring(0, 8),
                                JoinWindows.ofTimeDifferenceAndGrace(APART, GRACE),
                                StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String()).withStoreName("joined"))
                        .to(topics.out, texts);
            }
            case "table" -> builder.table(topics.in, text, Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("table")
                    .withKeySerde(Serdes.String()).withValueSerde(Serdes.String()));
            default -> throw new IllegalArgumentException(topology);
        }
    }

    private static final class Restored implements StateRestoreListener {
        final AtomicLong sum = new AtomicLong();

        @Override
        public void onRestoreStart(TopicPartition where, String store, long start, long end) {}

        @Override
        public void onBatchRestored(TopicPartition where, String store, long end, long count) {}

        @Override
        public void onRestoreEnd(TopicPartition where, String store, long total) {
            sum.addAndGet(total);
        }
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static Recording profile() {
        Recording recording = new Recording();
        recording.enable("jdk.ExecutionSample").withPeriod(Duration.ofMillis(10));
        recording.start();
        return recording;
    }

    private static String share(Recording recording, Instant from) throws Exception {
        recording.stop();
        Path file = Files.createTempFile("streams-load", ".jfr");
        long client = 0;
        long streams = 0;
        try {
            recording.dump(file);
            for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
                if (!event.getEventType().getName().equals("jdk.ExecutionSample") || event.getStackTrace() == null
                        || event.getStartTime().isBefore(from)) {
                    continue;
                }
                for (RecordedFrame frame : event.getStackTrace().getFrames()) {
                    String owner = frame.getMethod().getType().getName();
                    if (owner.startsWith("org.apache.kafka.clients.")) {
                        ++client;
                        break;
                    }
                    if (owner.startsWith("org.apache.kafka.streams.") || owner.startsWith("StreamsLoad")) {
                        ++streams;
                        break;
                    }
                }
            }
        } finally {
            recording.close();
            Files.delete(file);
        }
        long all = streams + client;
        return "share " + (all == 0 ? 0 : (double) streams / all) + " " + all;
    }

    public static void main(String[] words) throws Exception {
        if (words.length < 4 || !words[0].equals("run")) {
            throw new IllegalArgumentException("StreamsLoad run TOPOLOGY HOST:PORT APPLICATION [name=value]...");
        }
        Topics topics = new Topics();
        Properties settings = new Properties();
        Recording recording = null;
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, words[3]);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, words[2]);
        for (int i = 4; i < words.length; ++i) {
            String[] pair = words[i].split("=", 2);
            switch (pair[0]) {
                case "bench.in" -> topics.in = pair[1];
                case "bench.right" -> topics.right = pair[1];
                case "bench.out" -> topics.out = pair[1];
                case "bench.memory" -> {
                    if (pair[1].equals("true")) {
                        settings.put("dsl.store.suppliers.class",
                                "org.apache.kafka.streams.state.BuiltInDslStoreSuppliers$InMemoryDslStoreSuppliers");
                    }
                }
                case "bench.profile" -> recording = pair[1].equals("true") ? profile() : null;
                default -> settings.put(pair[0], pair[1]);
            }
        }
        StreamsBuilder builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(settings)));
        declare(words[1], builder, topics);
        Restored restored = new Restored();
        try (KafkaStreams app = new KafkaStreams(builder.build(), settings)) {
            app.setStateListener((now, before) -> say(now + " " + restored.sum.get()));
            app.setGlobalStateRestoreListener(restored);
            app.start();
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            Instant from = Instant.MAX;
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.equals("measure")) {
                    from = Instant.now();
                } else if (line.equals("share") && recording != null) {
                    say(share(recording, from));
                }
            }
            app.close(Duration.ofSeconds(60));
            if (app.state() != KafkaStreams.State.NOT_RUNNING) {
                System.exit(1);
            }
        }
    }

    private StreamsLoad() {}
}
