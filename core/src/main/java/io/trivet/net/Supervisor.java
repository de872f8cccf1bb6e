package io.trivet.net;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The service manager that has started this process, such as systemd: the listening sockets that it has opened beforehand, and
 * the notifications that it waits for. A process that was started otherwise has neither. Source: man 3 sd_listen_fds, man 3
 * sd_notify. Immutable; any thread.
 *
 * <p>The environment variables ({@code LISTEN_FDS}, {@code LISTEN_PID}, {@code LISTEN_FDNAMES}, {@code NOTIFY_SOCKET}) stay set,
 * because Java cannot remove them. A program that this process starts does not inherit the sockets, and {@code LISTEN_PID} shows
 * that they are for another process. Remove {@code NOTIFY_SOCKET} from the environment of its {@link ProcessBuilder}.
 */
public final class Supervisor {
    /** The first passed descriptor: SD_LISTEN_FDS_START. */
    private static final int FIRST_DESCRIPTOR = 3;
    private static final int DESCRIPTORS_MAX = 1024;

    private final Map<String, String> environment;
    private final long pid;

    Supervisor(Map<String, String> environment, long pid) {
        this.environment = environment;
        this.pid = pid;
    }

    /**
     * Returns the service manager of this process.
     *
     * @return the service manager, which may have nothing for this process
     */
    public static Supervisor ofProcess() {
        return new Supervisor(System.getenv(), ProcessHandle.current().pid());
    }

    /**
     * Returns the number of sockets that were passed to this process: the descriptors from 3.
     *
     * @return the number; 0 if none were passed, or if they were passed to another process ({@code LISTEN_PID})
     * @throws IOException a variable is malformed; the message contains it
     */
    public int passedSockets() throws IOException {
        String count = environment.get("LISTEN_FDS");
        String owner = environment.get("LISTEN_PID");
        if (count == null || owner == null || number("LISTEN_PID", owner, Integer.MAX_VALUE) != pid) {
            return 0;
        }
        return number("LISTEN_FDS", count, DESCRIPTORS_MAX);
    }

    private static int number(String variable, String value, int max) throws IOException {
        if (!value.matches("[0-9]{1,10}") || Long.parseLong(value) > max) {
            throw new IOException(variable + " must be a number from 0 to " + max + ", not '" + value + "'");
        }
        return Integer.parseInt(value);
    }

    /**
     * Takes over the sockets that were passed to this process, all of which must listen for TCP. Call it once.
     *
     * @param network a network of Linux
     * @return the listeners, which the caller closes; empty if none were passed
     * @throws UnsupportedOperationException sockets were passed, and the network has no descriptors
     * @throws IOException a socket cannot be used; the message has its descriptor, and its name in {@code LISTEN_FDNAMES}. The
     *     listeners before it are closed
     */
    public List<TcpListener> listeners(Network network) throws IOException {
        int count = passedSockets();
        List<TcpListener> listeners = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            try {
                listeners.add(network.listen(network.descriptor(FIRST_DESCRIPTOR + i)));
            } catch (IOException e) {
                for (TcpListener listener : listeners) {
                    listener.close();
                }
                throw new IOException("LISTEN_FDS: " + name(i) + ": " + e.getMessage(), e);
            }
        }
        return listeners;
    }

    /**
     * Returns the name of a passed socket.
     *
     * @param index its index, from 0
     * @return for instance {@code descriptor 3 (web.socket)}
     */
    public String name(int index) {
        String all = environment.get("LISTEN_FDNAMES");
        String[] names = all == null ? new String[0] : all.split(":", -1);
        String name = index < names.length && !names[index].isEmpty() ? " (" + names[index] + ")" : "";
        return "descriptor " + (FIRST_DESCRIPTOR + index) + name;
    }

    /**
     * Reports a change of this process's state to the service manager.
     *
     * @param network a network of Linux
     * @param state assignments, one a line: {@code READY=1}, {@code STOPPING=1}, {@code STATUS=…}
     * @return true if the notification was sent; false if {@code NOTIFY_SOCKET} is not set
     * @throws UnsupportedOperationException the network has no descriptors
     * @throws IOException the notification cannot be sent
     */
    public boolean report(Network network, String state) throws IOException {
        @Nullable String address = environment.get("NOTIFY_SOCKET");
        if (address == null || address.isEmpty()) {
            return false;
        }
        if (address.charAt(0) != '/' && address.charAt(0) != '@') {
            throw new IOException("NOTIFY_SOCKET must be a path or an abstract name, not '" + address + "'");
        }
        try {
            network.sendUnixDatagram(address, state);
        } catch (IllegalArgumentException e) {
            throw new IOException("NOTIFY_SOCKET: " + e.getMessage(), e);
        }
        return true;
    }
}
