package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trivet.contract.Case;
import io.trivet.contract.EveryEngine;
import io.trivet.contract.Lab;
import io.trivet.contract.NotSimulated;
import io.trivet.contract.Pair;
import io.trivet.contract.Tools;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Peers that are programs in other languages, and a connection that the machine kills. */
final class ForeignPeersTest {
    @EveryEngine
    @Case({"U9", "115"})
    @NotSimulated(NotSimulated.MACHINE)
    void urgentByteOfACProgram(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        if (refuses(lab, listener)) {
            return;
        }
        assertUrgentByteArrives(lab, listener, Tools.c("urgent.c", port(listener), "!?"));
    }

    @EveryEngine
    @Case({"U10", "115"})
    @NotSimulated(NotSimulated.MACHINE)
    void urgentByteOfAPythonProgram(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        if (refuses(lab, listener)) {
            return;
        }
        assertUrgentByteArrives(lab, listener, Tools.python("urgent.py", port(listener), "!?"));
    }

    @EveryEngine
    @Case("U4")
    @NotSimulated(NotSimulated.MACHINE)
    void onlyTheLastByteOfAnUrgentSendIsUrgent(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        if (refuses(lab, listener)) {
            return;
        }
        lab.keep(Tools.c("urgent.c", port(listener), "!xyz"));
        TcpStream server = lab.accept(listener);
        lab.awaitLists(server, "rwx");

        assertThat(server.receiveUrgent()).isEqualTo('z');
        assertThat(lab.receive(server, 2)).isEqualTo("xy");
        assertThat(Lab.read(server)).isEmpty();
    }

    @EveryEngine
    @Case({"U2", "U9"})
    @NotSimulated(NotSimulated.MACHINE)
    void urgentByteOfACProgramBetweenOrdinaryOnes(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        if (refuses(lab, listener)) {
            return;
        }
        Tools.Peer peer = lab.keep(Tools.c("urgent.c", port(listener), "abc", "!!", "def"));
        TcpStream server = lab.accept(listener);
        lab.eventually("the byte is there", () -> server.receiveUrgent() == '!');
        assertThat(lab.receive(server, 6)).isEqualTo("abcdef");
        lab.send(server, "thanks");
        server.close();
        assertThat(peer.finish()).containsExactly("thanks");
    }

    @EveryEngine
    @Case("U9")
    @NotSimulated(NotSimulated.MACHINE)
    void urgentByteSentToACProgram(Lab lab) throws Exception {
        TcpListener listener = lab.listener();
        if (refuses(lab, listener)) {
            return;
        }
        Tools.Peer peer = lab.keep(Tools.c("receive_urgent.c", port(listener)));
        TcpStream server = lab.accept(listener);
        lab.send(server, "ordinary");
        assertThat(server.sendUrgent((byte) '!')).isTrue();
        assertThat(peer.finish()).containsExactly("urgent !");
    }

    @EveryEngine
    @Case("L6")
    @NotSimulated(NotSimulated.MACHINE)
    void connectionKilledByTheMachineFailsAtBothEnds(Lab lab) throws Exception {
        String ss = Tools.require("ss");
        assumeTrue(isRoot(), "killing a connection needs root");
        TcpListener listener = lab.listener();
        Pair pair = lab.pair(listener);
        Tools.Peer killer = lab.keep(Tools.start(ss, "--kill", "--tcp", "--no-header", "--numeric", "dst", "127.0.0.1",
                "dport", "=", ":" + listener.localAddress().getPort()));
        List<String> killed = killer.finish();
        assumeTrue(!killed.isEmpty(), "this kernel does not let ss kill connections (CONFIG_INET_DIAG_DESTROY)");

        lab.awaitLists(pair.client(), "rw-");
        TcpReadinessTest.assertFailsEventually(lab, ErrorCode.ECONNABORTED, () -> Lab.read(pair.client()));
        lab.awaitLists(pair.server(), "rw-");
        TcpReadinessTest.assertFailsEventually(lab, ErrorCode.ECONNRESET, () -> Lab.read(pair.server()));
        assertThat(Lab.read(pair.client())).isNull();
        assertThat(Lab.read(pair.server())).isNull();
    }

    private static void assertUrgentByteArrives(Lab lab, TcpListener listener, Tools.Peer peer) throws Exception {
        lab.keep(peer);
        TcpStream server = lab.accept(listener);
        List<TcpStream> streams = List.of(server);
        Ready<TcpStream> ready = Select.on(lab.network()).select(streams, List.of(), streams, Lab.PATIENCE);

        assertThat(ready.exceptional()).containsExactly(server);
        assertThat(ready.readable()).isEmpty();
        assertThat(server.receiveUrgent()).isEqualTo('?');
        assertThat(server.read(ByteBuffer.allocate(8))).as("nothing ordinary was sent").isZero();
        lab.send(server, "bye");
        server.close();
        assertThat(peer.finish()).containsExactly("bye");
    }

    private static boolean refuses(Lab lab, TcpListener listener) throws IOException {
        return lab.refuses(Capability.URGENT_DATA, () -> lab.pair(listener).server().receiveUrgent());
    }

    private static String port(TcpListener listener) throws IOException {
        return Integer.toString(listener.localAddress().getPort());
    }

    private static boolean isRoot() throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status)
                && Files.readAllLines(status).stream().anyMatch(line -> line.matches("Uid:\\s+\\d+\\s+0\\s.*"));
    }
}
