package io.trivet.scenarios;

/** The kinds of {@link Trial}s. */
enum TrialKind {
    QUEUES, BUDGETS, ACCEPTING, SPINNING, TIMERS, TASKS, DEADLINES, STALLS, CONNECTING, MEMORY, FAILING_CALLS, FILES, LISTENERS, CALLS, SELECTS, STATISTICS, DELIVERY, DRAINS, CRASHES, ADMISSIONS, FRAMES, STREAMS, OBSERVING, RELAYS, SECURING, PROXY_HEADERS, SESSIONS, EVENTS, SERVERS, BROADCASTS, MESSAGES, REPLIES, LOOPS, PROACTORS, SELECT_CALLS, DECODING, ENDINGS;

    /** Returns a new trial of this kind. */
    Trial trial() {
        return switch (this) {
            case QUEUES -> new QueueTrial();
            case BUDGETS -> new BudgetTrial();
            case ACCEPTING -> new AcceptTrial();
            case SPINNING -> new SpinTrial();
            case TIMERS -> new TimerTrial();
            case TASKS -> new TaskTrial();
            case DEADLINES -> new DeadlineTrial();
            case STALLS -> new StallTrial();
            case CONNECTING -> new ConnectTrial();
            case MEMORY -> new MemoryTrial();
            case FAILING_CALLS -> new FailingCallTrial();
            case FILES -> new FileTrial();
            case LISTENERS -> new ListenerTrial();
            case CALLS -> new CallTrial();
            case SELECTS -> new SelectTrial();
            case STATISTICS -> new StatsTrial();
            case DELIVERY -> new DeliveryTrial();
            case DRAINS -> new DrainTrial();
            case CRASHES -> new CrashTrial();
            case ADMISSIONS -> new AdmissionTrial();
            case FRAMES -> new FrameTrial();
            case STREAMS -> new StreamTrial();
            case OBSERVING -> new ObserveTrial();
            case EVENTS -> new EventTrial();
            case SERVERS -> new ServerTrial();
            case LOOPS -> new LoopTrial();
            case RELAYS -> new RelayTrial();
            case PROXY_HEADERS -> new ProxyHeaderTrial();
            case SECURING -> new SecureTrial();
            case SESSIONS -> new SessionTrial();
            case BROADCASTS -> new BroadcastTrial();
            case MESSAGES -> new MessageTrial();
            case REPLIES -> new ReplyTrial();
            case PROACTORS -> new ProactorTrial();
            case SELECT_CALLS -> new SelectCallTrial();
            case DECODING -> new DecodingTrial();
            case ENDINGS -> new EndingTrial();
        };
    }
}
