import io.trivet.server.Framing;
import io.trivet.server.Messages;
import io.trivet.server.Server;
import io.trivet.server.ServerBuilder;
import io.trivet.server.Session;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.IntSupplier;

/**
 * A guessing game as straight-line code: each connection has a virtual thread, and its state is in local variables.
 *
 *     java --enable-native-access=ALL-UNNAMED -cp app/target/trivet.jar examples/LineSession.java [HOST PORT [MILLISECONDS]]
 *     nc localhost 8080
 */
public final class LineSession {
    private static final int NUMBER_MAX = 100;
    private static final int GUESSES = 7;

    private LineSession() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        InetSocketAddress address = args.length < 2
                ? new InetSocketAddress("127.0.0.1", 8080)
                : new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        Duration patience = Duration.ofMillis(args.length < 3 ? 30_000 : Long.parseLong(args[2]));
        try (Server server = server(address, patience, () -> 1 + ThreadLocalRandom.current().nextInt(NUMBER_MAX)).start()) {
            System.out.println("game on port " + server.address().getPort());
            server.join();
        }
    }

    /** Returns a server that is not started yet. A test can put it on a simulated network. */
    static ServerBuilder server(InetSocketAddress address, Duration patience, IntSupplier numbers) {
        return Server.builder()
                .listen(address)
                .framing(Framing.lines())
                .session(session -> play(session, patience, numbers.getAsInt()));
    }

    /** When this returns, everything that was sent is delivered, and the connection is closed. */
    private static void play(Session session, Duration patience, int number) throws IOException {
        session.send("I think of a number from 1 to " + NUMBER_MAX + ". You have " + GUESSES + " guesses.");
        for (int left = GUESSES; left > 0; left--) {
            ByteBuffer line;
            try {
                line = session.receive(patience); // waits; the thread takes no carrier meanwhile
            } catch (SocketTimeoutException e) {
                session.send("You took too long. It was " + number + '.');
                return;
            }
            if (line == null) {
                return; // the player has left
            }
            String guess = Messages.text(line).trim();
            if (!guess.matches("[0-9]{1,3}")) {
                session.send("That is no number.");
            } else if (Integer.parseInt(guess) == number) {
                session.send("Right!");
                return;
            } else {
                session.send(Integer.parseInt(guess) < number ? "More." : "Less.");
            }
        }
        session.send("No guesses are left. It was " + number + '.');
    }
}
