package io.trivet.server;

import io.trivet.contract.NotSimulated;
import io.trivet.net.UnavailableException;
import io.trivet.sim.SimNetwork;
import java.lang.reflect.Method;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/** The JUnit extension of {@link EveryNetwork}: runs a test once on each network. */
final class EveryNetworkExtension implements TestTemplateInvocationContextProvider {
    private static final Namespace NAMESPACE = Namespace.create(EveryNetworkExtension.class);

    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return true;
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        EveryNetwork test = context.getRequiredTestMethod().getAnnotation(EveryNetwork.class);
        return Stream.of(ServerNetworks.ALL, test.unix() ? ServerNetworks.UNIX : List.<ServerNetworks.Kind>of(),
                test.plaintext().isEmpty() ? ServerNetworks.TLS : List.<ServerNetworks.Kind>of()).flatMap(List::stream)
                .filter(kind -> kind.name().contains(System.getProperty("trivet.networks", ""))).map(Run::new);
    }

    /** One run of a test on one network. Supplies the {@link Stage} parameter. */
    private record Run(ServerNetworks.Kind kind)
            implements
                TestTemplateInvocationContext,
                ExecutionCondition,
                InvocationInterceptor,
                ParameterResolver {
        @Override
        public void interceptTestTemplateMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> method,
                ExtensionContext context) throws Throwable {
            boolean exempt = context.getRequiredTestMethod().isAnnotationPresent(NotSimulated.class);
            if (exempt && kind.opener().get() instanceof SimNetwork) {
                invocation.skip();
            } else {
                invocation.proceed();
            }
        }

        @Override
        public String getDisplayName(int index) {
            return kind.name();
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(this);
        }

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            try {
                return ConditionEvaluationResult.enabled(kind.opener().get().name());
            } catch (UnavailableException e) {
                return ConditionEvaluationResult.disabled(e.reason());
            }
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Stage.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            // JUnit closes the objects in the store of a run when the run ends.
            return context.getStore(NAMESPACE).computeIfAbsent(Stage.class,
                    key -> new Stage(kind.opener().get(), kind.unix(), kind.tls()),
                    Stage.class);
        }
    }
}
