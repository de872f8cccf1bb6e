package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Connection;
import io.trivet.server.SendResult;
import io.trivet.sim.ClientEnd;
import io.trivet.sim.Fault;
import io.trivet.sim.SimClient;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** One {@link RelayPlan} while it is performed: its clients, its relays, and how its connections have ended. */
final class RelayRun {
    private static final Set<Fault> CUTS = EnumSet.of(Fault.RESET, Fault.ACCEPT_ABORTED, Fault.WATCH_REFUSED, Fault.STALL,
            Fault.CLOG);

    /** A relay that was accepted. */
    static final class Relay {
        final Connection source;
        final Connection target;
        int calls;
        boolean failed;

        Relay(Connection source, Connection target) {
            this.source = source;
            this.target = target;
        }
    }

    final RelayPlan plan;
    final SimClient client;
    /** The other client of a pair. */
    final @Nullable SimClient partner;
    private final RunContext context;
    final List<Relay> relays = new ArrayList<>();
    /** The first connection of a pair, which waits for the second. */
    @Nullable Connection waiting;
    /** The first message of a client was received, and could not be relayed. */
    boolean refused;
    boolean partnerGone;
    /** The address of the connection to the other server; null before it is established. */
    @Nullable InetSocketAddress link;
    /** The connection to the other server has started. */
    boolean connects;
    boolean serverCloses;
    /** The number of bytes that the other server has sent. */
    int originSent;

    RelayRun(RunContext context, RelayPlan plan, SimClient client, @Nullable SimClient partner) {
        this.context = context;
        this.plan = plan;
        this.client = client;
        this.partner = partner;
    }

    /** Returns true if the connection with that address is one of this run's clients. */
    boolean has(InetSocketAddress remote) {
        return remote.equals(client.address()) || (partner != null && remote.equals(partner.address()));
    }

    /** Returns how many bytes the client has sent after its first message. A client that reads the end of its input closes. */
    int upSent() {
        return Math.min(plan.upBytes(), sent(client));
    }

    /** Returns how many bytes the other end has sent. */
    int downSent() {
        return partner == null ? originSent : sent(partner);
    }

    private static int sent(SimClient client) {
        return Math.max(0, client.sent().length - RelayFront.FIRST.length() - 1);
    }

    /**
     * Starts a relay. Returns false if it was not accepted.
     *
     * @param expectedBytes returns the number of bytes that the source has sent, once it has ended
     */
    boolean relay(Connection source, Connection target, long count, LongSupplier expectedBytes) {
        Relay relay = new Relay(source, target);
        SendResult result = source.relayTo(target, count, (given, bytes, failure) -> {
            context.progress++;
            relay.calls++;
            relay.failed = failure != null;
            context.tally.add(failure == null ? "relay COMPLETE" : "relay CUT", 1);
            if (context.timeline.isEnabled()) {
                context.timeline.log(this + ": the relay to " + given + " has ended after " + bytes + " bytes: " + failure);
            }
            if (relay.calls > 1) {
                fail(Rule.CALLBACKS, "the listener of a relay is called " + relay.calls + " times");
            }
            long expected = expectedBytes.getAsLong();
            if (failure == null && bytes != expected) {
                fail(Rule.BYTES, "a relay has ended without failure after " + bytes + " of " + expected + " bytes");
            }
            if (failure == null) {
                given.finishOutput();
            }
        });
        if (result != SendResult.QUEUED) {
            refused = true;
            return false;
        }
        context.tally.add("relay", plan.mode());
        relays.add(relay);
        return true;
    }

    /** Called when a connection of the relay server is closed. */
    void closed(Connection connection, CloseReason reason) {
        context.progress++;
        serverCloses |= reason == CloseReason.SERVER_CLOSED;
        if (context.timeline.isEnabled()) {
            context.timeline.log(this + ": " + connection + " is closed: " + reason);
        }
        boolean orderly = CloseReasonChecker.isOrderly(reason);
        for (Relay relay : relays) {
            if (relay.target.equals(connection) && relay.calls != 1) {
                fail(Rule.CALLBACKS, "onClose of the target of a relay is called, but its listener was called " + relay.calls
                        + " times");
            }
            boolean takesPart = relay.source.equals(connection) || relay.target.equals(connection);
            if (takesPart && relay.failed && orderly) {
                fail(Rule.ENDS, "a relay was cut, but one of its connections reports " + reason);
            }
        }
        if (reason == CloseReason.TRANSFER_FAILED) {
            context.tally.add("relay TRANSFER_FAILED", 1);
        }
        if (!orderly && !mayBeCut()) {
            fail(Rule.ENDS, "a connection was closed: " + reason + ", which nothing explains");
        }
    }

    /** Returns true if the client may have ended its output. */
    boolean hasClientEnded() {
        return client.end() == ClientEnd.ENDED
                || (plan.end() != ConversationEnd.RESET && (client.isDone() || client.end() == ClientEnd.CLOSED));
    }

    /** Returns true if something has happened that cuts a relay. */
    boolean mayBeCut() {
        boolean faulty = isCut(client.address()) || (partner != null && isCut(partner.address())) || isLinkCut();
        boolean closedEarly = plan.mode() == RelayMode.COUNTED && client.end() == ClientEnd.ENDED && upSent() < plan.upBytes();
        return faulty || closedEarly || plan.originResetsAfter() >= 0 || plan.end() != ConversationEnd.HALF_CLOSE || serverCloses
                || refused
                || context.hasFired(Fault.CLOCK_JUMP);
    }

    private boolean isLinkCut() {
        if (link != null) {
            return isCut(link);
        }
        return connects && !context.network.faultCounts().isEmpty();
    }

    private boolean isCut(@Nullable InetSocketAddress address) {
        return address != null && context.network.faultsOf(address).stream().anyMatch(CUTS::contains);
    }

    void fail(Rule rule, String what) {
        context.failures.report(rule, this + ": " + what);
    }

    @Override
    public String toString() {
        return "relay of client " + plan.number();
    }
}
