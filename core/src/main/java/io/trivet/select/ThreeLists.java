package io.trivet.select;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.Interest;
import io.trivet.net.Network;
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

/** The three-list call. */
@SuppressWarnings("ReferenceEquality") // networks and families are compared by identity, as Network says
final class ThreeLists {
    /** Whose call is used; null: found from the sockets. */
    private final @Nullable Network chosen;
    /** The network of the first socket met; all others must be of its family. */
    private @Nullable Network met;

    ThreeLists(@Nullable Network chosen) {
        this.chosen = chosen;
    }

    <S extends Selectable> Ready<S> select(Collection<? extends S> rlist, Collection<? extends S> wlist,
            Collection<? extends S> xlist, @Nullable Duration timeout) throws IOException {
        long timeoutNanos = Question.nanos(timeout);
        // Snapshots: asking a member for its socket runs the caller's code, which may change the lists.
        Object[] read = Objects.requireNonNull(rlist, "rlist").toArray();
        Object[] write = Objects.requireNonNull(wlist, "wlist").toArray();
        Object[] except = Objects.requireNonNull(xlist, "xlist").toArray();

        Question question = new Question(read.length + write.length + except.length);
        add(question, read, Interest.READ, "rlist");
        add(question, write, Interest.WRITE, "wlist");
        add(question, except, Interest.PRIORITY, "xlist");
        question.ask(network(), timeoutNanos);
        return new Ready<>(
                ready(question, read, 0),
                ready(question, write, read.length),
                ready(question, except, read.length + write.length));
    }

    private void add(Question question, Object[] members, int interest, String list) throws ClosedSocketException {
        for (int i = 0; i < members.length; i++) {
            question.add(socket(members[i], list, i), interest);
        }
    }

    private Socket socket(@Nullable Object member, String list, int index) throws ClosedSocketException {
        if (member == null) {
            throw new NullPointerException(list + "[" + index + "] is null");
        }
        if (!(member instanceof Selectable selectable)) { // a raw list can hold anything
            throw new IllegalArgumentException(
                    list + "[" + index + "] is a " + member.getClass().getName() + ", which is no Selectable");
        }
        Socket socket = selectable.socket();
        if (socket == null) {
            throw new IllegalArgumentException(list + "[" + index + "], a " + member.getClass().getName() + ", gives no socket");
        }
        if (!socket.isOpen()) {
            throw new ClosedSocketException(list + "[" + index + "], " + socket);
        }
        Network network = socket.network();
        if (met != network) {
            checkFamily(network);
        }
        return socket;
    }

    private void checkFamily(Network network) {
        Network first = met != null ? met : chosen != null ? chosen : network;
        if (first.family() != network.family()) {
            throw new IllegalArgumentException(
                    "sockets of two networks in one call: " + first.name() + " and " + network.name());
        }
        met = network;
    }

    private Network network() {
        if (chosen != null) {
            return chosen;
        }
        return (met == null ? Network.system() : met).forOneCall();
    }

    @SuppressWarnings("unchecked") // the members are the caller's own, unchanged
    private static <S> List<S> ready(Question question, Object[] members, int offset) {
        List<S> ready = new ArrayList<>();
        for (int i = 0; i < members.length; i++) {
            if (question.ready(offset + i) != 0) {
                ready.add((S) members[i]);
            }
        }
        return Collections.unmodifiableList(ready);
    }
}
