package io.trivet.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Host names as a test dictates them. A lookup waits until {@link #answer}, as a slow resolver does. One thread. */
final class NamesOfTest {
    private final Map<String, InetAddress[]> addresses = new TreeMap<>();
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();

    /** Gives a name its addresses, as literals. */
    void put(String host, String... literals) {
        addresses.put(host, Arrays.stream(literals).map(InetAddress::ofLiteral).toArray(InetAddress[]::new));
    }

    HostLookup lookup() {
        return new HostLookup(this::resolve, waiting::addLast);
    }

    private InetAddress[] resolve(String host) throws UnknownHostException {
        InetAddress[] found = addresses.get(host);
        if (found == null) {
            throw new UnknownHostException(host + ": Name or service not known");
        }
        return found;
    }

    /** Lets all lookups end that have started. */
    void answer() {
        for (Runnable lookup = waiting.pollFirst(); lookup != null; lookup = waiting.pollFirst()) {
            lookup.run();
        }
    }
}
