package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Case;
import io.trivet.contract.Descriptors;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** Registering, modifying and deregistering. */
final class PollerRegistrationTest {
    /** Far above every descriptor that the tests open. */
    private static final int NEVER_OPEN = 15_000;

    @TempDir Path directory;

    @EveryEngine
    @Case("11")
    void registrationReturnsSocketInterestAndToken(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();

        poller.register(pair.client(), Interest.READ | Interest.WRITE, 42);

        assertThat(poller.registration(pair.client()))
                .isEqualTo(new Registration(pair.client(), Interest.READ | Interest.WRITE, 42));
        assertThat(poller.registration(pair.server())).isNull();
    }

    @EveryEngine
    @Case("12")
    void unknownInterestIsRejected(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();

        for (int unknown : new int[]{Interest.ERROR, Interest.HANG_UP, Interest.INVALID, 1 << 6, -1}) {
            assertThatThrownBy(() -> poller.register(pair.client(), unknown, 0)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(poller.registration(pair.client())).isNull();

        poller.register(pair.client(), Interest.WRITE, 1);
        assertThatThrownBy(() -> poller.modify(pair.client(), 1 << 6, 2)).isInstanceOf(IllegalArgumentException.class);
        assertThat(poller.registration(pair.client())).isEqualTo(new Registration(pair.client(), Interest.WRITE, 1));
    }

    @EveryEngine
    @Case("12")
    void negativeDescriptorIsRejected(Lab lab) {
        assertThatThrownBy(() -> lab.network().descriptor(-10)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-10");
    }

    @EveryEngine
    @Case("13")
    void secondRegistrationIsRejected(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.WRITE, 1);

        assertThatThrownBy(() -> poller.register(pair.client(), Interest.READ, 2)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("registered already");

        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.WRITE));
    }

    @EveryEngine
    @Case("14")
    void unregisteredSocketCannotBeDeregisteredOrModified(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();

        assertThatThrownBy(() -> poller.deregister(pair.client())).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not registered");
        assertThatThrownBy(() -> poller.modify(pair.client(), Interest.READ, 0)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not registered");

        poller.register(pair.client(), Interest.READ, 1);
        poller.deregister(pair.client());
        assertThatThrownBy(() -> poller.deregister(pair.client())).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not registered");
    }

    @EveryEngine
    @Case({"15", "49"})
    void closedSocketCanBeDeregistered(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.WRITE, 1);

        pair.client().close();
        poller.deregister(pair.client());

        assertThat(poller.registration(pair.client())).isNull();
        assertThat(Lab.poll(poller)).isEmpty();
        assertThatThrownBy(() -> poller.deregister(pair.client())).isInstanceOf(IllegalArgumentException.class);
    }

    @EveryEngine
    @Case("16")
    void deregisteringAClosedSocketDoesNotAffectTheNextSocketWithItsDescriptor(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.WRITE, 1);
        int number = lab.network().supports(Capability.DESCRIPTORS) ? pair.client().fd() : -1;

        pair.client().close();
        UdpSocket next = lab.udp();
        if (number >= 0) {
            assertThat(next.fd()).as("the kernel assigns the lowest free number first").isEqualTo(number);
        }
        poller.deregister(pair.client());
        poller.register(next, Interest.WRITE, 2);

        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(2, Interest.WRITE));
    }

    @EveryEngine
    @Case({"16", "J9"})
    void reusedDescriptorCanBeRegisteredWithoutDeregisteringTheClosedSocket(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.WRITE, 1);

        pair.client().close();
        UdpSocket next = lab.udp();
        poller.register(next, Interest.WRITE, 2);
        poller.deregister(pair.client()); // late, but harmless

        assertThat(poller.registration(next)).isEqualTo(new Registration(next, Interest.WRITE, 2));
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(2, Interest.WRITE));
        assertThatThrownBy(() -> poller.deregister(pair.client())).isInstanceOf(IllegalArgumentException.class);
    }

    @EveryEngine
    @Case("16")
    void reusedDescriptorIsNotReportedForTheClosedSocket(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.WRITE, 1);

        pair.client().close();
        lab.udp(); // writable, but not registered with this poller

        assertThat(Lab.poll(poller)).isSubsetOf(new Lab.Event(1, Interest.INVALID));
    }

    @EveryEngine
    @Case("18")
    void modifyChangesInterestAndToken(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.READ, 1);
        assertThat(Lab.poll(poller)).isEmpty();

        poller.modify(pair.client(), Interest.READ | Interest.WRITE, 1);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.WRITE));

        poller.modify(pair.client(), Interest.READ | Interest.WRITE, 2);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(2, Interest.WRITE));
        assertThat(poller.registration(pair.client()))
                .isEqualTo(new Registration(pair.client(), Interest.READ | Interest.WRITE, 2));

        poller.modify(pair.client(), 0, 3);
        assertThat(Lab.poll(poller)).isEmpty();

        poller.modify(pair.client(), Interest.WRITE, 4);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(4, Interest.WRITE));
    }

    @EveryEngine
    @Case("19")
    void modifyOfAClosedSocketRemovesItsRegistration(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.READ, 1);
        pair.client().close();

        assertThatThrownBy(() -> poller.modify(pair.client(), Interest.WRITE, 2)).isInstanceOf(ClosedChannelException.class);

        assertThat(poller.registration(pair.client())).isNull();
        assertThat(Lab.poll(poller)).isEmpty();
    }

    @EveryEngine
    @Case("20")
    void closedPollerRejectsEveryCall(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.READ, 1);

        poller.close();
        poller.close();
        poller.wakeup();

        assertThatThrownBy(() -> poller.register(pair.server(), Interest.READ, 2)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> poller.modify(pair.client(), Interest.WRITE, 2)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> poller.deregister(pair.client())).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> poller.poll(new ReadyEvents(1), 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> poller.poll(new ReadyEvents(1), -1)).isInstanceOf(IllegalStateException.class);
        assertThat(pair.client().isOpen()).isTrue();
    }

    @EveryEngine
    @Case("20")
    void closedSocketCannotBeRegistered(Lab lab) throws IOException {
        Pair pair = lab.pair();
        Poller poller = lab.poller();
        pair.client().close();

        assertThatThrownBy(() -> poller.register(pair.client(), Interest.READ, 1)).isInstanceOf(ClosedChannelException.class);
        assertThat(poller.registration(pair.client())).isNull();
    }

    @EveryEngine
    @Case({"32", "P8"})
    @NotSimulated(NotSimulated.MACHINE)
    void regularFileIsReadyOrRejected(Lab lab) throws IOException {
        Poller poller = lab.poller();
        Descriptor file = file(lab);
        if (file == null) {
            return;
        }
        if (!lab.network().supports(Capability.REGULAR_FILES)) {
            assertRefused(lab, poller, file);
            return;
        }
        poller.register(file, Interest.READ | Interest.WRITE, 1);
        assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.READ | Interest.WRITE));
        assertThat(lab.lists(file)).isEqualTo("rw-");
    }

    @EveryEngine
    @Case({"87", "P8"})
    @NotSimulated(NotSimulated.MACHINE)
    void directoryAndNullDeviceAreReadyOrRejected(Lab lab) throws IOException {
        Poller poller = lab.poller();
        if (lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(0))) {
            return;
        }
        try (DirectoryStream<Path> open = Files.newDirectoryStream(directory);
                FileChannel device = FileChannel.open(Path.of("/dev/null"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            assertThat(open).isNotNull();
            assertThat(device.isOpen()).isTrue();
            for (Path path : List.of(directory, Path.of("/dev/null"))) {
                Descriptor descriptor = lab.network().descriptor(Descriptors.numberOf(path));
                if (lab.network().supports(Capability.REGULAR_FILES)) {
                    poller.register(descriptor, Interest.READ | Interest.WRITE, 1);
                    assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.READ | Interest.WRITE));
                    poller.deregister(descriptor);
                    assertThat(lab.lists(descriptor)).isEqualTo("rw-");
                } else {
                    assertRefused(lab, poller, descriptor);
                }
            }
        }
    }

    @EveryEngine
    @Case("87")
    void everyKindOfSocketCanBeWatched(Lab lab) throws IOException {
        Poller poller = lab.poller();
        Pair pair = lab.pair();
        Pipe pipe = lab.pipe();
        List<Socket> kinds = List.of(lab.listener(), pair.client(), pair.server(), lab.udp());
        for (int i = 0; i < kinds.size(); i++) {
            poller.register(kinds.get(i), Interest.READ | (kinds.get(i) instanceof TcpListener ? 0 : Interest.WRITE), i);
        }
        poller.register(pipe.source(), Interest.READ, 10);
        poller.register(pipe.sink(), Interest.WRITE, 11);

        assertThat(Lab.poll(poller)).containsExactlyInAnyOrder(new Lab.Event(1, Interest.WRITE), new Lab.Event(2, Interest.WRITE),
                new Lab.Event(3, Interest.WRITE), new Lab.Event(11, Interest.WRITE));
    }

    @EveryEngine
    @Case("33")
    void descriptorThatIsNotOpenIsRejectedOrReported(Lab lab) throws IOException {
        Poller poller = lab.poller();
        if (lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(NEVER_OPEN))) {
            return;
        }
        Descriptor missing = lab.network().descriptor(NEVER_OPEN);
        if (namesDescriptorsAtEachCall(lab)) {
            poller.register(missing, Interest.READ, 1);
            assertThat(Lab.poll(poller)).containsExactly(new Lab.Event(1, Interest.INVALID));
            poller.deregister(missing);
        } else {
            assertThatThrownBy(() -> poller.register(missing, Interest.READ, 1))
                    .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EBADF))
                    .hasMessageContaining(Integer.toString(NEVER_OPEN));
            assertThat(poller.registration(missing)).isNull();
        }
        assertThat(Lab.poll(poller)).isEmpty();
    }

    @EveryEngine
    @Case("J8")
    void socketOfAnotherFamilyIsRejected(Lab lab) throws IOException {
        EngineStatus other = Network.engines().stream().filter(EngineStatus::available)
                .filter(engine -> !Network.named(engine.name()).family().equals(lab.network().family())).findFirst().orElse(null);
        assumeTrue(other != null, "there is no network of another family");
        Poller poller = lab.poller();
        try (UdpSocket stranger = Network.named(other.name()).udp(Lab.FREE_PORT)) {
            assertThatThrownBy(() -> poller.register(stranger, Interest.READ, 1)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(other.name());
        }
    }

    @EveryEngine
    @Case("J8")
    void socketsOfTheWholeFamilyCanBeWatched(Lab lab) throws IOException {
        List<Network> family = new ArrayList<>(List.of(lab.network(), lab.network().forOneCall()));
        for (EngineStatus engine : Network.engines()) {
            if (engine.available() && Network.named(engine.name()).family().equals(lab.network().family())) {
                family.add(Network.named(engine.name()));
            }
        }
        Poller poller = lab.poller();
        List<Lab.Event> expected = new ArrayList<>();
        for (Network network : family) {
            poller.register(lab.keep(network.udp(Lab.FREE_PORT)), Interest.WRITE, expected.size());
            expected.add(new Lab.Event(expected.size(), Interest.WRITE));
        }
        assertThat(Lab.poll(poller)).containsExactlyInAnyOrderElementsOf(expected);
    }

    static boolean namesDescriptorsAtEachCall(Lab lab) {
        return lab.engine().equals("poll") || lab.engine().equals("select");
    }

    private Descriptor file(Lab lab) throws IOException {
        if (lab.refuses(Capability.DESCRIPTORS, () -> lab.network().descriptor(0))) {
            return null;
        }
        Path path = Files.writeString(directory.resolve("file"), "bytes");
        lab.keep(FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE));
        return lab.network().descriptor(Descriptors.numberOf(path));
    }

    private static void assertRefused(Lab lab, Poller poller, Descriptor descriptor) throws IOException {
        assertThatThrownBy(() -> poller.register(descriptor, Interest.READ, 1)).isInstanceOfSatisfying(NetworkException.class,
                e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.EPERM);
                    lab.cannot("EPERM: epoll cannot watch a regular file or a directory");
                });
        assertThat(poller.registration(descriptor)).isNull();
        assertThat(Lab.poll(poller)).isEmpty();
        assertThatThrownBy(() -> lab.lists(descriptor)).isInstanceOf(NetworkException.class);
    }
}
