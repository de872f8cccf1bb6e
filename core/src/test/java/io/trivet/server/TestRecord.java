package io.trivet.server;

import io.trivet.observe.CloseReason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The record of a connection without the API above it: it notes its callbacks, so that a part of the loop can be tested alone. */
class TestRecord extends ConnectionRecord {
    /** The callbacks, in order. */
    final List<String> calls = new ArrayList<>();
    /** Run within each callback, after it was noted. */
    Runnable reaction = () -> {};

    Profile profile;
    private FrameDecoder decoder;

    /** Creates the record of a connection with lines, the default limits, and a queue that pauses reading. */
    TestRecord(boolean accepted) {
        this(accepted, new Profile(Framing.lines(), Limits.defaults(), Overflow.PAUSE_READING, false));
    }

    TestRecord(boolean accepted, Profile profile) {
        super(accepted);
        this.profile = profile;
    }

    @Override
    FrameDecoder decoder() {
        if (decoder == null) {
            decoder = profile.framing().decoder();
        }
        return decoder;
    }

    @Override
    Profile profile() {
        return profile;
    }

    private void called(String what) {
        calls.add(what);
        reaction.run();
    }

    @Override
    void callOpen() {
        called("open");
    }

    @Override
    void callMessage(ByteBuffer message) {
        called("message " + StandardCharsets.ISO_8859_1.decode(message));
    }

    @Override
    void callPart(ByteBuffer part, boolean last) {
        called("part " + StandardCharsets.ISO_8859_1.decode(part) + (last ? ", the last" : ""));
    }

    @Override
    void callUrgent(byte b) {
        called("urgent " + (char) b);
    }

    @Override
    void callEndOfInput() {
        called("end of input");
    }

    @Override
    void callDrained() {
        called("drained");
    }

    @Override
    void callDropped(DroppedMessages dropped) {
        called("dropped " + dropped.messages() + ", " + dropped.bytes() + " bytes");
    }

    @Override
    void callClose(CloseReason reason) {
        called("close " + reason);
    }

    @Override
    public String toString() {
        return "test connection " + handle;
    }
}
