package io.trivet.contract;

import io.trivet.net.Completions;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Logs the completions of a proactor, one line for each.
 *
 * @param lines the lines, to which each completion is appended
 */
public record CompletionLog(List<String> lines) implements Completions {
    @Override
    public void accepted(long token, TcpStream stream) {
        lines.add("accepted");
    }

    @Override
    public void acceptFailed(long token, IOException failure) {
        lines.add("accept failed");
    }

    @Override
    public void connected(long handle) {
        lines.add("connected");
    }

    @Override
    public void received(long handle, ByteBuffer memory, int from, int to) {
        lines.add("received " + (to - from));
    }

    @Override
    public void urgent(long handle, byte b) {
        lines.add("urgent");
    }

    @Override
    public void inputEnded(long handle) {
        lines.add("input ended");
    }

    @Override
    public void sent(long handle, long bytes) {
        lines.add("sent");
    }

    @Override
    public void failed(long handle, IOException failure) {
        lines.add("failed " + ((NetworkException) failure).code());
    }

    @Override
    public void spinning(long handle, String description) {
        lines.add("spinning");
    }

    @Override
    public void closed(long handle) {
        lines.add("closed");
    }
}
