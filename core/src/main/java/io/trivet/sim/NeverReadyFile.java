package io.trivet.sim;

/** The file of a poller or a ring. It only occupies a descriptor number, and is never ready. */
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
