package io.trivet.scenarios;

import io.trivet.scenarios.DecodedStream.Found;
import io.trivet.server.Frame;
import io.trivet.server.FrameDecoder;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A decoder of the application that reports what {@link DecodedStream} finds, also what no decoder may report. It checks the bytes that
 * it is passed, and where its search continues.
 */
final class ReportingDecoder implements FrameDecoder {
    private final TrialRun run;
    private final DecodedStream model;
    private final byte[] stream;
    private final int messageBytesMax;
    /** True if the decoder sees all bytes of the stream, in order, from one connection. */
    private final boolean checksBytes;
    private int consumed;
    private int scanned;

    ReportingDecoder(TrialRun run, DecodedStream model, byte[] stream, int messageBytesMax, boolean checksBytes) {
        this.run = run;
        this.model = model;
        this.stream = stream;
        this.messageBytesMax = messageBytesMax;
        this.checksBytes = checksBytes;
    }

    @Override
    public void decode(ByteBuffer in, int from, int to, Frame frame) throws Exception {
        run.expect(Rule.CALLBACKS, in.isReadOnly() && in.order() == ByteOrder.BIG_ENDIAN,
                "a decoder gets bytes that are not read-only and big-endian");
        run.expect(Rule.CALLBACKS, from < to, "a decoder is called without bytes");
        byte[] bytes = new byte[to - from];
        in.get(from, bytes);
        if (checksBytes) {
            boolean same = consumed + bytes.length <= stream.length;
            for (int i = 0; same && i < bytes.length; i++) {
                same = bytes[i] == stream[consumed + i];
            }
            run.expect(Rule.BYTES, same, "a decoder gets other bytes than those behind byte " + consumed);
            run.same(Rule.CALLBACKS, "where the search of a decoder continues", frame.searchFrom() - from, scanned);
        }
        in.limit(in.capacity()).position(in.capacity()).order(ByteOrder.LITTLE_ENDIAN); // a decoder may do that
        scanned = 0;
        Found found = model.first(bytes, 0, bytes.length);
        switch (found.outcome()) {
            case MESSAGE -> {
                if (bytes[0] == 'a') {
                    frame.payloadAtLeast(messageBytesMax + 1); // without effect, because the message is whole
                }
                consumed += found.end();
                frame.message(from + found.from(), from + found.to(), from + found.end());
            }
            case SKIPPED -> {
                consumed += found.end();
                frame.skip(from + found.end());
            }
            case INCOMPLETE -> {
                if (found.from() > 0) {
                    frame.payloadAtLeast(found.from());
                }
                if (bytes[0] == 'q') {
                    scanned = bytes.length;
                    frame.scannedTo(to);
                } else if (bytes[0] == 's') {
                    scanned = bytes.length - 1;
                    frame.scannedTo(to); // the last call counts
                    frame.scannedTo(to - 1);
                }
            }
            case BROKEN -> breakRules(bytes[0], from, to, frame);
        }
    }

    /** Throws an exception, or reports what is not possible, which throws one. */
    private static void breakRules(byte how, int from, int to, Frame frame) throws Exception {
        switch (how) {
            case '1' -> frame.message(from - 1, from, to);
            case '2' -> {
                frame.message(from, from, from + 1);
                frame.skip(to);
            }
            case '3' -> frame.message(from + 1, from, to);
            case '4' -> frame.message(from, to, to - 1);
            case '5' -> frame.message(from, to, to + 1);
            case '6' -> frame.message(from, from, from);
            case '7' -> frame.skip(from);
            case '8' -> frame.skip(to + 1);
            case '9' -> frame.scannedTo(to + 1);
            case 'r' -> throw new IllegalStateException("drawn");
            case 'x' -> throw new ProtocolException("drawn");
            default -> frame.scannedTo(from - 1);
        }
    }
}
