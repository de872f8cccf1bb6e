package io.trivet.linux;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What is left of a ring that was bound to a thread, after that thread has ended: completions to deliver, and submissions to hand
 * over. The proactor continues with them on another ring, and starts all other operations again.
 *
 * <p>The kernel performs the operations of a bound ring only while its thread is in a call. Since its last call, nothing was
 * received or sent, and what was is in the queue of completions. The exception are completions that found this queue full: only the
 * ended thread could make the kernel move them there.
 */
final class UringHandover {
    /** A completion that has been copied from the old ring. */
    record Completion(int data, int result, int flags) {}

    private final List<Completion> completions = new ArrayList<>();
    private final BitSet filledBuffers = new BitSet();
    /** User data of the operations that will complete: they are in the queue of submissions, or their last completion is here. */
    private final Set<Integer> completing = new HashSet<>();
    /** The number of these operations, except silent sends. */
    private int completingCount;

    private final boolean lostCompletions;

    /** Consumes the completions of a ring whose thread has ended. */
    UringHandover(Ring old) {
        for (int i = old.unsubmitted() - 1; i >= 0; i--) {
            addCompleting((int) old.unsubmittedData(i));
        }
        lostCompletions = old.hasOverflowed();
        for (int i = old.completed(); i > 0; i--) {
            Completion completion = new Completion((int) old.userData(), old.result(), old.flags());
            old.advance();
            completions.add(completion);
            if ((completion.flags & Uring.CQE_BUFFER) != 0) {
                filledBuffers.set(completion.flags >>> Uring.CQE_BUFFER_SHIFT);
            }
            if ((completion.flags & Uring.CQE_MORE) == 0) {
                addCompleting(completion.data);
            }
        }
    }

    private void addCompleting(int data) {
        completing.add(data);
        completingCount += UringOperations.kind(data) == UringOperations.SILENT_SEND ? 0 : 1;
    }

    int completingCount() {
        return completingCount;
    }

    /** Returns the completions to deliver, in order. */
    List<Completion> completions() {
        return completions;
    }

    /** Returns the buffers that these completions contain. */
    BitSet filledBuffers() {
        return filledBuffers;
    }

    /** Returns whether further completions are lost: an operation without a completion may have been performed. */
    boolean hasLostCompletions() {
        return lostCompletions;
    }

    /** Returns whether an operation will complete: it has not been handed over yet, or its completion has not been delivered. */
    boolean completes(int kind, int index) {
        return completing.contains((int) UringOperations.userData(kind, index));
    }
}
