package org.apache.flink.statefun.flink.core;

import static java.util.stream.Collectors.joining;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.statefun.flink.common.json.StateFunObjectMapper;
import org.apache.flink.statefun.flink.core.httpfn.HttpFunctionEndpointSpec;
import org.apache.flink.statefun.flink.core.nettyclient.NettyRequestReplySpec;
import org.apache.flink.statefun.flink.io.kinesis.binders.egress.v1.GenericKinesisEgressSerializer;
import org.apache.flink.statefun.sdk.egress.generated.KafkaProducerRecord;
import org.apache.flink.statefun.sdk.egress.generated.KinesisEgressRecord;
import org.apache.flink.statefun.sdk.kinesis.egress.EgressRecord;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/**
 * Reads module files as a job does at its start, and prints what came of each: lines of the file's URI, a path of field names, and a value, with tabs between
 * them; the path is "error" if the file was refused.
 * Before them the fields of messages, below the URI "messages", and a record of Kinesis, below "kinesis-record". In this package because a job's own way of reading is not public.
 */
public final class ModuleReader {
    private static final int DEPTH = 12;

    private ModuleReader() {}

    public static void main(String[] files) {
        for (Descriptor message : new Descriptor[] {TypedValue.getDescriptor(), KafkaProducerRecord.getDescriptor()}) {
            line("messages", message.getName(), message.getFields().stream().map(FieldDescriptor::getName).collect(joining(" ")));
        }
        printKinesisRecord();
        for (String file : files) {
            try {
                StatefulFunctionsUniverse universe = read(file);
                print(file, "ingress", universe.ingress(), 0);
                print(file, "egress", universe.egress(), 0);
                print(file, "functions", universe.functions(), 0);
                print(file, "namespaces", universe.namespaceFunctions(), 0);
            } catch (Throwable error) {
                for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                    line(file, "error", cause);
                }
            }
        }
    }

    /** What the egress of Kinesis makes of the record of a function. */
    private static void printKinesisRecord() {
        KinesisEgressRecord told =
            KinesisEgressRecord.newBuilder()
                .setPartitionKey("key")
                .setValueBytes(ByteString.copyFromUtf8("value"))
                .setStream("stream")
                .setExplicitHashKey("7")
                .build();
        TypedValue.Builder value = TypedValue.newBuilder().setTypename("type.googleapis.com/" + told.getDescriptorForType().getFullName());
        EgressRecord record = new GenericKinesisEgressSerializer().serialize(value.setHasValue(true).setValue(told.toByteString()).build());
        line("kinesis-record", "partition_key", record.getPartitionKey());
        line("kinesis-record", "value_bytes", new String(record.getData(), StandardCharsets.UTF_8));
        line("kinesis-record", "stream", record.getStream());
        line("kinesis-record", "explicit_hash_key", record.getExplicitHashKey());
    }

    private static StatefulFunctionsUniverse read(String file) {
        Configuration configuration = new Configuration();
        configuration.set(StatefulFunctionsConfig.REMOTE_MODULE_NAME, file);
        StatefulFunctionsConfig config = StatefulFunctionsConfig.fromFlinkConfiguration(configuration);
        config.setProvider(new StatefulFunctionsUniverses.ClassPathUniverseProvider());
        return StatefulFunctionsUniverses.get(ModuleReader.class.getClassLoader(), config);
    }

    private static void print(String file, String path, Object value, int depth) throws IllegalAccessException {
        if (value instanceof Optional) {
            print(file, path, ((Optional<?>) value).orElse(null), depth);
        } else if (value instanceof Map) {
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                print(file, path + "." + entry.getKey(), entry.getValue(), depth + 1);
            }
        } else if (value instanceof Collection) {
            int at = 0;
            for (Object element : (Collection<?>) value) {
                print(file, path + "." + at++, element, depth + 1);
            }
        } else if (value == null || value instanceof Enum || depth > DEPTH || !ofStatefun(value)) {
            line(file, path, value);
        } else {
            line(file, path, value.getClass().getSimpleName());
            if (value instanceof HttpFunctionEndpointSpec) {
                Object transport = transport((HttpFunctionEndpointSpec) value);
                print(file, path + ".transport", transport, depth + 1);
                line(file, path + ".ssl", sslContext(transport));
            }
            for (Class<?> type = value.getClass(); type != Object.class; type = type.getSuperclass()) {
                for (Field field : type.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers())) {
                        field.setAccessible(true);
                        print(file, path + "." + field.getName(), field.get(value), depth + 1);
                    }
                }
            }
        }
    }

    /** What the factory of the transport makes of its properties at the first call. */
    private static Object transport(HttpFunctionEndpointSpec endpoint) {
        boolean async = endpoint.transportClientFactoryType().name().equals("async");
        try {
            Class<?> spec = Class.forName(
                ModuleReader.class.getPackageName()
                    + (async ? ".nettyclient.NettyRequestReplySpec" : ".httpfn.DefaultHttpRequestReplyClientSpec"));
            return StateFunObjectMapper.create().treeToValue(endpoint.transportClientProperties(), spec);
        } catch (ClassNotFoundException | JsonProcessingException error) {
            throw new IllegalStateException(error);
        }
    }

    /** What the async transport makes of its certificates before its first call: the class of a context, or why there is none. */
    private static String sslContext(Object spec) throws IllegalAccessException {
        if (!(spec instanceof NettyRequestReplySpec)) {
            return "okhttp";
        }
        try {
            Class<?> client = Class.forName(NettyRequestReplySpec.class.getPackageName() + ".NettyClient");
            Method context = client.getDeclaredMethod("getSslContext", NettyRequestReplySpec.class);
            context.setAccessible(true);
            return context.invoke(null, spec).getClass().getSimpleName();
        } catch (InvocationTargetException refused) {
            return refused.getCause().getMessage();
        } catch (ClassNotFoundException | NoSuchMethodException error) {
            throw new IllegalStateException(error);
        }
    }

    private static boolean ofStatefun(Object value) {
        String name = value.getClass().getName();
        return name.startsWith("org.apache.flink.statefun.") && !name.contains(".shaded.");
    }

    private static void line(String file, String path, Object value) {
        System.out.println(file + "\t" + path + "\t" + String.valueOf(value).replaceAll("\\s+", " "));
    }
}
