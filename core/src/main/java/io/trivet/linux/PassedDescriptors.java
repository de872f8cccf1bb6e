package io.trivet.linux;

import io.trivet.net.Descriptor;
import io.trivet.net.DescriptorsLostException;
import io.trivet.net.UnixStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.List;

/**
 * Passes descriptors over Unix domain sockets (man 3 cmsg, man 7 unix). A process passes few, so each call allocates what it needs.
 *
 * <pre>
 * struct cmsghdr {
 *   size_t cmsg_len;    0
 *   int    cmsg_level;  8
 *   int    cmsg_type;  12
 * };                   16, then the descriptors, an int each
 * </pre>
 */
final class PassedDescriptors {
    static final int CMSG_SIZE = 16;
    static final int CMSG_LEVEL = 8;
    static final int CMSG_TYPE = 12;
    /** In struct msghdr. */
    static final int MSG_CONTROL = 32;
    static final int MSG_CONTROLLEN = 40;
    static final int MSG_FLAGS = 48;

    private PassedDescriptors() {}

    /** Writes bytes, and passes descriptors with them. Returns the number of bytes. */
    static int send(LinuxSocket socket, int fd, ByteBuffer buffer, int[] descriptors) throws IOException {
        if (descriptors.length > UnixStream.DESCRIPTORS_MAX) {
            throw new IllegalArgumentException(
                    "at most " + UnixStream.DESCRIPTORS_MAX + " descriptors are passed with one message, not "
                            + descriptors.length);
        }
        Scratch scratch = Scratch.ofThread();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = message(arena, scratch.outgoing(buffer, 0), scratch.length(), descriptors.length);
            MemorySegment control = arena.allocate(CMSG_SIZE + Integer.BYTES * (long) descriptors.length, 8);
            control.set(ValueLayout.JAVA_LONG, 0, control.byteSize());
            control.set(ValueLayout.JAVA_INT, CMSG_LEVEL, Options.SOL_SOCKET);
            control.set(ValueLayout.JAVA_INT, CMSG_TYPE, Libc.SCM_RIGHTS);
            MemorySegment.copy(descriptors, 0, control, ValueLayout.JAVA_INT, CMSG_SIZE, descriptors.length);
            message.set(ValueLayout.JAVA_LONG, MSG_CONTROL, descriptors.length == 0 ? 0 : control.address());
            int written = (int) socket.writeResult("sendmsg", Libc.sendmsg(fd, message.address(), Libc.MSG_NOSIGNAL));
            scratch.advance(buffer, written);
            return written;
        } finally {
            Reference.reachabilityFence(buffer); // the kernel knows its memory only by address
        }
    }

    /** Reads bytes, and the descriptors that were passed with them, up to a maximum. */
    static int receive(LinuxSocket socket, int fd, ByteBuffer buffer, List<? super Descriptor> received, int max)
            throws IOException {
        if (max < 0 || max > UnixStream.DESCRIPTORS_MAX) {
            throw new IllegalArgumentException("a message has 0 to " + UnixStream.DESCRIPTORS_MAX + " descriptors, not " + max);
        }
        Scratch scratch = Scratch.ofThread();
        if (buffer.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
        // Copied, since the memory of a buffer may be an arena's, which may be closed meanwhile.
        ByteBuffer bytes = ByteBuffer.allocate(Math.min(buffer.remaining(), Scratch.BYTES_MAX));
        long address = scratch.incomingAddress(bytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment message = message(arena, address, scratch.length(), max);
            MemorySegment control = arena.allocate(CMSG_SIZE + Integer.BYTES * (long) max, 8);
            message.set(ValueLayout.JAVA_LONG, MSG_CONTROL, max == 0 ? 0 : control.address());
            int count = socket.readResult("recvmsg", Libc.recvmsg(fd, message.address(), Libc.MSG_CMSG_CLOEXEC), bytes, scratch);
            if (count > 0) {
                buffer.put(bytes.flip());
                take(socket, message, control, received, max);
            }
            return count;
        }
    }

    private static void take(LinuxSocket socket, MemorySegment message, MemorySegment control, List<? super Descriptor> received,
            int max) throws IOException {
        int length = (int) message.get(ValueLayout.JAVA_LONG, MSG_CONTROLLEN);
        boolean hasRights = length >= CMSG_SIZE && control.get(ValueLayout.JAVA_INT, CMSG_TYPE) == Libc.SCM_RIGHTS
                && control.get(ValueLayout.JAVA_INT, CMSG_LEVEL) == Options.SOL_SOCKET;
        int count = hasRights ? (int) (control.get(ValueLayout.JAVA_LONG, 0) - CMSG_SIZE) / Integer.BYTES : 0;
        boolean isCut = (message.get(ValueLayout.JAVA_INT, MSG_FLAGS) & Libc.MSG_CTRUNC) != 0;
        for (int i = 0; i < count; i++) {
            int fd = control.get(ValueLayout.JAVA_INT, CMSG_SIZE + Integer.BYTES * (long) i);
            if (isCut) {
                Libc.close(fd);
            } else {
                received.add(LinuxDescriptor.owned(socket.linux(), fd));
            }
        }
        if (isCut) { // the kernel has dropped those beyond the room that it was given
            throw new DescriptorsLostException(socket, max);
        }
    }

    /** Returns a struct msghdr with one struct iovec. */
    private static MemorySegment message(Arena arena, long address, long length, int descriptors) {
        MemorySegment part = arena.allocate(Scratch.IOVEC_SIZE, 8);
        part.set(ValueLayout.JAVA_LONG, 0, address);
        part.set(ValueLayout.JAVA_LONG, Scratch.IOV_LEN, length);
        MemorySegment message = arena.allocate(Scratch.MSGHDR_SIZE, 8);
        message.set(ValueLayout.JAVA_LONG, Scratch.MSG_IOV, part.address());
        message.set(ValueLayout.JAVA_LONG, Scratch.MSG_IOVLEN, 1);
        message.set(ValueLayout.JAVA_LONG, MSG_CONTROLLEN,
                descriptors == 0 ? 0 : CMSG_SIZE + Integer.BYTES * (long) descriptors);
        return message;
    }
}
