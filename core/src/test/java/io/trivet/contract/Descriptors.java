package io.trivet.contract;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The descriptors of this process, read from /proc. On a system without /proc/self/fd a test that calls this is skipped. */
public final class Descriptors {
    private static final Path OPEN = Path.of("/proc/self/fd");
    private static final int O_CLOEXEC = 02000000;

    private Descriptors() {}

    /** Returns the open sockets, pipes, eventfds and epolls by number. Leaves out files, because the JVM opens them at any time. */
    public static Map<Integer, String> kernelObjects() throws IOException {
        Map<Integer, String> found = new TreeMap<>();
        all().forEach((number, target) -> {
            if (target.startsWith("socket:") || target.startsWith("pipe:") || target.startsWith("anon_inode:")) {
                found.put(number, target);
            }
        });
        return found;
    }

    /** Returns the descriptor of a file that this process has open. */
    public static int numberOf(Path file) throws IOException {
        String path = file.toRealPath().toString();
        return all().entrySet().stream().filter(entry -> entry.getValue().equals(path)).map(Map.Entry::getKey).findFirst()
                .orElseThrow(() -> new IllegalStateException(file + " is not open"));
    }

    /** Returns whether a descriptor is closed when the process executes a program. */
    public static boolean isCloseOnExec(int number) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo", Integer.toString(number)))) {
            if (line.startsWith("flags:")) {
                return (Integer.parseInt(line.substring("flags:".length()).strip(), 8) & O_CLOEXEC) != 0;
            }
        }
        throw new IllegalStateException("no flags of descriptor " + number);
    }

    private static Map<Integer, String> all() throws IOException {
        assumeTrue(Files.isDirectory(OPEN), "this system has no /proc/self/fd");
        List<Path> links;
        try (Stream<Path> listed = Files.list(OPEN)) {
            links = listed.toList();
        }
        Map<Integer, String> found = new TreeMap<>();
        for (Path link : links) {
            String target = target(link);
            if (!target.isEmpty()) {
                found.put(Integer.parseInt(link.getFileName().toString()), target);
            }
        }
        return found;
    }

    private static String target(Path link) throws IOException {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (NoSuchFileException e) {
            return ""; // the descriptor with which the directory was read, or another that was closed meanwhile
        }
    }
}
