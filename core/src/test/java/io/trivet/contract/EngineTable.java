package io.trivet.contract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * The table case × engine, which the end of the test run writes to {@code core/target/engine-table.md}. An engine has passed a case
 * when all tests that carry its number have passed on it.
 */
final class EngineTable implements AutoCloseable {
    /** What stands for all engines: the test does not touch one. */
    private static final String ANY = "*";
    private static final Namespace NAMESPACE = Namespace.create(EngineTable.class);

    /** What tests said while they ran, by the unique id of the run. */
    private static final Map<String, String> REFUSALS = new ConcurrentHashMap<>();
    private static final Map<String, String> NOT_APPLICABLE = new ConcurrentHashMap<>();

    /** All that is known of a case on an engine. */
    private static final class Cell {
        final Set<String> failures = new TreeSet<>();
        final Set<String> refusals = new LinkedHashSet<>();
        final Set<String> notApplicable = new LinkedHashSet<>();
        final Set<String> notRun = new LinkedHashSet<>();
        int passes;
    }

    private final Map<String, Cell> cells = new ConcurrentHashMap<>();

    /** Records the outcome of tests that run on no engine, or once for all. */
    static final class Recorder implements TestWatcher {
        @Override
        public void testSuccessful(ExtensionContext context) {
            if (isForAll(context)) {
                passed(context, ANY);
            }
        }

        @Override
        public void testFailed(ExtensionContext context, Throwable cause) {
            if (isForAll(context)) {
                failed(context, ANY);
            }
        }

        @Override
        public void testAborted(ExtensionContext context, Throwable cause) {
            if (isForAll(context)) {
                notRun(context, ANY, String.valueOf(cause.getMessage()));
            }
        }

        @Override
        public void testDisabled(ExtensionContext context, Optional<String> reason) {
            if (isForAll(context)) {
                notRun(context, ANY, reason.orElse("disabled"));
            }
        }

        private static boolean isForAll(ExtensionContext context) {
            return !context.getRequiredTestMethod().isAnnotationPresent(EveryEngine.class);
        }
    }

    /** A test saw the engine refuse as documented. */
    static void refused(String run, String reason) {
        REFUSALS.put(run, reason);
    }

    /** A test found that the case has no meaning on the engine. */
    static void notApplicable(String run, String reason) {
        NOT_APPLICABLE.put(run, reason);
    }

    static void passed(ExtensionContext context, String engine) {
        String run = context.getUniqueId();
        for (Cell cell : cells(context, engine)) {
            if (REFUSALS.containsKey(run)) {
                cell.refusals.add(REFUSALS.get(run));
            } else if (NOT_APPLICABLE.containsKey(run)) {
                cell.notApplicable.add(NOT_APPLICABLE.get(run));
            } else {
                cell.passes++;
            }
        }
    }

    static void failed(ExtensionContext context, String engine) {
        String test = context.getRequiredTestClass().getSimpleName() + "." + context.getRequiredTestMethod().getName();
        cells(context, engine).forEach(cell -> cell.failures.add(test));
    }

    static void notRun(ExtensionContext context, String engine, String reason) {
        cells(context, engine).forEach(cell -> cell.notRun.add(reason));
    }

    private static List<Cell> cells(ExtensionContext context, String engine) {
        EngineTable table = context.getRoot().getStore(NAMESPACE)
                .computeIfAbsent(EngineTable.class, key -> new EngineTable(), EngineTable.class);
        Case annotation = context.getRequiredTestMethod().getAnnotation(Case.class);
        List<Cell> cells = new ArrayList<>();
        for (String number : annotation == null ? new String[0] : annotation.value()) {
            cells.add(table.cells.computeIfAbsent(number + " " + engine, key -> new Cell()));
        }
        return cells;
    }

    /** At the end of the run: JUnit closes what lies in its root store. */
    @Override
    public void close() throws IOException {
        Path page = Path.of(System.getProperty("trivet.root", ".."), "core", "target", "engine-table.md");
        Files.createDirectories(page.getParent());
        Files.writeString(page, page());
    }

    private String page() {
        StringBuilder page = new StringBuilder(
                """
                        # What each engine does

                        Every case that the tests hold the engines to, and how each engine stood in the last run of them. *pass*: as the case
                        says. *cannot*: the engine refuses, as documented, and the test has seen it refuse; the note says why. *does not
                        apply*: the note says why. A case is named by its number, and numbers have gaps. r, w, x: readable, writable,
                        exceptional; `rw-` is readable and writable.

                        The tests write this page to `core/target/engine-table.md`; to renew the copy that is checked in:
                        `mvn test -pl core && cp core/target/engine-table.md docs/engines.md`
                        """);
        Notes notes = new Notes();
        String section = "";
        for (Catalogue.Entry entry : Catalogue.ENTRIES) {
            if (!entry.section().equals(section)) {
                section = entry.section();
                page.append("\n## ").append(section).append("\n\n| case | given | when | then |");
                Engine.ALL.forEach(engine -> page.append(' ').append(engine.name()).append(" |"));
                page.append("\n|---|---|---|---|").append("---|".repeat(Engine.ALL.size())).append('\n');
            }
            page.append("| ").append(String.join(" | ", entry.number(), entry.given(), entry.when(), entry.then())).append(" |");
            for (Engine engine : Engine.ALL) {
                page.append(' ').append(outcome(entry, engine.name(), notes)).append(" |");
            }
            page.append('\n');
        }
        return page.append(notes).toString();
    }

    private String outcome(Catalogue.Entry entry, String engine, Notes notes) {
        if (!entry.notApplicable().isEmpty()) {
            return "does not apply" + notes.mark(entry.notApplicable());
        }
        List<Cell> found = new ArrayList<>();
        for (String key : List.of(entry.number() + " " + engine, entry.number() + " " + ANY)) {
            if (cells.containsKey(key)) {
                found.add(cells.get(key));
            }
        }
        List<String> words = new ArrayList<>();
        for (Cell cell : found) {
            cell.failures.forEach(test -> words.add("**fail**" + notes.mark(test)));
        }
        if (words.isEmpty() && found.stream().anyMatch(cell -> cell.passes > 0)) {
            words.add("pass");
        }
        for (Cell cell : found) {
            cell.refusals.forEach(reason -> words.add("cannot" + notes.mark(reason)));
            if (words.isEmpty()) {
                cell.notApplicable.forEach(reason -> words.add("does not apply" + notes.mark(reason)));
                cell.notRun.forEach(reason -> words.add("not run" + notes.mark(reason)));
            }
        }
        return words.isEmpty() ? "not run" : String.join(", ", new LinkedHashSet<>(words));
    }

    /** The reasons, numbered, below the tables. */
    private static final class Notes {
        private final List<String> texts = new ArrayList<>();

        String mark(String text) {
            if (!texts.contains(text)) {
                texts.add(text);
            }
            return " (" + (texts.indexOf(text) + 1) + ")";
        }

        @Override
        public String toString() {
            StringBuilder list = new StringBuilder("\n## Notes\n\n");
            for (int i = 0; i < texts.size(); i++) {
                list.append(i + 1).append(". ").append(texts.get(i)).append('\n');
            }
            return list.toString();
        }
    }
}
