package io.trivet.select;

import io.trivet.net.Interest;
import io.trivet.net.Network;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The form with three sets of descriptors, as in C. */
final class FdSetSelect {
    private final Network network;

    FdSetSelect(Network network) {
        this.network = network;
    }

    int select(int nfds, @Nullable FdSet readSet, @Nullable FdSet writeSet, @Nullable FdSet exceptSet, @Nullable Duration timeout)
            throws IOException {
        if (nfds < 0) {
            throw new IllegalArgumentException("nfds must not be negative: " + nfds);
        }
        long timeoutNanos = SelectRequest.nanos(timeout);
        FdSet read = readSet == null ? new FdSet() : readSet;
        FdSet write = writeSet == null ? new FdSet() : writeSet;
        FdSet except = exceptSet == null ? new FdSet() : exceptSet;

        FdSet union = new FdSet();
        union.addAll(read, nfds);
        union.addAll(write, nfds);
        union.addAll(except, nfds);
        SelectRequest request = new SelectRequest(16);
        for (int fd = union.next(0, nfds); fd >= 0; fd = union.next(fd + 1, nfds)) {
            int interest = (read.isSet(fd) ? Interest.READ : 0)
                    | (write.isSet(fd) ? Interest.WRITE : 0)
                    | (except.isSet(fd) ? Interest.PRIORITY : 0);
            request.add(network.descriptor(fd), interest);
        }
        request.await(network, timeoutNanos);
        int bits = 0;
        int entry = 0;
        for (int fd = union.next(0, nfds); fd >= 0; fd = union.next(fd + 1, nfds)) {
            int ready = request.ready(entry++);
            assign(read, fd, ready & Interest.READ);
            assign(write, fd, ready & Interest.WRITE);
            assign(except, fd, ready & Interest.PRIORITY);
            bits += Integer.bitCount(ready);
        }
        return bits;
    }

    /** Sets or clears one bit. If one set was passed as several arguments, the last assignment wins, as in C. */
    private static void assign(FdSet set, int fd, int ready) {
        if (ready == 0) {
            set.clr(fd);
        } else {
            set.set(fd);
        }
    }
}
