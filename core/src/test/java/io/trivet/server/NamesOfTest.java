package io.trivet.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Host names that a test sets. A lookup waits until {@link #answer}, as with a slow resolver. One thread. */
final class NamesOfTest {
    private final Map<String, InetAddress[]> addresses = new TreeMap<>();
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();

    /** Sets the addresses of a name, as literals. */
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

    /** Ends all lookups that have started. */
    void answer() {
        for (Runnable lookup = waiting.pollFirst(); lookup != null; lookup = waiting.pollFirst()) {
            lookup.run();
        }
    }
}
