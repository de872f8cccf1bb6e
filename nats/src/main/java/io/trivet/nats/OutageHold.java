package io.trivet.nats;

import io.trivet.server.ScheduledTask;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Holds messages after an outage until the other servers are back, because what is sent before they have subscribed again is lost. A server that
 * does not come back delays them for a limited time only, however many outages follow. Loop thread only.
 */
final class OutageHold {
    private static final Duration WAIT_MAX = Duration.ofSeconds(3);

    private final Peers peers;
    private final Timers timers;
    private final Duration wait;
    private final Runnable onOver;
    private @Nullable ScheduledTask timer;

    /**
     * Creates a hold that is not in force.
     *
     * @param onOver called when a hold has ended by time
     */
    OutageHold(Peers peers, Timers timers, RelayOptions options, Runnable onOver) {
        this.peers = peers;
        this.timers = timers;
        wait = wait(options);
        this.onOver = onOver;
    }

    /**
     * Returns how long to wait: as long as the others may take to connect after this server and to answer, within limits, so that what waits
     * does not become too old meanwhile.
     */
    private static Duration wait(RelayOptions options) {
        Duration usual = options.backoffMax().plus(options.heartbeat().dividedBy(4));
        Duration limited = usual.compareTo(WAIT_MAX) < 0 ? usual : WAIT_MAX;
        Duration ofAge = options.queueAgeMax().dividedBy(4);
        return ofAge.isZero() || ofAge.compareTo(limited) > 0 ? limited : ofAge;
    }

    /** Called when the bus is up. */
    void up() {
        if (peers.awaitsOthers() && timer == null) { // another outage meanwhile does not make it longer
            timer = timers.schedule(wait, () -> {
                timer = null;
                peers.awaitNoOthers();
                onOver.run();
            });
        }
    }

    /** Returns true if messages are to wait. */
    boolean isInForce() {
        if (!peers.awaitsOthers()) {
            cancel();
            return false;
        }
        return true;
    }

    void cancel() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }
}
