import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.network.Send;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.SendBuilder;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Struct;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.ResponseHeader;

/**
 * Frames by Apache Kafka's own classes, one JSON document a line: the bytes that its network layer sends, and the
 * message as Kafka shows it. Takes lines of an API, the first and the last version from standard input.
 *
 * Each request and response comes twice. Once every field is set, each to another value; arrays have two elements, and
 * in the second what may be null is. Once arrays are empty, what may be null is, and no tagged field is set.
 */
public class Frames {
    private static final String CLIENT_ID = "größe €𝄞";

    /** The values that have been made. */
    private int count = 0;

    private Object value(Type type, boolean bare, boolean nulls) throws Exception {
        if (type.isNullable() && nulls) return null;
        if (type.isArray()) {
            Type element = type.arrayElementType().get();
            if (bare) return new Object[0];
            return new Object[] {value(element, false, false), value(element, false, true)};
        }
        if (type instanceof Schema) return struct((Schema) type, bare, nulls);
        int n = ++count;
        switch (type.toString()) {
            case "BOOLEAN": return n % 2 == 0;
            case "INT8": return (byte) (n % 2 == 0 ? n : -n);
            case "INT16": return (short) (n % 2 == 0 ? 0x1234 + n : -n);
            case "INT32": return n % 2 == 0 ? 0x1234_5678 + n : -n;
            case "INT64": return n % 2 == 0 ? 0x12_3456_789a_bcdeL + n : -n;
            case "UUID": return new Uuid(0xfedc_ba98_7654_3210L - n, n);
            case "STRING": case "COMPACT_STRING": case "NULLABLE_STRING": case "COMPACT_NULLABLE_STRING":
                return "value €𝄞 ".repeat(n % 16 == 0 ? 12 : n % 2) + n;
            case "BYTES": case "COMPACT_BYTES": case "NULLABLE_BYTES": case "COMPACT_NULLABLE_BYTES":
                return ByteBuffer.wrap(bytes(n));
            case "RECORDS": case "NULLABLE_RECORDS": return type.read(sized(Type.BYTES, bytes(n * 5)));
            case "COMPACT_RECORDS": case "COMPACT_NULLABLE_RECORDS":
                return type.read(sized(Type.COMPACT_BYTES, bytes(n * 5)));
            default: throw new IllegalStateException(type.toString());
        }
    }

    /** 0, 1, 2 and so on. */
    private static byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) bytes[i] = (byte) i;
        return bytes;
    }

    /** Bytes with the length before them: records can only be read. */
    private static ByteBuffer sized(Type type, byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.allocate(bytes.length + 5);
        type.write(buffer, ByteBuffer.wrap(bytes));
        return buffer.flip();
    }

    private Struct struct(Schema schema, boolean bare, boolean nulls) throws Exception {
        Struct struct = new Struct(schema);
        for (BoundField field : schema.fields()) {
            Type type = field.def.type;
            struct.set(field, type instanceof TaggedFields
                ? tagged((TaggedFields) type, bare, nulls)
                : value(type, bare, nulls));
        }
        return struct;
    }

    @SuppressWarnings("unchecked")
    private Map<Integer, Object> tagged(TaggedFields fields, boolean bare, boolean nulls) throws Exception {
        Map<Integer, Object> values = new TreeMap<>();
        if (bare) return values;
        // 3.9 does not have the method; its versions that are asked for have no tagged fields.
        Map<Integer, Field> known = (Map<Integer, Field>) TaggedFields.class.getMethod("fields").invoke(fields);
        for (Map.Entry<Integer, Field> field : known.entrySet()) {
            values.put(field.getKey(), value(field.getValue().type, false, nulls));
        }
        return values;
    }

    /** Takes the bytes that are sent. */
    private static final class Sink implements TransferableChannel {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        public int write(ByteBuffer source) {
            int size = source.remaining();
            while (source.hasRemaining()) bytes.write(source.get());
            return size;
        }
        public long write(ByteBuffer[] sources) { return write(sources, 0, sources.length); }
        public long write(ByteBuffer[] sources, int offset, int length) {
            long size = 0;
            for (int i = offset; i < offset + length; i++) size += write(sources[i]);
            return size;
        }
        public boolean hasPendingWrites() { return false; }
        public long transferFrom(FileChannel channel, long position, long count) {
            throw new UnsupportedOperationException();
        }
        public boolean isOpen() { return true; }
        public void close() { }
    }

    private static String base64(Send send) throws Exception {
        Sink sink = new Sink();
        while (!send.completed()) send.writeTo(sink);
        return Base64.getEncoder().encodeToString(sink.bytes.toByteArray());
    }

    /** Fills a message of Kafka's, by way of bytes that its schema writes. */
    private static ApiMessage fill(ApiMessage message, Schema schema, short version, boolean bare) throws Exception {
        Struct struct = new Frames().struct(schema, bare, bare);
        ByteBuffer buffer = ByteBuffer.allocate(struct.sizeOf());
        struct.writeTo(buffer);
        message.read(new ByteBufferAccessor(buffer.flip()), version);
        if (buffer.hasRemaining()) throw new IllegalStateException(message.getClass() + " " + version);
        return message;
    }

    private static void print(ApiMessage message, short version, int correlationId, Send send) throws Exception {
        Class<?> type = message.getClass();
        Object json = Class.forName(type.getName() + "JsonConverter")
            .getMethod("write", type, short.class, boolean.class).invoke(null, message, version, false);
        System.out.println("{\"message\":\"" + type.getSimpleName().replace("Data", "") + "\",\"version\":" + version
            + ",\"correlationId\":" + correlationId + ",\"bytes\":\"" + base64(send) + "\",\"value\":" + json + "}");
    }

    public static void main(String[] arguments) throws Exception {
        for (String line : new String(System.in.readAllBytes()).split("\n")) {
            String[] parts = line.split(" ");
            ApiMessageType type = null;
            for (ApiMessageType one : ApiMessageType.values()) if (one.name.equals(parts[0])) type = one;
            ApiKeys key = ApiKeys.forId(type.apiKey());
            int correlationId = type.apiKey() << 16;
            for (short version = Short.parseShort(parts[1]); version <= Short.parseShort(parts[2]); version++) {
                for (boolean bare : new boolean[] {false, true}) {
                    correlationId++;
                    ApiMessage request = fill(type.newRequest(), type.requestSchemas()[version], version, bare);
                    print(request, version, correlationId, SendBuilder.buildRequestSend(
                        new RequestHeader(key, version, bare ? null : CLIENT_ID, correlationId), request));
                    ApiMessage response = fill(type.newResponse(), type.responseSchemas()[version], version, bare);
                    print(response, version, correlationId, SendBuilder.buildResponseSend(
                        new ResponseHeader(correlationId, key.responseHeaderVersion(version)), response, version));
                }
            }
        }
    }
}
