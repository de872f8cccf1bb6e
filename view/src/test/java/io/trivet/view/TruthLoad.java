package io.trivet.view;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** Clients of every kind, until it is closed: they talk, flood, read slowly, come and go, end their output, or do nothing. */
final class TruthLoad implements AutoCloseable {
    private final InetSocketAddress server;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean closed;

    TruthLoad(InetSocketAddress server, long seed, int clients) {
        this.server = server;
        for (int i = 0; i < clients; i++) {
            int kind = i % 6;
            Random random = new Random(seed + i);
            threads.add(Thread.ofPlatform().daemon().name("client-" + i).start(() -> {
                while (!closed) {
                    try {
                        converse(kind, random);
                    } catch (IOException e) {
                        // It was cut off, or the test is over.
                    }
                }
            }));
        }
    }

    private void converse(int kind, Random random) throws IOException {
        try (Socket socket = new Socket()) {
            socket.setReceiveBufferSize(kind == 0 ? 64 << 10 : 4096);
            socket.setSoTimeout(20_000); // longer than the loops stand still: otherwise ever more clients would come
            socket.connect(server);
            switch (kind) {
                case 0 -> talk(socket, random, Integer.MAX_VALUE);
                case 1 -> flood(socket, random);
                case 2 -> readSlowly(socket, random);
                case 3 -> {
                    talk(socket, random, 1 + random.nextInt(20)); // at least one reply: while the loops stand still, no other client comes
                    if (random.nextBoolean()) {
                        send(socket, "q\n"); // the server finishes
                        pause(random, 200);
                    } else if (random.nextBoolean()) {
                        socket.setSoLinger(true, 0); // a reset
                    }
                }
                case 4 -> endOutput(socket, random);
                default -> {
                    if (random.nextBoolean()) {
                        socket.sendUrgentData('!');
                    }
                    pause(random, 500);
                }
            }
        }
    }

    private static String line(int length) {
        return "x".repeat(length) + "\n";
    }

    private static void send(Socket socket, String text) throws IOException {
        OutputStream out = socket.getOutputStream();
        out.write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private void talk(Socket socket, Random random, int times) throws IOException {
        for (int i = 0; i < times && !closed; i++) {
            int length = random.nextInt(3000);
            send(socket, line(length));
            if (socket.getInputStream().readNBytes(length + 1).length < length + 1) {
                return;
            }
            pause(random, 20);
        }
    }

    private void flood(Socket socket, Random random) throws IOException {
        Thread writer = Thread.ofVirtual().start(() -> {
            try {
                while (!closed) {
                    send(socket, line(random.nextInt(60_000)));
                }
            } catch (IOException e) {
                // The socket was closed.
            }
        });
        pause(random, 4000);
        if (random.nextInt(3) == 0) {
            drain(socket, random);
        }
        writer.interrupt();
    }

    private void readSlowly(Socket socket, Random random) throws IOException {
        for (int i = 0; i < 20 && !closed; i++) {
            send(socket, line(random.nextInt(30_000)));
        }
        drain(socket, random);
    }

    /** Sends more than the sockets hold, then ends its output, while it reads the replies. */
    private void endOutput(Socket socket, Random random) throws IOException {
        Thread.ofVirtual().start(() -> {
            try {
                for (int i = 0; i < 150 && !closed; i++) {
                    send(socket, line(50_000));
                }
                socket.shutdownOutput();
            } catch (IOException e) {
                // The socket was closed.
            }
        });
        drain(socket, random);
    }

    /** Reads a few KiB now and then, until the end of input or until nothing comes. */
    private void drain(Socket socket, Random random) throws IOException {
        InputStream in = socket.getInputStream();
        byte[] buffer = new byte[32 << 10];
        while (!closed && in.read(buffer) >= 0) {
            pause(random, 4);
        }
    }

    private static void pause(Random random, int millisMax) {
        LockSupport.parkNanos(random.nextLong(millisMax * 1_000_000L));
    }

    @Override
    public void close() {
        closed = true;
    }
}
