package io.trivet.scenarios;

import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The servers at the edge of a network, beside the servers under test: one with TLS, and one behind proxies, with an access list. */
final class EdgeServers {
    private final @Nullable SecuredServer secured;
    private final @Nullable GuardedServer guarded;

    /**
     * Opens the servers that the scenario has clients for.
     *
     * @param addresses the addresses of the server with TLS and of its clients, then of the guarded one
     * @param guardedClients the addresses of the hosts of the clients of the guarded server
     */
    EdgeServers(RunContext context, List<InetAddress> addresses, List<InetAddress> guardedClients) throws IOException {
        List<ExternalAction> actions = context.scenario.actions();
        secured = actions.stream().anyMatch(ExternalAction.ConnectSecured.class::isInstance)
                ? new SecuredServer(context, addresses.get(0), addresses.get(1)) : null;
        guarded = actions.stream().anyMatch(ExternalAction.ConnectGuarded.class::isInstance)
                ? new GuardedServer(context, addresses.get(2), guardedClients) : null;
        if (secured != null) {
            context.network.attach(secured);
        }
    }

    /** Performs an action, and returns false if it concerns none of these servers. */
    boolean perform(ExternalAction action) throws IOException {
        switch (action) {
            case ExternalAction.ConnectSecured connect when secured != null -> secured.connect(connect.plan());
            case ExternalAction.DrainSecured drain -> {
                if (secured != null) { // its clients may have been removed
                    secured.drain(drain.timeoutNanos());
                }
            }
            case ExternalAction.ConnectGuarded connect when guarded != null -> guarded.connect(connect.plan());
            default -> {
                return false;
            }
        }
        return true;
    }

    void recover() {
        if (secured != null) {
            secured.recover();
        }
    }

    /** Returns what has not ended; null if everything has. */
    @Nullable
    String remaining() {
        String left = secured == null ? null : secured.remaining();
        return left != null || guarded == null ? left : guarded.remaining();
    }

    /** Checks what each client has seen, and closes the servers. */
    void finish() {
        if (secured != null) {
            secured.checkAll();
            secured.close();
        }
        if (guarded != null) {
            guarded.checkAll();
            guarded.close();
        }
    }

    void checkLeaks() throws IOException {
        if (secured != null) {
            secured.checkLeaks();
        }
        if (guarded != null) {
            guarded.checkLeaks();
        }
    }
}
