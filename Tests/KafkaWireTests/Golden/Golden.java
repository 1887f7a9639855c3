// Writes the expected bytes of every API, version and direction that KafkaWire serves, with Apache Kafka's own classes:
//
//     java -cp 'path/to/kafka/libs/*' Golden.java > golden.txt        (made with kafka-clients 4.3.1, Java 17)
//
// A line is: API key, version, q (request) or s (response), variant, header and body in base64. Variants:
//   full     every field has a value of its own, lists have two elements
//   null     as full, but what may be null is null, and lists have one element
//   default  the message as Kafka constructs it
//   blank    as default, but every list of structs has one element as Kafka constructs it
//   tagged   as full, with a tagged field in every struct that no version knows (flexible versions only)
// Values follow from a count n of the fields in the order of the wire, from 1 on in each message; see `primitive`.

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

public class Golden {
    // API key, lowest and highest version.
    static final int[][] SERVED = {
        {0, 3, 9}, {1, 4, 12}, {2, 1, 7}, {3, 0, 12}, {8, 2, 8}, {9, 1, 8}, {10, 0, 4}, {11, 0, 9}, {12, 0, 4},
        {13, 0, 5}, {14, 0, 5}, {15, 0, 5}, {16, 0, 5}, {18, 0, 4}, {19, 2, 7}, {20, 1, 6}, {21, 0, 2}, {22, 0, 4},
        {23, 2, 4}, {24, 0, 3}, {25, 0, 3}, {26, 0, 3}, {28, 0, 3}, {32, 1, 4}, {33, 0, 2}, {37, 0, 3}, {42, 0, 2},
        {44, 0, 1}, {47, 0, 0}, {60, 0, 2}, {61, 0, 0}, {65, 0, 0}, {66, 0, 1},
    };

    final IdentityHashMap<Schema, Class<?>> structs = new IdentityHashMap<>();
    final String variant;
    int count = 0;

    Golden(String variant, Class<?> message) throws Exception {
        this.variant = variant;
        register(message);
    }

    void register(Class<?> struct) throws Exception {
        for (Schema schema : (Schema[]) struct.getField("SCHEMAS").get(null)) {
            if (schema != null) structs.put(schema, struct);
        }
        for (Class<?> nested : struct.getDeclaredClasses()) {
            if (Message.class.isAssignableFrom(nested)) register(nested);
        }
    }

    Object primitive(Class<?> type, String name) {
        count += 1;
        if (name.endsWith("error_code")) return (short) (1 + count % 50);
        if (type == byte.class) return (byte) (1 + count % 100);
        if (type == short.class) return (short) (1_000 + count);
        if (type == int.class) return 100_000 + count;
        if (type == long.class) return 10_000_000_000L + count;
        if (type == boolean.class) return count % 2 == 1;
        if (type == Uuid.class) return new Uuid(count, -count);
        if (type == String.class) return "text-" + count;
        byte[] bytes = {(byte) count, (byte) (count + 1), (byte) 0xFF};
        return type == byte[].class ? bytes : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
    }

    Class<?> elementClass(Type type) {
        String name = type.toString();
        return name.endsWith("STRING") ? String.class : name.equals("INT64") ? long.class : int.class;
    }

    Object value(Type type, Class<?> javaType, Object old, String name) throws Exception {
        if (type.isNullable() && variant.equals("null")) return null;
        boolean isList = type.arrayElementType().filter(element -> element instanceof Schema).isPresent();
        if (variant.equals("blank") && !isList) return old;
        if (type instanceof Schema schema) return struct(schema);
        if (type.arrayElementType().isEmpty()) return primitive(javaType, name);
        Type element = type.arrayElementType().get();
        @SuppressWarnings("unchecked")
        Collection<Object> list = old instanceof List || old == null
            ? new ArrayList<>() : (Collection<Object>) old.getClass().getConstructor().newInstance();
        for (int i = 0; i < (variant.equals("full") || variant.equals("tagged") ? 2 : 1); i++) {
            list.add(element instanceof Schema s ? struct(s) : primitive(elementClass(element), name));
        }
        return list;
    }

    Object struct(Schema schema) throws Exception {
        Object struct = structs.get(schema).getConstructor().newInstance();
        fill(struct, schema);
        return struct;
    }

    void fill(Object struct, Schema schema) throws Exception {
        for (BoundField field : schema.fields()) {
            if (!(field.def.type instanceof TaggedFields tags)) {
                set(struct, field.def.name, field.def.type);
                continue;
            }
            for (Map.Entry<Integer, org.apache.kafka.common.protocol.types.Field> tag : tags.fields().entrySet()) {
                set(struct, tag.getValue().name, tag.getValue().type);
            }
            if (variant.equals("tagged")) {
                ((Message) struct).unknownTaggedFields().add(new RawTaggedField(1_000, new byte[] {1, 2, 3}));
            }
        }
    }

    void set(Object struct, String name, Type type) throws Exception {
        for (Field field : struct.getClass().getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) || !plain(field.getName()).equals(plain(name))) continue;
            field.setAccessible(true);
            field.set(struct, value(type, field.getType(), field.get(struct), name));
            return;
        }
        throw new IllegalStateException("no field " + name + " in " + struct.getClass());
    }

    static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
    }

    static byte[] bytes(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        return buffer.array();
    }

    static void line(ApiMessageType api, short version, boolean request, String variant) throws Exception {
        Message body = (Message) (request ? api.newRequest() : api.newResponse());
        if (!variant.equals("default")) {
            Schema[] schemas = request ? api.requestSchemas() : api.responseSchemas();
            new Golden(variant, body.getClass()).fill(body, schemas[version]);
        }
        short headerVersion = request ? api.requestHeaderVersion(version) : api.responseHeaderVersion(version);
        Message header = request
            ? new RequestHeaderData().setRequestApiKey(api.apiKey()).setRequestApiVersion(version)
                .setCorrelationId(77).setClientId(variant.equals("null") ? null : "golden")
            : new ResponseHeaderData().setCorrelationId(77);
        byte[] head = bytes(header, headerVersion);
        byte[] tail = bytes(body, version);
        byte[] all = ByteBuffer.allocate(head.length + tail.length).put(head).put(tail).array();
        System.out.println(api.apiKey() + " " + version + (request ? " q " : " s ") + variant + " "
            + Base64.getEncoder().encodeToString(all));
    }

    public static void main(String[] arguments) throws Exception {
        for (int[] served : SERVED) {
            ApiMessageType api = ApiMessageType.fromApiKey((short) served[0]);
            for (short version = (short) served[1]; version <= served[2]; version++) {
                for (boolean request : new boolean[] {true, false}) {
                    for (String variant : List.of("full", "null", "default", "blank", "tagged")) {
                        if (variant.equals("tagged") && api.requestHeaderVersion(version) < 2) continue;
                        line(api, version, request, variant);
                    }
                }
            }
        }
    }
}
