package io.trivet.net;

import java.io.IOException;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Implements {@link Network#selectOnce} with a poller that is opened for one call. Slower than poll(2), but correct for every
 * engine.
 */
final class PollerBackedSelect {
    private PollerBackedSelect() {}

    static int select(Network network, Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        // A poller accepts each socket once, but the caller may list it several times: the entries of one socket share its first
        // index. Where sockets have descriptors, two objects with the same descriptor are one socket.
        boolean hasDescriptors = network.supports(Capability.DESCRIPTORS);
        Map<Object, Integer> firstIndex = hasDescriptors ? new HashMap<>() : new IdentityHashMap<>();
        int[] first = new int[count];
        int[] combined = new int[count];
        for (int i = 0; i < count; i++) {
            Integer previous = firstIndex.putIfAbsent(hasDescriptors ? (Object) sockets[i].fd() : sockets[i], i);
            first[i] = previous == null ? i : previous;
            combined[first[i]] |= interests[i];
        }
        int[] ready = new int[count];
        try (Poller poller = network.poller()) {
            for (int i = 0; i < count; i++) {
                if (first[i] == i) {
                    poller.register(sockets[i], combined[i], i);
                }
            }
            await(poller, network.clock(), sockets, combined, ready, timeoutNanos);
        }
        int readyCount = 0;
        for (int i = 0; i < count; i++) {
            interests[i] &= ready[first[i]];
            readyCount += interests[i] == 0 ? 0 : 1;
        }
        return readyCount;
    }

    private static void await(Poller poller, Clock clock, Socket[] sockets, int[] interests, int[] ready, long timeoutNanos)
            throws IOException {
        ReadyEvents out = new ReadyEvents(Math.max(1, interests.length));
        long start = clock.nanoTime();
        long remaining = timeoutNanos;
        boolean anyReady = false;
        while (true) {
            int events = poller.poll(out, remaining);
            for (int i = 0; i < events; i++) {
                int index = (int) out.token(i);
                ready[index] = Interest.fold(out.events(i), interests[index]);
                if (ready[index] != 0) {
                    anyReady = true;
                } else {
                    // A hang-up that was not asked for would end every further wait. The socket cannot report anything else, so
                    // stop watching it.
                    poller.modify(sockets[index], 0, index);
                }
            }
            boolean over = timeoutNanos >= 0 || Thread.currentThread().isInterrupted();
            if (anyReady || (events == 0 && over)) {
                return;
            }
            remaining = timeoutNanos <= 0 ? timeoutNanos : Math.max(0, timeoutNanos - (clock.nanoTime() - start));
        }
    }
}
