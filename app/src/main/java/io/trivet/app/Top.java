package io.trivet.app;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

// @formatter:off: an attribute a line, an option a paragraph
/** {@code trivet top}: the live view of a server in a terminal. */
@Command(name = "top", mixinStandardHelpOptions = true, versionProvider = Version.class,
        showDefaultValues = true, sortOptions = false, description = {
    "Shows a server that was started with --view: its loop, its lists, and its clients.",
    "Keys: q quit, p pause the screen, s sort by the next column, r reverse, / filter (Enter ends, Esc clears)."})
@SuppressWarnings("NullAway.Init") // picocli fills the fields
final class Top implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "HOST:PORT", converter = ViewAddress.Converter.class,
            description = "Where the view is; or the whole address that the server has printed. Of a server of the same user on this machine, the "
                    + "token is found.")
    private ViewAddress address;

    @Option(names = "--token", paramLabel = "TOKEN", showDefaultValue = Visibility.NEVER,
            description = "The view's token, if it is neither in the address nor found.")
    private @Nullable String token;

    @Option(names = {"-n", "--count"}, paramLabel = "N", showDefaultValue = Visibility.NEVER,
            description = "How many times to show it (default: until q on a terminal, otherwise once).")
    private @Nullable Integer count;

    @Option(names = {"-i", "--interval"}, paramLabel = "TIME", defaultValue = "1s", converter = DurationText.class,
            description = "How often to show it. Rates are those of the last interval.")
    private Duration interval;

    @Option(names = {"-s", "--sort"}, paramLabel = "COLUMN", defaultValue = "queue",
            description = "Column to sort by: address, state, queue, age, in, out, idle or tls.")
    private String sort;

    @Option(names = {"-f", "--filter"}, paramLabel = "TEXT", defaultValue = "", showDefaultValue = Visibility.NEVER,
            description = "Show only clients whose row contains every word.")
    private String filter;

    @Option(names = {"-l", "--lines"}, paramLabel = "N", defaultValue = "20", description = "How many clients to show when the output is no terminal.")
    private int lines;
    // @formatter:on

    @Override
    public Integer call() throws IOException, InterruptedException {
        require(count == null || count >= 1, "--count must be at least 1");
        require(lines >= 0 && lines <= 500, "--lines must be from 0 to 500");
        require(!interval.isZero(), "--interval must be longer than 0");
        require(TopScreen.SORTS.contains(sort), "--sort must be one of " + String.join(", ", TopScreen.SORTS));
        ViewAddress view = address.with(token);
        TopScreen screen = new TopScreen(sort, filter);
        if (Terminal.isOutput() && Terminal.isInput()) {
            try (TopKeys keys = TopKeys.open()) {
                show(view, screen, keys);
            }
        } else {
            print(view, screen);
        }
        return 0;
    }

    private void require(boolean condition, String rule) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), rule);
        }
    }

    /** Prints the state as plain text, the first time after one interval: the rates are those since the fetch before. */
    private void print(ViewAddress view, TopScreen screen) throws IOException, InterruptedException {
        screen.fetch(view, lines);
        int times = count == null ? 1 : count;
        for (int i = 0; i < times; i++) {
            Thread.sleep(interval);
            screen.fetch(view, lines);
            screen.linesWithClients(lines, 160).forEach(System.out::println);
        }
    }

    /** Shows the state in place, until the user quits. */
    private void show(ViewAddress view, TopScreen screen, TopKeys keys) throws IOException, InterruptedException {
        PrintStream out = System.out;
        for (int i = 0; count == null || i < count; i++) {
            TopKeys.Size size = keys.size();
            if (!screen.isPaused()) {
                screen.fetch(view, Math.max(0, size.rows() - TopScreen.HEAD_LINES));
            }
            draw(out, screen, size);
            long end = System.nanoTime() + interval.toNanos();
            for (long left = interval.toNanos(); left > 0; left = end - System.nanoTime()) {
                int key = keys.next(Duration.ofNanos(left));
                if (key == 'q' && !screen.isEditing()) {
                    return;
                }
                if (key >= 0) {
                    if (screen.key(key)) {
                        break; // at once, with the new order
                    }
                    draw(out, screen, size);
                }
            }
        }
    }

    private static void draw(PrintStream out, TopScreen screen, TopKeys.Size size) {
        StringBuilder frame = new StringBuilder("\u001b[H");
        for (String line : screen.lines(size.rows(), size.columns())) {
            frame.append(line).append("\u001b[K\r\n");
        }
        frame.setLength(frame.length() - 2); // no line break after the last line, which would scroll
        out.print(frame.append("\u001b[J"));
        out.flush();
    }
}
