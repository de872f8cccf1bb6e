package io.trivet.app;

import io.trivet.nats.BusState;
import io.trivet.nats.RelayListener;
import io.trivet.nats.RelayOptions;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Reports what happens to a relay, in few lines. Loop thread only.
 *
 * <p>While this server cannot reach NATS, it receives no heartbeats, so the relay counts all other servers as lost. That is not reported. Those
 * that are still silent some time after the link is back are.
 */
final class RelayLog implements RelayListener {
    /** Runs a task later on the loop. */
    interface Timer {
        void schedule(Duration delay, Runnable task);
    }

    /** The minimum time between two lines about losses, and between two lines about the same outage. */
    static final Duration INTERVAL = Duration.ofSeconds(10);

    private final RelayOptions options;
    private final Consumer<String> out;
    private final Timer timer;
    private final LongSupplier clock;
    private final String servers;
    private final Duration expiry;
    /** Lost while NATS was not reached, or before the first heartbeat after that could arrive. */
    private final Set<String> silent = new LinkedHashSet<>();

    private boolean isUp;
    private boolean wasUp;
    /** When the link came up, or was lost, or the relay started. */
    private long sinceNanos;
    private String reason = "";
    private long reasonNanos;

    private long missed;
    private long dropped;
    private String losses = "";
    private long lossesNanos;
    private boolean isScheduled;

    RelayLog(RelayOptions options, Timer timer, LongSupplier clock, Consumer<String> out) {
        this.options = options;
        this.out = out;
        this.timer = timer;
        this.clock = clock;
        servers = String.join(", ", options.servers().stream().map(RelayLog::withoutSecrets).toList());
        expiry = options.expiry();
        sinceNanos = clock.getAsLong();
        lossesNanos = sinceNanos - INTERVAL.toNanos();
    }

    /** Returns a URL, or several with commas between, without user, password or token, in one line. The scheme may be missing. */
    static String withoutSecrets(String url) {
        return EscapedText.line(url.replaceAll("(\\w+://)?[^\\s,]*@", "$1"));
    }

    /** Returns why NATS cannot be reached, in one line. For an unknown host, the message of the JDK is only the name. */
    static String reason(RelayOptions options, String why) {
        boolean isHost = options.servers().stream()
                .anyMatch(url -> withoutSecrets(url).replaceFirst("^.*//", "").replaceFirst(":\\d+$", "").equals(why));
        return isHost ? "unknown host " + why : EscapedText.line(why);
    }

    private long elapsedNanos(long sinceNanos) {
        return clock.getAsLong() - sinceNanos;
    }

    private String elapsedSeconds() {
        return Duration.ofNanos(elapsedNanos(sinceNanos)).toSeconds() + " s";
    }

    // ---- the link

    @Override
    public void onBus(BusState state, String why) {
        switch (state) {
            case UP -> up();
            case AWAY -> away(reason(options, why));
            case CONNECTING -> {
                // The outcome is reported.
            }
            case CLOSED -> reportLosses();
        }
    }

    private void up() {
        out.accept("connected to NATS at " + servers
                + (reason.isEmpty() ? "" : (wasUp ? ", again after " : ", after ") + elapsedSeconds()));
        isUp = true;
        wasUp = true;
        reason = "";
        sinceNanos = clock.getAsLong();
        timer.schedule(expiry, this::reportSilent);
    }

    private void away(String why) {
        if (isUp) {
            sinceNanos = clock.getAsLong();
        }
        isUp = false;
        if (reason.isEmpty()) {
            reportAway("NATS cannot be reached at " + servers
                    + ", trying again; meanwhile, messages reach only this server's clients: ", why);
        } else if (!why.equals(reason) && elapsedNanos(reasonNanos) >= INTERVAL.toNanos()) {
            reportAway("NATS has not been reached for " + elapsedSeconds() + ": ", why);
        }
    }

    private void reportAway(String text, String why) {
        out.accept(text + why);
        reason = why.isEmpty() ? "no reason" : why;
        reasonNanos = clock.getAsLong();
    }

    // ---- other servers

    @Override
    public void onServer(String server, ServerChange change) {
        switch (change) {
            case APPEARED -> {
                if (!silent.remove(server)) {
                    out.accept("server " + server + " has appeared");
                }
            }
            case LEFT -> {
                silent.remove(server);
                out.accept("server " + server + " has left");
            }
            case LOST -> {
                if (isUp && elapsedNanos(sinceNanos) >= expiry.toNanos()) {
                    reportLost(server);
                } else {
                    silent.add(server);
                }
            }
        }
    }

    /** Called when the link has been up for {@code expiry}: the servers that run have sent heartbeats since. */
    private void reportSilent() {
        if (isUp && elapsedNanos(sinceNanos) >= expiry.toNanos()) {
            silent.forEach(this::reportLost);
            silent.clear();
        }
    }

    private void reportLost(String server) {
        out.accept("no heartbeat from server " + server + " for " + DurationText.of(expiry)
                + " or longer; if it was killed, its unsent messages are lost");
    }

    // ---- losses

    @Override
    public void onHistory(String problem) {
        out.accept("gaps cannot be filled: " + EscapedText.line(problem));
    }

    @Override
    public void onGap(String topic, String from, long count) {
        missed += count;
        reportLossesSoon();
    }

    @Override
    public void onDropped(long messages, long bytes) {
        dropped += messages;
        reportLossesSoon();
    }

    /** Reports losses at once, or when the interval since the last report is over. */
    private void reportLossesSoon() {
        long leftNanos = INTERVAL.toNanos() - elapsedNanos(lossesNanos);
        if (leftNanos <= 0) {
            reportLosses();
        } else if (!isScheduled) {
            isScheduled = true;
            timer.schedule(Duration.ofNanos(leftNanos), () -> {
                isScheduled = false;
                reportLosses();
            });
        }
    }

    private void reportLosses() {
        String text = "lost so far: " + missed + " from other servers, " + dropped + " from this server";
        if (missed + dropped > 0 && !text.equals(losses)) {
            losses = text;
            lossesNanos = clock.getAsLong();
            out.accept(text);
        }
    }
}
