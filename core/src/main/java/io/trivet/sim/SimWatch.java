package io.trivet.sim;

/** A socket's registration with a simulated poller. */
final class SimWatch extends OpenFile.Watcher {
    final SimSocket socket;
    final OpenFile file;
    final int number;
    int interest;
    long token;
    /** The socket may be ready: the next poll checks it. */
    boolean queued;
    boolean removed;
    /** A fault withholds its events until this time. */
    long withheldUntilNanos;
    private final SimPoller poller;

    SimWatch(SimPoller poller, SimSocket socket, OpenFile file, int interest, long token) {
        this.poller = poller;
        this.socket = socket;
        this.file = file;
        this.number = socket.fd();
        this.interest = interest;
        this.token = token;
    }

    @Override
    void changed(int what) {
        poller.changed(this, what);
    }
}
