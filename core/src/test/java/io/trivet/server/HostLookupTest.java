package io.trivet.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Lookups of host names: how they are started, shared and cancelled, and what they report. */
final class HostLookupTest {
    private final List<String> resolved = new ArrayList<>();
    private final ArrayDeque<Runnable> threads = new ArrayDeque<>();
    private final List<String> reports = new ArrayList<>();
    private final HostLookup lookup = new HostLookup(host -> {
        resolved.add(host);
        return new InetAddress[]{InetAddress.ofLiteral("10.0.0.1")};
    }, threads::addLast);

    private HostLookup.Listener listener(String name) {
        return (addresses, failure) -> reports.add(name + " " + (failure == null ? addresses : failure.getMessage()));
    }

    private void runThreads() {
        for (Runnable thread = threads.pollFirst(); thread != null; thread = threads.pollFirst()) {
            thread.run();
        }
    }

    @Test
    void literalAddressNeedsNoLookup() {
        lookup.start("::1", listener("a"));
        assertThat(reports).containsExactly("a [/0:0:0:0:0:0:0:1]");
        assertThat(threads).isEmpty();
    }

    @Test
    void nameIsLookedUpOnceForAllThatWaitForIt() {
        lookup.start("one", listener("a"));
        lookup.start("one", listener("b"));
        assertThat(threads).hasSize(1);
        runThreads();
        assertThat(resolved).containsExactly("one");
        assertThat(reports).containsExactly("a [/10.0.0.1]", "b [/10.0.0.1]");
        lookup.start("one", listener("c"));
        runThreads();
        assertThat(resolved).as("nothing is cached here").containsExactly("one", "one");
    }

    @Test
    void lookupsAtTheSameTimeAreBoundedAndTheOthersWait() {
        for (int i = 0; i < HostLookup.LOOKUPS_MAX + 2; i++) {
            lookup.start("host" + i, listener("a"));
        }
        assertThat(threads).hasSize(HostLookup.LOOKUPS_MAX);
        HostLookup.Listener cancelled = listener("cancelled");
        lookup.start("cancelled", cancelled);
        lookup.cancel("cancelled", cancelled);
        threads.removeFirst().run();
        assertThat(reports).as("a thread takes what waits").hasSize(HostLookup.LOOKUPS_MAX + 2);
        assertThat(resolved).doesNotContain("cancelled");
        runThreads();
        lookup.start("again", listener("b"));
        assertThat(threads).hasSize(1);
    }

    @Test
    void everyFailureIsReported() {
        ArrayDeque<Runnable> more = new ArrayDeque<>();
        HostLookup failing = new HostLookup(host -> switch (host) {
            case "unknown" -> throw new UnknownHostException("unknown: Name or service not known");
            case "none" -> new InetAddress[0];
            default -> throw new IllegalStateException("a resolver of the application's");
        }, more::addLast);
        for (String host : List.of("unknown", "none", "broken", " ")) {
            failing.start(host, listener("a"));
        }
        more.forEach(Runnable::run);
        assertThat(reports).containsExactlyInAnyOrder("a unknown host 'unknown': Name or service not known",
                "a unknown host 'none': it has no address",
                "a unknown host 'broken': java.lang.IllegalStateException: a resolver of the application's",
                "a unknown host: the name is empty");
    }

    @Test
    void threadThatCannotBeStartedIsAFailureOfTheLookup() {
        HostLookup starved = new HostLookup(host -> new InetAddress[0], task -> {
            throw new OutOfMemoryError("unable to create native thread");
        });
        starved.start("one", listener("a"));
        starved.start("one", listener("b"));
        assertThat(reports).containsExactly("a unknown host 'one': no thread could be started to look it up",
                "b unknown host 'one': no thread could be started to look it up");
    }

    @Test
    void systemsResolverRunsOnAThreadOfItsOwn() throws Exception {
        LinkedBlockingQueue<Thread> threadsSeen = new LinkedBlockingQueue<>();
        CountDownLatch go = new CountDownLatch(1);
        HostLookup.ofSystem().start("localhost", (addresses, failure) -> {
            assertThat(addresses).allMatch(InetAddress::isLoopbackAddress);
            threadsSeen.add(Thread.currentThread());
            try {
                assertThat(go.await(30, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Thread seen = threadsSeen.poll(30, TimeUnit.SECONDS);
        assertThat(seen).isNotNull().isNotEqualTo(Thread.currentThread());
        assertThat(seen.isDaemon()).as("it must not keep the JVM").isTrue();
        go.countDown();
        seen.join();
    }
}
