package io.trivet.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.annotation.Annotation;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What event loops have been seen to do wrong, and which tests would notice. Whoever renames a test renames it here as well. */
final class HazardsTest {
    /**
     * One thing that goes wrong in event loops.
     *
     * @param what the hazard
     * @param tests each as package.Class#method, the package below io.trivet
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
            // Readiness that nobody can use.
            new Hazard("nothing is watched, and a hang-up is reported for ever",
                    "net.PollerEventsTest#interestZeroReportsNothingNotEvenErrors",
                    "server.EventLoopHazardsTest#connectionThatIsNotReadDoesNotSpinThoughItsPeerHasReset"),
            new Hazard("a loop spins, and nobody knows on what",
                    "server.LoopTest#connectionThatMakesTheLoopSpinIsNamedAndClosed"),
            new Hazard("a socket that is not connected yet is reported for ever",
                    "linux.KernelObjectsTest#socketThatWasNeverConnectedIsReadableAndWritable",
                    "net.TcpReadinessTest#connectWithoutAnAnswerStandsInNoList",
                    "server.EventLoopHazardsTest#connectionThatIsNotThereYetDoesNotSpin"),
            new Hazard("the peer's end is handled before its last bytes", "net.PollerEventsTest#hangUpNeverHidesData",
                    "server.ClosingTest#peerThatFinishesStillGetsItsReplies",
                    "sim.TorturedBytesTest#theEndOfInputComesBehindTheLastByte"),
            new Hazard("a half-closed connection is reported for ever",
                    "server.EventLoopHazardsTest#connectionWhosePeerHasFinishedDoesNotSpin"),
            // One taken for another.
            new Hazard("an event of a number's earlier owner reaches the next",
                    "linux.RegistrationsTest#anEventForAnEarlierOwnerOfTheNumberIsRecognised",
                    "net.PollerRegistrationTest#nextOwnerOfANumberIsNotReportedInPlaceOfTheOldOne",
                    "server.LateCompletionsTest#lateCallsAndLateCompletionsOfOneThatIsGoneDoNotReachWhoHasItsSlotNow"),
            new Hazard("an earlier event of the same batch has closed it",
                    "net.PollerEventsTest#socketClosedByAnEarlierEventOfTheBatchIsKnownToBeGone",
                    "server.EventLoopHazardsTest#connectionClosedByAnEarlierEventOfTheSameTurnIsToldNothingMore"),
            new Hazard("a duplicate keeps the registration of a closed descriptor",
                    "linux.KernelObjectsTest#eventsOfAClosedDescriptorThatHasADuplicateAreNobodys",
                    "net.DescriptorsTest#everythingIsCloseOnExec"),
            new Hazard("descriptors are left behind", "net.DescriptorsTest#nothingIsLeftBehind"),
            // Wake-ups.
            new Hazard("a wake-up is lost", "net.PollerWaitTest#manyWakeupsFromManyThreadsLoseNone",
                    "net.PollerWaitTest#wakeupBeforeTheWaitEndsTheNextOneOnly", "sim.TorturedReadinessTest#noWakeUpIsLost",
                    "server.HammerTest#idleLoopIsAlwaysWoken",
                    "server.RacesTest#loopThatGoesToSleepIsWokenByATaskThatCameAtThatMoment"),
            new Hazard("a wake-up after the end is written to a number that is somebody else's",
                    "net.PollerWaitTest#wakeupAfterTheEndReachesNobodyElse"),
            new Hazard("a task, or a message, is lost while the loop or the connection ends",
                    "server.RacesTest#taskIsTakenOrRefusedWhileTheQueueCloses",
                    "server.RacesTest#messageThatRacesWithTheEndIsSeenByTheLoopOrRefused",
                    "server.HammerTest#whatIsQueuedArrivesOnceAndInTheOrderOfItsThread",
                    "server.HammerTest#closingWhileAllThreadsAreAtItLosesNothingInSilenceAndStopsNobody",
                    "server.QueueTest#messageReservedByAThreadWhileTheConnectionFinishesIsDeliveredOrRefused"),
            new Hazard("an interrupt ends no wait, or every one after it",
                    "net.PollerWaitTest#interruptEndsTheWaitAtOnceAndTheStatusStays",
                    "server.LoopTest#threadThatAHandlerLeavesInterruptedDoesNotSpin"),
            new Hazard("a signal ends a wait", "net.SignalsTest#pollSleepsItsFullTime",
                    "net.SignalsTest#selectSleepsItsFullTime"),
            // Fairness.
            new Hazard("one connection has the loop for itself",
                    "server.EventLoopHazardsTest#noConnectionIsGivenMoreThanItsShareOfATurn",
                    "server.FramedEchoTest#moreMessagesThanATurnGivesKeepTheirOrder",
                    "net.PollerEventsTest#readySocketsTakeTurns"),
            new Hazard("accepting has the loop for itself", "server.EventLoopHazardsTest#newConnectionsAreAcceptedAFewAtATime"),
            new Hazard("tasks have the loop for themselves", "server.LoopTest#tasksAreBoundedInATurnAndKeepTheirOrder"),
            new Hazard("whoever looks on stops a loop", "server.EventLoopHazardsTest#whoLooksOnIsAnsweredWhileALoopIsBusy",
                    "server.EventLoopHazardsTest#snapshotOfTenThousandConnectionsTakesAFractionOfATenthOfASecond"),
            // Sending.
            new Hazard("a connection stays unwritable for ever", "server.QueueTest#whoStopsAtTheHighMarkIsToldWhenToGoOn",
                    "server.QueueTest#anotherThreadThatStopsAtTheHighMarkIsToldToo",
                    "sim.TorturedReadinessTest#aWriteThatPretendsToBlockLeavesTheSocketWritable"),
            new Hazard("memory of an operation that is under way is used again",
                    "server.LateCompletionsTest#memoryOfAPendingSendIsLeftAloneUntilTheConnectionIsGone",
                    "server.LateCompletionsTest#nothingIsLostDoubledOrOwedWhateverHappens"),
            new Hazard("what completes after a stop is lost, or not counted",
                    "server.LateCompletionsTest#whatHadCompletedBeforeReceivingStoppedIsHeldCountedAndGivenLater",
                    "server.LateCompletionsTest#whoExceedsTheBudgetByWhatCompletesLateIsClosed"),
            new Hazard("an urgent byte is destroyed by reading past it",
                    "net.UrgentDataTest#plainReadAtTheMarkDestroysTheByteEvenIfItWouldBlock",
                    "server.SendingTest#urgentByteIsToldBeforeTheDataThatCameBeforeIt"),
            // java.nio's own.
            new Hazard("a selected key is not removed, or cancelled under a waiting thread",
                    "nio.NioTest#socketCanBeRegisteredAgainAtOnce", "nio.NioTest#registrationsChangeWhileAnotherThreadWaits"),
            new Hazard("a closed channel lives until the next select", "net.PollerWaitTest#closingASocketDuringAWaitHarmsNoOther",
                    "net.DescriptorsTest#nothingIsLeftBehind"),
            // Failures.
            new Hazard("the kernel loses a socket in the middle of a change",
                    "net.ReadinessProactorTest#aChangeThatTheKernelRefusesIsTheEndOfThatConnectionAlone",
                    "net.ReadinessProactorTest#aConnectionThatThePollerHasLostCanBeStoppedAndClosed"),
            new Hazard("checking a set costs more than asking the kernel about it",
                    "linux.OneCallTest#aNumberThatIsNotOpenIsRefusedBeforeTheSetsGrowForIt",
                    "select.FdSetCallTest#nfdsAboveEveryLimitFindsOnlySetDescriptors"),
            new Hazard("a handler or a task that throws takes others with it",
                    "server.ClosingTest#exceptionCostsOnlyItsConnection",
                    "server.ClosingTest#taskThatThrowsIsReportedAndNothingElse"),
            new Hazard("a loop stops in silence", "server.ClosingTest#errorStopsAStartedServerLoudly",
                    "server.ClosingTest#errorInOnCloseLeavesNoConnectionOpenAndNobodyWaiting"),
            new Hazard("a handler holds its loop, and nobody knows which",
                    "server.LoopTest#handlerThatHoldsItsLoopIsNamedWithItsStack"),
            new Hazard("descriptors run out, and accepting burns a processor",
                    "server.AdmissionTest#whenDescriptorsRunOutItBacksOffSaysSoOnceAndGoesOn",
                    "net.DescriptorsTest#processWithoutDescriptorsGoesOnWhenItHasSomeAgain"),
            new Hazard("at its limit of connections, a listener burns a processor",
                    "server.AdmissionTest#whoComesBeyondTheLimitWaitsAndIsServedWhenOneLeaves"),
            // The end.
            new Hazard("a second server takes the same port unnoticed",
                    "server.AdmissionTest#takenPortFailsAlsoWhenTheOtherServerIsOurs"),
            new Hazard("a listener that closes resets who waits in its backlog",
                    "server.LoopTest#drainTakesLeaveOfThoseWhoWaitInTheBacklog",
                    "server.DrainAcrossLoopsTest#whoWaitsToBeAcceptedIsNotResetByALoopThatHadNobody"),
            new Hazard("closing with unread input destroys the last reply",
                    "server.ClosingTest#lastReplyArrivesAlthoughTheClientStillSends",
                    "server.ClosingTest#lingeringEndsAfterSoManyBytes",
                    "server.ClosingTest#lingeringEndsAfterSomeTimeWhateverComes"));

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
