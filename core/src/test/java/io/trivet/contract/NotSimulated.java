package io.trivet.contract;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** On a simulated network this test means nothing: it needs several threads, or something of the machine's own. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
public @interface NotSimulated {
    /** Because a simulated network lives on one thread. */
    String THREADS = "several threads: a simulated network has one";

    /** Because simulated time stands still while a loop has something to do: what others send meanwhile comes later. */
    String TIME = "time that passes while a loop works";

    /** Because it asks for a program or a file of the machine. */
    String MACHINE = "something of the machine's: another program, a file, a signal";

    /**
     * What it needs.
     *
     * @return the reason, for the table
     */
    String value();
}
