package io.trivet.app;

import io.trivet.nats.BusState;
import io.trivet.nats.RelayOptions;
import io.trivet.nats.RelayStats;
import io.trivet.nats.RelayStats.PeerStats;
import io.trivet.nats.RelayStats.TopicStats;
import io.trivet.view.Panel;
import io.trivet.view.Panel.Cell;
import io.trivet.view.Panel.Column;
import io.trivet.view.Panel.Row;
import io.trivet.view.Panel.Table;
import io.trivet.view.Panel.Text;
import io.trivet.view.Panel.Unit;
import io.trivet.view.Panel.Value;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;

/** What the live view shows of a relay. */
final class RelayPanel {
    static final String NAME = "relay";
    static final Text TITLE = new Text("Relay", "中继");
    /** What is shown before the relay has started. */
    static final Panel STARTING = new Panel(new Text("The relay has not started yet.", "中继尚未启动。"), Text.NONE, List.of(),
            List.of(), List.of());

    /** For how long a lost server is shown. A server that starts again has a new id, so the old one never comes back. */
    private static final long LOST_SHOWN_MILLIS = Duration.ofHours(1).toMillis();
    /** Those that are present come first, then those that were lost last. */
    private static final Comparator<PeerStats> ORDER = Comparator
            .<PeerStats>comparingLong(peer -> peer.isPresent() ? -1 : peer.silentMillis()).thenComparing(PeerStats::id);

    private RelayPanel() {}

    /**
     * Returns the panel of a relay.
     *
     * @param id the id of this server
     */
    static Panel of(String id, RelayOptions options, RelayStats stats) {
        List<PeerStats> peers = stats.peers().stream().filter(peer -> peer.isPresent() || peer.silentMillis() < LOST_SHOWN_MILLIS)
                .sorted(ORDER).toList();
        return new Panel(new Text("Shares messages and presence with other servers over NATS. This server is " + id
                + ". Updated at each heartbeat (1 s).",
                "通过 NATS 与其他服务器共享消息和在线状态。本服务器是 " + id + "。每次心跳（1 秒）更新。"),
                problem(options, stats), summary(options, stats, peers), List.of(servers(peers), topics(stats)),
                details(options, stats));
    }

    private static Text problem(RelayOptions options, RelayStats stats) {
        String reason = RelayLog.reason(options, stats.reason());
        return switch (stats.state()) {
            case UP -> Text.NONE;
            case CLOSED -> new Text("The relay has ended. Messages reach no client, and a client that sends one is disconnected.",
                    "中继已结束，消息不会到达任何客户端，发送消息的客户端会被断开。");
            case AWAY, CONNECTING -> reason.isEmpty() ? Text.NONE
                    : new Text(
                            "NATS cannot be reached, trying again. Meanwhile, messages reach only this server’s clients. "
                                    + reason,
                            "无法连接 NATS，正在重试。其间消息只到达本服务器的客户端。" + reason);
        };
    }

    private static Text name(BusState state) {
        return switch (state) {
            case UP -> new Text("connected", "已连接");
            case CONNECTING, AWAY -> new Text("not connected", "未连接");
            case CLOSED -> new Text("ended", "已结束");
        };
    }

    // ---- values

    private static List<Value> summary(RelayOptions options, RelayStats stats, List<PeerStats> peers) {
        boolean isUp = stats.state() == BusState.UP;
        long present = peers.stream().filter(PeerStats::isPresent).count();
        long lost = peers.size() - present;
        return List.of(
                Value.gauge("connected", new Text("link to NATS", "NATS 连接"), Unit.COUNT, isUp ? 1 : 0)
                        .withText(name(stats.state()))
                        .withMark(!isUp && !stats.reason().isEmpty()),
                Value.gauge("state", new Text("in this state for", "此状态已持续"), Unit.SECONDS, stats.stateMillis() / 1e3),
                gauge("servers", "other servers", "其他服务器", present),
                gauge("servers_lost", "lost servers", "失联的服务器", lost).withMark(lost > 0)
                        .withNote(new Text(
                                "Servers that have sent no heartbeat for too long. If one was killed, its unsent messages are lost. Each is shown for an hour.",
                                "太久没有心跳的服务器。如果它是被强行终止的，尚未发出的消息已丢失。每台显示一小时。")),
                Value.gauge("queued", new Text("waiting for NATS", "等待 NATS"), Unit.BYTES, (double) stats.queuedBytes())
                        .withMax(options.queueBytesMax())
                        .withNote(new Text("Messages of this server that NATS has not accepted yet.", "本服务器中 NATS 尚未收下的消息。")),
                Value.gauge("lag", new Text("maximum lag", "最大滞后"), Unit.SECONDS, peers.stream()
                        .filter(PeerStats::isPresent).mapToDouble(RelayPanel::lag).max().orElse(Double.NaN))
                        .withNote(new Text("Of the present servers; see the table below.", "在线服务器中最大的：见下文。")),
                counter("missed", "messages missed", "错过的消息", stats.missed()).withMark(stats.missed() > 0)
                        .withNote(new Text(
                                "Messages of other servers that were lost on their way, or that the publisher has dropped.",
                                "其他服务器的消息，在途中丢失，或被发布者丢弃。")),
                counter("dropped", "messages dropped", "丢弃的消息", stats.dropped()).withMark(stats.dropped() > 0)
                        .withNote(new Text(
                                "Messages of this server that waited too long for NATS, or did not fit into the queue. Other servers miss them.",
                                "本服务器的消息，因等待 NATS 太久或放不下而丢弃。其他服务器会错过它们。")));
    }

    private static List<Value> details(RelayOptions options, RelayStats stats) {
        return List.of(
                counter("published", "published here", "本服务器发布", stats.published())
                        .withNote(new Text(
                                "messages that this server has accepted: to topics and to client ids; recipients here get them at once",
                                "本服务器收下的消息：发往主题和客户端 ID；本服务器的接收者立即收到")),
                counter("sent", "handed to NATS", "已交给 NATS", stats.sent())
                        .withNote(new Text(
                                "for other servers: messages to topics, and one to each server that has the client id; none if no other server has it",
                                "发往其他服务器：发给主题的消息，以及发给每台有该客户端 ID 的服务器的消息；其他服务器都没有该 ID 则不发")),
                gauge("queued_messages", "messages waiting", "等待的消息", stats.queuedMessages())
                        .withMax(options.queueMessagesMax())
                        .withNote(overflow(options)),
                counter("delivered", "received", "收到", stats.delivered())
                        .withNote(
                                new Text("messages of other servers that were delivered to members here", "其他服务器的消息，已交给本服务器的成员")),
                counter("filled", "messages that filled gaps", "补上缺口的消息", stats.filled()).withNote(options.history() == null
                        ? new Text("no history is set, so gaps are not filled", "没有设置历史，所以缺口不会补上")
                        : new Text("part of those received: missing at first, then arrived late or read from the history",
                                "收到的消息中起初缺失、后来到达或从历史中补上的")),
                counter("duplicates", "duplicates", "重复", stats.duplicates())
                        .withNote(new Text("arrived twice, or after they were counted as missed; not delivered again",
                                "到达两次，或在计为错过之后才到；不再交付")),
                counter("overruns", "inbox overruns", "收件溢出", stats.overruns())
                        .withMark(stats.overruns() > 0)
                        .withNote(
                                new Text(
                                        "received messages that were dropped because the loop could not keep up; they count as missed",
                                        "因循环来不及处理而丢弃的已收消息；计为错过")),
                counter("slow", "slow consumer", "慢消费者", stats.slow()).withMark(stats.slow() > 0)
                        .withNote(new Text("times that NATS reported this server as a slow consumer",
                                "NATS 报告本服务器为慢消费者的次数")),
                counter("reconnects", "reconnects", "重新连接", Math.max(0, stats.connects() - 1))
                        .withNote(new Text("how often NATS was reached again; the first time does not count",
                                "再次连上 NATS 的次数，不含首次")),
                counter("failures", "failures", "失败", stats.failures())
                        .withNote(new Text("attempts to reach NATS that failed, and links that were lost", "连接 NATS 失败或连接中断的次数")),
                counter("malformed", "malformed", "无法识别", stats.malformed()).withMark(stats.malformed() > 0)
                        .withNote(new Text("received frames that are not from a relay, or have another version",
                                "收到的消息不属于中继，或属于其他版本")),
                gauge("topics", "topics joined", "已加入的主题", stats.topics()).withMax(options.topicsMax())
                        .withNote(new Text("topics with members here", "在本服务器有成员的主题")),
                gauge("members", "members", "成员", stats.members())
                        .withNote(new Text("clients here that have joined a topic, or have an id", "本服务器中加入了主题或有 ID 的客户端")));
    }

    private static Text overflow(RelayOptions options) {
        String age = options.queueAgeMax().isZero() ? "" : DurationText.of(options.queueAgeMax());
        String more = age.isEmpty() ? "" : "; so are those that have waited for " + age;
        String moreZh = age.isEmpty() ? "" : "；等待满 " + age + " 的也丢弃";
        return switch (options.overflow()) {
            case DROP_OLDEST -> new Text("if there is no room, the oldest are dropped" + more, "放不下时丢弃最旧的" + moreZh);
            case DROP_NEW -> new Text("if there is no room, new ones are dropped" + more, "放不下时丢弃新的" + moreZh);
            case PAUSE -> new Text(
                    "if there is no room, publishers must wait"
                            + (age.isEmpty() ? "" : "; those that have waited for " + age + " are dropped"),
                    "放不下时发布者须等待" + (age.isEmpty() ? "" : "；等待满 " + age + " 的被丢弃"));
        };
    }

    private static Value gauge(String name, String en, String zh, long number) {
        return Value.gauge(name, new Text(en, zh), Unit.COUNT, (double) number);
    }

    private static Value counter(String name, String en, String zh, long number) {
        return Value.counter(name, new Text(en, zh), Unit.COUNT, (double) number);
    }

    private static double lag(PeerStats peer) {
        return peer.lagNanos() / 1e9;
    }

    // ---- tables

    private static Table servers(List<PeerStats> peers) {
        return new Table("servers", new Text("Other servers", "其他服务器"),
                new Text(
                        "Lag: how much longer the last heartbeat took on its way than the fastest one. Missed: messages of that server that did not arrive.",
                        "滞后：最近一次心跳在途中比最快的一次多用的时间。错过：该服务器未到达的消息。"),
                new Text("No heartbeat from another server has arrived yet.", "还没有收到其他服务器的心跳。"),
                List.of(new Column("server", new Text("server", "服务器"), Unit.COUNT),
                        new Column("state", new Text("state", "状态"), Unit.COUNT),
                        new Column("heard", new Text("last message", "最近消息"), Unit.SECONDS),
                        new Column("lag", new Text("lag", "滞后"), Unit.SECONDS),
                        new Column("clients", new Text("clients with an id", "有 ID 的客户端"), Unit.COUNT),
                        new Column("missed", new Text("missed", "错过"), Unit.COUNT)),
                peers.stream().map(RelayPanel::row).toList(), 0);
    }

    private static Row row(PeerStats peer) {
        Text state = peer.isPresent() ? new Text("present", "在线") : new Text("lost", "失联");
        return new Row(List.of(Cell.of(peer.id()), Cell.of(state), Cell.of(peer.silentMillis() / 1e3),
                Cell.of(peer.isPresent() ? lag(peer) : Double.NaN), Cell.of(peer.clients()), Cell.of((double) peer.missed())),
                !peer.isPresent());
    }

    private static Table topics(RelayStats stats) {
        return new Table("topics", new Text("Topics", "主题"),
                new Text(
                        "Those with the most messages come first. Received and missed count from the time the first current member joined, and are 0 without members here.",
                        "消息最多的在前。收到和错过从现有的第一个成员加入时起计数；本服务器没有成员时为 0。"),
                new Text("No topic has members here, and nothing was published.", "没有主题在本服务器有成员，也没有发布过消息。"),
                List.of(new Column("topic", new Text("topic", "主题"), Unit.COUNT),
                        new Column("members", new Text("members here", "本服务器成员"), Unit.COUNT),
                        new Column("published", new Text("published here", "本服务器发布"), Unit.COUNT),
                        new Column("received", new Text("received", "收到"), Unit.COUNT),
                        new Column("missed", new Text("missed", "错过"), Unit.COUNT)),
                stats.busiest().stream().map(RelayPanel::row).toList(), stats.topicsUsed() - (long) stats.busiest().size());
    }

    private static Row row(TopicStats topic) {
        return new Row(List.of(Cell.of(topic.topic()), Cell.of(topic.members()), Cell.of((double) topic.published()),
                Cell.of((double) topic.delivered()), Cell.of((double) topic.missed())), false);
    }
}
