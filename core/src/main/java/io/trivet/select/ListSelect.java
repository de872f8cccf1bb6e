package io.trivet.select;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Selectable;
import io.trivet.net.Socket;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One call of the form with three lists. Used once, by the calling thread. */
@SuppressWarnings("ReferenceEquality") // networks and families are compared by identity, as Network specifies
final class ListSelect {
    /** The network whose call is used; null: the network of the sockets. */
    private final @Nullable Network chosen;
    /** The network of the socket checked last. All sockets must belong to its family. */
    private @Nullable Network current;

    ListSelect(@Nullable Network chosen) {
        this.chosen = chosen;
    }

    <S extends Selectable> Ready<S> select(Collection<? extends S> rlist, Collection<? extends S> wlist,
            Collection<? extends S> xlist, @Nullable Duration timeout) throws IOException {
        long timeoutNanos = SelectRequest.nanos(timeout);
        // Copies: Selectable.socket() is the caller's code, and may change the lists.
        Object[] read = Objects.requireNonNull(rlist, "rlist").toArray();
        Object[] write = Objects.requireNonNull(wlist, "wlist").toArray();
        Object[] except = Objects.requireNonNull(xlist, "xlist").toArray();

        SelectRequest request = new SelectRequest(read.length + write.length + except.length);
        add(request, read, Interest.READ, "rlist");
        add(request, write, Interest.WRITE, "wlist");
        add(request, except, Interest.PRIORITY, "xlist");
        try {
            request.await(network(), timeoutNanos);
        } catch (NetworkException e) {
            int entry = request.entryOf(e.descriptor());
            throw entry < 0 ? e : e.at(position(entry, read.length, write.length));
        } catch (ClosedSocketException e) { // closed by another thread since the call started
            int entry = request.closedEntry();
            throw entry < 0 ? e : closed(position(entry, read.length, write.length), request.socket(entry), e);
        }
        return new Ready<>(
                ready(request, read, 0),
                ready(request, write, read.length),
                ready(request, except, read.length + write.length));
    }

    private void add(SelectRequest request, Object[] members, int interest, String list) throws ClosedSocketException {
        for (int i = 0; i < members.length; i++) {
            request.add(socket(members[i], list, i), interest);
        }
    }

    /** Returns the list and index of an entry. */
    private static String position(int entry, int readLength, int writeLength) {
        if (entry < readLength) {
            return "rlist[" + entry + "]";
        }
        int afterRead = entry - readLength;
        return afterRead < writeLength ? "wlist[" + afterRead + "]" : "xlist[" + (afterRead - writeLength) + "]";
    }

    private static ClosedSocketException closed(String position, Socket socket, @Nullable Throwable cause) {
        ClosedSocketException closed = new ClosedSocketException(position + ", " + socket);
        if (cause != null) {
            closed.initCause(cause);
        }
        return closed;
    }

    private Socket socket(@Nullable Object member, String list, int index) throws ClosedSocketException {
        if (member == null) {
            throw new NullPointerException(list + "[" + index + "] is null");
        }
        if (!(member instanceof Selectable selectable)) { // a raw list can contain anything
            throw new IllegalArgumentException(
                    list + "[" + index + "] is a " + member.getClass().getName() + ", which is not a Selectable");
        }
        Socket socket = selectable.socket();
        if (socket == null) {
            throw new IllegalArgumentException(
                    list + "[" + index + "], a " + member.getClass().getName() + ", returns null as its socket");
        }
        if (!socket.isOpen()) {
            throw closed(list + "[" + index + "]", socket, null);
        }
        Network network = socket.network();
        if (current != network) {
            checkFamily(network, list, index);
        }
        return socket;
    }

    private void checkFamily(Network network, String list, int index) {
        Network expected = current != null ? current : chosen != null ? chosen : network;
        if (expected.family() != network.family()) {
            throw new IllegalArgumentException(
                    "sockets of two networks in one call: " + list + "[" + index + "] belongs to " + network.name() + ", "
                            + (current == null ? "but the call is made on " : "those before it to ") + expected.name());
        }
        current = network;
    }

    private Network network() {
        if (chosen != null) {
            return chosen;
        }
        return (current == null ? Network.system() : current).forOneCall();
    }

    @SuppressWarnings("unchecked") // the members are the caller's own, unchanged
    private static <S> List<S> ready(SelectRequest request, Object[] members, int offset) {
        List<S> ready = new ArrayList<>();
        for (int i = 0; i < members.length; i++) {
            if (request.ready(offset + i) != 0) {
                ready.add((S) members[i]);
            }
        }
        return Collections.unmodifiableList(ready);
    }
}
