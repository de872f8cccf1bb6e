package io.trivet.server;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/** Marks a test that runs once on each of {@link ServerNetworks#ALL}, with a {@link Stage} as its parameter. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(EveryNetworkExtension.class)
@interface EveryNetwork {
    /** Whether it also runs over Unix domain sockets: once on each of {@link ServerNetworks#UNIX}. */
    boolean unix() default false;

    /** Why it does not also run over TLS, once on each of {@link ServerNetworks#TLS}. Empty: it does. */
    String plaintext() default "";

    /** A value of {@link #plaintext}: a test of TLS, which runs on every network by itself. */
    String SETS_TLS_ITSELF = "sets TLS itself";
}
