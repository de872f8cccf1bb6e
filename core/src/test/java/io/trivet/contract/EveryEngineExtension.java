package io.trivet.contract;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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
import org.junit.jupiter.api.extension.TestWatcher;
import org.junit.platform.commons.support.AnnotationSupport;

/** The JUnit extension of {@link EveryEngine}: runs a test once on each engine, and records its outcome in the {@link EngineTable}. */
final class EveryEngineExtension implements TestTemplateInvocationContextProvider {
    private static final Namespace NAMESPACE = Namespace.create(EveryEngineExtension.class);
    private static final String SELECT_PACKAGE = "io.trivet.select";

    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return true;
    }

    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        Stream<Engine> variants = context.getRequiredTestClass().getPackageName().equals(SELECT_PACKAGE)
                ? Stream.concat(Stream.of(Engine.PASS_THROUGH, Engine.TORTURED), Engine.ON_VIRTUAL_THREADS.stream())
                : Stream.of(Engine.PASS_THROUGH);
        return Stream.of(Engine.ALL.stream(), variants, Engine.SIMULATED.stream()).flatMap(Function.identity())
                .filter(engine -> engine.title().contains(System.getProperty("trivet.engines", ""))).map(Run::new);
    }

    /** One run of a test on one engine. Supplies the {@link Lab} parameter and records the outcome. */
    private record Run(Engine engine)
            implements
                TestTemplateInvocationContext,
                ExecutionCondition,
                InvocationInterceptor,
                ParameterResolver,
                TestWatcher {
        @Override
        public String getDisplayName(int index) {
            return engine.title();
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(this);
        }

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            String reason = engine.unavailableReason();
            return reason.isEmpty()
                    ? ConditionEvaluationResult.enabled("available")
                    : ConditionEvaluationResult.disabled(reason);
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Lab.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            // JUnit closes the objects in the store of a run when the run ends.
            return context.getStore(NAMESPACE).computeIfAbsent(Lab.class, key -> new Lab(engine, context.getUniqueId()),
                    Lab.class);
        }

        @Override
        public void interceptTestTemplateMethod(Invocation<Void> invocation, ReflectiveInvocationContext<Method> method,
                ExtensionContext context) throws Throwable {
            Optional<NotSimulated> exemption = AnnotationSupport
                    .findAnnotation(context.getRequiredTestMethod(), NotSimulated.class)
                    .or(() -> AnnotationSupport.findAnnotation(context.getRequiredTestClass(), NotSimulated.class));
            if (exemption.isPresent() && engine.isSimulated()) {
                EngineTable.notApplicable(context.getUniqueId(), exemption.get().value());
                invocation.skip();
            } else if (engine.isOnVirtualThread()) {
                proceedOnVirtualThread(invocation);
            } else {
                invocation.proceed();
            }
        }

        private static void proceedOnVirtualThread(Invocation<Void> invocation) throws Throwable {
            AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
            Thread thread = Thread.ofVirtual().start(() -> {
                try {
                    invocation.proceed();
                } catch (Throwable t) {
                    thrown.set(t);
                }
            });
            try {
                thread.join();
            } catch (InterruptedException e) { // the time limit of the test
                thread.interrupt();
                throw e;
            }
            Throwable failure = thrown.get();
            if (failure != null) {
                throw failure;
            }
        }

        @Override
        public void testSuccessful(ExtensionContext context) {
            EngineTable.passed(context, engine.title());
        }

        @Override
        public void testFailed(ExtensionContext context, Throwable cause) {
            EngineTable.failed(context, engine.title());
        }

        @Override
        public void testAborted(ExtensionContext context, Throwable cause) {
            EngineTable.notRun(context, engine.title(), String.valueOf(cause.getMessage()));
        }

        @Override
        public void testDisabled(ExtensionContext context, Optional<String> reason) {
            EngineTable.notRun(context, engine.title(), reason.orElse("disabled"));
        }
    }
}
