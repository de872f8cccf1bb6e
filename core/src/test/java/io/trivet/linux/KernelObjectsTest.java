package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import io.trivet.net.Capability;
import io.trivet.net.ClosedSocketException;
import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.TcpListener;
import io.trivet.net.UdpSocket;
import io.trivet.select.Select;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Kernel objects and effects that cannot be created or observed through {@code io.trivet.net}. */
@NotSimulated(NotSimulated.MACHINE)
final class KernelObjectsTest {
    private static final int AF_UNIX = 1;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final long MILLI = 1_000_000;

    @EveryEngine
    @Case("T1")
    void socketThatWasNeverConnectedIsReadableAndWritable(Lab lab) throws IOException {
        if (hasNoDescriptors(lab)) {
            return;
        }
        Descriptor fresh = open(lab, Libc.socket(Libc.AF_INET, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0));
        lab.staysInLists(fresh, "rw-");
        assertThat(Libc.bind(fresh.fd(), address(), SocketAddress.SIZE_4)).isZero();
        lab.staysInLists(fresh, "rw-");
    }

    @EveryEngine
    @Case("T5")
    void listenerAfterShutdownIsReadableAndWritable(Lab lab) throws IOException {
        TcpListener listener = lab.listener();
        if (hasNoDescriptors(lab)) {
            return;
        }
        assertThat(Libc.shutdown(listener.fd(), Libc.SHUT_RD)).isZero();
        lab.staysInLists(listener, "rw-");
    }

    @EveryEngine
    @Case("U8")
    void urgentByteOfAUnixSocketIsExceptional(Lab lab) throws IOException {
        if (hasNoDescriptors(lab)) {
            return;
        }
        int type = Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;
        Path directory = Files.createTempDirectory("trivet");
        Path path = directory.resolve("socket");
        lab.keep(() -> Files.delete(directory));
        lab.keep(() -> Files.delete(path));
        try (Arena arena = Arena.ofConfined()) {
            // struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; }
            MemorySegment address = arena.allocate(110, 8);
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            address.setString(2, path.toString(), StandardCharsets.UTF_8);
            Descriptor listener = open(lab, Libc.socket(AF_UNIX, type, 0));
            assertThat(Libc.bind(listener.fd(), address.address(), 110)).isZero();
            assertThat(Libc.listen(listener.fd(), 1)).isZero();
            Descriptor client = open(lab, Libc.socket(AF_UNIX, type, 0));
            assertThat(Libc.connect(client.fd(), address.address(), 110)).isZero();
            Descriptor server = open(lab, Libc.accept4(listener.fd(), 0, 0, type & ~Libc.SOCK_STREAM));

            assertThat(lab.lists(server)).isEqualTo("-w-");
            assertThat(client.write(Lab.bytes("abc"))).isEqualTo(3);
            MemorySegment urgent = arena.allocateFrom("!");
            long sent = Libc.send(client.fd(), urgent.address(), 1, Libc.MSG_OOB | Libc.MSG_NOSIGNAL);
            assumeTrue(sent != -95, "this kernel has no urgent data on UNIX-domain sockets (CONFIG_AF_UNIX_OOB)");
            assertThat(sent).isEqualTo(1);
            lab.awaitLists(server, "rwx");

            assertThat(Libc.recv(server.fd(), urgent.address(), 1, Libc.MSG_OOB)).isEqualTo(1);
            assertThat(urgent.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) '!');
            assertThat(lab.lists(server)).isEqualTo("rw-");
        }
    }

    @EveryEngine
    @Case("18")
    void changingOnlyTheTokenMakesNoSystemCall(Lab lab) throws IOException {
        if (hasNoDescriptors(lab)) {
            return;
        }
        Poller poller = lab.poller();
        Descriptor descriptor = lab.network().descriptor(eventFd());
        poller.register(descriptor, Interest.READ, 1);
        // The descriptor is closed without the poller's knowledge, so any system call on it now returns EBADF.
        assertThat(Libc.close(descriptor.fd())).isZero();

        poller.modify(descriptor, Interest.READ, 2);

        assertThat(poller.registration(descriptor)).isEqualTo(new Registration(descriptor, Interest.READ, 2));
    }

    @EveryEngine
    @Case("19")
    void changeRefusedByTheKernelRemovesTheRegistration(Lab lab) throws IOException {
        if (hasNoDescriptors(lab)) {
            return;
        }
        Poller poller = lab.poller();
        Descriptor descriptor = lab.network().descriptor(eventFd());
        poller.register(descriptor, Interest.READ, 1);
        assertThat(Libc.close(descriptor.fd())).isZero();

        if (lab.engine().equals("epoll")) {
            assertThatThrownBy(() -> poller.modify(descriptor, Interest.WRITE, 2)).isInstanceOfSatisfying(NetworkException.class,
                    e -> assertThat(e.code()).isEqualTo(ErrorCode.EBADF));
            assertThat(poller.registration(descriptor)).isNull();
        } else {
            poller.modify(descriptor, Interest.WRITE, 2);
            assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(2, Interest.INVALID));
            lab.doesNotApply("no system call is made before the next wait, which then reports INVALID");
        }
    }

    @EveryEngine
    @Case("L4")
    void pollerRegisteredWithAnotherPollerReportsItsEvents(Lab lab) throws IOException {
        if (hasNoDescriptors(lab)) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            int inner = PollSyscalls.epollCreate1(EpollPoller.EPOLL_CLOEXEC);
            Descriptor nested = open(lab, inner);
            Pair pair = lab.pair();
            MemorySegment event = arena.allocate(16, 8);
            event.set(ValueLayout.JAVA_INT, 0, PollBits.POLLIN);
            assertThat(PollSyscalls.epollCtl(inner, EpollPoller.EPOLL_CTL_ADD, pair.server().fd(), event.address())).isZero();
            Poller outer = lab.poller();
            outer.register(nested, Interest.READ, 1);
            assertThat(Lab.poll(outer)).isEmpty();

            lab.send(pair.client(), "x");

            assertThat(lab.await(outer)).containsExactly(new Lab.Event(1, Interest.READ));
            assertThat(lab.receive(pair.server(), 1)).isEqualTo("x");
            assertThat(Lab.poll(outer)).isEmpty();
        }
    }

    @EveryEngine
    @Case("87")
    void everyKindOfDescriptorThatCanBeReadyIsWatched(Lab lab) throws IOException {
        if (hasNoDescriptors(lab)) {
            return;
        }
        Poller poller = lab.poller();
        Descriptor event = open(lab, eventFd());
        poller.register(event, Interest.READ | Interest.WRITE, 1);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.WRITE));
        assertThat(event.write(Lab.bytes("\1\0\0\0\0\0\0\0"))).isEqualTo(8);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.READ | Interest.WRITE));
    }

    /**
     * A duplicate keeps a closed descriptor's registration alive in epoll, where it cannot be removed any more. Its events must
     * be ignored.
     */
    @EveryEngine
    @Case("J9")
    void eventsOfAClosedDescriptorWithADuplicateAreIgnored(Lab lab) throws IOException {
        if (hasNoDescriptors(lab)) {
            return;
        }
        Poller poller = lab.poller();
        UdpSocket socket = lab.udp();
        open(lab, Libc.fcntl(socket.fd(), F_DUPFD_CLOEXEC, 0));
        poller.register(socket, Interest.WRITE, 1);
        socket.close();
        poller.deregister(socket);

        ReadyEvents out = new ReadyEvents(4);
        assertThat(poller.poll(out, 0)).isZero();
        assertThat(poller.poll(out, 20 * MILLI)).isZero();

        UdpSocket next = lab.udp(); // gets the descriptor's number
        poller.register(next, Interest.READ, 2);
        assertThat(poller.poll(out, 0)).as("an event of the old socket is not reported for the new one").isZero();
        poller.modify(next, Interest.READ | Interest.WRITE, 3);
        lab.eventually("the new one's own event", () -> poller.poll(out, 0) == 1);
        assertThat(Lab.events(out)).containsExactly(new Lab.Event(3, Interest.WRITE));
    }

    /** The registration of such a descriptor stays in the epoll of the waits of virtual threads, whose thread must not spin. */
    @EveryEngine
    void closedDescriptorWithADuplicateDoesNotKeepTheThreadOfParkedWaitsBusy(Lab lab) throws Exception {
        if (hasNoDescriptors(lab) || !lab.engine().equals("poll")) {
            return;
        }
        Pair pair = lab.pair();
        CompletableFuture<Boolean> ready = new CompletableFuture<>();
        Thread waiting = Thread.startVirtualThread(() -> {
            try {
                ready.complete(Select.on(lab.network()).select(List.of(pair.client()), List.of(), List.of(), null).isEmpty());
            } catch (IOException e) {
                ready.completeExceptionally(e);
            }
        });
        lab.eventually("the thread is parked", () -> waiting.getState() == Thread.State.WAITING);
        open(lab, Libc.fcntl(pair.client().fd(), F_DUPFD_CLOEXEC, 0));
        pair.client().close();
        lab.send(pair.server(), "the duplicate is readable from now on");
        assertThat(ready).failsWithin(Lab.PATIENCE).withThrowableThat().withCauseInstanceOf(ClosedSocketException.class);

        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        Thread poller = Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().equals("trivet-select"))
                .findAny().orElseThrow();
        long before = threads.getThreadCpuTime(poller.threadId());
        lab.pause(Duration.ofMillis(100));
        assertThat(threads.getThreadCpuTime(poller.threadId()) - before).isLessThan(50_000_000);
    }

    @EveryEngine
    void descriptorOfAPathIsRefusedForTheTrueReason(Lab lab) throws Throwable {
        if (hasNoDescriptors(lab)) {
            return;
        }
        int number;
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom("/dev/null").address();
            number = (int) (long) Downcall.of("open").invokeExact(Libc.errnoOfThread(), name, (long) Libc.O_PATH | Libc.O_CLOEXEC,
                    0L, 0L, 0L, 0L, 0L);
        }
        assertThat(number).isNotNegative();
        Descriptor path = open(lab, number);
        Descriptor other = open(lab, eventFd());
        Poller poller = lab.poller();
        List<Descriptor> both = List.of(other, path);
        assertIsPathOnly(path, "", () -> poller.register(path, Interest.READ, 1));
        assertThat(poller.registration(path)).isNull();
        assertIsPathOnly(path, "rlist[1]: ", () -> Select.on(lab.network()).select(both, List.of(), List.of(), null));
        assertIsPathOnly(path, "wlist[1]: ", () -> Select.on(lab.network()).select(List.of(other), both, both, Duration.ZERO));
        assertIsPathOnly(path, "", () -> path.read(ByteBuffer.allocate(1)));
    }

    private static void assertIsPathOnly(Descriptor path, String start, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(NetworkException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.EBADF);
            assertThat(e.errno()).isEqualTo(9);
            assertThat(e.descriptor()).isEqualTo(path.fd());
            assertThat(e).hasMessageStartingWith(start).hasMessageContaining("O_PATH");
        });
    }

    private static boolean hasNoDescriptors(Lab lab) {
        return lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(0));
    }

    /** Wraps a descriptor that is closed at the end of the test. */
    private static Descriptor open(Lab lab, int number) {
        assertThat(number).isNotNegative();
        lab.keep(() -> Libc.close(number));
        return lab.network().descriptor(number);
    }

    private static int eventFd() {
        int number = Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
        assertThat(number).isNotNegative();
        return number;
    }

    private static long address() throws IOException {
        Scratch scratch = Scratch.ofThread();
        SocketAddress.write(Lab.FREE_PORT, Libc.AF_INET, scratch.address);
        return scratch.address.address();
    }
}
