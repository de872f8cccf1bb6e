package io.trivet.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A local port where nothing listens, and which the kernel soon chooses for a connect to it, so that TCP connects the socket to
 * itself.
 *
 * <p>The ports that Linux chooses for connects to one address ascend in small random steps (inet_hashtables.c: at most eight, of
 * two ports each). The ports just below this one are in use, so that no step skips it. One round through the ports reaches it.
 */
public final class SelfConnect implements AutoCloseable {
    /** At least one round through the ports that Linux chooses by default (net.ipv4.ip_local_port_range). */
    static final int ATTEMPTS = 31_000;
    /** Among this number of connects after {@link #approach}, one connects the socket to itself. */
    public static final int NEARBY = 64;

    private static final int PORT_MIN = 32_768;
    private static final int PORT_END = 61_000;
    private static final int TAKEN = 16;
    /** Longer than the kernel keeps the port of a closed connection (TCP_TIMEWAIT_LEN in net/tcp.h). */
    private static final int TIME_WAIT_SECONDS = 90;

    private final List<TcpListener> taken = new ArrayList<>();
    private final InetSocketAddress unused;

    public SelfConnect(String host) throws IOException {
        InetAddress address = InetAddress.ofLiteral(host);
        int ranges = (PORT_END - PORT_MIN) / (2 * TAKEN);
        int first = (int) (ProcessHandle.current().pid() % ranges);
        int tried = 0;
        int port = portOf(first);
        while (!isFree(address, port)) {
            port = portOf((first + ++tried) % ranges);
            if (tried % ranges == 0) {
                if (tried / ranges > TIME_WAIT_SECONDS) {
                    throw new IOException("no range of ports is free");
                }
                LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1)); // other tests have left thousands of connections in TIME_WAIT
            }
        }
        unused = new InetSocketAddress(address, port + TAKEN);
    }

    /** Returns the first port of a range. It is even, because Linux prefers even ports for connects. */
    private static int portOf(int range) {
        return PORT_MIN + range * 2 * TAKEN;
    }

    /** Binds the ports from this one on, except the last, if all are free. */
    private boolean isFree(InetAddress address, int port) throws IOException {
        try {
            for (int i = 0; i <= TAKEN; i++) {
                taken.add(Network.system().listen(new InetSocketAddress(address, port + i), 1));
            }
            taken.removeLast().close();
            return true;
        } catch (NetworkException e) {
            close();
            if (e.code() != ErrorCode.EADDRINUSE) {
                throw e;
            }
            return false;
        }
    }

    /** Returns the address at which nothing listens. */
    public InetSocketAddress address() {
        return unused;
    }

    /** Connects until one of the next {@link #NEARBY} connects to the address will connect to itself. Linux only. */
    public void approach() throws IOException {
        for (int i = 0; i < ATTEMPTS; i++) {
            try (TcpStream stream = Network.named("poll").connect(unused)) {
                int ahead = unused.getPort() - stream.localAddress().getPort();
                if (ahead > NEARBY / 2 && ahead <= NEARBY) {
                    return;
                }
            }
        }
        throw new IOException("the kernel does not choose one port after the other");
    }

    @Override
    public void close() throws IOException {
        for (TcpListener listener : taken) {
            listener.close();
        }
        taken.clear();
    }
}
