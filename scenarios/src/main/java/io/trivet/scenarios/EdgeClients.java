package io.trivet.scenarios;

import java.util.ArrayList;
import java.util.List;

/** Generates the clients of the {@link EdgeServers}, each kind from a random sequence of its own. */
final class EdgeClients {
    private static final long MILLI = 1_000_000;
    /** One scenario in eight has a server with TLS, and one in eight a guarded one. */
    private static final int EACH_PERCENT = 12;
    private static final int THOUSAND = 1000;

    private final long seed;

    EdgeClients(long seed) {
        this.seed = seed;
    }

    /** Returns the clients of the {@link SecuredServer}; none in most scenarios. */
    List<ExternalAction> secured() {
        SeededRandom random = new SeededRandom(seed ^ 0x746c73L); // "tls" in ASCII
        List<ExternalAction> actions = new ArrayList<>();
        int clients = random.chance(EACH_PERCENT) ? random.between(1, 6) : 0;
        for (int i = 0; i < clients; i++) {
            actions.add(new ExternalAction.ConnectSecured(random.logUniform(MILLI, 300 * MILLI), secured(random, i)));
        }
        if (clients > 0 && random.chance(10)) {
            actions.add(new ExternalAction.DrainSecured(random.logUniform(5 * MILLI, 500 * MILLI),
                    random.logUniform(MILLI, 2_000 * MILLI)));
        }
        return actions;
    }

    private static SecuredPlan secured(SeededRandom random, int number) {
        if (random.chance(8)) { // a close while a reply fills the socket
            return new SecuredPlan(number, SecuredClientKind.COMPLETES, false,
                    List.of(new SecuredPlan.Ask(SecuredPlan.Answer.REPLY, 1, random.between(1_000, 60_000)),
                            new SecuredPlan.Ask(SecuredPlan.Answer.CLOSE, 1, 0)),
                    0, 0, random.logUniform(10 * MILLI, 1_000 * MILLI), false, random.chance(50));
        }
        SecuredClientKind kind = random.chance(35) ? SecuredClientKind.COMPLETES : random.pick(SecuredClientKind.values());
        List<SecuredPlan.Ask> asks = new ArrayList<>();
        int count = kind.connects() ? random.between(0, 8) : 0;
        boolean more = true;
        for (int i = 0; i < count && more; i++) {
            SecuredPlan.Answer answer = random.chance(88) ? SecuredPlan.Answer.REPLY
                    : random.pick(SecuredPlan.Answer.FINISH, SecuredPlan.Answer.CLOSE);
            asks.add(new SecuredPlan.Ask(answer,
                    (int) random.logUniform(0, random.chance(15) ? 60_000 : 2_000),
                    (int) random.logUniform(0, random.chance(20) ? 100_000 : 2_000)));
            more = answer == SecuredPlan.Answer.REPLY || random.chance(30);
        }
        return new SecuredPlan(number, kind, random.chance(20), List.copyOf(asks), random.below(THOUSAND),
                random.chance(50) ? random.logUniform(1_000, 50 * MILLI) : 0,
                random.chance(30) ? random.logUniform(MILLI, 1_000 * MILLI) : 0, random.chance(40), random.chance(40));
    }

    private static GuardedPlan.Ending ending(SeededRandom random) {
        return random.chance(80) ? random.pick(GuardedPlan.Ending.FINISHES, GuardedPlan.Ending.STAYS)
                : random.pick(GuardedPlan.Ending.RESETS, GuardedPlan.Ending.BREAKS_OFF);
    }

    /** Returns the clients of the {@link GuardedServer}; none in most scenarios. */
    List<ExternalAction> guarded() {
        SeededRandom random = new SeededRandom(seed ^ 0x70726f787948L); // "proxyH" in ASCII
        List<ExternalAction> actions = new ArrayList<>();
        int clients = random.chance(EACH_PERCENT) ? random.between(1, 8) : 0;
        for (int i = 0; i < clients; i++) {
            int host = random.below(GuardedServer.HOSTS);
            GuardedPlan.Header header = random.pick(GuardedPlan.Header.NONE, GuardedPlan.Header.NONE, GuardedPlan.Header.V1);
            if (host < GuardedServer.PROXIES) {
                header = random.chance(60) ? random.pick(GuardedPlan.Header.V1, GuardedPlan.Header.V2)
                        : random.pick(GuardedPlan.Header.values());
            }
            actions.add(new ExternalAction.ConnectGuarded(random.logUniform(MILLI, 300 * MILLI),
                    new GuardedPlan(i, host, header, random.below(GuardedServer.CLAIMED), random.between(1, 4),
                            random.chance(50), random.below(THOUSAND), ending(random))));
        }
        return actions;
    }
}
