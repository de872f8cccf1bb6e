package io.trivet.app;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Has the JDK generate, on another thread, the code that calls C functions, while the command line is parsed. It takes some 50 ms of a
 * start. The form is that of the library's calls, which then find the code in the linker's cache.
 */
final class LinkerPreparation {
    private LinkerPreparation() {}

    /** Starts the preparation, and does not wait for it. */
    static void start() {
        Thread thread = new Thread(LinkerPreparation::prepare, "linker preparation");
        thread.setDaemon(true);
        thread.start();
    }

    @SuppressWarnings("restricted") // the program has native access anyway: see the manifest
    private static void prepare() {
        try {
            FunctionDescriptor form = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                    JAVA_LONG, JAVA_LONG);
            Linker linker = Linker.nativeLinker();
            MethodHandle getpid = linker.downcallHandle(linker.defaultLookup().findOrThrow("getpid"), form,
                    Linker.Option.captureCallState("errno"));
            MemorySegment errno = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());
            long _ = (long) getpid.invokeExact(errno, 0L, 0L, 0L, 0L, 0L, 0L, 0L);
        } catch (Throwable e) {
            // The system has no such calls, or they are not permitted: an engine that needs them reports it.
        }
    }
}
