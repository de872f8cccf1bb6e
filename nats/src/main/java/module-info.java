/**
 * Servers on several machines that share messages and presence over NATS, and say what was lost. See {@link io.trivet.nats.Relay}.
 */
@org.jspecify.annotations.NullMarked
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // jnats names its module in the manifest
module io.trivet.nats {
    requires transitive io.trivet;
    requires transitive io.nats.jnats;
    requires static org.jspecify;

    exports io.trivet.nats;
}
