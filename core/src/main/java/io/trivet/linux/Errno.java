package io.trivet.linux;

import io.trivet.net.ErrorCode;
import io.trivet.net.NetworkException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** Linux's error numbers (asm-generic/errno.h: the same on x86-64 and aarch64), and their conversion to exceptions. */
final class Errno {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EBADF = 9;
    static final int EAGAIN = 11;
    static final int EBUSY = 16;
    static final int EINVAL = 22;
    static final int ENOSYS = 38;
    static final int ETIME = 62;
    static final int EMSGSIZE = 90;
    static final int ENOBUFS = 105;
    static final int ENOTCONN = 107;
    static final int ECONNABORTED = 103;
    static final int ECONNRESET = 104;
    static final int ETIMEDOUT = 110;
    static final int ECONNREFUSED = 111;
    static final int EHOSTUNREACH = 113;
    static final int ENETUNREACH = 101;
    static final int EINPROGRESS = 115;
    static final int ECANCELED = 125;

    private Errno() {}

    /** Loads the classes that a failure needs: once no descriptors are left, the JVM may be unable to open the class files. */
    static void load() {
        failure("load", new InetSocketAddress(0), EBADF);
    }

    /** Returns an exception for a failed call, for the caller to throw. */
    static NetworkException failure(String call, @Nullable Object subject, int errno) {
        ErrorCode code = code(errno);
        return code == ErrorCode.OTHER
                ? new NetworkException(call, subject, code, "errno " + errno + ", " + code.sentence())
                : new NetworkException(call, subject, code);
    }

    /** Returns the name of an error number; {@link ErrorCode#OTHER} if it has none here. */
    static ErrorCode code(int errno) {
        return switch (errno) {
            case EPERM -> ErrorCode.EPERM;
            case ENOENT -> ErrorCode.ENOENT;
            case EINTR -> ErrorCode.EINTR;
            case 5 -> ErrorCode.EIO;
            case EBADF -> ErrorCode.EBADF;
            case EAGAIN -> ErrorCode.EAGAIN;
            case 12 -> ErrorCode.ENOMEM;
            case 13 -> ErrorCode.EACCES;
            case 14 -> ErrorCode.EFAULT;
            case 17 -> ErrorCode.EEXIST;
            case 21 -> ErrorCode.EISDIR;
            case EINVAL -> ErrorCode.EINVAL;
            case 23 -> ErrorCode.ENFILE;
            case 24 -> ErrorCode.EMFILE;
            case 28 -> ErrorCode.ENOSPC;
            case 32 -> ErrorCode.EPIPE;
            case ENOSYS -> ErrorCode.ENOSYS;
            case 71 -> ErrorCode.EPROTO;
            case 88 -> ErrorCode.ENOTSOCK;
            case 89 -> ErrorCode.EDESTADDRREQ;
            case EMSGSIZE -> ErrorCode.EMSGSIZE;
            case 92 -> ErrorCode.ENOPROTOOPT;
            case 95 -> ErrorCode.EOPNOTSUPP;
            case 97 -> ErrorCode.EAFNOSUPPORT;
            case 98 -> ErrorCode.EADDRINUSE;
            case 99 -> ErrorCode.EADDRNOTAVAIL;
            case 100 -> ErrorCode.ENETDOWN;
            case ENETUNREACH -> ErrorCode.ENETUNREACH;
            case ECONNABORTED -> ErrorCode.ECONNABORTED;
            case ECONNRESET -> ErrorCode.ECONNRESET;
            case ENOBUFS -> ErrorCode.ENOBUFS;
            case 106 -> ErrorCode.EISCONN;
            case ENOTCONN -> ErrorCode.ENOTCONN;
            case ETIMEDOUT -> ErrorCode.ETIMEDOUT;
            case ECONNREFUSED -> ErrorCode.ECONNREFUSED;
            case EHOSTUNREACH -> ErrorCode.EHOSTUNREACH;
            case 114 -> ErrorCode.EALREADY;
            default -> ErrorCode.OTHER;
        };
    }
}
