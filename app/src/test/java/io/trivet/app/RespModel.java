package io.trivet.app;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What Redis replies, for the commands that the simulated clients use. */
final class RespModel {
    private static final String WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

    private final Map<String, String> strings = new HashMap<>();
    private final Map<String, List<String>> lists = new HashMap<>();

    static String bulk(String text) {
        return text == null ? "$-1\r\n" : "$" + text.length() + "\r\n" + text + "\r\n";
    }

    static String command(String... words) {
        return array(List.of(words));
    }

    static String array(List<String> words) {
        StringBuilder all = new StringBuilder("*" + words.size() + "\r\n");
        words.forEach(word -> all.append(bulk(word)));
        return all.toString();
    }

    private static String number(long number) {
        return ":" + number + "\r\n";
    }

    String reply(List<String> words) {
        String key = words.size() > 1 ? words.get(1) : "";
        return switch (words.get(0)) {
            case "PING" -> "+PONG\r\n";
            case "ECHO" -> bulk(key);
            case "SET" -> {
                lists.remove(key);
                strings.put(key, words.get(2));
                yield "+OK\r\n";
            }
            case "GET" -> lists.containsKey(key) ? WRONG_TYPE : bulk(strings.get(key));
            case "INCR" -> increment(key);
            case "DEL" -> number(words.stream().skip(1).filter(this::remove).count());
            case "EXISTS" -> number(words.stream().skip(1).filter(this::exists).count());
            case "LPUSH" -> onList(key, list -> {
                words.stream().skip(2).forEach(list::addFirst);
                return number(list.size());
            });
            case "RPUSH" -> onList(key, list -> {
                words.stream().skip(2).forEach(list::addLast);
                return number(list.size());
            });
            case "LPOP" -> onList(key, list -> bulk(list.isEmpty() ? null : list.removeFirst()));
            case "RPOP" -> onList(key, list -> bulk(list.isEmpty() ? null : list.removeLast()));
            case "LLEN" -> onList(key, list -> number(list.size()));
            case "LRANGE" -> onList(key, RespModel::array);
            default -> throw new IllegalArgumentException(words.toString());
        };
    }

    private boolean exists(String key) {
        return strings.containsKey(key) || lists.containsKey(key);
    }

    private boolean remove(String key) {
        return strings.remove(key) != null || lists.remove(key) != null;
    }

    private String increment(String key) {
        if (lists.containsKey(key)) {
            return WRONG_TYPE;
        }
        try {
            long sum = Long.parseLong(strings.getOrDefault(key, "0")) + 1;
            strings.put(key, Long.toString(sum));
            return number(sum);
        } catch (NumberFormatException e) {
            return "-ERR value is not an integer or out of range\r\n";
        }
    }

    private String onList(String key, Function<List<String>, String> action) {
        if (strings.containsKey(key)) {
            return WRONG_TYPE;
        }
        List<String> list = lists.getOrDefault(key, new ArrayList<>());
        String reply = action.apply(list);
        if (list.isEmpty()) {
            lists.remove(key);
        } else {
            lists.put(key, list);
        }
        return reply;
    }
}
