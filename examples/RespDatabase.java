import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;

/** Strings, lists and expiry, with the replies of Redis. A string holds bytes, as Latin-1. One thread. */
final class RespDatabase {
    private static final int MANY = Integer.MAX_VALUE;

    /** A String or a Deque of them, by key. */
    private final Map<String, Object> values = new HashMap<>();
    /** The time at which a key expires, in milliseconds since 1970. */
    private final Map<String, Long> expiries = new HashMap<>();

    private final Map<String, Command> commands = new HashMap<>();

    /** A command, and how many arguments it takes. */
    private record Command(int least, int most, BiConsumer<List<String>, RespReply> action) {}

    RespDatabase() {
        command("PING", 0, 1, (words, reply) -> {
            if (words.size() == 1) {
                reply.status("PONG");
            } else {
                reply.bulk(words.get(1));
            }
        });
        command("ECHO", 1, 1, (words, reply) -> reply.bulk(words.get(1)));
        command("GET", 1, 1, (words, reply) -> reply.bulk((String) values.get(words.get(1))));
        command("SET", 2, MANY, (words, reply) -> set(words.get(1), words, reply));
        command("INCR", 1, 1, (words, reply) -> add(words.get(1), 1, reply));
        command("DECR", 1, 1, (words, reply) -> add(words.get(1), -1, reply));
        command("INCRBY", 2, 2, (words, reply) -> add(words.get(1), RespRequest.integer(words.get(2)), reply));
        command("DEL", 1, MANY, (words, reply) -> reply.number(words.stream().skip(1).filter(this::remove).count()));
        command("EXISTS", 1, MANY, (words, reply) -> reply.number(words.stream().skip(1).filter(this::exists).count()));
        command("EXPIRE", 2, 2, (words, reply) -> expire(words.get(1), RespRequest.integer(words.get(2)) * 1000, reply));
        command("PEXPIRE", 2, 2, (words, reply) -> expire(words.get(1), RespRequest.integer(words.get(2)), reply));
        command("TTL", 1, 1, (words, reply) -> reply.number(seconds(left(words.get(1)))));
        command("PTTL", 1, 1, (words, reply) -> reply.number(left(words.get(1))));
        command("LPUSH", 2, MANY, (words, reply) -> push(words.get(1), words, true, reply));
        command("RPUSH", 2, MANY, (words, reply) -> push(words.get(1), words, false, reply));
        command("LPOP", 1, 1, (words, reply) -> reply.bulk(pop(words.get(1), true)));
        command("RPOP", 1, 1, (words, reply) -> reply.bulk(pop(words.get(1), false)));
        command("LLEN", 1, 1, (words, reply) -> reply.number(list(words.get(1)).size()));
        command("LRANGE", 3, 3, (words, reply) -> range(list(words.get(1)), words, reply));
        command("FLUSHALL", 0, 1, (words, reply) -> {
            values.clear();
            expiries.clear();
            reply.status("OK");
        });
        for (String asked : List.of("COMMAND", "CONFIG")) { // sent by redis-cli and redis-benchmark when they start
            command(asked, 0, MANY, (words, reply) -> reply.array(List.of()));
        }
    }

    private void command(String name, int least, int most, BiConsumer<List<String>, RespReply> action) {
        commands.put(name, new Command(least, most, action));
    }

    void execute(String name, List<String> words, RespReply reply) {
        Command command = commands.get(name);
        int arguments = words.size() - 1;
        if (command == null) {
            StringBuilder text = new StringBuilder("ERR unknown command '" + words.get(0) + "', with args beginning with: ");
            words.stream().skip(1).forEach(word -> text.append('\'').append(word).append("' "));
            reply.error(text.toString());
        } else if (arguments < command.least || arguments > command.most) {
            reply.error("ERR wrong number of arguments for '" + name.toLowerCase(Locale.ROOT) + "' command");
        } else {
            if (arguments > 0) {
                removeIfExpired(words.get(1));
            }
            try {
                command.action.accept(words, reply);
            } catch (NumberFormatException e) {
                reply.error("ERR value is not an integer or out of range");
            } catch (ClassCastException e) {
                reply.error("WRONGTYPE Operation against a key holding the wrong kind of value");
            }
        }
    }

    // ---- keys

    private void removeIfExpired(String key) {
        if (!expiries.isEmpty() && expiries.getOrDefault(key, Long.MAX_VALUE) <= System.currentTimeMillis()) {
            remove(key);
        }
    }

    private boolean exists(String key) {
        removeIfExpired(key);
        return values.containsKey(key);
    }

    private boolean remove(String key) {
        expiries.remove(key);
        return values.remove(key) != null;
    }

    private void expire(String key, long millis, RespReply reply) {
        boolean exists = values.containsKey(key);
        if (exists && millis <= 0) {
            remove(key);
        } else if (exists) {
            expiries.put(key, System.currentTimeMillis() + millis);
        }
        reply.number(exists ? 1 : 0);
    }

    /** Returns the milliseconds until a key expires; -1: it does not expire; -2: there is no such key. */
    private long left(String key) {
        Long expiry = expiries.get(key);
        return expiry != null ? expiry - System.currentTimeMillis() : values.containsKey(key) ? -1 : -2;
    }

    private static long seconds(long millis) {
        return millis < 0 ? millis : (millis + 500) / 1000;
    }

    // ---- strings

    private void set(String key, List<String> words, RespReply reply) {
        boolean wanted = true;
        long expiry = 0;
        for (int i = 3; i < words.size(); i++) {
            String option = words.get(i).toUpperCase(Locale.ROOT);
            if (option.equals("NX") || option.equals("XX")) {
                wanted &= values.containsKey(key) == option.equals("XX");
            } else if ((option.equals("EX") || option.equals("PX")) && i + 1 < words.size() && expiry == 0) {
                long time = RespRequest.integer(words.get(++i)) * (option.equals("EX") ? 1000 : 1);
                if (time <= 0) {
                    reply.error("ERR invalid expire time in 'set' command");
                    return;
                }
                expiry = System.currentTimeMillis() + time;
            } else {
                reply.error("ERR syntax error");
                return;
            }
        }
        if (!wanted) {
            reply.bulk(null);
            return;
        }
        remove(key);
        values.put(key, words.get(2));
        if (expiry != 0) {
            expiries.put(key, expiry);
        }
        reply.status("OK");
    }

    private void add(String key, long more, RespReply reply) {
        long sum;
        try {
            sum = Math.addExact(RespRequest.integer((String) values.getOrDefault(key, "0")), more);
        } catch (ArithmeticException e) {
            reply.error("ERR increment or decrement would overflow");
            return;
        }
        values.put(key, Long.toString(sum));
        reply.number(sum);
    }

    // ---- lists

    @SuppressWarnings("unchecked") // if the value is a string, a ClassCastException reports the wrong type
    private Deque<String> list(String key) {
        return (Deque<String>) values.getOrDefault(key, new ArrayDeque<String>(0));
    }

    private void push(String key, List<String> words, boolean left, RespReply reply) {
        Deque<String> list = list(key);
        words.stream().skip(2).forEach(left ? list::addFirst : list::addLast);
        values.put(key, list);
        reply.number(list.size());
    }

    private String pop(String key, boolean left) {
        Deque<String> list = list(key);
        String value = left ? list.pollFirst() : list.pollLast();
        if (list.isEmpty()) {
            remove(key);
        }
        return value;
    }

    private static void range(Deque<String> list, List<String> words, RespReply reply) {
        long first = RespRequest.integer(words.get(2));
        long last = RespRequest.integer(words.get(3));
        long from = Math.max(0, first < 0 ? first + list.size() : first);
        long to = Math.min(list.size() - 1L, last < 0 ? last + list.size() : last);
        reply.array(list.stream().skip(from).limit(Math.max(0, to - from + 1)).toList());
    }
}
