package io.trivet.sim.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How short of memory the kernel's TCP is. Under memory pressure it shrinks the buffers of all sockets, and reports sockets as
 * readable below their low-water mark. Then it does not behave as the simulation expects, which has no other processes.
 *
 * @param count how often pressure has started ({@code TCPMemoryPressures} of {@code /proc/net/netstat})
 * @param milliseconds how long it has lasted so far, except for one that still lasts ({@code TCPMemoryPressuresChrono})
 * @param pages the pages that all TCP sockets of the machine use ({@code mem} of {@code /proc/net/sockstat})
 * @param pagesMax the pages at which pressure starts (the second value of {@code net.ipv4.tcp_mem})
 */
record TcpMemoryPressure(long count, long milliseconds, long pages, long pagesMax) {
    /** Reads the current values. Values that this kernel does not have are 0. */
    static TcpMemoryPressure now() throws IOException {
        return parse(lines("/proc/net/netstat"), lines("/proc/net/sockstat"), lines("/proc/sys/net/ipv4/tcp_mem"));
    }

    private static List<String> lines(String file) throws IOException {
        return Files.isReadable(Path.of(file)) ? Files.readAllLines(Path.of(file)) : List.of();
    }

    static TcpMemoryPressure parse(List<String> netstat, List<String> sockstat, List<String> tcpMem) {
        long pages = 0;
        for (String line : sockstat) {
            List<String> words = List.of(line.trim().split("\\s+"));
            if (words.getFirst().equals("TCP:")) {
                pages = after(words, "mem");
            }
        }
        List<String> limits = tcpMem.isEmpty() ? List.of() : List.of(tcpMem.getFirst().trim().split("\\s+"));
        return new TcpMemoryPressure(counter(netstat, "TCPMemoryPressures"), counter(netstat, "TCPMemoryPressuresChrono"), pages,
                limits.size() < 2 ? 0 : Long.parseLong(limits.get(1)));
    }

    private static long after(List<String> words, String name) {
        int at = words.indexOf(name);
        return at < 0 || at + 1 == words.size() ? 0 : Long.parseLong(words.get(at + 1));
    }

    /** Returns a counter of netstat, which has a line of names above each line of values. */
    private static long counter(List<String> netstat, String name) {
        for (int i = 0; i + 1 < netstat.size(); i += 2) {
            List<String> names = List.of(netstat.get(i).trim().split("\\s+"));
            List<String> values = List.of(netstat.get(i + 1).trim().split("\\s+"));
            int at = names.indexOf(name);
            if (at > 0 && at < values.size()) {
                return Long.parseLong(values.get(at));
            }
        }
        return 0;
    }

    /** Returns the reason and the cure if there was memory pressure since an earlier moment, or is now; otherwise null. */
    @Nullable
    String since(TcpMemoryPressure earlier) {
        boolean lasts = pagesMax > 0 && (pages > pagesMax || earlier.pages > earlier.pagesMax);
        if (count == earlier.count && milliseconds == earlier.milliseconds && !lasts) {
            return null;
        }
        return "the kernel's TCP was short of memory meanwhile (TCPMemoryPressures of /proc/net/netstat: " + earlier.count
                + " before, " + count + " now; its sockets use " + pages + " pages of " + pagesMax
                + "). End the programs whose sockets hold much, or raise net.ipv4.tcp_mem, and run the scripts again";
    }
}
