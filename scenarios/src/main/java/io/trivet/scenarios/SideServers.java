package io.trivet.scenarios;

import java.util.ArrayList;
import java.util.List;

/**
 * Generates the clients of servers beside those under test. Each kind of server has a random sequence of its own, so that the rest
 * of a scenario does not depend on it.
 */
final class SideServers {
    private static final long MILLI = 1_000_000;
    private static final int SESSIONS_PERCENT = 25;
    private static final int RELAYS_PERCENT = 25;
    private static final int TRIALS_MIN = 4;
    private static final int TRIALS_MAX = 20;
    private static final int HEAD_BYTES = 4;
    private static final int LENGTH_MAX = 2_000;

    private final long seed;

    SideServers(long seed) {
        this.seed = seed;
    }

    /** Returns the clients of the {@link SessionServer}; none in most scenarios. */
    List<ExternalAction> sessions() {
        SeededRandom random = new SeededRandom(seed ^ 0x73657373696f6eL); // "session" in ASCII
        List<ExternalAction> actions = new ArrayList<>();
        int clients = random.chance(SESSIONS_PERCENT) ? random.between(1, 8) : 0;
        for (int i = 0; i < clients; i++) {
            actions.add(new ExternalAction.Converse(random.logUniform(MILLI, 300 * MILLI), conversation(random, i)));
        }
        if (clients > 0 && random.chance(20)) {
            actions.add(new ExternalAction.DrainSessions(random.logUniform(5 * MILLI, 500 * MILLI),
                    random.logUniform(MILLI, 2_000 * MILLI)));
        }
        return actions;
    }

    private static Conversation conversation(SeededRandom random, int number) {
        List<Conversation.Ask> asks = new ArrayList<>();
        int count = random.between(0, 20);
        for (int i = 0; i < count; i++) {
            boolean ends = random.chance(4);
            SessionRequest request = ends ? random.pick(SessionRequest.FINISH, SessionRequest.THROW)
                    : random.pick(SessionRequest.ECHO, SessionRequest.ECHO, SessionRequest.REPLY_LATE, SessionRequest.REPLIES,
                            SessionRequest.RECEIVE_WITHIN);
            boolean several = request == SessionRequest.REPLIES;
            boolean waits = request == SessionRequest.REPLY_LATE || request == SessionRequest.RECEIVE_WITHIN;
            asks.add(new Conversation.Ask(request, (int) random.logUniform(1, random.chance(10) ? 8_000 : LENGTH_MAX),
                    several ? random.between(0, 40) : 1, (int) random.logUniform(1, 1_000),
                    waits ? random.logUniform(1_000, 100 * MILLI) : 0));
        }
        ConversationEnd end = random.pick(ConversationEnd.HALF_CLOSE, ConversationEnd.HALF_CLOSE, ConversationEnd.HALF_CLOSE,
                ConversationEnd.RESET, ConversationEnd.CLOSE);
        return new Conversation(number, List.copyOf(asks), end, random.chance(30) ? random.logUniform(MILLI, 1_000 * MILLI) : 0);
    }

    /** Returns the clients of the {@link RelayServer}; none in most scenarios. */
    List<ExternalAction> relays() {
        SeededRandom random = new SeededRandom(seed ^ 0x72656c6179L); // "relay" in ASCII
        List<ExternalAction> actions = new ArrayList<>();
        int clients = random.chance(RELAYS_PERCENT) ? random.between(1, 5) : 0;
        for (int i = 0; i < clients; i++) {
            actions.add(new ExternalAction.ConnectRelayed(random.logUniform(MILLI, 300 * MILLI), relay(random, i)));
        }
        if (clients > 0 && random.chance(15)) {
            actions.add(new ExternalAction.DrainRelays(random.logUniform(5 * MILLI, 500 * MILLI),
                    random.logUniform(MILLI, 5_000 * MILLI)));
        }
        return actions;
    }

    /** Returns the {@link Trial}s. They come first, so that a small one is not delayed by the rest of the scenario. */
    List<ExternalAction> trials() {
        SeededRandom random = new SeededRandom(seed ^ 0x747269616cL); // "trial" in ASCII
        List<ExternalAction> actions = new ArrayList<>();
        int count = random.between(TRIALS_MIN, TRIALS_MAX);
        for (int i = 0; i < count; i++) {
            actions.add(new ExternalAction.RunTrial(i, random.pick(TrialKind.values()), random.logUniform(1, Long.MAX_VALUE)));
        }
        return actions;
    }

    private static RelayPlan relay(SeededRandom random, int number) {
        RelayMode mode = random.pick(RelayMode.UPSTREAM, RelayMode.UPSTREAM, RelayMode.UPSTREAM, RelayMode.PAIR,
                RelayMode.COUNTED);
        int up = HEAD_BYTES + (int) random.logUniform(0, random.chance(15) ? 300_000 : 20_000);
        int down = (int) random.logUniform(0, random.chance(15) ? 300_000 : 20_000);
        long unread = random.chance(40) ? random.logUniform(MILLI, 1_000 * MILLI) : 0;
        long originUnread = random.chance(30) ? random.logUniform(MILLI, 1_000 * MILLI) : 0;
        int resetsAfter = mode != RelayMode.PAIR && random.chance(15) ? random.between(1, up) : -1;
        ConversationEnd end = random.pick(ConversationEnd.HALF_CLOSE, ConversationEnd.HALF_CLOSE, ConversationEnd.HALF_CLOSE,
                ConversationEnd.RESET, ConversationEnd.CLOSE);
        return new RelayPlan(number, mode, up, down, unread, originUnread, resetsAfter, random.chance(30), end);
    }
}
