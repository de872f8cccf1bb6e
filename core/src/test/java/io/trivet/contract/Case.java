package io.trivet.contract;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/** Ties a test to cases of the {@link Catalogue}: its outcome stands in the table of engines. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(EngineTable.Recorder.class)
public @interface Case {
    /**
     * Which cases.
     *
     * @return their numbers, as the catalogue has them: {@code "15"}, {@code "T3"}
     */
    String[] value();
}
