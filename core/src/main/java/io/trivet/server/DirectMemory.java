package io.trivet.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the JVM can give of direct memory: memory outside of the heap, for buffers that the kernel reads and writes. */
final class DirectMemory {
    /** In bytes; determined once, since it cannot change. */
    private static final long LIMIT_BYTES = findLimit();

    private DirectMemory() {}

    /** Returns the maximum that the JVM grants, in bytes: -XX:MaxDirectMemorySize, or else the maximum size of the heap. */
    static long limitBytes() {
        return LIMIT_BYTES;
    }

    /** Returns the default budget of a server: a quarter of the heap or of direct memory, whichever is less. */
    static long defaultBudgetBytes() {
        return Math.max(1, Math.min(Runtime.getRuntime().maxMemory(), LIMIT_BYTES) / 4);
    }

    /** Returns the budget that can be granted if one is asked for: no more than three quarters of direct memory. */
    static long grantedBudgetBytes(long asked) {
        return Math.min(asked, LIMIT_BYTES / 4 * 3);
    }

    /** Returns a buffer of that size: a direct one, or, if the JVM has no more direct memory, one of the heap. */
    static ByteBuffer allocate(int bytes) {
        try {
            return ByteBuffer.allocateDirect(bytes);
        } catch (OutOfMemoryError e) {
            return ByteBuffer.allocate(bytes);
        }
    }

    private static long findLimit() {
        long set = mayBeSet() ? optionBytes() : 0;
        return set > 0 ? set : Runtime.getRuntime().maxMemory();
    }

    /** Returns false if the option is certainly not set. To ask the JVM takes some 50 ms. */
    private static boolean mayBeSet() {
        for (String variable : new String[]{"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"}) {
            if (mentionsOption(System.getenv(variable))) {
                return true;
            }
        }
        try {
            return mentionsOption(Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.ISO_8859_1));
        } catch (IOException | RuntimeException e) { // not Linux, or forbidden
            return true;
        }
    }

    private static boolean mentionsOption(String options) {
        return options != null && (options.contains("MaxDirectMemorySize") || options.contains("@")
                || options.contains("-XX:Flags=") || options.contains("-XX:VMOptionsFile="));
    }

    /**
     * Asks the JVM for -XX:MaxDirectMemorySize. By reflection, since the library requires no module but java.base.
     *
     * @return 0 if it is not set or cannot be found out
     */
    private static long optionBytes() {
        try {
            Class<?> diagnostics = Class.forName("com.sun.management.HotSpotDiagnosticMXBean");
            Object bean = Class.forName("java.lang.management.ManagementFactory").getMethod("getPlatformMXBean", Class.class)
                    .invoke(null, diagnostics);
            Object option = diagnostics.getMethod("getVMOption", String.class).invoke(bean, "MaxDirectMemorySize");
            return Long.parseLong((String) option.getClass().getMethod("getValue").invoke(option));
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            return 0;
        }
    }
}
