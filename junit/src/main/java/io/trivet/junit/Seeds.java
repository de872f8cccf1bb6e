package io.trivet.junit;

import io.trivet.sim.Fault;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test that runs once for each of many seeds, until one fails. The method has at least one of these parameters, in any order,
 * which differ for each seed:
 *
 * <ul>
 * <li>{@link io.trivet.sim.SimNetwork}: a new network with that seed and faults that are drawn from it;
 * <li>{@link io.trivet.sim.FaultPlan}: these faults, for a test that creates its network itself;
 * <li>{@code long}: the seed, for everything else that the test draws.
 * </ul>
 *
 * {@snippet :
 * @Seeds(count = 1000)
 * void everyLineIsAnswered(SimNetwork network) throws IOException {
 *     try (Server server = Server.builder().network(network).listen(ADDRESS).handler(new YourHandler()).open()) {
 *         SimClient ann = SimClient.connect(network.host(CLIENTS), server.address(), "ann").sendInPieces("hello\n").endOutput();
 *         network.run(Duration.ofMinutes(1));
 *         network.stopFaults();
 *         network.run(Duration.ofMinutes(1));
 *         ClientOracle.expecting("HELLO\n").check(ann);
 *     }
 * }
 * }
 *
 * <p><b>A failing seed</b> is run again without each kind of fault in turn, for at most ten seconds. A fault is left out if the
 * same line of the test still fails with the same exception and text, apart from values. The error names the seed, the faults that are needed, and the
 * command that replays it. If the same seed does not fail again, the error reports that.
 *
 * <p><b>The configuration parameters</b> of JUnit, which are also system properties, apply to all such tests:
 * <ul>
 * <li>{@code trivet.seeds=17} runs that seed only and prints the events of its network to standard output;
 * {@code trivet.seeds=1..100000} runs these seeds, both included;
 * <li>{@code trivet.faults=LATENCY,DRIBBLE} keeps only these kinds of faults; {@code none} keeps none;
 * <li>{@code trivet.trace=true} or {@code false} prints the events, or does not.
 * </ul>
 *
 * <p><b>Lifecycle.</b> All seeds are one JUnit test: they run on one instance of the class, {@code @BeforeEach} runs before the
 * first, and other parameters, such as a {@code @TempDir}, are the same for all. Create objects that a seed changes in the
 * method. A seed whose assumption fails is skipped; if all are, the test is.
 */
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Test
@ExtendWith(SeedsExtension.class)
public @interface Seeds {
    /**
     * Returns the first seed.
     *
     * @return any number
     */
    long from() default 1;

    /**
     * Returns the number of seeds.
     *
     * @return at least 1
     */
    long count() default 100;

    /**
     * Returns kinds of faults that never occur, for instance {@link Fault#RESET} for clients that cannot handle one.
     *
     * @return the faults to leave out
     */
    Fault[] without() default {};
}
