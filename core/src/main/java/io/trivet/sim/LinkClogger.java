package io.trivet.sim;

import java.util.List;

/**
 * Injects {@link Fault#CLOG}: stops some of the open connections one after the other, in one direction each, and later resumes
 * them in another order. Bytes sent in the meantime then arrive together.
 */
final class LinkClogger extends EventQueue.Event {
    /** The interval at which the fault is drawn. */
    private static final long INTERVAL_NANOS = 100_000_000;
    private static final long START_WITHIN_NANOS = 50_000_000;
    private static final long END_WITHIN_NANOS = 5_000_000_000L;

    private final Kernel kernel;

    private LinkClogger(Kernel kernel) {
        this.kernel = kernel;
    }

    /** Starts drawing the fault at regular intervals, if the plan includes it. */
    static void start(Kernel kernel) {
        if (kernel.faults.isEnabled(Fault.CLOG)) {
            kernel.events.schedule(new LinkClogger(kernel), INTERVAL_NANOS);
        }
    }

    @Override
    void fire() {
        if (!kernel.faults.isEnabled(Fault.CLOG)) {
            return; // faults have been stopped
        }
        kernel.events.schedule(this, kernel.now() + INTERVAL_NANOS);
        List<TcpEndpoint> open = kernel.tcp.open();
        if (!open.isEmpty() && kernel.faults.happens(Fault.CLOG)) {
            SimRandom random = kernel.faults.random(Fault.CLOG);
            int count = 1 + random.below(open.size());
            kernel.trace(Fault.CLOG, count + " connections, one by one");
            for (int i = 0; i < count; i++) {
                clog(open.get(random.below(open.size())), random);
            }
        }
    }

    private void clog(TcpEndpoint client, SimRandom random) {
        Flow flow = random.below(2) == 0 ? client.in : client.out;
        long start = kernel.now() + random.between(1, START_WITHIN_NANOS);
        kernel.events.schedule(start, () -> {
            if (kernel.faults.isEnabled(Fault.CLOG)) {
                kernel.recordFault(Fault.CLOG, client);
                flow.clog();
            }
        });
        kernel.events.schedule(start + random.between(1, END_WITHIN_NANOS), flow::unclog);
    }
}
