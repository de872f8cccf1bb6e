package io.trivet.view;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a view shows: a server that runs, or a recorded run. Readers with the token are asked for here. Any thread. */
interface Data {
    /**
     * Answers a GET or HEAD below {@code /api/}, or of {@code /metrics}.
     *
     * @return false if there is nothing at the path, and no answer was sent
     * @throws IllegalArgumentException a parameter is wrong; the message says what is expected
     */
    boolean read(HttpExchange exchange, String path, Map<String, String> parameters) throws IOException;

    /**
     * Does what a POST asks for.
     *
     * @return false if there is nothing to do at the path
     * @throws IllegalArgumentException a parameter is wrong; the message says what is expected
     */
    boolean change(String path, Map<String, String> parameters);

    /** Returns why nothing can be changed, or null if it can. */
    @Nullable
    String refusal();
}
