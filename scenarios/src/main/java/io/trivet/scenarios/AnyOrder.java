package io.trivet.scenarios;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;

/** Applies changes to an immutable object in a random order, sometimes one of them twice. The result must not depend on that. */
final class AnyOrder {
    private AnyOrder() {}

    static <T> T of(SeededRandom random, T from, List<UnaryOperator<T>> changes) {
        List<UnaryOperator<T>> all = new ArrayList<>(changes);
        if (!all.isEmpty() && random.chance(20)) {
            all.add(all.get(random.below(all.size())));
        }
        for (int i = all.size() - 1; i > 0; i--) {
            Collections.swap(all, i, random.below(i + 1));
        }
        T changed = from;
        for (UnaryOperator<T> change : all) {
            changed = change.apply(changed);
        }
        return changed;
    }
}
