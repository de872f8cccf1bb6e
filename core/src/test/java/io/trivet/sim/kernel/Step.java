package io.trivet.sim.kernel;

import io.trivet.net.Interest;
import java.util.Locale;

/**
 * One operation of a script.
 *
 * @param op the operation
 * @param slot the slot of the socket it is applied to
 * @param value the argument: a length, another slot, on or off; see {@link Op}
 */
record Step(Op op, int slot, int value) {
    /** The meaning of a step's value. */
    enum Value {
        NONE, BYTES, NUMBER, SLOT, INTEREST, SWITCH, LISTS
    }

    /** Operations. On an empty slot an operation does nothing; on a closed socket it is tried nevertheless. */
    enum Op {
        LISTEN(Value.NUMBER), CONNECT(Value.SLOT), FINISH_CONNECT(Value.NONE),
        /** Puts the accepted stream into the first free server slot; does nothing if there is none. */
        ACCEPT(Value.NONE), READ(Value.BYTES), WRITE(Value.BYTES),
        /** Writes two buffers with one gathering write. */
        GATHER(Value.BYTES), SEND_URGENT(Value.NONE), RECEIVE_URGENT(Value.NONE), AT_MARK(Value.NONE), SHUTDOWN_INPUT(
                Value.NONE), SHUTDOWN_OUTPUT(Value.NONE), CLOSE(Value.NONE),
        /** Closes with SO_LINGER 0. */
        RESET(Value.NONE), RECEIVE_LOW_WATER(Value.BYTES), NOT_SENT_LOW_WATER(Value.BYTES), URGENT_INLINE(
                Value.SWITCH), SEND_BUFFER(Value.BYTES), RECEIVE_BUFFER(Value.BYTES), UDP_OPEN(Value.NONE), UDP_CONNECT(
                        Value.SLOT), UDP_SEND(Value.BYTES), UDP_RECEIVE(Value.BYTES), PIPE_OPEN(
                                Value.NONE), REGISTER(Value.INTEREST), MODIFY(Value.INTEREST), DEREGISTER(Value.NONE),
        /** Selects on three lists of sockets; the value seeds their random contents. */
        SELECT(Value.LISTS);

        final Value value;

        Op(Value value) {
            this.value = value;
        }
    }

    @Override
    public String toString() {
        String call = op.name().toLowerCase(Locale.ROOT).replace('_', ' ');
        String subject = op == Op.SELECT || op == Op.PIPE_OPEN ? call : Slot.name(slot) + " " + call;
        return switch (op.value) {
            case NONE -> subject;
            case BYTES, NUMBER, LISTS -> subject + " " + value;
            case SLOT -> subject + " " + Slot.name(value);
            case INTEREST -> subject + " " + Interest.toString(value);
            case SWITCH -> subject + (value == 0 ? " off" : " on");
        };
    }
}
