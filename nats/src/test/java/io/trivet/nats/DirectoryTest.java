package io.trivet.nats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class DirectoryTest {
    @Test
    void aCopyIsMadeWhileClientsComeAndGo() throws InterruptedException {
        Directory directory = new Directory();
        directory.change("always", "a", true);
        AtomicBoolean ended = new AtomicBoolean();
        Thread loop = Thread.ofPlatform().start(() -> {
            for (int i = 0; !ended.get(); i++) {
                directory.change("client " + i % 50, "b", i / 50 % 2 == 0);
            }
        });
        try {
            for (int i = 0; i < 20_000; i++) {
                assertThat(directory.snapshot()).containsKey("always");
            }
        } finally {
            ended.set(true);
            loop.join();
        }
    }
}
