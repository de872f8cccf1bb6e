package io.trivet.mutants;

import java.lang.management.ManagementFactory;

/** Ends the process if one task takes too long: nothing else stops a thread that runs in circles. */
final class Watch {
    /** The exit code after a task that took too long. */
    static final int HANGS = 4;

    private final Thread watched = Thread.currentThread();
    private final Runnable report;
    private volatile long cpuMax = Long.MAX_VALUE;
    private volatile long timeMax = Long.MAX_VALUE;
    private volatile boolean armed;

    /** Watches the current thread; the report is made before the process ends. */
    Watch(Runnable report) {
        this.report = report;
        Thread thread = new Thread(this::run, "watch");
        thread.setDaemon(true);
        thread.setPriority(Thread.MAX_PRIORITY);
        thread.start();
    }

    void start(double cpuSeconds, double seconds) {
        cpuMax = cpuSeconds == Double.POSITIVE_INFINITY ? Long.MAX_VALUE : cpu() + (long) (cpuSeconds * 1e9);
        timeMax = System.nanoTime() + (long) (seconds * 1e9);
        armed = true;
    }

    void stop() {
        armed = false;
    }

    /** Returns the processor time of the watched thread in nanoseconds, which other load of the machine hardly affects. */
    long cpu() {
        return ManagementFactory.getThreadMXBean().getThreadCpuTime(watched.threadId());
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(200);
                if (armed && (cpu() > cpuMax || System.nanoTime() > timeMax)) {
                    report.run();
                    System.out.flush();
                    Runtime.getRuntime().halt(HANGS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
