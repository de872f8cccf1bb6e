package io.trivet.sim;

import java.util.List;

/**
 * LinkClogger connections and releases them: some of those that live are stopped one after the other, and go on in an order that has nothing to do
 * with that. What was sent meanwhile comes then, in one piece.
 */
final class LinkClogger extends EventQueue.Event {
    /** So often it is asked whether some are clogged. */
    static final long EVERY_NANOS = 100_000_000;

    private static final long BEGIN_WITHIN_NANOS = 50_000_000;
    private static final long END_WITHIN_NANOS = 5_000_000_000L;

    private final Kernel kernel;

    private LinkClogger(Kernel kernel) {
        this.kernel = kernel;
    }

    /** Begins to ask, if that can happen at all. */
    static void begin(Kernel kernel) {
        if (kernel.faults.isEnabled(Fault.CLOG)) {
            kernel.events.schedule(new LinkClogger(kernel), EVERY_NANOS);
        }
    }

    @Override
    void fire() {
        if (!kernel.faults.isEnabled(Fault.CLOG)) {
            return; // healed
        }
        kernel.events.schedule(this, kernel.now() + EVERY_NANOS);
        List<TcpEndpoint> live = kernel.tcp.live();
        if (!live.isEmpty() && kernel.faults.happens(Fault.CLOG)) {
            SimRandom random = kernel.faults.random(Fault.CLOG);
            int count = 1 + random.below(live.size());
            kernel.trace(Fault.CLOG, count + " connections, one by one");
            for (int i = 0; i < count; i++) {
                clog(live.get(random.below(live.size())), random);
            }
        }
    }

    private void clog(TcpEndpoint client, SimRandom random) {
        Flow flow = random.below(2) == 0 ? client.in : client.out;
        long begin = kernel.now() + random.between(1, BEGIN_WITHIN_NANOS);
        at(begin, () -> {
            if (kernel.faults.isEnabled(Fault.CLOG)) {
                kernel.recordFault(Fault.CLOG, client);
                flow.clog();
            }
        });
        at(begin + random.between(1, END_WITHIN_NANOS), flow::unclog);
    }

    private void at(long nanos, Runnable action) {
        kernel.events.schedule(new EventQueue.Event() {
            @Override
            void fire() {
                action.run();
            }
        }, nanos);
    }
}
