package io.trivet.sim;

import io.trivet.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The registrations of a simulated poller, by descriptor and in the order of registration. */
@SuppressWarnings("ReferenceEquality") // sockets are compared by identity: a user's own may define equals
final class SimRegistrations {
    private @Nullable SimWatch[] byNumber = new @Nullable SimWatch[32];
    private final List<SimWatch> all = new ArrayList<>();
    /** Registrations of closed sockets whose numbers now belong to other registered sockets. */
    private final List<SimWatch> displaced = new ArrayList<>();

    /** Returns a bound of the registered descriptor numbers: all are smaller. */
    int numbers() {
        return byNumber.length;
    }

    /** Returns the registration of a descriptor, or null. */
    @Nullable
    SimWatch at(int number) {
        return number < byNumber.length ? byNumber[number] : null;
    }

    /** Returns all registrations, in the order in which they were made. The caller must not modify the list. */
    List<SimWatch> all() {
        return all;
    }

    @Nullable
    SimWatch find(Socket socket) {
        int fd = socket.fd();
        if (fd >= 0) {
            SimWatch watch = at(fd);
            return watch != null && watch.socket == socket ? watch : null;
        }
        for (SimWatch watch : all) { // closed before it was deregistered: rare, and its number is unknown
            if (watch.socket == socket) {
                return watch;
            }
        }
        return null;
    }

    void add(SimWatch watch) {
        if (watch.number >= byNumber.length) {
            byNumber = Arrays.copyOf(byNumber, Math.max(watch.number + 1, byNumber.length * 2));
        }
        byNumber[watch.number] = watch;
        all.add(watch);
    }

    void remove(SimWatch watch) {
        byNumber[watch.number] = null;
        all.remove(watch);
    }

    /** Remembers a removed registration, so that a later call for its socket reports "closed" instead of "not registered". */
    void displace(SimWatch watch) {
        displaced.add(watch);
    }

    boolean removeDisplaced(Socket socket) {
        return !displaced.isEmpty() && displaced.removeIf(watch -> watch.socket == socket);
    }
}
