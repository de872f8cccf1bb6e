package io.trivet.tls;

import io.trivet.net.Proactor;
import io.trivet.net.TcpListener;
import io.trivet.net.TcpStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import org.jspecify.annotations.Nullable;

/** The operations of a proactor that TLS does not change: passes them on to another one. */
abstract class ForwardingProactor implements Proactor {
    /** The proactor that does the work. */
    final Proactor delegate;

    ForwardingProactor(Proactor delegate) {
        this.delegate = delegate;
    }

    @Override
    public void accept(TcpListener listener, long token) throws IOException {
        delegate.accept(listener, token);
    }

    @Override
    public void stopAccepting(TcpListener listener) throws IOException {
        delegate.stopAccepting(listener);
    }

    @Override
    public long adopt(TcpStream stream) throws IOException {
        return delegate.adopt(stream);
    }

    @Override
    public long connect(InetSocketAddress address) throws IOException {
        return delegate.connect(address);
    }

    @Override
    public long connect(InetSocketAddress address, @Nullable InetSocketAddress local) throws IOException {
        return delegate.connect(address, local);
    }

    @Override
    public <T> void setOption(long handle, SocketOption<T> option, T value) throws IOException {
        delegate.setOption(handle, option, value);
    }

    @Override
    public <T> T getOption(long handle, SocketOption<T> option) throws IOException {
        return delegate.getOption(handle, option);
    }

    @Override
    public InetSocketAddress remoteAddress(long handle) {
        return delegate.remoteAddress(handle);
    }

    @Override
    public InetSocketAddress localAddress(long handle) {
        return delegate.localAddress(handle);
    }

    @Override
    public int interest(long handle) {
        return delegate.interest(handle);
    }

    @Override
    public void prepare() throws IOException {
        delegate.prepare();
    }

    @Override
    public boolean isBehind() {
        return delegate.isBehind();
    }

    @Override
    public long ringBytes() {
        return delegate.ringBytes();
    }

    @Override
    public void wakeup() {
        delegate.wakeup();
    }
}
