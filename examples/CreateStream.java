import io.nats.client.Connection;
import io.nats.client.Nats;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.time.Duration;

/**
 * Creates a stream of NATS JetStream with file storage for the history of relays. Unlike the one that a relay creates by itself, it survives a
 * restart of NATS. The last argument is the prefix of the relays; the default is theirs.
 *
 *     nats-server --jetstream &
 *     java -cp app/target/trivet.jar examples/CreateStream.java nats://127.0.0.1:4222 CHAT trivet
 *     ./trivet serve --reply broadcast --framing lines --relay nats://127.0.0.1:4222 --relay-history CHAT
 */
public final class CreateStream {
    private static final long BYTES_MAX = 1 << 30;

    public static void main(String[] args) throws Exception {
        String prefix = args.length > 2 ? args[2] : "trivet";
        Connection nats = Nats.connect(args[0]);
        try {
            StreamConfiguration stream = StreamConfiguration.builder().name(args[1]).subjects(prefix + ".t.>", prefix + ".d.>")
                    .storageType(StorageType.File).maxAge(Duration.ofMinutes(10)).maxBytes(BYTES_MAX).build();
            System.out.println(nats.jetStreamManagement().addStream(stream).getConfiguration());
        } finally {
            nats.close();
        }
    }
}
