package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.contract.Case;
import io.trivet.contract.Descriptors;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import io.trivet.contract.Tools;
import io.trivet.select.Select;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Descriptors of the process: not inherited, not leaked, and the behaviour when none are left. */
final class DescriptorsTest {
    /** Enough for a JVM, but quickly used up. */
    private static final int LIMIT = 100;

    @EveryEngine
    @Case("51")
    @NotSimulated(NotSimulated.MACHINE)
    void everythingIsCloseOnExec(Lab lab) throws IOException {
        Map<Integer, String> before = Descriptors.kernelObjects();
        Pair pair = lab.pair(lab.listener());
        lab.udp();
        lab.pipe();
        Poller poller = lab.poller();
        poller.register(pair.client(), Interest.READ, 1);
        poller.poll(new ReadyEvents(1), 1);
        Select.on(lab.network()).select(List.of(pair.client()), List.of(), List.of(), Duration.ofNanos(1));

        List<String> inherited = new ArrayList<>();
        Map<Integer, String> opened = Descriptors.kernelObjects();
        before.forEach(opened::remove);
        assertThat(opened).hasSizeGreaterThanOrEqualTo(6);
        for (int number : opened.keySet()) {
            if (!Descriptors.isCloseOnExec(number)) {
                inherited.add(opened.get(number));
            }
        }
        if (lab.engine().equals("nio") && !inherited.isEmpty()) {
            lab.cannot("the JDK does not set close-on-exec; the processes that it starts close everything themselves");
            return;
        }
        assertThat(inherited).isEmpty();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void standardInputIsDescriptorZero() throws IOException {
        try (Descriptor input = Descriptor.standardInput()) {
            assertThat(input.fd()).isZero();
        }
    }

    @EveryEngine
    @Case("J7")
    void noDescriptorIsLeaked(Lab lab) throws IOException {
        useEverything(lab.network()); // descriptors that are opened once per process are open from now on
        int before = Descriptors.kernelObjects().size();
        for (int i = 0; i < 20; i++) {
            useEverything(lab.network());
        }
        int after = Descriptors.kernelObjects().size();
        assertThat(after).isLessThanOrEqualTo(before);
    }

    @EveryEngine
    @Case("L2")
    @NotSimulated(NotSimulated.MACHINE)
    void processRecoversFromRunningOutOfDescriptors(Lab lab) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Tools.require("sh"), "-c", "ulimit -n " + LIMIT + " && exec \"$@\"", "sh"));
        List<String> java = Tools.java(OutOfDescriptors.class, lab.engine());
        java.add(1, "-Djdk.virtualThreadScheduler.parallelism=20"); // without a descriptor, virtual threads hold their carriers
        command.addAll(java);
        Tools.Peer process = lab.keep(Tools.start(command.toArray(String[]::new)));
        String waits = lab.engine().equals("nio") ? "waits: {EMFILE=20}" : "waits: {interrupted=10, ready=10}";
        assertThat(process.finish()).containsExactly("accept: EMFILE", "connect: EMFILE", "udp: EMFILE", "pipe: EMFILE",
                "poller: refused or not needed", waits, "virtual " + waits, "listener: r--", "old connection: alive",
                "accept again: connected");
    }

    private static void useEverything(Network network) throws IOException {
        try (TcpListener listener = network.listen(Lab.FREE_PORT, 4);
                TcpStream client = network.connect(listener.localAddress());
                UdpSocket udp = network.udp(Lab.FREE_PORT);
                Pipe pipe = network.pipe();
                Poller poller = network.poller()) {
            List<TcpListener> listening = List.of(listener);
            assertThat(Select.on(network).select(listening, List.of(), List.of(), Lab.PATIENCE).readable()).isEqualTo(listening);
            try (TcpStream server = listener.accept()) {
                poller.register(server, Interest.READ, 1);
                poller.register(udp, Interest.WRITE, 2);
                poller.register(pipe.source(), Interest.READ, 3);
                assertThat(client.isOpen()).isTrue();
                assertThat(poller.poll(new ReadyEvents(4), -1)).isEqualTo(1);
                poller.deregister(server);
                poller.deregister(udp);
                poller.deregister(pipe.source());
            }
            fails(() -> network.listen(listener.localAddress(), 1));
            fails(() -> network.udp(udp.localAddress()));
            fails(() -> network.connect(java.net.InetSocketAddress.createUnresolved("no-such-host.invalid", 1)));
        }
    }

    private interface Opening {
        AutoCloseable open() throws IOException;
    }

    private static void fails(Opening opening) {
        org.assertj.core.api.Assertions.assertThatThrownBy(opening::open).isInstanceOf(IOException.class);
    }
}
