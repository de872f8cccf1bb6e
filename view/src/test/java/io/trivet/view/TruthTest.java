package io.trivet.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.trivet.net.Addresses;
import io.trivet.net.Network;
import io.trivet.observe.ConnectionSnapshot;
import io.trivet.observe.ConnectionState;
import io.trivet.observe.ListenerSnapshot;
import io.trivet.observe.ReadState;
import io.trivet.server.Framing;
import io.trivet.server.Limits;
import io.trivet.server.Server;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * What the view says is true. Under load, the loops are made to stand still at random moments. Then /api/state must agree with the server's
 * own snapshot, with what the epoll descriptors have registered (/proc/self/fdinfo), and with the kernel's sockets (ss).
 *
 * <p>{@code -Dtrivet.view.moments=1000} checks more moments than the usual ones, {@code -Dtrivet.view.seed} repeats a seed.
 */
@EnabledOnOs(OS.LINUX)
final class TruthTest {
    private static final int MOMENTS = Integer.getInteger("trivet.view.moments", 12);
    private static final long SEED = Long.getLong("trivet.view.seed", System.nanoTime());
    private static final int CLIENTS = 36;
    private static final int EPOLLIN = 1;
    private static final int EPOLLPRI = 2;
    private static final int EPOLLOUT = 4;
    /** The reasons for reading, and for the list of readable sockets. */
    private static final Set<ReadState> READS = EnumSet.of(ReadState.READING, ReadState.RELAYING, ReadState.READING_TO_END,
            ReadState.HANDSHAKING, ReadState.AWAITING_PROXY_HEADER);

    private final Map<String, Integer> seen = new TreeMap<>();
    private Server server;
    private View view;
    private TruthLoad load;

    @BeforeEach
    void start() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/ss")) || Files.isExecutable(Path.of("/bin/ss")),
                "ss is not installed: apt-get install iproute2");
        System.out.println("seed of the moments: " + SEED);
        server = Server.builder().network(Network.named("epoll"))
                .listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).framing(Framing.lines()).loops(2).urgent(true)
                .limits(Limits.defaults().withQueueBytesMax(1 << 20).withMessageBytesMax(256 << 10)
                        .withQueueMarks(128 << 10, 32 << 10))
                .onMessage((connection, message) -> {
                    boolean isLast = message.hasRemaining() && message.get(message.position()) == 'q';
                    connection.send(message);
                    if (isLast) {
                        connection.finish();
                    }
                }).start();
        view = View.of(server).allowControl(true).start();
        load = new TruthLoad(server.address(), SEED, CLIENTS);
    }

    @AfterEach
    void close() {
        if (load != null) {
            load.close();
            view.close();
            server.close();
        }
    }

    @Test
    void stateAgreesWithTheKernelAtRandomMoments() throws Exception {
        Random random = new Random(SEED);
        try (ViewTest.Events events = new ViewTest.Events(view)) {
            Thread.ofVirtual().start(() -> readAll(events)); // a page that watches keeps the pause
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> server.connections().stream().anyMatch(now -> now.readState() == ReadState.PAUSED_BY_QUEUE));
            for (int moment = 0; moment < MOMENTS; moment++) {
                LockSupport.parkNanos(random.nextInt(40_000_000));
                assertThat(RawHttp.post(view, "/api/pause").status()).isEqualTo(204);
                await().pollInterval(Duration.ofMillis(5)).until(this::isStanding);
                check(moment);
                assertThat(RawHttp.post(view, "/api/resume").status()).isEqualTo(204);
            }
        }
        System.out.println(MOMENTS + " moments: " + seen);
        assertThat(seen).containsKeys("in rlist", "in wlist", "in xlist", "READING", "PAUSED_BY_QUEUE");
    }

    private static void readAll(ViewTest.Events events) {
        try {
            while (true) {
                events.nextText();
            }
        } catch (java.io.IOException e) {
            // The test is over.
        }
    }

    private JsonObject json(String path) throws java.io.IOException {
        RawHttp.Answer answer = RawHttp.get(view, path);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return JsonParser.parseString(answer.body()).getAsJsonObject();
    }

    private boolean isStanding() throws java.io.IOException {
        for (JsonElement loop : json("/api/tick").getAsJsonArray("loops")) {
            if (!loop.getAsJsonObject().get("standing").getAsBoolean()) {
                return false;
            }
        }
        return true;
    }

    private void check(int moment) throws Exception {
        long since = System.currentTimeMillis();
        JsonObject state = json("/api/state");
        while (state.get("time").getAsLong() <= since) { // a sample of before the pause
            LockSupport.parkNanos(10_000_000);
            state = json("/api/state");
        }
        Map<String, ConnectionSnapshot> snapshots = new LinkedHashMap<>();
        server.connections().forEach(now -> snapshots.put(Long.toHexString(now.id()), now));
        String where = "seed " + SEED + ", moment " + moment;
        assertThat(state.getAsJsonArray("clients")).as(where).hasSize(snapshots.size());
        Map<String, KernelSocket> kernel = KernelSocket.ofServer(server.address().getPort());
        Map<Integer, Integer> registered = KernelSocket.registeredWithEpoll();
        checkKernelKnowsNoOther(where, snapshots, kernel, registered);
        Map<String, ConnectionSnapshot> counted = new LinkedHashMap<>();
        for (JsonElement element : state.getAsJsonArray("clients")) {
            JsonObject shown = element.getAsJsonObject();
            ConnectionSnapshot now = snapshots.get(shown.get("id").getAsString());
            String what = where + ": " + shown + " and " + now;
            assertThat(now).as(what).isNotNull();
            checkSnapshot(what, shown, now);
            checkReason(what, now);
            KernelSocket socket = kernel.get(shown.get("address").getAsString());
            if (socket == null) { // it was reset: the loop has yet to see it
                count("reset in the kernel");
                continue;
            }
            if (socket.state().equals("TIME-WAIT")) { // both ends have finished, and the kernel has forgotten the descriptor
                count("kernel TIME-WAIT");
                assertThat(now.state()).as(what).isEqualTo(ConnectionState.LINGERING);
                continue;
            }
            if (socket.descriptor() < 0) { // a client that waits to be accepted
                count("reset in the kernel, and its port is used again");
                continue;
            }
            checkRegistration(what + " and " + socket, now, registered.get(socket.descriptor()));
            checkKernelState(what + " and " + socket, now, socket);
            counted.put(shown.get("address").getAsString(), now);
        }
        checkBytes(where, counted);
        JsonObject lists = state.getAsJsonObject("lists");
        long accepting = server.listeners().stream().filter(each -> each.state() == ListenerSnapshot.State.ACCEPTING).count();
        assertThat(count(lists, "readable")).as(where)
                .isEqualTo(accepting + snapshots.values().stream().filter(ConnectionSnapshot::readable).count());
        assertThat(count(lists, "writable")).as(where)
                .isEqualTo(snapshots.values().stream().filter(ConnectionSnapshot::writable).count());
        assertThat(count(lists, "exceptional")).as(where)
                .isEqualTo(snapshots.values().stream().filter(ConnectionSnapshot::exceptional).count());
    }

    private static long count(JsonObject lists, String name) {
        return lists.getAsJsonObject(name).get("count").getAsLong();
    }

    private void count(String what) {
        seen.merge(what, 1, Integer::sum);
    }

    /** Each socket that a loop watches is shown. One that was accepted and is on its way to another loop, which stands still, is not. */
    private void checkKernelKnowsNoOther(String where, Map<String, ConnectionSnapshot> snapshots,
            Map<String, KernelSocket> kernel, Map<Integer, Integer> registered) {
        Set<String> shown = new java.util.HashSet<>();
        snapshots.values().stream().filter(now -> now.remoteAddress() != null)
                .forEach(now -> shown.add(Addresses.toString(now.remoteAddress())));
        kernel.forEach((address, socket) -> {
            if (registered.containsKey(socket.descriptor())) {
                assertThat(shown).as(where + ": " + socket).contains(address);
            } else if (!shown.contains(address)) {
                count("not opened yet");
            }
        });
    }

    private void checkSnapshot(String what, JsonObject shown, ConnectionSnapshot now) {
        assertThat(shown.get("address").getAsString()).as(what).isEqualTo(Addresses.toString(now.remoteAddress()));
        assertThat(shown.get("loop").getAsInt()).as(what).isEqualTo(now.loop());
        assertThat(shown.get("state").getAsString()).as(what).isEqualTo(now.state().name());
        assertThat(shown.get("readable").getAsBoolean()).as(what).isEqualTo(now.readable());
        assertThat(shown.get("writable").getAsBoolean()).as(what).isEqualTo(now.writable());
        assertThat(shown.get("exceptional").getAsBoolean()).as(what).isEqualTo(now.exceptional());
        assertThat(shown.get("readState").getAsString()).as(what).isEqualTo(now.readState().name());
        assertThat(shown.get("reason").getAsString()).as(what).isEqualTo(now.interestReason());
        assertThat(shown.get("queueBytes").getAsLong()).as(what).isEqualTo(now.queueBytes());
        assertThat(shown.get("queueMessages").getAsInt()).as(what).isEqualTo(now.queueMessages());
        assertThat(shown.get("timesFull").getAsInt()).as(what).isEqualTo(now.timesFull());
        assertThat(shown.get("bytesIn").getAsLong()).as(what).isEqualTo(now.bytesIn());
        assertThat(shown.get("bytesOut").getAsLong()).as(what).isEqualTo(now.bytesOut());
        assertThat(shown.get("oldestAge").getAsDouble()).as(what).isLessThanOrEqualTo(now.oldestAge().toNanos() / 1e9 + 1e-6);
        assertThat(shown.get("sinceProgress").getAsDouble()).as(what)
                .isLessThanOrEqualTo(now.sinceProgress().toNanos() / 1e9 + 1e-6);
        assertThat(shown.get("idle").getAsDouble()).as(what).isLessThanOrEqualTo(now.sinceActivity().toNanos() / 1e9 + 1e-6);
        count(now.state().name());
        count(now.readState().name());
    }

    /** The reason that is given agrees with the lists that the socket is in. */
    private static void checkReason(String what, ConnectionSnapshot now) {
        assertThat(now.readable()).as(what).isEqualTo(READS.contains(now.readState()));
        if (now.writable()) { // the sentence of the page: so many bytes wait, and the socket was full
            assertThat(now.queueBytes()).as(what).isPositive();
            assertThat(now.interestReason()).as(what).contains("its socket was full");
        }
        if (now.queueBytes() > 0) { // nothing waits in a queue without a reason
            assertThat(now.writable()).as(what).isTrue();
            assertThat(now.timesFull()).as(what).isPositive();
        }
        if (now.readState() == ReadState.PAUSED_BY_QUEUE) {
            assertThat(now.queueBytes()).as(what).isGreaterThan(32 << 10);
        }
    }

    private void checkRegistration(String what, ConnectionSnapshot now, Integer events) {
        int mask = events == null ? 0 : events;
        assertThat((mask & EPOLLIN) != 0).as(what + ", registered " + Integer.toHexString(mask)).isEqualTo(now.readable());
        assertThat((mask & EPOLLOUT) != 0).as(what + ", registered " + Integer.toHexString(mask)).isEqualTo(now.writable());
        assertThat((mask & EPOLLPRI) != 0).as(what + ", registered " + Integer.toHexString(mask)).isEqualTo(now.exceptional());
        count(now.readable() ? "in rlist" : "not in rlist");
        count(now.writable() ? "in wlist" : "not in wlist");
        count(now.exceptional() ? "in xlist" : "not in xlist");
    }

    /** The kernel may be ahead of the loop, which stands still, but not behind it. */
    private void checkKernelState(String what, ConnectionSnapshot now, KernelSocket socket) {
        count("kernel " + socket.state());
        List<String> expected = switch (now.state()) {
            case CONNECTING, OPEN -> List.of("ESTAB", "CLOSE-WAIT");
            case INPUT_ENDED -> List.of("CLOSE-WAIT");
            case DRAINING -> List.of("ESTAB", "CLOSE-WAIT", "FIN-WAIT-1", "FIN-WAIT-2", "LAST-ACK", "CLOSING");
            case LINGERING, CLOSED -> List.of("FIN-WAIT-1", "FIN-WAIT-2", "LAST-ACK", "CLOSING");
        };
        assertThat(expected).as(what).contains(socket.state());
    }

    /**
     * The bytes that the view counts are those that the kernel has passed on. The peer goes on meanwhile, so its numbers are asked for until
     * two that were taken at different instants fit together.
     */
    private void checkBytes(String where, Map<String, ConnectionSnapshot> counted) throws Exception {
        Map<String, KernelSocket> kernel = Map.of();
        for (int attempt = 0; attempt < 50 && !counted.isEmpty(); attempt++) {
            Map<String, KernelSocket> sockets = KernelSocket.ofServer(server.address().getPort());
            kernel = sockets;
            counted.entrySet().removeIf(entry -> isRight(sockets.get(entry.getKey()), entry.getValue()));
        }
        assertThat(counted).as(where + ": " + counted.keySet().stream().map(kernel::get).toList()).isEmpty();
    }

    private boolean isRight(KernelSocket socket, ConnectionSnapshot now) {
        if (socket == null || socket.descriptor() < 0) {
            count("ended meanwhile");
            return true;
        }
        boolean agrees = socket.agreesWith(now.bytesIn(), now.bytesOut());
        if (agrees) {
            count("bytes agree");
        }
        return agrees;
    }
}
