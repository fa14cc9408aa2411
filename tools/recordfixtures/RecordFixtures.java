// SPDX-License-Identifier: Apache-2.0
//
// Prints tests/fixtures/records-kafka-4.3.1.txt: batches and message sets as Kafka's own library writes them, the
// records as it reads them, and what Kafka's validator answers to good and broken ones. Lines:
//   batch NAME HEX                                   bytes, followed by what Kafka reads out of them:
//   record OFFSET TIMESTAMP KEY VALUE [KEY=VALUE]... all in hex, "null" for null and "-" for empty
//   verdict NAME VERSION TOPIC ERROR INDICES HEX     of a Produce request of that version; INDICES are those of refused
//                                                    records, or "-"
// TOPIC is plain, compacted, append (LogAppendTime) or bounded (timestamps within 1000 ms of 1700000000000).
//
// Run: java -cp "JARS/*" tools/recordfixtures/RecordFixtures.java, JARS being the folder of Kafka's jars.
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.*;

public class RecordFixtures {
    static final long NOW = 1_700_000_000_000L;
    static final TopicPartition PARTITION = new TopicPartition("t", 0);
    static final Map<String, Compression> CODECS = new LinkedHashMap<>();
    static {
        CODECS.put("none", Compression.NONE);
        CODECS.put("gzip", Compression.gzip().build());
        CODECS.put("snappy", Compression.snappy().build());
        CODECS.put("lz4", Compression.lz4().build());
        CODECS.put("zstd", Compression.zstd().build());
    }

    static byte[] text(String s) { return s.getBytes(StandardCharsets.UTF_8); }

    static String hex(ByteBuffer b) {
        if (b == null) return "null";
        byte[] bytes = new byte[b.remaining()];
        b.duplicate().get(bytes);
        return bytes.length == 0 ? "-" : HexFormat.of().formatHex(bytes);
    }

    static String hex(byte[] b) { return b == null ? "null" : hex(ByteBuffer.wrap(b)); }

    static SimpleRecord[] records(boolean headers) {
        Header[] some = headers
            ? new Header[] {new RecordHeader("trace", text("abc")), new RecordHeader("", null), new RecordHeader("e", new byte[0])}
            : new Header[0];
        return new SimpleRecord[] {
            new SimpleRecord(NOW, text("key-0"), text("value-0"), some),
            new SimpleRecord(NOW - 5, null, text("no key ".repeat(60)), new Header[0]),
            new SimpleRecord(NOW + 7, text("key-2"), null, some),
            new SimpleRecord(NOW + 1, new byte[0], new byte[0], new Header[0])};
    }

    static void batch(String name, MemoryRecords set) {
        System.out.println("batch " + name + " " + hex(set.buffer()));
        for (org.apache.kafka.common.record.internal.Record r : set.records()) {
            StringBuilder line = new StringBuilder("record " + r.offset() + " " + r.timestamp() + " " + hex(r.key()) + " " + hex(r.value()));
            for (Header h : r.headers()) line.append(" " + hex(text(h.key())) + "=" + hex(h.value()));
            System.out.println(line);
        }
    }

    static MemoryRecords v2(Compression codec, SimpleRecord... records) { return MemoryRecords.withRecords(codec, records); }

    static MemoryRecords legacy(int magic, Compression codec, SimpleRecord... records) {
        return MemoryRecords.withRecords((byte) magic, 0L, codec, TimestampType.CREATE_TIME, records);
    }

    // What the broker's append does with the bytes up to the log itself.
    static String judge(short version, String topic, byte[] bytes) {
        MemoryRecords set = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes.clone()));
        try {
            if (version >= 3) ProduceRequest.validateRecords(version, set); // Newer brokers refuse all below.
            CompressionType type = CompressionType.NONE;
            for (MutableRecordBatch b : set.batches()) {
                if (b.magic() >= 2 && b.baseOffset() != 0) return Errors.INVALID_RECORD + " -";
                if (!b.isValid()) return Errors.CORRUPT_MESSAGE + " -";
                if (b.compressionType() != CompressionType.NONE) type = b.compressionType();
            }
            LogValidator.MetricsRecorder none = new LogValidator.MetricsRecorder() {
                public void recordInvalidMagic() {}
                public void recordInvalidOffset() {}
                public void recordInvalidSequence() {}
                public void recordInvalidChecksums() {}
                public void recordNoKeyCompactedTopic() {}
            };
            Time time = (Time) java.lang.reflect.Proxy.newProxyInstance(Time.class.getClassLoader(), new Class<?>[] {Time.class},
                (self, method, arguments) -> method.getName().equals("milliseconds") ? (Object) NOW : (Object) 0L);
            long bound = topic.equals("bounded") ? 1000 : Long.MAX_VALUE;
            new LogValidator(set, PARTITION, time, type, Compression.of(type).build(), topic.equals("compacted"), (byte) 2,
                topic.equals("append") ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, bound, bound, 0,
                AppendOrigin.CLIENT).validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(100), none, BufferSupplier.NO_CACHING);
            return Errors.NONE + " -";
        } catch (RecordValidationException e) {
            return Errors.forException(e.invalidException()) + " "
                + e.recordErrors().stream().map(r -> Integer.toString(r.batchIndex)).collect(Collectors.joining(","));
        } catch (Throwable e) {
            System.err.println(e);
            return Errors.forException(e) + " -";
        }
    }

    static void verdict(String name, int version, String topic, byte[] bytes) {
        System.err.println(name);
        System.out.println("verdict " + name + " " + version + " " + topic + " " + judge((short) version, topic, bytes) + " " + hex(bytes));
    }

    static void verdict(String name, String topic, byte[] bytes) { verdict(name, 9, topic, bytes); }

    static byte[] bytes(MemoryRecords set) {
        byte[] out = new byte[set.buffer().remaining()];
        set.buffer().duplicate().get(out);
        return out;
    }

    static byte[] changed(byte[] batch, Consumer<ByteBuffer> change) {
        byte[] copy = batch.clone();
        ByteBuffer buffer = ByteBuffer.wrap(copy);
        change.accept(buffer);
        CRC32C crc = new CRC32C();
        crc.update(copy, 21, copy.length - 21);
        buffer.putInt(17, (int) crc.getValue());
        return copy;
    }

    static byte[] flag(byte[] batch, int bits) { return changed(batch, b -> b.putShort(21, (short) (b.getShort(21) | bits))); }

    static byte[] joined(byte[] a, byte[] b) {
        byte[] out = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, out, a.length, b.length);
        return out;
    }

    // The same records bytes under another header length.
    static byte[] withRecords(byte[] batch, byte[] records) {
        byte[] out = joined(Arrays.copyOf(batch, 61), records);
        return changed(out, b -> b.putInt(8, out.length - 12));
    }

    static void batches() {
        for (String codec : CODECS.keySet()) batch("v2-" + codec, v2(CODECS.get(codec), records(true)));
        batch("v2-append-time", MemoryRecords.withRecords((byte) 2, 40L, CODECS.get("lz4"), TimestampType.LOG_APPEND_TIME, records(true)));
        batch("v2-idempotent", MemoryRecords.withIdempotentRecords(30L, CODECS.get("zstd"), 4711L, (short) 3, 2147483646, 5, records(false)));
        batch("v2-transactional", MemoryRecords.withTransactionalRecords(Compression.NONE, 4711L, (short) 3, 8, records(false)));
        batch("v2-commit", MemoryRecords.withEndTransactionMarker(50L, NOW, 6, 4711L, (short) 3, new EndTransactionMarker(ControlRecordType.COMMIT, 12)));
        batch("v2-abort", MemoryRecords.withEndTransactionMarker(51L, NOW, 6, 4711L, (short) 3, new EndTransactionMarker(ControlRecordType.ABORT, 13)));
        ByteBuffer empty = ByteBuffer.allocate(61);
        DefaultRecordBatch.writeEmptyHeader(empty, (byte) 2, 4711L, (short) 3, 17, 60L, 64L, 6, TimestampType.CREATE_TIME, NOW, true, false);
        empty.flip();
        batch("v2-emptied", MemoryRecords.readableRecords(empty));
        for (int magic = 0; magic <= 1; ++magic) {
            for (String codec : CODECS.keySet()) {
                if (!codec.equals("zstd")) batch("v" + magic + "-" + codec, legacy(magic, CODECS.get(codec), records(false)));
            }
        }
    }

    static void verdicts() {
        for (String codec : CODECS.keySet()) {
            Compression c = CODECS.get(codec);
            byte[] good = bytes(v2(c, records(true)));
            for (String topic : List.of("plain", "append", "bounded", "compacted")) verdict("good-" + codec, topic, good);
            byte[] keyed = bytes(v2(c, new SimpleRecord(NOW, text("k"), text("v")), new SimpleRecord(NOW + 2000, text("k"), null)));
            for (String topic : List.of("compacted", "bounded")) verdict("keyed-" + codec, topic, keyed);
            verdict("early-" + codec, "bounded", bytes(v2(c, new SimpleRecord(NOW - 1001, text("v")), new SimpleRecord(-1L, text("v")))));
            verdict("count-0-" + codec, "plain", changed(good, b -> b.putInt(57, 0)));
            verdict("count-negative-" + codec, "plain", changed(good, b -> b.putInt(57, -1)));
            verdict("count-more-" + codec, "plain", changed(good, b -> b.putInt(57, 5)));
            verdict("count-and-delta-more-" + codec, "compacted", changed(good, b -> b.putInt(57, 5).putInt(23, 4)));
            verdict("count-and-delta-less-" + codec, "compacted", changed(good, b -> b.putInt(57, 3).putInt(23, 2)));
            verdict("delta-negative-" + codec, "plain", changed(good, b -> b.putInt(23, -1)));
            verdict("control-" + codec, "plain", flag(good, 0x20));
            verdict("producer-without-sequence-" + codec, "plain", changed(good, b -> b.putLong(43, 5)));
            verdict("bad-crc-" + codec, "plain", broken(good));
            verdict("base-offset-" + codec, "plain", changed(good, b -> b.putLong(0, 1)));
            verdict("two-" + codec, "plain", joined(good, good));
            verdict("magic-1-" + codec, "plain", changed(good, b -> b.put(16, (byte) 1)));
            verdict("magic-3-" + codec, "plain", changed(good, b -> b.put(16, (byte) 3)));
            verdict("length-13-" + codec, "plain", changed(good, b -> b.putInt(8, 13)));
            verdict("length-48-" + codec, "plain", changed(Arrays.copyOf(good, 60), b -> b.putInt(8, 48)));
            verdict("version-6-" + codec, 6, "plain", good);
            verdict("version-3-" + codec, 3, "plain", good);
            byte[] tail = Arrays.copyOfRange(good, 61, good.length);
            if (!codec.equals("none")) verdict("garbage-" + codec, "compacted", withRecords(good, text("this is no stream at all")));
            if (!codec.equals("none")) verdict("cut-stream-" + codec, "compacted", withRecords(good, Arrays.copyOf(tail, tail.length / 2)));
        }
        byte[] plain = bytes(v2(Compression.NONE, records(true)));
        byte[] tail = Arrays.copyOfRange(plain, 61, plain.length);
        verdict("cut-record", "plain", withRecords(plain, Arrays.copyOf(tail, tail.length - 1)));
        verdict("extra-byte", "plain", withRecords(plain, Arrays.copyOf(tail, tail.length + 1)));
        verdict("no-records", "plain", withRecords(plain, new byte[0]));
        verdict("empty", "plain", new byte[0]);
        verdict("cut-batch", "plain", Arrays.copyOf(plain, plain.length - 1));
        verdict("idempotent", "plain", bytes(MemoryRecords.withIdempotentRecords(Compression.NONE, 5L, (short) 0, 0, records(false))));
        verdict("transactional", "plain", bytes(MemoryRecords.withTransactionalRecords(Compression.NONE, 5L, (short) 0, 0, records(false))));
        verdict("append-bit", "append", flag(plain, 0x08));
        for (int magic = 0; magic <= 1; ++magic) {
            for (String codec : List.of("none", "gzip", "snappy", "lz4")) {
                byte[] set = bytes(legacy(magic, CODECS.get(codec), records(false)));
                String name = "legacy-" + magic + "-" + codec;
                verdict(name, 2, "plain", set);
                verdict(name, 3, "plain", set);
                verdict(name, 2, "compacted", set);
                verdict(name, 2, "bounded", set);
                verdict(name + "-bad-crc", 2, "plain", broken(set));
                if (!codec.equals("none")) verdict(name + "-two", 2, "plain", joined(set, set));
            }
            verdict("legacy-short-" + magic, 2, "plain", HexFormat.of().parseHex("00000000000000000000000d0000000000000000000000000000"));
        }
        byte[] v0 = bytes(legacy(0, Compression.NONE, records(false)));
        byte[] v1 = bytes(legacy(1, Compression.NONE, records(false)));
        verdict("legacy-cut", 2, "plain", Arrays.copyOf(v1, v1.length - 1));
        verdict("legacy-empty", 2, "plain", new byte[0]);
        verdict("legacy-append-time", 2, "plain", bytes(MemoryRecords.withRecords((byte) 1, 0L, CODECS.get("gzip"), TimestampType.LOG_APPEND_TIME, records(false))));
        verdict("legacy-mixed", 2, "plain", joined(v0, v1));
        verdict("legacy-mixed-codecs", 2, "plain", joined(v1, bytes(legacy(1, CODECS.get("gzip"), records(false)))));
        verdict("legacy-mixed-magic-2", 2, "plain", joined(v1, plain));
    }

    static byte[] broken(byte[] bytes) {
        byte[] copy = bytes.clone();
        copy[copy.length - 1] ^= 0x10;
        return copy;
    }

    public static void main(String[] arguments) {
        System.out.println("# Written by tools/recordfixtures with Apache Kafka 4.3.1; the lines are explained there.");
        batches();
        verdicts();
    }
}
