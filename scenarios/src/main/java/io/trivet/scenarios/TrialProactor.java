package io.trivet.scenarios;

import io.trivet.net.Completions;
import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A proactor whose calls can be made to fail, as those of a ring fail whose submission is refused; that can be behind; and whose
 * sockets can be full.
 */
final class TrialProactor implements Proactor {
    /** The calls that can fail. */
    enum Call {
        ACCEPT, ADOPT, CONNECT, RECEIVE, STOP_RECEIVING, WATCH_URGENT, SEND_URGENT, SEND, SHUTDOWN_OUTPUT
    }

    private final Proactor proactor;
    private final Map<Call, IOException> failures = new EnumMap<>(Call.class);
    private boolean behind;
    private boolean hasBehind;
    private boolean full;
    private long blockedHandle = -1;
    private boolean woken;
    private @Nullable IOException pollFailure;
    /** Called in the next poll, while it waits. */
    private @Nullable Runnable duringWait;

    TrialProactor(Proactor proactor) {
        this.proactor = proactor;
    }

    /** Makes the next call of a kind fail. */
    void failNext(Call call, IOException failure) {
        failures.put(call, failure);
    }

    /** Lets the calls of a kind succeed again. */
    void succeed(Call call) {
        failures.remove(call);
    }

    /** Returns true if a call that was to fail has not been made. */
    boolean stillFails(Call call) {
        return failures.containsKey(call);
    }

    /** Makes the next poll fail. */
    void failPoll(IOException failure) {
        pollFailure = failure;
    }

    /** Lets something happen in the next poll, before its completions. */
    void duringNextWait(Runnable action) {
        duringWait = action;
    }

    /** Sets what {@link #isBehind} returns. */
    void behind(boolean isBehind) {
        hasBehind = true;
        behind = isBehind;
    }

    /** Makes all sockets refuse bytes, until {@link #makeRoom}. */
    void fill() {
        full = true;
    }

    /** Lets sockets accept bytes again. The next poll reports the one that was refused last. */
    void makeRoom() {
        full = false;
    }

    /** Returns true if the loop was woken since the last call. */
    boolean takeWakeup() {
        boolean was = woken;
        woken = false;
        return was;
    }

    private void failIfAsked(Call call) throws IOException {
        IOException failure = failures.remove(call);
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        failIfAsked(Call.ACCEPT);
        proactor.accept(listener, token);
    }

    @Override
    public void stopAccepting(TcpListener listener) throws IOException {
        proactor.stopAccepting(listener);
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        failIfAsked(Call.ADOPT);
        return proactor.adopt(stream);
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        failIfAsked(Call.CONNECT);
        return proactor.connect(address);
    }

    @Override
    public long connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        failIfAsked(Call.CONNECT);
        return proactor.connect(address, local);
    }

    @Override
    public void receive(long handle) throws IOException {
        failIfAsked(Call.RECEIVE);
        proactor.receive(handle);
    }

    @Override
    public void stopReceiving(long handle) throws IOException {
        failIfAsked(Call.STOP_RECEIVING);
        proactor.stopReceiving(handle);
    }

    @Override
    public void watchUrgent(long handle) throws IOException {
        failIfAsked(Call.WATCH_URGENT);
        proactor.watchUrgent(handle);
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        failIfAsked(Call.SEND_URGENT);
        return proactor.sendUrgent(handle, b);
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        failIfAsked(Call.SEND);
        if (full) {
            blockedHandle = handle;
            return 0;
        }
        return proactor.send(handle, parts, from, count);
    }

    @Override
    public long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        failIfAsked(Call.SEND);
        if (full) {
            blockedHandle = handle;
            return 0;
        }
        return proactor.sendNow(handle, parts, from, count);
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        failIfAsked(Call.SHUTDOWN_OUTPUT);
        proactor.shutdownOutput(handle);
    }

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        int delivered = 0;
        IOException failure = pollFailure;
        if (failure != null) {
            pollFailure = null;
            throw failure;
        }
        Runnable action = duringWait;
        if (action != null) {
            duringWait = null;
            action.run();
        }
        if (!full && blockedHandle >= 0) {
            long handle = blockedHandle;
            blockedHandle = -1;
            completions.sent(handle, 0);
            delivered++;
        }
        return delivered + proactor.poll(completions, timeoutNanos);
    }

    @Override
    public boolean isBehind() {
        return hasBehind ? behind : proactor.isBehind();
    }

    @Override
    public void close(long handle) {
        forget(handle);
        proactor.close(handle);
    }

    @Override
    public void reset(long handle) {
        forget(handle);
        proactor.reset(handle);
    }

    private void forget(long handle) {
        blockedHandle = blockedHandle == handle ? -1 : blockedHandle;
    }

    // ---- delegated unchanged

    @Override
    public long sendFile(long handle, SendableFile file, long position, long count) throws IOException {
        return proactor.sendFile(handle, file, position, count);
    }

    @Override
    public long unsentBytes(long handle) {
        return proactor.unsentBytes(handle);
    }

    @Override
    public <T> void setOption(long handle, SocketOption<T> option, T value) throws IOException {
        proactor.setOption(handle, option, value);
    }

    @Override
    public <T> T getOption(long handle, SocketOption<T> option) throws IOException {
        return proactor.getOption(handle, option);
    }

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        return proactor.remoteAddress(handle);
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        return proactor.localAddress(handle);
    }

    @Override
    public int interest(long handle) {
        return proactor.interest(handle);
    }

    @Override
    public void prepare() throws IOException {
        proactor.prepare();
    }

    @Override
    public long keptBytes() {
        return proactor.keptBytes();
    }

    @Override
    public long keptBytes(long handle) {
        return proactor.keptBytes(handle);
    }

    @Override
    public long ringBytes() {
        return proactor.ringBytes();
    }

    @Override
    public long bufferBytes() {
        return proactor.bufferBytes();
    }

    @Override
    public void wakeup() {
        woken = true;
        proactor.wakeup();
    }

    @Override
    public void close() throws IOException {
        proactor.close();
    }
}
