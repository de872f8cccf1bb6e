package io.trivet.sim;

/** An entry of a descriptor table that only takes up a number: a poller, or a ring. */
final class NeverReadyFile extends OpenFile {
    private final String name;

    NeverReadyFile(Kernel kernel, String name) {
        super(kernel);
        this.name = name;
    }

    @Override
    int ready() {
        return 0;
    }

    @Override
    void release() {}

    @Override
    public String toString() {
        return name;
    }
}
