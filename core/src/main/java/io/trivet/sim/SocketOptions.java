package io.trivet.sim;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.TcpOptions;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The options of a socket. Those that have an effect in the simulation have a field; the others are only stored. */
class SocketOptions {
    /** The largest size that can be requested (net.core.wmem_max and rmem_max). Linux doubles the requested size. */
    private static final int ASKED_BYTES_MAX = 212_992;
    private static final int SEND_BYTES_MIN = 4608;
    private static final int RECEIVE_BYTES_MIN = 2304;
    /** MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL. */
    private static final int KEEP_ALIVE_SECONDS_MAX = 32_767;
    /** MAX_TCP_KEEPCNT. */
    private static final int KEEP_ALIVE_PROBES_MAX = 127;
    private static final List<SocketOption<?>> NUMBERS = List.of(StandardSocketOptions.SO_SNDBUF, StandardSocketOptions.SO_RCVBUF,
            StandardSocketOptions.SO_LINGER, StandardSocketOptions.IP_TOS, TcpOptions.RECEIVE_LOW_WATER,
            TcpOptions.NOT_SENT_LOW_WATER, TcpOptions.USER_TIMEOUT_MILLIS, TcpOptions.KEEP_ALIVE_IDLE_SECONDS,
            TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS, TcpOptions.KEEP_ALIVE_PROBES);
    private static final List<SocketOption<?>> SWITCHES = List.of(StandardSocketOptions.TCP_NODELAY,
            StandardSocketOptions.SO_KEEPALIVE, StandardSocketOptions.SO_REUSEADDR, StandardSocketOptions.SO_REUSEPORT,
            StandardSocketOptions.SO_BROADCAST, TcpOptions.URGENT_INLINE);

    /** The options of a socket that has none. */
    static final SocketOptions NONE = new SocketOptions(0, 0) {
        @Override
        <T> void set(Object socket, SocketOption<T> option, T value) {
            throw unknown(socket, option);
        }

        @Override
        <T> T get(Object socket, SocketOption<T> option) {
            throw unknown(socket, option);
        }
    };

    int sendBytes;
    int receiveBytes;
    private boolean sendIsSet;
    private boolean receiveIsSet;
    int receiveLowWater = 1;
    /** The limit of unsent bytes; 0 if there is none. */
    int notSentLowWater;
    boolean urgentInline;
    /** In seconds; negative if off. */
    int linger = -1;

    private Map<String, Object> others = Map.of();
    /** The map is shared with another socket: it is copied before a change. */
    private boolean othersAreShared;

    SocketOptions(int sendBytes, int receiveBytes) {
        this.sendBytes = sendBytes;
        this.receiveBytes = receiveBytes;
    }

    /**
     * Copies the options of a listener to a connection. Buffer sizes are copied only if they were set; otherwise each has its
     * own.
     */
    void inherit(SocketOptions listener) {
        if (listener.sendIsSet) {
            sendBytes = listener.sendBytes;
            sendIsSet = true;
        }
        if (listener.receiveIsSet) {
            receiveBytes = listener.receiveBytes;
            receiveIsSet = true;
        }
        receiveLowWater = listener.receiveLowWater;
        receiveBytes = Math.max(receiveBytes, 2 * receiveLowWater);
        notSentLowWater = listener.notSentLowWater;
        urgentInline = listener.urgentInline;
        linger = listener.linger;
        others = listener.others;
        listener.othersAreShared = true;
        othersAreShared = true;
    }

    /** Sets SO_REUSEADDR, which every listener has. */
    void reuseAddress() {
        store(StandardSocketOptions.SO_REUSEADDR, true);
    }

    private void store(SocketOption<?> option, Object value) {
        if (others.isEmpty() || othersAreShared) {
            others = new TreeMap<>(others);
            othersAreShared = false;
        }
        others.put(option.name(), value);
    }

    <T> void set(Object socket, SocketOption<T> option, T value) throws NetworkException {
        if (option.equals(StandardSocketOptions.SO_SNDBUF)) {
            sendBytes = Math.max(2 * Math.min(number(socket, value), ASKED_BYTES_MAX), SEND_BYTES_MIN);
            sendIsSet = true;
        } else if (option.equals(StandardSocketOptions.SO_RCVBUF)) {
            receiveBytes = Math.max(2 * Math.min(number(socket, value), ASKED_BYTES_MAX), RECEIVE_BYTES_MIN);
            receiveIsSet = true;
        } else if (option.equals(StandardSocketOptions.SO_LINGER)) {
            linger = Math.max(-1, (Integer) value);
        } else if (option.equals(TcpOptions.RECEIVE_LOW_WATER)) {
            int mark = (Integer) value < 0 ? Integer.MAX_VALUE : (Integer) value;
            // Half of the buffer's size, or of the maximum in net.ipv4.tcp_rmem.
            int most = receiveIsSet ? receiveBytes / 2 : 3 << 20;
            receiveLowWater = Math.max(1, Math.min(mark, most));
            receiveBytes = Math.max(receiveBytes, 2 * receiveLowWater);
        } else if (option.equals(TcpOptions.NOT_SENT_LOW_WATER)) {
            notSentLowWater = (Integer) value;
        } else if (option.equals(TcpOptions.URGENT_INLINE)) {
            urgentInline = (Boolean) value;
        } else if (NUMBERS.contains(option) || SWITCHES.contains(option)) {
            checkRange(socket, option, value);
            store(option, value);
        } else {
            throw unknown(socket, option);
        }
    }

    /** Refuses what the kernel refuses (Linux do_tcp_setsockopt). */
    private static void checkRange(Object socket, SocketOption<?> option, Object value) throws NetworkException {
        boolean isTime = option.equals(TcpOptions.KEEP_ALIVE_IDLE_SECONDS)
                || option.equals(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS);
        boolean isCount = option.equals(TcpOptions.KEEP_ALIVE_PROBES);
        boolean isTimeout = option.equals(TcpOptions.USER_TIMEOUT_MILLIS);
        int most = isTime ? KEEP_ALIVE_SECONDS_MAX : isCount ? KEEP_ALIVE_PROBES_MAX : Integer.MAX_VALUE;
        if ((isTime || isCount || isTimeout) && ((Integer) value < (isTimeout ? 0 : 1) || (Integer) value > most)) {
            throw new NetworkException("setsockopt", socket, ErrorCode.EINVAL);
        }
    }

    private static int number(Object socket, Object value) throws NetworkException {
        int number = (Integer) value;
        if (number < 0) {
            throw new NetworkException("setsockopt", socket, ErrorCode.EINVAL);
        }
        return number;
    }

    <T> T get(Object socket, SocketOption<T> option) {
        Object value;
        if (option.equals(StandardSocketOptions.SO_SNDBUF)) {
            value = sendBytes;
        } else if (option.equals(StandardSocketOptions.SO_RCVBUF)) {
            value = receiveBytes;
        } else if (option.equals(StandardSocketOptions.SO_LINGER)) {
            value = linger;
        } else if (option.equals(TcpOptions.RECEIVE_LOW_WATER)) {
            value = receiveLowWater;
        } else if (option.equals(TcpOptions.NOT_SENT_LOW_WATER)) {
            value = notSentLowWater;
        } else if (option.equals(TcpOptions.URGENT_INLINE)) {
            value = urgentInline;
        } else if (NUMBERS.contains(option)) {
            value = others.getOrDefault(option.name(), 0);
        } else if (SWITCHES.contains(option)) {
            value = others.getOrDefault(option.name(), false);
        } else {
            throw unknown(socket, option);
        }
        return option.type().cast(value);
    }

    private static UnsupportedOperationException unknown(Object socket, SocketOption<?> option) {
        return new UnsupportedOperationException(socket + " has no option " + option.name());
    }
}
