package io.trivet.view;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The files of the page, which are resources of this module. Only those in the list are served. Any thread. */
final class Pages {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "json", "application/schema+json",
            "svg", "image/svg+xml");
    private static final java.util.Set<String> NAMES = java.util.Set.of("index.html", "denied.html", "view.css", "main.js",
            "lists.js",
            "clients.js", "charts.js", "turns.js", "tour.js", "replay.js", "texts.js", "language.js", "help.js", "detail.js",
            "tips.js", "panels.js",
            "format.js", "dom.js", "icon.svg", "state.schema.json");

    private Pages() {}

    /** Returns the bytes of a file, or null if there is none of that name. */
    static byte @Nullable [] bytes(String name) throws IOException {
        if (!NAMES.contains(name)) {
            return null;
        }
        try (InputStream in = Pages.class.getResourceAsStream(name)) {
            return in == null ? null : in.readAllBytes();
        }
    }

    static String type(String name) {
        return TYPES.getOrDefault(name.substring(name.lastIndexOf('.') + 1), "application/octet-stream");
    }
}
