package io.trivet.contract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
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
 * The table of cases and engines, written to {@code core/target/engine-table.md} when the test run ends; with
 * several JVMs, by each for its own tests. An engine passes a case
 * if all tests with the case's number pass on it.
 */
final class EngineTable implements AutoCloseable {
    private static final String HEAD = """
            # What each engine does

            Every case that the contract tests check, and the outcome on each engine in a run on {machine}.

            - *pass*: the engine behaves as the case requires.
            - *cannot*: the engine refuses, as documented, and the test has verified that. The note has the reason.
            - *pass, cannot*: the engine supports a part of the case.
            - *does not apply*: the note has the reason.

            The case numbers are names and have gaps. r, w and x mean readable, writable and exceptional: `rw-` is readable and writable.

            A test run in one JVM writes this page to `core/target/engine-table.md`. To renew the checked-in copy:
            `mvn test -pl core -Dtest.forks=1; cp core/target/engine-table.md docs/engines.md`

            ## What each engine needs

            | engine | Linux | system calls that a container's seccomp profile must allow | for each loop of a server |
            |---|---|---|---|
            | `uring` | 6.0 | io_uring_setup, io_uring_enter, io_uring_register; eventfd2 | 2 descriptors, 96 KiB of locked memory |
            | `epoll` | any | epoll_create1, epoll_ctl, epoll_wait; eventfd2; epoll_pwait2 if there is one (5.11) | 2 descriptors |
            | `poll` | any | ppoll; eventfd2 | 1 descriptor |
            | `select` | any | pselect6; eventfd2 | 1 descriptor |
            | `nio` | any system | those of the JDK | those of the JDK |

            Of io_uring, `uring` uses multishot receive (6.0), provided buffer rings (5.19), multishot poll (5.13), sends without a completion (5.17) and
            timeouts of io_uring_enter (5.11). Where the kernel has them, it also uses:

            - from 6.1 on, IORING_SETUP_DEFER_TASKRUN. Without it, every send needs a completion, and epoll is faster. So `auto` chooses `uring` from 6.1 on.
            - from 6.6 on, IORING_SETUP_NO_SQARRAY.
            - from 6.15 on, IORING_ENTER_NO_IOWAIT. Without it, most kernels since 6.1 count an idle ring as waiting for I/O.

            `build/kernels` runs tests on Debian's stock kernels in an emulator. On 29 November 2026 it counted, for the commits 385b856 and c823c45:

            - on 6.1.0-57, 951 of the server's tests on `uring` in 61 of 61 classes (2 skipped, none failed), 2,133 contract tests in 47 of 47
              classes (1 failed), and 158 tests of the command line in 5 of 5 classes (2 failed).
            - on 6.12.117+deb12, 966 of the server's tests on `uring` in 62 of 62 classes (2 skipped), 2,133 contract tests in 47 of 47
              classes, and 158 tests of the command line in 5 of 5 classes. None failed.

            The kernel caused none of the 3 failures. Two tests gave the emulator too little time, and the emulated machine lacked `/dev/stdout`.
            All were corrected. The skipped tests need a kernel that counts a ring as locked memory.

            Some kernels, 6.18 among them, count a ring as locked memory (`ulimit -l`), unless the process has CAP_IPC_LOCK. All processes of a user
            share that limit.

            `auto` takes what works. The first use of `uring` sets up a ring of the size that servers use, with its buffers, hands over an operation and
            waits for it. If this fails, `./trivet engines` states the reason and the cure. A server then sets up a ring for each of its loops before it
            listens. If not all of them can be had and no engine was requested, the server uses epoll and logs the reason at level INFO. If `uring` was
            requested, the server does not start.

            A file that an application sends (`Connection.sendFile`) goes through sendfile on Linux. Where a seccomp profile forbids that call, or the file
            system cannot do it, the file is read piece by piece. `nio` calls the JDK's `FileChannel.transferTo`.

            A ring belongs to the thread that turns it. If another thread continues an opened server after that thread has ended, or if a virtual
            thread turns it, the server uses a ring that any thread can use. It needs a completion for every send.
            """;

    /** The engine name of a test that is independent of engines: its outcome counts for all. */
    private static final String ANY = "*";
    private static final Namespace NAMESPACE = Namespace.create(EngineTable.class);

    /** The reasons that tests gave while they ran, by the unique id of the run. */
    private static final Map<String, String> REFUSALS = new ConcurrentHashMap<>();
    private static final Map<String, String> NOT_APPLICABLE = new ConcurrentHashMap<>();

    /** The outcomes of a case on an engine. */
    private static final class Cell {
        final Set<String> failures = new TreeSet<>();
        final Set<String> refusals = new TreeSet<>();
        final Set<String> notApplicable = new TreeSet<>();
        final Set<String> notRun = new TreeSet<>();
        int passes;
    }

    private final Map<String, Cell> cells = new ConcurrentHashMap<>();

    /** Records the outcome of tests with {@link Case} that do not run once for each engine. */
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

    /** Records that the engine refused as documented. */
    static void refused(String run, String reason) {
        REFUSALS.put(run, reason);
    }

    /** Records that the case does not apply to the engine. */
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

    /** Writes the table. JUnit calls this at the end of the run, because the table is in its root store. */
    @Override
    public void close() throws IOException {
        Path page = Path.of(System.getProperty("trivet.root", ".."), "core", "target", "engine-table.md");
        Files.createDirectories(page.getParent());
        Files.writeString(page, page());
    }

    private String page() {
        StringBuilder page = new StringBuilder(HEAD.replace("{machine}", machine()));
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

    /** Returns the system properties that outcomes may depend on. The machine stays anonymous. */
    private static String machine() {
        String version = System.getProperty("os.version").replaceFirst("^(\\d+\\.\\d+).*", "$1");
        return System.getProperty("os.name") + " " + version + ", " + System.getProperty("os.arch") + ", Java "
                + Runtime.version().feature();
    }

    private String outcome(Catalogue.Entry entry, String engine, Notes notes) {
        if (!entry.notApplicable().isEmpty()) {
            return "does not apply" + notes.mark(List.of(entry.notApplicable()));
        }
        List<Cell> found = new ArrayList<>();
        for (String key : List.of(entry.number() + " " + engine, entry.number() + " " + ANY)) {
            if (cells.containsKey(key)) {
                found.add(cells.get(key));
            }
        }
        Cell sum = new Cell();
        for (Cell cell : found) {
            sum.passes += cell.passes;
            sum.failures.addAll(cell.failures);
            sum.refusals.addAll(cell.refusals);
            sum.notApplicable.addAll(cell.notApplicable);
            sum.notRun.addAll(cell.notRun);
        }
        if (!sum.failures.isEmpty()) {
            return "**fail**" + notes.mark(sum.failures);
        }
        if (sum.passes > 0) {
            return "pass" + (sum.refusals.isEmpty() ? "" : ", cannot" + notes.mark(sum.refusals));
        }
        if (!sum.refusals.isEmpty()) {
            return "cannot" + notes.mark(sum.refusals);
        }
        if (!sum.notApplicable.isEmpty()) {
            return "does not apply" + notes.mark(sum.notApplicable);
        }
        return "not run" + notes.mark(sum.notRun);
    }

    /** The numbered reasons below the tables. */
    private static final class Notes {
        private final List<String> texts = new ArrayList<>();

        /** Returns the note numbers of these reasons, as a cell shows them. Adds a note for each new reason. */
        String mark(Collection<String> reasons) {
            Set<Integer> numbers = new TreeSet<>();
            for (String reason : reasons) {
                if (!texts.contains(reason)) {
                    texts.add(reason);
                }
                numbers.add(texts.indexOf(reason) + 1);
            }
            return numbers.isEmpty() ? "" : numbers.toString().replace("[", " (").replace(']', ')');
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
