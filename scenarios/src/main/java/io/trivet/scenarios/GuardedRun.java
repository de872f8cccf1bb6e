package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.ClientOracle;
import io.trivet.sim.Fault;
import io.trivet.sim.SimClient;
import java.io.ByteArrayOutputStream;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One client of a {@link GuardedServer}, with the checks of its connection. */
final class GuardedRun {
    private static final Set<Fault> CUTS = EnumSet.of(Fault.RESET, Fault.ACCEPT_ABORTED, Fault.WATCH_REFUSED);
    private static final long HEADER_NANOS = 5_000_000_000L;
    private static final Duration STAY = Duration.ofMillis(50);
    private static final byte[] SIGNATURE = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

    final GuardedPlan plan;
    final SimClient client;
    private final RunContext context;
    private final GuardedServer server;
    private final long startedNanos;
    private boolean opened;
    private @Nullable CloseReason reason;

    GuardedRun(RunContext context, GuardedServer server, GuardedPlan plan, SimClient client) {
        this.context = context;
        this.server = server;
        this.plan = plan;
        this.client = client;
        startedNanos = context.now();
    }

    // ---- the client

    /** Starts to send what is planned. */
    void send(InetSocketAddress to) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] header = header(to);
        boolean incomplete = plan.header() == GuardedPlan.Header.INCOMPLETE;
        all.writeBytes(incomplete ? Arrays.copyOf(header, plan.cut() * header.length / 1000) : header);
        for (int i = 0; i < plan.lines() && !incomplete; i++) {
            all.writeBytes(MessageContent.ascii(line(i) + "\n"));
        }
        boolean breaksOff = plan.ending() == GuardedPlan.Ending.BREAKS_OFF;
        if (breaksOff && !incomplete) {
            all.writeBytes(MessageContent.ascii(line(plan.lines())));
        }
        if (plan.inPieces()) {
            client.sendInPieces(all.toByteArray());
        } else {
            client.send(all.toByteArray());
        }
        if (!incomplete) {
            switch (plan.ending()) {
                case FINISHES -> client.endOutput();
                case STAYS -> client.pause(STAY).endOutput();
                case RESETS -> client.reset();
                case BREAKS_OFF -> {
                    // The server waits for the rest of the line.
                }
            }
        }
    }

    private String line(int number) {
        return "line " + number + " of client " + plan.number();
    }

    private byte[] header(InetSocketAddress to) {
        InetSocketAddress from = server.claim(plan);
        return switch (plan.header()) {
            case NONE -> new byte[0];
            case V1 -> MessageContent.ascii(v1(from, to) + "\r\n");
            case UNKNOWN -> MessageContent.ascii("PROXY UNKNOWN\r\n");
            case V2, INCOMPLETE -> v2(from, to);
            case LOCAL -> ByteBuffer.allocate(16).put(SIGNATURE).putInt(0x20_00_00_00).array();
        };
    }

    private static boolean isIpv6(InetSocketAddress from, InetSocketAddress to) {
        return from.getAddress() instanceof Inet6Address || to.getAddress() instanceof Inet6Address;
    }

    private static String v1(InetSocketAddress from, InetSocketAddress to) {
        boolean six = isIpv6(from, to);
        return "PROXY " + (six ? "TCP6 " : "TCP4 ") + text(from.getAddress(), six) + " " + text(to.getAddress(), six) + " "
                + from.getPort() + " " + to.getPort();
    }

    private static String text(InetAddress address, boolean six) {
        return six && !(address instanceof Inet6Address) ? "::ffff:" + address.getHostAddress() : address.getHostAddress();
    }

    private static byte[] v2(InetSocketAddress from, InetSocketAddress to) {
        boolean six = isIpv6(from, to);
        int length = six ? 36 : 12;
        ByteBuffer bytes = ByteBuffer.allocate(16 + length).put(SIGNATURE).put((byte) 0x21).put((byte) (six ? 0x21 : 0x11))
                .putShort((short) length);
        for (InetSocketAddress each : new InetSocketAddress[]{from, to}) {
            byte[] ip = each.getAddress().getAddress();
            if (six && ip.length == 4) {
                bytes.putLong(0).putShort((short) 0).putShort((short) 0xffff); // IPv4-mapped
            }
            bytes.put(ip);
        }
        return bytes.putShort((short) from.getPort()).putShort((short) to.getPort()).array();
    }

    // ---- the callbacks

    void open(Connection connection) {
        context.progress++;
        log("onOpen");
        if (opened || reason != null) {
            fail(Rule.CALLBACKS, "onOpen is called " + (opened ? "twice" : "after onClose"));
        }
        opened = true;
        if (server.isDenied(plan)) {
            fail(Rule.CAPS, "a client is served that the access list denies");
        }
        if (!plan.isValid()) {
            fail(Rule.CALLBACKS, "onOpen is called without a header of the proxy");
        }
        if (!connection.remoteAddress().equals(remote())) {
            fail(Rule.GAUGES, "the connection reports " + connection.remoteAddress() + " instead of " + remote());
        }
    }

    private InetSocketAddress remote() {
        return plan.hasClaim() ? server.claim(plan) : Objects.requireNonNull(client.address());
    }

    void closed(CloseReason why) {
        context.progress++;
        log("onClose: " + why);
        if (reason != null) {
            fail(Rule.CALLBACKS, "onClose is called twice");
        }
        reason = why;
        context.tally.add("guarded-reason", why);
        boolean explained = switch (why) {
            case PEER_FINISHED, FINISHED -> opened;
            case ADDRESS_DENIED -> !opened && server.isDenied(plan);
            case TOO_MANY_FROM_ADDRESS -> !opened && server.mayBeTooMany(plan);
            case PROTOCOL_ERROR -> !opened && plan.isProxy() && (!plan.isValid() || isLate());
            case RESET -> isAffected() || plan.ending() == GuardedPlan.Ending.RESETS;
            case FAILED -> client.faults().contains(Fault.WATCH_REFUSED);
            case MESSAGE_TIMEOUT -> isLate() || plan.ending() == GuardedPlan.Ending.BREAKS_OFF;
            case FIRST_MESSAGE_TIMEOUT, WRITE_TIMEOUT -> isLate();
            default -> false;
        };
        if (!explained) {
            fail(Rule.ENDS, "the connection was closed: " + why + ", which nothing explains");
        }
        long waited = context.now() - startedNanos;
        if (why == CloseReason.PROTOCOL_ERROR && plan.header() == GuardedPlan.Header.INCOMPLETE && waited < HEADER_NANOS
                && !context.hasFired(Fault.CLOCK_JUMP)) {
            fail(Rule.DEADLINES, "a proxy was given only " + ReportText.duration(waited) + " for its header");
        }
    }

    // ---- the end

    /** Checks what the client has seen. Called at the end of a run. */
    void check() {
        boolean tooMany = server.mayBeTooMany(plan);
        if (server.isDenied(plan) || !plan.isValid()) {
            checkRefused();
            return;
        }
        List<String> expected = new ArrayList<>();
        if (!plan.isProxy() && plan.header() == GuardedPlan.Header.V1) { // ordinary input of a client that is no proxy
            expected.add(v1(server.claim(plan), server.address()) + suffix());
        }
        for (int i = 0; i < plan.lines(); i++) {
            expected.add(line(i) + suffix());
        }
        ClientOracle oracle = ClientOracle.expecting(expected);
        try {
            (tooMany ? oracle.mayRefuse().mayReset() : oracle).check(client);
        } catch (AssertionError e) {
            fail(Rule.DELIVERY, String.valueOf(e.getMessage()));
        }
        if (tooMany) {
            context.tally.add(opened ? "guarded ADMITTED" : "guarded TOO_MANY", 1);
        }
    }

    private String suffix() {
        return client.address() == null ? "\n" : GuardedServer.suffix(remote()) + "\n";
    }

    private void checkRefused() {
        if (client.received().length > 0) {
            fail(Rule.CAPS, "a client that must be refused has received " + client.receivedText());
        }
        if (server.isDenied(plan)) {
            context.tally.add("guarded DENIED", 1);
            if (client.end() == ClientEnd.ENDED && !isLate() && !client.faults().contains(Fault.WATCH_REFUSED)) {
                fail(Rule.ENDS, "a client that is denied reads the end of its input, and not a reset");
            }
        }
    }

    private boolean isAffected() {
        return client.faults().stream().anyMatch(CUTS::contains);
    }

    private boolean isLate() {
        return client.faults().contains(Fault.STALL) || client.faults().contains(Fault.CLOG)
                || context.hasFired(Fault.CLOCK_JUMP);
    }

    void fail(Rule rule, String what) {
        context.failures.report(rule, this + ": " + what);
    }

    private void log(String event) {
        if (context.timeline.isEnabled()) {
            context.timeline.log(this + ": " + event);
        }
    }

    @Override
    public String toString() {
        return "the guarded connection of client " + plan.number();
    }
}
