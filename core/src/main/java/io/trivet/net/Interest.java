package io.trivet.net;

/**
 * Provider interface (SPI): the events that a {@link Poller} watches and reports, as bits of an {@code int}. Threads: any.
 *
 * <p>The three interests are kept apart all the way from the kernel to the three lists. {@link #ERROR}, {@link #HANG_UP} and
 * {@link #INVALID} are reported without being asked for. Only {@code select} folds them into its lists.
 *
 * <p>Source: man 2 poll, man 2 select; Linux {@code fs/select.c}, {@code net/ipv4/tcp.c} (tcp_poll).
 */
public final class Interest {
    /** Interest and event: a read, an accept or the end of input would not block. */
    public static final int READ = 1;
    /** Interest and event: enough of the send buffer is free; or a connect has finished, successfully or not. */
    public static final int WRITE = 1 << 1;
    /** Interest and event: urgent data has arrived, or the read position is at the urgent mark. Not an error. */
    public static final int PRIORITY = 1 << 2;
    /** Event only: an error is pending on the socket; the next call on the socket returns it. */
    public static final int ERROR = 1 << 3;
    /** Event only: both directions are shut down, or the other end of a pipe is closed. */
    public static final int HANG_UP = 1 << 4;
    /**
     * Event only: the descriptor is not open. Only engines that pass the descriptors to the kernel at every call (select, poll)
     * report it.
     */
    public static final int INVALID = 1 << 5;

    /** All bits that a caller can ask for. */
    public static final int ALL = READ | WRITE | PRIORITY;

    private Interest() {}

    /**
     * Checks the interest that a caller passed.
     *
     * @param interest any of {@link #READ}, {@link #WRITE}, {@link #PRIORITY}; or 0: registered, but not watched
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
     * @param events the events that were reported
     * @param interest the interest that was asked for
     * @return those of READ, WRITE and PRIORITY that were asked for and are ready
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
     * Returns the names of the bits, for instance {@code READ|HANG_UP}; {@code none} for 0.
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
