package io.trivet.select;

import io.trivet.net.Interest;
import io.trivet.net.Network;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The C call. */
final class ThreeSets {
    private final Network network;

    ThreeSets(Network network) {
        this.network = network;
    }

    int select(int nfds, @Nullable FdSet readSet, @Nullable FdSet writeSet, @Nullable FdSet exceptSet, @Nullable Duration timeout)
            throws IOException {
        if (nfds < 0) {
            throw new IllegalArgumentException("nfds must not be negative: " + nfds);
        }
        long timeoutNanos = Question.nanos(timeout);
        FdSet read = readSet == null ? new FdSet() : readSet;
        FdSet write = writeSet == null ? new FdSet() : writeSet;
        FdSet except = exceptSet == null ? new FdSet() : exceptSet;

        FdSet any = new FdSet();
        any.add(read, nfds);
        any.add(write, nfds);
        any.add(except, nfds);
        Question question = new Question(16);
        for (int fd = any.next(0, nfds); fd >= 0; fd = any.next(fd + 1, nfds)) {
            int interest = (read.isSet(fd) ? Interest.READ : 0)
                    | (write.isSet(fd) ? Interest.WRITE : 0)
                    | (except.isSet(fd) ? Interest.PRIORITY : 0);
            question.add(network.descriptor(fd), interest);
        }
        question.ask(network, timeoutNanos);
        int bits = 0;
        int entry = 0;
        for (int fd = any.next(0, nfds); fd >= 0; fd = any.next(fd + 1, nfds)) {
            int ready = question.ready(entry++);
            answer(read, fd, ready & Interest.READ);
            answer(write, fd, ready & Interest.WRITE);
            answer(except, fd, ready & Interest.PRIORITY);
            bits += Integer.bitCount(ready);
        }
        return bits;
    }

    /** One set may stand for several: then the last answer stays, as in C. */
    private static void answer(FdSet set, int fd, int ready) {
        if (ready == 0) {
            set.clr(fd);
        } else {
            set.set(fd);
        }
    }
}
