package io.trivet.scenarios;

import io.trivet.net.ClosedSocketException;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Selectable;
import io.trivet.net.Socket;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The three lists on a network whose answer is drawn: what a call of {@code Select} passes to the network, and what it makes of the
 * answer. The lists have members of every kind, also those that are refused. The network fails, closes a socket, or is interrupted.
 */
final class SelectCallTrial implements Trial {
    private static final String[] NAMES = {"rlist", "wlist", "xlist"};
    private static final int[] INTERESTS = {Interest.READ, Interest.WRITE, Interest.PRIORITY};

    /** A member of a list that has a socket, perhaps. Its call changes the lists. */
    private static final class Member implements Selectable {
        private final @Nullable Socket socket;
        private final List<List<Object>> lists;

        Member(@Nullable Socket socket, List<List<Object>> lists) {
            this.socket = socket;
            this.lists = lists;
        }

        @Override
        @SuppressWarnings("NullAway") // what an application does wrong
        public Socket socket() {
            lists.forEach(List::clear);
            return socket;
        }

        @Override
        public String toString() {
            return "member with " + socket;
        }
    }

    @Override
    public void run(TrialRun run) throws IOException {
        int rounds = run.random.between(5, 25);
        for (int i = 0; i < rounds && !run.hasFailed(); i++) {
            switch (run.random.below(5)) {
                case 0, 1 -> new Lists(run).perform();
                case 2, 3 -> new DescriptorSets(run).perform();
                default -> DescriptorSets.checkOperations(run);
            }
        }
        // An interrupt that a wrong call has left behind must not reach the rest of the scenario.
        Thread.interrupted();
    }

    /** One call with three lists. */
    @SuppressWarnings("ReferenceEquality") // these very objects: members, families, and the failure
    private static final class Lists implements ScriptedNetwork.SelectOnce {
        private final TrialRun run;
        private final SeededRandom random;
        private final ScriptedNetwork network;
        private final ScriptedNetwork sibling;
        private final ScriptedNetwork stranger;
        private final List<Socket> sockets = new ArrayList<>();
        private final List<List<Object>> lists = new ArrayList<>();
        private final List<Object[]> members = new ArrayList<>();
        /** The expected call of the network: the sockets, with their interests. */
        private final List<Socket> entries = new ArrayList<>();
        private final List<Integer> interests = new ArrayList<>();
        private final List<String> positions = new ArrayList<>();
        private final List<List<Object>> ready = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        private final @Nullable Duration timeout;
        private final long timeoutNanos;
        private int calls;
        private String expected = "";
        private @Nullable Throwable cause;

        Lists(TrialRun run) {
            this.run = run;
            random = run.random;
            network = new ScriptedNetwork(random);
            sibling = new ScriptedNetwork(random);
            stranger = new ScriptedNetwork(random);
            sibling.family = network.family;
            timeout = switch (random.below(9)) {
                case 0, 1 -> null;
                case 2, 3 -> Duration.ZERO;
                case 4 -> Duration.ofSeconds(Long.MAX_VALUE); // more than a number of nanoseconds can be
                case 5 -> Duration.ofNanos(random.chance(50) ? -1 : 1);
                default -> Duration.ofNanos(random.logUniform(1, Long.MAX_VALUE));
            };
            timeoutNanos = timeout == null ? -1 : timeout.toSeconds() == Long.MAX_VALUE ? Long.MAX_VALUE : timeout.toNanos();
        }

        void perform() throws IOException {
            boolean isChosen = random.chance(50);
            int count = random.between(1, 5);
            for (int i = 0; i < count; i++) {
                sockets.add((random.chance(70) ? network : sibling).stream());
            }
            for (int i = 0; i < 3; i++) {
                List<Object> list = new ArrayList<>();
                for (int k = random.between(0, 4); k > 0; k--) {
                    list.add(member());
                }
                lists.add(list);
            }
            if (!isChosen && lists.stream().allMatch(List::isEmpty)) {
                return; // there the network of the system is meant
            }
            for (List<Object> list : lists) {
                members.add(list.toArray());
            }
            expect(isChosen);
            if (isChosen) {
                network.selectOnce = this;
                network.oneCall = new ScriptedNetwork(random); // not meant
            } else {
                ScriptedNetwork single = new ScriptedNetwork(random);
                single.selectOnce = this;
                network.oneCall = single;
                sibling.oneCall = single;
                stranger.oneCall = single;
            }
            call(isChosen);
            Thread.interrupted();
        }

        private Object member() {
            Socket socket = sockets.get(random.below(sockets.size()));
            if (random.chance(90)) {
                return random.chance(70) ? socket : new Member(socket, lists);
            }
            return switch (random.below(4)) {
                case 0 -> "no socket";
                case 1 -> new Member(null, lists);
                case 2 -> stranger.stream();
                default -> {
                    Socket closed = network.stream();
                    try {
                        closed.close();
                    } catch (IOException e) {
                        // It is closed nevertheless.
                    }
                    yield closed;
                }
            };
        }

        /** Determines the exception that is thrown before the network is called, or what it is called with. */
        private void expect(boolean isChosen) {
            if (timeout != null && timeout.isNegative()) {
                expected = "IllegalArgumentException";
                return;
            }
            Object family = isChosen ? network.family : null;
            for (int list = 0; list < 3; list++) {
                for (int i = 0; i < members.get(list).length; i++) {
                    Object member = members.get(list)[i];
                    String position = NAMES[list] + "[" + i + "]";
                    Socket socket = member instanceof Member known ? known.socket : member instanceof Socket self ? self : null;
                    boolean isStrange = socket != null && family != null && socket.network().family() != family;
                    if (socket == null || (socket.isOpen() && isStrange)) {
                        expected = "IllegalArgumentException " + position;
                        return;
                    }
                    if (!socket.isOpen()) {
                        expected = "ClosedSocketException " + position;
                        return;
                    }
                    family = socket.network().family();
                    entries.add(socket);
                    interests.add(INTERESTS[list]);
                    positions.add(position);
                }
            }
        }

        @SuppressWarnings("unchecked") // an application may do the same
        private void call(boolean isChosen) throws IOException {
            List<Collection<Selectable>> arguments = new ArrayList<>();
            for (List<Object> list : lists) {
                arguments.add((Collection<Selectable>) (Collection<?>) list);
            }
            boolean refuses = !expected.isEmpty();
            String result = "";
            run.log("select: read, write and except " + lists + ", timeout " + timeout);
            try {
                Ready<Selectable> found = isChosen
                        ? Select.on(network).select(arguments.getFirst(), arguments.get(1), arguments.getLast(), timeout)
                        : Select.select(arguments.getFirst(), arguments.get(1), arguments.getLast(), timeout);
                run.log("it returns " + found);
                check(found);
            } catch (IOException | RuntimeException e) {
                String message = String.valueOf(e.getMessage());
                int at = message.indexOf("list[");
                result = e.getClass().getSimpleName()
                        + (at < 1 ? "" : " " + message.substring(at - 1, message.indexOf(']', at) + 1));
                run.expect(Rule.CALLBACKS, cause == null || e == cause || e.getCause() == cause,
                        "the failure of the network is lost: " + e);
                if (cause == null) {
                    run.log("thrown: " + e);
                }
            }
            run.same(Rule.CALLBACKS, "the exception of a select with " + members.stream().map(List::of).toList(), result,
                    expected);
            run.same(Rule.CALLBACKS, "calls of the network", calls, refuses ? 0 : 1);
            boolean interrupted = expected.equals("InterruptedIOException");
            run.expect(Rule.CALLBACKS, !interrupted || Thread.currentThread().isInterrupted(), "the interrupt status is cleared");
        }

        /** Implements the network. */
        @Override
        public int select(Socket[] of, int[] wanted, int count, long nanos) throws IOException {
            calls++;
            List<Socket> given = new ArrayList<>();
            List<Integer> bits = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                given.add(of[i]);
                bits.add(wanted[i]);
            }
            run.same(Rule.GAUGES, "the sockets of the call of the network", given, entries);
            run.same(Rule.GAUGES, "the interests of the call of the network", bits, interests);
            run.same(Rule.DEADLINES, "the timeout of the call of the network", nanos, timeoutNanos);
            return switch (random.below(8)) {
                case 0 -> throw fail();
                case 1 -> throw close();
                case 2 -> {
                    Thread.currentThread().interrupt();
                    expected = nanos == 0 ? "" : "InterruptedIOException";
                    yield answer(wanted, count, 100);
                }
                case 3 -> answer(wanted, count, 100);
                default -> {
                    if (random.chance(20)) {
                        Thread.currentThread().interrupt(); // something is ready, so it does not matter
                    }
                    int answered = answer(wanted, count, 50);
                    expected = answered == 0 && nanos != 0 && Thread.currentThread().isInterrupted() ? "InterruptedIOException"
                            : "";
                    yield answered;
                }
            };
        }

        /** Makes each entry ready or not. */
        private int answer(int[] wanted, int count, int percentIdle) {
            int answered = 0;
            for (int i = 0; i < count; i++) {
                if (random.chance(percentIdle)) {
                    wanted[i] = 0;
                } else {
                    answered++;
                    int list = Integer.numberOfTrailingZeros(wanted[i]);
                    String position = positions.get(i);
                    int index = Integer.parseInt(position.substring(position.indexOf('[') + 1, position.length() - 1));
                    ready.get(list).add(members.get(list)[index]);
                }
            }
            return answered;
        }

        private IOException fail() {
            int entry = entries.isEmpty() ? -1 : random.below(entries.size());
            boolean isNamed = entry >= 0 && random.chance(70);
            NetworkException failure = new NetworkException("select", isNamed ? entries.get(entry) : null,
                    ErrorCode.EBADF);
            expected = "NetworkException" + (isNamed ? " " + positions.get(firstOf(entries.get(entry).fd())) : "");
            cause = failure;
            return failure;
        }

        /** Returns the first entry with a descriptor. Sockets of two networks may have the same one here. */
        private int firstOf(int fd) {
            int first = 0;
            while (entries.get(first).fd() != fd) {
                first++;
            }
            return first;
        }

        private IOException close() throws IOException {
            ClosedSocketException failure = new ClosedSocketException("a socket");
            cause = failure;
            expected = "ClosedSocketException";
            if (!entries.isEmpty() && random.chance(70)) {
                Socket closing = entries.get(random.below(entries.size()));
                try {
                    closing.close();
                } catch (IOException e) {
                    // It is closed nevertheless.
                }
                expected += " " + positions.get(entries.indexOf(closing));
            }
            return failure;
        }

        private void check(Ready<Selectable> found) throws InterruptedIOException {
            List<List<Selectable>> lists = List.of(found.readable(), found.writable(), found.exceptional());
            boolean isEmpty = true;
            for (int i = 0; i < 3; i++) {
                List<Selectable> list = lists.get(i);
                List<Object> right = ready.get(i);
                boolean same = list.size() == right.size();
                for (int k = 0; same && k < right.size(); k++) {
                    same = list.get(k) == right.get(k);
                }
                run.expect(Rule.GAUGES, same, "the result for " + NAMES[i] + " is " + list + " instead of " + right);
                isEmpty &= right.isEmpty();
                try {
                    list.add(sockets.getFirst());
                    run.fail(Rule.GAUGES, "the result for " + NAMES[i] + " can be changed");
                } catch (UnsupportedOperationException e) {
                    // As it must be.
                }
            }
            run.same(Rule.GAUGES, "nothing is ready", found.isEmpty(), isEmpty);
        }
    }
}
