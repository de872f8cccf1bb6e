package io.trivet.nats;

import java.util.NavigableMap;

/**
 * The heartbeats of a server. Each lists how far some of its streams have been sent, so that receivers notice when the last message is
 * lost; a few heartbeats list all. Loop thread only.
 */
final class Beats {
    private final Outbox outbox;
    /** The last stream that was listed; empty: the next heartbeat starts at the first one. */
    private String cursor = "";
    private boolean isOwed;
    private boolean areAllOwed;
    private boolean isHello;
    private boolean isBye;

    Beats(Outbox outbox) {
        this.outbox = outbox;
    }

    /** The next heartbeat is due. */
    void oweNext() {
        isOwed = true;
    }

    /**
     * Heartbeats that list all streams are due.
     *
     * @param hello asks other servers for theirs
     * @param bye the last one
     */
    void oweAll(boolean hello, boolean bye) {
        isOwed = true;
        areAllOwed = true;
        cursor = "";
        isHello |= hello;
        isBye |= bye;
    }

    /** Sends what is due. Returns false if the link did not accept all. */
    boolean send(Bus.Link link, String subject, Frame.Sender sender, long presence) {
        while (isOwed) {
            NavigableMap<String, Long> settled = outbox.settled(cursor, Wire.entriesMax(link.messageBytesMax()));
            boolean isLast = settled.isEmpty() || !outbox.hasAfter(settled.lastKey());
            if (!link.publish(subject,
                    Wire.beat(new Frame.Beat(sender, isHello, isBye && isLast, presence, cursor, isLast, settled)))) {
                return false;
            }
            cursor = isLast ? "" : settled.lastKey();
            isHello = false;
            if (!areAllOwed || isLast) {
                isOwed = false;
                areAllOwed = false;
            }
        }
        return true;
    }
}
