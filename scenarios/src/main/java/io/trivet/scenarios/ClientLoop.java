package io.trivet.scenarios;

import io.trivet.net.Loop;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The loop of all clients of one host: a reactor over a poller. */
final class ClientLoop implements Loop {
    private final RunContext context;
    private final Poller poller;
    private final ReadyEvents events = new ReadyEvents(64);
    private final List<Client> clients = new ArrayList<>();
    private final List<Client> byNumber;
    /** The earliest time at which a client has something to do; valid unless {@link #stale}. */
    private long soonestNanos;
    private boolean stale = true;

    ClientLoop(RunContext context, Poller poller, List<Client> byNumber) {
        this.context = context;
        this.poller = poller;
        this.byNumber = byNumber;
    }

    void add(Client client) {
        clients.add(client);
    }

    /** Called when the time of a client's next step has changed. */
    void dueChanged() {
        stale = true;
    }

    private long soonestNanos() {
        if (stale) {
            stale = false;
            soonestNanos = NO_DEADLINE;
            for (int i = 0; i < clients.size(); i++) {
                soonestNanos = Math.min(soonestNanos, clients.get(i).nextNanos());
            }
        }
        return soonestNanos;
    }

    @Override
    public int turn() throws IOException {
        int done = poller.poll(events, 0);
        for (int i = 0; i < done; i++) {
            byNumber.get((int) events.token(i)).onReady(events.events(i));
        }
        long now = context.now();
        if (soonestNanos() <= now) {
            for (int i = 0; i < clients.size(); i++) {
                if (clients.get(i).nextNanos() <= now) {
                    done += clients.get(i).turn();
                }
            }
        }
        context.failures.abortIfFailed();
        return done;
    }

    @Override
    public long nextDeadline() {
        long next = soonestNanos();
        return next == NO_DEADLINE ? NO_DEADLINE : context.deadline(next);
    }
}
