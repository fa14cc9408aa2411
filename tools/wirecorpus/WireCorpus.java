// SPDX-License-Identifier: Apache-2.0
//
// Writes messages with Kafka's own classes, for the corpus under tests/corpus/wire.
// Usage: java WireCorpus <lowest> <highest> <stem> <part> <Class> ... (groups of five); prints one line an entry:
//   <stem> <part> <version> <full|null|default> <hex> <values>
//   <stem> <part> - <Struct>.<field> - <default value>
// Versions that the jar does not have are left out: an older jar fills them in.
// Method: the schema of each version says which fields exist; each gets a value of its own, arrays
// get two elements; the variant "null" has null wherever that is allowed.

import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

public final class WireCorpus {
    private int counter;
    private final boolean nulls;
    private boolean usedNull;
    private boolean unsigned;  // the field in hand is a uint16

    private WireCorpus(boolean nulls) {
        this.nulls = nulls;
    }

    public static void main(String[] args) throws Exception {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i + 4 < args.length; i += 5) {
            Class<?> type = find(args[i + 4]);
            if (type == null) continue;
            String start = args[i + 2] + " " + args[i + 3] + " ";
            entries(start, type, Short.parseShort(args[i]), Short.parseShort(args[i + 1]), out);
        }
        System.out.write(out.toString().getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }

    private static final List<String> PLACES = List.of(
        "org.apache.kafka.common.message.",
        "org.apache.kafka.coordinator.group.generated.",
        "org.apache.kafka.coordinator.transaction.generated.");

    private static Class<?> find(String name) {
        for (String place : PLACES) {
            for (String ending : new String[] {"Data", ""}) {
                try {
                    return Class.forName(place + name + ending);
                } catch (ClassNotFoundException absent) {
                    continue;
                }
            }
        }
        return null;
    }

    private static void entries(String start, Class<?> type, short lowest, short highest, StringBuilder out)
            throws Exception {
        for (short version = lowest; version <= highest; version++) {
            if (schema(type, version) == null) continue;
            write(start + version + " default ", blank(type), version, out);
            write(start + version + " full ", new WireCorpus(false).filled(type, version), version, out);
            WireCorpus some = new WireCorpus(true);
            Object message = some.filled(type, version);
            if (some.usedNull) write(start + version + " null ", message, version, out);
        }
        defaults(start, type, lowest, highest, out);
        for (Class<?> nested : type.getDeclaredClasses()) {
            if (!Collection.class.isAssignableFrom(nested)) defaults(start, nested, lowest, highest, out);
        }
    }

    private static void write(String start, Object message, short version, StringBuilder out) throws Exception {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        Message whole = (Message) message;
        ByteBuffer buffer = ByteBuffer.allocate(whole.size(cache, version));
        whole.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) throw new IllegalStateException("size is not exact: " + start);
        out.append(start).append(hex(buffer.array(), 0, buffer.position())).append(' ');
        print(message, version, out);
        out.append('\n');
    }

    private static void defaults(String start, Class<?> type, short lowest, short highest, StringBuilder out)
            throws Exception {
        Map<String, java.lang.reflect.Field> fields = new LinkedHashMap<>();
        for (short version = lowest; version <= highest; version++) {
            if (schema(type, version) != null) fields.putAll(fields(type, version, new LinkedHashMap<>()));
        }
        Object message = blank(type);
        for (Map.Entry<String, java.lang.reflect.Field> field : fields.entrySet()) {
            Object value = field.getValue().get(message);
            if (value != null && value.getClass().isMemberClass() && !(value instanceof Collection)) continue;
            String name = type.isMemberClass() ? type.getSimpleName() : "";
            out.append(start).append("- ").append(name).append('.').append(field.getKey()).append(" - ");
            print(value, (short) -1, out);
            out.append('\n');
        }
    }

    private static Object blank(Class<?> type) throws Exception {
        return type.getConstructor().newInstance();
    }

    private static Schema schema(Class<?> type, short version) throws Exception {
        Schema[] all = (Schema[]) type.getField("SCHEMAS").get(null);
        return version < all.length ? all[version] : null;
    }

    /** The fields of a version, in the order of the class, by the names of the schema. */
    private static Map<String, java.lang.reflect.Field> fields(
            Class<?> type, short version, Map<String, Type> types) throws Exception {
        Map<String, String> names = new LinkedHashMap<>();
        for (BoundField bound : schema(type, version).fields()) {
            if (bound.def.type instanceof TaggedFields) {
                for (Field tagged : tagged((TaggedFields) bound.def.type).values()) {
                    names.put(plain(tagged.name), tagged.name);
                    types.put(tagged.name, tagged.type);
                }
            } else {
                names.put(plain(bound.def.name), bound.def.name);
                types.put(bound.def.name, bound.def.type);
            }
        }
        Map<String, java.lang.reflect.Field> found = new LinkedHashMap<>();
        for (java.lang.reflect.Field field : type.getDeclaredFields()) {
            String name = names.get(plain(field.getName()));
            if (name == null || Modifier.isStatic(field.getModifiers())) continue;
            field.setAccessible(true);
            found.put(name, field);
        }
        if (found.size() != names.size()) throw new IllegalStateException(type + " lacks one of " + names);
        return found;
    }

    @SuppressWarnings("unchecked")
    private static NavigableMap<Integer, Field> tagged(TaggedFields section) throws Exception {
        java.lang.reflect.Field fields = TaggedFields.class.getDeclaredField("fields");
        fields.setAccessible(true);
        return (NavigableMap<Integer, Field>) fields.get(section);
    }

    private static String plain(String name) {
        return name.replace("_", "").toLowerCase();
    }

    private Object filled(Class<?> type, short version) throws Exception {
        Object message = blank(type);
        Map<String, Type> types = new LinkedHashMap<>();
        for (Map.Entry<String, java.lang.reflect.Field> entry : fields(type, version, types).entrySet()) {
            java.lang.reflect.Field field = entry.getValue();
            Type wire = types.get(entry.getKey());
            boolean nullable = wire.isNullable() || wire.getClass().getSimpleName().equals("NullableSchema")
                || isOptionalStruct(type, field, wire);
            if (nulls && nullable) {
                usedNull = true;
                field.set(message, null);
            } else {
                unsigned = wire.toString().equals("UINT16");
                field.set(message, value(field.getType(), field.getGenericType(), version, field.get(message)));
                unsigned = false;
            }
        }
        return message;
    }

    /** Jars before 4 do not say in the schema that a struct may be null; its default says it. */
    private static boolean isOptionalStruct(Class<?> type, java.lang.reflect.Field field, Type wire) throws Exception {
        return wire instanceof Schema && field.get(blank(type)) == null;
    }

    private Object value(Class<?> type, java.lang.reflect.Type generic, short version, Object was) throws Exception {
        int n = ++counter;
        if (type == boolean.class || type == Boolean.class) return was == null || !(Boolean) was;
        if (type == byte.class || type == Byte.class) return (byte) (n % 100 + 11);
        if (type == short.class || type == Short.class) return (short) (n % 2 == 0 ? 0x1200 + n : -0x1200 - n);
        // uint16 is an int in Java; a port above 32767 shows its sign, and an int32 takes any value.
        if (type == int.class || type == Integer.class) return unsigned ? 40000 + n : 0x12340000 + n;
        if (type == long.class || type == Long.class) return n % 2 == 0 ? 0x1234567800000000L + n : -0x1234567800000000L - n;
        if (type == double.class) return n + 0.5;
        if (type == String.class) return "s" + n + (n % 7 == 0 ? "\u00e9" : "") + (n % 29 == 0 ? "-".repeat(130) : "");
        if (type == Uuid.class) return new Uuid(0x4242424242424242L + n, n);
        if (type == byte[].class) return bytes(n);
        if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes(n));
        if (type.getSimpleName().equals("BaseRecords")) return records(type, bytes(n));
        if (Collection.class.isAssignableFrom(type)) return two(type, generic, version);
        return filled(type, version);
    }

    @SuppressWarnings("unchecked")
    private Object two(Class<?> type, java.lang.reflect.Type generic, short version) throws Exception {
        Collection<Object> list;
        Class<?> element;
        if (type == List.class) {
            list = new ArrayList<>();
            element = (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
        } else {
            list = (Collection<Object>) blank(type);
            element = (Class<?>) ((ParameterizedType) type.getGenericSuperclass()).getActualTypeArguments()[0];
        }
        list.add(value(element, element, version, null));
        list.add(value(element, element, version, null));
        if (list.size() != 2) throw new IllegalStateException("elements fell together in " + type);
        return list;
    }

    /** By reflection: the classes moved to another package between 3.9 and 4.3. */
    private static Object records(Class<?> base, byte[] raw) throws Exception {
        Class<?> records = Class.forName(base.getName().replace("BaseRecords", "MemoryRecords"));
        return records.getMethod("readableRecords", ByteBuffer.class).invoke(null, ByteBuffer.wrap(raw));
    }

    private static byte[] bytes(int n) {
        byte[] raw = new byte[n % 5 + 3];
        for (int i = 0; i < raw.length; i++) raw[i] = (byte) (n * 31 + i * 7);
        return raw;
    }

    private static String hex(byte[] raw, int from, int to) {
        return to > from ? HexFormat.of().formatHex(raw, from, to) : "-";
    }

    private static void print(Object value, short version, StringBuilder out) throws Exception {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof String) {
            out.append('"').append(value).append('"');
        } else if (value instanceof Uuid) {
            Uuid id = (Uuid) value;
            out.append(String.format("@%016x%016x", id.getMostSignificantBits(), id.getLeastSignificantBits()));
        } else if (value instanceof byte[]) {
            out.append('#').append(HexFormat.of().formatHex((byte[]) value));
        } else if (value instanceof ByteBuffer) {
            ByteBuffer view = ((ByteBuffer) value).duplicate();
            view.rewind();
            byte[] raw = new byte[view.remaining()];
            view.get(raw);
            out.append('#').append(HexFormat.of().formatHex(raw));
        } else if (value.getClass().getSimpleName().equals("MemoryRecords")) {
            print(value.getClass().getMethod("buffer").invoke(value), version, out);
        } else if (value instanceof Collection) {
            out.append('[');
            String between = "";
            for (Object element : (Collection<?>) value) {
                out.append(between);
                print(element, version, out);
                between = ",";
            }
            out.append(']');
        } else {
            printStruct(value, version, out);
        }
    }

    private static void printStruct(Object message, short version, StringBuilder out) throws Exception {
        out.append('{');
        String between = "";
        for (Map.Entry<String, java.lang.reflect.Field> field
                : fields(message.getClass(), version, new LinkedHashMap<>()).entrySet()) {
            out.append(between).append(field.getKey()).append(':');
            print(field.getValue().get(message), version, out);
            between = ",";
        }
        out.append('}');
    }
}
