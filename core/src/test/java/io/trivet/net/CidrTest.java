package io.trivet.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranges of addresses: their text, and what they contain. */
final class CidrTest {
    @ParameterizedTest
    @CsvSource({"10.0.0.0/8, 10.255.255.255, true", "10.0.0.0/8, 11.0.0.0, false", "10.0.0.0/8, 9.255.255.255, false",
        "0.0.0.0/0, 255.255.255.255, true", "0.0.0.0/0, ::1, false", "0.0.0.0/1, 128.0.0.0, false",
        "192.0.2.1, 192.0.2.1, true", "192.0.2.1, 192.0.2.2, false", "192.0.2.0/31, 192.0.2.1, true",
        "::/0, ::1, true", "::/0, 127.0.0.1, false", "::1, ::1, true", "::1, 0.0.0.1, false",
        "2001:db8::/32, 2001:db8:ffff::1, true", "2001:db8::/32, 2001:db9::, false", "2001:db8::/64, 2001:db8:0:1::, false",
        "2001:db8::/65, 2001:db8:0:0:8000::, false", "2001:db8::/63, 2001:db8:0:1:8000::, true",
        "2001:db8::2/127, 2001:db8::3, true", "2001:db8::2/127, 2001:db8::1, false",
        "::ffff:10.0.0.0/104, 10.1.2.3, true", "::ffff:10.0.0.1, 10.0.0.1, true", "::ffff:0:0/96, 10.1.2.3, true",
        "fe80::/10, fe80::1, true"})
    void containsTheAddressesWithItsPrefix(String range, String address, boolean contained) {
        assertThat(Cidr.of(range).contains(InetAddress.ofLiteral(address))).isEqualTo(contained);
    }

    @Test
    void mappedAddressesCountAsIpv4AndScopesAreIgnored() throws UnknownHostException {
        byte[] mapped = new byte[16];
        mapped[10] = -1;
        mapped[11] = -1;
        mapped[12] = 10;
        InetAddress six = Inet6Address.getByAddress(null, mapped, 0);
        assertThat(Cidr.of("10.0.0.0/8").contains(six)).isTrue();
        assertThat(Cidr.of("::/0").contains(six)).isFalse();
        assertThat(Cidr.of(six, 8)).isEqualTo(Cidr.of("10.0.0.0/8"));
        byte[] local = new byte[16];
        local[0] = (byte) 0xfe;
        local[1] = (byte) 0x80;
        assertThat(Cidr.of("fe80::/64").contains(Inet6Address.getByAddress(null, local, 3))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"10.0.0.0/8, 10.0.0.0/8", "::ffff:10.0.0.0/104, 10.0.0.0/8", "127.0.0.1, 127.0.0.1/32", "::, ::/128",
        "2001:DB8:0::/32, 2001:db8::/32", "8000::/1, 8000::/1", "0.0.0.0/0, 0.0.0.0/0", "128.0.0.0/1, 128.0.0.0/1"})
    void textIsTheShortestForm(String text, String shortest) {
        assertThat(Cidr.of(text)).hasToString(shortest).isEqualTo(Cidr.of(shortest)).hasSameHashCodeAs(Cidr.of(shortest));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "10.0.0.0/33 | 10.0.0.0/33: the prefix has 0 to 32 bits",
        "::1/129 | ::1/129: the prefix has 0 to 128 bits",
        "10.0.0.0/ | 10.0.0.0/: the prefix has 0 to 32 bits",
        "10.0.0.0/-1 | 10.0.0.0/-1: the prefix has 0 to 32 bits",
        "10.0.0.0/+8 | 10.0.0.0/+8: the prefix has 0 to 32 bits",
        "10.0.0.0/255.0.0.0 | 10.0.0.0/255.0.0.0: the prefix has 0 to 32 bits",
        "10.0.0.1/8 | 10.0.0.1/8: the address has bits beyond the prefix; write 10.0.0.0/8",
        "2001:db8::1/32 | 2001:db8::1/32: the address has bits beyond the prefix; write 2001:db8::/32",
        "::ffff:10.0.0.0/8 | ::ffff:10.0.0.0/8: the prefix of an IPv4-mapped address has 96 to 128 bits",
        "localhost | localhost: not an IP address: write 10.0.0.0/8 or 2001:db8::/32",
        "10.1/16 | 10.1/16: not an IP address: write 10.0.0.0/8 or 2001:db8::/32",
        "10.0.0.256 | 10.0.0.256: not an IP address: write 10.0.0.0/8 or 2001:db8::/32",
        "fe80::1%1/64 | fe80::1%1/64: not an IP address: write 10.0.0.0/8 or 2001:db8::/32",
        "[::1] | [::1]: not an IP address: write 10.0.0.0/8 or 2001:db8::/32",
        "/8 | /8: not an IP address: write 10.0.0.0/8 or 2001:db8::/32"})
    void malformedTextIsRefusedWithTheReason(String text, String message) {
        assertThatThrownBy(() -> Cidr.of(text)).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }

    @Test
    void prefixOutOfRangeIsRefused() {
        InetAddress address = InetAddress.ofLiteral("10.0.0.1");
        assertThat(Cidr.of(address, 8)).isEqualTo(Cidr.of("10.0.0.0/8")).isNotEqualTo(Cidr.of("10.0.0.0/9"));
        assertThatThrownBy(() -> Cidr.of(address, 33)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the prefix has 0 to 32 bits, not 33");
        assertThatThrownBy(() -> Cidr.of(address, -1)).isInstanceOf(IllegalArgumentException.class);
    }
}
