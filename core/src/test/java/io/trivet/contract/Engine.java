package io.trivet.contract;

import io.trivet.net.Network;
import io.trivet.net.UnavailableException;
import java.util.List;
import java.util.function.Supplier;

/**
 * An engine under test.
 *
 * @param name its name in the table
 * @param opener gives a network to one test; throws {@link UnavailableException} where there is none
 */
public record Engine(String name, Supplier<Network> opener) {
    /** All of them: an engine more is a line more. */
    public static final List<Engine> ALL = List.of(
            named("epoll"),
            named("poll"),
            named("select"),
            named("nio"));

    private static Engine named(String name) {
        return new Engine(name, () -> Network.named(name));
    }

    /** Why the engine cannot be had here; empty when it can. */
    String obstacle() {
        try {
            return opener.get().name().isEmpty() ? "it has no name" : "";
        } catch (UnavailableException e) {
            return e.reason();
        }
    }
}
