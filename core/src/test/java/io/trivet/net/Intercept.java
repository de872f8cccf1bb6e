package io.trivet.net;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Wraps an object behind an interface and replaces one of its methods. */
public final class Intercept {
    private Intercept() {}

    /** What to do instead of the method. */
    @FunctionalInterface
    public interface Replacement {
        /** Returns the result of the call; the arguments are null if there are none. */
        Object call(Object[] arguments) throws Exception;
    }

    /** Returns a proxy that passes every call on to the target, except calls of that method. */
    public static <T> T method(Class<T> type, T target, String method, Replacement replacement) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, (_, called, arguments) -> {
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
