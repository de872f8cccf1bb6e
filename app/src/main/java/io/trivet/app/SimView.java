package io.trivet.app;

import io.trivet.net.Clock;
import io.trivet.scenarios.CheckFailure;
import io.trivet.scenarios.RunObserver;
import io.trivet.server.Server;
import io.trivet.view.Recording;
import io.trivet.view.Replay;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Records a scenario's run, and shows it in a browser. One thread. */
final class SimView implements RunObserver {
    private final String title;
    private final Consumer<String> lines;
    private @Nullable Recording recording;

    /**
     * Creates an observer of a run.
     *
     * @param title what the page calls the run
     * @param lines receives the line of each event
     */
    SimView(String title, Consumer<String> lines) {
        this.title = title;
        this.lines = lines;
    }

    private Recording recording() {
        return Objects.requireNonNull(recording);
    }

    @Override
    public void begins(Clock clock) {
        recording = new Recording(title, clock);
    }

    @Override
    public void opened(String name, Server server) {
        recording().add(name, server);
    }

    @Override
    public void happened(String line, String event) {
        lines.accept(line);
        recording().log(event);
    }

    @Override
    public void failed(CheckFailure failure) {
        recording().fail(failure.rule().verdict() + ", " + failure.rule() + ": " + failure.text());
    }

    /** Shows the run, which has ended, until the process gets a signal. */
    void show(String scenario, InetSocketAddress address, PrintStream err) throws IOException, InterruptedException {
        recording().describe(scenario);
        recording().end();
        CountDownLatch signalled = new CountDownLatch(1);
        try (Replay replay = start(address)) {
            Signals.onFirst(_ -> signalled.countDown(), err);
            err.println("view " + replay.url());
            err.println("Ctrl-C ends it");
            signalled.await();
        }
    }

    private Replay start(InetSocketAddress address) throws IOException {
        try {
            return Replay.start(recording(), address);
        } catch (IOException e) {
            throw new IOException("--view " + io.trivet.net.Addresses.toString(address) + ": " + e.getMessage(), e);
        }
    }
}
