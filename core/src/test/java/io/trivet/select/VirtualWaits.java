package io.trivet.select;

import io.trivet.net.Network;
import io.trivet.net.UdpSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A program with a limited number of carriers. Virtual threads wait with select, each for a socket of its own. When all wait, each gets a
 * datagram. Arguments: a network's name, the number of threads, and the longest time in seconds until all have woken.
 */
final class VirtualWaits {
    private static final InetSocketAddress FREE_PORT = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);

    private VirtualWaits() {}

    public static void main(String[] arguments) throws Exception {
        Network network = Network.named(arguments[0]);
        int count = Integer.parseInt(arguments[1]);
        Duration patience = Duration.ofSeconds(Long.parseLong(arguments[2]));
        List<UdpSocket> sockets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sockets.add(network.udp(FREE_PORT));
        }
        CountDownLatch started = new CountDownLatch(count);
        CountDownLatch woken = new CountDownLatch(count);
        AtomicInteger wrong = new AtomicInteger();
        AtomicIntegerArray sent = new AtomicIntegerArray(count);
        for (int i = 0; i < count; i++) {
            int index = i;
            Thread.startVirtualThread(() -> {
                started.countDown();
                List<UdpSocket> own = List.of(sockets.get(index));
                try {
                    boolean ready = Select.on(network).select(own, List.of(), List.of(), patience).readable().equals(own);
                    wrong.addAndGet(ready && sent.get(index) == 1 ? 0 : 1);
                } catch (Throwable t) {
                    t.printStackTrace();
                    wrong.incrementAndGet();
                }
                woken.countDown();
            });
        }
        // If a wait held its carrier, no further thread would start when as many wait as there are carriers.
        boolean allStarted = started.await(patience.toSeconds(), TimeUnit.SECONDS);
        long waiting = woken.getCount();
        try (UdpSocket sender = network.udp(FREE_PORT)) {
            for (int i = 0; i < count; i++) {
                sent.set(i, 1);
                while (!sender.send(ByteBuffer.wrap(new byte[]{'!'}), sockets.get(i).localAddress())) {
                    Thread.onSpinWait();
                }
            }
        }
        boolean allWoken = woken.await(patience.toSeconds(), TimeUnit.SECONDS);
        System.out.println("started " + allStarted + ", waiting " + waiting + ", woken " + allWoken + ", wrong " + wrong);
        System.exit(0); // a thread that holds its carrier would not end
    }
}
