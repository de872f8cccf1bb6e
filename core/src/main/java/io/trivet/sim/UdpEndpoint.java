package io.trivet.sim;

import io.trivet.net.Addresses;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A UDP socket inside the simulated kernel. */
final class UdpEndpoint extends Endpoint {
    /** The size of the receive queue (net.core.rmem_default). A datagram that does not fit is lost. */
    private static final int WAITING_BYTES_MAX = 212_992;

    /** A datagram and its sender; the bytes are not copied. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Datagram(byte[] bytes, InetSocketAddress from) {}

    private final ArrayDeque<Datagram> waiting = new ArrayDeque<>();
    private int waitingBytes;
    /** The bound address; port 0 if not bound yet. */
    InetSocketAddress local;
    @Nullable InetSocketAddress remote;

    UdpEndpoint(Kernel kernel, InetSocketAddress local) {
        super(kernel);
        this.local = local;
    }

    @Override
    int ready() {
        return Interest.WRITE | (waiting.isEmpty() ? 0 : Interest.READ) | (error == null ? 0 : Interest.ERROR);
    }

    /** Returns whether this socket receives datagrams that are sent to an address. */
    boolean isBoundTo(InetSocketAddress address) {
        InetAddress own = local.getAddress();
        return local.getPort() == address.getPort() && (own.isAnyLocalAddress() || own.equals(address.getAddress()));
    }

    /** Returns whether this socket accepts a datagram: a connected socket accepts only those of its peer. */
    boolean accepts(Datagram datagram) {
        return remote == null || remote.equals(datagram.from);
    }

    void arrive(Datagram datagram) {
        if (waitingBytes + datagram.bytes.length <= WAITING_BYTES_MAX) {
            waitingBytes += datagram.bytes.length;
            waiting.add(datagram);
            changed();
        }
    }

    /** Called when no socket accepts a datagram that was sent from here. Only a connected socket gets the error. */
    void unreachable(InetSocketAddress address) {
        if (address.equals(remote)) {
            error = ErrorCode.ECONNREFUSED;
            changed();
        }
    }

    boolean hasWaiting() {
        return !waiting.isEmpty();
    }

    @Nullable
    Datagram take() {
        Datagram first = waiting.poll();
        if (first != null) {
            waitingBytes -= first.bytes.length;
        }
        return first;
    }

    @Override
    void release() {
        kernel.udp.remove(this);
    }

    @Override
    public String toString() {
        return "udp " + Addresses.toString(local);
    }
}
