package io.trivet.net;

/**
 * The errors of a network by their POSIX names, each with an explanation for people. Source: man 3 errno, and the manual pages of
 * the calls.
 */
public enum ErrorCode {
    /** Permission denied. */
    EACCES(13, "permission denied: ports below 1024 need a privilege"),
    /** Address in use. */
    EADDRINUSE(98, "the address is in use: another socket has this port"),
    /** Address not available. */
    EADDRNOTAVAIL(99, "this machine has no such address, or no local port is free"),
    /** Family not supported. */
    EAFNOSUPPORT(97, "this system does not support that kind of address"),
    /** Would block, in a call where this is not an expected outcome. */
    EAGAIN(11, "a resource is temporarily exhausted"),
    /** Connection already under way. */
    EALREADY(114, "an earlier attempt is still under way"),
    /** Bad descriptor. */
    EBADF(9, "the descriptor is not open"),
    /** Connection aborted. */
    ECONNABORTED(103, "the connection was aborted before it was used"),
    /** Connection refused. */
    ECONNREFUSED(111, "refused: nothing listens at that address"),
    /** Connection reset. */
    ECONNRESET(104, "the peer has reset the connection"),
    /** Destination required. */
    EDESTADDRREQ(89, "an address to send to is missing"),
    /** Exists already. */
    EEXIST(17, "it is registered already"),
    /** Bad address. */
    EFAULT(14, "an argument points outside of the process's memory"),
    /** Host unreachable. */
    EHOSTUNREACH(113, "no route to that host"),
    /** Interrupted by a signal. */
    EINTR(4, "interrupted by a signal"),
    /** Invalid argument. */
    EINVAL(22, "the kernel rejects an argument as invalid"),
    /** Input/output error. */
    EIO(5, "input or output failed"),
    /** Already connected. */
    EISCONN(106, "it is connected already"),
    /** Is a directory. */
    EISDIR(21, "it is a directory"),
    /** No descriptors left in the process. */
    EMFILE(24, "the process has no descriptor left: raise its limit (ulimit -n)"),
    /** Message too long. */
    EMSGSIZE(90, "the datagram is too long"),
    /** Network down. */
    ENETDOWN(100, "the network is down"),
    /** Network unreachable. */
    ENETUNREACH(101, "no route to that network"),
    /** No descriptors left in the system. */
    ENFILE(23, "the system has no descriptor left"),
    /** No buffer space. */
    ENOBUFS(105, "the kernel has no buffer space left"),
    /** No such entry. */
    ENOENT(2, "it does not exist"),
    /** Out of memory. */
    ENOMEM(12, "the kernel has no memory left for this"),
    /** No such option. */
    ENOPROTOOPT(92, "the protocol has no such option"),
    /** No space left. */
    ENOSPC(28, "a limit of the kernel is reached"),
    /** No such system call. */
    ENOSYS(38, "this kernel does not have the call"),
    /** Not connected. */
    ENOTCONN(107, "it is not connected"),
    /** Not a socket. */
    ENOTSOCK(88, "the descriptor is not a socket"),
    /** Not supported. */
    EOPNOTSUPP(95, "this kind of socket does not support the operation"),
    /** Not permitted. */
    EPERM(1, "not permitted"),
    /** Broken pipe. */
    EPIPE(32, "the output has been shut down, or the peer has closed the connection"),
    /** Protocol error. */
    EPROTO(71, "the connection failed before it was accepted"),
    /** Wrong kind of socket. */
    EPROTOTYPE(91, "a socket of another kind is bound to that address"),
    /** Timed out. */
    ETIMEDOUT(110, "no answer in time"),
    /** Too many descriptors on their way. */
    ETOOMANYREFS(109, "too many descriptors of this user have been passed, but not received yet"),
    /** Any other error; the message of the exception identifies it. */
    OTHER(0, "an error that Trivet has no explanation for");

    private static final ErrorCode[] ALL = values();

    private final int number;
    private final String sentence;

    ErrorCode(int number, String sentence) {
        this.number = number;
        this.sentence = sentence;
    }

    /**
     * Returns the error with a number.
     *
     * @param number errno, as Linux counts on x86-64 and aarch64
     * @return the error; {@link #OTHER} if it has no name here
     */
    public static ErrorCode of(int number) {
        for (ErrorCode code : ALL) {
            if (code.number == number) {
                return code;
            }
        }
        return OTHER;
    }

    /**
     * Returns the number of the error in Linux (errno), the same on x86-64 and aarch64.
     *
     * @return the number, on every network and system; 0 for {@link #OTHER}
     */
    public int number() {
        return number;
    }

    /**
     * Returns an explanation of the error.
     *
     * @return half a sentence, without a full stop
     */
    public String sentence() {
        return sentence;
    }
}
