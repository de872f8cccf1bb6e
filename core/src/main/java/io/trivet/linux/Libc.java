package io.trivet.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Bindings of the C library's functions for sockets and descriptors, by their own names. Memory addresses are {@code long}s.
 *
 * <p>Every function returns what the system call returns: its result, or the <em>negative</em> error number. The constants have
 * the values that x86-64 and aarch64 share; {@code LayoutTest} compares them with the C headers.
 */
final class Libc {
    static final int AF_UNIX = 1;
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;
    static final int SOCK_STREAM = 1;
    static final int SOCK_DGRAM = 2;
    static final int SOCK_NONBLOCK = 0x800;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;
    static final int LOCK_EX = 2;
    static final int LOCK_NB = 4;
    static final int EFD_NONBLOCK = 0x800;
    static final int EFD_CLOEXEC = 0x80000;
    static final int SHUT_RD = 0;
    static final int SHUT_WR = 1;
    static final int SHUT_RDWR = 2;
    static final int MSG_OOB = 1;
    static final int MSG_CTRUNC = 8;
    static final int MSG_NOSIGNAL = 0x4000;
    static final int MSG_CMSG_CLOEXEC = 0x40000000;
    static final int SCM_RIGHTS = 1;
    static final int F_GETFD = 1;
    static final int F_SETFD = 2;
    static final int F_GETFL = 3;
    static final int F_SETFL = 4;
    static final int FD_CLOEXEC = 1;
    static final int SEEK_END = 2;
    static final int O_PATH = 0x200000;

    /** One per thread, since another thread's call must not overwrite the error number. Freed with the thread. */
    private static final ThreadLocal<MemorySegment> ERRNO = ThreadLocal.withInitial(() -> Downcall.newErrno(Arena.ofAuto()));

    private static final MethodHandle SOCKET = Downcall.of("socket");
    private static final MethodHandle BIND = Downcall.of("bind");
    private static final MethodHandle LISTEN = Downcall.of("listen");
    private static final MethodHandle ACCEPT4 = Downcall.of("accept4");
    private static final MethodHandle CONNECT = Downcall.of("connect");
    private static final MethodHandle SHUTDOWN = Downcall.of("shutdown");
    private static final MethodHandle CLOSE = Downcall.of("close");
    private static final MethodHandle RECV = Downcall.of("recv");
    private static final MethodHandle SEND = Downcall.of("send");
    private static final MethodHandle RECVFROM = Downcall.of("recvfrom");
    private static final MethodHandle SENDTO = Downcall.of("sendto");
    private static final MethodHandle SENDMSG = Downcall.of("sendmsg");
    private static final MethodHandle RECVMSG = Downcall.of("recvmsg");
    private static final MethodHandle FLOCK = Downcall.of("flock");
    /** Sets the size of a pipe (man 2 fcntl). */
    static final int F_SETPIPE_SZ = 1031;
    private static final int SPLICE_F_MOVE = 1;
    private static final int SPLICE_F_NONBLOCK = 2;

    private static final MethodHandle READ = Downcall.of("read");
    private static final MethodHandle WRITE = Downcall.of("write");
    /** Variadic in C, as fcntl is: see there. Without O_CREAT it has two arguments. */
    private static final MethodHandle OPEN = Downcall.of("open");
    private static final MethodHandle LSEEK = Downcall.of("lseek");
    private static final MethodHandle PREAD = Downcall.of("pread");
    private static final MethodHandle SENDFILE = Downcall.of("sendfile");
    private static final MethodHandle SPLICE = Downcall.of("splice");
    private static final MethodHandle GETSOCKOPT = Downcall.of("getsockopt");
    private static final MethodHandle SETSOCKOPT = Downcall.of("setsockopt");
    private static final MethodHandle GETSOCKNAME = Downcall.of("getsockname");
    private static final MethodHandle GETPEERNAME = Downcall.of("getpeername");
    private static final MethodHandle SOCKATMARK = Downcall.of("sockatmark");
    private static final MethodHandle PIPE2 = Downcall.of("pipe2");
    private static final MethodHandle EVENTFD = Downcall.of("eventfd");
    /** Variadic in C. On Linux that makes no difference for integer arguments (System V and AAPCS64 alike). */
    private static final MethodHandle FCNTL = Downcall.of("fcntl");

    private Libc() {}

    /** Returns the segment into which the calling thread's calls write errno. */
    static MemorySegment errnoOfThread() {
        return ERRNO.get();
    }

    /** Returns a result of C type int: itself, or the negative error number. */
    static int intResult(long result, MemorySegment errno) {
        int value = (int) result; // the upper half of the register is undefined
        return value >= 0 ? value : -Downcall.errno(errno);
    }

    /** Returns a result of C type ssize_t: itself, or the negative error number. */
    static long longResult(long result, MemorySegment errno) {
        return result >= 0 ? result : -Downcall.errno(errno);
    }

    /** man 2 socket. */
    static int socket(int domain, int type, int protocol) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) SOCKET.invokeExact(errno, (long) domain, (long) type, (long) protocol, 0L, 0L, 0L, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 bind. */
    static int bind(int fd, long address, int length) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) BIND.invokeExact(errno, (long) fd, address, (long) length, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 listen. */
    static int listen(int fd, int backlog) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) LISTEN.invokeExact(errno, (long) fd, (long) backlog, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 accept4. */
    static int accept4(int fd, long address, long lengthAddress, int flags) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) ACCEPT4.invokeExact(errno, (long) fd, address, lengthAddress, (long) flags, 0L, 0L, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 connect. */
    static int connect(int fd, long address, int length) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) CONNECT.invokeExact(errno, (long) fd, address, (long) length, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 shutdown. */
    static int shutdown(int fd, int how) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) SHUTDOWN.invokeExact(errno, (long) fd, (long) how, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 close. Whatever it returns, the descriptor is closed: never call it again. */
    static int close(int fd) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) CLOSE.invokeExact(errno, (long) fd, 0L, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 recv. */
    static long recv(int fd, long buffer, long length, int flags) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) RECV.invokeExact(errno, (long) fd, buffer, length, (long) flags, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 send. */
    static long send(int fd, long buffer, long length, int flags) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) SEND.invokeExact(errno, (long) fd, buffer, length, (long) flags, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 recvfrom. */
    static long recvfrom(int fd, long buffer, long length, int flags, long address, long lengthAddress) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult(
                    (long) RECVFROM.invokeExact(errno, (long) fd, buffer, length, (long) flags, address, lengthAddress, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 sendto. */
    static long sendto(int fd, long buffer, long length, int flags, long address, int addressLength) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult(
                    (long) SENDTO.invokeExact(errno, (long) fd, buffer, length, (long) flags, address, (long) addressLength, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 sendmsg. */
    static long sendmsg(int fd, long message, int flags) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) SENDMSG.invokeExact(errno, (long) fd, message, (long) flags, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 recvmsg. */
    static long recvmsg(int fd, long message, int flags) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) RECVMSG.invokeExact(errno, (long) fd, message, (long) flags, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 flock. */
    static int flock(int fd, int operation) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) FLOCK.invokeExact(errno, (long) fd, (long) operation, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 read. */
    static long read(int fd, long buffer, long length) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) READ.invokeExact(errno, (long) fd, buffer, length, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 write. */
    static long write(int fd, long buffer, long length) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) WRITE.invokeExact(errno, (long) fd, buffer, length, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 open, for an existing file. */
    static int open(long path, int flags) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) OPEN.invokeExact(errno, path, (long) flags, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 lseek. */
    static long lseek(int fd, long offset, int whence) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) LSEEK.invokeExact(errno, (long) fd, offset, (long) whence, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 pread. */
    static long pread(int fd, long buffer, long length, long offset) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) PREAD.invokeExact(errno, (long) fd, buffer, length, offset, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 sendfile. */
    static long sendfile(int socket, int file, long offsetAddress, long length) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) SENDFILE.invokeExact(errno, (long) socket, (long) file, offsetAddress, length, 0L, 0L, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 getsockopt. */
    static int getsockopt(int fd, int level, int option, long value, long lengthAddress) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult(
                    (long) GETSOCKOPT.invokeExact(errno, (long) fd, (long) level, (long) option, value, lengthAddress, 0L, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 setsockopt. */
    static int setsockopt(int fd, int level, int option, long value, int length) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult(
                    (long) SETSOCKOPT.invokeExact(errno, (long) fd, (long) level, (long) option, value, (long) length, 0L, 0L),
                    errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 getsockname. */
    static int getsockname(int fd, long address, long lengthAddress) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) GETSOCKNAME.invokeExact(errno, (long) fd, address, lengthAddress, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 getpeername. */
    static int getpeername(int fd, long address, long lengthAddress) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) GETPEERNAME.invokeExact(errno, (long) fd, address, lengthAddress, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 3 sockatmark: 1 at the mark, 0 before or after it. */
    static int sockatmark(int fd) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) SOCKATMARK.invokeExact(errno, (long) fd, 0L, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 splice: moves bytes between a socket and a pipe, without waiting. */
    static long splice(int from, int to, long length) {
        MemorySegment errno = ERRNO.get();
        try {
            return longResult((long) SPLICE.invokeExact(errno, (long) from, 0L, (long) to, 0L, length,
                    (long) (SPLICE_F_MOVE | SPLICE_F_NONBLOCK), 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 pipe2. */
    static int pipe2(long descriptors, int flags) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) PIPE2.invokeExact(errno, descriptors, (long) flags, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 eventfd. */
    static int eventfd(int initial, int flags) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) EVENTFD.invokeExact(errno, (long) initial, (long) flags, 0L, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }

    /** man 2 fcntl, for commands with an integer argument. */
    static int fcntl(int fd, int command, int argument) {
        MemorySegment errno = ERRNO.get();
        try {
            return intResult((long) FCNTL.invokeExact(errno, (long) fd, (long) command, (long) argument, 0L, 0L, 0L, 0L), errno);
        } catch (Throwable t) {
            throw Downcall.unexpected(t);
        }
    }
}
