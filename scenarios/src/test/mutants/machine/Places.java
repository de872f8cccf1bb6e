package io.trivet.mutants;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All mutations of some classes, and the places in the code that they change. */
final class Places {
    final Mutator mutator;
    final List<String> classes;
    /** In the order of classes and instructions. */
    final Map<String, Mutation> mutations = new LinkedHashMap<>();
    private final Map<String, Integer> numbers = new HashMap<>();

    Places(Path folder, List<String> prefixes) throws IOException {
        mutator = new Mutator(folder);
        classes = mutator.classes(prefixes);
        for (String name : classes) {
            for (Mutation mutation : mutator.mutations(name)) {
                mutations.put(mutation.id(), mutation);
                numbers.putIfAbsent(mutation.place(), numbers.size());
            }
        }
    }

    int count() {
        return numbers.size();
    }

    int number(Mutation mutation) {
        return numbers.get(mutation.place());
    }

    void probe() {
        for (String name : classes) {
            Agent.redefine(name, mutator.probed(name, place -> numbers.getOrDefault(place, -1)));
        }
    }

    void restore() {
        for (String name : classes) {
            Agent.redefine(name, mutator.original(name));
        }
    }

    Mutation named(String id) {
        Mutation mutation = mutations.get(id);
        if (mutation == null) {
            throw new IllegalArgumentException("no such mutation: " + id);
        }
        return mutation;
    }
}
