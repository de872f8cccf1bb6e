package io.trivet.server;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Replaces one method of an object behind an interface. */
final class Interceptor {
    private Interceptor() {}

    /** The code of the replaced method. */
    @FunctionalInterface
    interface Replacement {
        Object call(Object[] arguments) throws Exception;
    }

    /** Returns a proxy that calls the replacement for the named method, and the target for all others. */
    static <T> T of(Class<T> type, T target, String method, Replacement replacement) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, (proxy, called, arguments) -> {
            if (called.getName().equals(method)) {
                return replacement.call(arguments);
            }
            try {
                return called.invoke(target, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }
}
