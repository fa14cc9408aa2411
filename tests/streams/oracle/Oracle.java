// SPDX-License-Identifier: Apache-2.0
//
// Runs the cases of tests/streams in Kafka Streams' TopologyTestDriver: one case a line on stdin, one outcome a line on stdout.
// A case with "topics" is started as an application on the broker that is the second argument, see ../topics.py.
// The format is described in ../README.md; ../runner/ does the same in C++, function by function.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.apache.kafka.streams.errors.LogAndContinueExceptionHandler;
import org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler;
import org.apache.kafka.streams.errors.ProductionExceptionHandler;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.apache.kafka.streams.errors.TopologyException;
import org.apache.kafka.streams.errors.internals.ExceptionHandlerUtils;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.api.*;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.internals.StreamsProducer;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.state.internals.WrappedStateStore;
import org.apache.kafka.streams.test.TestRecord;

@SuppressWarnings("unchecked")
public class Oracle {
    static final ObjectMapper JSON = new ObjectMapper();

    // ---- values: null, text or a 64-bit number -------------------------------------------------------------------------------

    static class Mistake extends RuntimeException {
        Mistake() { super("boom"); }
    }

    /** One byte says what follows: 's' text, 'i' a number. Anything else is no value. */
    static byte[] encode(Object value) {
        if (value == null) return null;
        if (value instanceof Long) return ByteBuffer.allocate(9).put((byte) 'i').putLong((Long) value).array();
        return ("s" + value).getBytes(StandardCharsets.UTF_8);
    }
    static Object decode(byte[] bytes) {
        if (bytes == null) return null;
        if (bytes.length == 9 && bytes[0] == 'i') return ByteBuffer.wrap(bytes, 1, 8).getLong();
        if (bytes.length > 0 && bytes[0] == 's') return new String(bytes, 1, bytes.length - 1, StandardCharsets.UTF_8);
        throw new SerializationException("no value");
    }
    /** As ANY, but cannot write the text "x". */
    static final Serde<Object> STRICT = Serdes.serdeFrom((topic, value) -> {
        if (text(value).equals("x")) throw new SerializationException("no x");
        return encode(value);
    }, (topic, bytes) -> decode(bytes));
    static final Serde<Object> ANY = Serdes.serdeFrom((topic, value) -> encode(value), (topic, bytes) -> decode(bytes));

    static String text(Object value) { return value == null ? "null" : value.toString(); }
    static String textKey(Object key) {
        if (!(key instanceof Windowed)) return text(key);
        Windowed<?> w = (Windowed<?>) key;
        return text(w.key()) + "@" + w.window().start() + "/" + w.window().end();
    }
    static Object fromJson(JsonNode node) {
        return node.isNull() ? null : node.isNumber() ? (Object) node.longValue() : node.textValue();
    }

    // ---- the library of functions --------------------------------------------------------------------------------------------

    static Object mapped(String name, Object key, Object v) {
        switch (name) {
            case "id": return v;
            case "upper": return v instanceof String ? ((String) v).toUpperCase() : v;
            case "length": return v == null ? null : (Object) (long) text(v).length();
            case "first_word": return v == null ? null : text(v).split(" ", -1)[0];
            case "with_key": return textKey(key) + "+" + text(v);
            case "null_if_short": return v == null || text(v).length() < 2 ? null : v;
            case "boom": if (text(v).equals("boom")) throw new Mistake(); return v;
            default: throw new IllegalStateException(name);
        }
    }
    static boolean holds(String name, Object key, Object v) {
        switch (name) {
            case "true": return true;
            case "false": return false;
            case "has_a": return text(v).contains("a");
            case "even_length": return text(v).length() % 2 == 0;
            case "value_nonnull": return v != null;
            case "key_nonnull": return key != null;
            case "key_is_a": return textKey(key).startsWith("a");
            default: throw new IllegalStateException(name);
        }
    }
    static Object keyOf(String name, Object key, Object v) {
        switch (name) {
            case "key": return key;
            case "value": return v;
            case "length": return v == null ? null : (Object) (long) text(v).length();
            case "first_letter": return v == null || text(v).isEmpty() ? null : text(v).substring(0, 1);
            case "constant": return "c";
            case "null_if_b": return text(v).startsWith("b") ? null : key;
            case "text": return textKey(key);
            default: throw new IllegalStateException(name);
        }
    }
    static List<Object> listOf(String name, Object v) {
        switch (name) {
            case "words": {
                List<Object> out = new ArrayList<>();
                if (v != null) for (String word : text(v).split(" ", -1)) if (!word.isEmpty()) out.add(word);
                return out;
            }
            case "twice": return Arrays.asList(v, v);
            case "none": return new ArrayList<>();
            case "null_too": return Arrays.asList(v, null);
            default: throw new IllegalStateException(name);
        }
    }
    static Object reduced(String name, Object a, Object b) {
        if (b == null) return a;
        switch (name) {
            case "concat": return text(a) + text(b);
            case "max": return text(a).compareTo(text(b)) >= 0 ? a : b;
            case "last": return b;
            case "first": return a;
            case "minus": return text(a) + "-" + text(b);
            case "null_on_x": return text(b).equals("x") ? null : text(a) + text(b);
            default: throw new IllegalStateException(name);
        }
    }
    static long length(Object v) { return v == null ? 0 : text(v).length(); }
    static Object initial(String name) { return name.equals("sum_len") ? (Object) 0L : ""; }
    static Object added(String name, Object key, Object v, Object sum) {
        switch (name) {
            case "collect": return text(sum) + "," + text(v);
            case "sum_len": return (Long) sum + length(v);
            case "null_on_x": return text(v).equals("x") ? null : text(sum) + "," + text(v);
            default: throw new IllegalStateException(name);
        }
    }
    static Object subtracted(String name, Object key, Object v, Object sum) {
        return name.equals("sum_len") ? (Object) ((Long) sum - length(v)) : text(sum) + "-" + text(v);
    }
    static Object united(String name, Object key, Object a, Object b) {
        return name.equals("sum_len") ? (Object) ((Long) a + (Long) b) : text(a) + "|" + text(b);
    }
    static Object joined(String name, Object key, Object l, Object r) {
        switch (name) {
            case "pair": return text(l) + "&" + text(r);
            case "with_key": return textKey(key) + ":" + text(l) + "&" + text(r);
            case "null_on_x": return text(r).equals("x") ? null : text(l) + "&" + text(r);
            case "boom": if (text(l).equals("boom")) throw new Mistake(); return text(l) + "&" + text(r);
            default: throw new IllegalStateException(name);
        }
    }

    /** The time of a record of a source; `partition`: that of its partition, -1 for none. */
    static long timeOf(String name, Object v, long own, long partition) {
        switch (name) {
            case "value": return v instanceof Long ? (Long) v : own;
            case "later": return own + length(v);
            case "partition": return text(v).startsWith("b") ? partition : own;
            case "none_on_x": return text(v).equals("x") ? -1 : own;
            case "boom": if (text(v).equals("boom")) throw new Mistake(); return own;
            default: throw new IllegalStateException(name);
        }
    }

    /** Which of n partitions; nothing: Kafka's own choice. */
    static Optional<Set<Integer>> chosen(String name, Object key, Object v, int n) {
        switch (name) {
            case "length": return Optional.of(Set.of(text(v).length() % n));
            case "key": return Optional.of(Set.of(textKey(key).length() % n));
            case "ends": return Optional.of(new LinkedHashSet<>(Arrays.asList(n - 1, 0)));
            case "all": {
                Set<Integer> out = new LinkedHashSet<>();
                for (int i = 0; i < n; i++) out.add(i);
                return Optional.of(out);
            }
            case "default": return Optional.empty();
            case "default_on_a": return text(v).startsWith("a") ? Optional.empty() : Optional.of(Set.of(n - 1));
            case "none_on_b": return Optional.of(text(v).startsWith("b") ? Set.of() : Set.of(text(v).length() % n));
            case "boom": if (text(v).equals("boom")) throw new Mistake(); return Optional.of(Set.of(0));
            default: throw new IllegalStateException(name);
        }
    }

    // ---- from a case to a topology -------------------------------------------------------------------------------------------

    static class Case {
        final JsonNode json;
        final StreamsBuilder builder = new StreamsBuilder();
        final List<Object> made = new ArrayList<>();
        final List<Object[]> effects = new ArrayList<>();
        final ByteArrayOutputStream printed = new ByteArrayOutputStream();
        int step = -1;
        Case(JsonNode json) { this.json = json; }
        /** The topology of all operators, and what is added to it node by node. */
        Topology topology(Properties p) {
            int index = 0;
            // What is printed is a part of the outcome, which goes to the standard output that was there before.
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            for (JsonNode op : json.get("ops")) add(op, index++);
            Topology out = builder.build(p);
            for (JsonNode node : json.path("nodes")) add(node, out);
            return out;
        }

        static boolean has(JsonNode op, String field) { return op.hasNonNull(field); }
        static String name(JsonNode op) { return has(op, "name") ? op.get("name").textValue() : null; }
        static Duration ms(JsonNode op, String field) { return Duration.ofMillis(op.path(field).longValue()); }

        /** Whether the case says anything of how a table is kept. */
        static boolean keeps(JsonNode op) {
            return has(op, "store") || has(op, "keep") || has(op, "memory") || has(op, "nolog") || has(op, "nocache") || has(op, "retention");
        }
        <S extends StateStore> Materialized<Object, Object, S> kept(JsonNode op) {
            if (has(op, "history")) return this.<Object, S>versions(op).withKeySerde(ANY).withValueSerde(ANY);
            Materialized<Object, Object, S> m = has(op, "store") ? Materialized.as(op.get("store").textValue()) : Materialized.with(ANY, ANY);
            m.withKeySerde(ANY).withValueSerde(ANY);
            return options(op, m);
        }
        <S extends StateStore> Materialized<Object, Long, S> keptCount(JsonNode op) {
            if (has(op, "history")) return this.<Long, S>versions(op).withKeySerde(ANY).withValueSerde(Serdes.Long());
            Materialized<Object, Long, S> m = has(op, "store") ? Materialized.as(op.get("store").textValue()) : Materialized.with(ANY, Serdes.Long());
            m.withKeySerde(ANY).withValueSerde(Serdes.Long());
            return options(op, m);
        }
        <V, S extends StateStore> Materialized<Object, V, S> versions(JsonNode op) {
            return (Materialized<Object, V, S>) (Object) Materialized.<Object, V>as(
                Stores.persistentVersionedKeyValueStore(op.get("store").textValue(), ms(op, "history")));
        }
        <V, S extends StateStore> Materialized<Object, V, S> options(JsonNode op, Materialized<Object, V, S> m) {
            if (op.path("memory").booleanValue()) m.withStoreType(Materialized.StoreType.IN_MEMORY);
            if (has(op, "retention")) m.withRetention(ms(op, "retention"));
            if (op.path("nolog").booleanValue()) m.withLoggingDisabled();
            return json.has("cache") && !op.path("nocache").booleanValue() ? m.withCachingEnabled() : m.withCachingDisabled();
        }
        Grouped<Object, Object> grouped(JsonNode op) {
            Grouped<Object, Object> g = Grouped.with(ANY, ANY);
            return name(op) == null ? g : g.withName(name(op));
        }
        Consumed<Object, Object> consumed(JsonNode op) {
            Consumed<Object, Object> c = Consumed.with(ANY, ANY);
            if (has(op, "time")) {
                String time = op.get("time").textValue();
                c = c.withTimestampExtractor((record, partition) -> timeOf(time, record.value(), record.timestamp(), partition));
            }
            return name(op) == null ? c : c.withName(name(op));
        }

        void add(JsonNode op, int index) {
            Object from = has(op, "from") ? made.get(op.get("from").intValue()) : null;
            Object with = has(op, "with") ? made.get(op.get("with").intValue()) : null;
            made.add(make(op, op.get("op").textValue(), from, with, index));
        }

        @SuppressWarnings({"unchecked", "rawtypes"})
        Object make(JsonNode op, String verb, Object from, Object with, int index) {
            switch (verb) {
                case "stream": {
                    if (has(op, "pattern")) return builder.stream(Pattern.compile(op.get("pattern").textValue()), consumed(op));
                    List<String> topics = new ArrayList<>();
                    op.get("topics").forEach(t -> topics.add(t.textValue()));
                    return builder.stream(topics, consumed(op));
                }
                case "table": {
                    String topic = op.get("topic").textValue();
                    return keeps(op) ? builder.table(topic, consumed(op), kept(op)) : builder.table(topic, consumed(op));
                }
                case "global": {
                    String topic = op.get("topic").textValue();
                    return has(op, "store") ? builder.globalTable(topic, consumed(op), kept(op)) : builder.globalTable(topic, consumed(op));
                }
                case "global_store":
                    builder.addGlobalStore(rows(op).withLoggingDisabled(), op.get("topic").textValue(), consumed(op), filling(op));
                    return null;
                default:
            }
            if (from instanceof KStream) return onStream(op, verb, (KStream<Object, Object>) from, with, index);
            if (from instanceof KTable) return onTable(op, verb, (KTable<Object, Object>) from, with);
            if (from instanceof Map) return branch(op, (Map<String, KStream>) from);
            return onGroup(op, verb, from);
        }
        /** "branch" is what stands behind the name of the split: a number or a letter. */
        @SuppressWarnings("rawtypes")
        Object branch(JsonNode op, Map<String, KStream> all) {
            for (Map.Entry<String, KStream> one : all.entrySet())
                if (one.getKey().endsWith(op.get("branch").textValue())) return one.getValue();
            throw new IllegalStateException("no branch");
        }

        Object onStream(JsonNode op, String verb, KStream<Object, Object> s, Object with, int index) {
            String f = op.path("f").textValue();
            Named n = name(op) == null ? null : Named.as(name(op));
            switch (verb) {
                case "filter": return n == null ? s.filter((k, v) -> holds(f, k, v)) : s.filter((k, v) -> holds(f, k, v), n);
                case "filter_not": return n == null ? s.filterNot((k, v) -> holds(f, k, v)) : s.filterNot((k, v) -> holds(f, k, v), n);
                case "map_values": return n == null ? s.mapValues((k, v) -> mapped(f, k, v)) : s.mapValues((k, v) -> mapped(f, k, v), n);
                case "flat_map_values": return n == null ? s.flatMapValues(v -> listOf(f, v)) : s.flatMapValues(v -> listOf(f, v), n);
                case "map": {
                    String kf = op.get("k").textValue();
                    KeyValueMapper<Object, Object, KeyValue<Object, Object>> m = (k, v) -> new KeyValue<>(keyOf(kf, k, v), mapped(f, k, v));
                    return n == null ? s.map(m) : s.map(m, n);
                }
                case "flat_map": {
                    String kf = op.get("k").textValue();
                    KeyValueMapper<Object, Object, Iterable<KeyValue<Object, Object>>> m = (k, v) -> {
                        List<KeyValue<Object, Object>> out = new ArrayList<>();
                        for (Object one : listOf(f, v)) out.add(new KeyValue<>(keyOf(kf, k, one), one));
                        return out;
                    };
                    return n == null ? s.flatMap(m) : s.flatMap(m, n);
                }
                case "select_key": return n == null ? s.selectKey((k, v) -> keyOf(f, k, v)) : s.selectKey((k, v) -> keyOf(f, k, v), n);
                case "peek": {
                    ForeachAction<Object, Object> a = (k, v) -> effects.add(new Object[] {step, index, textKey(k), v});
                    return n == null ? s.peek(a) : s.peek(a, n);
                }
                case "foreach": {
                    ForeachAction<Object, Object> a = (k, v) -> effects.add(new Object[] {step, index, textKey(k), v});
                    if (n == null) s.foreach(a); else s.foreach(a, n);
                    return null;
                }
                case "print": {
                    Printed<Object, Object> how = Printed.toSysOut();
                    if (has(op, "label")) how = how.withLabel(op.get("label").textValue());
                    if (f != null) how = how.withKeyValueMapper((k, v) -> text(mapped(f, k, v)));
                    s.print(name(op) == null ? how : how.withName(name(op)));
                    return null;
                }
                case "through":
                    s.to(op.get("topic").textValue(), produced(op, s));
                    return builder.stream(op.get("topic").textValue(), Consumed.with(ANY, ANY));
                case "merge": return n == null ? s.merge((KStream<Object, Object>) with) : s.merge((KStream<Object, Object>) with, n);
                case "split": {
                    BranchedKStream<Object, Object> b = n == null ? s.split() : s.split(n);
                    for (JsonNode one : op.get("branches")) {
                        Predicate<Object, Object> p = (k, v) -> holds(one.get(0).textValue(), k, v);
                        b = one.size() > 1 ? b.branch(p, Branched.as(one.get(1).textValue())) : b.branch(p);
                    }
                    return op.path("default").booleanValue() ? b.defaultBranch() : b.noDefaultBranch();
                }
                case "repartition": {
                    Repartitioned<Object, Object> r = Repartitioned.with(ANY, ANY);
                    if (name(op) != null) r = r.withName(name(op));
                    if (has(op, "partitions")) r = r.withNumberOfPartitions(op.get("partitions").intValue());
                    if (has(op, "partitioner")) r = r.withStreamPartitioner(partitioner(op.get("partitioner").textValue()));
                    return s.repartition(r);
                }
                case "to_table":
                    if (keeps(op)) return n == null ? s.toTable(kept(op)) : s.toTable(n, kept(op));
                    return n == null ? s.toTable() : s.toTable(n);
                case "to": {
                    if (has(op, "topic_of")) {
                        s.to((k, v, context) -> "out-" + (v == null || text(v).isEmpty() ? "none" : text(v).substring(0, 1)), produced(op, s));
                    } else {
                        s.to(op.get("topic").textValue(), produced(op, s));
                    }
                    return null;
                }
                case "process": return process(op, s);
                case "process_values": return processValues(op, s);
                case "look_up": {
                    String[] stores = op.path("connect").booleanValue() ? new String[] {op.get("store").textValue()} : new String[0];
                    return n == null ? s.process(lookingUp(op), stores) : s.process(lookingUp(op), n, stores);
                }
                case "group_by_key": return s.groupByKey(grouped(op));
                case "group_by": return s.groupBy((k, v) -> keyOf(f, k, v), grouped(op));
                case "join": return joinStream(op, s, with);
                default: throw new IllegalStateException(verb);
            }
        }
        // The serdes of what it writes are those known at that place, as in C++.
        Produced<Object, Object> produced(JsonNode op, KStream<Object, Object> s) {
            Produced<Object, Object> p = name(op) == null ? Produced.with(null, null) : Produced.as(name(op));
            if (has(op, "partitioner")) p = p.withStreamPartitioner(partitioner(op.get("partitioner").textValue()));
            return op.path("strict").booleanValue() ? p.withValueSerde(STRICT) : p;
        }
        static <K, V> StreamPartitioner<K, V> partitioner(String name) { return (topic, k, v, n) -> chosen(name, k, v, n); }

        /** Several processors may share a store; the first adds it. */
        void addStore(JsonNode op, String store) {
            if (op.path("shared").booleanValue()) return;
            builder.addStateStore(rows(op));
        }
        static boolean isTimed(JsonNode op) { return op.path("timed").booleanValue(); }
        /** A store for processors. */
        static StoreBuilder<?> rows(JsonNode op) {
            String store = op.get("store").textValue();
            boolean memory = op.path("memory").booleanValue();
            if (has(op, "keeps")) return op.path("nolog").booleanValue() ? inTime(op, store, memory).withLoggingDisabled() : inTime(op, store, memory);
            StoreBuilder<?> b = isTimed(op)
                ? Stores.timestampedKeyValueStoreBuilder(memory ? Stores.inMemoryKeyValueStore(store) : Stores.persistentTimestampedKeyValueStore(store), ANY, ANY)
                : Stores.keyValueStoreBuilder(memory ? Stores.inMemoryKeyValueStore(store) : Stores.persistentKeyValueStore(store), ANY, ANY);
            if (op.path("cached").booleanValue()) b = b.withCachingEnabled();
            return op.path("nolog").booleanValue() ? b.withLoggingDisabled() : b;
        }
        /** A store for processors whose rows have times. */
        static StoreBuilder<?> inTime(JsonNode op, String store, boolean memory) {
            Duration retention = ms(op, "retention");
            switch (op.get("keeps").textValue()) {
                case "windows": {
                    Duration size = ms(op, "size");
                    if (isTimed(op))
                        return Stores.timestampedWindowStoreBuilder(memory ? Stores.inMemoryWindowStore(store, retention, size, false)
                            : Stores.persistentTimestampedWindowStore(store, retention, size, false), ANY, ANY);
                    return Stores.windowStoreBuilder(memory ? Stores.inMemoryWindowStore(store, retention, size, false)
                        : Stores.persistentWindowStore(store, retention, size, false), ANY, ANY);
                }
                case "sessions":
                    return Stores.sessionStoreBuilder(memory ? Stores.inMemorySessionStore(store, retention) : Stores.persistentSessionStore(store, retention), ANY, ANY);
                default: return Stores.versionedKeyValueStoreBuilder(Stores.persistentVersionedKeyValueStore(store, retention), ANY, ANY);
            }
        }
        static Processor<Object, Object, Object, Object> keeping(JsonNode op, String store) {
            String kind = op.get("keeps").textValue();
            return kind.equals("windows") ? new KeepingWindows(op, store) : kind.equals("sessions") ? new KeepingSessions(op, store) : new KeepingVersions(op, store);
        }

        /** Puts what a topic has into a store, under the key and with the value that functions make of it. */
        static ProcessorSupplier<Object, Object, Void, Void> filling(JsonNode op) {
            return () -> new Processor<Object, Object, Void, Void>() {
                KeyValueStore<Object, Object> rows;
                @Override public void init(ProcessorContext<Void, Void> c) { rows = c.getStateStore(op.get("store").textValue()); }
                @Override public void process(Record<Object, Object> r) {
                    Object key = keyOf(op.get("k").textValue(), r.key(), r.value());
                    Object value = mapped(op.get("f").textValue(), r.key(), r.value());
                    if (key == null) return;
                    rows.put(key, isTimed(op) ? ValueAndTimestamp.make(value, r.timestamp()) : value);
                }
            };
        }
        /** Joins each record with what a store has under a key that a function makes of it; with "all" also with all of its rows. */
        static ProcessorSupplier<Object, Object, Object, Object> lookingUp(JsonNode op) {
            return () -> new Processor<Object, Object, Object, Object>() {
                ProcessorContext<Object, Object> context;
                KeyValueStore<Object, Object> rows;
                @Override public void init(ProcessorContext<Object, Object> c) { context = c; rows = c.getStateStore(op.get("store").textValue()); }
                @Override public void process(Record<Object, Object> r) {
                    Object key = keyOf(op.get("k").textValue(), r.key(), r.value());
                    Object found = key == null ? null : shown(rows.get(key));
                    if (op.path("writes").booleanValue() && text(r.value()).equals("x") && key != null) rows.put(key, null);
                    if (op.path("all").booleanValue()) {
                        StringBuilder all = new StringBuilder(text(found));
                        try (KeyValueIterator<Object, Object> each = rows.all()) {
                            while (each.hasNext()) { KeyValue<Object, Object> one = each.next(); all.append(";").append(text(one.key)).append("=").append(text(shown(one.value))); }
                        }
                        found = all.toString();
                    }
                    context.forward(r.withValue((Object) joined("pair", null, r.value(), found)));
                }
            };
        }
        static Object shown(Object value) {
            if (!(value instanceof ValueAndTimestamp)) return value;
            ValueAndTimestamp<?> one = (ValueAndTimestamp<?>) value;
            return text(one.value()) + "@" + one.timestamp();
        }

        /** A node of a topology that is made node by node. */
        void add(JsonNode node, Topology t) {
            String name = node.get("name").textValue();
            List<String> parents = new ArrayList<>();
            node.path("parents").forEach(one -> parents.add(one.textValue()));
            String[] above = parents.toArray(new String[0]);
            switch (node.get("node").textValue()) {
                case "source": t.addSource(name, ANY.deserializer(), ANY.deserializer(), node.get("topic").textValue()); return;
                case "global":
                    t.addGlobalStore(rows(node).withLoggingDisabled(), name, ANY.deserializer(), ANY.deserializer(), node.get("topic").textValue(),
                        node.get("processor").textValue(), filling(node));
                    return;
                case "read_only":
                    t.addReadOnlyStateStore(rows(node), name, ANY.deserializer(), ANY.deserializer(), node.get("topic").textValue(),
                        node.get("processor").textValue(), filling(node));
                    return;
                case "look_up":
                    t.addProcessor(name, lookingUp(node), above);
                    if (node.path("connect").booleanValue()) t.connectProcessorAndStateStores(name, node.get("store").textValue());
                    return;
                default:
                    t.addSink(name, node.get("topic").textValue(), ANY.serializer(), ANY.serializer(),
                        has(node, "partitioner") ? partitioner(node.get("partitioner").textValue()) : null, above);
            }
        }
        Object process(JsonNode op, KStream<Object, Object> s) {
            String store = op.get("store").textValue();
            addStore(op, store);
            ProcessorSupplier<Object, Object, Object, Object> supplier = () -> has(op, "keeps") ? keeping(op, store) : new Numbering(store, op);
            return name(op) == null ? s.process(supplier, store) : s.process(supplier, Named.as(name(op)), store);
        }
        Object processValues(JsonNode op, KStream<Object, Object> s) {
            String store = op.get("store").textValue();
            addStore(op, store);
            FixedKeyProcessorSupplier<Object, Object, Object> supplier = () -> new FixedKeyProcessor<Object, Object, Object>() {
                FixedKeyProcessorContext<Object, Object> context;
                KeyValueStore<Object, Object> seen;
                @Override public void init(FixedKeyProcessorContext<Object, Object> c) { context = c; seen = c.getStateStore(store); }
                @Override public void process(FixedKeyRecord<Object, Object> r) {
                    if (r.key() == null) { context.forward(r); return; }
                    Object before = seen.get(r.key());
                    seen.put(r.key(), r.value());
                    context.forward(r.withValue(text(before) + ">" + text(r.value())));
                }
            };
            return name(op) == null ? s.processValues(supplier, store) : s.processValues(supplier, Named.as(name(op)), store);
        }
        /** Numbers the records of a key; with "every", tells the largest number at each punctuation. */
        static class Numbering implements Processor<Object, Object, Object, Object> {
            final String store;
            final JsonNode op;
            ProcessorContext<Object, Object> context;
            KeyValueStore<Object, Object> numbers;
            Cancellable calls;
            long ticks = 0;
            Numbering(String store, JsonNode op) { this.store = store; this.op = op; }
            @Override public void init(ProcessorContext<Object, Object> c) {
                context = c;
                numbers = c.getStateStore(store);
                if (!op.hasNonNull("every")) return;
                calls = c.schedule(ms(op, "every"), op.path("wall").booleanValue() ? PunctuationType.WALL_CLOCK_TIME : PunctuationType.STREAM_TIME, now -> {
                    if (++ticks == op.path("times").longValue()) calls.cancel();
                    try (KeyValueIterator<Object, Object> all = numbers.all()) {
                        while (all.hasNext()) {
                            KeyValue<Object, Object> one = all.next();
                            context.forward(new Record<>(one.key, (Object) ("tick" + text(one.value) + "/" + context.currentStreamTimeMs()), now));
                        }
                    }
                });
            }
            @Override public void process(Record<Object, Object> r) {
                if (r.key() == null) { context.forward(r); return; }
                Object before = numbers.get(r.key());
                Object next = before == null ? 1L : (Long) before + 1;
                numbers.put(r.key(), next);
                if (text(r.value()).equals("x")) numbers.delete(r.key());
                Record<Object, Object> on = r.withValue((Object) (text(r.value()) + "#" + next));
                if (op.path("marks").booleanValue()) {
                    on = on.withTimestamp(r.timestamp() + 1).withHeaders(new RecordHeaders(r.headers()).add("n", text(next).getBytes(StandardCharsets.UTF_8)));
                }
                context.forward(on);
            }
        }

        /** Keeps what has a key, and tells what its store has then; a null value and "x" delete. */
        abstract static class Keeping implements Processor<Object, Object, Object, Object> {
            final JsonNode op;
            final String store;
            ProcessorContext<Object, Object> context;
            Keeping(JsonNode op, String store) { this.op = op; this.store = store; }
            @Override public void init(ProcessorContext<Object, Object> c) { context = c; }
            @Override public void process(Record<Object, Object> r) {
                if (r.key() == null) { context.forward(r); return; }
                boolean deletes = r.value() == null || text(r.value()).equals("x");
                context.forward(r.withValue((Object) keep(r.key(), deletes ? null : r.value(), r.timestamp())));
            }
            abstract String keep(Object key, Object value, long at);
            boolean backward() { return op.path("backward").booleanValue(); }
            boolean all() { return op.path("all").booleanValue(); }
        }
        static class KeepingWindows extends Keeping {
            WindowStore<Object, Object> rows;
            KeepingWindows(JsonNode op, String store) { super(op, store); }
            @Override public void init(ProcessorContext<Object, Object> c) { super.init(c); rows = c.getStateStore(store); }
            @Override String keep(Object key, Object value, long at) {
                long size = op.get("size").longValue(), start = at - at % size, from = Math.max(0, at - 40), to = at + 40;
                Object before = rows.fetch(key, start);
                rows.put(key, value != null && isTimed(op) ? ValueAndTimestamp.make(value, at) : value, start);
                StringBuilder out = new StringBuilder(text(shown(before)) + ">");
                if (all()) {
                    try (KeyValueIterator<Windowed<Object>, Object> each = backward() ? rows.backwardFetchAll(Instant.ofEpochMilli(from), Instant.ofEpochMilli(to)) : rows.fetchAll(from, to)) {
                        while (each.hasNext()) { KeyValue<Windowed<Object>, Object> one = each.next(); out.append(textKey(one.key)).append("=").append(text(shown(one.value))).append(";"); }
                    }
                } else {
                    try (WindowStoreIterator<Object> each = backward() ? rows.backwardFetch(key, Instant.ofEpochMilli(from), Instant.ofEpochMilli(to)) : rows.fetch(key, from, to)) {
                        while (each.hasNext()) { KeyValue<Long, Object> one = each.next(); out.append(one.key).append("=").append(text(shown(one.value))).append(";"); }
                    }
                }
                return out.toString();
            }
        }
        static class KeepingSessions extends Keeping {
            SessionStore<Object, Object> rows;
            KeepingSessions(JsonNode op, String store) { super(op, store); }
            @Override public void init(ProcessorContext<Object, Object> c) { super.init(c); rows = c.getStateStore(store); }
            @Override String keep(Object key, Object value, long at) {
                long gap = op.get("size").longValue(), start = at, end = at;
                List<Windowed<Object>> met = new ArrayList<>();
                StringBuilder sum = new StringBuilder();
                try (KeyValueIterator<Windowed<Object>, Object> each = rows.findSessions(key, Math.max(0, at - gap), at + gap)) {
                    while (each.hasNext()) {
                        KeyValue<Windowed<Object>, Object> one = each.next();
                        met.add(one.key);
                        sum.append(text(one.value));
                        start = Math.min(start, one.key.window().start());
                        end = Math.max(end, one.key.window().end());
                    }
                }
                for (Windowed<Object> one : met) rows.remove(one);
                if (value != null) rows.put(new Windowed<>(key, new SessionWindow(start, end)), sum + text(value));
                StringBuilder out = new StringBuilder(met.size() + ">");
                try (KeyValueIterator<Windowed<Object>, Object> each = rows.fetch(key)) {
                    while (each.hasNext()) { KeyValue<Windowed<Object>, Object> one = each.next(); out.append(textKey(one.key)).append("=").append(text(one.value)).append(";"); }
                }
                return out.toString();
            }
        }
        static class KeepingVersions extends Keeping {
            VersionedKeyValueStore<Object, Object> rows;
            KeepingVersions(JsonNode op, String store) { super(op, store); }
            @Override public void init(ProcessorContext<Object, Object> c) { super.init(c); rows = c.getStateStore(store); }
            static String said(VersionedRecord<Object> one) {
                return one == null ? "null" : text(one.value()) + "@" + one.timestamp();
            }
            @Override String keep(Object key, Object value, long at) {
                String done;
                if (value == null && op.path("all").booleanValue()) {
                    done = said(rows.delete(key, at));
                } else {
                    long to = rows.put(key, value, at);
                    done = to == VersionedKeyValueStore.PUT_RETURN_CODE_NOT_PUT ? "not" : String.valueOf(to);
                }
                return done + ">" + said(rows.get(key)) + ";" + said(rows.get(key, at)) + ";" + said(rows.get(key, Math.max(0, at - 7)));
            }
        }

        JoinWindows joinWindows(JsonNode op) {
            JoinWindows w = JoinWindows.ofTimeDifferenceAndGrace(Duration.ZERO, ms(op, "grace"));
            // The larger one first: a window that ends before it begins is refused on the way too.
            return op.path("before").longValue() < 0 ? w.after(ms(op, "after")).before(ms(op, "before")) : w.before(ms(op, "before")).after(ms(op, "after"));
        }
        @SuppressWarnings("unchecked")
        Object joinStream(JsonNode op, KStream<Object, Object> s, Object with) {
            String f = op.get("f").textValue();
            String kind = op.get("kind").textValue();
            ValueJoinerWithKey<Object, Object, Object, Object> j = (k, l, r) -> joined(f, k, l, r);
            if (with instanceof KStream) {
                KStream<Object, Object> other = (KStream<Object, Object>) with;
                StreamJoined<Object, Object, Object> how = StreamJoined.with(ANY, ANY, ANY);
                if (name(op) != null) how = how.withName(name(op));
                if (has(op, "store")) how = how.withStoreName(op.get("store").textValue());
                JoinWindows w = joinWindows(op);
                return kind.equals("inner") ? s.join(other, j, w, how) : kind.equals("left") ? s.leftJoin(other, j, w, how) : s.outerJoin(other, j, w, how);
            }
            if (with instanceof GlobalKTable) {
                GlobalKTable<Object, Object> table = (GlobalKTable<Object, Object>) with;
                String kf = op.get("k").textValue();
                KeyValueMapper<Object, Object, Object> k = (key, v) -> keyOf(kf, key, v);
                Named n = name(op) == null ? null : Named.as(name(op));
                if (n == null) return kind.equals("inner") ? s.join(table, k, j) : s.leftJoin(table, k, j);
                return kind.equals("inner") ? s.join(table, k, j, n) : s.leftJoin(table, k, j, n);
            }
            KTable<Object, Object> table = (KTable<Object, Object>) with;
            Joined<Object, Object, Object> how = Joined.with(ANY, ANY, ANY);
            if (name(op) != null) how = how.withName(name(op));
            if (has(op, "grace")) how = how.withGracePeriod(ms(op, "grace"));
            return kind.equals("inner") ? s.join(table, j, how) : s.leftJoin(table, j, how);
        }

        @SuppressWarnings({"unchecked", "rawtypes"})
        Object onTable(JsonNode op, String verb, KTable<Object, Object> t, Object with) {
            String f = op.path("f").textValue();
            Named n = name(op) == null ? null : Named.as(name(op));
            boolean keep = keeps(op);
            switch (verb) {
                case "filter": {
                    Predicate<Object, Object> p = (k, v) -> holds(f, k, v);
                    if (keep) return n == null ? t.filter(p, kept(op)) : t.filter(p, n, kept(op));
                    return n == null ? t.filter(p) : t.filter(p, n);
                }
                case "filter_not": {
                    Predicate<Object, Object> p = (k, v) -> holds(f, k, v);
                    if (keep) return n == null ? t.filterNot(p, kept(op)) : t.filterNot(p, n, kept(op));
                    return n == null ? t.filterNot(p) : t.filterNot(p, n);
                }
                case "map_values": {
                    ValueMapperWithKey<Object, Object, Object> m = (k, v) -> mapped(f, k, v);
                    if (keep) return n == null ? t.mapValues(m, kept(op)) : t.mapValues(m, n, kept(op));
                    return n == null ? t.mapValues(m) : t.mapValues(m, n);
                }
                case "transform_values": {
                    ValueTransformerWithKeySupplier<Object, Object, Object> m = () -> new ValueTransformerWithKey<Object, Object, Object>() {
                        @Override public void init(org.apache.kafka.streams.processor.ProcessorContext c) { }
                        @Override public Object transform(Object k, Object v) { return mapped(f, k, v); }
                        @Override public void close() { }
                    };
                    if (keep) return n == null ? t.transformValues(m, this.<KeyValueStore<Bytes, byte[]>>kept(op)) : t.transformValues(m, this.<KeyValueStore<Bytes, byte[]>>kept(op), n);
                    return n == null ? t.transformValues(m) : t.transformValues(m, n);
                }
                case "to_stream":
                    if (op.hasNonNull("k")) {
                        KeyValueMapper<Object, Object, Object> m = (k, v) -> keyOf(op.get("k").textValue(), k, v);
                        return n == null ? t.toStream(m) : t.toStream(m, n);
                    }
                    return n == null ? t.toStream() : t.toStream(n);
                case "suppress": {
                    Suppressed<?> how;
                    Suppressed.BufferConfig<?> room = has(op, "max_records") ? Suppressed.BufferConfig.maxRecords(op.get("max_records").longValue())
                        : has(op, "max_bytes") ? Suppressed.BufferConfig.maxBytes(op.get("max_bytes").longValue()) : Suppressed.BufferConfig.unbounded();
                    if (op.path("strict").booleanValue()) room = room.shutDownWhenFull();
                    if (op.path("nolog").booleanValue()) room = room.withLoggingDisabled();
                    if (op.get("until").textValue().equals("close")) {
                        how = Suppressed.untilWindowCloses((Suppressed.StrictBufferConfig) room);
                        if (name(op) != null) how = ((Suppressed) how).withName(name(op));
                    } else {
                        how = Suppressed.untilTimeLimit(ms(op, "ms"), room);
                        if (name(op) != null) how = ((Suppressed) how).withName(name(op));
                    }
                    return t.suppress((Suppressed) how);
                }
                case "group_by":
                    return t.groupBy((k, v) -> new KeyValue<>(keyOf(op.get("k").textValue(), k, v), mapped(f, k, v)), grouped(op));
                case "join": {
                    KTable<Object, Object> other = (KTable<Object, Object>) with;
                    String kind = op.get("kind").textValue();
                    if (op.hasNonNull("fk")) {
                        String fk = op.get("fk").textValue();
                        BiFunction<Object, Object, Object> e = (k, v) -> keyOf(fk, k, v);
                        ValueJoiner<Object, Object, Object> j = (l, r) -> joined(f, null, l, r);
                        TableJoined<Object, Object> how = name(op) == null ? TableJoined.with(null, null) : TableJoined.as(name(op));
                        if (has(op, "partitioner")) how = how.withPartitioner(partitioner(op.get("partitioner").textValue()));
                        if (has(op, "other_partitioner")) how = how.withOtherPartitioner(partitioner(op.get("other_partitioner").textValue()));
                        Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> m = kept(op);
                        return kind.equals("inner") ? t.join(other, e, j, how, m) : t.leftJoin(other, e, j, how, m);
                    }
                    ValueJoiner<Object, Object, Object> j = (l, r) -> joined(f, null, l, r);
                    if (keep) {
                        Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> m = kept(op);
                        if (n == null) return kind.equals("inner") ? t.join(other, j, m) : kind.equals("left") ? t.leftJoin(other, j, m) : t.outerJoin(other, j, m);
                        return kind.equals("inner") ? t.join(other, j, n, m) : kind.equals("left") ? t.leftJoin(other, j, n, m) : t.outerJoin(other, j, n, m);
                    }
                    if (n == null) return kind.equals("inner") ? t.join(other, j) : kind.equals("left") ? t.leftJoin(other, j) : t.outerJoin(other, j);
                    return kind.equals("inner") ? t.join(other, j, n) : kind.equals("left") ? t.leftJoin(other, j, n) : t.outerJoin(other, j, n);
                }
                default: throw new IllegalStateException(verb);
            }
        }

        @SuppressWarnings({"unchecked", "rawtypes"})
        Object onGroup(JsonNode op, String verb, Object from) {
            String f = op.path("f").textValue();
            Named n = name(op) == null ? null : Named.as(name(op));
            Initializer<Object> init = () -> initial(f);
            Aggregator<Object, Object, Object> adder = (k, v, sum) -> added(f, k, v, sum);
            Merger<Object, Object> merger = (k, a, b) -> united(f, k, a, b);
            Reducer<Object> reducer = (a, b) -> reduced(f, a, b);
            if (from instanceof KGroupedTable) {
                KGroupedTable<Object, Object> g = (KGroupedTable<Object, Object>) from;
                Aggregator<Object, Object, Object> subtractor = (k, v, sum) -> subtracted(f, k, v, sum);
                Reducer<Object> minus = (a, b) -> reduced("minus", a, b);
                switch (verb) {
                    case "count": if (!keeps(op)) return n == null ? g.count() : g.count(n);
                        return n == null ? g.count(keptCount(op)) : g.count(n, keptCount(op));
                    case "reduce": return n == null ? g.reduce(reducer, minus, kept(op)) : g.reduce(reducer, minus, n, kept(op));
                    default: return n == null ? g.aggregate(init, adder, subtractor, kept(op)) : g.aggregate(init, adder, subtractor, n, kept(op));
                }
            }
            if (verb.equals("windowed")) return windowed(op, from);
            if (verb.equals("cogroup")) {
                Object more = has(op, "with") ? made.get(op.get("with").intValue()) : null;
                if (from instanceof CogroupedKStream) return ((CogroupedKStream<Object, Object>) from).cogroup((KGroupedStream<Object, Object>) more, adder);
                return ((KGroupedStream<Object, Object>) from).cogroup(adder);
            }
            if (from instanceof KGroupedStream) {
                KGroupedStream<Object, Object> g = (KGroupedStream<Object, Object>) from;
                switch (verb) {
                    case "count": if (!keeps(op)) return n == null ? g.count() : g.count(n);
                        return n == null ? g.count(keptCount(op)) : g.count(n, keptCount(op));
                    case "reduce": return n == null ? g.reduce(reducer, kept(op)) : g.reduce(reducer, n, kept(op));
                    default: return n == null ? g.aggregate(init, adder, kept(op)) : g.aggregate(init, adder, n, kept(op));
                }
            }
            if (from instanceof TimeWindowedKStream) {
                TimeWindowedKStream<Object, Object> g = (TimeWindowedKStream<Object, Object>) from;
                switch (verb) {
                    case "emit_on_close": return g.emitStrategy(EmitStrategy.onWindowClose());
                    case "count": if (!keeps(op)) return n == null ? g.count() : g.count(n);
                        return n == null ? g.count(keptCount(op)) : g.count(n, keptCount(op));
                    case "reduce": return n == null ? g.reduce(reducer, kept(op)) : g.reduce(reducer, n, kept(op));
                    default: return n == null ? g.aggregate(init, adder, kept(op)) : g.aggregate(init, adder, n, kept(op));
                }
            }
            if (from instanceof SessionWindowedKStream) {
                SessionWindowedKStream<Object, Object> g = (SessionWindowedKStream<Object, Object>) from;
                switch (verb) {
                    case "emit_on_close": return g.emitStrategy(EmitStrategy.onWindowClose());
                    case "count": if (!keeps(op)) return n == null ? g.count() : g.count(n);
                        return n == null ? g.count(keptCount(op)) : g.count(n, keptCount(op));
                    case "reduce": return n == null ? g.reduce(reducer, kept(op)) : g.reduce(reducer, n, kept(op));
                    default: return n == null ? g.aggregate(init, adder, merger, kept(op)) : g.aggregate(init, adder, merger, n, kept(op));
                }
            }
            if (from instanceof CogroupedKStream) {
                CogroupedKStream<Object, Object> g = (CogroupedKStream<Object, Object>) from;
                return n == null ? g.aggregate(init, kept(op)) : g.aggregate(init, n, kept(op));
            }
            if (from instanceof TimeWindowedCogroupedKStream) {
                TimeWindowedCogroupedKStream<Object, Object> g = (TimeWindowedCogroupedKStream<Object, Object>) from;
                return n == null ? g.aggregate(init, kept(op)) : g.aggregate(init, n, kept(op));
            }
            SessionWindowedCogroupedKStream<Object, Object> g = (SessionWindowedCogroupedKStream<Object, Object>) from;
            return n == null ? g.aggregate(init, merger, kept(op)) : g.aggregate(init, merger, n, kept(op));
        }
        @SuppressWarnings({"unchecked", "rawtypes"})
        Object windowed(JsonNode op, Object from) {
            KGroupedStream<Object, Object> g = from instanceof KGroupedStream ? (KGroupedStream<Object, Object>) from : null;
            CogroupedKStream<Object, Object> c = g == null ? (CogroupedKStream<Object, Object>) from : null;
            switch (op.get("window").textValue()) {
                case "time": {
                    TimeWindows w = TimeWindows.ofSizeAndGrace(ms(op, "size"), ms(op, "grace"));
                    if (has(op, "advance")) w = w.advanceBy(ms(op, "advance"));
                    return g != null ? g.windowedBy(w) : c.windowedBy(w);
                }
                case "sliding": {
                    SlidingWindows w = SlidingWindows.ofTimeDifferenceAndGrace(ms(op, "size"), ms(op, "grace"));
                    return g != null ? g.windowedBy(w) : c.windowedBy(w);
                }
                case "session": {
                    SessionWindows w = SessionWindows.ofInactivityGapAndGrace(ms(op, "size"), ms(op, "grace"));
                    return g != null ? g.windowedBy(w) : c.windowedBy(w);
                }
                default: {
                    UnlimitedWindows w = UnlimitedWindows.of().startOn(Instant.ofEpochMilli(op.get("start").longValue()));
                    return g != null ? g.windowedBy(w) : c.windowedBy(w);
                }
            }
        }
    }

    // ---- running a case ------------------------------------------------------------------------------------------------------

    static String latin(byte[] bytes) { return bytes == null ? null : new String(bytes, StandardCharsets.ISO_8859_1); }

    static String kindOf(Throwable error) {
        for (Throwable t = error; t != null; t = t.getCause()) {
            if (t instanceof Mistake) return "user";
            if (t instanceof SerializationException) return "record";
            if (t instanceof TopologyException) return "topology";
            if (String.valueOf(t.getMessage()).contains("exceeded its max capacity")) return "full";
        }
        Throwable t = error;
        while (t.getCause() != null) t = t.getCause();
        return t.getClass().getSimpleName();
    }

    /** What the driver keeps from its users: which partition a record was sent to. */
    static ProducerRecord<byte[], byte[]> read(TopologyTestDriver driver, String topic) {
        try {
            Method read = TopologyTestDriver.class.getDeclaredMethod("readRecord", String.class);
            read.setAccessible(true);
            return (ProducerRecord<byte[], byte[]>) read.invoke(driver, topic);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
    /** Partitioners are told that topics have so many partitions; the driver says 1. */
    static void widen(TopologyTestDriver driver, int partitions) {
        try {
            Field field = TopologyTestDriver.class.getDeclaredField("testDriverProducer");
            field.setAccessible(true);
            Object sends = field.get(driver);
            Field inside = StreamsProducer.class.getDeclaredField("producer");
            inside.setAccessible(true);
            Object below = inside.get(sends);
            inside.set(sends, Proxy.newProxyInstance(Oracle.class.getClassLoader(), new Class<?>[] {Producer.class}, (proxy, method, given) -> {
                if (method.getName().equals("partitionsFor")) {
                    List<PartitionInfo> out = new ArrayList<>();
                    for (int i = 0; i < partitions; i++) out.add(new PartitionInfo((String) given[0], i, null, null, null));
                    return out;
                }
                try { return method.invoke(below, given); } catch (InvocationTargetException e) { throw e.getCause(); }
            }));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
    static void drain(TopologyTestDriver driver, Map<String, ArrayNode> out, int step) {
        for (String name : driver.producedTopicNames()) {
            for (ProducerRecord<byte[], byte[]> r = read(driver, name); r != null; r = read(driver, name)) {
                ArrayNode row = JSON.createArrayNode().add(step).add(latin(r.key())).add(latin(r.value())).add(r.timestamp());
                boolean isChosen = r.partition() != null && !name.endsWith("-changelog");
                if (r.headers().toArray().length > 0 || isChosen) {
                    ArrayNode headers = row.addArray();
                    for (Header h : r.headers()) headers.addArray().add(h.key()).add(latin(h.value()));
                }
                if (isChosen) row.add(r.partition());
                out.computeIfAbsent(name, n -> JSON.createArrayNode()).add(row);
            }
        }
    }
    /** The lines that came since the last call. */
    static void lines(Case c, ArrayNode to) {
        for (String line : c.printed.toString(StandardCharsets.UTF_8).split("\n", -1))
            if (!line.isEmpty()) to.addArray().add(c.step).add(line);
        c.printed.reset();
    }

    static void put(ArrayNode row, Object value) {
        if (value == null) row.addNull(); else if (value instanceof Long) row.add((Long) value); else row.add(value.toString());
    }

    static double dropped(TopologyTestDriver driver) {
        double sum = 0;
        for (var e : driver.metrics().entrySet())
            if (e.getKey().name().equals("dropped-records-total")) sum += (Double) e.getValue().metricValue();
        return sum;
    }

    static Properties properties(JsonNode json, String folder) {
        Properties p = new Properties();
        p.put("application.id", "app");
        p.put("bootstrap.servers", "none:1");
        p.put("state.dir", folder);
        p.put("statestore.cache.max.bytes", "0");
        p.put("default.key.serde", AnySerde.class.getName());
        p.put("default.value.serde", AnySerde.class.getName());
        if (json.path("optimize").booleanValue()) p.put("topology.optimization", "all");
        if (json.path("optimize").isTextual()) p.put("topology.optimization", json.get("optimize").textValue());
        if (json.has("cache")) p.put("statestore.cache.max.bytes", json.get("cache").asText());
        if (json.path("in_memory").booleanValue())
            p.put("dsl.store.suppliers.class", BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class.getName());
        handlers(json.path("handlers"), p);
        return p;
    }

    static ObjectNode run(JsonNode json, String folder) {
        ObjectNode result = JSON.createObjectNode();
        result.set("id", json.get("id"));
        Case c = new Case(json);
        Topology topology;
        Properties p = properties(json, folder);
        try {
            topology = c.topology(p);
        } catch (RuntimeException e) {
            result.put("error", "build");
            result.put("detail", e.toString());
            return result;
        }
        result.put("describe", topology.describe().toString());
        Map<String, ArrayNode> out = new TreeMap<>();
        Map<String, TestInputTopic<byte[], byte[]>> inputs = new HashMap<>();
        ArrayNode printed = JSON.createArrayNode();
        TopologyTestDriver driver = null;
        try {
            driver = new TopologyTestDriver(topology, p, Instant.ofEpochMilli(0));
            if (json.has("widths")) widen(driver, json.get("widths").intValue());
            for (JsonNode input : json.get("inputs")) {
                c.step++;
                int effects = c.effects.size();
                try {
                    if (input.isObject()) {
                        driver.advanceWallClockTime(Duration.ofMillis(input.get("advance").longValue()));
                    } else {
                        pipe(driver, inputs, input);
                    }
                } catch (RuntimeException e) {
                    while (c.effects.size() > effects) c.effects.remove(c.effects.size() - 1);
                    c.printed.reset();
                    result.put("error", kindOf(e) + " at " + c.step);
                    result.put("detail", e.toString());
                    break;
                }
                drain(driver, out, c.step);
                lines(c, printed);
            }
            if (!result.has("error")) {
                result.put("dropped", (long) dropped(driver));
                result.set("stores", stores(driver, json));
            }
        } catch (RuntimeException e) {
            result.put("error", "open: " + kindOf(e));
            result.put("detail", e.toString());
        } finally {
            try { if (driver != null) driver.close(); } catch (RuntimeException e) { /* the case's own error came first */ }
        }
        ObjectNode records = result.putObject("out");
        out.forEach(records::set);
        ArrayNode effects = result.putArray("effects");
        for (Object[] e : c.effects) {
            ArrayNode row = effects.addArray().add((Integer) e[0]).add((Integer) e[1]);
            put(row, e[2]);
            put(row, e[3]);
        }
        if (!printed.isEmpty()) result.set("printed", printed);
        return result;
    }

    /** The internal topics that an application makes on a broker: how many partitions they have, and what of them is configured. */
    static ObjectNode topics(JsonNode json, String folder, String broker) throws Exception {
        ObjectNode result = JSON.createObjectNode();
        result.set("id", json.get("id"));
        String app = json.get("app").textValue();
        Properties p = properties(json, folder);
        p.put("application.id", app);
        p.put("bootstrap.servers", broker);
        json.path("settings").fields().forEachRemaining(one -> p.put(one.getKey(), one.getValue().textValue()));
        Case c = new Case(json);
        Topology topology = c.topology(p);
        ObjectNode found = result.putObject("topics");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker)); KafkaStreams streams = new KafkaStreams(topology, p)) {
            List<NewTopic> inputs = new ArrayList<>();
            json.get("topics").fields().forEachRemaining(one -> inputs.add(new NewTopic(one.getKey(), one.getValue().intValue(), (short) 1)));
            admin.createTopics(inputs).all().get();
            BlockingQueue<String> ends = new LinkedBlockingQueue<>();
            streams.setUncaughtExceptionHandler(e -> { ends.add(e.toString()); return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT; });
            streams.setStateListener((now, before) -> { if (now == KafkaStreams.State.RUNNING) ends.add(""); });
            streams.start();
            String end = ends.poll(60, TimeUnit.SECONDS);
            if (end == null || !end.isEmpty()) {
                found.put("error", end == null ? "does not run" : end);
                return result;
            }
            for (String name : new TreeMap<>(admin.listTopics().namesToListings().get()).keySet()) {
                if (!name.startsWith(app + "-")) continue;
                ObjectNode topic = found.putObject(name);
                topic.put("partitions", admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size());
                ObjectNode configs = topic.putObject("configs");
                ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
                for (ConfigEntry entry : admin.describeConfigs(List.of(resource)).all().get().get(resource).entries())
                    if (entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG) configs.put(entry.name(), entry.value());
            }
        }
        return result;
    }

    /** What goes on after an error: the handlers that come with it, and one for what cannot be written. */
    static void handlers(JsonNode json, Properties p) {
        if (json.path("deserialization").booleanValue()) p.put("deserialization.exception.handler", LogAndContinueExceptionHandler.class);
        if (json.path("processing").booleanValue()) p.put("processing.exception.handler", LogAndContinueProcessingExceptionHandler.class);
        if (json.path("production").booleanValue()) p.put("production.exception.handler", GoOn.class);
        if (json.hasNonNull("dead")) p.put("errors.dead.letter.queue.topic.name", json.get("dead").textValue());
    }
    public static class GoOn implements ProductionExceptionHandler {
        String dead;
        @Override public void configure(Map<String, ?> settings) { dead = (String) settings.get("errors.dead.letter.queue.topic.name"); }
        @Override public Response handleError(ErrorHandlerContext c, ProducerRecord<byte[], byte[]> r, Exception e) {
            return Response.resume(ExceptionHandlerUtils.maybeBuildDeadLetterQueueRecords(dead, r.key(), r.value(), c, e));
        }
        @Override @SuppressWarnings("rawtypes")
        public Response handleSerializationError(ErrorHandlerContext c, ProducerRecord r, Exception e, SerializationExceptionOrigin origin) {
            return Response.resume(ExceptionHandlerUtils.maybeBuildDeadLetterQueueRecords(dead, c.sourceRawKey(), c.sourceRawValue(), c, e));
        }
    }

    /** Every row of every store, as bytes: [key, start, end, value, timestamp]; of a versioned one what was valid at each time of the input. */
    static ObjectNode stores(TopologyTestDriver driver, JsonNode json) {
        ObjectNode out = JSON.createObjectNode();
        JsonNode inputs = json.get("inputs");
        for (Map.Entry<String, StateStore> each : new TreeMap<>(driver.getAllStateStores()).entrySet()) {
            StateStore store = each.getValue();
            ArrayNode rows = out.putArray(each.getKey());
            if (store instanceof VersionedKeyValueStore) {
                for (JsonNode input : inputs)
                    if (input.isArray() && !input.get(1).isNull() && !input.get(1).isObject())
                        versions((VersionedKeyValueStore<Object, Object>) store, fromJson(input.get(1)), json, rows);
                continue;
            }
            if (!(store instanceof WrappedStateStore)) continue;
            StateStore bytes = ((WrappedStateStore<?, ?, ?>) store).wrapped();
            if (bytes instanceof KeyValueStore) {
                try (KeyValueIterator<Bytes, byte[]> all = ((KeyValueStore<Bytes, byte[]>) bytes).all()) {
                    while (all.hasNext()) { KeyValue<Bytes, byte[]> one = all.next(); row(rows, one.key.get(), -1, -1, one.value, store instanceof TimestampedKeyValueStore); }
                }
            } else if (bytes instanceof WindowStore) {
                try (KeyValueIterator<Windowed<Bytes>, byte[]> all = ((WindowStore<Bytes, byte[]>) bytes).all()) {
                    if (all.hasNext() && isWithoutLength(all)) { out.putNull(each.getKey()); continue; }
                    while (all.hasNext()) { KeyValue<Windowed<Bytes>, byte[]> one = all.next(); row(rows, one.key.key().get(), one.key.window().start(), -1, one.value, store instanceof TimestampedWindowStore); }
                }
            } else if (bytes instanceof SessionStore) {
                try (KeyValueIterator<Windowed<Bytes>, byte[]> all = ((SessionStore<Bytes, byte[]>) bytes).fetch(null, null)) {
                    while (all.hasNext()) { KeyValue<Windowed<Bytes>, byte[]> one = all.next(); row(rows, one.key.key().get(), one.key.window().start(), one.key.window().end(), one.value, false); }
                }
            }
        }
        return out;
    }
    /** Windows of no length, of a join of records at the same time, are kept but cannot be listed. */
    static boolean isWithoutLength(KeyValueIterator<Windowed<Bytes>, byte[]> rows) {
        try { rows.peekNextKey(); return false; } catch (IllegalArgumentException e) { return true; }
    }
    static void versions(VersionedKeyValueStore<Object, Object> store, Object key, JsonNode json, ArrayNode rows) {
        boolean counts = false;
        for (JsonNode op : json.get("ops")) counts |= op.get("op").textValue().equals("count") && store.name().equals(op.path("store").textValue());
        for (JsonNode input : json.get("inputs")) {
            if (!input.isArray()) continue;
            VersionedRecord<Object> found = store.get(key, input.get(3).longValue());
            if (found == null) continue;
            byte[] value = counts ? ByteBuffer.allocate(8).putLong((Long) found.value()).array() : encode(found.value());
            row(rows, encode(key), found.timestamp(), found.validTo().orElse(-1L), value, false);
        }
    }
    static void row(ArrayNode rows, byte[] key, long start, long end, byte[] value, boolean timestamped) {
        ArrayNode row = rows.addArray().add(latin(key)).add(start).add(end);
        if (timestamped) row.add(latin(Arrays.copyOfRange(value, 8, value.length))).add(ByteBuffer.wrap(value).getLong());
        else row.add(latin(value)).add(-1);
    }

    static void pipe(TopologyTestDriver driver, Map<String, TestInputTopic<byte[], byte[]>> inputs, JsonNode input) {
        TestInputTopic<byte[], byte[]> topic = inputs.computeIfAbsent(
            input.get(0).textValue(), n -> driver.createInputTopic(n, new ByteArraySerializer(), new ByteArraySerializer()));
        Headers headers = new RecordHeaders();
        if (input.size() > 4)
            for (JsonNode h : input.get(4))
                headers.add(h.get(0).textValue(), h.get(1).isNull() ? null : h.get(1).textValue().getBytes(StandardCharsets.UTF_8));
        topic.pipeInput(new TestRecord<>(raw(input.get(1)), raw(input.get(2)), headers, input.get(3).longValue()));
    }
    /** {"bytes": text} stands for bytes that are no value. */
    static byte[] raw(JsonNode node) {
        return node.isObject() ? node.get("bytes").textValue().getBytes(StandardCharsets.ISO_8859_1) : encode(fromJson(node));
    }

    public static class AnySerde extends Serdes.WrapperSerde<Object> {
        public AnySerde() { super(ANY.serializer(), ANY.deserializer()); }
    }

    public static void main(String[] arguments) throws Exception {
        Thread.currentThread().setContextClassLoader(Oracle.class.getClassLoader());
        PrintStream to = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader from = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = from.readLine(); line != null; line = from.readLine()) {
            JsonNode json = JSON.readTree(line);
            to.println(JSON.writeValueAsString(json.has("topics") ? topics(json, arguments[0], arguments[1]) : run(json, arguments[0])));
            to.flush();
        }
    }
}
