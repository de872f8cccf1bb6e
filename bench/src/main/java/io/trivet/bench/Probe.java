package io.trivet.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/**
 * Answers questions from standard input on standard output while the peer serves: {@code allocated} returns the bytes that all threads have
 * allocated so far, {@code heap} the bytes of live objects. A peer may answer more. Costs nothing while no question is asked.
 */
final class Probe {
    private static final int COLLECTIONS = 5;

    private Probe() {}

    static void start() {
        start(words -> {
            throw new IllegalArgumentException(String.join(" ", words));
        });
    }

    /** Starts with more questions: the function answers one from its words. */
    static void start(Function<String[], String> more) {
        Thread.ofPlatform().daemon().name("probe").start(() -> answer(more));
    }

    private static void answer(Function<String[], String> more) {
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        try {
            for (String question = questions.readLine(); question != null; question = questions.readLine()) {
                System.out.println(switch (question) {
                    case "allocated" -> ManagementFactory.getPlatformMXBean(com.sun.management.ThreadMXBean.class)
                            .getTotalThreadAllocatedBytes();
                    case "heap" -> liveHeapBytes();
                    default -> more.apply(question.split(" ", -1));
                });
                System.out.flush();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) { // without an answer, the process would be waited for
            e.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    /** Returns the smallest heap after several collections: later ones reclaim what the first left to finalizers and caches. */
    private static long liveHeapBytes() throws InterruptedException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            Thread.sleep(100);
            least = Math.min(least, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }
}
