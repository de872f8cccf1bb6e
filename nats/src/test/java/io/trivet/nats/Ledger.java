package io.trivet.nats;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Checks what a member of topics receives: messages {@code M topic publisher number}, and gaps {@code G topic publisher missed}. Together
 * they must count without a hole, and without a repetition.
 */
final class Ledger {
    /** Messages of a publisher to a topic that were reported as missed: {@code count} from the number {@code first} on. */
    record Gap(String topic, String publisher, long first, long count) {}

    /** The number of the last message, by topic and publisher: received, or counted as missed. Absent: not known yet. */
    private final Map<String, Long> positions = new TreeMap<>();
    /** How many were reported as missed while the position was not known: those just before the next message. By topic and publisher. */
    private final Map<String, Long> missedBefore = new TreeMap<>();
    private final List<Gap> gaps = new ArrayList<>();
    private final String owner;
    long messages;
    long missed;

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
        placeMissedBefore(key, number);
        Long before = positions.put(key, number);
        if (before != null && number != before + 1) {
            throw new AssertionError(owner + " gets " + key + " number " + number + " after " + before
                    + (number > before ? ": loss without notice" : ": repeated, or out of order"));
        }
    }

    private void gap(String key, long count) {
        missed += count;
        if (count < 1) {
            throw new AssertionError(owner + " has reported a gap of " + count);
        }
        Long before = positions.computeIfPresent(key, (_, position) -> position + count);
        if (before == null) {
            missedBefore.merge(key, count, Long::sum);
        } else {
            add(key, before - count + 1, count);
        }
    }

    private void add(String key, long first, long count) {
        String[] topicAndPublisher = key.split(" ", -1);
        gaps.add(new Gap(topicAndPublisher[0], topicAndPublisher[1], first, count));
    }

    /** The next message of a publisher has this number, so it is known which ones were reported as missed before it. */
    private void placeMissedBefore(String key, long next) {
        Long count = missedBefore.remove(key);
        if (count == null) {
            return;
        }
        if (count >= next) {
            throw new AssertionError(owner + " has missed " + count + " messages of " + key + " before number " + next);
        }
        add(key, next - count, count);
    }

    /** Returns the gaps since the last call. */
    List<Gap> takeGaps() {
        List<Gap> taken = List.copyOf(gaps);
        gaps.clear();
        return taken;
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
        missedBefore.keySet().removeIf(key -> key.startsWith(topic + " "));
    }

    /** Nothing is on its way: all of a publisher's messages must be counted, and are from now on. */
    void settle(String key, long published) {
        placeMissedBefore(key, published + 1);
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
