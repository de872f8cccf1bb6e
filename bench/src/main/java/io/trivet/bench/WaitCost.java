package io.trivet.bench;

import com.sun.management.OperatingSystemMXBean;
import io.trivet.net.Network;
import io.trivet.net.Pipe;
import io.trivet.select.Select;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Measures the cost of waiting in {@code Select.select} on platform threads and on virtual threads. Pairs of threads send a byte back and
 * forth through pipes, and wait with select for each. Prints the processor time of the process per wait, in nanoseconds: the medians of
 * rounds in which both kinds alternate, and the median of their ratios.
 */
public final class WaitCost {
    private static final OperatingSystemMXBean PROCESS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final Network network = Network.system();
    private final int pairs;
    private final int waits;

    private WaitCost(int pairs, int waits) {
        this.pairs = pairs;
        this.waits = waits;
    }

    /** Arguments: the number of pairs, the number of waits of each thread in a round, and the number of rounds. */
    static void main(String[] args) throws IOException, InterruptedException {
        int pairs = args.length > 0 ? Integer.parseInt(args[0]) : 50;
        int waits = args.length > 1 ? Integer.parseInt(args[1]) : 500;
        int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 15;
        WaitCost cost = new WaitCost(pairs, waits);
        for (int i = 0; i < 5; i++) { // until the JIT compiler has finished
            cost.measure(Thread.ofPlatform());
            cost.measure(Thread.ofVirtual());
        }
        double[] platform = new double[rounds];
        double[] virtual = new double[rounds];
        double[] ratios = new double[rounds];
        for (int i = 0; i < rounds; i++) {
            platform[i] = cost.measure(Thread.ofPlatform());
            virtual[i] = cost.measure(Thread.ofVirtual());
            ratios[i] = virtual[i] / platform[i];
        }
        System.out.printf("%d pairs: platform threads %.0f ns, virtual threads %.0f ns per wait, ratio %.2f%n", pairs,
                median(platform),
                median(virtual), median(ratios));
    }

    private double measure(Thread.Builder threads) throws IOException, InterruptedException {
        List<Pipe> pipes = new ArrayList<>();
        List<Thread> started = new ArrayList<>();
        long before = PROCESS.getProcessCpuTime();
        for (int i = 0; i < pairs; i++) {
            Pipe there = network.pipe();
            Pipe back = network.pipe();
            pipes.add(there);
            pipes.add(back);
            started.add(threads.start(() -> exchange(there, back, true)));
            started.add(threads.start(() -> exchange(back, there, false)));
        }
        for (Thread thread : started) {
            thread.join();
        }
        long used = PROCESS.getProcessCpuTime() - before;
        for (Pipe pipe : pipes) {
            pipe.source().close();
            pipe.sink().close();
        }
        return (double) used / (2L * pairs * waits);
    }

    private void exchange(Pipe out, Pipe in, boolean begins) {
        List<Pipe.Source> source = List.of(in.source());
        ByteBuffer one = ByteBuffer.allocateDirect(1);
        try {
            if (begins) {
                out.sink().write(one.clear());
            }
            for (int i = 0; i < waits; i++) {
                Select.select(source, List.of(), List.of(), null);
                in.source().read(one.clear());
                if (!begins || i + 1 < waits) {
                    out.sink().write(one.flip());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
