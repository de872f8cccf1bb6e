package io.trivet.net;

/**
 * What a {@link Poller} is asked to watch, and what it reports, as bits of an {@code int}.
 *
 * <p>The three interests stay separate all the way from the kernel to the three lists. {@link #ERROR}, {@link #HANG_UP} and
 * {@link #INVALID} are reported without being asked for, and only {@code select} folds them into its lists.
 *
 * <p>Source: man 2 poll, man 2 select; Linux {@code fs/select.c}, {@code net/ipv4/tcp.c} (tcp_poll).
 */
public final class Interest {
    /** Interest and event: a read, an accept or the end of input would not block. */
    public static final int READ = 1;
    /** Interest and event: enough of the send buffer is free; or a connect has finished, well or badly. */
    public static final int WRITE = 1 << 1;
    /** Interest and event: urgent data has arrived, or the read position stands at its mark. Not an error. */
    public static final int PRIORITY = 1 << 2;
    /** Event only: an error is pending on the socket; the next call on it says which. */
    public static final int ERROR = 1 << 3;
    /** Event only: both directions are finished, or the other end of a pipe is closed. */
    public static final int HANG_UP = 1 << 4;
    /** Event only: the descriptor is not open; only engines that name descriptors at every call (select, poll) can say so. */
    public static final int INVALID = 1 << 5;

    /** The bits that may be asked for. */
    public static final int ALL = READ | WRITE | PRIORITY;

    private Interest() {}

    /**
     * Checks an interest that a caller gave.
     *
     * @param interest any of {@link #READ}, {@link #WRITE}, {@link #PRIORITY}; 0 is allowed: known, and not watched
     * @return the same interest
     * @throws IllegalArgumentException other bits are set
     */
    public static int check(int interest) {
        if ((interest & ~ALL) != 0) {
            throw new IllegalArgumentException("unknown interest bits in " + Integer.toBinaryString(interest)
                    + ": READ, WRITE and PRIORITY can be asked for");
        }
        return interest;
    }

    /**
     * Folds events into the three lists as select(2) does: readable is READ, HANG_UP or ERROR; writable is WRITE or ERROR;
     * exceptional is PRIORITY alone.
     *
     * @param events what is ready
     * @param interest what was asked for
     * @return those of READ, WRITE and PRIORITY that were asked for and hold
     */
    public static int fold(int events, int interest) {
        int folded = events & ALL;
        if ((events & (HANG_UP | ERROR)) != 0) {
            folded |= READ;
        }
        if ((events & ERROR) != 0) {
            folded |= WRITE;
        }
        return folded & interest;
    }

    /**
     * Names the bits for a person, for instance {@code READ|HANG_UP}; {@code none} for 0.
     *
     * @param bits any combination of the bits of this class
     * @return their names, joined by {@code |}
     */
    public static String toString(int bits) {
        if (bits == 0) {
            return "none";
        }
        String[] names = {"READ", "WRITE", "PRIORITY", "ERROR", "HANG_UP", "INVALID"};
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < names.length; i++) {
            if ((bits & 1 << i) != 0) {
                text.append(text.isEmpty() ? "" : "|").append(names[i]);
            }
        }
        return text.toString();
    }
}
