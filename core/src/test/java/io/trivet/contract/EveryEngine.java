package io.trivet.contract;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test that runs once on each of {@link Engine#ALL}, with a {@link Lab} as its parameter. An engine that cannot be had here is
 * reported as skipped, with the reason.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // even a loop that hears no interrupt fails the test
@ExtendWith(EngineRuns.class)
public @interface EveryEngine {}
