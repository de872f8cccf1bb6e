package io.trivet.scenarios;

/**
 * One message of a client, and what the application is to do when it has it.
 *
 * @param verb what to do
 * @param length the bytes of the message, without its frame
 * @param count how many answers
 * @param size the bytes of each answer
 * @param delayNanos for what is done later
 */
record Ask(Verb verb, int length, int count, int size, long delayNanos) {
    @Override
    public String toString() {
        String what = Words.of(verb) + "[" + length;
        return switch (verb) {
            case QUIET, ECHO, CLOSE, THROW, THROW_IN_TASK, BLINK, URGENT, EMPTY, CAP, RELAY -> what + "]";
            case ANSWER, ANSWER_TEXT, OFFER, PUMP -> what + " -> " + count + "x" + size + "]";
            case FIRST, SOON, BROADCAST, TELL, FINISH_OUTPUT, FINISH -> what + " -> " + size + "]";
            case LATER, BY_ANOTHER -> what + " -> " + size + " in " + Words.time(delayNanos) + "]";
            case THROW_IN_TIMER -> what + " in " + Words.time(delayNanos) + "]";
            case PAUSE, PAUSE_ANOTHER -> what + " for " + Words.time(delayNanos) + "]";
        };
    }
}
