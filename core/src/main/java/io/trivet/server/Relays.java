package io.trivet.server;

import io.trivet.net.Proactor;
import io.trivet.net.SendableFile;
import io.trivet.observe.ConnectionState;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Relays the input of a connection to another one of the same loop. A relay is a {@link Transfer} of the target, whose source is
 * the other connection's input. One thread.
 *
 * <p>The source receives only while its relay is the first transfer of the target, and the target's socket has room. Bytes are
 * sent straight from the received memory. What the socket refuses is held as the source's {@link PartialInput}, and reading is
 * paused until that was sent. So a relay holds no more than one receive, or on a ring those that had completed, and the source's
 * input is never reordered.
 */
@SuppressWarnings("ReferenceEquality") // this very relay
final class Relays {
    /** Minimum number of bytes of a receive after which the kernel is asked to move what has arrived meanwhile. */
    static final int BULK_BYTES = 32 * 1024;
    /** Maximum number of bytes that the kernel moves at a time. */
    static final int SPLICE_BYTES_MAX = 256 * 1024;

    private final Proactor proactor;
    private final TurnClock clock;
    private final Counters counters;
    private final PartialInputs partialInputs;
    private final ReadGate gate;
    private final Transfers transfers;
    private final Sender sender;
    private final TransferAdmission admission;
    private final CloseRequests closeRequests;
    private final ByteBuffer[] parts = new ByteBuffer[1];

    Relays(Proactor proactor, TurnClock clock, Counters counters, PartialInputs partialInputs, ReadGate gate, Transfers transfers,
            Sender sender,
            TransferAdmission admission, CloseRequests closeRequests) {
        this.proactor = proactor;
        this.clock = clock;
        this.counters = counters;
        this.partialInputs = partialInputs;
        this.gate = gate;
        this.transfers = transfers;
        this.sender = sender;
        this.admission = admission;
        this.closeRequests = closeRequests;
    }

    /**
     * Starts to relay what a connection receives from now on, and what it has received and not delivered.
     *
     * @param count the number of bytes; -1: until the end of input
     * @param completion called once, if the result is QUEUED
     * @return as {@link TransferAdmission#put}; also CLOSED if the source delivers no further input
     * @throws IllegalStateException the input of the source is being relayed or received in parts already
     */
    SendResult start(ConnectionRecord source, ConnectionRecord target, long count, Transfer.Completion completion) {
        if (source.inputSink() != null || source.partBytesLeft() != ColdState.NO_PARTS) {
            throw new IllegalStateException("the input of " + source + " is being relayed, or received in parts, already");
        }
        boolean hasInput = switch (source.state()) {
            case CONNECTING, OPEN, INPUT_ENDED -> true;
            case DRAINING, LINGERING, CLOSED -> false;
        };
        if (!hasInput) {
            return SendResult.CLOSED;
        }
        Relay relay = new Relay(source, target, count, completion);
        SendResult result = admission.put(target, relay.transfer);
        if (result == SendResult.QUEUED && source.state() != ConnectionState.INPUT_ENDED) {
            source.inputSink(relay);
            PartialInput held = source.partialInput();
            if (held != null) {
                held.scanned = 0;
            }
            gate.pause(source, ConnectionRecord.PAUSED_BY_RELAY); // until everything before it was sent to the target
        }
        return result;
    }

    /** One relay: the source of a transfer to its target, and the sink of its source's input. */
    private final class Relay implements TransferSource, InputSink {
        private final ConnectionRecord source;
        private final ConnectionRecord target;
        private final Transfer transfer;
        /** The number of bytes in the kernel's pipe to the target. They come before what is held. */
        private int spliced;
        /** Many bytes arrive at a time: the kernel moves them, until there are none. */
        private boolean isBulk;

        Relay(ConnectionRecord source, ConnectionRecord target, long count, Transfer.Completion completion) {
            this.source = source;
            this.target = target;
            transfer = new Transfer(this, count, completion);
        }

        // ---- the source of the transfer: called when it is the first one, and the target's socket has room

        @Override
        public long available() {
            PartialInput held = source.partialInput();
            if (source.inputSink() != this) {
                return Long.MAX_VALUE; // the input had ended before the relay: so has the transfer
            }
            if (spliced > 0 || (held == null && isBulk && !isPausedOtherwise() && splice())) {
                return spliced;
            }
            if (held != null && !isPausedOtherwise()) {
                return held.bytes();
            }
            gate.resume(source, ConnectionRecord.PAUSED_BY_RELAY);
            return 0;
        }

        private boolean isPausedOtherwise() {
            return source.is(ConnectionRecord.PAUSED & ~ConnectionRecord.PAUSED_BY_RELAY);
        }

        /** Lets the kernel move bytes that have arrived. Returns false if there are none. */
        private boolean splice() {
            try {
                spliced = proactor.splice(source.handle, target.handle, (int) Math.min(transfer.left(), SPLICE_BYTES_MAX));
            } catch (IOException e) {
                closeRequests.fail(source, e);
            }
            isBulk = spliced > 0;
            source.received(spliced, clock.now());
            counters.add(Counters.BYTES_IN, spliced);
            return isBulk;
        }

        private long sendSpliced(Proactor proactor, long handle, int count) throws IOException {
            int taken = proactor.sendSpliced(handle, count);
            spliced -= taken;
            if (spliced > 0) { // what is received meanwhile, or the end of input, comes after it
                gate.pause(source, ConnectionRecord.PAUSED_BY_RELAY);
            }
            return taken;
        }

        @Override
        public long sendTo(Proactor proactor, long handle, long at, long count) throws IOException {
            if (spliced > 0) {
                return sendSpliced(proactor, handle, (int) count);
            }
            PartialInput held = source.partialInput();
            if (held == null || source.inputSink() != this) {
                return SendableFile.ENDED;
            }
            ByteBuffer bytes = held.view().limit(held.from() + (int) count).position(held.from());
            parts[0] = bytes;
            long taken = proactor.sendNow(handle, parts, 0, 1);
            held.deliveredTo(bytes.position(), clock.now());
            source.set(ConnectionRecord.RECEIVED_MESSAGE);
            if (held.bytes() == 0) {
                partialInputs.drop(source);
            }
            return taken;
        }

        @Override
        public int read(ByteBuffer piece, long at) {
            throw new UnsupportedOperationException("a relay is never read");
        }

        /** The transfer has ended. If it was cut, the source is cut too: its peer has sent bytes that were lost. */
        @Override
        public void close() {
            if (source.inputSink() != this) {
                return;
            }
            source.inputSink(null);
            if (!transfer.hasEnded()) {
                source.set(ConnectionRecord.RESET_ON_CLOSE);
                closeRequests.failRelay(source, new IOException("its input was relayed to " + target + ", which was closed: "
                        + target.finishReason().description(), target.failure()));
                return;
            }
            gate.resume(source, ConnectionRecord.PAUSED_BY_RELAY);
            if (source.state() == ConnectionState.DRAINING) { // only the relay has kept its input open
                partialInputs.drop(source);
                sender.flushLater(source);
            }
        }

        // ---- the sink of the input: called when reading is not paused, so the transfer is the first one

        @Override
        public void take(ByteBuffer bytes) {
            int limit = bytes.limit();
            bytes.limit(bytes.position() + (int) Math.min(bytes.remaining(), transfer.left()));
            source.set(ConnectionRecord.RECEIVED_MESSAGE);
            isBulk = bytes.remaining() >= BULK_BYTES;
            transfers.sendNow(target, transfer, bytes);
            boolean isFull = bytes.hasRemaining();
            bytes.limit(limit);
            if (isFull) {
                takeHeld();
            } else if (transfer.hasEnded()) {
                sender.flushLater(target); // what is behind it
            } else if (isBulk) {
                sender.continueTransfer(target);
            }
        }

        @Override
        public void takeHeld() {
            gate.pause(source, ConnectionRecord.PAUSED_BY_RELAY);
            sender.continueTransfer(target);
        }

        @Override
        public void end() {
            if (transfer.endsWithSource()) {
                transfers.end(target, transfer);
                sender.flushLater(target);
            } else {
                cutTarget(new EOFException("the input of " + source + " has ended after " + transfer.sent() + " of "
                        + (transfer.sent() + transfer.left()) + " bytes"));
            }
        }

        @Override
        public void cut() {
            source.inputSink(null);
            cutTarget(new IOException("the input of " + source + " was cut: " + source.finishReason().description(),
                    source.failure()));
        }

        /** What the peer of the target has received must not look complete. */
        private void cutTarget(IOException failure) {
            transfer.fail(failure);
            target.set(ConnectionRecord.RESET_ON_CLOSE);
            closeRequests.failRelay(target, failure);
        }
    }
}
