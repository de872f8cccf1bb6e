package io.trivet.scenarios;

import io.trivet.observe.CloseReason;
import io.trivet.server.Limits;
import io.trivet.server.Overflow;
import io.trivet.sim.Fault;
import io.trivet.sim.FaultPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Aims some scenarios at a rare combination of a reason for the end of connections and a fault. Such a scenario is generated like any
 * other, and gets the parts that the combination needs: the fault, limits, clients and requests. Which reasons are rare is known from
 * the table of {@code trivet sim}, whose last lines count the combinations.
 */
final class Steering {
    private static final long MILLI = 1_000_000;
    private static final int PERCENT = 25;
    private static final int OUTGOING_PERCENT = 30;
    private static final int OUTGOING_PERCENT_AIMED = 80;
    private static final double WATCH_REFUSED_OFTEN = 0.02;
    /** The percentage of the other scenarios whose pollers often refuse to watch a socket, and some of which limit addresses. */
    private static final int REFUSALS_PERCENT = 8;
    private static final double CONNECT_IGNORED_OFTEN = 0.1;
    /** The reasons for which less than one connection in fifty ends without steering, some of them twice: the rarest. */
    private static final CloseReason[] RARE = {CloseReason.CONNECT_TIMEOUT, CloseReason.CONNECT_TIMEOUT,
        CloseReason.TRANSFER_FAILED, CloseReason.TRANSFER_FAILED, CloseReason.FAILED, CloseReason.DRAINED,
        CloseReason.WRITE_TIMEOUT, CloseReason.FIRST_MESSAGE_TIMEOUT, CloseReason.SERVER_CLOSED, CloseReason.MESSAGE_TIMEOUT,
        CloseReason.PROTOCOL_ERROR, CloseReason.PROTOCOL_ERROR};

    private record Combination(CloseReason reason, Fault fault) {}

    private final SeededRandom random;
    /** Null for most scenarios. */
    private final @Nullable Combination aim;
    private final boolean refusesOften;

    /** Draws whether a scenario has an aim, from a separate random sequence. */
    Steering(long seed) {
        random = new SeededRandom(seed ^ 0x737465657200L); // "steer" in ASCII
        aim = random.chance(PERCENT) ? new Combination(random.pick(RARE), random.pick(Fault.values())) : null;
        refusesOften = aim == null && random.chance(REFUSALS_PERCENT);
    }

    private boolean aimsAt(CloseReason... reasons) {
        return aim != null && List.of(reasons).contains(aim.reason());
    }

    /** Replaces most kinds of clients that were drawn by those that it needs. */
    void chooseClients(Set<ClientKind> kinds) {
        if (aim == null) {
            return;
        }
        kinds.retainAll(EnumSet.of(ClientKind.STEADY, ClientKind.CHATTY));
        switch (aim.reason()) {
            case WRITE_TIMEOUT, QUEUE_FULL, BUDGET_EXCEEDED -> kinds.addAll(List.of(ClientKind.NEVER_READS, ClientKind.FLOODER));
            case MESSAGE_TIMEOUT -> kinds.add(ClientKind.SLOWLORIS);
            case FIRST_MESSAGE_TIMEOUT, IDLE_TIMEOUT -> kinds.add(ClientKind.SILENT);
            case MESSAGE_TOO_LONG, PROTOCOL_ERROR -> kinds.add(ClientKind.OVERSIZED_SENDER);
            case RESET -> kinds.add(ClientKind.RESETTER);
            case PEER_FINISHED -> kinds.add(ClientKind.HALF_CLOSER);
            case FINISHED, CLOSED, DRAINED, SERVER_CLOSED, FAILED, CONNECT_FAILED, CONNECT_TIMEOUT, HANDLER_FAILED,
                    TRANSFER_FAILED, TOO_MANY_FROM_ADDRESS, ADDRESS_DENIED, SPINNING, HANDSHAKE_FAILED, HANDSHAKE_TIMEOUT,
                    TRUNCATED -> {
                // Any client may end so.
            }
        }
    }

    /** Adds the requests that it needs to those drawn. Those that end connections give way to it. */
    void chooseRequests(Set<RequestKind> kinds) {
        if (aim == null) {
            return;
        }
        kinds.removeAll(EnumSet.of(RequestKind.CLOSE, RequestKind.THROW, RequestKind.THROW_IN_TIMER, RequestKind.FINISH,
                RequestKind.FINISH_OUTPUT, RequestKind.RESET));
        switch (aim.reason()) {
            case WRITE_TIMEOUT, QUEUE_FULL, BUDGET_EXCEEDED -> kinds.addAll(List.of(RequestKind.PUMP, RequestKind.FILL_QUEUE));
            case HANDLER_FAILED -> kinds.addAll(List.of(RequestKind.THROW, RequestKind.THROW_IN_TIMER));
            case TRANSFER_FAILED -> {
                kinds.retainAll(EnumSet.of(RequestKind.ECHO, RequestKind.REPLY));
                kinds.add(RequestKind.REPLY_STREAM);
            }
            case CLOSED -> kinds.addAll(List.of(RequestKind.CLOSE, RequestKind.RESET));
            case FINISHED -> kinds.addAll(List.of(RequestKind.FINISH, RequestKind.FINISH_OUTPUT));
            default -> {
                // Any request will do.
            }
        }
    }

    /** Returns true if the server has to connect to clients. */
    boolean connects() {
        return refusesOften || aimsAt(CloseReason.CONNECT_FAILED, CloseReason.CONNECT_TIMEOUT)
                || (aim != null && switch (aim.fault()) {
                    case CONNECT_REFUSED, CONNECT_UNREACHABLE, CONNECT_IGNORED, CONNECT_LATE, ACCEPT_ABORTED -> true;
                    default -> false;
                });
    }

    /** Returns a server with the limits and the policy that it needs. */
    ServerPlan aim(ServerPlan plan) {
        if (aim == null) {
            return refusesOften && plan.limits().connectionsPerAddressMax() == 0 && random.chance(50)
                    ? plan.withLimits(plan.limits().withConnectionsPerAddressMax(random.between(3, 20)))
                    : plan;
        }
        Limits limits = plan.limits();
        return switch (aim.reason()) {
            case WRITE_TIMEOUT -> plan.withLimits(limits.withWriteTimeout(timeout()));
            case IDLE_TIMEOUT -> plan.withLimits(limits.withIdleTimeout(timeout()));
            case MESSAGE_TIMEOUT -> plan.withLimits(limits.withMessageTimeout(timeout()));
            case FIRST_MESSAGE_TIMEOUT -> plan.withLimits(limits.withFirstMessageTimeout(timeout()));
            case CONNECT_TIMEOUT -> plan.withLimits(limits.withConnectTimeout(timeout()));
            case BUDGET_EXCEEDED -> plan.withLimits(limits.withQueueBudgetBytes(random.logUniform(4 << 10, 64 << 10)));
            case QUEUE_FULL -> plan.withOverflow(Overflow.DISCONNECT);
            case PROTOCOL_ERROR -> plan.framing().isRaw() ? plan
                    : plan.withFraming(random.pick(ClientFraming.NETSTRINGS, ClientFraming.TYPED));
            default -> plan;
        };
    }

    private Duration timeout() {
        return Duration.ofNanos(random.logUniform(5 * MILLI, 500 * MILLI));
    }

    /** Returns the percentage of clients that the server connects to, if it connects to any. */
    int outgoingPercent() {
        return connects() && !refusesOften ? OUTGOING_PERCENT_AIMED : OUTGOING_PERCENT;
    }

    /** Returns the external actions that it needs, for the first server. */
    List<ExternalAction> actions() {
        List<ExternalAction> actions = new ArrayList<>();
        long at = random.logUniform(10 * MILLI, 500 * MILLI);
        if (aimsAt(CloseReason.DRAINED)) {
            actions.add(new ExternalAction.Drain(at, 0, 5_000 * MILLI, false));
        } else if (aimsAt(CloseReason.SERVER_CLOSED)) {
            actions.add(new ExternalAction.Shutdown(at, 0, false));
        }
        return actions;
    }

    /** Returns a plan with the fault that it needs. */
    FaultPlan faults(FaultPlan plan) {
        if (aim == null) {
            return refusesOften ? plan.with(Fault.WATCH_REFUSED, WATCH_REFUSED_OFTEN) : plan;
        }
        FaultPlan aimed = switch (aim.reason()) {
            case FAILED -> plan.with(Fault.WATCH_REFUSED, WATCH_REFUSED_OFTEN);
            case CONNECT_TIMEOUT -> plan.with(Fault.CONNECT_IGNORED, CONNECT_IGNORED_OFTEN);
            default -> plan;
        };
        double rare = 4 * aim.fault().usualProbability();
        return aimed.with(aim.fault(), Math.min(rare, Math.max(0.2, aim.fault().usualProbability())));
    }
}
