package io.trivet.net;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** Finds the named networks of all providers. No other class looks for implementations. */
final class Networks {
    private Networks() {}

    /** Loaded once. A provider does nothing until a network is requested. */
    private static final class Providers {
        static final List<NetworkProvider> BEST_FIRST = bestFirst();

        private static List<NetworkProvider> bestFirst() {
            List<NetworkProvider> providers = new ArrayList<>();
            for (NetworkProvider provider : ServiceLoader.load(NetworkProvider.class, NetworkProvider.class.getClassLoader())) {
                providers.add(provider);
            }
            providers.sort(Comparator.comparingInt(NetworkProvider::preference).reversed());
            return List.copyOf(providers);
        }
    }

    /** The choice is made once, so its reason is logged once. */
    private static final class SystemNetwork {
        static final Network CHOSEN = choose();

        private static Network choose() {
            List<String> reasons = new ArrayList<>();
            for (NetworkProvider provider : Providers.BEST_FIRST) {
                // DEBUG if a slower network of the same family was chosen: engines() states the reason. WARNING if a network of
                // another family was chosen, which can do less.
                System.Logger.Level level = reasons.isEmpty() ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING;
                @Nullable String reason = null; // of the last candidate, which has the lowest requirements
                for (String name : provider.automatic()) {
                    try {
                        Network network = provider.network(name);
                        if (reason != null) {
                            reasons.add(reason);
                        }
                        if (!reasons.isEmpty()) {
                            System.getLogger("io.trivet.net").log(level, "using {0}, since {1}", name,
                                    String.join("; ", reasons));
                        }
                        return network;
                    } catch (UnavailableException e) {
                        reason = e.reason();
                    }
                }
                if (reason != null) {
                    reasons.add(reason);
                }
            }
            throw new UnavailableException("no network is available: " + String.join("; ", reasons));
        }
    }

    static Network system() {
        return SystemNetwork.CHOSEN;
    }

    static Network named(String name) {
        List<String> known = new ArrayList<>();
        for (NetworkProvider provider : Providers.BEST_FIRST) {
            if (provider.names().contains(name)) {
                return provider.network(name);
            }
            known.addAll(provider.names());
        }
        throw new UnavailableException("unknown network '" + name + "', known are " + String.join(", ", known));
    }

    static List<EngineStatus> engines() {
        List<EngineStatus> engines = new ArrayList<>();
        for (NetworkProvider provider : Providers.BEST_FIRST) {
            for (String name : provider.names()) {
                engines.add(status(provider, name));
            }
        }
        return List.copyOf(engines);
    }

    private static EngineStatus status(NetworkProvider provider, String name) {
        try {
            return new EngineStatus(name, true, capabilities(provider.network(name)));
        } catch (UnavailableException e) {
            return new EngineStatus(name, false, e.reason());
        }
    }

    private static String capabilities(Network network) {
        List<String> cannot = new ArrayList<>();
        for (Capability capability : Capability.values()) {
            if (!network.supports(capability)) {
                cannot.add(capability.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
            }
        }
        return cannot.isEmpty() ? "everything" : "everything but " + String.join(", ", cannot);
    }

    static Descriptor descriptor(int fd) {
        return system().descriptor(fd);
    }
}
