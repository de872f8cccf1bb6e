package io.trivet.nio;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Converts the exceptions of java.nio to {@link NetworkException}s with an {@link ErrorCode}.
 *
 * <p>The JDK does not keep errno. Where only one error has the exception's type, the type identifies the error. Otherwise the message
 * does: the JDK takes it from the C library (glibc, BSD, musl; man 3 strerror) or from Windows. A message that is not in the table, for
 * instance in another language than English, becomes {@link ErrorCode#OTHER} and is kept.
 */
final class NioErrors {
    /** A fragment of a message, and the error that it identifies. */
    private record Pattern(String fragment, ErrorCode code) {}

    /** Searched in this order; the first match decides. */
    private static final List<Pattern> PATTERNS = List.of(
            new Pattern("Address already in use", ErrorCode.EADDRINUSE),
            new Pattern("Address in use", ErrorCode.EADDRINUSE),
            new Pattern("assign requested address", ErrorCode.EADDRNOTAVAIL),
            new Pattern("Address not available", ErrorCode.EADDRNOTAVAIL),
            new Pattern("Permission denied", ErrorCode.EACCES),
            new Pattern("Connection refused", ErrorCode.ECONNREFUSED),
            new Pattern("Connection reset", ErrorCode.ECONNRESET),
            new Pattern("No such file or directory", ErrorCode.ENOENT),
            new Pattern("Protocol wrong type for socket", ErrorCode.EPROTOTYPE),
            new Pattern("forcibly closed by the remote host", ErrorCode.ECONNRESET),
            new Pattern("Broken pipe", ErrorCode.EPIPE),
            new Pattern("pipe is being closed", ErrorCode.EPIPE),
            new Pattern("timed out", ErrorCode.ETIMEDOUT),
            new Pattern("No route to host", ErrorCode.EHOSTUNREACH),
            new Pattern("Host is unreachable", ErrorCode.EHOSTUNREACH),
            new Pattern("Network is unreachable", ErrorCode.ENETUNREACH),
            new Pattern("Network unreachable", ErrorCode.ENETUNREACH),
            new Pattern("Network is down", ErrorCode.ENETDOWN),
            new Pattern("connection abort", ErrorCode.ECONNABORTED),
            new Pattern("connection was aborted", ErrorCode.ECONNABORTED),
            new Pattern("open files in system", ErrorCode.ENFILE),
            new Pattern("Too many open files", ErrorCode.EMFILE),
            new Pattern("No file descriptors available", ErrorCode.EMFILE),
            new Pattern("Message too long", ErrorCode.EMSGSIZE),
            new Pattern("Message too large", ErrorCode.EMSGSIZE),
            new Pattern("larger than the internal message buffer", ErrorCode.EMSGSIZE),
            new Pattern("No buffer space available", ErrorCode.ENOBUFS),
            new Pattern("buffer space", ErrorCode.ENOBUFS),
            new Pattern("Cannot allocate memory", ErrorCode.ENOMEM),
            new Pattern("Out of memory", ErrorCode.ENOMEM),
            new Pattern("Protocol not available", ErrorCode.ENOPROTOOPT),
            new Pattern("is not connected", ErrorCode.ENOTCONN),
            new Pattern("already connected", ErrorCode.EISCONN),
            new Pattern("Address family not supported", ErrorCode.EAFNOSUPPORT),
            new Pattern("Destination address required", ErrorCode.EDESTADDRREQ),
            new Pattern("Operation not permitted", ErrorCode.EPERM),
            new Pattern("Operation not supported", ErrorCode.EOPNOTSUPP),
            new Pattern("Interrupted system call", ErrorCode.EINTR),
            new Pattern("Resource temporarily unavailable", ErrorCode.EAGAIN),
            new Pattern("Protocol error", ErrorCode.EPROTO),
            new Pattern("Bad file descriptor", ErrorCode.EBADF),
            new Pattern("Input/output error", ErrorCode.EIO),
            new Pattern("to port 0", ErrorCode.EINVAL),
            new Pattern("Invalid argument", ErrorCode.EINVAL));

    private NioErrors() {}

    /** Loads the classes that {@link #failure} needs. When descriptors have run out, the JVM may be unable to open their files. */
    static void preload() {
        failure("load", new InetSocketAddress(0), new IOException("Too many open files"));
    }

    /** Returns an exception for a failed call, which is named as on Linux. The JDK's exception is the cause. */
    static NetworkException failure(String call, @Nullable Object subject, IOException e) {
        ErrorCode code = code(e);
        NetworkException failure = code == ErrorCode.OTHER
                ? new NetworkException(call, subject, code, message(e))
                : new NetworkException(call, subject, code);
        failure.initCause(e);
        return failure;
    }

    /** Returns the error that the JDK's exception reports, or {@link ErrorCode#OTHER} if neither type nor message identifies it. */
    static ErrorCode code(IOException e) {
        if (e instanceof PortUnreachableException) {
            return ErrorCode.ECONNREFUSED;
        }
        if (e instanceof ClosedChannelException) {
            return ErrorCode.EPIPE; // callers have checked that the socket is open, so its output was shut down
        }
        String message = message(e);
        for (Pattern pattern : PATTERNS) {
            if (message.contains(pattern.fragment)) {
                return pattern.code;
            }
        }
        return e instanceof NoRouteToHostException ? ErrorCode.EHOSTUNREACH : ErrorCode.OTHER;
    }

    private static String message(IOException e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getName() : message;
    }
}
