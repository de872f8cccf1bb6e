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
 * The exceptions of java.nio as ours. The JDK keeps no error number: its type tells where only one error has that type, else the
 * words of the C library (glibc, BSD, musl; man 3 strerror) or of Windows. Words in another language than English are passed on as
 * {@link ErrorCode#OTHER}.
 */
final class Failures {
    /** A piece of a message, and the error that it gives away. */
    private record Words(String piece, ErrorCode code) {}

    /** The first that is found counts. */
    private static final List<Words> KNOWN = List.of(
            new Words("Address already in use", ErrorCode.EADDRINUSE),
            new Words("Address in use", ErrorCode.EADDRINUSE),
            new Words("assign requested address", ErrorCode.EADDRNOTAVAIL),
            new Words("Address not available", ErrorCode.EADDRNOTAVAIL),
            new Words("Permission denied", ErrorCode.EACCES),
            new Words("Connection refused", ErrorCode.ECONNREFUSED),
            new Words("Connection reset", ErrorCode.ECONNRESET),
            new Words("forcibly closed by the remote host", ErrorCode.ECONNRESET),
            new Words("Broken pipe", ErrorCode.EPIPE),
            new Words("pipe is being closed", ErrorCode.EPIPE),
            new Words("timed out", ErrorCode.ETIMEDOUT),
            new Words("No route to host", ErrorCode.EHOSTUNREACH),
            new Words("Host is unreachable", ErrorCode.EHOSTUNREACH),
            new Words("Network is unreachable", ErrorCode.ENETUNREACH),
            new Words("Network unreachable", ErrorCode.ENETUNREACH),
            new Words("Network is down", ErrorCode.ENETDOWN),
            new Words("connection abort", ErrorCode.ECONNABORTED),
            new Words("connection was aborted", ErrorCode.ECONNABORTED),
            new Words("open files in system", ErrorCode.ENFILE),
            new Words("Too many open files", ErrorCode.EMFILE),
            new Words("No file descriptors available", ErrorCode.EMFILE),
            new Words("Message too long", ErrorCode.EMSGSIZE),
            new Words("Message too large", ErrorCode.EMSGSIZE),
            new Words("larger than the internal message buffer", ErrorCode.EMSGSIZE),
            new Words("No buffer space available", ErrorCode.ENOBUFS),
            new Words("buffer space", ErrorCode.ENOBUFS),
            new Words("Cannot allocate memory", ErrorCode.ENOMEM),
            new Words("Out of memory", ErrorCode.ENOMEM),
            new Words("Protocol not available", ErrorCode.ENOPROTOOPT),
            new Words("is not connected", ErrorCode.ENOTCONN),
            new Words("already connected", ErrorCode.EISCONN),
            new Words("Address family not supported", ErrorCode.EAFNOSUPPORT),
            new Words("Destination address required", ErrorCode.EDESTADDRREQ),
            new Words("Operation not permitted", ErrorCode.EPERM),
            new Words("Operation not supported", ErrorCode.EOPNOTSUPP),
            new Words("Interrupted system call", ErrorCode.EINTR),
            new Words("Resource temporarily unavailable", ErrorCode.EAGAIN),
            new Words("Protocol error", ErrorCode.EPROTO),
            new Words("Bad file descriptor", ErrorCode.EBADF),
            new Words("Input/output error", ErrorCode.EIO),
            new Words("to port 0", ErrorCode.EINVAL),
            new Words("Invalid argument", ErrorCode.EINVAL));

    private Failures() {}

    /** Loads the classes that a failure needs: once descriptors have run out, the JVM may not be able to open their files. */
    static void load() {
        of("load", new InetSocketAddress(0), new IOException("Too many open files"));
    }

    /** The failure of a call, named as on Linux, as an exception to throw; the JDK's own is its cause. */
    static NetworkException of(String call, @Nullable Object subject, IOException e) {
        ErrorCode code = code(e);
        NetworkException failure = code == ErrorCode.OTHER
                ? new NetworkException(call, subject, code, words(e))
                : new NetworkException(call, subject, code);
        failure.initCause(e);
        return failure;
    }

    /** Which error the JDK means; {@link ErrorCode#OTHER} when neither type nor words tell. */
    static ErrorCode code(IOException e) {
        if (e instanceof PortUnreachableException) {
            return ErrorCode.ECONNREFUSED;
        }
        if (e instanceof ClosedChannelException) {
            return ErrorCode.EPIPE; // the socket is open, or its user would have been told so: its output was ended
        }
        String words = words(e);
        for (Words known : KNOWN) {
            if (words.contains(known.piece)) {
                return known.code;
            }
        }
        return e instanceof NoRouteToHostException ? ErrorCode.EHOSTUNREACH : ErrorCode.OTHER;
    }

    private static String words(IOException e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getName() : message;
    }
}
