package io.trivet.server;

import io.trivet.net.Capability;
import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.PeerCredentials;
import io.trivet.net.Socket;
import io.trivet.net.SocketFile;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import io.trivet.net.UnixAddress;
import io.trivet.net.UnixStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Replaces a running server by another process without a refused or reset connection: the new process takes over the listening sockets
 * of the old one, over a Unix domain socket at an agreed address. Linux only.
 *
 * {@snippet :
 * try (Handover handover = Handover.open(network, UnixAddress.ofPath("/run/app/handover.sock"))) {
 *     ServerBuilder builder = Server.builder().network(network).handler(handler);
 *     if (handover.isTaken()) {
 *         handover.listeners().forEach(builder::listen);       // in the order of the old server's addresses
 *     } else {
 *         builder.listen(new InetSocketAddress(8080));         // no server was running
 *     }
 *     try (Server server = builder.start()) {
 *         handover.complete(server, Duration.ofSeconds(30), Duration.ofSeconds(10), successor -> {});
 *         server.join();                                       // until a successor has taken over, and the last client has left
 *     }
 * }
 * }
 *
 * <ol>
 *   <li>The new process connects and gets copies of the listeners (SCM_RIGHTS). Both processes can accept from them.
 *   <li>When the new server has started, {@link #complete} acknowledges. If the new process fails before that, the old one continues as
 *       if nothing had happened.
 *   <li>Then the old server stops accepting. Clients that wait in the backlog are left to the new one. The old server continues to serve
 *       its connections until they end or a time has passed, and drains.
 *   <li>The new process serves the address from now on, for its own successor.
 * </ol>
 *
 * <p><b>Who may take over.</b> Both processes must run as the same user, or the other one as root, as the kernel reports it
 * (SO_PEERCRED). The socket's file has the mode {@code rw-------}.
 *
 * <p><b>Threads.</b> {@link #open} and {@link #complete} are called by one thread. After {@link #complete}, a thread of this object waits
 * for a successor. {@link #close} may be called by any thread.
 */
public final class Handover implements AutoCloseable {
    /** One descriptor is that of the address itself. */
    private static final int LISTENERS_MAX = UnixStream.DESCRIPTORS_MAX - 1;
    private static final int BACKLOG = 16;
    /** How long the other process may take for what it does at once. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);
    /** How long a new process may take to start its server, and how long it waits for one that hands over to another one. */
    private static final Duration START_TIMEOUT = Duration.ofMinutes(2);
    /** How long the last connections are given to reach their loops before a server without connections counts as idle. */
    private static final int IDLE_CHECKS = 3;
    private static final long IDLE_CHECK_NANOS = 50_000_000;
    private static final int RACES_MAX = 8;

    private static final String TAKE = "take 1";
    private static final String OFFER = "offer 1 ";
    private static final String READY = "ready";
    private static final String DONE = "done";
    private static final String REFUSED = "refused ";

    private final Network network;
    private final UnixAddress address;
    private final System.Logger logger;
    private final TcpListener control;
    private final List<TcpListener> listeners;
    /** The connection to the old process, until it is done. */
    private volatile @Nullable HandoverChannel predecessor;
    private volatile boolean closed;
    private volatile boolean handedOver;
    private volatile @Nullable Thread thread;

    private Handover(Network network, UnixAddress address, TcpListener control, List<TcpListener> listeners,
            @Nullable HandoverChannel predecessor) {
        this.network = network;
        this.address = address;
        this.logger = network.logger("io.trivet.server");
        this.control = control;
        this.listeners = listeners;
        this.predecessor = predecessor;
    }

    // ---- the new process

    /**
     * Takes over the listeners of the process that serves the address. If there is none, listens at the address itself.
     *
     * @param network a network of Linux
     * @param address the agreed address, preferably a path in a directory that only this user can write to
     * @return the handover
     * @throws UnsupportedOperationException the network cannot pass descriptors
     * @throws IOException the process that serves the address runs as another user, is not a server of this kind, drains, or does not
     *     answer; or the address cannot be used. The message states which. The old server continues
     */
    public static Handover open(Network network, UnixAddress address) throws IOException {
        if (!network.supports(Capability.DESCRIPTORS) || network.turnsLoops()) {
            throw new UnsupportedOperationException(
                    network.name() + " cannot pass descriptors; the networks of Linux can: epoll, poll, select, uring");
        }
        for (int race = 1;; race++) {
            TcpStream stream = connect(network, address);
            if (stream != null) {
                return take(network, address, stream);
            }
            try {
                TcpListener control = network.listen(address, SocketFile.defaults().withMode("rw-------"), BACKLOG);
                return new Handover(network, address, control, List.of(), null);
            } catch (NetworkException e) {
                if (e.code() != ErrorCode.EADDRINUSE || race == RACES_MAX) {
                    throw e;
                } // another process has just started to serve the address
            }
        }
    }

    /** Returns the connection, or null: no process serves the address. */
    private static @Nullable TcpStream connect(Network network, UnixAddress address) throws IOException {
        TcpStream stream = network.connect(address);
        try {
            stream.finishConnect(); // a Unix domain socket is connected at once, or never
            return stream;
        } catch (NetworkException e) {
            stream.close();
            if (e.code() == ErrorCode.ECONNREFUSED || e.code() == ErrorCode.ENOENT) {
                return null;
            }
            throw e;
        }
    }

    private static Handover take(Network network, UnixAddress address, TcpStream stream) throws IOException {
        if (!(stream instanceof UnixStream unix)) {
            stream.close();
            throw new UnsupportedOperationException(network.name() + " cannot pass descriptors; use a network of Linux");
        }
        HandoverChannel channel = new HandoverChannel(network, unix);
        List<TcpListener> taken = new ArrayList<>();
        try {
            PeerCredentials peer = unix.peerCredentials();
            if (!isTrusted(peer)) {
                throw new IOException("the process that serves it has another user (" + peer + ")");
            }
            channel.send(TAKE, List.of(), ANSWER_TIMEOUT);
            int count = offered(channel.receive(START_TIMEOUT));
            List<Descriptor> descriptors = channel.takeDescriptors();
            try {
                if (descriptors.size() != count + 1) {
                    throw new IOException(
                            "the process that serves it has passed " + descriptors.size() + " descriptors instead of "
                                    + (count + 1));
                }
                for (Descriptor descriptor : descriptors) {
                    taken.add(network.listen(descriptor));
                }
            } finally {
                for (Descriptor descriptor : descriptors) {
                    descriptor.close(); // those that are not a listener's
                }
            }
            return new Handover(network, address, taken.getFirst(), List.copyOf(taken.subList(1, taken.size())), channel);
        } catch (IOException e) {
            abandon(taken, channel);
            throw new IOException("handover " + address + ": " + e.getMessage(), e);
        } catch (RuntimeException e) {
            abandon(taken, channel);
            throw e;
        }
    }

    private static void abandon(List<TcpListener> taken, HandoverChannel channel) throws IOException {
        for (TcpListener listener : taken) {
            listener.close();
        }
        channel.close();
    }

    /** Returns the number of listeners that are offered. */
    private static int offered(@Nullable String line) throws IOException {
        if (line == null) {
            throw new IOException(
                    "the process that serves it has ended the connection: it does not hand over, or has another user");
        }
        if (line.startsWith(REFUSED)) {
            throw new IOException("the process that serves it refuses: " + line.substring(REFUSED.length()));
        }
        if (!line.matches(OFFER + "[0-9]{1,3}")) {
            throw new IOException("the process that serves it does not speak this protocol");
        }
        return Integer.parseInt(line.substring(OFFER.length()));
    }

    /**
     * Returns whether listeners were taken over.
     *
     * @return false if no process served the address
     */
    public boolean isTaken() {
        return predecessor != null || !listeners.isEmpty();
    }

    /**
     * Returns the listeners that were taken over. The server that is built with them owns them.
     *
     * @return the listeners, in the order of the old server's addresses; empty if no process served the address
     */
    public List<TcpListener> listeners() {
        return listeners;
    }

    /**
     * Completes the start of a server. If listeners were taken over, tells the old process, which stops accepting. From now on, serves the
     * address for a successor, on a thread of its own.
     *
     * @param server the server, which accepts from the listeners when it is turned
     * @param grace how long the server may continue to serve its connections when a successor has taken over. Then, or when it has
     *     none left, it drains
     * @param drainTimeout the timeout of that {@link Server#drain}
     * @param onHandedOver called when the server has stopped accepting because a successor has taken over, before the successor is
     *     told so; its argument identifies the successor. An exception is logged
     * @throws IOException the old process refuses, for instance because it has waited too long. It continues to accept, and this server
     *     must be closed
     */
    public void complete(Server server, Duration grace, Duration drainTimeout, Consumer<PeerCredentials> onHandedOver)
            throws IOException {
        HandoverChannel old = predecessor;
        if (old != null) {
            acknowledge(old, server.listenerSockets());
        }
        Thread serving = new Thread(() -> serve(server, grace, drainTimeout, onHandedOver), "trivet-handover");
        serving.setDaemon(true);
        thread = serving;
        serving.start();
    }

    private void acknowledge(HandoverChannel old, List<TcpListener> served) throws IOException {
        try (old) {
            @Nullable String answer;
            try {
                old.send(READY, List.of(), ANSWER_TIMEOUT);
                answer = old.receive(START_TIMEOUT);
            } catch (NetworkException e) { // EPIPE or ECONNRESET: it has just ended, and this process has its listeners
                answer = null;
            }
            if (answer != null && !answer.startsWith(DONE)) {
                throw new IOException("handover " + address + ": the old process continues to serve: "
                        + (answer.startsWith(REFUSED) ? answer.substring(REFUSED.length()) : answer));
            }
            for (String index : answer == null ? new String[0] : answer.substring(DONE.length()).strip().split(" ", -1)) {
                own(index, served);
            }
        }
        predecessor = null;
    }

    /** The old process leaves the file of a listener: 0 is that of the address, then those of the server. */
    private void own(String index, List<TcpListener> served) throws IOException {
        if (index.matches("[0-9]{1,3}")) {
            int number = Integer.parseInt(index);
            if (number == 0) {
                control.ownFile();
            } else if (number <= Math.min(served.size(), listeners.size())) {
                listeners.get(number - 1).ownFile();
            }
        }
    }

    // ---- the old process

    /** Waits for a successor, until one has taken over. */
    private void serve(Server server, Duration grace, Duration drainTimeout, Consumer<PeerCredentials> onHandedOver) {
        try {
            while (!handedOver) {
                HandoverChannel.await(network, control, Interest.READ, Loop.NO_DEADLINE);
                TcpStream stream = control.accept();
                if (stream instanceof UnixStream unix) {
                    handOver(server, unix, onHandedOver);
                }
            }
            control.close();
            retire(server, grace, drainTimeout);
        } catch (ClosedByInterruptException e) {
            // close() was called
        } catch (IOException | RuntimeException e) {
            if (!closed) {
                logger.log(Level.WARNING, "handover " + address + " is not served any longer: " + e.getMessage(), e);
            }
        }
    }

    /** Hands over to a process, unless that fails before it has acknowledged. */
    private void handOver(Server server, UnixStream stream, Consumer<PeerCredentials> onHandedOver) throws IOException {
        PeerCredentials peer = stream.peerCredentials();
        try (HandoverChannel channel = new HandoverChannel(network, stream)) {
            if (!isTrusted(peer)) {
                throw new IOException("it has another user");
            }
            String request = channel.receive(ANSWER_TIMEOUT);
            if (request == null) {
                return; // a probe: whether someone listens
            }
            List<Socket> sockets = new ArrayList<>(List.of(control));
            sockets.addAll(server.listenerSockets());
            String refusal = refusal(server, request, sockets.size() - 1);
            if (refusal == null) {
                channel.send(OFFER + (sockets.size() - 1), sockets, ANSWER_TIMEOUT);
                if (READY.equals(awaitReady(channel))) {
                    leave(server, channel, peer, onHandedOver);
                    return;
                }
                refusal = "it has not acknowledged in " + START_TIMEOUT.toSeconds() + " s";
            }
            channel.send(REFUSED + refusal, List.of(), ANSWER_TIMEOUT);
            throw new IOException(refusal);
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException | RejectedExecutionException e) {
            logger.log(Level.WARNING,
                    "handover to " + peer + " has failed, and this process continues to serve: " + e.getMessage());
        }
    }

    private static @Nullable String refusal(Server server, String request, int count) {
        return !request.equals(TAKE) ? "it speaks another protocol"
                : server.isClosed() || server.isDraining() ? "its server is being closed"
                : count > LISTENERS_MAX
                        ? "the server has " + count + " listeners, and at most " + LISTENERS_MAX + " can be passed"
                : null;
    }

    /** Returns the acknowledgement; something else if it does not come in time. */
    private static String awaitReady(HandoverChannel channel) throws IOException {
        try {
            String line = channel.receive(START_TIMEOUT);
            if (line == null) {
                throw new IOException("it has ended before it has acknowledged");
            }
            return line;
        } catch (java.net.SocketTimeoutException e) {
            return "";
        }
    }

    private void leave(Server server, HandoverChannel channel, PeerCredentials successor, Consumer<PeerCredentials> onHandedOver)
            throws IOException {
        BlockingQueue<List<Integer>> left = new ArrayBlockingQueue<>(1);
        server.leaveListeners(left::add);
        List<Integer> withFile;
        try {
            withFile = left.poll(START_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new ClosedByInterruptException();
        }
        handedOver = true;
        try {
            onHandedOver.accept(successor);
        } catch (RuntimeException e) {
            logger.log(Level.WARNING, "handover: the listener threw: " + e, e);
        }
        StringBuilder done = new StringBuilder(DONE).append(control.share() ? " 0" : "");
        if (withFile != null) {
            withFile.forEach(index -> done.append(' ').append(index + 1));
        }
        try {
            channel.send(done.toString(), List.of(), ANSWER_TIMEOUT);
        } catch (NetworkException e) {
            logger.log(Level.WARNING, "handover: " + successor + " has ended after it had acknowledged: " + e.getMessage());
        }
    }

    /** Drains the server when its last connection has ended, or the time is over. */
    private void retire(Server server, Duration grace, Duration drainTimeout) {
        long deadline = network.clock().nanoTime() + Limits.nanos(grace);
        int idle = 0;
        while (!closed && !server.isClosed() && idle < IDLE_CHECKS && deadline - network.clock().nanoTime() > 0) {
            idle = server.stats().total().connections() == 0 ? idle + 1 : 0;
            LockSupport.parkNanos(IDLE_CHECK_NANOS);
        }
        if (!closed && !server.isClosed()) {
            try {
                server.drain(drainTimeout);
            } catch (RejectedExecutionException e) {
                server.close();
            }
        }
    }

    /** Returns whether a process may take over, or be taken over from. */
    private static boolean isTrusted(PeerCredentials peer) throws IOException {
        return peer.uid() == 0 || peer.uid() == ownUser();
    }

    /** Returns the effective user of this process: man 5 proc. */
    private static int ownUser() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("Uid:")) {
                return Integer.parseUnsignedInt(line.split("\\s+", -1)[2]);
            }
        }
        throw new IOException("/proc/self/status has no line Uid");
    }

    /**
     * Returns whether a successor has taken over.
     *
     * @return true from the time at which the server has stopped accepting
     */
    public boolean isHandedOver() {
        return handedOver;
    }

    /**
     * Stops to serve the address. If the handover was not completed, the old process continues, and the listeners that were taken over
     * are closed. If a successor has taken over, the server is not drained by this object any more.
     */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        HandoverChannel old = predecessor;
        try (control) {
            if (old != null) {
                old.close();
                for (TcpListener listener : listeners) {
                    listener.close();
                }
            }
            Thread serving = thread;
            if (serving != null && !Objects.equals(serving, Thread.currentThread())) {
                serving.interrupt();
                joinUninterruptibly(serving);
            }
        }
    }

    private static void joinUninterruptibly(Thread serving) {
        boolean interrupted = false;
        while (serving.isAlive()) {
            try {
                serving.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
