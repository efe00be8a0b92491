package org.apache.flink.statefun.flink.core;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.Configuration;

/**
 * Reads module files as a job does at its start, and prints what came of each: lines of the file's URI, a path of field names, and a value, with tabs between
 * them; the path is "error" if the file was refused. In this package because a job's own way of reading is not public.
 */
public final class ModuleReader {
    private static final int DEPTH = 12;

    private ModuleReader() {}

    public static void main(String[] files) {
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

    private static boolean ofStatefun(Object value) {
        String name = value.getClass().getName();
        return name.startsWith("org.apache.flink.statefun.") && !name.contains(".shaded.");
    }

    private static void line(String file, String path, Object value) {
        System.out.println(file + "\t" + path + "\t" + String.valueOf(value).replaceAll("\\s+", " "));
    }
}
