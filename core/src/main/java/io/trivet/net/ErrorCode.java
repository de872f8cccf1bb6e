package io.trivet.net;

/**
 * The errors of a network by their POSIX names, each with an explanation for people. Source: man 3 errno, and the manual pages of
 * the calls.
 */
public enum ErrorCode {
    /** Permission denied. */
    EACCES("permission denied: ports below 1024 need a privilege"),
    /** Address in use. */
    EADDRINUSE("the address is in use: another process has this port"),
    /** Address not available. */
    EADDRNOTAVAIL("this machine has no such address, or no local port is free"),
    /** Family not supported. */
    EAFNOSUPPORT("this system does not support that kind of address"),
    /** Would block, in a call where this is not an expected outcome. */
    EAGAIN("a resource is temporarily exhausted"),
    /** Connection already under way. */
    EALREADY("an earlier attempt is still under way"),
    /** Bad descriptor. */
    EBADF("the descriptor is not open"),
    /** Connection aborted. */
    ECONNABORTED("the connection was aborted before it was used"),
    /** Connection refused. */
    ECONNREFUSED("refused: nothing listens at that address"),
    /** Connection reset. */
    ECONNRESET("the peer has reset the connection"),
    /** Destination required. */
    EDESTADDRREQ("an address to send to is missing"),
    /** Exists already. */
    EEXIST("it is registered already"),
    /** Bad address. */
    EFAULT("an argument points outside of the process's memory"),
    /** Host unreachable. */
    EHOSTUNREACH("no route to that host"),
    /** Interrupted by a signal. */
    EINTR("interrupted by a signal"),
    /** Invalid argument. */
    EINVAL("the kernel rejects an argument as invalid"),
    /** Input/output error. */
    EIO("input or output failed"),
    /** Already connected. */
    EISCONN("it is connected already"),
    /** Is a directory. */
    EISDIR("it is a directory"),
    /** No descriptors left in the process. */
    EMFILE("the process has no descriptor left: raise its limit (ulimit -n)"),
    /** Message too long. */
    EMSGSIZE("the datagram is too long"),
    /** Network down. */
    ENETDOWN("the network is down"),
    /** Network unreachable. */
    ENETUNREACH("no route to that network"),
    /** No descriptors left in the system. */
    ENFILE("the system has no descriptor left"),
    /** No buffer space. */
    ENOBUFS("the kernel has no buffer space left"),
    /** No such entry. */
    ENOENT("it does not exist"),
    /** Out of memory. */
    ENOMEM("the kernel has no memory left for this"),
    /** No such option. */
    ENOPROTOOPT("the protocol has no such option"),
    /** No space left. */
    ENOSPC("a limit of the kernel is reached"),
    /** No such system call. */
    ENOSYS("this kernel does not have the call"),
    /** Not connected. */
    ENOTCONN("it is not connected"),
    /** Not a socket. */
    ENOTSOCK("the descriptor is not a socket"),
    /** Not supported. */
    EOPNOTSUPP("this kind of socket does not support the operation"),
    /** Not permitted. */
    EPERM("not permitted"),
    /** Broken pipe. */
    EPIPE("the output has been shut down, or the peer has closed the connection"),
    /** Protocol error. */
    EPROTO("the connection failed before it was accepted"),
    /** Timed out. */
    ETIMEDOUT("no answer in time"),
    /** Any other error; the message of the exception identifies it. */
    OTHER("an error that Trivet has no explanation for");

    private final String sentence;

    ErrorCode(String sentence) {
        this.sentence = sentence;
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
