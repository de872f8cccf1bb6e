package io.trivet.nats;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Checks what a member of topics receives: messages {@code M topic publisher number}, and gaps {@code G topic publisher missed}. Together
 * they must count without a hole, and without a repetition.
 */
final class Ledger {
    /** The number of the last message, by topic and publisher: received, or counted as missed. Absent: not known yet. */
    private final Map<String, Long> positions = new TreeMap<>();
    private final String owner;
    long messages;
    long missed;
    /** Those of them that were published after a message which was received. */
    long missedBetween;

    Ledger(String owner) {
        this.owner = owner;
    }

    static String key(String topic, String publisher) {
        return topic + " " + publisher;
    }

    /** Reads a line. Returns false if it is neither a message nor a gap. */
    boolean read(String[] words) {
        switch (words[0]) {
            case "M" -> message(key(words[1], words[2]), Long.parseLong(words[3]));
            case "G" -> gap(key(words[1], words[2]), Long.parseLong(words[3]));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void message(String key, long number) {
        messages++;
        Long before = positions.put(key, number);
        if (before != null && number != before + 1) {
            throw new AssertionError(owner + " gets " + key + " number " + number + " after " + before
                    + (number > before ? ": loss without notice" : ": repeated, or out of order"));
        }
    }

    private void gap(String key, long count) {
        missed += count;
        missedBetween += positions.containsKey(key) ? count : 0;
        if (count < 1) {
            throw new AssertionError(owner + " has reported a gap of " + count);
        }
        positions.computeIfPresent(key, (_, before) -> before + count);
    }

    /** Returns the number of the last message that was received or counted as missed; null if none was. */
    @Nullable
    Long position(String key) {
        return positions.get(key);
    }

    /** From now on, everything after a number is counted. */
    void startAt(String key, long number) {
        positions.put(key, number);
    }

    /** Forgets a topic. */
    void forget(String topic) {
        positions.keySet().removeIf(key -> key.startsWith(topic + " "));
    }

    /** Nothing is on its way: all of a publisher's messages must be counted, and are from now on. */
    void settle(String key, long published) {
        Long position = positions.put(key, published);
        if (position != null && position != published) {
            throw new AssertionError(owner + " knows " + key + " up to " + position + " of " + published);
        }
    }

    /** Fails if not all of a publisher's messages are counted. */
    boolean isComplete(String key, long published) {
        Long position = positions.get(key);
        return position != null && position == published;
    }

    @Override
    public String toString() {
        return owner + ": " + messages + " messages, " + missed + " missed, " + positions;
    }
}
