package io.trivet.bench;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.ChannelMatchers;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.uring.IoUringBufferRingConfig;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringFixedBufferRingAllocator;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.codec.string.StringEncoder;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Netty on each of its transports, written as in its own documentation: an echo that flushes when the read is complete; lines as strings
 * or as buffers, with a composed reply; a channel group. Uses one event loop, the default allocator and void promises.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a void promise reports nothing
public final class NettyPeer {
    private static final short BUFFER_GROUP = 0;

    private NettyPeer() {}

    /** Netty's transports. */
    private enum Transport {
        NIO(NioServerSocketChannel.class), EPOLL(EpollServerSocketChannel.class), URING(IoUringServerSocketChannel.class);

        final Class<? extends ServerChannel> channel;

        Transport(Class<? extends ServerChannel> channel) {
            this.channel = channel;
        }

        IoHandlerFactory factory() {
            return switch (this) {
                case NIO -> NioIoHandler.newFactory();
                case EPOLL -> EpollIoHandler.newFactory();
                case URING -> IoUringIoHandler.newFactory(new IoUringIoHandlerConfig()
                        .setBufferRingConfig(IoUringBufferRingConfig.builder()
                                .bufferGroupId(BUFFER_GROUP)
                                .bufferRingSize((short) 256)
                                .batchSize(64)
                                .allocator(new IoUringFixedBufferRingAllocator(16 * 1024))
                                .build()));
            };
        }
    }

    /** Arguments: the port, the service, and the transport (nio, epoll or uring). */
    static void main(String[] args) throws InterruptedException {
        Service service = Service.named(args[1]);
        Transport transport = Transport.valueOf(args[2].toUpperCase(Locale.ROOT));
        ChannelGroup clients = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(new MultiThreadIoEventLoopGroup(1, transport.factory()))
                .channel(transport.channel)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        serve(service, channel, clients);
                    }
                });
        if (transport == Transport.URING) {
            bootstrap.childOption(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, BUFFER_GROUP);
        }
        bootstrap.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]))).sync();
        Probe.start();
    }

    private static void serve(Service service, SocketChannel channel, ChannelGroup clients) {
        ChannelPipeline pipeline = channel.pipeline();
        switch (service) {
            case ECHO -> pipeline.addLast(new Echo());
            case LINES -> pipeline.addLast(new LineBasedFrameDecoder(64 * 1024), new ComposeBytes());
            case STRINGS -> pipeline.addLast(new LineBasedFrameDecoder(64 * 1024), new StringDecoder(StandardCharsets.UTF_8),
                    new StringEncoder(StandardCharsets.UTF_8), new ComposeString());
            case BROADCAST -> {
                clients.add(channel);
                pipeline.addLast(new Broadcast(clients));
            }
            case FRAMED -> throw service.unsupported();
        }
    }

    /** Flushes all writes when the read is complete; closes a channel that fails. */
    private abstract static class Flushing extends ChannelInboundHandlerAdapter {
        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    private static final class Echo extends Flushing {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.write(message, context.voidPromise());
        }
    }

    private static final class ComposeBytes extends Flushing {
        private static final byte[] HEAD = Service.replyHead();

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf line = (ByteBuf) message;
            ByteBuf reply = context.alloc().buffer(HEAD.length + line.readableBytes() + 1);
            context.write(reply.writeBytes(HEAD).writeBytes(line).writeByte('\n'), context.voidPromise());
            line.release();
        }
    }

    private static final class ComposeString extends Flushing {
        @Override
        public void channelRead(ChannelHandlerContext context, Object line) {
            context.write(Service.REPLY_HEAD + line + "\n", context.voidPromise());
        }
    }

    private static final class Broadcast extends Flushing {
        private final ChannelGroup clients;

        Broadcast(ChannelGroup clients) {
            this.clients = clients;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            clients.writeAndFlush(message, ChannelMatchers.all(), true);
        }
    }
}
