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
    static final int ENOMEM = 12;
    static final int EACCES = 13;
    static final int EBUSY = 16;
    static final int EADDRINUSE = 98;
    static final int EADDRNOTAVAIL = 99;
    static final int EINVAL = 22;
    static final int ENOSYS = 38;
    static final int ETIME = 62;
    static final int EMSGSIZE = 90;
    static final int EPROTOTYPE = 91;
    static final int EOPNOTSUPP = 95;
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
        NetworkException _ = failure("load", new InetSocketAddress(0), EBADF);
        String _ = UringProbe.explain("load", ErrorCode.EMFILE, null, null);
    }

    /** Returns an exception for a failed call, for the caller to throw. A socket as its subject is named by its descriptor, too. */
    static NetworkException failure(String call, @Nullable Object subject, int errno) {
        return failure(call, subject, errno, subject instanceof LinuxSocket socket ? socket.fd() : -1);
    }

    /** Returns an exception for a failed call on a descriptor, or on none (-1). */
    static NetworkException failure(String call, @Nullable Object subject, int errno, int descriptor) {
        ErrorCode code = ErrorCode.of(errno);
        String name = code == ErrorCode.OTHER ? "errno " + errno : code.toString();
        return new NetworkException(call, subject, code, name + ", " + code.sentence(), errno, descriptor);
    }
}
