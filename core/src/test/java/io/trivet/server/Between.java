package io.trivet.server;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Stands between two parts of the house, and does one method otherwise. */
final class Between {
    private Between() {}

    /** What is done instead. */
    @FunctionalInterface
    interface Instead {
        Object call(Object[] arguments) throws Exception;
    }

    /** Hands every call on, but for those of that method. */
    static <T> T of(Class<T> type, T below, String method, Instead instead) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, (proxy, called, arguments) -> {
            if (called.getName().equals(method)) {
                return instead.call(arguments);
            }
            try {
                return called.invoke(below, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }));
    }
}
