package io.trivet.linux;

import io.trivet.net.Registration;
import io.trivet.net.Socket;
import java.util.Arrays;
import java.util.Collections;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The sockets that a poller watches, by descriptor. They are stored in plain arrays, since a server has one entry per connection.
 * The poller's lock guards them.
 *
 * <p>Each registration of a descriptor has a generation, which identifies events that the kernel delivered for an earlier socket
 * with the same descriptor.
 */
final class Registrations {
    /**
     * Descriptors from this number on are checked to be open before the arrays grow for them: 65,536 entries use 1.3 MB, but a
     * wrong number can be a billion.
     */
    static final int UNCHECKED_FD_MAX = 1 << 16;

    private @Nullable Socket[] sockets = new @Nullable Socket[64];
    private byte[] interests = new byte[64];
    private int[] generations = new int[64];
    private long[] tokens = new long[64];
    /**
     * Closed sockets that were not deregistered before their number was registered again. Held weakly, since they may never be
     * deregistered.
     */
    private final Set<Socket> displaced = Collections.newSetFromMap(new WeakHashMap<>(0));

    /** Returns whether a descriptor is so high that it must be checked to be open before the arrays grow for it. */
    boolean needsOpenCheck(int fd) {
        return fd >= sockets.length && fd >= UNCHECKED_FD_MAX;
    }

    /** Adds a socket. It replaces a closed socket with the same number. */
    void add(Socket socket, int fd, int interest, long token) {
        if (fd >= sockets.length) {
            int size = Math.max(fd + 1, sockets.length + sockets.length / 2);
            sockets = Arrays.copyOf(sockets, size);
            interests = Arrays.copyOf(interests, size);
            generations = Arrays.copyOf(generations, size);
            tokens = Arrays.copyOf(tokens, size);
        }
        sockets[fd] = socket;
        generations[fd]++;
        set(fd, interest, token);
    }

    void set(int fd, int interest, long token) {
        interests[fd] = (byte) interest;
        tokens[fd] = token;
    }

    void remove(int fd) {
        sockets[fd] = null;
        interests[fd] = 0;
    }

    /** Remembers the closed socket whose number is about to be registered again, so that it can still be deregistered. */
    void displace(int fd) {
        displaced.add(Objects.requireNonNull(sockets[fd]));
    }

    boolean removeDisplaced(Socket socket) {
        return !displaced.isEmpty() && displaced.remove(socket);
    }

    /** Returns the descriptor under which a socket is registered, even if it has been closed since; -1: none. */
    // identity: another socket may have its number, and an application's class may define equals
    @SuppressWarnings("ReferenceEquality")
    int find(Socket socket) {
        int fd = socket.fd();
        if (fd >= 0) {
            return fd < sockets.length && sockets[fd] == socket ? fd : -1;
        }
        for (int i = 0; i < sockets.length; i++) { // closed without being deregistered: rare, and its number is no longer known
            if (sockets[i] == socket) {
                return i;
            }
        }
        return -1;
    }

    /** Returns the open socket that is registered under a descriptor; null: none, or it was closed without being deregistered. */
    @Nullable
    Socket openSocket(int fd) {
        Socket socket = fd < sockets.length ? sockets[fd] : null;
        return socket != null && socket.isOpen() ? socket : null;
    }

    boolean isRegistered(int fd) {
        return fd < sockets.length && sockets[fd] != null;
    }

    boolean isCurrent(int fd, int generation) {
        return isRegistered(fd) && generations[fd] == generation;
    }

    int interest(int fd) {
        return interests[fd];
    }

    int generation(int fd) {
        return generations[fd];
    }

    long token(int fd) {
        return tokens[fd];
    }

    @Nullable
    Registration registration(Socket socket) {
        int fd = find(socket);
        return fd < 0 ? null : new Registration(socket, interests[fd], tokens[fd]);
    }
}
