package io.trivet.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import io.trivet.sim.SimNetwork;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Follows docs/simulation.md: runs the tests of examples/tutorial, compares each report with the page, and fixes the chat room by
 * the differences on the page.
 */
final class TutorialTest {
    private static final Path ROOT = Path.of(System.getProperty("trivet.root"));
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$");

    private final String page = read("docs/simulation.md");
    private String room = read("examples/tutorial/ChatRoom.java");

    @TempDir Path directory;
    private int compiled;

    private static String read(String file) {
        try {
            return Files.readString(ROOT.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void thePageTellsWhatHappens() throws Exception {
        List<String> fixes = blocks("diff");
        assertThat(fixes).hasSize(3);

        assertThat(page).contains(report("everyMemberReceivesEveryLine", Map.of()));
        fix(fixes.get(0));
        assertThat(run("everyMemberReceivesEveryLine", Map.of("trivet.seeds", "1..1000"))).isNull();

        assertThat(page).contains(report("aNameIsFreeWhenItsMemberHasLeft", Map.of()));
        assertEventsAreThoseOfTheReplay();
        fix(fixes.get(1));
        assertThat(run("aNameIsFreeWhenItsMemberHasLeft", Map.of("trivet.seeds", "300..400"))).isNull();

        assertThat(page).contains(report("quitIsAnswered", Map.of()));
        fix(fixes.get(2));
        for (String test : List.of("everyMemberReceivesEveryLine", "aNameIsFreeWhenItsMemberHasLeft", "quitIsAnswered")) {
            assertThat(run(test, Map.of("trivet.seeds", "1..1000"))).isNull();
        }
    }

    @Test
    void thePageQuotesTheFiles() {
        List<String> quotes = blocks("java");
        String test = read("examples/tutorial/ChatRoomTest.java");
        List<String> ofTheTutorial = quotes.stream().filter(quote -> quote.contains("@Seeds(count = 1000)")).toList();
        assertThat(ofTheTutorial).hasSize(3)
                .allSatisfy(quote -> assertThat(test).contains(quote.indent(4).replaceAll("(?m)^ +$", "")));
    }

    private List<String> blocks(String language) {
        List<String> blocks = new ArrayList<>();
        Matcher matcher = BLOCK.matcher(page);
        while (matcher.find()) {
            if (matcher.group(1).equals(language)) {
                blocks.add(matcher.group(2));
            }
        }
        return blocks;
    }

    /** Applies a difference; hunks are separated by lines with "@@". */
    private void fix(String diff) {
        for (String hunk : diff.split("(?m)^@@\\n", -1)) {
            StringBuilder before = new StringBuilder();
            StringBuilder after = new StringBuilder();
            hunk.lines().forEach(line -> {
                String text = line.isEmpty() ? "\n" : line.substring(1) + "\n";
                before.append(line.startsWith("+") ? "" : text);
                after.append(line.startsWith("-") ? "" : text);
            });
            assertThat(room).contains(before);
            room = room.replace(before, after);
        }
    }

    private String report(String test, Map<String, String> parameters) throws Exception {
        String report = run(test, parameters);
        assertThat(report).isNotNull();
        return report;
    }

    private void assertEventsAreThoseOfTheReplay() throws Exception {
        List<String> events = blocks("text").stream().filter(block -> block.contains(" s  sim ")).findFirst().orElseThrow()
                .lines()
                .toList();
        PrintStream out = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            run("aNameIsFreeWhenItsMemberHasLeft", Map.of("trivet.seeds", "372", "trivet.faults", "RESET"));
        } finally {
            System.setOut(out);
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8).lines().toList())
                .containsSubsequence(events.stream().filter(event -> !event.strip().equals("…")).toList());
    }

    /** Compiles the room and its tests, and runs one of them. Returns how it fails; null if it passes. */
    private String run(String test, Map<String, String> parameters) throws Exception {
        Path sources = Files.createDirectories(directory.resolve("sources" + ++compiled));
        Files.writeString(sources.resolve("ChatRoom.java"), room);
        Files.copy(ROOT.resolve("examples/tutorial/ChatRoomTest.java"), sources.resolve("ChatRoomTest.java"));
        Path classes = Files.createDirectories(directory.resolve("classes" + compiled));
        compile(List.of(sources.resolve("ChatRoom.java"), sources.resolve("ChatRoomTest.java")), classes);
        List<TestExecutionResult> results = new ArrayList<>();
        try (URLClassLoader loader = new URLClassLoader(new URL[]{classes.toUri().toURL()}, getClass().getClassLoader())) {
            Class<?> tests = loader.loadClass("ChatRoomTest");
            LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request()
                    .selectors(selectMethod(tests, tests.getDeclaredMethod(test, SimNetwork.class)))
                    .configurationParameters(parameters).build(), new TestExecutionListener() {
                        @Override
                        public void executionFinished(TestIdentifier finished, TestExecutionResult result) {
                            if (finished.isTest()) {
                                results.add(result);
                            }
                        }
                    });
        }
        assertThat(results).hasSize(1);
        return results.getFirst().getThrowable().map(Throwable::getMessage).orElse(null);
    }

    private static void compile(List<Path> sources, Path target) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean done = compiler.getTask(messages, files, null,
                    List.of("-Xlint:all", "-Werror", "-cp", System.getProperty("java.class.path"), "-d", target.toString()), null,
                    files.getJavaFileObjectsFromPaths(sources)).call();
            assertThat(messages.toString()).isEmpty();
            assertThat(done).isTrue();
        }
    }
}
