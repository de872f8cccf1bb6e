package io.trivet.nats;

import java.util.NavigableMap;

/**
 * The heartbeats of a server. Each lists how far some of its streams have been sent, so that receivers notice when the last message is
 * lost; a few heartbeats list all. Loop thread only.
 */
final class Heartbeats {
    private final Outbox outbox;
    /** The last stream that was listed; empty: the next heartbeat starts at the first one. */
    private String cursor = "";
    private boolean isRequested;
    private boolean areAllRequested;
    private boolean isHello;
    private boolean isBye;

    Heartbeats(Outbox outbox) {
        this.outbox = outbox;
    }

    /** Requests the next heartbeat, which {@link #send} sends. */
    void requestNext() {
        isRequested = true;
    }

    /**
     * Requests heartbeats that list all streams.
     *
     * @param hello asks other servers for theirs
     * @param bye marks the last one as this server's final heartbeat
     */
    void requestAll(boolean hello, boolean bye) {
        isRequested = true;
        areAllRequested = true;
        cursor = "";
        isHello |= hello;
        isBye |= bye;
    }

    /** Sends what was requested. Returns false if the link did not accept all. */
    boolean send(Bus.Link link, String subject, Frame.Sender sender, long presence) {
        while (isRequested) {
            NavigableMap<String, Long> settled = outbox.settled(cursor, Wire.entriesMax(link.messageBytesMax()));
            boolean isLast = settled.isEmpty() || !outbox.hasAfter(settled.lastKey());
            if (!link.publish(subject,
                    Wire.heartbeat(new Frame.Heartbeat(sender, isHello, isBye && isLast, presence, cursor, isLast, settled)))) {
                return false;
            }
            cursor = isLast ? "" : settled.lastKey();
            isHello = false;
            if (!areAllRequested || isLast) {
                isRequested = false;
                areAllRequested = false;
            }
        }
        return true;
    }
}
