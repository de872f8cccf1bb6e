package io.trivet.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SocketAddressTest {
    private final MemorySegment memory = Arena.ofAuto().allocate(SocketAddress.SIZE_MAX, 8);

    @BeforeEach
    void fillWithGarbage() {
        memory.fill((byte) 0xa5);
    }

    @Test
    void ipv4HasTheKernelsFormat() throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.ofLiteral("192.0.2.7"), 0x1234);
        assertThat(SocketAddress.family(address)).isEqualTo(Libc.AF_INET);
        assertThat(SocketAddress.write(address, Libc.AF_INET, memory)).isEqualTo(16);
        assertThat(hex(16)).isEqualTo("0200" + "1234" + "c0000207" + "0000000000000000");
        assertThat(SocketAddress.read(memory)).isEqualTo(address);
    }

    @Test
    void ipv6HasTheKernelsFormat() throws Exception {
        InetAddress ip = Inet6Address.getByAddress(null, InetAddress.ofLiteral("fe80::1:2").getAddress(), 0x01020304);
        InetSocketAddress address = new InetSocketAddress(ip, 65_535);
        assertThat(SocketAddress.family(address)).isEqualTo(Libc.AF_INET6);
        assertThat(SocketAddress.write(address, Libc.AF_INET6, memory)).isEqualTo(28);
        assertThat(hex(28)).isEqualTo("0a00" + "ffff" + "00000000" + "fe800000000000000000000000010002" + "04030201");
        assertThat(SocketAddress.read(memory)).isEqualTo(address);
        assertThat(((Inet6Address) SocketAddress.read(memory).getAddress()).getScopeId()).isEqualTo(0x01020304);
    }

    @Test
    void ipv4AddressIsMappedOnAnIpv6Socket() throws Exception {
        InetSocketAddress address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 80);
        assertThat(SocketAddress.write(address, Libc.AF_INET6, memory)).isEqualTo(28);
        assertThat(hex(28)).isEqualTo("0a00" + "0050" + "00000000" + "00000000000000000000ffff7f000001" + "00000000");
        assertThat(SocketAddress.read(memory)).as("and is read as IPv4 again").isEqualTo(address);
    }

    @Test
    void ipv6AddressIsRejectedOnAnIpv4Socket() {
        assertThatThrownBy(
                () -> SocketAddress.write(new InetSocketAddress(InetAddress.ofLiteral("::1"), 80), Libc.AF_INET, memory))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("IPv4");
    }

    @Test
    void unresolvedAddressIsRejectedByName() {
        InetSocketAddress address = InetSocketAddress.createUnresolved("nowhere.invalid", 80);
        assertThatThrownBy(() -> SocketAddress.family(address))
                .isInstanceOf(UnknownHostException.class).hasMessageContaining("nowhere.invalid");
        assertThatThrownBy(() -> SocketAddress.write(address, Libc.AF_INET, memory)).isInstanceOf(UnknownHostException.class);
    }

    @Test
    void anyAddressIsReadAsWritten() throws Exception {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 1_000; i++) {
            byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
            random.nextBytes(bytes);
            InetAddress ip = bytes.length == 4 || random.nextBoolean()
                    ? InetAddress.getByAddress(bytes)
                    : Inet6Address.getByAddress(null, bytes, random.nextInt(1, Integer.MAX_VALUE));
            InetSocketAddress address = new InetSocketAddress(ip, random.nextInt(65_536));
            SocketAddress.write(address, SocketAddress.family(address), memory);
            assertThat(SocketAddress.read(memory)).as("seed %d", seed).isEqualTo(address);
        }
    }

    private String hex(int length) {
        return HexFormat.of().formatHex(memory.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
    }
}
