package io.trivet.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** The JVM's limit of direct memory: memory outside of the heap, for buffers that the kernel reads and writes. */
final class DirectMemory {
    /** In bytes. Determined once, because it cannot change. */
    private static final long LIMIT_BYTES = findLimit();
    /**
     * The number of buffers that come from the heap after direct memory was used up. The JVM collects garbage and waits for half a
     * second before it refuses one, and meanwhile the loop does nothing else.
     */
    private static final int HEAP_BUFFERS = 1000;
    private static final AtomicInteger HEAP_BUFFERS_LEFT = new AtomicInteger();

    private DirectMemory() {}

    /** Returns the maximum in bytes: -XX:MaxDirectMemorySize if it is set, otherwise the maximum size of the heap. */
    static long limitBytes() {
        return LIMIT_BYTES;
    }

    /** Returns the default budget of a server: a quarter of the heap or of direct memory, whichever is less. */
    static long defaultBudgetBytes() {
        return Math.max(1, Math.min(Runtime.getRuntime().maxMemory(), LIMIT_BYTES) / 4);
    }

    /** Returns the budget to use instead of a requested one: at most three quarters of direct memory. */
    static long grantedBudgetBytes(long asked) {
        return Math.min(asked, LIMIT_BYTES / 4 * 3);
    }

    /**
     * Returns a direct buffer of that size. If the JVM has no more direct memory, or had none for one of the last buffers, returns a
     * buffer on the heap. Any thread.
     */
    static ByteBuffer allocate(int bytes) {
        if (HEAP_BUFFERS_LEFT.get() > 0) {
            HEAP_BUFFERS_LEFT.decrementAndGet();
            return ByteBuffer.allocate(bytes);
        }
        try {
            return ByteBuffer.allocateDirect(bytes);
        } catch (OutOfMemoryError e) {
            HEAP_BUFFERS_LEFT.set(HEAP_BUFFERS);
            return ByteBuffer.allocate(bytes);
        }
    }

    private static long findLimit() {
        long set = mayBeSet() ? optionBytes() : 0;
        return set > 0 ? set : Runtime.getRuntime().maxMemory();
    }

    /** Returns false if the option is certainly not set. This is checked first, because asking the JVM takes about 50 ms. */
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
     * Returns the JVM's -XX:MaxDirectMemorySize. Uses reflection, because the library requires only the module java.base.
     *
     * @return the value in bytes; 0 if it is not set or not available
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
