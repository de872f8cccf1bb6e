package io.trivet.sim;

import io.trivet.net.Interest;

/** A file that is always ready and always empty, like /dev/null. Select and poll can watch it; epoll refuses it. */
final class RegularFile extends OpenFile {
    RegularFile(Kernel kernel) {
        super(kernel);
    }

    @Override
    int ready() {
        return Interest.READ | Interest.WRITE;
    }

    @Override
    void release() {}

    @Override
    boolean isRegular() {
        return true;
    }

    @Override
    public String toString() {
        return "regular file";
    }
}
