package io.trivet.scenarios;

/**
 * What a client of the {@link RelayServer} sends and receives through relays.
 *
 * @param number the number of the plan
 * @param mode between what is relayed
 * @param upBytes the number of bytes from the client to the other end
 * @param downBytes the number of bytes from the other end to the client
 * @param unreadNanos how long the client does not read, at first
 * @param originUnreadNanos how long the other server does not read, at first
 * @param originResetsAfter after how many bytes the other server resets its connection; -1: never
 * @param endsEarly the other server ends its output before the end of its input
 * @param end what the client does when it has sent everything
 */
record RelayPlan(int number, RelayMode mode, int upBytes, int downBytes, long unreadNanos, long originUnreadNanos,
        int originResetsAfter, boolean endsEarly, ConversationEnd end) {
    private static final int MULTIPLIER = 0x9E3779B1;
    private static final int HEAD_BYTES = Integer.BYTES;

    /** Returns bytes of the stream to the other end. It starts with the number of the plan. */
    byte[] up(int from, int count) {
        byte[] bytes = stream(from, count, 2 * number);
        for (int i = from; i < Math.min(from + count, HEAD_BYTES); i++) {
            bytes[i - from] = (byte) (number >>> (Byte.SIZE * (HEAD_BYTES - 1 - i)));
        }
        return bytes;
    }

    /** Returns bytes of the stream to the client. */
    byte[] down(int from, int count) {
        return stream(from, count, 2 * number + 1);
    }

    private static byte[] stream(int from, int count, int salt) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (((from + i + 7919 * salt) * MULTIPLIER) >>> 24);
        }
        return bytes;
    }

    @Override
    public String toString() {
        return "client " + number + " of the relays, " + ReportText.words(mode) + ": sends " + upBytes + " bytes, is to receive "
                + downBytes + (unreadNanos > 0 ? ", reads nothing for " + ReportText.duration(unreadNanos) : "")
                + (originUnreadNanos > 0 ? ", the other server reads nothing for " + ReportText.duration(originUnreadNanos) : "")
                + (originResetsAfter >= 0 ? ", the other server resets after " + originResetsAfter + " bytes" : "")
                + (endsEarly ? ", the other server ends early" : "") + ", then: " + ReportText.words(end);
    }
}
