package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Calls on a closed socket. */
final class ClosedSocketTest {
    /** Methods that may be called on a closed socket. */
    private static final Set<String> ALLOWED = Set.of("close", "isOpen", "network", "socket", "fd", "toString", "share",
            "ownFile");

    @EveryEngine
    @Case("S5")
    void everyMethodThrowsAfterClose(Lab lab) throws Exception {
        Pair pair = lab.pair();
        Pipe pipe = lab.pipe();
        assertClosed(lab, TcpListener.class, lab.listener());
        assertClosed(lab, TcpStream.class, pair.client());
        assertClosed(lab, TcpStream.class, lab.keep(lab.network().connect(lab.listener().localAddress())));
        assertClosed(lab, UdpSocket.class, lab.udp());
        assertClosed(lab, Pipe.Source.class, pipe.source());
        assertClosed(lab, Pipe.Sink.class, pipe.sink());
        if (lab.network().supports(Capability.DESCRIPTORS)) {
            assertClosed(lab, Descriptor.class, lab.network().descriptor(pair.server().fd()));
            assertThat(pair.server().isOpen()).as("a descriptor is borrowed").isTrue();
            assertThat(lab.lists(pair.server())).isNotEqualTo("---");
        }
    }

    @EveryEngine
    @Case("S5")
    void selectNamesTheClosedSocket(Lab lab) throws IOException {
        Pair pair = lab.pair();
        String name = pair.client().toString();
        pair.client().close();
        assertThatThrownBy(() -> io.trivet.select.Select.on(lab.network())
                .select(List.of(pair.server(), pair.client()), List.of(), List.of(), Duration.ZERO))
                .isInstanceOf(ClosedChannelException.class).hasMessageContaining(name);
    }

    @EveryEngine
    @Case("S5")
    @NotSimulated(NotSimulated.THREADS)
    void concurrentClosesCloseOnce(Lab lab) throws Exception {
        for (int round = 0; round < 20; round++) {
            TcpStream stream = lab.pair().client();
            Thread[] closers = new Thread[4];
            for (int i = 0; i < closers.length; i++) {
                closers[i] = Thread.ofPlatform().start(() -> PollerEventsTest.quietly(stream::close));
            }
            UdpSocket next = lab.udp(); // may get the descriptor, which a second close would then close
            for (Thread closer : closers) {
                closer.join();
            }
            assertThat(next.localAddress().getPort()).isPositive();
            assertThat(lab.lists(next)).isEqualTo("-w-");
        }
    }

    private static void assertClosed(Lab lab, Class<? extends Socket> type, Socket socket) throws Exception {
        String name = socket.toString();
        assertThat(socket.isOpen()).isTrue();
        socket.close();
        socket.close();
        assertThat(socket.isOpen()).isFalse();
        assertThat(socket.network()).isSameAs(lab.network());
        assertThat(socket.socket()).isSameAs(socket);
        if (lab.network().supports(Capability.DESCRIPTORS)) {
            assertThat(socket.fd()).isEqualTo(-1);
        }
        int asserted = 0;
        for (Method method : type.getMethods()) {
            if (Modifier.isStatic(method.getModifiers()) || ALLOWED.contains(method.getName())) {
                continue;
            }
            Object[] arguments = List.of(method.getParameterTypes()).stream().map(ClosedSocketTest::argument).toArray();
            assertThatThrownBy(() -> invoke(method, socket, arguments)).as("%s of %s", method.getName(), name)
                    .satisfiesAnyOf(
                            e -> assertThat(e).isInstanceOf(ClosedChannelException.class),
                            e -> {
                                assertThat(method.getName()).isIn("sendUrgent", "receiveUrgent", "atMark");
                                assertThat(lab.network().supports(Capability.URGENT_DATA)).isFalse();
                                assertThat(e).isInstanceOf(UnsupportedOperationException.class);
                            });
            asserted++;
        }
        assertThat(asserted).isGreaterThanOrEqualTo(3);
    }

    private static void invoke(Method method, Socket socket, Object[] arguments) throws Throwable {
        try {
            method.invoke(socket, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static Object argument(Class<?> type) {
        if (type == ByteBuffer.class) {
            return Lab.bytes("bytes");
        }
        if (type == ByteBuffer[].class) {
            return new ByteBuffer[]{Lab.bytes("bytes")};
        }
        if (type == InetSocketAddress.class) {
            return new InetSocketAddress(Lab.FREE_PORT.getAddress(), 9);
        }
        if (type == SocketOption.class) {
            return StandardSocketOptions.SO_RCVBUF;
        }
        if (type == SendableFile.class) {
            return new EmptyFile();
        }
        if (type == int.class) {
            return 0;
        }
        if (type == byte.class) {
            return (byte) '!';
        }
        return 50_000; // an option's value
    }

    private static final class EmptyFile implements SendableFile {
        @Override
        public long size() {
            return 0;
        }

        @Override
        public int read(ByteBuffer into, long position) {
            return -1;
        }

        @Override
        public void close() {}
    }
}
