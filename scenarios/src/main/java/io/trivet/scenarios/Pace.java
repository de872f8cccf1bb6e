package io.trivet.scenarios;

/**
 * How fast a client reads and writes.
 *
 * @param readBytesMax the most bytes of one read
 * @param readGapNanos the pause after a read
 * @param writeBytesMax the most bytes of one write
 * @param writeGapNanos the pause after a write
 */
record Pace(int readBytesMax, long readGapNanos, int writeBytesMax, long writeGapNanos) {
    static final Pace FULL_SPEED = new Pace(64 * 1024, 0, 64 * 1024, 0);

    @Override
    public String toString() {
        return "reads " + readBytesMax + " B" + every(readGapNanos) + ", writes " + writeBytesMax + " B" + every(writeGapNanos);
    }

    private static String every(long nanos) {
        return nanos == 0 ? " at a time" : " every " + ReportText.duration(nanos);
    }
}
