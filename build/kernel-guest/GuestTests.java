import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.awaitility.Awaitility;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs test classes one after the other, and prints one line for each test. Appends the name of each finished class to the file
 * that the first argument names. If a test takes longer than {@link #TEST_MAX}, ends the JVM.
 */
public final class GuestTests implements TestExecutionListener {
    private static final Duration TEST_MAX = Duration.ofMinutes(15);
    private static final int MESSAGE_MAX = 250;

    private final Map<String, Long> running = new ConcurrentHashMap<>();

    public static void main(String[] arguments) throws Exception {
        Path done = Path.of(arguments[0]);
        Awaitility.setDefaultTimeout(Duration.ofSeconds(10).multipliedBy(Integer.getInteger("trivet.slowness")));
        for (String name : Arrays.asList(arguments).subList(1, arguments.length)) {
            System.out.println("CLASS " + name);
            GuestTests tests = new GuestTests();
            Thread watchdog = Thread.ofPlatform().daemon().start(() -> tests.endIfHung(done, name));
            // Timeouts of JUnit cannot be scaled: the watchdog replaces them.
            LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                    .selectors(name.contains("#") ? selectMethod(name) : selectClass(name))
                    .configurationParameter("junit.jupiter.execution.timeout.mode", "disabled").build();
            LauncherFactory.create().execute(request, tests);
            watchdog.interrupt();
            append(done, name);
        }
        System.exit(0); // even if tests have left threads behind
    }

    private static void append(Path done, String name) throws IOException {
        Files.writeString(done, name + "\n", StandardOpenOption.APPEND);
    }

    private void endIfHung(Path done, String name) {
        try {
            while (true) {
                Thread.sleep(1000);
                for (Map.Entry<String, Long> test : running.entrySet()) {
                    if (System.nanoTime() - test.getValue() > TEST_MAX.toNanos()) {
                        System.out.println("HUNG " + test.getKey());
                        Thread.getAllStackTraces().forEach((thread, stack) -> {
                            System.out.println(thread);
                            Arrays.stream(stack).forEach(frame -> System.out.println("    at " + frame));
                        });
                        append(done, name);
                        Runtime.getRuntime().halt(3);
                    }
                }
            }
        } catch (InterruptedException e) {
            // The class has been run.
        } catch (IOException e) {
            e.printStackTrace();
        }
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        if (test.isTest()) {
            running.put(name(test), System.nanoTime());
        }
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        System.out.println("SKIPPED " + name(test) + ": " + oneLine(reason));
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        Long start = running.remove(name(test));
        String seconds = start == null ? "" : " after %.1f s".formatted((System.nanoTime() - start) / 1e9);
        String message = oneLine(result.getThrowable().map(Throwable::toString).orElse(""));
        switch (result.getStatus()) {
            case SUCCESSFUL -> {
                if (test.isTest()) {
                    System.out.println("PASSED " + name(test) + seconds);
                }
            }
            case ABORTED -> System.out.println("SKIPPED " + name(test) + ": " + message.replaceFirst("^\\S+: (Assumption failed: )?", ""));
            case FAILED -> {
                System.out.println("FAILED " + name(test) + seconds + ": " + message);
                result.getThrowable().ifPresent(failure -> failure.printStackTrace(System.out));
            }
        }
    }

    private static String oneLine(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() <= MESSAGE_MAX ? line : line.substring(0, MESSAGE_MAX) + "…";
    }

    private static String name(TestIdentifier test) {
        return test.getUniqueIdObject().getSegments().stream().skip(1).map(segment -> segment.getValue())
                .reduce((a, b) -> a + " " + b).orElse("") + " \"" + test.getDisplayName() + '"';
    }
}
