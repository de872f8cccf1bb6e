package io.trivet.junit;

import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimNetwork;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.ReflectionSupport;

/** Calls a test method of {@link Seeds} once for each seed, in place of the single call by JUnit. */
final class SeedsExtension implements InvocationInterceptor, ParameterResolver {
    private static final Set<Class<?>> PARAMETERS = Set.of(long.class, SimNetwork.class, FaultPlan.class);

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return PARAMETERS.contains(parameter.getParameter().getType())
                && AnnotationSupport.isAnnotated(parameter.getDeclaringExecutable(), Seeds.class);
    }

    /** Returns a placeholder: each call gets arguments of its own. */
    @Override
    public @Nullable Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == long.class ? 0L : null;
    }

    @Override
    public void interceptTestMethod(Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call,
            ExtensionContext context) throws Throwable {
        Method method = call.getExecutable();
        Optional<Seeds> seeds = AnnotationSupport.findAnnotation(method, Seeds.class);
        if (seeds.isEmpty()) {
            invocation.proceed();
            return;
        }
        List<Class<?>> types = List.of(method.getParameterTypes());
        if (types.stream().noneMatch(PARAMETERS::contains)) {
            throw new ExtensionConfigurationException(method + " runs for many seeds, but does not use them:"
                    + " it needs a parameter of type SimNetwork, FaultPlan or long");
        }
        invocation.skip();
        SeedSettings settings = SeedSettings.of(seeds.get(), context::getConfigurationParameter);
        new SeedSearch(context.getRequiredTestClass(), method, settings, types.contains(SimNetwork.class),
                types.contains(FaultPlan.class),
                (seed, plan, network) -> ReflectionSupport.invokeMethod(method, call.getTarget().orElse(null),
                        arguments(call, types, seed, plan, network)))
                .run();
    }

    private static Object[] arguments(ReflectiveInvocationContext<Method> call, List<Class<?>> types, long seed, FaultPlan plan,
            @Nullable SimNetwork network) {
        List<@Nullable Object> arguments = new ArrayList<>(call.getArguments());
        for (int i = 0; i < arguments.size(); i++) {
            Class<?> type = types.get(i);
            if (type == long.class) {
                arguments.set(i, seed);
            } else if (type == FaultPlan.class) {
                arguments.set(i, plan);
            } else if (type == SimNetwork.class) {
                arguments.set(i, network);
            }
        }
        return arguments.toArray();
    }
}
