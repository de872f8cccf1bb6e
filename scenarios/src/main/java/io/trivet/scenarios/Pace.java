package io.trivet.scenarios;

/**
 * How fast a client reads and writes.
 *
 * @param readBytesMax the most it reads at a time
 * @param readGapNanos how long it then reads nothing
 * @param writeBytesMax the most it writes at a time
 * @param writeGapNanos how long it then writes nothing
 */
record Pace(int readBytesMax, long readGapNanos, int writeBytesMax, long writeGapNanos) {
    static final Pace BRISK = new Pace(64 * 1024, 0, 64 * 1024, 0);

    @Override
    public String toString() {
        return "reads " + readBytesMax + " B" + every(readGapNanos) + ", writes " + writeBytesMax + " B" + every(writeGapNanos);
    }

    private static String every(long nanos) {
        return nanos == 0 ? " at a time" : " every " + Words.time(nanos);
    }
}
