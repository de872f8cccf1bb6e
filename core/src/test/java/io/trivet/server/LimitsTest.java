package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tests the copies and the bounds of {@link Limits}. */
final class LimitsTest {
    private static final Limits LIMITS = new Limits(1, 2, 30, 20, 10, 6, 7, seconds(8), seconds(9), seconds(10), seconds(11),
            seconds(12),
            seconds(13), seconds(14), 15, seconds(16));
    private static final Map<Class<?>, Object> OTHERS = Map.of(int.class, 25, long.class, 99L, Duration.class, seconds(99));

    private static Duration seconds(long seconds) {
        return Duration.ofSeconds(seconds);
    }

    @Test
    void copiesDifferInOneComponent() throws ReflectiveOperationException {
        for (RecordComponent component : Limits.class.getRecordComponents()) {
            String name = component.getName();
            if (name.equals("queueHighBytes") || name.equals("queueLowBytes")) {
                continue; // both are set together
            }
            String with = "with" + Character.toUpperCase(name.charAt(0)) + name.substring(1);
            Object other = OTHERS.get(component.getType());
            assertOnlyDifference((Limits) Limits.class.getMethod(with, component.getType()).invoke(LIMITS, other), name, other);
        }
        Limits marks = LIMITS.withQueueMarks(28, 3);
        assertOnlyDifference(marks.withQueueMarks(28, 10), "queueHighBytes", 28);
        assertOnlyDifference(marks.withQueueMarks(20, 3), "queueLowBytes", 3);
    }

    private static void assertOnlyDifference(Limits copy, String name, Object value) throws ReflectiveOperationException {
        for (RecordComponent component : Limits.class.getRecordComponents()) {
            Method accessor = component.getAccessor();
            Object expected = component.getName().equals(name) ? value : accessor.invoke(LIMITS);
            assertThat(accessor.invoke(copy)).as("%s after a change of %s", component.getName(), name).isEqualTo(expected);
        }
    }

    @Test
    void zeroIsAllowedWhereItMeansNoLimit() {
        assertThat(
                LIMITS.withConnectionsPerAddressMax(0).withLingerBytesMax(0).withQueueMarks(1, 0).withIdleTimeout(Duration.ZERO)
                        .queueLowBytes())
                .isZero();
        assertThat(LIMITS.withQueueMarks(30, 30).queueLowBytes()).as("equal marks").isEqualTo(30);
        for (int bad : new int[]{0, -1}) {
            assertThatThrownBy(() -> LIMITS.withConnectionsMax(bad)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> LIMITS.withMessageBytesMax(bad)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> LIMITS.withQueueBudgetBytes(bad)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> LIMITS.withQueueBytesMax(bad)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> LIMITS.withQueueMarks(bad, bad)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> LIMITS.withConnectionsPerAddressMax(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LIMITS.withLingerBytesMax(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LIMITS.withQueueMarks(20, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LIMITS.withQueueMarks(20, 21)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LIMITS.withQueueMarks(31, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LIMITS.withWriteTimeout(Duration.ofNanos(-1))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("writeTimeout");
    }

    @Test
    void durationsInNanosAreBounded() {
        assertThat(Limits.nanos(Duration.ofNanos(-1))).isZero();
        assertThat(Limits.nanos(Duration.ofNanos(1))).isEqualTo(1);
        assertThat(Limits.nanos(Duration.ofSeconds(Long.MAX_VALUE))).isEqualTo(Duration.ofDays(36_525).toNanos());
    }
}
