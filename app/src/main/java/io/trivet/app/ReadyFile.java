package io.trivet.app;

import io.trivet.net.Addresses;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The file from which scripts read where the server listens: one {@code host:port} or {@code unix:path} per line, a line for each
 * listener.
 *
 * <p>A regular file appears whole: a temporary file is renamed. A symbolic link is followed, and stays. A FIFO or a device is
 * written, never replaced. A directory is refused.
 */
final class ReadyFile {
    private static final int LINKS_MAX = 40;
    /** How long the start waits for the reader of a FIFO. */
    private static final long WAIT_MILLIS = 500;
    /** How long it waits if it must not continue without one: less than the server that is replaced waits for the acknowledgement. */
    private static final long REQUIRED_WAIT_SECONDS = 90;

    private ReadyFile() {}

    /**
     * Writes the file.
     *
     * @param isRequired true if the start must not continue before the file is written, also if a FIFO has no reader
     * @param err gets a line if a FIFO has no reader yet: it is written as soon as it has one
     */
    static void write(Path file, List<InetSocketAddress> addresses, boolean isRequired, PrintStream err) throws IOException {
        StringBuilder text = new StringBuilder();
        for (InetSocketAddress address : addresses) {
            text.append(Addresses.toString(address)).append('\n');
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        try {
            if (Files.isDirectory(file)) {
                throw new IOException("it is a directory");
            }
            Path target = follow(file);
            // A link in /proc, such as /dev/stdout, stands for an open file and not for a name.
            if (Files.exists(file) && (!Files.isRegularFile(file) || target.startsWith("/proc"))) {
                writeInPlace(file, bytes, isRequired, err);
            } else {
                replace(target, bytes);
            }
        } catch (IOException e) {
            throw new IOException("--ready-file " + file + " cannot be written: " + reason(e), e);
        }
    }

    /** Returns why a file could not be written, in words for users. */
    static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> missing.getFile() + " does not exist";
            case FileSystemException failure when failure.getReason() != null -> failure.getReason();
            default -> String.valueOf(e.getMessage());
        };
    }

    /** Follows symbolic links, also to a file that does not exist, but not those of /proc. */
    private static Path follow(Path file) throws IOException {
        Path target = file.toAbsolutePath();
        for (int i = 0; Files.isSymbolicLink(target); i++) {
            if (i == LINKS_MAX) {
                throw new IOException("too many symbolic links");
            }
            Path directory = directory(target).toRealPath();
            if (directory.startsWith("/proc")) {
                return directory;
            }
            target = directory.resolve(Files.readSymbolicLink(target));
        }
        return target;
    }

    private static Path directory(Path file) throws IOException {
        Path directory = file.getParent();
        if (directory == null || !Files.isDirectory(directory)) {
            throw new IOException("the directory " + directory + " does not exist");
        }
        return directory;
    }

    /** Writes a temporary file in the same directory and renames it, so that readers never see a partial file. */
    private static void replace(Path file, byte[] bytes) throws IOException {
        Path temporary = directory(file).resolve(".trivet-ready." + ProcessHandle.current().pid());
        Files.deleteIfExists(temporary); // of a process that had this number before; a link would be followed
        try {
            Files.write(temporary, bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.deleteIfExists(temporary);
            throw e;
        }
    }

    /** Writes on a thread of its own, because opening a FIFO waits for its reader. */
    private static void writeInPlace(Path file, byte[] bytes, boolean isRequired, PrintStream err) throws IOException {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    int _ = channel.write(buffer); // blocks: this process has opened it
                }
                done.complete(null);
            } catch (IOException e) {
                done.completeExceptionally(e);
            }
        }, "ready-file");
        thread.setDaemon(true);
        thread.start();
        if (awaitWritten(done, WAIT_MILLIS)) {
            return;
        }
        err.println("--ready-file " + EscapedText.line(file.toString()) + ": waiting for its reader");
        if (!isRequired) {
            done.exceptionally(failure -> {
                err.println("--ready-file " + EscapedText.line(file.toString()) + " cannot be written: "
                        + EscapedText.line(String.valueOf(failure.getMessage())));
                return null;
            });
        } else if (!awaitWritten(done, TimeUnit.SECONDS.toMillis(REQUIRED_WAIT_SECONDS))) {
            throw new IOException("it had no reader for " + REQUIRED_WAIT_SECONDS + " s");
        }
    }

    /** Returns false if the time has passed. */
    private static boolean awaitWritten(CompletableFuture<Void> done, long millis) throws IOException {
        try {
            done.get(millis, TimeUnit.MILLISECONDS);
            return true;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
