package io.trivet.app;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Clients of RespServer. Each has keys of its own, so that its replies are known; all increment one counter, and publish to one
 * channel.
 */
final class RespRun extends ExampleRun {
    private static final int KEYS = 3;
    private static final String SHARED = "shared";
    private static final String CHANNEL = "news";
    private static final String END_OF_KEYS = "end-of-keys";
    private static final String SUBSCRIBED = "*3\r\n" + RespModel.bulk("subscribe") + RespModel.bulk(CHANNEL) + ":1\r\n";

    private final List<Commander> commanders = new ArrayList<>();
    private final List<Subscriber> subscribers = new ArrayList<>();
    private final Set<Long> increments = new HashSet<>();

    RespRun(ExampleNetwork network, long seed) {
        super(network, seed);
    }

    @Override
    void begin() {
        for (int i = random.nextInt(3); i > 0; i--) {
            subscribers.add(new Subscriber("subscriber " + i));
        }
        for (int i = 1 + random.nextInt(5); i > 0; i--) {
            commanders.add(new Commander("client" + i));
        }
        clients.addAll(subscribers);
        clients.addAll(commanders);
    }

    @Override
    void between() {
        if (recovering && commanders.stream().allMatch(ExampleClient::isOver)) {
            subscribers.forEach(subscriber -> subscriber.mayQuit = true);
        }
    }

    /** Asks for all keys, and compares them with what each client's commands have left, up to one that may be the last. */
    @Override
    void check() throws IOException {
        settle();
        StringBuilder questions = new StringBuilder(RespModel.command("GET", SHARED));
        for (Commander commander : commanders) {
            commander.questions().forEach(question -> questions.append(RespModel.array(question)));
            questions.append(RespModel.command("ECHO", END_OF_KEYS));
        }
        Auditor auditor = new Auditor(questions.toString(), commanders.size());
        clients.add(auditor);
        finishClients();
        assertThat(auditor.end).as("the audit: %s", auditor.replies).isEqualTo(ExampleClient.End.LEFT);
        String[] answers = auditor.replies.toString().split(Pattern.quote(RespModel.bulk(END_OF_KEYS)), -1);
        int afterShared = answers[0].startsWith("$-1") ? 5 : answers[0].indexOf('\n', answers[0].indexOf('\n') + 1) + 1;
        checkShared(answers[0].substring(0, afterShared));
        answers[0] = answers[0].substring(afterShared);
        for (int i = 0; i < commanders.size(); i++) {
            commanders.get(i).checkKeys(answers[i]);
        }
        for (Subscriber subscriber : subscribers) {
            subscriber.checkAll();
        }
    }

    private void checkShared(String reply) {
        long total = reply.startsWith("$-1") ? 0 : Long.parseLong(reply.substring(reply.indexOf('\n') + 1).trim());
        long sent = commanders.stream().mapToLong(commander -> commander.count("INCR", true)).sum();
        long replied = commanders.stream().mapToLong(commander -> commander.count("INCR", false)).sum();
        assertThat(total).as("the shared counter: each command is executed once").isBetween(replied, sent);
        assertThat(increments).allMatch(value -> value <= total);
    }

    /** Sends pipelines, and knows the replies. */
    private final class Commander extends ExampleClient {
        private final RespModel model = new RespModel();
        private final List<List<String>> commands = new ArrayList<>();
        /** The number of bytes up to the end of each command. */
        private final List<Long> ends = new ArrayList<>();
        /** The replies that are awaited; an empty one is any number. */
        private final Deque<String> expected = new ArrayDeque<>();
        private final StringBuilder input = new StringBuilder();
        private int pipelines = 1 + random.nextInt(5);
        private long nextNanos = now();
        private int published;
        private long lastIncrement;
        private boolean quits;
        private boolean finishes;
        private final boolean leaves = network.isSimulated() && random.nextInt(8) == 0;

        Commander(String name) {
            super(RespRun.this.network, name, RespRun.this.random);
        }

        @Override
        void act() {
            if (pipelines > 0 && now() - nextNanos >= 0 && (expected.isEmpty() || random.nextInt(4) == 0)) {
                pipelines--;
                for (int i = random.nextInt(12); i >= 0; i--) {
                    command();
                }
                nextNanos = now() + (long) (random.nextDouble() * (network.isSimulated() ? 2e9 : 2e6) * random.nextInt(2));
                if (pipelines == 0 && !leaves) {
                    end();
                }
            }
            if (leaves && pipelines == 0 && random.nextInt(6) == 0) {
                leave();
            }
        }

        private void end() {
            finishes = true;
            switch (random.nextInt(3)) {
                case 0 -> {
                    quits = true;
                    send(RespModel.command("QUIT"));
                    expected.add("+OK\r\n");
                    if (random.nextBoolean()) {
                        send(RespModel.command("PING")); // after the end: no reply
                    }
                }
                case 1 -> {
                    quits = true;
                    send("*1\r\n:what\r\n");
                    expected.add("-ERR Protocol error: expected '$', got ':'\r\n");
                }
                default -> finish();
            }
        }

        private void command() {
            String key = name + ":" + random.nextInt(KEYS);
            String value = value();
            List<String> words = switch (random.nextInt(14)) {
                case 0 -> List.of("PING");
                case 1 -> List.of("ECHO", value);
                case 2, 3 -> List.of("SET", key, value);
                case 4 -> List.of("GET", key);
                case 5 -> List.of("INCR", key);
                case 6 -> List.of("DEL", key, name + ":0");
                case 7 -> List.of("EXISTS", key, key);
                case 8 -> List.of("LPUSH", key, value, "x");
                case 9 -> List.of("RPUSH", key, value);
                case 10 -> List.of(random.nextBoolean() ? "LPOP" : "RPOP", key);
                case 11 -> random.nextBoolean() ? List.of("LLEN", key) : List.of("LRANGE", key, "0", "-1");
                case 12 -> List.of("INCR", SHARED);
                default -> List.of("PUBLISH", CHANNEL, name + " " + ++published + " " + value);
            };
            commands.add(words);
            ends.add(send(RespModel.array(words)));
            expected.add(isShared(words) ? "" : model.reply(words));
        }

        private static boolean isShared(List<String> words) {
            return words.get(0).equals("PUBLISH") || words.equals(List.of("INCR", SHARED));
        }

        /** Returns a number, or any bytes, those of the protocol among them. */
        private String value() {
            return switch (random.nextInt(4)) {
                case 0 -> Integer.toString(random.nextInt(100) - 50);
                case 1 -> "\r\n$3\r\n*".substring(random.nextInt(7));
                default -> {
                    int length = random.nextInt(random.nextInt(12) == 0 ? 20_000 : 50);
                    byte[] bytes = new byte[length];
                    random.nextBytes(bytes);
                    yield new String(bytes, ISO_8859_1);
                }
            };
        }

        @Override
        void received(String bytes) {
            input.append(bytes);
            while (!input.isEmpty()) {
                expect(!expected.isEmpty(), "gets bytes that it has not asked for: " + input);
                String reply = expected.getFirst();
                if (reply.isEmpty()) {
                    int end = input.indexOf("\r\n");
                    if (end < 0) {
                        return;
                    }
                    number(commands.get(commands.size() - expected.size() + (quits ? 1 : 0)), input.substring(0, end));
                    input.delete(0, end + 2);
                } else {
                    int common = Math.min(reply.length(), input.length());
                    expect(input.substring(0, common).equals(reply.substring(0, common)),
                            "gets " + input + " instead of " + reply + " as reply " + (commands.size() - expected.size()));
                    if (common < reply.length()) {
                        return;
                    }
                    input.delete(0, common);
                }
                expected.removeFirst();
            }
        }

        private void number(List<String> words, String reply) {
            expect(reply.matches(":[0-9]+"), "gets " + reply + " for " + words.getFirst());
            long value = Long.parseLong(reply.substring(1));
            if (words.getFirst().equals("INCR")) {
                expect(value > lastIncrement && increments.add(value), "gets " + value + " again from the shared counter");
                lastIncrement = value;
            } else {
                expect(value <= subscribers.size(), "has published to " + value + " subscribers");
            }
        }

        @Override
        void ended() {
            if (end == End.ENDED) {
                expect(input.isEmpty(), "reads a clean end in the middle of a reply: " + input);
                expect((finishes && expected.isEmpty()) || mayBeCut(),
                        "reads a clean end before " + expected.size() + " replies");
            }
            expect(end != End.CUT || mayBeCut(), "is cut for no reason");
        }

        /** Returns how many of its commands were replied to. */
        private int replied() {
            return Math.min(commands.size(), commands.size() + (quits ? 1 : 0) - expected.size());
        }

        /** Returns how many of its commands may have been executed: all of whose bytes were written. */
        private int sent() {
            return (int) ends.stream().filter(end -> end <= written()).count();
        }

        long count(String command, boolean sent) {
            return commands.stream().limit(sent ? sent() : replied())
                    .filter(words -> words.equals(List.of(command, SHARED))).count();
        }

        List<List<String>> questions() {
            List<List<String>> questions = new ArrayList<>();
            for (int key = 0; key < KEYS; key++) {
                questions.add(List.of("GET", name + ":" + key));
                questions.add(List.of("LRANGE", name + ":" + key, "0", "-1"));
            }
            return questions;
        }

        void checkKeys(String answer) {
            RespModel replay = new RespModel();
            int sent = sent();
            for (int executed = 0; executed <= sent; executed++) {
                if (executed > 0 && !isShared(commands.get(executed - 1))) {
                    replay.reply(commands.get(executed - 1));
                }
                StringBuilder answers = new StringBuilder();
                questions().forEach(question -> answers.append(replay.reply(question)));
                if (executed >= replied() && answers.toString().equals(answer)) {
                    return;
                }
            }
            expect(false,
                    "has sent " + sent + " commands, " + replied() + " of them with a reply, which do not lead to " + answer);
        }

        /** Returns the number of the last message that it has certainly published. */
        int publishedCertainly() {
            return (int) commands.stream().limit(replied()).filter(words -> words.getFirst().equals("PUBLISH")).count();
        }

        int publishedAtMost() {
            return (int) commands.stream().limit(sent()).filter(words -> words.getFirst().equals("PUBLISH")).count();
        }

        String message(int number) {
            return commands.stream().filter(words -> words.getFirst().equals("PUBLISH")).skip(number - 1L).findFirst()
                    .orElseThrow().get(2);
        }
    }

    /** Receives what is published, in order and without gaps. */
    private final class Subscriber extends ExampleClient {
        private final StringBuilder input = new StringBuilder();
        private final Map<String, Integer> last = new HashMap<>();
        private boolean asked;
        private boolean subscribed;
        private boolean mayQuit;
        private boolean quits;
        private boolean quitReplied;

        Subscriber(String name) {
            super(RespRun.this.network, name, RespRun.this.random);
        }

        @Override
        void act() {
            if (!asked) {
                asked = true;
                send(RespModel.command("SUBSCRIBE", CHANNEL));
            }
            if (mayQuit && subscribed && !quits) {
                quits = true;
                send(RespModel.command("QUIT"));
            }
        }

        @Override
        void received(String bytes) {
            input.append(bytes);
            for (int length = length(); length > 0; length = length()) {
                message(input.substring(0, length));
                input.delete(0, length);
            }
        }

        /** Returns the length of the first reply; 0 if it is incomplete. */
        private int length() {
            int lineEnd = input.indexOf("\r\n");
            if (lineEnd < 0 || input.charAt(0) != '*') {
                return lineEnd + 2 > 1 ? lineEnd + 2 : 0;
            }
            int at = lineEnd + 2;
            for (int i = 0; i < 3; i++) {
                int end = input.indexOf("\r\n", at);
                if (end < 0) {
                    return 0;
                }
                at = end + 2 + (input.charAt(at) == '$' ? Integer.parseInt(input.substring(at + 1, end)) + 2 : 0);
                if (at > input.length()) {
                    return 0;
                }
            }
            return at;
        }

        private void message(String reply) {
            if (!subscribed) {
                expect(reply.equals(SUBSCRIBED), "gets " + reply + " for SUBSCRIBE");
                subscribed = true;
                return;
            }
            if (reply.equals("+OK\r\n")) {
                expect(quits && !quitReplied, "gets +OK");
                quitReplied = true;
                return;
            }
            String head = "*3\r\n" + RespModel.bulk("message") + RespModel.bulk(CHANNEL) + "$";
            expect(reply.startsWith(head), "gets " + reply);
            String text = reply.substring(reply.indexOf("\r\n", head.length()) + 2, reply.length() - 2);
            String[] words = text.split(" ", 3);
            int number = Integer.parseInt(words[1]);
            Integer before = last.put(words[0], number);
            expect(before == null || number == before + 1, "gets message " + number + " of " + words[0] + " after " + before);
            expect(text.equals(publisher(words[0]).message(number)), "gets another message than was published: " + text);
        }

        private Commander publisher(String publisher) {
            return commanders.stream().filter(commander -> commander.name.equals(publisher)).findFirst().orElseThrow();
        }

        @Override
        void ended() {
            if (end == End.ENDED) {
                expect(input.isEmpty(), "reads a clean end in the middle of a message: " + input);
                expect(quitReplied || mayBeCut(), "reads a clean end, and has not quit");
            }
            expect(end != End.CUT || mayBeCut(), "is cut for no reason");
        }

        /** Checks the last messages: once it has received one of a publisher, it must get all that follow. */
        void checkAll() {
            last.forEach((publisher, number) -> {
                expect(number <= publisher(publisher).publishedAtMost(), "has message " + number + " of " + publisher);
                expect(!quitReplied || number >= publisher(publisher).publishedCertainly(),
                        "has missed messages of " + publisher + " after " + number);
            });
        }
    }

    /** Asks for all keys at the end, when there are no faults. */
    private final class Auditor extends ExampleClient {
        private final StringBuilder replies = new StringBuilder();
        private final String questions;
        private final int parts;
        private boolean asked;

        Auditor(String questions, int parts) {
            super(RespRun.this.network, "the auditor", RespRun.this.random);
            this.questions = questions;
            this.parts = parts;
        }

        @Override
        void act() {
            if (!asked) {
                asked = true;
                send(questions);
            }
        }

        @Override
        void received(String bytes) {
            replies.append(bytes);
            if (replies.toString().split(Pattern.quote(RespModel.bulk(END_OF_KEYS)), -1).length > parts) {
                leave();
            }
        }

        @Override
        void ended() {
            // check() looks at the replies.
        }
    }
}
