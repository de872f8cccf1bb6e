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
 * Which sockets a poller watches, by descriptor: in plain arrays, since there is one entry for every connection of a server. The
 * poller's lock guards it.
 *
 * <p>Each registration of a number has a generation: an event that the kernel delivered for an earlier owner of the number is
 * recognised by it.
 */
final class Registrations {
    /** 65,536 entries take 1.3 MB; a billion, which a wrong number can be, would take all the memory there is. */
    static final int UNCHECKED_FD_MAX = 1 << 16;

    private @Nullable Socket[] sockets = new @Nullable Socket[64];
    private byte[] interests = new byte[64];
    private int[] generations = new int[64];
    private long[] tokens = new long[64];
    /** Closed sockets whose number was registered anew before they were removed; held weakly, since they may never be. */
    private final Set<Socket> displaced = Collections.newSetFromMap(new WeakHashMap<>(0));

    /** Whether a number lies so far beyond all others that the arrays should not grow for it before it is known to be open. */
    boolean needsOpenCheck(int fd) {
        return fd >= sockets.length && fd >= UNCHECKED_FD_MAX;
    }

    /** Enters a socket; the slot of one that was closed and never removed is taken over. */
    void add(Socket socket, int fd, int interest, long token) {
        if (fd >= sockets.length) {
            int size = Math.max(fd + 1, sockets.length * 2);
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

    /** Remembers the closed owner of a number that a new owner takes over, so that it can still be removed. */
    void displace(int fd) {
        displaced.add(Objects.requireNonNull(sockets[fd]));
    }

    boolean removeDisplaced(Socket socket) {
        return !displaced.isEmpty() && displaced.remove(socket);
    }

    /** The number under which a socket is known, also after it was closed; -1: it is not. */
    @SuppressWarnings("ReferenceEquality") // the very socket: another one may have its number, and a user's own may define equals
    int find(Socket socket) {
        int fd = socket.fd();
        if (fd >= 0) {
            return fd < sockets.length && sockets[fd] == socket ? fd : -1;
        }
        for (int i = 0; i < sockets.length; i++) { // closed first: rare, and the number is gone with it
            if (sockets[i] == socket) {
                return i;
            }
        }
        return -1;
    }

    /** Who has that number; null: no one, or the owner was closed without being removed. */
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
