package io.trivet.app;

import java.util.regex.Pattern;

/** Players of LineSession. Each knows the bounds of its number, and with it the reply to each of its lines, or which may come. */
final class SessionRun extends ExampleRun {
    /** How long the game waits for a line. */
    static final int PATIENCE_MILLIS = 1_000;

    private static final String GREETING = "I think of a number from 1 to 100. You have 7 guesses.";
    private static final int GUESSES = 7;

    SessionRun(ExampleNetwork network, long seed) {
        super(network, seed);
    }

    @Override
    void begin() {
        for (int i = 1 + random.nextInt(8); i > 0; i--) {
            clients.add(new Player("player " + i));
        }
    }

    @Override
    void between() {
        // Nobody connects again.
    }

    @Override
    void check() {
        // Each player has checked its own game.
    }

    private final class Player extends ExampleClient {
        private final StringBuilder input = new StringBuilder();
        /** The lines that it sends, and how many were replied to. -1: no number. */
        private final int[] guesses = new int[random.nextInt(GUESSES + 3)];
        private final int together = 1 + random.nextInt(3);
        private final boolean finishes = random.nextInt(3) == 0;
        private final boolean leaves = network.isSimulated() && random.nextInt(8) == 0;
        private int sent;
        private int replied = -1;
        private int low = 1;
        private int high = 100;
        private boolean over;
        private long lastLineNanos = startedNanos; // the server's game may begin before the fields of this one are set

        Player(String name) {
            super(SessionRun.this.network, name, SessionRun.this.random);
        }

        @Override
        void act() {
            if (sent < guesses.length && (replied >= sent || random.nextInt(8) == 0)) {
                for (int i = 0; i < together && sent < guesses.length; i++) {
                    guesses[sent] = random.nextInt(6) == 0 ? -1
                            : random.nextBoolean() && low <= high ? low + random.nextInt(high - low + 1)
                            : random.nextInt(120);
                    send(guesses[sent] < 0 ? "one\n" : guesses[sent] + "\n");
                    sent++;
                }
                lastLineNanos = now();
            } else if (sent == guesses.length && finishes) {
                finish();
            } else if (sent == guesses.length && leaves && random.nextInt(10) == 0) {
                leave();
            }
        }

        @Override
        void received(String bytes) {
            input.append(bytes);
            for (int end = input.indexOf("\n"); end >= 0; end = input.indexOf("\n")) {
                line(input.substring(0, end));
                input.delete(0, end + 1);
            }
        }

        private void line(String line) {
            expect(!over, "gets a line after the end of the game: " + line);
            if (replied < 0) {
                expect(line.equals(GREETING), "is greeted with " + line);
                replied = 0;
                return;
            }
            if (line.startsWith("You took too long.") || line.startsWith("No guesses are left.")) {
                over = true;
                boolean tooLong = line.startsWith("You took");
                String head = tooLong ? "You took too long. It was " : "No guesses are left. It was ";
                expect(Pattern.matches(Pattern.quote(head) + "[0-9]+\\.", line), "gets " + line);
                int number = Integer.parseInt(line.substring(head.length(), line.length() - 1));
                expect(number >= low && number <= high, "has lost, with replies that are not those for " + number);
                expect(tooLong || replied == GUESSES, "has no guesses left after " + replied);
                boolean isLate = now() - lastLineNanos >= PATIENCE_MILLIS * 1_000_000L;
                expect(!tooLong || isLate || replied < sent, "is told to have taken too long too early");
                return;
            }
            expect(replied < sent, "gets a reply to nothing: " + line);
            int guess = guesses[replied++];
            expect(replied <= GUESSES, "gets a reply to guess " + replied);
            switch (line) {
                case "That is no number." -> expect(guess < 0, "gets this for " + guess + ": " + line);
                case "More." -> {
                    expect(guess >= 0 && guess < high, "gets this for " + guess + " with at most " + high + ": " + line);
                    low = Math.max(low, guess + 1);
                }
                case "Less." -> {
                    expect(guess > low, "gets this for " + guess + " with at least " + low + ": " + line);
                    high = Math.min(high, guess - 1);
                }
                case "Right!" -> {
                    expect(guess >= low && guess <= high, "has won with " + guess + ", from " + low + " to " + high);
                    over = true;
                }
                default -> expect(false, "gets " + line);
            }
        }

        @Override
        void ended() {
            if (end == End.ENDED) {
                expect(input.isEmpty(), "reads a clean end in the middle of a line: " + input);
                boolean hasLeft = finishes && replied == guesses.length;
                expect(over || hasLeft || mayBeCut(), "reads a clean end in the middle of its game");
            }
            expect(end != End.CUT || mayBeCut(), "is cut for no reason");
        }
    }
}
