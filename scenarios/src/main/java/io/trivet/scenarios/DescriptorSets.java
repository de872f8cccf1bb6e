package io.trivet.scenarios;

import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Socket;
import io.trivet.select.FdSet;
import io.trivet.select.Select;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One call of {@code Select} with three sets of descriptors, of which some are null or the same set, on a network whose answer is drawn;
 * and the operations of a set.
 */
final class DescriptorSets implements ScriptedNetwork.SelectOnce {
    private static final int[] INTERESTS = {Interest.READ, Interest.WRITE, Interest.PRIORITY};
    private static final int FD_MAX = 1 << 30;

    private final TrialRun run;
    private final SeededRandom random;
    private final ScriptedNetwork network;
    private final @Nullable FdSet[] sets = new @Nullable FdSet[3];
    /** What the sets must contain; the same object for the same set. */
    private final @Nullable BitSet[] models = new @Nullable BitSet[3];
    private final int nfds;
    private final @Nullable Duration timeout;
    /** The expected call of the network: interests by descriptor. */
    private final TreeMap<Integer, Integer> entries = new TreeMap<>();
    private int bits;
    private String expected = "";
    private int calls;

    DescriptorSets(TrialRun run) {
        this.run = run;
        random = run.random;
        network = new ScriptedNetwork(random);
        network.selectOnce = this;
        nfds = random.chance(5) ? -1 : random.number(0, 1, 63, 64, 65, 128, 129, 200, 2_000, random.below(300));
        timeout = random.chance(25) ? null : Duration.ofNanos(random.number(0, 0, 0, 5, 7, 1_000, -1));
        for (int i = 0; i < 3; i++) {
            if (i > 0 && random.chance(15)) {
                sets[i] = sets[i - 1];
                models[i] = models[i - 1];
            } else if (random.chance(80)) {
                BitSet model = new BitSet();
                for (int k = random.number(0, 1, 3, 30); k > 0; k--) {
                    model.set(descriptor(random));
                }
                sets[i] = toSet(model);
                models[i] = model;
            }
        }
    }

    private static int descriptor(SeededRandom random) {
        return random.number(0, 1, 62, 63, 64, 65, 127, 128, 1_023, 1_024, random.below(300), random.below(3_000));
    }

    private static FdSet toSet(BitSet model) {
        FdSet set = new FdSet();
        model.stream().forEach(set::set);
        return set;
    }

    void perform() throws IOException {
        for (int i = 0; i < 3; i++) {
            BitSet model = models[i];
            for (int fd = model == null ? -1 : model.nextSetBit(0); fd >= 0 && fd < nfds
                    && model != null; fd = model.nextSetBit(fd + 1)) {
                entries.merge(fd, INTERESTS[i], (one, other) -> one | other);
            }
        }
        boolean refuses = nfds < 0 || (timeout != null && timeout.isNegative());
        expected = refuses ? "IllegalArgumentException" : "";
        String result = "";
        int count = -1;
        run.log("select of descriptors below " + nfds + ": sets " + Arrays.toString(sets) + ", timeout " + timeout);
        try {
            count = Select.on(network).select(nfds, sets[0], sets[1], sets[2], timeout);
        } catch (IOException | RuntimeException e) {
            result = e.getClass().getSimpleName();
        }
        Thread.interrupted();
        run.log("it returns " + count + ", sets " + Arrays.toString(sets) + (result.isEmpty() ? "" : ", throws " + result));
        run.same(Rule.CALLBACKS, "the exception of a select of descriptors below " + nfds, result, expected);
        run.same(Rule.CALLBACKS, "calls of the network", calls, refuses ? 0 : 1);
        run.same(Rule.GAUGES, "the number that select returns: of bits in the three sets", count, expected.isEmpty() ? bits : -1);
        for (int i = 0; i < 3; i++) {
            FdSet set = sets[i];
            run.same(Rule.GAUGES, "set " + i + " of a select below " + nfds, String.valueOf(set), String.valueOf(models[i]));
        }
    }

    /** Implements the network. */
    @Override
    public int select(Socket[] sockets, int[] interests, int count, long nanos) throws IOException {
        calls++;
        TreeMap<Integer, Integer> given = new TreeMap<>();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            given.put(sockets[i].fd(), interests[i]);
            order.add(sockets[i].fd());
        }
        run.same(Rule.GAUGES, "the descriptors of the call of the network, with their interests", given, entries);
        run.same(Rule.GAUGES, "the descriptors of the call of the network", order, List.copyOf(entries.keySet()));
        run.same(Rule.DEADLINES, "the timeout of the call of the network", nanos, timeout == null ? -1L : timeout.toNanos());
        if (random.chance(12)) {
            expected = "NetworkException";
            throw new NetworkException("select", null, ErrorCode.EBADF); // the sets stay as they were
        }
        boolean idle = random.chance(20);
        boolean interrupted = random.chance(15);
        int answered = 0;
        for (int i = 0; i < count; i++) {
            interests[i] &= idle ? 0 : random.below(Interest.ALL + 1);
            answered += interests[i] == 0 ? 0 : 1;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (interrupted && answered == 0 && nanos != 0) {
            expected = "InterruptedIOException";
            return 0;
        }
        for (int i = 0; i < count; i++) {
            assign(order.get(i), interests[i]);
        }
        return answered;
    }

    /** If one set was passed several times, the last assignment counts. */
    private void assign(int fd, int ready) {
        for (int i = 0; i < 3; i++) {
            BitSet model = models[i];
            if (model != null) {
                model.set(fd, (ready & INTERESTS[i]) != 0);
            }
        }
        bits += Integer.bitCount(ready);
    }

    // ---- operations of a set

    /** A set of descriptors against a set of bits, also of a copy, and with numbers that are no descriptors. */
    static void checkOperations(TrialRun run) {
        SeededRandom random = run.random;
        FdSet set = new FdSet();
        BitSet model = new BitSet();
        int operations = random.between(5, 40);
        for (int i = 0; i < operations; i++) {
            int fd = descriptor(random);
            switch (random.below(12)) {
                case 0 -> {
                    set.clr(fd);
                    model.clear(fd);
                }
                case 1 -> run.same(Rule.GAUGES, "the next descriptor from " + fd, set.next(fd), model.nextSetBit(fd));
                case 2 -> copies(run, set, model, fd);
                case 3 -> {
                    if (random.chance(30)) {
                        set.zero();
                        model.clear();
                    }
                }
                case 4 -> visits(run, set, model);
                case 5 -> refuses(run, set);
                default -> {
                    set.set(fd);
                    model.set(fd);
                }
            }
            run.same(Rule.GAUGES, "descriptor " + fd + " is in the set", set.isSet(fd), model.get(fd));
            run.same(Rule.GAUGES, "the highest descriptor", set.highest(), model.length() - 1);
            run.same(Rule.GAUGES, "the set is empty", set.isEmpty(), model.isEmpty());
            run.same(Rule.GAUGES, "the set", set.toString(), model.toString());
        }
    }

    private static void copies(TrialRun run, FdSet set, BitSet model, int fd) {
        FdSet copy = new FdSet(set);
        run.expect(Rule.GAUGES, copy.equals(set) && copy.hashCode() == set.hashCode(), "a copy is not equal");
        run.expect(Rule.GAUGES, toSet(model).equals(set) && toSet(model).hashCode() == set.hashCode(),
                "a set of the same descriptors is not equal");
        if (copy.isSet(fd)) {
            copy.clr(fd);
        } else {
            copy.set(fd);
        }
        run.expect(Rule.GAUGES, !copy.equals(set) && !set.equals(copy), "sets that differ in " + fd + " are equal");
        run.same(Rule.GAUGES, "the set after a change of its copy", set.toString(), model.toString());
    }

    /** Visits all descriptors, and removes some meanwhile. */
    private static void visits(TrialRun run, FdSet set, BitSet model) {
        List<Integer> right = model.stream().boxed().toList();
        List<Integer> visited = new ArrayList<>();
        set.forEach(fd -> {
            visited.add(fd);
            if (run.random.chance(20)) {
                set.clr(fd);
                model.clear(fd);
            }
        });
        run.same(Rule.GAUGES, "the visited descriptors", visited, right);
    }

    private static void refuses(TrialRun run, FdSet set) {
        int wrong = run.random.number(-1, Integer.MIN_VALUE, FD_MAX, Integer.MAX_VALUE);
        refuses(run, "set", wrong, () -> set.set(wrong));
        refuses(run, "clr", wrong, () -> set.clr(wrong));
        refuses(run, "isSet", wrong, () -> set.isSet(wrong));
        if (wrong < 0) {
            refuses(run, "next", wrong, () -> set.next(wrong));
        } else {
            run.same(Rule.GAUGES, "the next descriptor from " + wrong, set.next(wrong), -1);
        }
        run.same(Rule.GAUGES, "the highest possible descriptor is in the set", set.isSet(FD_MAX - 1), false);
        set.clr(FD_MAX - 1);
    }

    private static void refuses(TrialRun run, String operation, int wrong, Runnable call) {
        try {
            call.run();
            run.fail(Rule.CALLBACKS, operation + " accepts the descriptor " + wrong);
        } catch (IllegalArgumentException e) {
            // As it must be.
        }
    }
}
