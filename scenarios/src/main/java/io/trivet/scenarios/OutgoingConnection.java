package io.trivet.scenarios;

import io.trivet.net.TcpStream;
import io.trivet.observe.CloseReason;
import io.trivet.observe.ConnectionState;
import io.trivet.server.Connection;
import io.trivet.server.Handler;
import io.trivet.server.Overflow;
import io.trivet.server.SendResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A connection of an {@link OutgoingTrial}: its handler, and what must become of it. */
final class OutgoingConnection implements Handler {
    static final long NEVER = Long.MAX_VALUE;
    private static final QueueModel NO_QUEUE = new QueueModel(Trial.LIMITS, Overflow.DISCONNECT, false);

    /** What its peer does. */
    enum Target {
        ANSWERS, REFUSES, SILENT
    }

    final int number;
    final Target target;
    final Object attachment = new Object();
    boolean hasAttachment;
    boolean byName;
    int loop;
    long deadlineNanos = NEVER;
    /** What the peer receives first: a header, and then what waited for the connect. */
    byte[] header = new byte[0];
    String expected = "";
    int localPort;
    /** The messages that are queued until the connection is open. */
    QueueModel queue = NO_QUEUE;
    /** Reading was paused before it was connected. */
    boolean paused;
    /** The expected reason of an orderly close; null until {@code finish} is called. */
    @Nullable CloseReason finished;
    ConnectionState state = ConnectionState.CONNECTING;
    @Nullable CloseReason end;
    @Nullable Connection connection;
    @Nullable TcpStream peer;

    // What the handler has seen.
    int opens;
    int closes;
    String received = "";
    @Nullable CloseReason reason;
    @Nullable Object attachmentSeen;
    private int drained;
    private long droppedMessages;
    private long droppedBytes;
    private boolean isNotifiedTooEarly;
    private int sends;
    /** Each message is a half, a quarter or an eighth of the queue's maximum, so that messages can fill it to the byte. */
    private boolean fitsExactly;
    private int listened;
    private int listenersEnded;
    private int listenersFailed;

    OutgoingConnection(int number, Target target) {
        this.number = number;
        this.target = target;
    }

    @Override
    public void onOpen(Connection opened) {
        opens++;
        attachmentSeen = opened.attachment();
    }

    @Override
    public void onMessage(Connection of, ByteBuffer message) {
        received += StandardCharsets.ISO_8859_1.decode(message);
    }

    @Override
    public void onDrained(Connection of) {
        drained++;
        isNotifiedTooEarly |= opens == 0;
    }

    @Override
    public void onDropped(Connection of, int messages, long bytes) {
        droppedMessages += messages;
        droppedBytes += bytes;
        isNotifiedTooEarly |= opens == 0;
    }

    @Override
    public void onClose(Connection of, CloseReason why) {
        closes++;
        reason = why;
    }

    Connection connection() {
        Connection known = connection;
        if (known == null) {
            throw new IllegalStateException("not connected yet");
        }
        return known;
    }

    /**
     * Sends a message by a method that is drawn, and checks the result.
     *
     * @param isForeign true if the caller is not the loop's thread, which alone can drop messages
     * @param isAccepted true if the connection accepts messages
     */
    void send(TrialRun run, boolean isForeign, boolean isAccepted) {
        SeededRandom random = run.random;
        if (sends == 0) {
            fitsExactly = random.chance(50);
        }
        int length = fitsExactly ? queue.limits.queueBytesMax() / random.number(2, 4, 8)
                : (int) random.logUniform(1, random.chance(50) ? 3_000 : 30);
        byte fill = (byte) ('a' + sends++ % 26);
        byte[] content = new byte[length - 1];
        Arrays.fill(content, fill);
        boolean mayDrop = queue.overflow == Overflow.DROP_OLDEST;
        boolean listens = random.chance(25) && !(isForeign && mayDrop);
        boolean offers = !listens && random.chance(15);
        if (isAccepted && mayDrop && !listens && !isForeign) {
            queue.makeRoom(length);
        }
        boolean fits = queue.bytes() + length <= (isForeign && mayDrop ? 2L : 1L) * queue.limits.queueBytesMax();
        SendResult result = listens ? connection().send(ByteBuffer.wrap(content), this::ended)
                : offers ? connection().offer(content) : connection().send(content);
        run.log((listens ? "send with a listener" : offers ? "offer" : "send") + " of " + length + " bytes of '" + (char) fill
                + "' to peer " + number + ": " + result);
        run.same(Rule.CAPS, "a message of " + length + " bytes with " + queue.bytes() + " queued, of connection " + number,
                result,
                !isAccepted ? SendResult.CLOSED : fits ? SendResult.QUEUED : SendResult.FULL);
        if (isAccepted && fits) {
            queue.add(new QueueModel.Waiting(fill, length, 0, false, listens));
            listened += listens ? 1 : 0;
        } else if (isAccepted && !offers) {
            ends(CloseReason.QUEUE_FULL);
        }
    }

    private void ended(Connection of, long bytes, @Nullable IOException failure) {
        listenersEnded += failure == null ? 1 : 0;
        listenersFailed += failure == null ? 0 : 1;
    }

    /** Updates the model after a turn: the loop has dropped the excess, and sent everything if the connection is open. */
    void settled() {
        if (queue.overflow == Overflow.DROP_OLDEST) {
            queue.makeRoom(0);
        }
        if (state != ConnectionState.OPEN) {
            return;
        }
        StringBuilder all = new StringBuilder(expected);
        for (QueueModel.Waiting each : queue.queue) {
            all.append(Character.toString(each.fill).repeat(each.length - 1)).append('\n');
        }
        expected = all.toString();
        boolean isSilent = queue.high && finished != null; // no onDrained after finish: the handler cannot send any more
        queue.sent(queue.bytes());
        queue.drained -= isSilent ? 1 : 0;
    }

    /** Checks which callbacks were called because of messages. */
    void checkCallbacks(TrialRun run) {
        String of = " of connection " + number + ", which was " + (opens == 0 ? "never " : "") + "opened";
        boolean isOpened = opens > 0;
        run.expect(Rule.ORDER, !isNotifiedTooEarly, "onDropped or onDrained" + of + " is called before onOpen");
        run.same(Rule.CALLBACKS, "messages reported as dropped" + of, droppedMessages, isOpened ? queue.droppedMessages : 0L);
        run.same(Rule.CALLBACKS, "bytes reported as dropped" + of, droppedBytes, isOpened ? queue.droppedBytes : 0L);
        run.same(Rule.CALLBACKS, "calls of onDrained" + of, drained, isOpened ? queue.drained : 0);
        run.same(Rule.CALLBACKS, "listeners called without a failure" + of, listenersEnded, queue.listenedEnds);
        run.same(Rule.CALLBACKS, "listeners called with a failure" + of, listenersFailed,
                !isOpened && state == ConnectionState.CLOSED ? listened : 0);
    }

    void ends(CloseReason why) {
        end = why;
        state = ConnectionState.CLOSED;
    }
}
