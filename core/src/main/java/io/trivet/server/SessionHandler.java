package io.trivet.server;

/**
 * The application's side of connections, as straight-line code: one virtual thread per connection calls {@link #run}. One object
 * serves all connections of a listener; the state of a connection is in the local variables of {@code run}.
 *
 * {@snippet :
 * Server server = Server.builder()
 *         .listen(new InetSocketAddress(8080))
 *         .framing(Framing.lines())
 *         .session(session -> {
 *             session.send("your name?");
 *             ByteBuffer name = session.receive();
 *             if (name != null) {
 *                 session.send("hello " + Messages.text(name));
 *             }
 *         })
 *         .start();
 * }
 *
 * <p>The connections are served by the same loops as those of a {@link Handler}, with the same queues, limits and deadlines. See
 * {@link Session} for what its methods do, and how it ends.
 */
@FunctionalInterface
public interface SessionHandler {
    /**
     * Serves a connection. Called when the connection is open. When this method returns, everything that was sent is delivered,
     * and the connection is closed. It may block on anything, except on a network that turns its loops by itself.
     *
     * @param session the connection's messages. Only this thread may use it, until this method returns
     * @throws Exception ends the connection with {@link io.trivet.observe.CloseReason#HANDLER_FAILED}, and is logged, unless the
     *     connection was closed before
     */
    void run(Session session) throws Exception;
}
