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
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
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
 *         builder.listen(handover);                            // in the order of the old server's addresses
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
 *   <li>The new process connects and gets copies of the listeners (SCM_RIGHTS).
 *   <li>When the new server has started, {@link #complete} acknowledges. If the new process fails before that, the old one continues. Until
 *       then it alone accepts, unless the new one was built with {@link #listeners} instead of {@link ServerBuilder#listen(Handover)}.
 *   <li>Then the old server stops accepting. Clients that wait in the backlog are left to the new one. The old server continues to serve
 *       its connections until they end or a time has passed, and drains.
 *   <li>The new process serves the address from now on, for its own successor.
 * </ol>
 *
 * <p><b>Who may take over.</b> Both processes must run as the same user, as the kernel reports it (SO_PEERCRED). The socket's file has
 * the mode {@code rw-------}.
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
    /** How long a server may take to stop accepting: clearly less than the new process waits for that. */
    private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(10);
    private static final long ACCEPT_PAUSE_NANOS = 500_000_000;
    /** How long the last connections are given to reach their loops before a server without connections counts as idle. */
    private static final int IDLE_CHECKS = 3;
    private static final long IDLE_CHECK_NANOS = 50_000_000;
    private static final int RACES_MAX = 8;

    private static final String TAKE = "take 1";
    private static final String OFFER = "offer 1 ";
    private static final String READY = "ready";
    private static final String DONE = "done";
    private static final String REFUSED = "refused ";
    private static final String CLOSING = "its server is being closed";

    private final Network network;
    private final UnixAddress address;
    private final System.Logger logger;
    private final TcpListener control;
    private final List<TcpListener> listeners;
    private final TakenFiles files;
    /** The connection to the old process, until it is done. */
    private volatile @Nullable HandoverChannel predecessor;
    private volatile boolean closed;
    private volatile boolean handedOver;
    private volatile @Nullable Thread thread;
    private volatile Runnable beforeDrain = () -> {};
    /** Used by that thread. */
    private boolean acceptFails;

    private Handover(Network network, UnixAddress address, TcpListener control, List<TcpListener> listeners,
            TakenFiles files, @Nullable HandoverChannel predecessor) {
        this.network = network;
        this.address = address;
        this.logger = network.logger("io.trivet.server");
        this.control = control;
        this.listeners = listeners;
        this.files = files;
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
                return new Handover(network, address, control, List.of(), new TakenFiles(List.of()), null);
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
            if (!HandoverChannel.isTrusted(peer)) {
                throw new IOException("the process that serves it has another user (" + peer + ")");
            }
            int count = offered(channel.ask(TAKE, ANSWER_TIMEOUT, START_TIMEOUT));
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
            return new Handover(network, address, taken.getFirst(), List.copyOf(taken.subList(1, taken.size())),
                    new TakenFiles(taken), channel);
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
     * Returns the listeners that were taken over, for {@link ServerBuilder#listen(TcpListener, Protocol)}. The server that is built with them owns them. It is to serve all of them: clients of
     * one that is left out or closed are refused.
     *
     * @return the listeners, in the order of the old server's addresses; empty if no process served the address
     */
    public List<TcpListener> listeners() {
        return listeners;
    }

    /**
     * Sets an action that runs before a server drains because a successor has replaced it, for instance to leave a cluster.
     *
     * @param action called once, on the thread of this object, when the server has no connections left or the grace period is over. The
     *     drain starts when it returns. An exception is logged. {@link #close} interrupts it, and waits until it returns
     */
    public void beforeDrain(Runnable action) {
        beforeDrain = Objects.requireNonNull(action, "action");
    }

    /**
     * Completes the start of a server. If listeners were taken over, notifies the old process, which stops accepting, and waits for that.
     * From now on, serves the address for a successor, on a thread of its own.
     *
     * @param server the server, which accepts from the listeners when it is turned
     * @param grace how long the server may continue to serve its connections when a successor has taken over. Then, or when it has
     *     none left, it drains
     * @param drainTimeout the timeout of that {@link Server#drain}
     * @param onHandedOver called when the server has stopped accepting because a successor has taken over, and the successor was
     *     notified; its argument identifies the successor. An exception is logged
     * @throws IOException the server was closed or drains; the old process refuses, for instance because it has waited too long or is
     *     being closed; or it has ended without an answer, and the file of a listener is gone. The server is to be closed. If a drain
     *     begins while the old process stops accepting, the clients that wait are accepted and drained
     */
    public void complete(Server server, Duration grace, Duration drainTimeout, Consumer<PeerCredentials> onHandedOver)
            throws IOException {
        HandoverChannel old = predecessor;
        if (old != null) {
            takeOver(old, server);
        } else {
            server.startAccepting(); // a server that is closed refuses successors
        }
        HandoverChannel.rehearse(network, address);
        Thread serving = new Thread(() -> serve(server, grace, drainTimeout, onHandedOver), "trivet-handover");
        serving.setDaemon(true);
        thread = serving;
        serving.start();
    }

    private void takeOver(HandoverChannel old, Server server) throws IOException {
        boolean isDone = false;
        try {
            if (!server.beginTakeover()) {
                old.close();
                throw new IOException("handover " + address + ": the new server was closed or drains, so the old one continues");
            }
            acknowledge(old, server.listenerSockets());
            isDone = true;
        } finally {
            if (!isDone) {
                server.cancelTakeover();
            }
        }
        if (!server.startAccepting()) {
            throw new IOException("handover " + address + ": the new server was closed when the old one had stopped accepting");
        }
    }

    private void acknowledge(HandoverChannel old, List<TcpListener> served) throws IOException {
        String answer = null;
        try (old) {
            answer = old.ask(READY, ANSWER_TIMEOUT, START_TIMEOUT);
        } catch (NetworkException e) {
            // ECONNRESET: the old process has ended without an answer
        }
        if (answer == null) {
            files.check(); // this process has its listeners
        } else if (!answer.startsWith(DONE)) {
            throw new IOException("handover " + address + ": the old process does not hand over: "
                    + (answer.startsWith(REFUSED) ? answer.substring(REFUSED.length()) : answer));
        } else {
            for (String index : answer.substring(DONE.length()).strip().split(" ", -1)) {
                own(index, served);
            }
        }
        predecessor = null;
    }

    /** The old process leaves the file of a listener: 0 is that of the address, then those of the server. */
    private void own(String index, List<TcpListener> served) {
        int number = index.matches("[0-9]{1,3}") ? Integer.parseInt(index) : -1;
        if (number < 0 || number > Math.min(served.size(), listeners.size())) {
            return;
        }
        TcpListener listener = number == 0 ? control : listeners.get(number - 1);
        try {
            listener.ownFile();
        } catch (IOException e) { // the old process has left, so this one must serve
            logger.log(Level.WARNING, "handover " + address + ": the file of " + listener
                    + " will not be removed when this server ends: " + e.getMessage());
        }
    }

    // ---- the old process

    /** Waits for a successor, until one has taken over. */
    private void serve(Server server, Duration grace, Duration drainTimeout, Consumer<PeerCredentials> onHandedOver) {
        try {
            while (!handedOver) {
                if (accept() instanceof UnixStream unix) {
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

    /** Waits for a process. A lack of descriptors or memory passes: it is logged once. */
    private @Nullable TcpStream accept() throws IOException {
        try {
            HandoverChannel.await(network, control, Interest.READ, Loop.NO_DEADLINE);
            TcpStream stream = control.accept();
            acceptFails = false;
            return stream;
        } catch (NetworkException e) {
            if (!acceptFails) {
                logger.log(Level.WARNING, "handover " + address + ": no process can take over at present: " + e.getMessage());
            }
            acceptFails = true;
            LockSupport.parkNanos(ACCEPT_PAUSE_NANOS);
            if (closed || Thread.currentThread().isInterrupted()) {
                throw new ClosedByInterruptException();
            }
            return null;
        }
    }

    /** Hands over to a process, unless that fails before it has acknowledged. */
    private void handOver(Server server, UnixStream stream, Consumer<PeerCredentials> onHandedOver)
            throws ClosedByInterruptException {
        String peer = "a process";
        String failure;
        try (HandoverChannel channel = new HandoverChannel(network, stream)) {
            PeerCredentials credentials = stream.peerCredentials();
            peer = credentials.toString();
            failure = offer(server, channel, credentials, onHandedOver);
            if (failure != null) {
                channel.send(REFUSED + failure, List.of(), ANSWER_TIMEOUT);
            }
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            failure = String.valueOf(e.getMessage());
        }
        if (failure != null && !handedOver) {
            logger.log(Level.WARNING, "handover to " + peer + " has failed, and this process continues to serve: " + failure);
        }
    }

    /** Returns why the process is refused; null if it has taken over, or asks for nothing. */
    private @Nullable String offer(Server server, HandoverChannel channel, PeerCredentials peer,
            Consumer<PeerCredentials> onHandedOver) throws IOException {
        try {
            if (!HandoverChannel.isTrusted(peer)) {
                return "it has another user";
            }
            String request = channel.receive(ANSWER_TIMEOUT);
            if (request == null) {
                return null; // a probe: whether a server listens
            }
            List<Socket> sockets = new ArrayList<>(List.of(control));
            sockets.addAll(server.listenerSockets());
            String refusal = refusal(server, request, sockets.size() - 1);
            if (refusal != null) {
                return refusal;
            }
            channel.send(OFFER + (sockets.size() - 1), sockets, ANSWER_TIMEOUT);
            String answer = channel.receive(START_TIMEOUT);
            if (answer == null) {
                throw new IOException("it has ended before it has acknowledged");
            }
            return answer.equals(READY) ? leave(server, channel, peer, onHandedOver) : "it speaks another protocol";
        } catch (SocketTimeoutException e) {
            return "it has not acknowledged in time";
        } catch (RejectedExecutionException e) { // a drain has begun
            return CLOSING;
        } catch (ClosedByInterruptException e) { // close() was called
            if (!handedOver) {
                channel.send(REFUSED + CLOSING, List.of(), ANSWER_TIMEOUT);
            }
            throw e;
        }
    }

    private static @Nullable String refusal(Server server, String request, int count) {
        return !request.equals(TAKE) ? "it speaks another protocol"
                : server.isClosed() || server.isDraining() ? CLOSING
                : count > LISTENERS_MAX
                        ? "the server has " + count + " listeners, and at most " + LISTENERS_MAX + " can be passed"
                : null;
    }

    /** Stops accepting. Returns why that is not possible; null: the other process has taken over. */
    @SuppressWarnings("CatchThrowable") // an Error, too, must not leave a server that neither accepts nor drains
    private @Nullable String leave(Server server, HandoverChannel channel, PeerCredentials successor,
            Consumer<PeerCredentials> onHandedOver) throws IOException {
        // This process may have been stopped meanwhile, or its loop may be busy: checked by the loop, as late as possible.
        List<Integer> withFile = server.leaveListeners(channel::checkOpen, LEAVE_TIMEOUT);
        if (withFile == null) {
            if (Thread.currentThread().isInterrupted()) {
                throw new ClosedByInterruptException();
            }
            return "its event loop is busy, and has not stopped accepting in " + LEAVE_TIMEOUT.toSeconds() + " s";
        }
        handedOver = true;
        StringBuilder done = new StringBuilder(DONE).append(control.share() ? " 0" : "");
        withFile.forEach(index -> done.append(' ').append(index + 1));
        try {
            channel.send(done.toString(), List.of(), ANSWER_TIMEOUT);
        } catch (IOException e) {
            logger.log(Level.WARNING,
                    "handover: " + successor + " has acknowledged, and then ended or stopped: " + e.getMessage());
        }
        try {
            onHandedOver.accept(successor);
        } catch (Throwable e) {
            logger.log(Level.WARNING, "handover: the listener threw: " + e, e);
        }
        return null;
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
            runBeforeDrain();
        }
        if (!closed && !server.isClosed()) {
            try {
                server.drain(drainTimeout);
            } catch (RejectedExecutionException e) {
                server.close();
            }
        }
    }

    @SuppressWarnings("CatchThrowable") // an Error, too, must not leave a server that neither accepts nor drains
    private void runBeforeDrain() {
        try {
            beforeDrain.run();
        } catch (Throwable e) {
            logger.log(Level.WARNING, "handover: what is done before the drain threw: " + e, e);
        }
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
     * Stops serving the address. If the handover was not completed, the old process continues, and the listeners that were taken over
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
