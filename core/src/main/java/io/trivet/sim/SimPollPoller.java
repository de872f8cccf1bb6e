package io.trivet.sim;

import io.trivet.net.Interest;
import java.io.IOException;

/** Simulates poll(2). Reports in the order of registration, with errors, hang-ups and closed descriptors as separate events. */
final class SimPollPoller extends SimScanPoller {
    SimPollPoller(SimHost host) throws IOException {
        super(host);
    }

    @Override
    int places() {
        return table.all().size();
    }

    @Override
    SimWatch at(int place) {
        return table.all().get(place);
    }

    @Override
    boolean accepts(int ready) {
        return true;
    }

    @Override
    int answer(int ready, int interest) {
        return ready & (interest | Interest.ERROR | Interest.HANG_UP);
    }
}
