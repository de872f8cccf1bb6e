package io.trivet.scenarios;

import io.trivet.net.Interest;
import io.trivet.net.Poller;
import io.trivet.net.ReadyEvents;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import io.trivet.select.NetworkSelect;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import io.trivet.sim.Fault;
import io.trivet.sim.SimHost;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A poller for clients that use the three lists: it calls {@code Select} with all its sockets, and checks that each socket which the
 * poller of the host reports is in the lists that come back, in their order.
 */
final class SelectPoller implements Poller {
    private static final int ONE_IN = 12;

    private record Watched(int interest, long token) {}

    private final RunContext context;
    /** Wakes the loop, and tells what must be ready. */
    private final Poller poller;
    private final NetworkSelect select;
    private final Map<Socket, Watched> sockets = new LinkedHashMap<>();

    SelectPoller(RunContext context, SimHost host) throws IOException {
        this.context = context;
        poller = host.poller();
        select = Select.on(host);
    }

    /** Returns true if the clients of a host of a scenario use the three lists. */
    static boolean appliesTo(Scenario scenario, int host) {
        return new SeededRandom(scenario.seed() ^ (0x6c697374L + host)).below(ONE_IN) == 0; // "list" in ASCII
    }

    @Override
    public int poll(ReadyEvents out, long timeoutNanos) throws IOException {
        int reported = poller.poll(out, timeoutNanos);
        if (reported == 0) {
            return 0;
        }
        context.tally.add("select CALLED", 1);
        List<Socket> read = listed(Interest.READ);
        List<Socket> write = listed(Interest.WRITE);
        List<Socket> except = listed(Interest.PRIORITY);
        Ready<Socket> ready = select.select(read, write, except, Duration.ZERO);
        checkOrder("readable", ready.readable(), read);
        checkOrder("writable", ready.writable(), write);
        checkOrder("exceptional", ready.exceptional(), except);
        Map<Long, Integer> events = new LinkedHashMap<>();
        add(events, ready.readable(), Interest.READ);
        add(events, ready.writable(), Interest.WRITE);
        add(events, ready.exceptional(), Interest.PRIORITY);
        checkReported(out, events);
        out.clear();
        for (Map.Entry<Long, Integer> event : events.entrySet()) {
            if (!out.isFull()) {
                out.add(event.getKey(), event.getValue());
            }
        }
        return out.size();
    }

    private List<Socket> listed(int interest) {
        List<Socket> listed = new ArrayList<>();
        sockets.forEach((socket, watched) -> {
            if ((watched.interest() & interest) != 0 && socket.isOpen()) {
                listed.add(socket);
            }
        });
        return listed;
    }

    private void add(Map<Long, Integer> events, List<Socket> ready, int bit) {
        for (Socket socket : ready) {
            Watched watched = sockets.get(socket);
            if (watched != null) {
                events.merge(watched.token(), bit, (one, other) -> one | other);
            }
        }
    }

    /** The result is a part of the list, in the same order. */
    private void checkOrder(String name, List<Socket> ready, List<Socket> listed) {
        int at = 0;
        for (Socket socket : ready) {
            while (at < listed.size() && !listed.get(at).equals(socket)) {
                at++;
            }
            if (at++ >= listed.size()) {
                context.failures.report(Rule.ORDER, "select returns " + socket + " as " + name
                        + ", which was not listed, or in another order");
                return;
            }
        }
    }

    private void checkReported(ReadyEvents reported, Map<Long, Integer> events) {
        if (context.hasFired(Fault.READY_SPURIOUS)) {
            return;
        }
        for (Map.Entry<Socket, Watched> each : sockets.entrySet()) {
            Watched watched = each.getValue();
            for (int i = 0; i < reported.size(); i++) {
                int right = reported.token(i) == watched.token() ? Interest.fold(reported.events(i), watched.interest()) : 0;
                int selected = events.getOrDefault(watched.token(), 0);
                if ((right & ~selected) != 0) {
                    context.failures.report(Rule.GAUGES, "select reports " + each.getKey() + " as " + Interest.toString(selected)
                            + ", and it is " + Interest.toString(right));
                }
            }
        }
    }

    @Override
    public void register(Socket socket, int interest, long token) throws IOException {
        poller.register(socket, interest, token);
        sockets.put(socket, new Watched(interest, token));
    }

    @Override
    public void modify(Socket socket, int interest, long token) throws IOException {
        poller.modify(socket, interest, token);
        sockets.put(socket, new Watched(interest, token));
    }

    @Override
    public void deregister(Socket socket) throws IOException {
        sockets.remove(socket);
        poller.deregister(socket);
    }

    @Override
    public @Nullable Registration registration(Socket socket) {
        return poller.registration(socket);
    }

    @Override
    public void wakeup() {
        poller.wakeup();
    }

    @Override
    public void close() throws IOException {
        poller.close();
    }
}
