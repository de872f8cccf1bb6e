package io.trivet.tls;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds out whether files have changed: by their size, the time of their modification, their identity (device and inode), and where the
 * system has it, the time of the last change of their owner or permissions. Symbolic
 * links are followed, so a link that points elsewhere is a change, as when Kubernetes replaces a secret. No events of the file
 * system are used: they are lost when a directory is replaced, and network file systems have none. Not thread-safe.
 */
final class FileStamps {
    private final List<Path> files;
    private List<String> seen;

    /** Notes the present state of some files, which need not exist. */
    FileStamps(List<Path> files) {
        this.files = List.copyOf(files);
        seen = stamps();
    }

    /** Returns true if a file has changed since the last call, or since the creation. */
    boolean haveChanged() {
        List<String> now = stamps();
        boolean changed = !now.equals(seen);
        seen = now;
        return changed;
    }

    private List<String> stamps() {
        List<String> stamps = new ArrayList<>();
        for (Path file : files) {
            stamps.add(stamp(file));
        }
        return stamps;
    }

    /** Permissions decide whether a file can be read: a change of them is one of the file. */
    private static String changeTime(Path file) throws IOException {
        return file.getFileSystem().supportedFileAttributeViews().contains("unix") ? ", " + Files.getAttribute(file, "unix:ctime")
                : "";
    }

    private static String stamp(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return attributes.size() + " bytes, " + attributes.lastModifiedTime() + ", " + attributes.fileKey()
                    + changeTime(file);
        } catch (IOException e) {
            return "not there: " + e.getClass().getName();
        }
    }
}
