package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressesTest {
    /** The examples of RFC 5952, sections 2, 4 and 5, and edge cases of its rules. */
    @ParameterizedTest
    @CsvSource({
        "2001:db8:0:0:1:0:0:1,     2001:db8::1:0:0:1", // 2: only one of the many ways to write it is canonical
        "2001:0db8:0:0:1:0:0:1,    2001:db8::1:0:0:1",
        "2001:db8::1:0:0:1,        2001:db8::1:0:0:1",
        "2001:DB8:0:0:1::1,        2001:db8::1:0:0:1",
        "2001:0db8::0001,          2001:db8::1", // 4.1: no leading zeros
        "2001:db8:0:0:0:0:2:1,     2001:db8::2:1", // 4.2.1: as short as can be
        "2001:db8:0:1:1:1:1:1,     2001:db8:0:1:1:1:1:1", // 4.2.2: not for a single zero
        "2001:0:0:1:0:0:0:1,       2001:0:0:1::1", // 4.2.3: the longest run
        "2001:db8:0:0:1:0:0:1,     2001:db8::1:0:0:1", // 4.2.3: the first of two runs of the same length
        "2001:DB8:AAAA:bbbb:C:D:E:F, 2001:db8:aaaa:bbbb:c:d:e:f", // 4.3: lower case
        "0:0:0:0:0:0:0:0,          ::",
        "0:0:0:0:0:0:0:1,          ::1",
        "1:0:0:0:0:0:0:0,          1::",
        "0:0:1:0:0:0:0:0,          0:0:1::",
        "0:1:0:0:0:0:1:0,          0:1::1:0",
        "192.0.2.1,                192.0.2.1",
        "::ffff:192.0.2.1,         192.0.2.1"})
    void addressHasOneCanonicalForm(String any, String one) throws Exception {
        assertThat(Addresses.toString(InetAddress.ofLiteral(any))).isEqualTo(one);
    }

    @Test
    void scopeIsAppendedAsANumber() throws Exception {
        byte[] bytes = InetAddress.ofLiteral("fe80::1").getAddress();
        assertThat(Addresses.toString(Inet6Address.getByAddress(null, bytes, 2))).isEqualTo("fe80::1%2");
        assertThat(Addresses.toString(new InetSocketAddress(Inet6Address.getByAddress(null, bytes, 2), 80)))
                .isEqualTo("[fe80::1%2]:80");
    }

    /** RFC 5952, section 6: brackets separate the address from the port. */
    @ParameterizedTest
    @CsvSource({"2001:db8::1, 80, [2001:db8::1]:80", "::, 65535, [::]:65535", "127.0.0.1, 8080, 127.0.0.1:8080",
        "0.0.0.0, 0, 0.0.0.0:0"})
    void portFollowsAColon(String host, int port, String text) throws Exception {
        assertThat(Addresses.toString(new InetSocketAddress(InetAddress.ofLiteral(host), port))).isEqualTo(text);
    }

    @Test
    void hostNameIsShownOnlyIfUnresolved() throws Exception {
        InetAddress named = InetAddress.getByAddress("router.example", new byte[]{10, 0, 0, 1});
        assertThat(Addresses.toString(new InetSocketAddress(named, 80))).isEqualTo("10.0.0.1:80");
        assertThat(Addresses.toString(InetSocketAddress.createUnresolved("router.example", 80))).isEqualTo("router.example:80");
    }

    @Test
    void formattedAddressCanBeParsed() throws Exception {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 2_000; i++) {
            byte[] bytes = new byte[16];
            for (int group = 0; group < 8; group++) {
                int value = random.nextInt(3) == 0 ? random.nextInt(65_536) : 0; // many zeros: many runs
                bytes[2 * group] = (byte) (value >> 8);
                bytes[2 * group + 1] = (byte) value;
            }
            InetAddress address = InetAddress.getByAddress(bytes);
            String text = Addresses.toString(address);
            assertThat(InetAddress.ofLiteral(text)).as("seed %d, %s", seed, text).isEqualTo(address);
            assertThat(text).as("seed %d", seed).doesNotContain("::0:").doesNotContain(":::").doesNotContain(":0::");
        }
    }
}
