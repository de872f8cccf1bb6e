package io.trivet.view;

import io.trivet.observe.LoopEvent;
import io.trivet.observe.LoopObserver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps the last turns of each loop while the view is watched. The cost of a turn is bounded: of each turn only the first events
 * are kept, and of a loop that turns very often only some turns a second, preferably those in which the lists have changed; all of
 * them are counted. Loops write, any thread reads.
 */
final class Journal implements LoopObserver {
    /** Of a turn with more events, only the first ones are kept. */
    static final int EVENTS_PER_TURN_MAX = 64;
    private static final int TURNS_MAX = 256;
    /** Of a loop that turns more often, not every turn is kept. */
    private static final int TURNS_PER_WINDOW_MAX = 20;
    private static final long WINDOW_MILLIS = 100;
    private static final long LATELY_MILLIS = 2000;
    private static final LoopEvent[] KINDS = LoopEvent.values();

    private final LoopJournal[] loops;
    private final PauseGate gate;
    /** Numbers all turns of all loops, so that a reader can ask for those after the last one that it has seen. */
    private final AtomicLong numbers = new AtomicLong();

    Journal(int loops, PauseGate gate) {
        this.gate = gate;
        this.loops = new LoopJournal[loops];
        for (int i = 0; i < loops; i++) {
            this.loops[i] = new LoopJournal(i);
        }
    }

    @Override
    public void event(int loop, LoopEvent event, long connection, long amount) {
        loops[loop].add(event, connection, amount);
    }

    @Override
    public void turned(int loop, long waitNanos, long workNanos, int done) {
        loops[loop].turned(waitNanos, workNanos, done);
        gate.pass(loop);
    }

    /** Counts on from the number of turns that the loops have made, if that is higher: turns before were not watched. */
    void countFrom(long turns) {
        numbers.accumulateAndGet(turns, Math::max);
    }

    /**
     * Called before the journal is attached, which makes each loop end its turn. Until a loop has done so, it counts as working:
     * something blocks it.
     *
     * @param haveTurned whether each loop has ever turned: one that has not is not blocked
     */
    void awaitTurns(List<Boolean> haveTurned) {
        for (int i = 0; i < loops.length; i++) {
            loops[i].working.setRelease(haveTurned.get(i));
        }
    }

    /**
     * Returns the last turns of all loops, oldest first. If there are more, those of the last seconds in which the lists have changed
     * are added, so that a loop that turns often does not hide them.
     *
     * @param after only turns after the one with this number
     * @param turnsMax the number of turns, and that of turns to add
     */
    List<Turn> lately(long after, int turnsMax) {
        List<Turn> all = since(after);
        int begin = Math.max(0, all.size() - turnsMax);
        List<Turn> newest = all.subList(begin, all.size());
        if (begin == 0) {
            return newest;
        }
        long oldestMillis = newest.getLast().millis() - LATELY_MILLIS;
        List<Turn> chosen = new ArrayList<>(all.subList(0, begin).stream()
                .filter(turn -> turn.millis() >= oldestMillis && turn.changesLists()).toList());
        List<Turn> turns = new ArrayList<>(chosen.subList(Math.max(0, chosen.size() - turnsMax), chosen.size()));
        turns.addAll(newest);
        return turns;
    }

    private List<Turn> since(long number) {
        List<Turn> turns = new ArrayList<>();
        for (LoopJournal loop : loops) {
            loop.addSince(number, turns);
        }
        turns.sort((one, other) -> Long.compare(one.number(), other.number()));
        return turns;
    }

    /** Returns the events of one connection that are still kept, as turns without other events, oldest first. */
    List<Turn> of(long connection) {
        List<Turn> found = new ArrayList<>();
        for (Turn turn : since(0)) {
            List<Turn.Event> events = turn.events().stream().filter(event -> event.connection() == connection).toList();
            if (!events.isEmpty()) {
                found.add(new Turn(turn.loop(), turn.number(), turn.millis(), turn.waitNanos(), turn.workNanos(), turn.done(),
                        events, events.size()));
            }
        }
        return found;
    }

    /** Returns how long a loop has waited and worked since the view is watched, in nanoseconds. */
    long[] waitAndWorkNanos(int loop) {
        return loops[loop].waitAndWork();
    }

    /**
     * Returns true if something has happened in a turn of the loop that is not over; or if the loop has ended no turn since the journal
     * was attached.
     */
    boolean isWorking(int loop) {
        return loops[loop].working.getAcquire();
    }

    /** The turns of one loop. Its thread adds events without a lock, and takes it once a turn. */
    private final class LoopJournal {
        private final int loop;
        private final LoopEvent[] kinds = new LoopEvent[EVENTS_PER_TURN_MAX];
        private final long[] connections = new long[EVENTS_PER_TURN_MAX];
        private final long[] amounts = new long[EVENTS_PER_TURN_MAX];
        private int count;
        /** True from the first event of a turn to the turn's end, and from the attachment of the journal to the end of a turn. */
        private final AtomicBoolean working = new AtomicBoolean();
        private final ArrayDeque<Turn> turns = new ArrayDeque<>();
        private long waitNanos;
        private long workNanos;
        private long windowMillis;
        private int inWindow;
        private int changesInWindow;
        private boolean changesLists;

        LoopJournal(int loop) {
            this.loop = loop;
            java.util.Arrays.fill(kinds, KINDS[0]);
        }

        void add(LoopEvent event, long connection, long amount) {
            if (count == 0) {
                working.setRelease(true); // no fence: a reader may see it late
            }
            if (count < EVENTS_PER_TURN_MAX) {
                kinds[count] = event;
                connections[count] = connection;
                amounts[count] = amount;
            }
            changesLists |= Turn.changesLists(event);
            count++;
        }

        synchronized void turned(long waited, long worked, int done) {
            waitNanos += waited;
            workNanos += worked;
            long number = numbers.incrementAndGet();
            long now = System.currentTimeMillis();
            if (now - windowMillis >= WINDOW_MILLIS) {
                windowMillis = now;
                inWindow = 0;
                changesInWindow = 0;
            }
            if (inWindow++ < TURNS_PER_WINDOW_MAX || (changesLists && changesInWindow++ < TURNS_PER_WINDOW_MAX)
                    || gate.isPaused()) {
                List<Turn.Event> events = new ArrayList<>(Math.min(count, EVENTS_PER_TURN_MAX));
                for (int i = 0; i < Math.min(count, EVENTS_PER_TURN_MAX); i++) {
                    events.add(new Turn.Event(kinds[i], connections[i], amounts[i]));
                }
                if (turns.size() == TURNS_MAX) {
                    turns.removeFirst();
                }
                turns.addLast(new Turn(loop, number, now, waited, worked, done, events, count));
            }
            count = 0;
            changesLists = false;
            working.setRelease(false);
        }

        synchronized void addSince(long number, List<Turn> found) {
            for (Turn turn : turns) {
                if (turn.number() > number) {
                    found.add(turn);
                }
            }
        }

        synchronized long[] waitAndWork() {
            return new long[]{waitNanos, workNanos};
        }
    }
}
