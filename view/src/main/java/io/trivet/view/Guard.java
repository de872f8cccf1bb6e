package io.trivet.view;

import com.sun.net.httpserver.Headers;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Decides which requests are answered. A page of another site that the reader visits can send requests to this address, too: with
 * a name of its own that it has made resolve to this address (DNS rebinding), or from its own origin. Both are refused, and no data
 * is given away without the token. Any thread.
 */
final class Guard {
    /** A host that is an IPv4 or IPv6 address cannot be rebound. */
    private static final Pattern LITERAL = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.]+(%[0-9a-z]+)?]");
    private static final String BEARER = "Bearer ";

    private final byte[] token;
    private final String cookieName;
    private final List<String> hostNames;
    private final int port;

    /**
     * Creates a guard.
     *
     * @param token what a reader must know
     * @param address where the view listens
     * @param hostNames the names, besides localhost, by which it is reached
     */
    Guard(String token, InetSocketAddress address, List<String> hostNames) {
        this.token = token.getBytes(StandardCharsets.UTF_8);
        this.port = address.getPort();
        this.hostNames = hostNames.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
        cookieName = "trivet-view-" + port; // cookies are shared by all ports of a host
    }

    /** Returns why a request is refused, or null: from another site, or by a foreign name. */
    @Nullable
    String refusal(String method, Headers headers) {
        List<String> hosts = headers.get("Host");
        if (hosts == null || hosts.size() != 1 || !isOurHost(hosts.getFirst().toLowerCase(Locale.ROOT))) {
            return "the Host header names another server: use the address that was printed, an IP address, or localhost";
        }
        List<String> origins = headers.get("Origin");
        boolean changes = !method.equals("GET") && !method.equals("HEAD");
        if (origins == null ? changes : origins.size() != 1 || !isOrigin(origins.getFirst(), hosts.getFirst())) {
            return "the Origin header names another site, or is missing";
        }
        String site = headers.getFirst("Sec-Fetch-Site");
        if (site != null && !site.equals("same-origin") && !site.equals("none") && (changes || !isNavigation(headers))) {
            return "the request comes from a page of another site";
        }
        return null;
    }

    /** Returns true if the reader follows a link, which another page may show. The page is then not within a frame of that one. */
    private static boolean isNavigation(Headers headers) {
        return "navigate".equals(headers.getFirst("Sec-Fetch-Mode")) && "document".equals(headers.getFirst("Sec-Fetch-Dest"));
    }

    private boolean isOurHost(String host) {
        String suffix = ":" + port;
        String name = host.endsWith(suffix) ? host.substring(0, host.length() - suffix.length()) : port == 80 ? host : "";
        return name.equals("localhost") || LITERAL.matcher(name).matches() || hostNames.contains(name);
    }

    private static boolean isOrigin(String origin, String host) {
        return origin.equalsIgnoreCase("http://" + host);
    }

    /** Returns true if the request has the token: in its Authorization header, its query, or the cookie of the page. */
    boolean isAuthorized(Headers headers, Map<String, String> parameters) {
        String authorization = headers.getFirst("Authorization");
        if (authorization != null && authorization.startsWith(BEARER)
                && isToken(authorization.substring(BEARER.length()).strip())) {
            return true;
        }
        String parameter = parameters.get("token");
        return (parameter != null && isToken(parameter)) || hasCookie(headers);
    }

    private boolean hasCookie(Headers headers) {
        for (String line : headers.getOrDefault("Cookie", List.of())) {
            for (String cookie : line.split(";", -1)) {
                String[] pair = cookie.strip().split("=", 2);
                if (pair.length == 2 && pair[0].equals(cookieName) && isToken(pair[1])) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Compares in a time that does not depend on how many bytes are right. */
    private boolean isToken(String given) {
        return MessageDigest.isEqual(token, given.getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the cookie with which the page authorizes its further requests. No other site's request carries it. */
    String cookie() {
        return cookieName + "=" + new String(token, StandardCharsets.UTF_8) + "; Path=/; HttpOnly; SameSite=Strict";
    }

    /** Returns the parameters of a request's query. Of several with one name, the last counts. */
    static Map<String, String> parameters(URI uri) {
        String query = uri.getRawQuery();
        Map<String, String> parameters = new java.util.HashMap<>();
        if (query != null) {
            for (String part : query.split("&", -1)) {
                int equals = part.indexOf('=');
                try {
                    parameters.put(decode(equals < 0 ? part : part.substring(0, equals)),
                            equals < 0 ? "" : decode(part.substring(equals + 1)));
                } catch (IllegalArgumentException e) { // a % without two digits
                    parameters.put(part, "");
                }
            }
        }
        return parameters;
    }

    private static String decode(String text) {
        return java.net.URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
