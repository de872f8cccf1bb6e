package io.trivet.scenarios;

import io.trivet.net.Network;
import io.trivet.net.Socket;
import java.io.IOException;
import java.net.SocketOption;

/** A socket of a {@link ScriptedNetwork}: logs its calls, of which some fail. */
abstract class ScriptedSocket implements Socket {
    final ScriptedNetwork scripted;
    private final String name;
    private final int fd;
    private boolean open = true;

    ScriptedSocket(ScriptedNetwork scripted, String name, int fd) {
        this.scripted = scripted;
        this.name = name;
        this.fd = fd;
    }

    @Override
    public final Network network() {
        return scripted;
    }

    @Override
    public final int fd() {
        return open ? fd : -1;
    }

    @Override
    public final boolean isOpen() {
        return open;
    }

    @Override
    public final <T> void setOption(SocketOption<T> option, T value) throws IOException {
        scripted.maybeFail("set " + option.name() + " of " + this, 5);
        scripted.log("set " + option.name() + " of " + this + " to " + value);
    }

    @Override
    public final <T> T getOption(SocketOption<T> option) throws IOException {
        scripted.maybeFail("get " + option.name() + " of " + this, 5);
        scripted.log("get " + option.name() + " of " + this);
        return option.type().cast(fd);
    }

    @Override
    public final void close() throws IOException {
        scripted.log("close " + this + (open ? "" : " again"));
        open = false;
        scripted.maybeFail("close", 5);
    }

    @Override
    public final String toString() {
        return name;
    }
}
