package io.trivet.linux;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import io.trivet.net.PeerCredentials;
import io.trivet.net.TcpOptions;
import io.trivet.net.UnixOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.List;

/** Socket options by the kernel's numbers (asm-generic/socket.h, linux/tcp.h: the same on x86-64 and aarch64). */
final class Options {
    static final int SOL_SOCKET = 1;
    static final int IPPROTO_IP = 0;
    static final int IPPROTO_TCP = 6;
    static final int IPPROTO_IPV6 = 41;
    static final int SO_REUSEADDR = 2;
    static final int SO_TYPE = 3;
    static final int SO_ERROR = 4;
    static final int SO_BROADCAST = 6;
    static final int SO_SNDBUF = 7;
    static final int SO_RCVBUF = 8;
    static final int SO_KEEPALIVE = 9;
    static final int SO_OOBINLINE = 10;
    static final int SO_LINGER = 13;
    static final int SO_REUSEPORT = 15;
    static final int SO_PEERCRED = 17;
    static final int SO_RCVLOWAT = 18;
    static final int SO_ACCEPTCONN = 30;
    static final int SO_PROTOCOL = 38;
    static final int SO_DOMAIN = 39;
    static final int IP_TOS = 1;
    static final int IP_BIND_ADDRESS_NO_PORT = 24;
    static final int IPV6_V6ONLY = 26;
    static final int TCP_NODELAY = 1;
    static final int TCP_KEEPIDLE = 4;
    static final int TCP_KEEPINTVL = 5;
    static final int TCP_KEEPCNT = 6;
    static final int TCP_USER_TIMEOUT = 18;
    static final int TCP_NOTSENT_LOWAT = 25;

    /** struct linger { onoff 0; linger 4; }. */
    static final int LINGER_SIZE = 8;
    static final int L_LINGER = 4;

    /** struct ucred { pid 0; uid 4; gid 8; }. */
    static final int UCRED_SIZE = 12;
    static final int UCRED_UID = 4;
    static final int UCRED_GID = 8;

    /** An option, with the kernel's level and name. All values are an int, booleans as 0 or 1, except SO_LINGER. */
    private record KernelOption(SocketOption<?> option, int level, int name) {}

    private static final List<KernelOption> OPTIONS = List.of(
            new KernelOption(StandardSocketOptions.TCP_NODELAY, IPPROTO_TCP, TCP_NODELAY),
            new KernelOption(StandardSocketOptions.SO_SNDBUF, SOL_SOCKET, SO_SNDBUF),
            new KernelOption(StandardSocketOptions.SO_RCVBUF, SOL_SOCKET, SO_RCVBUF),
            new KernelOption(StandardSocketOptions.SO_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE),
            new KernelOption(StandardSocketOptions.SO_REUSEADDR, SOL_SOCKET, SO_REUSEADDR),
            new KernelOption(StandardSocketOptions.SO_REUSEPORT, SOL_SOCKET, SO_REUSEPORT),
            new KernelOption(StandardSocketOptions.SO_BROADCAST, SOL_SOCKET, SO_BROADCAST),
            new KernelOption(StandardSocketOptions.SO_LINGER, SOL_SOCKET, SO_LINGER),
            new KernelOption(StandardSocketOptions.IP_TOS, IPPROTO_IP, IP_TOS),
            new KernelOption(TcpOptions.RECEIVE_LOW_WATER, SOL_SOCKET, SO_RCVLOWAT),
            new KernelOption(TcpOptions.URGENT_INLINE, SOL_SOCKET, SO_OOBINLINE),
            new KernelOption(TcpOptions.NOT_SENT_LOW_WATER, IPPROTO_TCP, TCP_NOTSENT_LOWAT),
            new KernelOption(TcpOptions.USER_TIMEOUT_MILLIS, IPPROTO_TCP, TCP_USER_TIMEOUT),
            new KernelOption(TcpOptions.KEEP_ALIVE_IDLE_SECONDS, IPPROTO_TCP, TCP_KEEPIDLE),
            new KernelOption(TcpOptions.KEEP_ALIVE_INTERVAL_SECONDS, IPPROTO_TCP, TCP_KEEPINTVL),
            new KernelOption(TcpOptions.KEEP_ALIVE_PROBES, IPPROTO_TCP, TCP_KEEPCNT));

    private Options() {}

    static <T> void set(LinuxSocket socket, SocketOption<T> option, T value) throws IOException {
        KernelOption kernel = kernelOption(socket, option);
        MemorySegment memory = Scratch.ofThread().number;
        if (kernel.name == SO_LINGER && kernel.level == SOL_SOCKET) {
            int seconds = (Integer) value; // negative: off, as in the JDK
            memory.set(ValueLayout.JAVA_INT, 0, seconds < 0 ? 0 : 1);
            memory.set(ValueLayout.JAVA_INT, L_LINGER, Math.max(0, seconds));
            socket.check("setsockopt", Libc.setsockopt(socket.open(), kernel.level, kernel.name, memory.address(), LINGER_SIZE));
            return;
        }
        int raw = value instanceof Boolean on ? (on ? 1 : 0) : (Integer) value;
        try {
            setInt(socket, kernel.level, kernel.name, raw);
        } catch (NetworkException e) {
            throw unsupported(socket, kernel, e);
        }
    }

    static <T> T get(LinuxSocket socket, SocketOption<T> option) throws IOException {
        if (option.equals(UnixOptions.PEER_CREDENTIALS) && isUnix(socket)) {
            return option.type().cast(peerCredentials(socket));
        }
        KernelOption kernel = kernelOption(socket, option);
        MemorySegment memory = Scratch.ofThread().number;
        boolean linger = kernel.name == SO_LINGER && kernel.level == SOL_SOCKET;
        int raw;
        try {
            raw = getInt(socket, kernel.level, kernel.name, linger ? LINGER_SIZE : 4);
        } catch (NetworkException e) {
            throw unsupported(socket, kernel, e);
        }
        if (linger) {
            raw = raw == 0 ? -1 : memory.get(ValueLayout.JAVA_INT, L_LINGER);
        }
        return option.type().cast(option.type() == Boolean.class ? (Object) (raw != 0) : (Object) raw);
    }

    /** Throws that a Unix domain socket has no options of TCP, or returns another failure. */
    private static NetworkException unsupported(LinuxSocket socket, KernelOption kernel, NetworkException failure) {
        if (failure.code() == ErrorCode.EOPNOTSUPP && kernel.level != SOL_SOCKET) {
            throw noOption(socket, kernel.option);
        }
        return failure;
    }

    private static UnsupportedOperationException noOption(LinuxSocket socket, SocketOption<?> option) {
        return new UnsupportedOperationException(socket + " has no option " + option.name());
    }

    private static boolean isUnix(LinuxSocket socket) throws IOException {
        return !(socket instanceof LinuxPipe.End) && getInt(socket, SOL_SOCKET, SO_DOMAIN, Integer.BYTES) == Libc.AF_UNIX;
    }

    private static PeerCredentials peerCredentials(LinuxSocket socket) throws IOException {
        MemorySegment memory = Scratch.ofThread().address;
        MemorySegment length = Scratch.ofThread().number;
        length.set(ValueLayout.JAVA_INT, 0, UCRED_SIZE);
        socket.check("getsockopt",
                Libc.getsockopt(socket.open(), SOL_SOCKET, SO_PEERCRED, memory.address(), length.address()));
        return new PeerCredentials(memory.get(ValueLayout.JAVA_INT, 0), memory.get(ValueLayout.JAVA_INT, UCRED_UID),
                memory.get(ValueLayout.JAVA_INT, UCRED_GID));
    }

    static void setInt(LinuxSocket socket, int level, int name, int value) throws IOException {
        MemorySegment memory = Scratch.ofThread().number;
        memory.set(ValueLayout.JAVA_INT, 0, value);
        socket.check("setsockopt", Libc.setsockopt(socket.open(), level, name, memory.address(), 4));
    }

    /** Makes closing a connection send a reset, so that the peer does not mistake what it received for everything. */
    static void resetOnClose(int fd) {
        MemorySegment memory = Scratch.ofThread().number;
        memory.set(ValueLayout.JAVA_INT, 0, 1);
        memory.set(ValueLayout.JAVA_INT, L_LINGER, 0);
        // The result does not matter: if the connection has already failed, no reset is needed.
        int _ = Libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, memory.address(), LINGER_SIZE);
    }

    /** Reads an option into the thread's scratch number, and returns its first int. */
    static int getInt(LinuxSocket socket, int level, int name, int length) throws IOException {
        MemorySegment memory = Scratch.ofThread().number;
        memory.set(ValueLayout.JAVA_INT, 8, length);
        long lengthAddress = memory.address() + 8;
        socket.check("getsockopt", Libc.getsockopt(socket.open(), level, name, memory.address(), lengthAddress));
        return memory.get(ValueLayout.JAVA_INT, 0);
    }

    private static KernelOption kernelOption(LinuxSocket socket, SocketOption<?> option) {
        if (!(socket instanceof LinuxPipe.End)) {
            for (KernelOption kernel : OPTIONS) {
                if (kernel.option.equals(option)) {
                    return kernel;
                }
            }
        }
        throw noOption(socket, option);
    }
}
