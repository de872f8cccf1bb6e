package io.trivet.select;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.Pair;
import io.trivet.net.Capability;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.net.TcpStream;
import io.trivet.net.UdpSocket;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Timeout;

/** The form with three sets of descriptors, as in C. */
@Timeout(60) // interrupts a wait that does not end
class FdSetCallTest {
    /** Above any descriptor that a process can have, and above the size of any descriptor table. */
    private static final int NEVER_OPENED = 100_000_000;

    @Case("22")
    @EveryEngine
    void setsKeepWhatIsReadyAndTheBitsAreCounted(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        Pair pair = lab.pair();
        Pair idle = lab.pair();
        lab.send(pair.server(), "abc");
        pair.server().sendUrgent((byte) '!');
        lab.awaitLists(pair.client(), "rwx");
        FdSet read = set(pair.client().fd(), idle.client().fd());
        FdSet write = set(pair.client().fd(), idle.client().fd());
        FdSet except = set(pair.client().fd(), idle.client().fd());
        int nfds = 1 + Math.max(pair.client().fd(), idle.client().fd());
        int count = Select.on(lab.network()).select(nfds, read, write, except, null);
        assertThat(count).as("a descriptor that is ready in three sets counts three times").isEqualTo(4);
        assertThat(read).hasToString(set(pair.client().fd()).toString());
        assertThat(write).hasToString(set(pair.client().fd(), idle.client().fd()).toString());
        assertThat(except).hasToString(set(pair.client().fd()).toString());
    }

    @EveryEngine
    void setPassedTwiceHoldsTheLastResultAsInC(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        int fd = lab.pair().client().fd(); // writable, and not readable
        FdSet readAndWrite = set(fd);
        FdSet writeAndExcept = set(fd);
        NetworkSelect select = Select.on(lab.network());
        assertThat(select.select(fd + 1, readAndWrite, readAndWrite, null, Duration.ZERO)).isEqualTo(1);
        assertThat(readAndWrite.isSet(fd)).isTrue();
        assertThat(select.select(fd + 1, null, writeAndExcept, writeAndExcept, Duration.ZERO)).isEqualTo(1);
        assertThat(writeAndExcept.isSet(fd)).isFalse();
    }

    @EveryEngine
    void bitsAtOrAboveNfdsAreUnchanged(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        int fd = lab.pair().client().fd();
        FdSet write = set(fd, fd + 1, NEVER_OPENED);
        NetworkSelect select = Select.on(lab.network());
        assertThat(select.select(fd + 1, null, write, null, Duration.ZERO)).isEqualTo(1);
        assertThat(write).hasToString(set(fd, fd + 1, NEVER_OPENED).toString());
        assertThat(select.select(fd, null, write, null, Duration.ZERO)).as("nfds is one more than the highest").isZero();
        assertThat(write).hasToString(set(fd, fd + 1, NEVER_OPENED).toString());
        assertThat(select.select(0, null, write, null, Duration.ZERO)).isZero();
        assertThat(write).hasToString(set(fd, fd + 1, NEVER_OPENED).toString());
    }

    @Case({"56", "C4"})
    @EveryEngine
    void sleepsWithoutDescriptors(Lab lab) throws Exception {
        for (FdSet set : new FdSet[]{null, new FdSet()}) {
            for (int nfds : new int[]{0, 1_000}) {
                long start = lab.network().clock().nanoTime();
                assertThat(Select.on(lab.network()).select(nfds, set, set, set, Duration.ofMillis(10))).isZero();
                assertThat(lab.network().clock().nanoTime() - start).isGreaterThanOrEqualTo(10_000_000);
            }
        }
    }

    @Case("54")
    @EveryEngine
    void eachSetMayBeNull(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        Pipe pipe = lab.pipe();
        pipe.sink().write(Lab.bytes("!"));
        int nfds = 1 + Math.max(pipe.source().fd(), pipe.sink().fd());
        NetworkSelect select = Select.on(lab.network());
        assertThat(select.select(nfds, set(pipe.source().fd()), null, null, Lab.PATIENCE)).isEqualTo(1);
        assertThat(select.select(nfds, null, set(pipe.sink().fd()), null, Lab.PATIENCE)).isEqualTo(1);
        assertThat(select.select(nfds, null, null, set(pipe.source().fd()), Duration.ZERO)).isZero();
    }

    @Case("57")
    @EveryEngine
    void negativeNfdsIsAnError(Lab lab) {
        for (int nfds : new int[]{-1, Integer.MIN_VALUE}) {
            assertThatThrownBy(() -> Select.on(lab.network()).select(nfds, null, null, null, Duration.ZERO))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("nfds");
        }
    }

    @Case({"58", "59", "60"})
    @EveryEngine
    void closedDescriptorIsAnErrorInEachSet(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        TcpStream good = lab.pair().client();
        Pipe pipe = lab.pipe(); // opened last, so that no later socket gets its numbers
        int fd = pipe.source().fd();
        pipe.close();
        failsInEachSet(lab, good, fd);
    }

    /** The kernel limits nfds to the size of its descriptor table, and would leave such a bit set, as if ready, in every set. */
    @Case({"58", "59", "60", "C5"})
    @EveryEngine
    void descriptorNeverOpenedIsAnErrorInEachSet(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        TcpStream good = lab.pair().client();
        if (!Files.exists(Path.of("/proc/self/fd/3000"), LinkOption.NOFOLLOW_LINKS)) {
            failsInEachSet(lab, good, 3_000);
        }
        failsInEachSet(lab, good, NEVER_OPENED);
    }

    /** The other descriptor is open and writable, and must not be reported either. */
    private static void failsInEachSet(Lab lab, TcpStream good, int bad) {
        for (int which = 0; which < 3; which++) {
            FdSet[] sets = {new FdSet(), set(good.fd()), new FdSet()};
            sets[which].set(bad);
            String[] before = {sets[0].toString(), sets[1].toString(), sets[2].toString()};
            int nfds = 1 + Math.max(bad, good.fd());
            assertThatThrownBy(() -> Select.on(lab.network()).select(nfds, sets[0], sets[1], sets[2], Lab.PATIENCE))
                    .isInstanceOfSatisfying(NetworkException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.EBADF);
                        assertThat(e.getMessage()).contains("descriptor " + bad);
                    });
            assertThat(sets).as("unchanged").extracting(FdSet::toString).containsExactly(before);
        }
    }

    @Case("65")
    @EveryEngine
    void emptyPipeIsNotReadableAndItsBitIsCleared(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        Pipe pipe = lab.pipe();
        FdSet read = set(pipe.source().fd());
        FdSet except = set(pipe.source().fd());
        assertThat(Select.on(lab.network()).select(pipe.source().fd() + 1, read, null, except, Duration.ofMillis(1))).isZero();
        assertThat(read).hasToString("{}");
        assertThat(except).hasToString("{}");
    }

    @Case("66")
    @EveryEngine
    void fullPipeIsNotWritableAndItsBitIsCleared(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        Pipe pipe = lab.pipe();
        lab.fill(pipe.sink());
        FdSet write = set(pipe.sink().fd());
        assertThat(Select.on(lab.network()).select(pipe.sink().fd() + 1, null, write, null, Duration.ofMillis(1))).isZero();
        assertThat(write).hasToString("{}");
    }

    @Case("74")
    @EveryEngine
    void nfdsAboveEveryLimitFindsOnlySetDescriptors(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        int fd = lab.pair().client().fd();
        FdSet write = set(fd);
        long start = System.nanoTime();
        assertThat(Select.on(lab.network()).select(Integer.MAX_VALUE, new FdSet(), write, null, null)).isEqualTo(1);
        assertThat(write).hasToString(set(fd).toString());
        assertThat(System.nanoTime() - start).as("nanoseconds: the cost depends on the bits set, not on nfds")
                .isLessThan(1_000_000_000);
        FdSet beyond = set(NEVER_OPENED);
        assertThatThrownBy(() -> Select.on(lab.network()).select(Integer.MAX_VALUE, beyond, null, null, null))
                .isInstanceOfSatisfying(NetworkException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EBADF));
    }

    @Case("C6")
    @EveryEngine
    void descriptorsAbove1024Work(Lab lab) throws Exception {
        if (refused(lab)) {
            return;
        }
        UdpSocket last = lab.udp();
        while (last.fd() <= FdSet.SETSIZE + 70) {
            last = lab.udp();
        }
        FdSet read = set(last.fd());
        FdSet write = set(last.fd(), last.fd() - 60);
        assertThat(Select.on(lab.network()).select(last.fd() + 1, read, write, null, Duration.ZERO)).isEqualTo(2);
        assertThat(read).hasToString("{}");
        assertThat(write).hasToString(set(last.fd(), last.fd() - 60).toString());
    }

    @EveryEngine
    void networkWithoutDescriptorsRefuses(Lab lab) throws Exception {
        if (!refused(lab)) {
            assertThat(lab.network().supports(Capability.DESCRIPTORS)).isTrue();
            return;
        }
        assertThatThrownBy(() -> Select.on(lab.network()).select(1, set(0), null, null, Duration.ZERO))
                .isInstanceOf(UnsupportedOperationException.class);
    }

    @EveryEngine
    void staticFormUsesTheSystemNetwork(Lab lab) throws Exception {
        if (refused(lab) || !Network.system().supports(Capability.DESCRIPTORS)) {
            return;
        }
        Pair pair = lab.pair();
        lab.send(pair.server(), "!");
        FdSet read = set(pair.client().fd());
        assertThat(Select.select(pair.client().fd() + 1, read, null, null, Lab.PATIENCE)).isEqualTo(1);
        assertThat(Select.select(List.of(pair.client()), List.of(), List.of(), Lab.PATIENCE).readable())
                .containsExactly(pair.client());
        assertThatThrownBy(() -> Select.select(NEVER_OPENED + 1, set(NEVER_OPENED), null, null, null))
                .isInstanceOf(NetworkException.class);
    }

    /** Returns whether the network has no descriptors, after checking that it refuses them. */
    private static boolean refused(Lab lab) {
        return lab.refuses(Capability.DESCRIPTORS,
                () -> Select.on(lab.network()).select(1, set(0), null, null, Duration.ZERO));
    }

    private static FdSet set(int... fds) {
        FdSet set = new FdSet();
        for (int fd : fds) {
            set.set(fd);
        }
        return set;
    }
}
