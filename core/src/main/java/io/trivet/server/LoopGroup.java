package io.trivet.server;

import io.trivet.net.Loop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The loops of one server: chooses among them, and ends all of them when one cannot continue. Any thread, once all loops are
 * added.
 */
final class LoopGroup {
    private final Log log;
    private final List<EventLoop> loops = new ArrayList<>();
    private volatile boolean closed;

    LoopGroup(Log log) {
        this.log = log;
    }

    void add(EventLoop loop) {
        loops.add(loop);
    }

    List<EventLoop> all() {
        return loops;
    }

    EventLoop first() {
        return loops.getFirst();
    }

    /** Returns the loop with the fewest connections; of several, the first. */
    EventLoop leastLoaded() {
        EventLoop least = loops.getFirst();
        for (int i = 1; i < loops.size(); i++) { // an iterator would be garbage for each connection
            EventLoop loop = loops.get(i);
            least = loop.load() < least.load() ? loop : least;
        }
        return least;
    }

    /** Returns a loop as a {@link Loop}, which a network may turn. */
    Loop attachable(EventLoop loop) {
        return new Loop() {
            @Override
            public int turn() throws IOException {
                // A network that turns all loops while one of them waits finds that one turning already.
                return loop.isTurnedByThisThread() ? 0 : LoopGroup.this.turn(loop, 0);
            }

            @Override
            public long nextDeadline() {
                return loop.nextDeadline();
            }
        };
    }

    /**
     * Turns a loop once, on behalf of its caller. If it cannot continue, all loops end.
     *
     * @param waitNanosMax the longest wait; negative: no limit
     * @return how much was done
     * @throws IOException the loop cannot continue
     */
    int turn(EventLoop loop, long waitNanosMax) throws IOException {
        try {
            return loop.turn(waitNanosMax);
        } catch (IOException | Error e) {
            fail(loop, e);
            throw e;
        }
    }

    /** Ends all loops because one of them cannot continue. */
    void fail(EventLoop loop, Throwable cause) {
        log.stopped(cause);
        close();
        stop();
        loop.shutDown();
    }

    /** Records that the server is closed. */
    void close() {
        closed = true;
    }

    /** Returns true if the server was closed. Its loops may still be ending. */
    boolean isClosed() {
        return closed;
    }

    /** Makes each loop end when its current turn is over. */
    void stop() {
        loops.forEach(loop -> loop.mailbox().stop());
    }

    /** Ends each loop now; a loop that another thread is turning, after that turn. */
    void shutDown() {
        loops.forEach(EventLoop::shutDown);
    }

    boolean isTurnedByThisThread() {
        return loops.stream().anyMatch(EventLoop::isTurnedByThisThread);
    }

    boolean isOwnedByThisThread() {
        return loops.stream().anyMatch(loop -> loop.mailbox().isOwnThread());
    }

    boolean haveEnded() {
        return loops.stream().allMatch(EventLoop::hasEnded);
    }
}
