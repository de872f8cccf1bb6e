package io.trivet.tls;

import io.trivet.net.Completions;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Logs the failures of connections, counts the reports of room, and ignores all other completions. */
final class FailureLog implements Completions {
    /** A connection has failed. */
    record Failure(long handle, IOException cause) {}

    final List<Failure> failures = new ArrayList<>();
    int reportsOfRoom;

    @Override
    public void accepted(long token, TcpStream stream) {}

    @Override
    public void acceptFailed(long token, IOException failure) {}

    @Override
    public void connected(long handle) {}

    @Override
    public void received(long handle, ByteBuffer memory, int from, int to) {}

    @Override
    public void sent(long handle, long bytes) {
        reportsOfRoom++;
    }

    @Override
    public void inputEnded(long handle) {}

    @Override
    public void failed(long handle, IOException failure) {
        failures.add(new Failure(handle, failure));
    }

    @Override
    public void urgent(long handle, byte b) {}

    @Override
    public void inputTruncated(long handle, IOException failure) {}

    @Override
    public void spinning(long handle, String description) {}

    @Override
    public void closed(long handle) {}
}
