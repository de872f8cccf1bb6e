package io.trivet.server;

import io.trivet.net.Addresses;
import io.trivet.net.Proactor;
import io.trivet.observe.CloseReason;
import java.net.InetSocketAddress;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;
import jdk.jfr.Timespan;
import org.jspecify.annotations.Nullable;

/**
 * Events for JDK Flight Recorder. They are enabled only by the settings of a recording, such as docs/trivet.jfc: otherwise a call
 * costs the check of a flag, and none of them is made for a message. A runtime without the module jdk.jfr has no events. Any
 * thread.
 */
@SuppressWarnings("UnusedVariable") // the recorder reads the fields
final class FlightEvents {
    private static final boolean AVAILABLE = FlightEvents.class.getModule().getLayer() == null
            ? ModuleLayer.boot().findModule("jdk.jfr").isPresent()
            : FlightEvents.class.getModule().getLayer().findModule("jdk.jfr").isPresent();

    private FlightEvents() {}

    /**
     * Returns true once a recording was started in this JVM. Until then no event class is loaded: the JDK takes some 10 ms to register
     * each, which a server would spend before its first answer.
     */
    private static boolean areUsed() {
        return AVAILABLE && FlightRecorder.isInitialized();
    }

    // ---- connections

    static void opened(long id, Proactor proactor, long handle) {
        if (areUsed()) {
            ConnectionOpened event = new ConnectionOpened();
            if (event.shouldCommit()) {
                event.connection = id;
                event.remoteAddress = Addresses.toString(proactor.remoteAddress(handle));
                event.commit();
            }
        }
    }

    static void closed(long id, @Nullable InetSocketAddress remote, CloseReason reason, boolean isReset, long bytesIn,
            long bytesOut) {
        if (areUsed()) {
            ConnectionClosed event = new ConnectionClosed();
            if (event.shouldCommit()) {
                event.connection = id;
                event.remoteAddress = remote == null ? null : Addresses.toString(remote);
                event.reason = reason.name();
                event.reset = isReset;
                event.bytesIn = bytesIn;
                event.bytesOut = bytesOut;
                event.commit();
            }
        }
    }

    static void refused(InetSocketAddress remote, CloseReason reason) {
        if (areUsed()) {
            AcceptRefused event = new AcceptRefused();
            if (event.shouldCommit()) {
                event.cause = Addresses.toString(remote) + ": " + reason.name();
                event.commit();
            }
        }
    }

    static void acceptFailed(Exception failure) {
        if (areUsed()) {
            AcceptRefused event = new AcceptRefused();
            if (event.shouldCommit()) {
                event.cause = failure.getMessage();
                event.commit();
            }
        }
    }

    // ---- queues

    static void queueHigh(long id, long bytes) {
        if (areUsed()) {
            QueueHigh event = new QueueHigh();
            if (event.shouldCommit()) {
                event.connection = id;
                event.bytes = bytes;
                event.commit();
            }
        }
    }

    static void dropped(long id, int messages, long bytes) {
        if (areUsed()) {
            MessagesDropped event = new MessagesDropped();
            if (event.shouldCommit()) {
                event.connection = id;
                event.messages = messages;
                event.bytes = bytes;
                event.commit();
            }
        }
    }

    // ---- loops

    static void slowHandler(String thread, long nanos, StackTraceElement[] stack) {
        if (areUsed()) {
            SlowHandler event = new SlowHandler();
            if (event.shouldCommit()) {
                StringBuilder text = new StringBuilder();
                for (StackTraceElement element : stack) {
                    text.append(element).append('\n');
                }
                event.loop = thread;
                event.runningFor = nanos;
                event.stack = text.toString();
                event.commit();
            }
        }
    }

    /** Returns true if a recording wants to know how long the turns of loops take. */
    static boolean recordsStalls() {
        return areUsed() && LoopStall.PROBE.isEnabled();
    }

    /** Returns the start of the work of a turn, if {@link #recordsStalls}. */
    static Object beginWork() {
        LoopStall event = new LoopStall();
        event.begin();
        return event;
    }

    /** Records the work of a turn, if it has taken longer than the recording's threshold. */
    static void endWork(Object began, int loop, int done) {
        LoopStall event = (LoopStall) began;
        event.end();
        if (event.shouldCommit()) {
            event.loop = loop;
            event.done = done;
            event.commit();
        }
    }

    @Name("io.trivet.ConnectionOpened")
    @Label("Connection Opened")
    @Category("Trivet")
    @Description("A connection was opened: a client was accepted, or a connect has succeeded")
    @StackTrace(false)
    @Enabled(false)
    private static final class ConnectionOpened extends Event {
        @Label("Connection") long connection;
        @Label("Remote Address")
        @Nullable String remoteAddress;
    }

    @Name("io.trivet.ConnectionClosed")
    @Label("Connection Closed")
    @Category("Trivet")
    @Description("A connection was closed")
    @StackTrace(false)
    @Enabled(false)
    private static final class ConnectionClosed extends Event {
        @Label("Connection") long connection;
        @Label("Remote Address")
        @Nullable String remoteAddress;
        @Label("Reason")
        @Nullable String reason;
        @Label("Reset")
        @Description("The peer got a reset, because something that was accepted for sending was dropped") boolean reset;
        @Label("Bytes In")
        @DataAmount long bytesIn;
        @Label("Bytes Out")
        @DataAmount long bytesOut;
    }

    @Name("io.trivet.AcceptRefused")
    @Label("Accept Refused")
    @Category("Trivet")
    @Description("A client was refused, or the kernel could not accept")
    @StackTrace(false)
    @Enabled(false)
    private static final class AcceptRefused extends Event {
        @Label("Cause")
        @Nullable String cause;
    }

    @Name("io.trivet.QueueHigh")
    @Label("Queue High")
    @Category("Trivet")
    @Description("A send queue has reached its high mark, so reading from the peer is paused")
    @StackTrace(false)
    @Enabled(false)
    private static final class QueueHigh extends Event {
        @Label("Connection") long connection;
        @Label("Bytes")
        @DataAmount long bytes;
    }

    @Name("io.trivet.MessagesDropped")
    @Label("Messages Dropped")
    @Category("Trivet")
    @Description("Messages were dropped from a full send queue (DROP_OLDEST)")
    @StackTrace(false)
    @Enabled(false)
    private static final class MessagesDropped extends Event {
        @Label("Connection") long connection;
        @Label("Messages") int messages;
        @Label("Bytes")
        @DataAmount long bytes;
    }

    @Name("io.trivet.SlowHandler")
    @Label("Slow Handler")
    @Category("Trivet")
    @Description("A callback or task has held its loop longer than handlerTimeout")
    @StackTrace(false)
    @Enabled(false)
    private static final class SlowHandler extends Event {
        @Label("Loop")
        @Nullable String loop;
        @Label("Running For")
        @Timespan(Timespan.NANOSECONDS) long runningFor;
        @Label("Stack")
        @Nullable String stack;
    }

    @Name("io.trivet.LoopStall")
    @Label("Loop Stall")
    @Category("Trivet")
    @Description("A loop has worked so long in one turn that its other connections had to wait")
    @StackTrace(false)
    @Enabled(false)
    @Threshold("20 ms")
    private static final class LoopStall extends Event {
        /** Never recorded: asks whether the event is enabled, without a new object for each turn. */
        static final LoopStall PROBE = new LoopStall();

        static {
            // Loads the classes of the others: while there is a lack of descriptors, the JVM cannot open a file.
            new ConnectionOpened();
            new ConnectionClosed();
            new AcceptRefused();
            new QueueHigh();
            new MessagesDropped();
            new SlowHandler();
        }

        @Label("Loop") int loop;
        @Label("Done")
        @Description("How much was done in the turn") int done;
    }
}
