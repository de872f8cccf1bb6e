package io.trivet.scenarios;

import io.trivet.net.Completions;
import io.trivet.net.Interest;
import io.trivet.net.Proactor;
import io.trivet.net.Registration;
import io.trivet.net.SendableFile;
import io.trivet.net.Socket;
import io.trivet.net.TcpStream;
import io.trivet.scenarios.ScriptedNetwork.ScriptedListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Operations of a proactor that are drawn, and the callbacks, which make some themselves: all are logged. */
final class ProactorSteps implements Completions {
    private static final InetSocketAddress REMOTE = new InetSocketAddress("10.0.0.2", 80);
    private static final int SPIN_EVENTS = 1_024;
    private static final int EVENTS_MAX = 512;

    /** A connection, open or not. */
    private record Known(int number, long handle) {}

    private interface Call {
        @Nullable
        Object make() throws IOException;
    }

    private static final class EmptyFile implements SendableFile {
        @Override
        public long size() {
            return 0;
        }

        @Override
        public int read(ByteBuffer into, long position) {
            return -1;
        }

        @Override
        public void close() {
            // It has nothing.
        }
    }

    private final TrialRun run;
    private final ScriptedNetwork network;
    private final SeededRandom random;
    private final Proactor proactor;
    private final List<Known> open = new ArrayList<>();
    private final List<Known> ended = new ArrayList<>();
    private final Map<Long, Known> byHandle = new HashMap<>();
    private final Set<Long> handles = new HashSet<>();
    /** The slots of handles for which {@code closed} has not returned. */
    private final BitSet slots = new BitSet();
    private int slotsMost;
    private final List<ScriptedListener> listeners = new ArrayList<>();
    private int actionsLeft;
    private int depth;

    ProactorSteps(TrialRun run, ScriptedNetwork network, Proactor proactor) {
        this.run = run;
        this.network = network;
        this.proactor = proactor;
        random = network.random;
        for (int i = 0; i < 3; i++) {
            listeners.add(network.new ScriptedListener("l" + i, 50 + i));
        }
    }

    void perform() throws IOException {
        int many = random.chance(12) ? random.between(60, 140) : random.between(0, 4);
        for (int i = 0; i < many; i++) {
            adopt(network.stream());
        }
        if (many > 50) {
            for (int i = random.between(0, 40); i > 0; i--) {
                Known closing = open.get(random.below(open.size()));
                end(closing, () -> proactor.close(closing.handle));
            }
        }
        int steps = random.between(5, 60);
        int spinAt = random.chance(20) ? random.below(steps) : -1;
        for (int i = 0; i < steps; i++) {
            if (i == spinAt) {
                spin();
            } else if (random.chance(45)) {
                poll();
            } else {
                act();
            }
            for (int k = 0; k < open.size() && k < 5; k++) {
                network.log("interest of " + open.get(k).number + ": " + proactor.interest(open.get(k).handle));
            }
        }
        int before = network.log.size();
        attempt("close", () -> {
            proactor.close();
            return null;
        });
        network.log.subList(before, network.log.size()).sort(null); // the order of the connections does not matter
        for (Known each : open) {
            attempt("the address of " + each.number + " after the end", () -> proactor.localAddress(each.handle));
        }
    }

    /** Logs a call with its result, or the exception that it throws. */
    private void attempt(String what, Call call) {
        try {
            network.log(what + ": " + call.make());
        } catch (IOException e) {
            network.log(what + " throws " + e.getMessage() + suppressed(e));
        } catch (RuntimeException e) {
            network.log(what + " throws " + e.getClass().getSimpleName());
        }
    }

    private static String suppressed(IOException e) {
        return e.getSuppressed().length == 0 ? "" : ", suppressed: " + Arrays.toString(e.getSuppressed());
    }

    // ---- connections

    private void opened(long handle) {
        Known known = new Known(handles.size(), handle);
        int slot = Proactor.slot(handle);
        run.expect(Rule.COMPLETIONS, handle >= 0 && handles.add(handle), "a handle is used twice: " + handle);
        run.expect(Rule.COMPLETIONS, !slots.get(slot), "slot " + slot + " is used again before its connection is released");
        slots.set(slot);
        slotsMost = Math.max(slotsMost, slots.cardinality());
        run.expect(Rule.COMPLETIONS, slot < slotsMost, "slot " + slot + " is used, with at most " + slotsMost + " connections");
        open.add(known);
        byHandle.put(handle, known);
        if (random.chance(40)) {
            watchUrgent(known);
        }
        if (random.chance(60)) {
            receive(known);
        }
    }

    private void watchUrgent(Known known) {
        attempt("watchUrgent of " + known.number, () -> {
            proactor.watchUrgent(known.handle);
            return null;
        });
    }

    private void receive(Known known) {
        attempt("receive of " + known.number, () -> {
            proactor.receive(known.handle);
            return null;
        });
    }

    private void adopt(TcpStream stream) {
        attempt("adopt " + stream, () -> {
            opened(proactor.adopt(stream));
            return null;
        });
    }

    private void end(Known known, Runnable call) {
        if (open.remove(known)) {
            ended.add(known);
        }
        call.run();
    }

    private @Nullable Known pick() {
        List<Known> from = !open.isEmpty() && random.chance(85) ? open : ended;
        return from.isEmpty() ? null : from.get(random.below(from.size()));
    }

    private void act() {
        Known known = pick();
        if (known == null || random.chance(20)) {
            actElsewhere();
            return;
        }
        String of = " of " + known.number;
        long handle = known.handle;
        switch (random.below(17)) {
            case 0, 1, 2 -> receive(known);
            case 3 -> attempt("stopReceiving" + of, () -> {
                proactor.stopReceiving(handle);
                return null;
            });
            case 4 -> watchUrgent(known);
            case 5 -> attempt("sendUrgent" + of, () -> proactor.sendUrgent(handle, (byte) random.below(256)));
            case 6, 7, 8 -> send(known);
            case 9 -> {
                long position = random.below(1000);
                long count = random.between(1, 1000);
                attempt("sendFile" + of, () -> proactor.sendFile(handle, new EmptyFile(), position, count));
            }
            case 10 -> {
                Known to = pick();
                attempt("splice" + of, () -> proactor.splice(handle, to == null ? handle : to.handle, random.between(1, 100)));
            }
            case 11 -> attempt("sendSpliced" + of, () -> proactor.sendSpliced(handle, random.between(1, 100)));
            case 12 -> attempt("setOption" + of, () -> {
                proactor.setOption(handle, StandardSocketOptions.SO_SNDBUF, random.below(100));
                return null;
            });
            case 13 -> attempt("shutdownOutput" + of, () -> {
                proactor.shutdownOutput(handle);
                return null;
            });
            case 14 -> {
                attempt("remote address" + of, () -> proactor.remoteAddress(handle));
                attempt("local address" + of, () -> proactor.localAddress(handle));
                attempt("getOption" + of, () -> proactor.getOption(handle, StandardSocketOptions.SO_SNDBUF));
            }
            case 15 -> {
                network.log("close" + of);
                end(known, () -> proactor.close(handle));
            }
            default -> {
                network.log("reset" + of);
                end(known, () -> proactor.reset(handle));
            }
        }
    }

    private void actElsewhere() {
        ScriptedListener listener = listeners.get(random.below(listeners.size()));
        boolean accepts = network.scriptedPoller().registration(listener) != null;
        switch (random.below(6)) {
            case 0, 1 -> adopt(network.stream());
            case 2, 3 -> {
                InetSocketAddress local = random.chance(30) ? new InetSocketAddress("10.0.0.1", 0) : null;
                attempt("connect", () -> {
                    opened(local == null && random.chance(50) ? proactor.connect(REMOTE) : proactor.connect(REMOTE, local));
                    return null;
                });
            }
            case 4 -> {
                long token = random.below(100);
                attempt((accepts ? "stop accepting " : "accept ") + listener + " " + token, () -> {
                    if (accepts) {
                        proactor.stopAccepting(listener);
                    } else {
                        proactor.accept(listener, token);
                    }
                    return null;
                });
            }
            default -> {
                listener.clientsArrive(random.number(1, 1, 2, 3, 63, 64, 65));
                proactor.wakeup();
            }
        }
    }

    private void send(Known to) {
        int count = random.number(1, 1, 2, 3);
        int from = random.below(3);
        ByteBuffer[] parts = new ByteBuffer[from + count + 1];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = ByteBuffer.allocate(random.number(0, 1, 10, 300));
        }
        boolean now = random.chance(50);
        attempt("send of " + to.number, () -> now ? proactor.sendNow(to.handle, parts, from, count)
                : proactor.send(to.handle, parts, from, count));
        network.log("left: " + Arrays.stream(parts).map(part -> String.valueOf(part.remaining())).toList());
    }

    // ---- polling

    /** Reports events of some sockets, and of closed ones. */
    private void poll() throws IOException {
        int stale = ended.isEmpty() || random.chance(93) ? 0 : random.number(1, 254, 255, 256, 500, 511);
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < stale; i++) {
            tokens.add(ended.get(i % ended.size()).handle);
        }
        List<Socket> watched = new ArrayList<>(listeners);
        for (Known each : open) {
            watched.add(streamOf(each));
        }
        int count = random.between(0, Math.min(watched.size(), random.chance(10) ? 300 : 6));
        for (int i = 0; i < count && tokens.size() < EVENTS_MAX; i++) {
            Socket socket = watched.remove(random.below(watched.size()));
            Registration registration = socket == null ? null : network.scriptedPoller().registration(socket);
            if (registration != null) {
                tokens.add(registration.token());
            }
        }
        poll(tokens.stream().mapToLong(Long::longValue).toArray(), 3);
    }

    private @Nullable Socket streamOf(Known known) {
        return network.streamOf(known.handle);
    }

    private void poll(long[] tokens, int actions) throws IOException {
        int[] events = new int[tokens.length];
        for (int i = 0; i < events.length; i++) {
            events[i] = random.chance(15) ? random.below(Interest.INVALID) : random.number(Interest.READ, Interest.WRITE,
                    Interest.READ | Interest.WRITE, Interest.PRIORITY, Interest.PRIORITY | Interest.READ, Interest.ERROR,
                    Interest.HANG_UP, Interest.READ | Interest.HANG_UP);
        }
        network.scriptedPoller().reportNext(tokens, events);
        actionsLeft = actions;
        int delivered = proactor.poll(this, random.number(-1, 0, 5, 1_000_000));
        network.log("poll returns " + delivered + ", behind: " + proactor.isBehind());
    }

    /** A socket is reported again and again, with nothing to do. */
    private void spin() throws IOException {
        Known known = open.isEmpty() ? null : open.get(random.below(open.size()));
        if (known == null || !(streamOf(known) instanceof ScriptedStream stream)) {
            return;
        }
        network.log("spin of " + known.number);
        stream.idle(true);
        network.isQuiet = true;
        int events = random.number(Interest.READ, Interest.PRIORITY, Interest.READ | Interest.PRIORITY, Interest.HANG_UP);
        int count = random.number(SPIN_EVENTS - 1, SPIN_EVENTS, SPIN_EVENTS + 1, 2 * SPIN_EVENTS, 100);
        int pauseAt = random.chance(50) ? random.below(count) : -1;
        for (int i = 0; i < count; i++) {
            for (int k = i == pauseAt ? random.number(14, 15, 16, 17) : 0; k > 0; k--) {
                proactor.poll(this, 0);
            }
            network.scriptedPoller().reportNext(new long[]{known.handle}, new int[]{events});
            proactor.poll(this, 0);
        }
        network.isQuiet = false;
        stream.idle(false);
    }

    // ---- callbacks

    /** Logs a callback, and makes some calls within it. */
    private void called(long handle, String callback) {
        Known known = byHandle.get(handle);
        network.log("callback of " + (known == null ? "an unknown handle" : known.number) + ": " + callback);
        run.expect(Rule.COMPLETIONS, known != null && (open.contains(known) || callback.equals("closed")),
                "a closed connection is called: " + callback);
        actWithin();
    }

    private void actWithin() {
        while (actionsLeft > 0 && depth == 0 && random.chance(30)) {
            actionsLeft--;
            depth++;
            act();
            depth--;
        }
    }

    @Override
    public void accepted(long token, TcpStream stream) {
        network.log("callback: accepted " + token + " " + stream);
        if (random.chance(80)) {
            adopt(stream);
        }
        actWithin();
    }

    @Override
    public void acceptFailed(long token, IOException failure) {
        network.log("callback: acceptFailed " + token + " " + failure.getMessage());
        actWithin();
    }

    @Override
    public void connected(long handle) {
        called(handle, "connected");
    }

    @Override
    public void received(long handle, ByteBuffer memory, int from, int to) {
        called(handle, "received " + from + " to " + to + ": " + memory.get(from) + " " + memory.get(to - 1));
    }

    @Override
    public void urgent(long handle, byte b) {
        called(handle, "urgent " + b);
    }

    @Override
    public void inputEnded(long handle) {
        called(handle, "inputEnded");
    }

    @Override
    public void sent(long handle, long bytes) {
        called(handle, "sent " + bytes);
    }

    @Override
    public void failed(long handle, IOException failure) {
        called(handle, "failed " + failure.getMessage() + suppressed(failure));
    }

    @Override
    public void spinning(long handle, String description) {
        int watched = description.indexOf(", watched ");
        int end = watched < 0 ? -1 : description.indexOf(',', watched + 2);
        called(handle, "spinning " + (end < 0 ? description : description.substring(0, end)));
    }

    @Override
    public void closed(long handle) {
        called(handle, "closed");
        slots.clear(Proactor.slot(handle));
    }
}
