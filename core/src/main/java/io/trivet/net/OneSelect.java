package io.trivet.net;

import java.io.IOException;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/** {@link Network#selectOnce} over a poller that is opened for the one call: slower than poll(2), and right for every engine. */
final class OneSelect {
    private OneSelect() {}

    static int over(Network network, Socket[] sockets, int[] interests, int count, long timeoutNanos) throws IOException {
        // A poller knows each socket once, a call may name it several times: entries of one socket share its first index. Where
        // sockets have numbers, two objects with the same number are one socket.
        boolean numbered = network.supports(Capability.DESCRIPTORS);
        Map<Object, Integer> firstIndex = numbered ? new HashMap<>() : new IdentityHashMap<>();
        int[] first = new int[count];
        int[] together = new int[count];
        for (int i = 0; i < count; i++) {
            Integer earlier = firstIndex.putIfAbsent(numbered ? (Object) sockets[i].fd() : sockets[i], i);
            first[i] = earlier == null ? i : earlier;
            together[first[i]] |= interests[i];
        }
        int[] ready = new int[count];
        try (Poller poller = network.poller()) {
            for (int i = 0; i < count; i++) {
                if (first[i] == i) {
                    poller.register(sockets[i], together[i], i);
                }
            }
            await(poller, network.clock(), sockets, together, ready, timeoutNanos);
        }
        int answered = 0;
        for (int i = 0; i < count; i++) {
            interests[i] &= ready[first[i]];
            answered += interests[i] == 0 ? 0 : 1;
        }
        return answered;
    }

    private static void await(Poller poller, Clock clock, Socket[] sockets, int[] interests, int[] ready, long timeoutNanos)
            throws IOException {
        ReadyEvents out = new ReadyEvents(Math.max(1, interests.length));
        long begun = clock.nanoTime();
        long left = timeoutNanos;
        boolean found = false;
        while (true) {
            int events = poller.poll(out, left);
            for (int i = 0; i < events; i++) {
                int index = (int) out.token(i);
                ready[index] = Interest.fold(out.events(i), interests[index]);
                if (ready[index] != 0) {
                    found = true;
                } else {
                    // A hang-up that nobody asked about would end every further wait: that socket has nothing more to say.
                    poller.modify(sockets[index], 0, index);
                }
            }
            boolean over = timeoutNanos >= 0 || Thread.currentThread().isInterrupted();
            if (found || (events == 0 && over)) {
                return;
            }
            left = timeoutNanos <= 0 ? timeoutNanos : Math.max(0, timeoutNanos - (clock.nanoTime() - begun));
        }
    }
}
