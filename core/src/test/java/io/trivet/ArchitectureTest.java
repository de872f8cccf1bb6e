package io.trivet;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameEndingWith;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.LocationProvider;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The house: which package may import which, and what only some of them may touch. It is what lets {@code server} and {@code
 * select} run unchanged, and deterministically, on the simulated network.
 */
@AnalyzeClasses(locations = ArchitectureTest.CompiledClasses.class)
final class ArchitectureTest {
    /** What each package may import of ours, from the ground up. Transitive rights are not implied. */
    private static final Map<String, List<String>> MAY_IMPORT = Map.of(
            "net", List.of(),
            "linux", List.of("net"),
            "nio", List.of("net"),
            "sim", List.of("net"),
            "select", List.of("net"),
            "observe", List.of("net"),
            "openssl", List.of(),
            "tls", List.of("net", "openssl"),
            "server", List.of("net", "observe", "tls"));

    /**
     * Classes of {@code server} that start a thread: for the loops of a started server, for its one watchdog, for sessions, and
     * for the system's resolver, which blocks, and for the handover to a successor.
     */
    private static final Set<String> MAY_START_THREADS = Set.of("io.trivet.server.LoopThreads", "io.trivet.server.Watchdog",
            "io.trivet.server.HostLookup", "io.trivet.server.SessionThreads", "io.trivet.server.Handover");

    /** The classes that users see and that name each other: the only reference cycle in {@code server}. */
    private static final Set<String> SERVER_API = Set.of("Server", "ServerBuilder", "Connection", "Handler", "Protocol",
            "Contexts", "ConnectionContext", "TransferListener", "Session", "SessionHandler", "SessionCallbacks", "Handover");

    /** The layers of {@code server}, lowest first. A class names only classes of its own layer and of those below. */
    private static final List<List<String>> SERVER_LAYERS = List.of(
            List.of("DirectMemory", "Limits", "Overflow", "SendResult", "Framing", "Frame", "FrameDecoder", "FrameEncoder",
                    "FrameWriter", "DelimiterDecoder", "AccessList", "ProxyHeader", "ProxyHeaderDecoder", "LengthPrefix",
                    "Remainder",
                    "FrameFinder", "Messages", "Profile", "DroppedMessages",
                    "Counters", "LoopTrace", "FlightEvents",
                    "ScheduledTask", "ConnectionClosedException", "HandoverChannel",
                    "TakenFiles"),
            List.of("TurnClock", "Deadline", "DeadlineQueue", "Timer", "TimerHeap"),
            List.of("BufferPool", "Budget", "SharedMessage", "SharedBuffers", "Broadcast", "Chunk", "Lane", "SendQueue",
                    "PartialInput",
                    "StagingBuffer",
                    "ViewsByMemory",
                    "MessageHandover", "InputSink", "TransferSource", "ChannelSource", "FileSource", "Transfer", "TransferQueue"),
            List.of("HandlerCalls", "ConnectionRecord", "ColdState"),
            List.of("Log", "ConnectionTable", "ConnectionDeadlines", "TaskQueue", "Mailbox", "CloseRequests", "ReplyBatch",
                    "PendingSend",
                    "PendingSends", "PartialInputs", "SendQueues", "HostLookup", "SessionThreads"),
            List.of("LoopActivity", "Callbacks", "TimerQueue"),
            List.of("BudgetGuard", "ReadGate", "Lingering", "DropOldest", "Transfers", "Sender", "Admission",
                    "TransferAdmission", "Relays"),
            List.of("ConnectionSource", "Handshakes", "ProxyHeaders", "StartTls", "Lifecycle", "Delivery", "DeadlineSweep",
                    "StallGuard",
                    "ConnectAttempts"),
            List.of("Dispatcher", "ConnectionCalls", "EventLoop"),
            List.of("LoopGroup", "Watchdog", "LoopThreads", "UnusableEngineException", "ConnectionLimit", "DescriptorReserve",
                    "ListenerOpening", "ClientOptions", "Acceptor"),
            List.of("MessageQueue", "TransferListener", "Handler", "Protocol", "Contexts", "ConnectionContext", "Connection",
                    "Server",
                    "ServerBuilder", "Session", "SessionHandler", "SessionCallbacks", "FramingTester",
                    "Handover"));

    /** The packages that run on the simulated network as they are. */
    private static final String[] DETERMINISTIC = {"io.trivet.server..", "io.trivet.select.."};

    @ArchTest
    static void somethingIsChecked(JavaClasses imported) {
        assertThat(imported).isNotEmpty();
    }

    @ArchTest static final ArchRule EVERY_CLASS_HAS_A_ROOM = classes()
            .should()
            .resideInAnyPackage(MAY_IMPORT.keySet().stream().map(ArchitectureTest::packageOf).toArray(String[]::new))
            .as("every class lives in a package of the house")
            .allowEmptyShould(true);

    @ArchTest static final ArchRule IMPORTS_FOLLOW_THE_TABLE = CompositeArchRule.of(MAY_IMPORT.keySet().stream()
            .sorted()
            .map(ArchitectureTest::importsFollowTheTable)
            .toList());

    @ArchTest
    static void classesOfServerNameOnlyLowerLayers(JavaClasses imported) {
        Map<String, Integer> layerOf = new TreeMap<>();
        for (int layer = 0; layer < SERVER_LAYERS.size(); layer++) {
            for (String name : SERVER_LAYERS.get(layer)) {
                layerOf.put(name, layer);
            }
        }
        List<String> violations = new ArrayList<>();
        Set<String> seen = new TreeSet<>();
        for (JavaClass origin : imported.that(resideInAPackage(packageOf("server")))) {
            String name = topLevelName(origin);
            if (name.equals("package-info")) {
                continue;
            }
            seen.add(name);
            int layer = layerOf.getOrDefault(name, -1);
            for (Dependency dependency : origin.getDirectDependenciesFromSelf()) {
                JavaClass target = dependency.getTargetClass();
                if (target.getPackageName().equals(packageOf("server"))
                        && layerOf.getOrDefault(topLevelName(target), -1) > layer) {
                    violations.add(dependency.getDescription());
                }
            }
        }
        assertThat(seen).as("the classes of server, each in a layer").isEqualTo(layerOf.keySet());
        assertThat(violations).as("classes that name a class of a higher layer").isEmpty();
    }

    @ArchTest static final ArchRule NO_CYCLES_IN_SERVER = slices()
            .assignedFrom(classesOf("server", SERVER_API))
            .should().beFreeOfCycles()
            .as("no class of server depends on itself by way of others, but for the API's " + SERVER_API);

    @ArchTest static final ArchRule NO_CYCLES_IN_SELECT = slices()
            .assignedFrom(classesOf("select", Set.of()))
            .should().beFreeOfCycles()
            .as("no class of select depends on itself by way of others");

    @ArchTest static final ArchRule ONLY_LINUX_AND_OPENSSL_TOUCH_FOREIGN_MEMORY = noClasses()
            .that().resideOutsideOfPackages("io.trivet.linux..", "io.trivet.openssl..")
            .should().dependOnClassesThat().resideInAPackage("java.lang.foreign..")
            .allowEmptyShould(true);

    @ArchTest static final ArchRule ONLY_LINUX_AND_NIO_USE_CHANNELS = noClasses()
            .that().resideOutsideOfPackages("io.trivet.linux..", "io.trivet.nio..")
            .should().dependOnClassesThat(resideInAPackage("java.nio.channels..").and(not(nameEndingWith("Exception")))
                    .and(not(nameEndingWith("ReadableByteChannel"))))
            .as("only linux and nio should use java.nio.channels, its exceptions apart, and the sources that users hand in")
            .allowEmptyShould(true);

    @ArchTest static final ArchRule ONLY_LINUX_AND_NIO_USE_SOCKETS = noClasses()
            .that().resideOutsideOfPackages("io.trivet.linux..", "io.trivet.nio..")
            // The interface of the JDK's key managers has two methods for sockets; these return null.
            .and().doNotHaveFullyQualifiedName("io.trivet.tls.IdentityByName")
            .should().dependOnClassesThat(descendFrom(
                    "java.net.Socket",
                    "java.net.ServerSocket",
                    "java.net.DatagramSocket",
                    "java.net.DatagramPacket",
                    "java.net.SocketImpl",
                    "java.net.DatagramSocketImpl",
                    "java.net.URLConnection",
                    "javax.net.SocketFactory",
                    "javax.net.ServerSocketFactory"))
            .allowEmptyShould(true);

    @ArchTest static final ArchRule ONLY_THE_NETWORKS_CLOCK_IS_READ = noClasses()
            .that().resideInAnyPackage(DETERMINISTIC)
            .should().accessTargetWhere(calls("java.lang.System", "nanoTime", "currentTimeMillis"))
            .orShould().accessTargetWhere(calls("java.lang.Thread", "sleep"))
            .orShould().accessTargetWhere(callsInPackage("java.time", "now"))
            .orShould().dependOnClassesThat().haveFullyQualifiedName("java.time.Clock")
            .orShould().dependOnClassesThat().haveFullyQualifiedName("java.util.Date")
            .as("server and select should read no clock but the network's")
            .allowEmptyShould(true);

    @ArchTest static final ArchRule NO_THREAD_IS_STARTED = noClasses()
            .that().resideInAnyPackage(DETERMINISTIC)
            .and(not(mayStartThreads()))
            .should()
            .accessTargetWhere(
                    calls("java.lang.Thread", "<init>", "start", "startVirtualThread", "ofVirtual", "ofPlatform"))
            .orShould().dependOnClassesThat(descendFrom(
                    "java.lang.Thread$Builder",
                    "java.util.Timer",
                    "java.util.concurrent.ExecutorService",
                    "java.util.concurrent.Executors",
                    "java.util.concurrent.CompletableFuture",
                    "java.util.concurrent.ForkJoinTask",
                    "java.util.concurrent.ThreadFactory"))
            .orShould().accessTargetWhere(callsInPackage("java.util", "parallelStream"))
            .orShould().accessTargetWhere(callsInPackage("java.util.stream", "parallel"))
            .as("server and select should start no thread, but for " + MAY_START_THREADS)
            .allowEmptyShould(true);

    @ArchTest static final ArchRule EVERY_ORDER_IS_DEFINED = noClasses()
            .that().resideInAnyPackage(DETERMINISTIC)
            .should().dependOnClassesThat(areAnyOf(
                    "java.util.HashMap",
                    "java.util.HashSet",
                    "java.util.IdentityHashMap",
                    "java.util.WeakHashMap"))
            // Immutable sets and maps are salted anew in each JVM.
            .orShould().accessTargetWhere(calls("java.util.Set", "of", "copyOf"))
            .orShould().accessTargetWhere(calls("java.util.Map", "of", "ofEntries", "copyOf"))
            .orShould()
            .accessTargetWhere(calls("java.util.stream.Collectors", "toSet", "toUnmodifiableSet", "toUnmodifiableMap"))
            .as("server and select should use no collection whose order is undefined")
            .allowEmptyShould(true);

    @ArchTest static final ArchRule NOTHING_UNSAFE = noClasses()
            .should().dependOnClassesThat().haveFullyQualifiedName("sun.misc.Unsafe")
            .orShould().dependOnClassesThat().resideInAPackage("jdk.internal..")
            .allowEmptyShould(true);

    @ArchTest static final ArchRule NAMES_SAY_SOMETHING = noClasses()
            .should().haveSimpleNameEndingWith("Impl")
            .orShould().haveSimpleNameEndingWith("Manager")
            .orShould().haveSimpleNameEndingWith("Util")
            .orShould().haveSimpleNameEndingWith("Utils")
            .orShould().haveSimpleNameEndingWith("Helper")
            .allowEmptyShould(true);

    private static ArchRule importsFollowTheTable(String room) {
        List<String> allowed = MAY_IMPORT.get(room);
        String[] packages = Stream.concat(Stream.of(room), allowed.stream())
                .map(ArchitectureTest::packageOf)
                .toArray(String[]::new);
        return noClasses()
                .that().resideInAPackage(packageOf(room))
                .should().dependOnClassesThat(resideInAPackage("io.trivet..").and(not(resideInAnyPackage(packages))))
                .as(room + " may import " + (allowed.isEmpty() ? "nothing of ours" : String.join(", ", allowed)))
                .allowEmptyShould(true);
    }

    private static String packageOf(String room) {
        return "io.trivet." + room;
    }

    private static String topLevelName(JavaClass c) {
        return c.getName().substring(c.getPackageName().length() + 1).replaceFirst("\\$.*", "");
    }

    /** One slice for each top-level class of a package, with its nested classes; those of the API share one. */
    private static SliceAssignment classesOf(String room, Set<String> api) {
        return new SliceAssignment() {
            @Override
            public SliceIdentifier getIdentifierOf(JavaClass c) {
                if (!c.getPackageName().equals(packageOf(room))) {
                    return SliceIdentifier.ignore();
                }
                String name = topLevelName(c);
                return SliceIdentifier.of(api.contains(name) ? "the API" : name);
            }

            @Override
            public String getDescription() {
                return "the classes of " + room;
            }
        };
    }

    /** Also the classes nested in an allowed one. */
    private static DescribedPredicate<JavaClass> mayStartThreads() {
        return DescribedPredicate.describe("may start threads",
                c -> MAY_START_THREADS.contains(c.getName().replaceFirst("\\$.*", "")));
    }

    private static DescribedPredicate<JavaClass> areAnyOf(String... names) {
        return DescribedPredicate.describe("are " + String.join(" or ", names),
                c -> List.of(names).contains(c.getName()));
    }

    private static DescribedPredicate<JavaClass> descendFrom(String... names) {
        return DescribedPredicate.describe("descend from " + String.join(" or ", names),
                c -> Stream.of(names).anyMatch(c::isAssignableTo));
    }

    /** Calls of one of a type's methods, or references to it; {@code <init>} is a constructor. */
    private static DescribedPredicate<JavaAccess<?>> calls(String type, String... methods) {
        return DescribedPredicate.describe(type + "." + String.join("|", methods),
                access -> access.getTargetOwner().isAssignableTo(type)
                        && List.of(methods).contains(access.getTarget().getName()));
    }

    private static DescribedPredicate<JavaAccess<?>> callsInPackage(String ofPackage, String method) {
        return DescribedPredicate.describe(ofPackage + "…" + method,
                access -> access.getTargetOwner().getPackageName().equals(ofPackage)
                        && access.getTarget().getName().equals(method));
    }

    /** The module's own classes, without those of its tests. */
    static final class CompiledClasses implements LocationProvider {
        @Override
        public Set<Location> get(Class<?> testClass) {
            return Set.of(Location.of(Path.of(System.getProperty("basedir", ""), "target", "classes")));
        }
    }
}
