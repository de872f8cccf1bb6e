package io.trivet.view;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A socket as the kernel has it, told by ss(8).
 *
 * @param descriptor the descriptor of this process, or -1
 * @param received bytes that TCP has received in order
 * @param unread those that no read has returned yet
 * @param acked bytes that the peer has acknowledged
 * @param unacked bytes in the send buffer: not sent, or not acknowledged
 */
record KernelSocket(String state, int descriptor, long received, long unread, long acked, long unacked) {
    private static final Pattern LINK = Pattern.compile("socket:\\[(\\d+)]");
    private static final Pattern TARGET = Pattern.compile("tfd:\\s*(\\d+)\\s+events:\\s*([0-9a-f]+)");

    /** Returns the accepted sockets of a server at a port of this process, by the address of the peer. */
    static Map<String, KernelSocket> ofServer(int port) throws IOException, InterruptedException {
        Map<String, Integer> descriptors = new HashMap<>();
        forEachDescriptor((descriptor, target) -> {
            Matcher link = LINK.matcher(target);
            if (link.matches()) {
                descriptors.put(link.group(1), descriptor);
            }
        });
        Process ss = new ProcessBuilder("ss", "-tanHOie", "sport = :" + port).redirectErrorStream(true).start();
        String output = new String(ss.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        if (ss.waitFor() != 0) {
            throw new IOException(output);
        }
        Map<String, KernelSocket> sockets = new HashMap<>();
        for (String line : output.split("\n", -1)) {
            String[] words = line.strip().split("\\s+", -1);
            if (words.length >= 5 && !words[0].equals("LISTEN")) {
                sockets.put(words[4], new KernelSocket(words[0], descriptors.getOrDefault(word(line, "ino:"), -1),
                        number(line, "bytes_received:"), Long.parseLong(words[1]), number(line, "bytes_acked:"),
                        Long.parseLong(words[2])));
            }
        }
        return sockets;
    }

    private static String word(String line, String name) {
        Matcher found = Pattern.compile("\\b" + name + "(\\d+)").matcher(line);
        return found.find() ? found.group(1) : "";
    }

    private static long number(String line, String name) {
        String word = word(line, name);
        return word.isEmpty() ? 0 : Long.parseLong(word);
    }

    private interface Descriptors {
        void see(int descriptor, String target) throws IOException;
    }

    private static void forEachDescriptor(Descriptors descriptors) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path file : files) {
                try {
                    descriptors.see(Integer.parseInt(file.getFileName().toString()), Files.readSymbolicLink(file).toString());
                } catch (java.nio.file.NoSuchFileException e) {
                    // It was closed meanwhile.
                }
            }
        }
    }

    /** Returns what is registered with the epoll descriptors of this process: events by descriptor. */
    static Map<Integer, Integer> registeredWithEpoll() throws IOException {
        Map<Integer, Integer> registered = new HashMap<>();
        forEachDescriptor((descriptor, target) -> {
            if (target.equals("anon_inode:[eventpoll]")) {
                Matcher line = TARGET.matcher(Files.readString(Path.of("/proc/self/fdinfo/" + descriptor)));
                while (line.find()) {
                    registered.put(Integer.parseInt(line.group(1)), Integer.parseUnsignedInt(line.group(2), 16));
                }
            }
        });
        return registered;
    }

    /** Returns true if that many bytes were read from it and written to it. A SYN or FIN of the peer may count as a byte. */
    boolean agreesWith(long read, long written) {
        long readInKernel = received - unread - read;
        long writtenInKernel = acked + unacked - written;
        return readInKernel >= -1 && readInKernel <= 1 && writtenInKernel >= -1 && writtenInKernel <= 1;
    }
}
