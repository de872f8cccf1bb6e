package io.trivet.app;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The address of a view, and its data.
 *
 * @param host host and port
 * @param token the token in the address, or null
 */
record ViewAddress(HostPort host, @Nullable String token) {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();

    /** Converts {@code localhost:9090}, or the whole address that serve prints. */
    static final class Converter implements ITypeConverter<ViewAddress> {
        @Override
        public ViewAddress convert(String text) {
            String rest = text.startsWith("http://") ? text.substring("http://".length()) : text;
            int slash = rest.indexOf('/');
            String host = slash < 0 ? rest : rest.substring(0, slash);
            int token = rest.indexOf("token=");
            if (text.startsWith("https:")) {
                throw new TypeConversionException("a view is at http://, not at https://");
            }
            return new ViewAddress(new HostPort.Converter().convert(host),
                    token < 0 ? null : rest.substring(token + "token=".length()));
        }
    }

    /**
     * Returns this address with a token: the given one, or that of a view of this user, if the host is this machine. Another host does
     * not get a token of this one.
     */
    ViewAddress with(@Nullable String other) {
        String found = other != null ? other : token != null ? token : isThisMachine() ? ViewToken.read(host.port()) : null;
        return new ViewAddress(host, found);
    }

    private boolean isThisMachine() {
        try {
            for (InetAddress address : InetAddress.getAllByName(host.host())) {
                if (!address.isLoopbackAddress() && !address.isAnyLocalAddress()
                        && NetworkInterface.getByInetAddress(address) == null) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            return false; // the request will say that the host is unknown
        }
    }

    /**
     * Fetches a resource.
     *
     * @param query name, value, name, value …
     * @throws IOException there is no view, or it refuses; the message says what helps
     */
    Map<String, Object> fetch(String path, String... query) throws IOException, InterruptedException {
        StringBuilder uri = new StringBuilder("http://" + host + path);
        for (int i = 0; i < query.length; i += 2) {
            uri.append(i == 0 ? '?' : '&').append(query[i]).append('=')
                    .append(URLEncoder.encode(query[i + 1], StandardCharsets.UTF_8));
        }
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(uri.toString())).timeout(TIMEOUT);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        HttpResponse<String> response;
        try {
            response = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (HttpTimeoutException e) {
            throw new IOException("the view at " + host + " does not answer within " + DurationText.of(TIMEOUT), e);
        } catch (IOException e) {
            throw new IOException("no view at " + host + (e.getMessage() == null ? "" : ": " + e.getMessage())
                    + ". Start the server with --view " + host.port(), e);
        }
        if (response.statusCode() == 401) {
            throw new IOException(
                    "the view at " + host + " wants its token: give the whole address that it has printed, or --token");
        }
        if (response.statusCode() != 200) {
            throw new IOException("the view at " + host + " answered " + response.statusCode() + ": "
                    + EscapedText.line(response.body().strip()));
        }
        try {
            return JsonText.object(response.body());
        } catch (IllegalArgumentException e) {
            throw new IOException("there is something else than a view at " + host, e);
        }
    }
}
