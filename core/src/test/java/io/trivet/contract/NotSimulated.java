package io.trivet.contract;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Marks tests that do not run on a simulated network, because they need several threads or something of the real machine. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
public @interface NotSimulated {
    /** A simulated network belongs to one thread. */
    String THREADS = "it needs several threads: a simulated network has one";

    /** Simulated time stands still while a loop has work, so nothing arrives meanwhile. */
    String TIME = "it needs time that passes while a loop works";

    /** A simulated network has no programs, files or signals. */
    String MACHINE = "it needs another program, a file or a signal of the machine";

    /**
     * Returns why the test cannot run on a simulated network.
     *
     * @return the reason, as shown in the table
     */
    String value();
}
