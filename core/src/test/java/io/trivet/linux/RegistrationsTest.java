package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Interest;
import io.trivet.net.Network;
import io.trivet.net.Registration;
import io.trivet.net.Socket;
import java.net.SocketOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RegistrationsTest {
    private final Registrations table = new Registrations();

    @Test
    void isEmptyInitially() {
        Numbered stranger = new Numbered(7);
        assertThat(table.find(stranger)).isEqualTo(-1);
        assertThat(table.registration(stranger)).isNull();
        assertThat(table.isRegistered(7)).isFalse();
        assertThat(table.isRegistered(1_000_000)).isFalse();
        assertThat(table.openSocket(1_000_000)).isNull();
        assertThat(table.isCurrent(1_000_000, 0)).isFalse();
    }

    @Test
    void findsASocketAfterItWasClosed() {
        Numbered socket = new Numbered(100);
        table.add(socket, 100, Interest.READ, 42);
        socket.close();
        assertThat(table.find(socket)).isEqualTo(100);
        assertThat(table.openSocket(100)).isNull();
        assertThat(table.isRegistered(100)).isTrue();
        assertThat(table.registration(socket)).isEqualTo(new Registration(socket, Interest.READ, 42));
    }

    @Test
    void socketsAreComparedByIdentityNotByEquals() {
        Numbered registered = new Numbered(5);
        Numbered other = new Numbered(5);
        assertThat(registered).as("equal, as an application's class may be").isEqualTo(other);
        table.add(registered, 5, Interest.WRITE, 1);
        assertThat(table.find(other)).isEqualTo(-1);
        assertThat(table.find(registered)).isEqualTo(5);
    }

    @Test
    void eventOfAnEarlierSocketWithTheDescriptorIsRecognised() {
        Numbered first = new Numbered(9);
        table.add(first, 9, Interest.READ, 1);
        int generation = table.generation(9);
        assertThat(table.isCurrent(9, generation)).isTrue();
        table.remove(9);
        assertThat(table.isCurrent(9, generation)).isFalse();
        table.add(new Numbered(9), 9, Interest.READ, 2);
        assertThat(table.isCurrent(9, generation)).isFalse();
        assertThat(table.isCurrent(9, table.generation(9))).isTrue();
    }

    /** Sockets are added and closed, with and without being removed, and their numbers are reused, as by a kernel. */
    @Test
    void agreesWithAPlainModel() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        Map<Integer, Registration> model = new HashMap<>();
        List<Numbered> sockets = new ArrayList<>();
        for (int step = 0; step < 5_000; step++) {
            int fd = random.nextInt(1 << random.nextInt(1, 12));
            int interest = random.nextInt(Interest.ALL + 1);
            long token = random.nextLong();
            switch (random.nextInt(5)) {
                case 0, 1 -> { // a new socket with the number; the old one, if any, is closed
                    sockets.stream().filter(socket -> socket.fd() == fd).forEach(Numbered::close);
                    Numbered socket = new Numbered(fd);
                    sockets.add(socket);
                    table.add(socket, fd, interest, token);
                    model.put(fd, new Registration(socket, interest, token));
                }
                case 2 -> {
                    Registration known = model.get(fd);
                    if (known != null) {
                        table.set(fd, interest, token);
                        model.put(fd, new Registration(known.socket(), interest, token));
                    }
                }
                case 3 -> {
                    if (model.remove(fd) != null) {
                        table.remove(fd);
                    }
                }
                default -> {
                    Registration known = model.get(fd);
                    if (known != null) {
                        ((Numbered) known.socket()).close();
                    }
                }
            }
            check(model, fd, "seed " + seed + ", step " + step);
            Numbered any = sockets.isEmpty() ? new Numbered(fd) : sockets.get(random.nextInt(sockets.size()));
            check(model, any, "seed " + seed + ", step " + step);
        }
    }

    private void check(Map<Integer, Registration> model, int fd, String where) {
        Registration known = model.get(fd);
        assertThat(table.isRegistered(fd)).as(where).isEqualTo(known != null);
        assertThat(table.openSocket(fd)).as(where).isSameAs(known != null && known.socket().isOpen() ? known.socket() : null);
        if (known != null) {
            assertThat(table.interest(fd)).as(where).isEqualTo(known.interest());
            assertThat(table.token(fd)).as(where).isEqualTo(known.token());
            assertThat(table.find(known.socket())).as(where).isEqualTo(fd);
        }
    }

    @SuppressWarnings("ReferenceEquality") // sockets are compared by identity
    private void check(Map<Integer, Registration> model, Numbered socket, String where) {
        Registration known = model.get(socket.number);
        boolean itself = known != null && known.socket() == socket;
        assertThat(table.find(socket)).as(where).isEqualTo(itself ? socket.number : -1);
        assertThat(table.registration(socket)).as(where).isEqualTo(itself ? known : null);
    }

    /** A socket that consists only of its number, and is equal to every other. */
    private static final class Numbered implements Socket {
        private final int number;
        private boolean open = true;

        Numbered(int number) {
            this.number = number;
        }

        @Override
        public int fd() {
            return open ? number : -1;
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public void close() {
            open = false;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Numbered;
        }

        @Override
        public int hashCode() {
            return 1;
        }

        @Override
        public String toString() {
            return "number " + number;
        }

        @Override
        public Network network() {
            throw new UnsupportedOperationException();
        }

        @Override
        public <T> void setOption(SocketOption<T> option, T value) {
            throw new UnsupportedOperationException();
        }

        @Override
        public <T> T getOption(SocketOption<T> option) {
            throw new UnsupportedOperationException();
        }
    }
}
