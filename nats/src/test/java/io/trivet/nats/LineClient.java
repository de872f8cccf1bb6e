package io.trivet.nats;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client that reads lines on a thread of its own, and checks messages and gaps with a ledger. */
final class LineClient implements AutoCloseable {
    private final Socket socket = new Socket();
    private final Ledger ledger;
    private final List<String> others = new ArrayList<>();
    private AssertionError failure;

    LineClient(InetSocketAddress address, String name) throws IOException {
        ledger = new Ledger(name);
        socket.connect(address);
        Thread.ofPlatform().daemon().start(this::read);
    }

    private void read() {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (this) {
                    if (!ledger.read(line.split(" "))) {
                        others.add(line);
                    }
                }
            }
        } catch (IOException e) {
            // The test has closed the socket.
        } catch (AssertionError e) {
            synchronized (this) {
                failure = e;
            }
        }
    }

    void send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns true if a line that is neither a message nor a gap has arrived. */
    synchronized boolean has(String start) {
        return others.stream().anyMatch(line -> line.startsWith(start));
    }

    /** Returns true if all of a publisher's messages have been received, or are reported as missed. Throws what the ledger has found. */
    synchronized boolean isComplete(String topic, ChatServer publisher) {
        if (failure != null) {
            throw failure;
        }
        return ledger.isComplete(Ledger.key(topic, publisher.relay.id()), publisher.accepted.getOrDefault(topic, 0L));
    }

    /** All later messages of a publisher are counted. */
    synchronized void startAt(String topic, ChatServer publisher, long number) {
        ledger.startAt(Ledger.key(topic, publisher.relay.id()), number);
    }

    synchronized long messages() {
        return ledger.messages;
    }

    synchronized long missed() {
        return ledger.missed;
    }

    @Override
    public synchronized String toString() {
        return ledger.toString() + failure;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
