package io.trivet.linux;

import static io.trivet.linux.PollBits.POLLERR;
import static io.trivet.linux.PollBits.POLLHUP;
import static io.trivet.linux.PollBits.POLLIN;
import static io.trivet.linux.PollBits.POLLNVAL;
import static io.trivet.linux.PollBits.POLLOUT;
import static io.trivet.linux.PollBits.POLLPRI;
import static io.trivet.linux.PollBits.POLLRDBAND;
import static io.trivet.linux.PollBits.POLLRDNORM;
import static io.trivet.linux.PollBits.POLLWRBAND;
import static io.trivet.linux.PollBits.POLLWRNORM;
import static org.assertj.core.api.Assertions.assertThat;

import io.trivet.net.Interest;
import org.junit.jupiter.api.Test;

class PollBitsTest {
    /** Not in {@link PollBits}: the peer has shut down its output. It maps to no event. */
    private static final int POLLRDHUP = 0x2000;

    @Test
    void eachInterestMapsToTheGroupOfBitsThatSelectUses() {
        assertThat(PollBits.of(0)).isZero();
        assertThat(PollBits.of(Interest.READ)).isEqualTo(POLLIN | POLLRDNORM | POLLRDBAND);
        assertThat(PollBits.of(Interest.WRITE)).isEqualTo(POLLOUT | POLLWRNORM | POLLWRBAND);
        assertThat(PollBits.of(Interest.PRIORITY)).isEqualTo(POLLPRI);
        assertThat(PollBits.of(Interest.ALL))
                .isEqualTo(PollBits.of(Interest.READ) | PollBits.of(Interest.WRITE) | PollBits.of(Interest.PRIORITY));
    }

    @Test
    void conversionIsReversible() {
        for (int interest = 0; interest <= Interest.ALL; interest++) {
            assertThat(PollBits.events(PollBits.of(interest))).isEqualTo(interest);
        }
    }

    @Test
    void everyBitOfAGroupMapsToItsInterest() {
        for (int bit : new int[]{POLLIN, POLLRDNORM, POLLRDBAND}) {
            assertThat(PollBits.events(bit)).isEqualTo(Interest.READ);
        }
        for (int bit : new int[]{POLLOUT, POLLWRNORM, POLLWRBAND}) {
            assertThat(PollBits.events(bit)).isEqualTo(Interest.WRITE);
        }
    }

    @Test
    void errorsAndHangUpsStaySeparate() {
        assertThat(PollBits.events(POLLERR)).isEqualTo(Interest.ERROR);
        assertThat(PollBits.events(POLLHUP)).isEqualTo(Interest.HANG_UP);
        assertThat(PollBits.events(POLLNVAL)).isEqualTo(Interest.INVALID);
        assertThat(PollBits.events(POLLPRI)).isEqualTo(Interest.PRIORITY);
        assertThat(PollBits.events(POLLRDHUP)).isZero();
        assertThat(PollBits.events(POLLIN | POLLOUT | POLLERR | POLLHUP))
                .isEqualTo(Interest.READ | Interest.WRITE | Interest.ERROR | Interest.HANG_UP);
    }
}
