package io.trivet.server;

import io.trivet.net.Descriptor;
import io.trivet.net.Interest;
import io.trivet.net.Loop;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.PeerCredentials;
import io.trivet.net.Socket;
import io.trivet.net.UnixAddress;
import io.trivet.net.UnixStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lines between the two processes of a handover, and the descriptors that are passed with them. Each wait has a limit, and ends when the
 * thread is interrupted. One thread.
 */
final class HandoverChannel implements AutoCloseable {
    private static final int LINE_BYTES_MAX = 4096;

    private final Network network;
    private final UnixStream stream;
    private final ByteBuffer input = ByteBuffer.allocate(LINE_BYTES_MAX).limit(0);
    private final List<Descriptor> received = new ArrayList<>();

    HandoverChannel(Network network, UnixStream stream) {
        this.network = network;
        this.stream = stream;
    }

    /** Sends a line, and passes sockets with its first byte. */
    void send(String line, List<? extends Socket> sockets, Duration timeout) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.US_ASCII));
        long deadline = network.clock().nanoTime() + timeout.toNanos();
        List<? extends Socket> unsent = sockets;
        while (bytes.hasRemaining()) {
            int written = unsent.isEmpty() ? stream.write(bytes) : stream.write(bytes, unsent);
            if (written > 0) {
                unsent = List.of();
            } else {
                await(network, stream, Interest.WRITE, deadline);
            }
        }
    }

    /**
     * Sends a line and returns the answer. If the other process has closed the connection already, a line that it has sent before is the
     * answer, for instance a refusal.
     */
    @Nullable
    String ask(String line, Duration sendTimeout, Duration answerTimeout) throws IOException {
        try {
            send(line, List.of(), sendTimeout);
        } catch (NetworkException e) {
            // EPIPE or ECONNRESET; what was received before can still be read
        }
        return receive(answerTimeout);
    }

    /** Receives a line; null: the other process has ended the connection, or has ended. */
    @Nullable
    String receive(Duration timeout) throws IOException {
        long deadline = network.clock().nanoTime() + timeout.toNanos();
        StringBuilder line = new StringBuilder();
        while (true) {
            while (input.hasRemaining()) {
                byte next = input.get();
                if (next == '\n') {
                    return line.toString();
                }
                line.append((char) (next & 0xff));
            }
            if (line.length() >= LINE_BYTES_MAX) {
                throw new IOException("the other process has sent a line of more than " + LINE_BYTES_MAX + " bytes");
            }
            input.clear();
            int count = stream.read(input, received, UnixStream.DESCRIPTORS_MAX - received.size());
            input.flip();
            if (count < 0) {
                return null;
            }
            if (count == 0) {
                await(network, stream, Interest.READ, deadline);
            }
        }
    }

    /**
     * Checks that the other process waits for an answer.
     *
     * @throws IOException it has ended the connection, or has ended
     */
    void checkOpen() throws IOException {
        input.clear();
        int count;
        try {
            count = stream.read(input, received, UnixStream.DESCRIPTORS_MAX - received.size());
        } catch (NetworkException e) { // ECONNRESET: it has not read everything
            count = -1;
        }
        input.flip();
        if (count < 0) {
            throw new IOException("it has acknowledged, and then ended");
        }
    }

    /** Returns the descriptors that were passed so far, which then belong to the caller. */
    List<Descriptor> takeDescriptors() {
        List<Descriptor> taken = List.copyOf(received);
        received.clear();
        return taken;
    }

    /**
     * Waits until a socket is ready.
     *
     * @throws SocketTimeoutException the deadline has passed
     * @throws ClosedByInterruptException the thread was interrupted
     */
    static void await(Network network, Socket socket, int interest, long deadlineNanos) throws IOException {
        Socket[] sockets = {socket};
        int[] interests = new int[1];
        while (true) {
            interests[0] = interest;
            long left = deadlineNanos == Loop.NO_DEADLINE ? -1 : Math.max(0, deadlineNanos - network.clock().nanoTime());
            int ready = network.forOneCall().selectOnce(sockets, interests, 1, left); // needs no descriptor
            if (Thread.currentThread().isInterrupted()) {
                throw new ClosedByInterruptException();
            }
            if (ready > 0) {
                return;
            }
            if (left == 0) {
                throw new SocketTimeoutException("the other process has not answered in time");
            }
        }
    }

    /**
     * Connects to a process that serves an address, usually this one, and asks for nothing. That loads the classes by which requests are
     * served: without a descriptor left, the JVM could not open their files.
     */
    static void rehearse(Network network, UnixAddress address) {
        try {
            network.connect(address).close();
        } catch (IOException e) {
            // It is served all the same, as long as there are descriptors.
        }
    }

    /** Returns whether a process may take over, or be taken over from. */
    static boolean isTrusted(PeerCredentials peer) throws IOException {
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

    @Override
    public void close() throws IOException {
        for (Descriptor descriptor : takeDescriptors()) {
            descriptor.close();
        }
        stream.close();
    }
}
