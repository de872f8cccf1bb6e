package io.trivet.app;

import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors 0 to 2, as a program under a supervisor needs them: they may be closed, non-blocking, full, or without a
 * reader. {@link #install} replaces {@link System#out} and {@link System#err}.
 */
final class StandardStreams {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final int ACCESS_MODE = 3;
    private static final int READ_ONLY = 0;
    private static final int WRITE_ONLY = 1;
    /** {@code O_CLOEXEC}, on x86-64 and aarch64. A descriptor with this flag was not inherited. */
    private static final int CLOSE_ON_EXEC = 02000000;

    /** Keeps the descriptors that {@link #occupy} opened: a collected stream would close its descriptor. */
    private static final List<FileInputStream> OCCUPIED = new ArrayList<>();
    private static volatile boolean inputClosed;
    private static volatile @Nullable StandardOutput output;
    private static volatile @Nullable LogQueue log;

    private StandardStreams() {}

    /** Call once, before anything else opens a descriptor. */
    static void install() {
        boolean[] closed = new boolean[3];
        for (int fd = 0; fd < closed.length; fd++) {
            closed[fd] = isClosed(fd);
        }
        occupy();
        inputClosed = closed[0];
        // Loads the classes that a log line needs: once no descriptors are left, the JVM may be unable to open the class files.
        String _ = EscapedText.line("\u001b");

        Charset charset = System.err.charset();
        LogQueue queue = new LogQueue(StandardOutput.ofDescriptor(2, closed[2]), charset);
        log = queue;
        System.setErr(new PrintStream(queue, false, charset));
        Runtime.getRuntime().addShutdownHook(new Thread(queue::awaitWritten, "flush-log"));

        StandardOutput out = StandardOutput.ofDescriptor(1, closed[1]);
        output = out;
        System.setOut(new PrintStream(out, false, System.out.charset()));
    }

    /** Returns whether standard input was closed when the process started, or cannot be read. */
    static boolean isInputClosed() {
        return inputClosed;
    }

    /**
     * Flushes both streams.
     *
     * @return the exit code; 1 instead of 0 if standard output could not be written
     */
    static int finish(int exitCode) {
        StandardOutput out = output;
        int code = exitCode;
        if (out != null) {
            System.out.flush();
            IOException failure = out.failure();
            if (failure != null && code == 0) {
                System.err.println("trivet: " + failure.getMessage());
                code = 1;
            }
        }
        flushLog();
        return code;
    }

    /** Waits until standard error has taken what was logged, or is stuck. */
    static void flushLog() {
        System.err.flush();
        LogQueue queue = log;
        if (queue != null) {
            queue.awaitWritten();
        }
    }

    /** Returns standard output as a stream whose writes throw, unlike those of a {@link PrintStream}. */
    static OutputStream output() {
        StandardOutput out = output;
        return out == null ? System.out : out;
    }

    /**
     * Opens {@code /dev/null} for each of the descriptors 0 to 2 that is free. Otherwise a socket could get the number, and
     * whatever writes to standard output or error would write to that socket. Reading only: a write still fails with EBADF.
     */
    private static void occupy() {
        if (!Files.isDirectory(DESCRIPTORS)) {
            return;
        }
        for (int fd = 0; fd < 3; fd++) {
            if (!Files.exists(DESCRIPTORS.resolve(Integer.toString(fd)), LinkOption.NOFOLLOW_LINKS)) {
                try {
                    OCCUPIED.add(new FileInputStream("/dev/null")); // gets the lowest free number
                } catch (FileNotFoundException e) {
                    return; // no /dev/null: nothing can be done
                }
            }
        }
    }

    /**
     * Returns whether a descriptor was closed when the process started. The JVM's first files then have its number. A descriptor
     * that is open for the wrong direction counts as closed too: this is how launchers reserve the number.
     */
    private static boolean isClosed(int fd) {
        Path link = DESCRIPTORS.resolve(Integer.toString(fd));
        if (!Files.isDirectory(DESCRIPTORS)) {
            return false; // not Linux
        }
        if (!Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            return true;
        }
        int flags = flags(fd);
        if (flags < 0) {
            return false;
        }
        int wrongMode = fd == 0 ? WRITE_ONLY : READ_ONLY;
        return (flags & ACCESS_MODE) == wrongMode || (flags & CLOSE_ON_EXEC) != 0 || isModulesFile(link);
    }

    /** Returns the flags of open(2) from {@code /proc/self/fdinfo} (proc_pid_fdinfo(5)); -1 if unknown. */
    private static int flags(int fd) {
        try (InputStream in = new FileInputStream("/proc/self/fdinfo/" + fd)) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList()) {
                if (line.startsWith("flags:")) {
                    return Integer.parseInt(line.substring("flags:".length()).strip(), 8);
                }
            }
        } catch (IOException | NumberFormatException e) {
            // Unknown: taken for inherited.
        }
        return -1;
    }

    /**
     * Returns whether a descriptor is the JVM's own {@code lib/modules}, which it opens first and without O_CLOEXEC. If the file
     * was inherited, the JVM has a second descriptor of it.
     */
    private static boolean isModulesFile(Path link) {
        Path modules = Path.of(System.getProperty("java.home"), "lib", "modules");
        try (Stream<Path> all = Files.list(DESCRIPTORS)) {
            return Files.exists(link) && Files.exists(modules) && Files.isSameFile(link, modules)
                    && all.filter(other -> isSameFile(other, modules)).count() == 1;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isSameFile(Path link, Path file) {
        try {
            return Files.isSameFile(link, file);
        } catch (IOException e) {
            return false; // a pipe, a socket, or closed meanwhile
        }
    }
}
