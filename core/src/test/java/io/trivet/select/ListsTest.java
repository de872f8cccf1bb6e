package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import io.trivet.net.Capability;
import io.trivet.net.ClosedSocketException;
import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Selectable;
import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.SocketOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** The three lists: what they may contain, in which order and how often it is returned, and the errors. */
class ListsTest {
    private static final List<Socket> NONE = List.of();

    @Case("1")
    @EveryEngine
    void nullListIsAnErrorThatNamesTheList(Lab lab) {
        NetworkSelect select = Select.on(lab.network());
        assertThatThrownBy(() -> select.select(null, NONE, NONE, Duration.ZERO))
                .isInstanceOf(NullPointerException.class).hasMessageContaining("rlist");
        assertThatThrownBy(() -> select.select(NONE, null, NONE, Duration.ZERO))
                .isInstanceOf(NullPointerException.class).hasMessageContaining("wlist");
        assertThatThrownBy(() -> select.select(NONE, NONE, null, Duration.ZERO))
                .isInstanceOf(NullPointerException.class).hasMessageContaining("xlist");
        assertThatThrownBy(() -> Select.on(null)).isInstanceOf(NullPointerException.class);
    }

    @Case("1")
    @EveryEngine
    void nullMemberIsAnErrorThatNamesTheIndex(Lab lab) throws Exception {
        TcpStream idle = lab.pair().client();
        assertFailsInEachList(lab, idle, null, NullPointerException.class, "is null");
    }

    @Case("2")
    @EveryEngine
    void memberWithoutSocketIsAnErrorThatNamesTheIndex(Lab lab) throws Exception {
        TcpStream idle = lab.pair().client();
        assertFailsInEachList(lab, idle, new Named("nothing", null), IllegalArgumentException.class, Named.class.getName());
    }

    @Case({"1", "2"})
    @EveryEngine
    void memberThatIsNotSelectableIsAnErrorThatNamesTheIndex(Lab lab) throws Exception {
        TcpStream idle = lab.pair().client();
        assertFailsInEachList(lab, idle, "a text", IllegalArgumentException.class, "java.lang.String");
    }

    @Case("6")
    @EveryEngine
    void closedSocketFailsTheWholeCall(Lab lab) throws Exception {
        Pair pair = lab.pair();
        lab.send(pair.server(), "ready");
        lab.awaitLists(pair.client(), "rw-");
        TcpStream closed = lab.pair().client();
        closed.close();
        assertFailsInEachList(lab, pair.client(), closed, ClosedSocketException.class, closed.toString());
        assertFailsInEachList(lab, pair.client(), new Named("mine", closed), ClosedSocketException.class, closed.toString());
    }

    @Case("6")
    @EveryEngine
    void descriptorThatIsNotOpenIsNamedByItsPositionAndNumber(Lab lab) throws IOException {
        if (lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(0))) {
            return;
        }
        Socket idle = lab.listener();
        List<Socket> list = List.of(idle, lab.network().descriptor(9_999));
        for (String position : List.of("rlist[1]", "wlist[1]", "xlist[1]")) {
            List<Socket> read = position.startsWith("r") ? list : List.of();
            List<Socket> write = position.startsWith("w") ? list : List.of();
            List<Socket> except = position.startsWith("x") ? list : List.of();
            assertThatThrownBy(() -> Select.on(lab.network()).select(read, write, except, null))
                    .isInstanceOfSatisfying(NetworkException.class, e -> {
                        assertThat(e).hasMessageStartingWith(position + ": ").hasMessageContaining("descriptor 9999: EBADF");
                        assertThat(e.code()).isEqualTo(ErrorCode.EBADF);
                        assertThat(e.errno()).isEqualTo(9);
                        assertThat(e.descriptor()).isEqualTo(9_999);
                    });
        }
    }

    @Case("7")
    @EveryEngine
    void emptyListsReturnEmptyLists(Lab lab) throws Exception {
        Ready<Socket> ready = Select.on(lab.network()).select(NONE, NONE, NONE, Duration.ZERO);
        assertThat(ready.isEmpty()).isTrue();
        assertThat(ready.readable()).isEmpty();
        assertThat(ready.writable()).isEmpty();
        assertThat(ready.exceptional()).isEmpty();
    }

    @Case("7")
    @EveryEngine
    void returnedListsAreUnmodifiable(Lab lab) throws Exception {
        TcpStream idle = lab.pair().client();
        Ready<TcpStream> ready = Select.on(lab.network()).select(List.of(), List.of(idle), List.of(), Duration.ZERO);
        assertThatThrownBy(() -> ready.readable().add(idle)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> ready.writable().removeFirst()).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> ready.exceptional().add(idle)).isInstanceOf(UnsupportedOperationException.class);
    }

    /** Each member clears the list when its socket is requested. */
    @Case("9")
    @EveryEngine
    void listThatShrinksDuringTheCallIsCheckedCompletely(Lab lab) throws Exception {
        TcpStream writable = lab.pair().client();
        List<Selectable> list = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            list.add(() -> {
                list.clear();
                return writable;
            });
        }
        List<Selectable> before = List.copyOf(list);
        Ready<Selectable> ready = Select.on(lab.network()).select(List.of(), list, List.of(), Duration.ZERO);
        assertThat(ready.writable()).isEqualTo(before);
        assertThat(list).isEmpty();
    }

    /** A member of the first list changes the second list, which has already been copied. */
    @Case("9")
    @EveryEngine
    void listsAreCopiedBeforeAnySocketIsRequested(Lab lab) throws Exception {
        TcpStream writable = lab.pair().client();
        List<Selectable> wlist = new ArrayList<>(List.of(writable));
        Selectable mutating = () -> {
            wlist.add(writable);
            return writable;
        };
        Ready<Selectable> ready = Select.on(lab.network()).select(List.of(mutating), wlist, List.of(), Duration.ZERO);
        assertThat(ready.writable()).containsExactly(writable);
        assertThat(wlist).hasSize(2);
    }

    @Case("C3")
    @EveryEngine
    void objectListedThreeTimesIsReturnedThreeTimes(Lab lab) throws Exception {
        Pair pair = lab.pair();
        lab.send(pair.server(), "ready");
        lab.awaitLists(pair.client(), "rw-");
        List<TcpStream> threeTimes = List.of(pair.client(), pair.client(), pair.client());
        List<TcpStream> twice = List.of(pair.client(), pair.client());
        Ready<TcpStream> ready = Select.on(lab.network()).select(threeTimes, twice, List.of(), Duration.ZERO);
        assertThat(ready.readable()).isEqualTo(threeTimes);
        assertThat(ready.writable()).isEqualTo(twice);
    }

    @Case("C3")
    @EveryEngine
    void eachListIsEvaluatedByItself(Lab lab) throws Exception {
        Pair quiet = lab.pair();
        Pair urgent = lab.pair();
        List<TcpStream> both = List.of(quiet.client(), urgent.client());
        if (lab.refuses(Capability.URGENT_DATA, () -> Select.on(lab.network()).select(both, both, both, Duration.ZERO))) {
            return;
        }
        urgent.server().sendUrgent((byte) '!');
        lab.awaitLists(urgent.client(), "-wx");
        Ready<TcpStream> ready = Select.on(lab.network()).select(both, both, both, Duration.ZERO);
        assertThat(ready.readable()).isEmpty();
        assertThat(ready.writable()).isEqualTo(both);
        assertThat(ready.exceptional()).containsExactly(urgent.client());

        Ready<TcpStream> third = Select.on(lab.network()).select(List.of(), List.of(), both, null);
        assertThat(third.readable()).as("in the third list only").isEmpty();
        assertThat(third.writable()).isEmpty();
        assertThat(third.exceptional()).containsExactly(urgent.client());
    }

    @Case("C3")
    @EveryEngine
    void objectsAreReturnedInTheCallersOrder(Lab lab) throws Exception {
        List<TcpStream> clients = new ArrayList<>();
        List<TcpStream> expected = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            Pair pair = lab.pair();
            clients.add(pair.client());
            if (i % 3 != 0) {
                lab.send(pair.server(), "ready");
                lab.awaitLists(pair.client(), "rw-");
                expected.add(pair.client());
            }
        }
        NetworkSelect select = Select.on(lab.network());
        assertThat(select.select(clients, List.of(), List.of(), Duration.ZERO).readable()).isEqualTo(expected);
        Collections.reverse(clients);
        Collections.reverse(expected);
        assertThat(select.select(clients, List.of(), List.of(), Duration.ZERO).readable()).isEqualTo(expected);
    }

    /** All objects are equal, and only one is ready. An engine that used equals would confuse them. */
    @Case("C3")
    @EveryEngine
    void objectsAreDistinguishedByIdentity(Lab lab) throws Exception {
        List<Named> all = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Pair pair = lab.pair();
            all.add(new Named("number " + i, pair.client()));
            if (i == 3) {
                lab.send(pair.server(), "ready");
                lab.awaitLists(pair.client(), "rw-");
            }
        }
        Ready<Named> ready = Select.on(lab.network()).select(all, List.of(), List.of(), Duration.ZERO);
        assertThat(ready.readable()).hasSize(1);
        assertThat(ready.readable().getFirst()).isSameAs(all.get(3));
    }

    @Case("C3")
    @EveryEngine
    void twoObjectsMayShareOneSocket(Lab lab) throws Exception {
        TcpStream writable = lab.pair().client();
        Named one = new Named("one", writable);
        Named other = new Named("other", writable);
        Ready<Selectable> ready = Select.on(lab.network())
                .select(List.of(), List.of(one, writable, other), List.of(), Duration.ZERO);
        assertThat(ready.writable()).hasSize(3);
        assertThat(ready.writable().get(0)).isSameAs(one);
        assertThat(ready.writable().get(1)).isSameAs(writable);
        assertThat(ready.writable().get(2)).isSameAs(other);
    }

    @Case("C3")
    @EveryEngine
    void twoDescriptorsMayHaveTheSameNumber(Lab lab) throws Exception {
        if (lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(0))) {
            return;
        }
        Pair pair = lab.pair();
        lab.send(pair.server(), "ready");
        lab.awaitLists(pair.client(), "rw-");
        Descriptor one = lab.network().descriptor(pair.client().fd());
        Descriptor other = lab.network().descriptor(pair.client().fd());
        Ready<Socket> ready = Select.on(lab.network())
                .select(List.of(one, other), List.of(other, pair.client()), List.of(), Duration.ZERO);
        assertThat(ready.readable()).containsExactly(one, other);
        assertThat(ready.writable()).containsExactly(other, pair.client());
    }

    @EveryEngine
    void anyCollectionIsAccepted(Lab lab) throws Exception {
        TcpStream writable = lab.pair().client();
        Collection<TcpStream> view = Collections.unmodifiableCollection(Arrays.asList(writable, writable));
        assertThat(Select.on(lab.network()).select(view, view, List.of(), Duration.ZERO).writable()).hasSize(2);
    }

    @EveryEngine
    void socketImplementedByTheCallerIsRejected(Lab lab) {
        CustomSocket custom = new CustomSocket(lab.network());
        assertThatThrownBy(() -> Select.on(lab.network()).select(List.of(custom), List.of(), List.of(), Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining(custom.toString());
    }

    /** Tests each list with an open socket at index 0 and the invalid member at index 1. */
    @SuppressWarnings("unchecked") // a raw list can contain anything
    private static void assertFailsInEachList(Lab lab, TcpStream good, Object invalid, Class<? extends Exception> type,
            String what) {
        List<Socket> fine = List.of(good);
        Collection<Socket> bad = (Collection<Socket>) (Collection<?>) Arrays.asList(good, invalid);
        NetworkSelect select = Select.on(lab.network());
        assertFails(() -> select.select(bad, fine, List.of(), Duration.ZERO), type, "rlist[1]", what);
        assertFails(() -> select.select(fine, bad, List.of(), null), type, "wlist[1]", what);
        if (lab.network().supports(Capability.URGENT_DATA)) {
            assertFails(() -> select.select(fine, List.of(), bad, Duration.ofDays(1)), type, "xlist[1]", what);
        }
    }

    private static void assertFails(ThrowingCallable call, Class<? extends Exception> type, String where, String what) {
        assertThatThrownBy(call).isInstanceOf(type).hasMessageContaining(where).hasMessageContaining(what);
    }

    /** An object that has a socket. All are equal. */
    private static final class Named implements Selectable {
        private final String name;
        private final Socket socket;

        Named(String name, Socket socket) {
            this.name = name;
            this.socket = socket;
        }

        @Override
        public Socket socket() {
            return socket;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Named;
        }

        @Override
        public int hashCode() {
            return 1;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Implements Socket itself, instead of returning one of the network's. */
    private record CustomSocket(Network network) implements Socket {
        @Override
        public int fd() {
            return 1_000_000;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public <T> void setOption(SocketOption<T> option, T value) {}

        @Override
        public <T> T getOption(SocketOption<T> option) throws IOException {
            throw new IOException("none");
        }

        @Override
        public void close() {}
    }
}
