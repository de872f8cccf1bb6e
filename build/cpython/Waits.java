import io.trivet.net.Descriptor;
import io.trivet.net.ErrorCode;
import io.trivet.net.Network;
import io.trivet.net.NetworkException;
import io.trivet.net.Pipe;
import io.trivet.select.FdSet;
import io.trivet.select.NetworkSelect;
import io.trivet.select.Ready;
import io.trivet.select.Select;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The Java side of trivet_select.c: worker threads take the waits of Python's threads, and wait in Trivet's {@link Select}. There is always
 * one more worker than there are waits, up to a maximum; beyond it a wait starts when another has ended.
 */
final class Waits {
    private static final int WORKERS_MAX = 1024;

    private static final Worker[] WORKERS = new Worker[WORKERS_MAX];
    /** Guarded by the class, as the array. */
    private static int workerCount;
    private static int idleWorkers;

    private Waits() {}

    /** Address of the wait, id, timeout in nanoseconds or -1, 1 if it is interrupted already, three counts, and the descriptors. */
    static native long[] take(int worker);

    static native void ready(long wait, byte[] ready);

    static native void interrupted(long wait);

    static native void failed(long wait, String errorName, String message);

    /** The number of a worker, and the id of the wait that shall end. */
    static native long[] nextInterrupt();

    /** Start is finished; an empty text means success. */
    static native void started(String failure);

    /** Starts the workers, then interrupts them on demand. Called once; does not return. */
    static void run(String form, String engine) {
        try {
            Form waits = form(form, engine);
            warmUp(waits);
            startWorker(waits);
        } catch (IOException | RuntimeException | Error e) {
            started(e.toString());
            return;
        }
        started("");
        while (true) {
            long[] interrupt = nextInterrupt();
            WORKERS[(int) interrupt[0]].interrupt(interrupt[1]);
        }
    }

    private static Form form(String form, String engine) {
        NetworkSelect chosen = engine.equals("static") ? null : Select.on(Network.named(engine));
        return switch (form) {
            case "fdset" -> new Sets(chosen);
            case "lists" -> new Lists(chosen);
            default -> throw new IllegalArgumentException("no such form: " + form);
        };
    }

    /** Loads the classes and opens the descriptors that are kept, so that a test finds none that come and go. */
    private static void warmUp(Form form) throws IOException {
        try (Pipe pipe = Network.system().pipe()) {
            int[][] lists = {{pipe.source().fd()}, {pipe.sink().fd()}, {pipe.source().fd()}};
            byte[] ready = form.select(lists, Duration.ofSeconds(10));
            if (ready[0] != 0 || ready[1] != 1 || ready[2] != 0) {
                throw new IllegalStateException("an empty pipe: " + List.of(ready[0], ready[1], ready[2]));
            }
            form.select(new int[][] {{pipe.source().fd()}, {}, {}}, Duration.ofMillis(1));
        }
    }

    private static void startWorker(Form form) {
        synchronized (Waits.class) {
            if (workerCount == WORKERS_MAX) {
                return;
            }
            Worker worker = new Worker(workerCount, form);
            WORKERS[workerCount++] = worker;
            idleWorkers++;
            Thread.ofPlatform().daemon().name("wait-" + worker.number).start(worker);
        }
    }

    /** A worker has taken a wait: if it was the last idle one, starts another. */
    private static void busy(Form form) {
        synchronized (Waits.class) {
            if (--idleWorkers > 0) {
                return;
            }
        }
        startWorker(form);
    }

    private static synchronized void idle() {
        idleWorkers++;
    }

    private static final class Worker implements Runnable {
        final int number;
        private final Form form;
        private Thread thread;
        /** The id of the current wait; ids increase. */
        private long current;
        /** The id of the wait that shall end. Its interrupt may come before the worker has set {@link #current}. */
        private long unwanted;

        Worker(int number, Form form) {
            this.number = number;
            this.form = form;
        }

        @Override
        public void run() {
            thread = Thread.currentThread(); // before the first wait: an interrupt comes after
            while (true) {
                long[] request = take(number);
                busy(form);
                serve(request);
                idle();
            }
        }

        private void serve(long[] request) {
            long wait = request[0];
            byte[] ready = null;
            boolean interrupted = false;
            String errorName = "";
            String message = "";
            begin(request[1], request[3] != 0);
            try {
                ready = form.select(lists(request), request[2] < 0 ? null : Duration.ofNanos(request[2]));
            } catch (InterruptedIOException e) {
                interrupted = true;
            } catch (NetworkException e) {
                errorName = e.code() == ErrorCode.OTHER ? "" : e.code().name();
                message = e.getMessage();
            } catch (IOException | RuntimeException | Error e) {
                message = e.toString();
            }
            end();
            if (ready != null) {
                ready(wait, ready);
            } else if (interrupted) {
                interrupted(wait);
            } else {
                failed(wait, errorName, message);
            }
        }

        private synchronized void begin(long id, boolean interrupted) {
            current = id;
            if (interrupted || unwanted == id) {
                Thread.currentThread().interrupt();
            }
        }

        private synchronized void end() {
            current = 0;
            Thread.interrupted();
        }

        synchronized void interrupt(long id) {
            if (current == id) {
                thread.interrupt();
            } else {
                unwanted = Math.max(unwanted, id);
            }
        }
    }

    private static int[][] lists(long[] request) {
        int[][] lists = new int[3][];
        int next = 7;
        for (int list = 0; list < 3; list++) {
            lists[list] = new int[(int) request[4 + list]];
            for (int i = 0; i < lists[list].length; i++) {
                lists[list][i] = (int) request[next++];
            }
        }
        return lists;
    }

    /** One of the two forms of Select, on one engine. */
    private interface Form {
        /** Waits for three lists of descriptors. Returns 1 for each that is ready, otherwise 0, of the three lists one after the other. */
        byte[] select(int[][] lists, Duration timeout) throws IOException;
    }

    /** The form with sets of descriptors. */
    private record Sets(NetworkSelect chosen) implements Form {
        @Override
        public byte[] select(int[][] lists, Duration timeout) throws IOException {
            FdSet[] sets = new FdSet[3];
            int nfds = 0;
            int count = 0;
            for (int list = 0; list < 3; list++) {
                for (int fd : lists[list]) {
                    sets[list] = sets[list] == null ? new FdSet() : sets[list];
                    sets[list].set(fd);
                    nfds = Math.max(nfds, fd + 1);
                    count++;
                }
            }
            int bits = chosen == null
                    ? Select.select(nfds, sets[0], sets[1], sets[2], timeout)
                    : chosen.select(nfds, sets[0], sets[1], sets[2], timeout);
            byte[] ready = new byte[count];
            int next = 0;
            int found = 0;
            for (int list = 0; list < 3; list++) {
                FdSet counted = new FdSet();
                for (int fd : lists[list]) {
                    if (sets[list].isSet(fd)) {
                        ready[next] = 1;
                        found += counted.isSet(fd) ? 0 : 1;
                        counted.set(fd);
                    }
                    next++;
                }
            }
            if (found != bits) {
                throw new IllegalStateException("select returned " + bits + ", and " + found + " bits are set");
            }
            return ready;
        }
    }

    /** The form with lists of objects. */
    private record Lists(NetworkSelect chosen) implements Form {
        @Override
        public byte[] select(int[][] lists, Duration timeout) throws IOException {
            List<Descriptor> r = descriptors(lists[0]);
            List<Descriptor> w = descriptors(lists[1]);
            List<Descriptor> x = descriptors(lists[2]);
            Ready<Descriptor> result = chosen == null ? Select.select(r, w, x, timeout) : chosen.select(r, w, x, timeout);
            byte[] ready = new byte[r.size() + w.size() + x.size()];
            mark(ready, 0, r, result.readable());
            mark(ready, r.size(), w, result.writable());
            mark(ready, r.size() + w.size(), x, result.exceptional());
            return ready;
        }

        /** A descriptor that is twice in a list is one object; in another list it is another. Both must be right. */
        private static List<Descriptor> descriptors(int[] fds) {
            Map<Integer, Descriptor> objects = new HashMap<>();
            List<Descriptor> descriptors = new ArrayList<>();
            for (int fd : fds) {
                descriptors.add(objects.computeIfAbsent(fd, Descriptor::of));
            }
            return descriptors;
        }

        /** Marks the members that are ready, and checks that the answer has the caller's own objects in the caller's order. */
        private static void mark(byte[] ready, int offset, List<Descriptor> list, List<Descriptor> answer) {
            int found = 0;
            for (int i = 0; i < list.size() && found < answer.size(); i++) {
                if (list.get(i) == answer.get(found)) {
                    ready[offset + i] = 1;
                    found++;
                }
            }
            if (found != answer.size()) {
                throw new IllegalStateException("select did not answer with members of its list, in their order: " + answer);
            }
        }
    }
}
