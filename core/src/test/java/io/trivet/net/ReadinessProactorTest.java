package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.CompletionLog;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Tests the adaptor from readiness to completion when the poller refuses changes, and when methods are called early. */
final class ReadinessProactorTest {
    private static final long SECOND = 1_000_000_000L;

    @EveryEngine
    void changeRefusedByTheKernelFailsOnlyThatConnection(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Refusing poller = new Refusing(lab.network().poller());
        List<String> events = new ArrayList<>();
        try (ReadinessProactor proactor = new ReadinessProactor(over(lab.network(), poller))) {
            long handle = proactor.adopt(pair.server());
            proactor.receive(handle);
            pair.client().shutdownOutput();
            poller.refuses = true; // the end of input is delivered when READ is no longer watched
            await(proactor, events, "failed EPERM");
            poller.refuses = false;
            proactor.close(handle);
            await(proactor, events, "closed");
        }
        assertThat(events).containsExactly("failed EPERM", "closed");
        assertThat(pair.server().isOpen()).isFalse();
    }

    @EveryEngine
    void connectionThatCannotBeWatchedAfterConnectingFails(Lab lab) throws IOException {
        TcpListener listener = lab.listener();
        Refusing poller = new Refusing(lab.network().poller());
        List<String> events = new ArrayList<>();
        try (ReadinessProactor proactor = new ReadinessProactor(over(lab.network(), poller))) {
            long handle = proactor.connect(listener.localAddress());
            proactor.receive(handle);
            poller.refuses = true;
            await(proactor, events, "failed EPERM");
            proactor.close(handle);
            await(proactor, events, "closed");
        }
        assertThat(events).containsExactly("failed EPERM", "closed");
    }

    @EveryEngine
    void receiveMayBeCalledBeforeTheConnectHasFinished(Lab lab) throws IOException {
        TcpListener listener = lab.listener();
        List<String> events = new ArrayList<>();
        try (ReadinessProactor proactor = new ReadinessProactor(lab.network())) {
            long handle = proactor.connect(listener.localAddress());
            proactor.receive(handle);
            TcpStream server = lab.accept(listener);
            await(proactor, events, "connected");
            lab.send(server, "early");
            await(proactor, events, "received 5");
        }
        assertThat(events).containsExactly("connected", "received 5");
    }

    @EveryEngine
    void connectionThatThePollerHasLostCanBeStoppedAndClosed(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Refusing poller = new Refusing(lab.network().poller());
        List<String> events = new ArrayList<>();
        try (ReadinessProactor proactor = new ReadinessProactor(over(lab.network(), poller))) {
            long handle = proactor.adopt(pair.server());
            poller.refuses = true;
            assertThatThrownBy(() -> proactor.receive(handle)).isInstanceOf(NetworkException.class).hasMessageContaining("EPERM");
            poller.refuses = false;
            assertThat(proactor.interest(handle)).isZero();
            proactor.stopReceiving(handle);
            proactor.receive(handle);
            proactor.close(handle);
            await(proactor, events, "closed");
        }
        assertThat(events).containsExactly("closed");
    }

    @Test
    void connectionThatCannotBeWatchedIsResetBeforeItHasConnected() throws IOException {
        Network network = Network.named("nio");
        Poller poller = Intercept.method(Poller.class, network.poller(), "register", _ -> {
            throw new NetworkException("epoll_ctl", null, ErrorCode.ENOSPC);
        });
        List<TcpStream> opened = new ArrayList<>();
        List<String> options = new ArrayList<>();
        Network recording = Intercept.method(Network.class, over(network, poller), "connect", arguments -> {
            opened.add(network.connect((InetSocketAddress) arguments[0]));
            return Intercept.method(TcpStream.class, opened.getLast(), "setOption", option -> {
                options.add(option[0] + " " + option[1]);
                return null;
            });
        });
        try (TcpListener listener = network.listen(Lab.FREE_PORT, 1);
                ReadinessProactor proactor = new ReadinessProactor(recording)) {
            assertThatThrownBy(() -> proactor.connect(listener.localAddress())).isInstanceOf(NetworkException.class);
        }
        assertThat(opened).singleElement().matches(stream -> !stream.isOpen());
        assertThat(options).containsExactly("SO_LINGER 0");
    }

    /** Events with nothing to do end each wait. The next socket in the slot must not pay for them. */
    @Test
    void connectionThatIsReadyForeverSpinsAndTheNextInItsSlotStartsAtZero() throws IOException {
        Network network = Network.named("nio");
        long[] token = new long[1];
        Poller poller = Intercept.method(Poller.class, network.poller(), "poll", arguments -> {
            ReadyEvents out = (ReadyEvents) arguments[0];
            out.clear();
            out.add(token[0], Interest.READ);
            return 1;
        });
        List<String> events = new ArrayList<>();
        try (TcpListener listener = network.listen(Lab.FREE_PORT, 2);
                ReadinessProactor proactor = new ReadinessProactor(over(network, poller))) {
            for (int i = 0; i < 2; i++) {
                token[0] = proactor.adopt(network.connect(listener.localAddress()));
                proactor.receive(token[0]);
                poll(proactor, events, SpinGuard.FRUITLESS_EVENTS_MAX - 1);
                assertThat(events).doesNotContain("spinning");
                proactor.close(token[0]);
                poll(proactor, events, 1);
            }
            token[0] = proactor.adopt(network.connect(listener.localAddress()));
            proactor.receive(token[0]);
            poll(proactor, events, SpinGuard.FRUITLESS_EVENTS_MAX);
        }
        assertThat(events).containsExactly("closed", "closed", "spinning");
    }

    private static void poll(ReadinessProactor proactor, List<String> events, int times) throws IOException {
        for (int i = 0; i < times; i++) {
            proactor.poll(new CompletionLog(events), 0);
        }
    }

    @EveryEngine
    void urgentByteOfValueZeroIsDelivered(Lab lab) throws IOException {
        Pair pair = lab.pair();
        List<String> events = new ArrayList<>();
        try (ReadinessProactor proactor = new ReadinessProactor(lab.network())) {
            long handle = proactor.adopt(pair.server());
            if (!lab.network().supports(Capability.URGENT_DATA)) {
                assertThatThrownBy(() -> proactor.watchUrgent(handle)).isInstanceOf(UnsupportedOperationException.class);
                return;
            }
            proactor.watchUrgent(handle);
            proactor.receive(handle);
            assertThat(pair.client().sendUrgent((byte) 0)).isTrue();
            await(proactor, events, "urgent");
        }
        assertThat(events).containsExactly("urgent");
    }

    @Test
    void pollWaitsAsLongAsAskedUnlessItHasAClosedConnectionToReport() throws IOException {
        Network network = Network.named("nio");
        List<Object> timeouts = new ArrayList<>();
        Poller poller = Intercept.method(Poller.class, network.poller(), "poll", arguments -> {
            timeouts.add(arguments[1]);
            return 0;
        });
        List<String> events = new ArrayList<>();
        try (TcpListener listener = network.listen(Lab.FREE_PORT, 1);
                TcpStream stream = network.connect(listener.localAddress());
                ReadinessProactor proactor = new ReadinessProactor(over(network, poller))) {
            long handle = proactor.adopt(stream);
            assertThat(proactor.poll(new CompletionLog(events), SECOND)).isZero();
            proactor.close(handle);
            assertThat(proactor.poll(new CompletionLog(events), SECOND)).isEqualTo(1);
            assertThat(proactor.poll(new CompletionLog(events), SECOND)).isZero();
        }
        assertThat(timeouts).containsExactly(SECOND, 0L, SECOND);
        assertThat(events).containsExactly("closed");
    }

    @Test
    void closeClosesTheConnectionsThatAreLeft() throws IOException {
        Network network = Network.named("nio");
        try (TcpListener listener = network.listen(Lab.FREE_PORT, 1)) {
            TcpStream stream = network.connect(listener.localAddress());
            try (ReadinessProactor proactor = new ReadinessProactor(network)) {
                proactor.adopt(stream);
            }
            assertThat(stream.isOpen()).isFalse();
        }
    }

    /** The slot, and on Linux the descriptor, may belong to another connection by the time the address has been read. */
    @Test
    void addressIsNotReturnedIfTheConnectionIsClosedWhileItIsRead() throws IOException {
        InetSocketAddress ofAnother = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 1);
        for (String method : List.of("remoteAddress", "localAddress")) {
            AtomicReference<Runnable> meanwhile = new AtomicReference<>();
            Network network = Network.named("nio");
            Poller poller = Intercept.method(Poller.class, network.poller(), "register", _ -> null);
            try (TcpListener listener = network.listen(Lab.FREE_PORT, 1);
                    TcpStream stream = network.connect(listener.localAddress());
                    ReadinessProactor proactor = new ReadinessProactor(over(network, poller))) {
                long handle = proactor.adopt(Intercept.method(TcpStream.class, stream, method, _ -> {
                    meanwhile.get().run();
                    return ofAnother;
                }));
                meanwhile.set(() -> {});
                assertThat(address(proactor, method, handle)).isEqualTo(ofAnother);
                meanwhile.set(() -> proactor.close(handle));
                assertThatThrownBy(() -> address(proactor, method, handle)).as(method)
                        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("stale");
            }
        }
    }

    private static InetSocketAddress address(Proactor proactor, String method, long handle) {
        return method.equals("remoteAddress") ? proactor.remoteAddress(handle) : proactor.localAddress(handle);
    }

    private static void await(ReadinessProactor proactor, List<String> events, String what) throws IOException {
        long start = System.nanoTime();
        while (!events.contains(what)) {
            assertThat(System.nanoTime() - start).as("waiting for '%s', events so far: %s", what, events)
                    .isLessThan(Lab.PATIENCE.toNanos());
            proactor.poll(new CompletionLog(events), SECOND);
        }
    }

    private static Network over(Network network, Poller poller) {
        return Intercept.method(Network.class, network, "poller", _ -> poller);
    }

    /** Refuses changes on demand, and then drops the socket, as {@link Poller#modify} specifies. */
    private static final class Refusing implements Poller {
        private final Poller poller;
        private boolean refuses;

        Refusing(Poller poller) {
            this.poller = poller;
        }

        @Override
        public void register(Socket socket, int interest, long token) throws IOException {
            poller.register(socket, interest, token);
        }

        @Override
        public void modify(Socket socket, int interest, long token) throws IOException {
            if (refuses && poller.registration(socket) != null) {
                poller.deregister(socket);
                throw new NetworkException("epoll_ctl", socket, ErrorCode.EPERM);
            }
            poller.modify(socket, interest, token);
        }

        @Override
        public void deregister(Socket socket) throws IOException {
            poller.deregister(socket);
        }

        @Override
        public @Nullable Registration registration(Socket socket) {
            return poller.registration(socket);
        }

        @Override
        public int poll(ReadyEvents out, long timeoutNanos) throws IOException {
            return poller.poll(out, timeoutNanos);
        }

        @Override
        public void wakeup() {
            poller.wakeup();
        }

        @Override
        public void close() throws IOException {
            poller.close();
        }
    }
}
