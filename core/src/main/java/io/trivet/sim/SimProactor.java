package io.trivet.sim;

import io.trivet.net.Completions;
import io.trivet.net.ErrorCode;
import io.trivet.net.Interest;
import io.trivet.net.NetworkException;
import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Completion as io_uring has it, over simulated sockets. A receive repeats itself, into buffers of which there are few, until it ends by
 * itself, finds no buffer, or is cancelled, which may come too late. A short send is pending until the kernel has looked at it, which reads
 * its memory only then, and takes what there is room for. What has completed is told in order for each connection, and in no certain order
 * between them. A connection is closed, and that is told, when its last operation has ended.
 */
final class SimProactor implements Proactor {
    /** Longer sends are made at once. */
    private static final int RING_SEND_BYTES_MAX = 16 * 1024;
    private static final int RING_PARTS_MAX = 16;
    private static final int ACCEPTS_PER_POLL = 64;
    /** The completions of one receive in a row, then others get their turn. */
    private static final int RECEIVES_IN_A_ROW = 32;
    private static final long LATE_NANOS_MIN = 1_000;
    private static final long LATE_NANOS_MAX = 10_000_000;

    /** What has completed. */
    private enum Kind {
        /** Bytes in a buffer. */
        RECEIVED,
        /** The receive has ended: no buffer was free, it was cancelled, or it ended by itself. */
        RECEIVE_ENDED, INPUT_ENDED, FAILED,
        /** A pending send has gone out, as far as there was room, or was cancelled. */
        SENT,
        /** There is room again. */
        ROOM, CONNECTED
    }

    /** One entry of the completion queue. */
    private static final class Completed {
        @Nullable Connection connection;
        Kind kind = Kind.ROOM;
        int buffer;
        int bytes;
        @Nullable IOException failure;
        long notBeforeNanos;
    }

    /** A slot, and the connection that has it. */
    private final class Connection extends OpenFile.Watcher {
        final int slot;
        int generation;
        @Nullable SimTcpStream stream;
        boolean touched;
        boolean connecting;
        boolean wantsInput;
        boolean urgent;
        /** A receive is under way; until its last completion was told. */
        boolean receiving;
        /** The kernel has told its last. */
        boolean receiveOver;
        boolean cancels;
        /** With urgent data watched: the poll found nothing ready, and waits. */
        boolean pollWaits;
        /** And has said that there is something to read, when no buffer was free. */
        boolean owesRead;
        @Nullable RingSend send;
        /** The send has completed, and was not told yet. */
        boolean sendOver;
        boolean awaitsRoom;
        boolean roomTold;
        boolean endsOutput;
        boolean failed;
        boolean closing;
        boolean gone;
        /** It stands among those that found no buffer. */
        boolean starves;
        /** Completions that were not told yet. */
        int waiting;
        /** One of them must not overtake another. */
        long notBeforeNanos;
        /** The last poll had to leave something of it behind. */
        boolean held;

        Connection(int slot) {
            this.slot = slot;
        }

        TcpEnd end() {
            return stream().end;
        }

        SimTcpStream stream() {
            return Objects.requireNonNull(stream);
        }

        long handle() {
            return (long) generation << 32 | slot;
        }

        @Override
        void changed(int what) {
            touch(this);
        }

        void clear() {
            stream = null;
            connecting = false;
            wantsInput = false;
            urgent = false;
            receiving = false;
            receiveOver = false;
            cancels = false;
            pollWaits = false;
            owesRead = false;
            sendOver = false;
            awaitsRoom = false;
            roomTold = false;
            endsOutput = false;
            failed = false;
            closing = false;
            gone = false;
            notBeforeNanos = 0;
        }
    }

    /** A listener, and who is told. */
    private final class Accepting extends OpenFile.Watcher {
        final SimTcpListener listener;
        final OpenFile file;
        final long token;
        boolean stopped;

        Accepting(SimTcpListener listener, long token) throws IOException {
            this.listener = listener;
            this.file = listener.file();
            this.token = token;
            file.watch(this);
        }

        @Override
        void changed(int what) {
            waitQueue.wake();
        }
    }

    /** What stands in the descriptor table for the ring itself. */
    private static final class Ring extends OpenFile {
        Ring(Kernel kernel) {
            super(kernel);
        }

        @Override
        int ready() {
            return 0;
        }

        @Override
        void release() {}

        @Override
        public String toString() {
            return "ring";
        }
    }

    private final Agenda.Event reminder = new Agenda.Event() {
        @Override
        void happen() {
            waitQueue.wake();
            kernel.progress();
        }
    };

    private final SimHost host;
    private final Kernel kernel;
    private final Faults faults;
    private final Rota.WaitQueue waitQueue;
    private final RingBuffers buffers;
    private final int number;
    private final List<Connection> slots = new ArrayList<>();
    private int[] freeSlots = new int[16];
    private int freeCount;
    private final List<Accepting> listeners = new ArrayList<>();
    private final List<RingSend> idleSends = new ArrayList<>();
    /** Connections to look at: something may have changed. */
    private Connection[] touched = new Connection[16];
    private int touchedCount;
    private Connection[] looking = new Connection[16];
    private final List<Connection> gone = new ArrayList<>();
    /** Those that found no free buffer. */
    private final ArrayDeque<Connection> starved = new ArrayDeque<>();
    /** Those to look at again at a time, and the earliest of these. */
    private final List<Connection> later = new ArrayList<>();
    private long laterNanos = Agenda.NEVER;
    /** What the poll under way has told so far. */
    private int told;
    /** The completion queue, in order. */
    private @Nullable Completed[] queue = new @Nullable Completed[32];
    private int queued;
    /** The buffer whose bytes are being told just now; negative: none. */
    private int telling = -1;
    /** There is something to do that nothing will tell of. */
    private boolean again;
    private boolean polling;
    private volatile boolean woken;
    private volatile boolean closed;

    SimProactor(SimHost host) throws IOException {
        this.host = host;
        this.kernel = host.kernel;
        this.faults = host.faults;
        this.waitQueue = kernel.rota.waitQueue();
        this.buffers = new RingBuffers(kernel.sizes);
        this.number = host.descriptors.add(new Ring(kernel), "io_uring_setup", null);
    }

    // Beginning.

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        SimTcpListener ours = (SimTcpListener) host.own(listener);
        ours.checkOpen();
        listeners.add(new Accepting(ours, token));
        waitQueue.wake();
        kernel.progress();
    }

    @Override
    public void stopAccepting(TcpListener listener) {
        for (int i = listeners.size() - 1; i >= 0; i--) {
            Accepting accepting = listeners.get(i);
            if (accepting.listener.equals(listener)) {
                accepting.stopped = true;
                accepting.file.unwatch(accepting);
                listeners.remove(i);
            }
        }
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        SimTcpStream ours = (SimTcpStream) host.own(stream);
        ours.checkOpen();
        return add(ours).handle();
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        Connection connection = add((SimTcpStream) host.connect(address));
        connection.connecting = true;
        return connection.handle();
    }

    private Connection add(SimTcpStream stream) {
        Connection connection;
        if (freeCount > 0) {
            connection = slots.get(freeSlots[--freeCount]);
        } else {
            connection = new Connection(slots.size());
            slots.add(connection);
        }
        connection.stream = stream;
        stream.end.watch(connection);
        touch(connection);
        return connection;
    }

    private @Nullable Connection find(long handle) {
        int slot = Proactor.slot(handle);
        Connection connection = slot < slots.size() ? slots.get(slot) : null;
        return connection != null && connection.stream != null && !connection.closing
                && connection.generation == (int) (handle >>> 32) ? connection : null;
    }

    private void touch(Connection connection) {
        if (!connection.touched) {
            connection.touched = true;
            if (touchedCount == touched.length) {
                touched = Arrays.copyOf(touched, touchedCount * 2);
            }
            touched[touchedCount++] = connection;
            waitQueue.wake();
            kernel.progress();
        }
    }

    @Override
    public void receive(long handle) {
        Connection connection = find(handle);
        if (connection != null && !connection.failed) {
            connection.wantsInput = true;
            touch(connection);
        }
    }

    @Override
    public void stopReceiving(long handle) {
        Connection connection = find(handle);
        if (connection != null && connection.wantsInput) {
            connection.wantsInput = false;
            cancelReceive(connection);
        }
    }

    @Override
    public void watchUrgent(long handle) {
        Connection connection = find(handle);
        if (connection != null) {
            connection.urgent = true;
            cancelReceive(connection);
        }
    }

    /** What is under way may complete all the same, before the cancellation takes hold. */
    private void cancelReceive(Connection connection) {
        if (connection.receiving && !connection.receiveOver) {
            connection.cancels = true;
            if (!faults.happens(SimFault.CANCEL_LOSES)) {
                connection.cancels = false;
                endReceive(connection);
            }
        }
        touch(connection);
    }

    @Override
    public boolean sendUrgent(long handle, byte b) throws IOException {
        Connection connection = find(handle);
        return connection != null && connection.stream().sendUrgent(b);
    }

    @Override
    public long send(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send(handle, parts, from, count, true);
    }

    @Override
    public long sendNow(long handle, ByteBuffer[] parts, int from, int count) throws IOException {
        return send(handle, parts, from, count, false);
    }

    private long send(long handle, ByteBuffer[] parts, int from, int count, boolean mayBePending) throws IOException {
        Objects.checkFromIndexSize(from, count, parts.length);
        Connection connection = find(handle);
        if (connection == null) {
            return 0;
        }
        if (connection.send != null) {
            throw new IllegalStateException("a send is pending already on " + connection.stream());
        }
        long length = 0;
        boolean direct = mayBePending;
        for (int i = from; i < from + count; i++) {
            length += parts[i].remaining();
            direct &= parts[i].isDirect();
        }
        if (length == 0) {
            return 0;
        }
        if (direct && length <= RING_SEND_BYTES_MAX && count <= RING_PARTS_MAX && !connection.connecting && !connection.failed) {
            begin(connection, parts, from, count, (int) length);
            return PENDING;
        }
        long taken = connection.stream().write(parts, from, count);
        if (taken < length) {
            connection.awaitsRoom = true;
            touch(connection);
        }
        return taken;
    }

    private void begin(Connection connection, ByteBuffer[] parts, int from, int count, int length) {
        RingSend send = idleSends.isEmpty() ? new RingSend() : idleSends.removeLast();
        send.begin(parts, from, count, length);
        send.dueNanos = faults.happens(SimFault.SEND_LATE) ? kernel.now() + late(SimFault.SEND_LATE) : 0;
        for (int i = from; i < from + count && telling >= 0 && send.buffer < 0; i++) {
            if (buffers.holds(telling, parts[i])) {
                send.buffer = telling;
                buffers.hold(telling);
            }
        }
        connection.send = send;
        touch(connection);
    }

    @Override
    public void shutdownOutput(long handle) throws IOException {
        Connection connection = find(handle);
        if (connection == null) {
            return;
        }
        if (connection.send != null) {
            connection.endsOutput = true;
        } else {
            connection.stream().shutdownOutput();
        }
    }

    @Override
    public void close(long handle) {
        Connection connection = find(handle);
        if (connection != null) {
            connection.closing = true;
            RingSend send = connection.send;
            if (send != null && !connection.sendOver && faults.happens(SimFault.CANCEL_LOSES)) {
                send.outlivesClose = true;
                send.dueNanos = kernel.now() + late(SimFault.CANCEL_LOSES); // it is being done just now, which takes its time
            } else if (send != null && !send.tried) {
                send.outlivesClose = true; // what is handed over together with a cancellation stands before it
            }
            touch(connection);
        }
    }

    // What the kernel does, when it is entered.

    private void enter(Completions completions) throws IOException {
        for (int i = starved.size(); i > 0 && buffers.hasFree(); i--) { // first, or one that is flooded would have every buffer
            Connection connection = starved.removeFirst();
            connection.starves = false;
            look(connection, completions);
        }
        int count = touchedCount;
        Connection[] now = touched;
        touched = looking;
        looking = now;
        touchedCount = 0;
        for (int i = 0; i < count; i++) {
            now[i].touched = false;
            look(now[i], completions);
        }
    }

    private void look(Connection connection, Completions completions) throws IOException {
        if (connection.gone || connection.stream == null) {
            return;
        }
        RingSend send = connection.sendOver ? null : connection.send;
        // Who waits for room is told last, as by a ring: what came before a reset is told before the reset.
        boolean waitsForRoom = send != null && send.tried && !connection.closing && !connection.failed;
        if (send != null && !waitsForRoom) {
            advanceSend(connection);
        }
        if (connection.closing) {
            advanceClose(connection);
            return;
        }
        if (connection.failed) {
            return;
        }
        if (connection.connecting) {
            advanceConnect(connection);
            return;
        }
        if (connection.urgent) {
            advanceByReadiness(connection, completions);
        } else {
            advanceReceive(connection);
        }
        if (waitsForRoom) {
            advanceSend(connection);
        }
        if (connection.awaitsRoom && !connection.roomTold
                && (connection.end().ready() & (Interest.WRITE | Interest.ERROR)) != 0) {
            connection.roomTold = true;
            post(connection, Kind.ROOM);
        }
    }

    private void advanceConnect(Connection connection) {
        if (connection.roomTold) {
            return; // it has an answer already
        }
        try {
            if (connection.stream().finishConnect()) {
                connection.stream().setOption(StandardSocketOptions.TCP_NODELAY, true);
                connection.roomTold = true;
                post(connection, Kind.CONNECTED);
            } else if (!connection.end().isConnecting()) {
                touch(connection); // it was told late
            }
        } catch (IOException e) {
            connection.roomTold = true;
            post(connection, Kind.FAILED).failure = e;
        }
    }

    private void advanceReceive(Connection connection) {
        if (!connection.receiving && connection.wantsInput) {
            if (!buffers.hasFree()) {
                starve(connection);
                return;
            }
            connection.receiving = true;
            connection.receiveOver = false;
            connection.cancels = false;
        }
        if (!connection.receiving || connection.receiveOver) {
            return;
        }
        for (int i = 0; i < RECEIVES_IN_A_ROW; i++) {
            if (!receiveOnce(connection)) {
                break;
            }
        }
        if (connection.cancels && !connection.receiveOver) {
            connection.cancels = false;
            kernel.tell(SimFault.CANCEL_LOSES, connection.stream());
            endReceive(connection);
        }
        if (!connection.receiveOver && connection.end().in.unread() > 0) {
            touch(connection);
        }
    }

    private void endReceive(Connection connection) {
        connection.receiveOver = true;
        post(connection, Kind.RECEIVE_ENDED);
    }

    /** One completion of a receive; false: there is nothing more for now. */
    private boolean receiveOnce(Connection connection) {
        TcpEnd end = connection.end();
        if (end.in.unread() == 0) {
            return receiveEnd(connection);
        }
        if (!buffers.hasFree() || faults.happens(SimFault.BUFFERS_EXHAUSTED)) {
            endReceive(connection); // ENOBUFS: it is begun anew when that was told
            return false;
        }
        int buffer = buffers.take();
        int most = Math.min(buffers.bytes(), end.readable());
        if (most > 1 && faults.happens(SimFault.SHORT_READ)) {
            most = faults.random(SimFault.SHORT_READ).part(most);
        }
        int count = end.read(buffers.place(buffer), most);
        if (count == 0) { // the urgent byte alone, which is lost by that
            release(buffer);
            return receiveEnd(connection);
        }
        Completed completed = post(connection, Kind.RECEIVED);
        completed.buffer = buffer;
        completed.bytes = count;
        if (faults.happens(SimFault.MULTISHOT_ENDS)) {
            endReceive(connection);
            return false;
        }
        return true;
    }

    private boolean receiveEnd(Connection connection) {
        TcpEnd end = connection.end();
        ErrorCode error = end.isInputDone() ? null : end.takeError();
        if (error != null) {
            connection.receiveOver = true;
            post(connection, Kind.FAILED).failure = new NetworkException("recv", connection.stream(), error);
        } else if (end.isInputOver()) {
            connection.receiveOver = true;
            post(connection, Kind.INPUT_ENDED);
        }
        return false;
    }

    /** With urgent data watched: exceptional before readable, and one read. What is read is told at once. */
    private void advanceByReadiness(Connection connection, Completions completions) throws IOException {
        if (connection.receiving || connection.waiting > 0) {
            return; // what the ring has is told first
        }
        int ready = connection.end().ready();
        boolean isReady = Interest.fold(ready, Interest.READ | Interest.PRIORITY) != 0;
        // A poll that waited is told by a wake-up, and that says of an urgent byte that there is something to read, too.
        boolean seemsReadable = connection.pollWaits && (ready & Interest.PRIORITY) != 0;
        connection.pollWaits = !isReady && (connection.pollWaits || connection.wantsInput);
        if (!connection.wantsInput) {
            return;
        }
        if ((ready & Interest.PRIORITY) != 0) {
            try {
                int urgent = connection.stream().receiveUrgent();
                if (urgent >= 0) {
                    told++;
                    completions.urgent(connection.handle(), (byte) urgent);
                }
            } catch (IOException e) {
                post(connection, Kind.FAILED).failure = e;
                return;
            }
        }
        boolean readable = seemsReadable || connection.owesRead || Interest.fold(ready, Interest.READ) != 0;
        if (readable && connection.wantsInput && !connection.closing && !connection.failed) {
            readOnce(connection);
        }
        if (connection.wantsInput && (ready & Interest.PRIORITY) != 0) {
            touch(connection); // the poll begins anew, and finds its byte, if it could not be taken just now, or waits
        }
    }

    private void readOnce(Connection connection) {
        connection.owesRead = !buffers.hasFree();
        if (connection.owesRead) {
            starve(connection);
            return;
        }
        int buffer = buffers.take();
        try {
            int count = connection.stream().read(buffers.place(buffer));
            if (count > 0) {
                Completed completed = post(connection, Kind.RECEIVED);
                completed.buffer = buffer;
                completed.bytes = count;
                return;
            }
            if (count < 0) {
                post(connection, Kind.INPUT_ENDED);
            } else {
                touch(connection);
            }
        } catch (IOException e) {
            post(connection, Kind.FAILED).failure = e;
        }
        release(buffer);
    }

    /** Writes what there is room for. */
    private void advanceSend(Connection connection) {
        RingSend send = Objects.requireNonNull(connection.send);
        if (connection.failed || (connection.closing && !send.outlivesClose)) {
            endSend(connection);
            return;
        }
        if (send.dueNanos > kernel.now()) {
            touchAt(connection, send.dueNanos);
            return;
        }
        send.tried = true;
        TcpEnd end = connection.end();
        if (end.refusesWrites()) {
            ErrorCode error = end.takeError();
            post(connection, Kind.FAILED).failure = new NetworkException("send", connection.stream(),
                    error == null ? ErrorCode.EPIPE : error);
            endSend(connection);
            return;
        }
        int room = Math.min(send.left(), end.room());
        if (room > 1 && faults.happens(SimFault.SHORT_WRITE)) {
            room = faults.random(SimFault.SHORT_WRITE).part(room);
        }
        if (room > 0) {
            send.write(connection.stream(), end.out, room);
            if (kernel.isTraced()) {
                kernel.tell(end + " writes " + room);
            }
            end.out.push();
        }
        endSend(connection);
    }

    private void endSend(Connection connection) {
        connection.sendOver = true;
        post(connection, Kind.SENT);
    }

    private void advanceClose(Connection connection) {
        if (connection.receiving && !connection.receiveOver) {
            endReceive(connection);
        }
        if (!connection.receiving && connection.send == null && connection.waiting == 0) {
            connection.gone = true;
            SimTcpStream stream = connection.stream();
            stream.end.unwatch(connection);
            stream.close();
            gone.add(connection);
        }
    }

    private Completed post(Connection connection, Kind kind) {
        if (queued == queue.length) {
            queue = Arrays.copyOf(queue, queued * 2);
        }
        Completed completed = queue[queued];
        if (completed == null) {
            completed = new Completed();
            queue[queued] = completed;
        }
        queued++;
        if (faults.happens(SimFault.COMPLETION_LATE)) {
            connection.notBeforeNanos = Math.max(connection.notBeforeNanos, kernel.now() + late(SimFault.COMPLETION_LATE));
        }
        completed.connection = connection;
        completed.kind = kind;
        completed.notBeforeNanos = connection.notBeforeNanos;
        completed.failure = null;
        connection.waiting++;
        return completed;
    }

    private long late(SimFault fault) {
        return faults.random(fault).between(LATE_NANOS_MIN, LATE_NANOS_MAX);
    }

    private void remind(long nanos) {
        if (nanos > kernel.now() && (!reminder.isScheduled() || reminder.timeNanos() > nanos)) {
            kernel.agenda.schedule(reminder, nanos);
        }
    }

    private void touchAt(Connection connection, long nanos) {
        later.add(connection);
        laterNanos = Math.min(laterNanos, nanos);
        remind(nanos);
    }

    private void touchAll(List<Connection> some) {
        for (int i = 0; i < some.size(); i++) {
            touch(some.get(i));
        }
        some.clear();
    }

    private void starve(Connection connection) {
        if (!connection.starves) {
            connection.starves = true;
            starved.add(connection);
        }
    }

    /** Nobody holds a buffer any more: who found none may begin anew. */
    private void release(int buffer) {
        buffers.release(buffer);
        if (!starved.isEmpty()) {
            again = true;
            waitQueue.wake();
            kernel.progress();
        }
    }

    // Telling.

    @Override
    public int poll(Completions completions, long timeoutNanos) throws IOException {
        if (closed) {
            throw new IllegalStateException("the proactor is closed");
        }
        if (polling) {
            throw new IllegalStateException("the proactor is being polled: one at a time");
        }
        polling = true;
        try {
            told = 0;
            long limit = host.waitLimit(timeoutNanos);
            tellGone(completions);
            while (true) {
                kernel.happen();
                if (laterNanos <= kernel.now()) {
                    laterNanos = Agenda.NEVER;
                    touchAll(later);
                } else if (laterNanos != Agenda.NEVER) {
                    remind(laterNanos); // it may have been set for something else that came before
                }
                enter(completions);
                tell(completions);
                acceptAll(completions);
                tellGone(completions);
                boolean over = told > 0 || woken;
                woken = false;
                boolean more = again || touchedCount > 0;
                if (more && limit >= 0) {
                    remind(kernel.now() + Kernel.ROUND_NANOS); // a wait may not pass that by
                }
                again = false;
                if (over || !host.awaits(limit)) {
                    waitQueue.polled(!more);
                    if (told > 0) {
                        kernel.progress();
                    }
                    return told;
                }
            }
        } finally {
            polling = false;
        }
    }

    private void acceptAll(Completions completions) throws IOException {
        for (int i = listeners.size() - 1; i >= 0; i--) {
            Accepting accepting = i < listeners.size() ? listeners.get(i) : null;
            if (accepting == null) {
                continue; // an accepted connection stopped some
            }
            for (int accepted = 0; accepted < ACCEPTS_PER_POLL && !accepting.stopped; accepted++) {
                TcpStream stream;
                try {
                    stream = accepting.listener.accept();
                } catch (IOException e) {
                    told++;
                    completions.acceptFailed(accepting.token, e);
                    break;
                }
                if (stream == null) {
                    break;
                }
                told++;
                completions.accepted(accepting.token, stream);
            }
            if (!accepting.stopped && accepting.listener.isOpen() && accepting.file.ready() != 0) {
                again = true; // somebody still waits
                kernel.progress();
            }
        }
    }

    /** Tells what has completed, but for what is late. What is told may begin, stop and close; nothing completes meanwhile. */
    private void tell(Completions completions) {
        int count = queued;
        int kept = 0;
        boolean overflows = false;
        for (int i = 0; i < count; i++) {
            Completed completed = Objects.requireNonNull(queue[i]);
            Connection connection = Objects.requireNonNull(completed.connection);
            overflows = overflows || faults.happens(SimFault.COMPLETIONS_OVERFLOW);
            if (overflows || connection.held || completed.notBeforeNanos > kernel.now()) {
                connection.held = true;
                remind(completed.notBeforeNanos);
                queue[i] = queue[kept];
                queue[kept++] = completed;
            } else {
                connection.waiting--;
                tell(completed, connection, completions);
                completed.connection = null;
                completed.failure = null;
            }
        }
        // Nothing is posted by what is called back, but for cancelled receives: these stand behind what was there.
        for (int i = count; i < queued; i++) {
            Completed completed = queue[i];
            queue[i] = queue[kept];
            queue[kept++] = completed;
        }
        queued = kept;
        for (int i = 0; i < kept; i++) {
            Objects.requireNonNull(Objects.requireNonNull(queue[i]).connection).held = false;
        }
        if (overflows) {
            again = true;
            kernel.progress();
        }
    }

    private void tell(Completed completed, Connection connection, Completions completions) {
        boolean isOpen = !connection.closing && !connection.failed;
        touch(connection);
        switch (completed.kind) {
            case RECEIVED -> {
                if (isOpen) {
                    told++;
                    telling = completed.buffer;
                    int from = buffers.begin(completed.buffer);
                    try {
                        completions.received(connection.handle(), buffers.memory(), from, from + completed.bytes);
                    } finally {
                        telling = -1;
                    }
                }
                release(completed.buffer);
            }
            case RECEIVE_ENDED -> connection.receiving = false;
            case INPUT_ENDED -> {
                connection.receiving = false;
                connection.wantsInput = false;
                if (isOpen) {
                    told++;
                    completions.inputEnded(connection.handle());
                }
            }
            case FAILED -> {
                connection.receiving = connection.receiving && !connection.receiveOver;
                fail(connection, Objects.requireNonNull(completed.failure), completions);
            }
            case SENT -> {
                int lent = Objects.requireNonNull(connection.send).buffer;
                hasSent(connection, isOpen, completions);
                if (lent >= 0) {
                    release(lent); // only now: until it is told, the memory is as it was
                }
            }
            case ROOM -> {
                connection.awaitsRoom = false;
                connection.roomTold = false;
                if (isOpen) {
                    told++;
                    completions.sent(connection.handle(), 0);
                }
            }
            case CONNECTED -> {
                connection.connecting = false;
                connection.roomTold = false;
                if (isOpen) {
                    told++;
                    completions.connected(connection.handle());
                }
            }
        }
    }

    private void hasSent(Connection connection, boolean isOpen, Completions completions) {
        RingSend send = Objects.requireNonNull(connection.send);
        int bytes = send.gone();
        connection.awaitsRoom |= isOpen && send.left() > 0; // a send that was cancelled is told nobody
        send.check(connection.stream());
        send.end();
        idleSends.add(send);
        connection.send = null;
        connection.sendOver = false;
        if (!isOpen) {
            return;
        }
        if (connection.endsOutput) {
            connection.endsOutput = false;
            try {
                connection.stream().shutdownOutput();
            } catch (IOException e) {
                fail(connection, e, completions);
                return;
            }
        }
        told++;
        completions.sent(connection.handle(), bytes);
    }

    private void fail(Connection connection, IOException failure, Completions completions) {
        if (!connection.failed && !connection.closing) {
            connection.failed = true;
            connection.wantsInput = false;
            connection.awaitsRoom = false;
            told++;
            completions.failed(connection.handle(), failure);
        }
    }

    private void tellGone(Completions completions) {
        for (int i = 0; i < gone.size(); i++) { // telling may close further ones
            Connection connection = gone.get(i);
            told++;
            completions.closed(connection.handle());
            connection.generation = connection.generation + 1 & Integer.MAX_VALUE;
            connection.clear();
            if (freeCount == freeSlots.length) {
                freeSlots = Arrays.copyOf(freeSlots, freeCount * 2);
            }
            freeSlots[freeCount++] = connection.slot; // only now: the caller has let go of the slot
        }
        gone.clear();
    }

    // Looking on, and the end.

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        return open(handle).end().remote;
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        return open(handle).end().local;
    }

    private Connection open(long handle) {
        Connection connection = find(handle);
        if (connection == null) {
            throw new IllegalArgumentException("the handle is stale");
        }
        return connection;
    }

    @Override
    public int interest(long handle) {
        Connection connection = find(handle);
        if (connection == null) {
            return 0;
        }
        int read = connection.wantsInput ? connection.urgent ? Interest.READ | Interest.PRIORITY : Interest.READ : 0;
        return read | (connection.send != null || connection.awaitsRoom || connection.connecting ? Interest.WRITE : 0);
    }

    @Override
    public void wakeup() {
        if (!closed) {
            woken = true;
            waitQueue.wake();
            kernel.progress();
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        boolean idle = queued == 0;
        for (Connection connection : slots) {
            idle &= connection.stream == null;
            if (connection.stream != null && !connection.gone) {
                RingSend send = connection.send;
                if (send != null && !connection.sendOver && !connection.end().refusesWrites()) {
                    send.write(connection.stream, connection.end().out, Math.min(send.left(), connection.end().room()));
                    connection.end().out.push();
                }
                connection.stream.end.unwatch(connection);
                connection.stream.close();
            }
        }
        listeners.forEach(accepting -> accepting.file.unwatch(accepting));
        kernel.agenda.cancel(reminder);
        host.descriptors.remove(number);
        if (idle && !buffers.areAllFree()) {
            throw new IllegalStateException("no connection is left, and not all buffers of the ring have been given back");
        }
    }
}
