package io.trivet.mutants;

import java.lang.instrument.ClassDefinition;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;

/** Replaces the code of loaded classes. */
public final class Agent {
    private static Instrumentation instrumentation;

    private Agent() {}

    /** Called by the JVM. */
    public static void premain(String arguments, Instrumentation given) {
        instrumentation = given;
    }

    /** Replaces the methods of a class, and loads it if necessary. */
    static void redefine(String className, byte[] file) {
        try {
            Class<?> loaded = Class.forName(className, false, ClassLoader.getSystemClassLoader());
            instrumentation.redefineClasses(new ClassDefinition(loaded, file));
        } catch (ClassNotFoundException | UnmodifiableClassException e) {
            throw new IllegalStateException(e);
        }
    }
}
