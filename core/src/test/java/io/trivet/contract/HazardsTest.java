package io.trivet.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.annotation.Annotation;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Known defects of event loops, each with the tests that would detect it. A renamed test must be renamed here too. */
final class HazardsTest {
    /**
     * A known defect of event loops.
     *
     * @param what the defect
     * @param tests the tests, each as package.Class#method, the package relative to io.trivet
     */
    record Hazard(String what, List<String> tests) {
        Hazard(String what, String... tests) {
            this(what, List.of(tests));
        }

        @Override
        public String toString() {
            return what;
        }
    }

    private static final List<Hazard> ALL = List.of(
            // Readiness without effect.
            new Hazard("a hang-up of a socket without interest is reported forever",
                    "net.PollerEventsTest#interestZeroReportsNothingNotEvenErrors",
                    "server.EventLoopHazardsTest#pausedConnectionDoesNotSpinAfterAReset"),
            new Hazard("a loop spins, and the cause is not reported",
                    "server.LoopTest#connectionThatMakesTheLoopSpinIsLoggedAndClosed"),
            new Hazard("a socket that is not connected yet is reported forever",
                    "linux.KernelObjectsTest#socketThatWasNeverConnectedIsReadableAndWritable",
                    "net.TcpReadinessTest#connectWithoutAnAnswerIsInNoList",
                    "server.EventLoopHazardsTest#connectingConnectionDoesNotSpin"),
            new Hazard("the end of input is handled before the last bytes", "net.PollerEventsTest#hangUpNeverHidesData",
                    "server.ClosingTest#repliesAreDeliveredAfterThePeerEndsItsOutput",
                    "sim.TorturedBytesTest#theEndOfInputFollowsTheLastByte"),
            new Hazard("a half-closed connection is reported forever",
                    "server.EventLoopHazardsTest#connectionDoesNotSpinAfterEndOfInput"),
            // Mistaken identity.
            new Hazard("an event for the earlier owner of a descriptor reaches the next owner",
                    "linux.RegistrationsTest#eventOfAnEarlierSocketWithTheDescriptorIsRecognised",
                    "net.PollerRegistrationTest#reusedDescriptorIsNotReportedForTheClosedSocket",
                    "server.LateCompletionsTest#lateCallsAndCompletionsOfAClosedConnectionDoNotReachTheNewOwnerOfItsSlot"),
            new Hazard("an event is for a socket that an earlier event of the batch has closed",
                    "net.PollerEventsTest#socketClosedByAnEarlierEventOfTheBatchIsDetected",
                    "server.EventLoopHazardsTest#connectionClosedByAnEarlierEventOfTheSameTurnGetsNoFurtherCallback"),
            new Hazard("a duplicate keeps the registration of a closed descriptor",
                    "linux.KernelObjectsTest#eventsOfAClosedDescriptorWithADuplicateAreIgnored",
                    "net.DescriptorsTest#everythingIsCloseOnExec"),
            new Hazard("descriptors leak", "net.DescriptorsTest#noDescriptorIsLeaked"),
            // Wakeups.
            new Hazard("a wakeup is lost", "net.PollerWaitTest#noWakeupOfManyThreadsIsLost",
                    "net.PollerWaitTest#wakeupBeforeAWaitEndsOnlyTheNextOne", "sim.TorturedReadinessTest#noWakeupIsLost",
                    "server.HammerTest#idleLoopIsAlwaysWoken",
                    "server.RacesTest#loopGoingToSleepIsWokenByAConcurrentTask"),
            new Hazard("a wakeup after the close is written to a descriptor that has been reused",
                    "net.PollerWaitTest#wakeupAfterCloseDoesNotWriteToAReusedDescriptor"),
            new Hazard("a task or a message is lost while the loop or the connection closes",
                    "server.RacesTest#taskIsAcceptedOrRejectedWhileTheQueueCloses",
                    "server.RacesTest#messageRacingWithFinishIsSeenByTheLoopOrRejected",
                    "server.HammerTest#queuedMessagesArriveOnceAndInTheOrderOfTheirThread",
                    "server.HammerTest#closingUnderLoadLosesNothingSilentlyAndBlocksNoThread",
                    "server.QueueTest#messageSentConcurrentlyWithFinishIsDeliveredOrRejected"),
            new Hazard("an interrupt does not end the wait, or ends every later wait",
                    "net.PollerWaitTest#interruptEndsTheWaitAtOnceAndTheStatusStaysSet",
                    "server.LoopTest#interruptByAHandlerDoesNotMakeTheLoopSpin"),
            new Hazard("a signal ends a wait", "net.SignalsTest#pollWaitsItsFullTimeDespiteSignals",
                    "net.SignalsTest#selectWaitsItsFullTimeDespiteSignals"),
            // Fairness.
            new Hazard("one connection monopolizes the loop",
                    "server.EventLoopHazardsTest#noConnectionGetsMoreThanItsShareOfATurn",
                    "server.FramedEchoTest#messagesBeyondTheTurnLimitKeepTheirOrder",
                    "net.PollerEventsTest#readySocketsTakeTurns"),
            new Hazard("accepting monopolizes the loop", "server.EventLoopHazardsTest#acceptsPerTurnAreBounded"),
            new Hazard("tasks monopolize the loop", "server.LoopTest#tasksPerTurnAreBoundedAndKeepTheirOrder"),
            new Hazard("taking a snapshot stops a loop", "server.EventLoopHazardsTest#snapshotsAreAvailableWhileALoopIsBusy",
                    "server.EventLoopHazardsTest#snapshotOfTenThousandConnectionsTakesUnderFiftyMilliseconds"),
            // Sending.
            new Hazard("a connection stays unwritable forever",
                    "server.QueueTest#onDrainedResumesAProducerThatStopsAtTheHighMark",
                    "server.QueueTest#onDrainedResumesAProducerOnAnotherThread",
                    "sim.TorturedReadinessTest#aWriteThatWouldBlockLeavesTheSocketWritable"),
            new Hazard("memory of a pending operation is reused",
                    "server.LateCompletionsTest#memoryOfAPendingSendIsNotReusedUntilTheConnectionIsReleased",
                    "server.LateCompletionsTest#randomOperationsLoseDuplicateAndLeakNothing"),
            new Hazard("data that completes after a stop is lost, or not counted",
                    "server.LateCompletionsTest#inputCompletedBeforeAStopIsHeldCountedAndDeliveredLater",
                    "server.LateCompletionsTest#lateInputThatExceedsTheBudgetClosesTheConnection"),
            new Hazard("an urgent byte is destroyed by reading past it",
                    "net.UrgentDataTest#plainReadAtTheMarkDestroysTheByteEvenIfItWouldBlock",
                    "server.SendingTest#urgentByteIsDeliveredBeforeEarlierData"),
            // Specific to java.nio.
            new Hazard("a selected key is not removed, or is cancelled while a thread waits",
                    "nio.NioTest#socketCanBeRegisteredAgainAtOnce", "nio.NioTest#registrationsChangeWhileAnotherThreadWaits"),
            new Hazard("a closed channel keeps its descriptor until the next select",
                    "net.PollerWaitTest#closingASocketDuringAWaitDoesNotAffectOthers",
                    "net.DescriptorsTest#noDescriptorIsLeaked"),
            // Failures.
            new Hazard("a registration is lost during a change",
                    "net.ReadinessProactorTest#changeRefusedByTheKernelFailsOnlyThatConnection",
                    "net.ReadinessProactorTest#connectionThatThePollerHasLostCanBeStoppedAndClosed"),
            new Hazard("checking a set costs more than asking the kernel about it",
                    "linux.OneShotPollTest#descriptorThatIsNotOpenIsRejectedBeforeTheSetsGrow",
                    "select.FdSetCallTest#nfdsAboveEveryLimitFindsOnlySetDescriptors"),
            new Hazard("an exception in a handler or a task affects others",
                    "server.ClosingTest#handlerExceptionClosesOnlyItsConnection",
                    "server.ClosingTest#throwingTaskIsLoggedAndHasNoOtherEffect"),
            new Hazard("a loop stops silently", "server.ClosingTest#errorStopsAStartedServerAndIsLogged",
                    "server.ClosingTest#errorInOnCloseLeavesNoConnectionOpenAndDoesNotBlockClose"),
            new Hazard("a handler blocks its loop, and is not reported",
                    "server.LoopTest#handlerBlockingTheLoopIsLoggedWithItsStack"),
            new Hazard("descriptors run out, and accepting keeps a processor busy",
                    "server.AdmissionTest#acceptBacksOffLogsOnceAndResumesWhenDescriptorsRunOut",
                    "net.DescriptorsTest#processRecoversFromRunningOutOfDescriptors"),
            new Hazard("a listener at the limit of connections keeps a processor busy",
                    "server.AdmissionTest#connectionBeyondTheLimitWaitsUntilAnotherCloses"),
            // Closing.
            new Hazard("a second server binds the same port unnoticed",
                    "server.AdmissionTest#startFailsOnAPortInUseEvenByAnotherTrivetServer"),
            new Hazard("closing a listener resets the connections in its backlog",
                    "server.LoopTest#drainEndsConnectionsInTheBacklogInAnOrderlyWay",
                    "server.DrainAcrossLoopsTest#connectionInTheBacklogIsNotResetByALoopWithoutConnections"),
            new Hazard("closing with unread input destroys the last reply",
                    "server.ClosingTest#lastReplyArrivesWhileTheClientIsStillSending",
                    "server.ClosingTest#lingeringEndsAtTheByteLimit",
                    "server.ClosingTest#lingeringEndsAtItsTimeoutDespiteIncomingBytes"));

    static Stream<Hazard> all() {
        return ALL.stream();
    }

    @ParameterizedTest
    @MethodSource("all")
    void hazardHasItsTests(Hazard hazard) throws ClassNotFoundException {
        assertThat(hazard.tests()).isNotEmpty();
        for (String test : hazard.tests()) {
            String[] names = test.split("#", 2);
            assertThat(Class.forName("io.trivet." + names[0]).getDeclaredMethods())
                    .as(test)
                    .anyMatch(method -> method.getName().equals(names[1])
                            && Arrays.stream(method.getAnnotations()).anyMatch(HazardsTest::makesATest));
        }
    }

    private static boolean makesATest(Annotation annotation) {
        String name = annotation.annotationType().getSimpleName();
        return name.endsWith("Test") || name.startsWith("Every");
    }
}
