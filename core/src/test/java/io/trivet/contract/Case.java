package io.trivet.contract;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/** The cases of the {@link Catalogue} that a test covers. The {@link EngineTable} shows the test's outcome for each of them. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(EngineTable.Recorder.class)
public @interface Case {
    /**
     * Returns the numbers of the cases.
     *
     * @return the numbers as in the catalogue: {@code "15"}, {@code "T3"}
     */
    String[] value();
}
