package io.trivet.nats;

import io.trivet.server.Server;
import io.trivet.sim.FaultPlan;
import io.trivet.sim.SimClient;
import io.trivet.sim.SimEngine;
import io.trivet.sim.SimHost;
import io.trivet.sim.SimNetwork;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Three servers with clients, and a bus that fails, all from one seed. Checks what each client receives: no loss that was not told, no
 * repetition, the order of each publisher; and that presence is right, and buffers are bounded.
 */
final class RelayRun {
    private static final int SERVERS = 3;
    /** How often it is read what the clients have received. */
    private static final int READ_MILLIS = 100;
    /** Within this time, what the bus has got reaches who fetches it. */
    private static final long SETTLE_NANOS = 800_000_000;
    private static final List<String> TOPICS = List.of("news", "a b", "x.y*>", "ü");
    /** A client that a server has seen, which checks what it receives. */
    private static final class Member {
        final ChatServer server;
        final SimClient client;
        final String id;
        /** The topics that the client has joined, as its server has confirmed. */
        final TreeSet<String> joined = new TreeSet<>();
        /** Those of them that were joined when nothing was on its way. */
        final TreeSet<String> established = new TreeSet<>();
        final Ledger ledger;
        final Map<String, Long> direct = new TreeMap<>();
        int read;

        Member(ChatServer server, SimClient client, String id) {
            this.server = server;
            this.client = client;
            this.id = id;
            ledger = new Ledger(id + " of " + server.relay.id());
        }
    }

    private final long seed;
    private final Random random;
    private final Consumer<String> trace;
    private final SimNetwork network;
    private final SimBus bus;
    private final RelayOptions options;
    private final Streams names;
    /** In a run without faults, the queues are large, and nothing may be missed, however slow the bus is. */
    private final boolean withFaults;
    /** The bus keeps every message, and no limit prevents a gap from being filled: only what the bus never got may be missed. */
    private final boolean fillsAll;
    private final List<ChatServer> servers = new ArrayList<>();
    private final List<SimHost> hosts = new ArrayList<>();
    private final List<ChatServer> ended = new ArrayList<>();
    private final List<Member> members = new ArrayList<>();
    private final List<Ledger> all = new ArrayList<>();
    private int clients;

    private RelayRun(long seed, Consumer<String> trace) throws IOException {
        this.seed = seed;
        this.trace = trace;
        random = new Random(seed);
        network = SimNetwork.of(seed, FaultPlan.none(), any(SimEngine.values()));
        boolean withHistory = random.nextBoolean();
        fillsAll = withHistory && random.nextBoolean();
        bus = new SimBus(network.clock(), random.nextLong(), withHistory);
        network.attach(bus);
        BusOverflow overflow = any(BusOverflow.values());
        Duration age = random.nextBoolean() ? Duration.ZERO : Duration.ofMillis(random.nextInt(50, 1000));
        withFaults = random.nextInt(8) != 0;
        RelayOptions large = RelayOptions.of().withHeartbeat(Duration.ofMillis(200), Duration.ofMillis(700))
                .withBackoff(Duration.ofMillis(20), Duration.ofMillis(200)).withQueue(4 << 20, 1 << 16, Duration.ZERO, overflow);
        RelayOptions bounded = withFaults
                ? large.withLimits(random.nextInt(3000, 50_000), 1000, 100)
                        .withQueue(random.nextInt(2000, 20_000), random.nextInt(5, 100), age, overflow)
                : large;
        Duration patience = fillsAll ? Duration.ofHours(1) : Duration.ofMillis(random.nextInt(1, 1500));
        RelayOptions filling = !withHistory ? bounded
                : bounded.withHistory(new History("H", Duration.ofHours(1), 1 << 30, patience));
        options = fillsAll ? filling.withLimits(16 << 20, 1000, 100) : filling;
        names = new Streams(options.prefix());
        if (!withFaults) {
            bus.delay(random.nextLong(1_000_000, 100_000_000));
        }
        for (int i = 0; i < SERVERS; i++) {
            hosts.add(network.host(InetAddress.ofLiteral("10.0.0." + (i + 1))));
            servers.add(start(i));
        }
    }

    private <T> T any(T[] all) {
        return all[random.nextInt(all.length)];
    }

    private ChatServer start(int index) throws IOException {
        InetSocketAddress address = new InetSocketAddress(hosts.get(index).address(), 0);
        return new ChatServer(hosts.get(index), address, bus.of(index), options, random.nextLong());
    }

    /** Runs a seed. Throws an AssertionError if a rule is broken. */
    static RelayRun of(long seed, Consumer<String> trace) throws IOException {
        RelayRun run = new RelayRun(seed, trace);
        run.run();
        return run;
    }

    private void run() throws IOException {
        try {
            pass(500);
            int rounds = random.nextInt(1, 5);
            for (int round = 0; round < rounds; round++) {
                int steps = random.nextInt(5, 60);
                for (int step = 0; step < steps; step++) {
                    act();
                    pass(random.nextInt(1, 60));
                }
                quiet();
                resume();
            }
            drain();
        } finally {
            servers.forEach(each -> each.server.close());
        }
    }

    private void say(String text) {
        trace.accept(String.format("%9.3f s  %s", network.clock().nanoTime() / 1e9, text));
    }

    private void pass(int millis) throws IOException {
        for (int left = millis; left > 0; left -= READ_MILLIS) {
            network.run(Duration.ofMillis(Math.min(left, READ_MILLIS)));
            check();
        }
    }

    // ---- what happens

    private void act() throws IOException {
        int kind = random.nextInt(withFaults ? 20 : 14);
        switch (kind) {
            case 0, 1 -> connect();
            case 2 -> join();
            case 3 -> {
                if (withFaults) { // what is published before a client joins again may count as missed
                    leave();
                }
            }
            case 4 -> {
                if (withFaults) {
                    disconnect();
                }
            }
            case 5, 6 -> send();
            case 14 -> separate();
            case 15 -> die();
            case 16 -> restart();
            case 17 -> bus.drop(random.nextDouble() * 0.3);
            case 18 -> {
                bus.delay(random.nextLong(1_000_000, 200_000_000));
                bus.repeatAfterReconnect();
                publish();
                publish();
            }
            case 19 -> {
                say("heals");
                bus.heal();
            }
            default -> publish();
        }
    }

    private void connect() throws IOException {
        connect(servers.get(random.nextInt(SERVERS)));
    }

    private void connect(ChatServer server) throws IOException {
        String id = "c" + clients++;
        SimClient client = SimClient.connect(network, server.server.address(), id);
        Member member = new Member(server, client, id);
        members.add(member);
        all.add(member.ledger);
        say(id + " connects to " + server.relay.id());
        client.send("I " + id + "\n");
        for (String topic : TOPICS) {
            if (random.nextBoolean()) {
                client.send("J " + topic.replace(" ", "_") + "\n");
            }
        }
    }

    private Member anyone() {
        return members.isEmpty() ? null : members.get(random.nextInt(members.size()));
    }

    private static String name(String topic) {
        return topic.replace(' ', '_');
    }

    private String topic() {
        return name(TOPICS.get(random.nextInt(TOPICS.size())));
    }

    private void join() {
        Member member = anyone();
        if (member != null) {
            member.client.send("J " + topic() + "\n");
        }
    }

    private void leave() {
        Member member = anyone();
        if (member != null) {
            member.client.send("L " + topic() + "\n");
        }
    }

    private void disconnect() {
        Member member = anyone();
        if (member != null && random.nextInt(3) == 0) {
            member.client.close();
            members.remove(member);
            say(member.id + " disconnects");
        }
    }

    private void publish() {
        Member member = anyone();
        if (member != null) {
            publish(member);
        }
    }

    private void publish(Member member) {
        String topic = topic();
        int count = random.nextInt(4) == 0 ? random.nextInt(1, 200) : random.nextInt(1, 5);
        say(member.id + " publishes " + count + " to " + topic + " at " + member.server.relay.id());
        for (int i = 0; i < count; i++) {
            member.client.send("P " + topic + " " + "x".repeat(random.nextInt(random.nextInt(10) == 0 ? 500 : 20)) + "\n");
        }
    }

    private void send() {
        Member member = anyone();
        if (member != null) {
            String to = "c" + random.nextInt(Math.max(1, clients));
            member.client.send("S " + to + " x\n");
        }
    }

    private void separate() {
        int server = random.nextInt(SERVERS);
        say("separates " + servers.get(server).relay.id());
        bus.separate(server);
        if (random.nextInt(3) == 0) {
            bus.join(random.nextInt(SERVERS));
        }
    }

    private void die() {
        say("the broker dies");
        bus.die();
        if (random.nextBoolean()) {
            bus.revive();
        }
    }

    private void restart() throws IOException {
        if (random.nextBoolean()) {
            return;
        }
        int index = random.nextInt(SERVERS);
        ChatServer server = servers.get(index);
        say("kills " + server.relay.id());
        bus.kill(index);
        server.server.close();
        ended.add(server);
        members.removeIf(member -> member.server == server);
        ChatServer next = start(index);
        servers.set(index, next);
        for (Member member : members) { // it has been listening for longer than the new server is there
            member.established.forEach(topic -> member.ledger.startAt(Ledger.key(topic, next.relay.id()), 0));
        }
        if (random.nextBoolean()) { // it publishes before all others have heard it
            bus.drop(0.5);
            connect(next);
            pass(random.nextInt(1, 100));
            publish(members.getLast());
        }
    }

    // ---- what must hold

    long messages() {
        return all.stream().mapToLong(ledger -> ledger.messages).sum();
    }

    long missed() {
        return all.stream().mapToLong(ledger -> ledger.missed).sum();
    }

    private void fail(String text) {
        throw new AssertionError("seed " + seed + ": " + text);
    }

    /** Reads what the clients have received, and checks the bounds. */
    private void check() {
        for (ChatServer server : servers) {
            Outbox outbox = server.relay.node().outbox();
            if (server.relay.stats().malformed() > 0) {
                fail("frames that cannot be decoded");
            }
            if (outbox.bytes() > options.queueBytesMax() || outbox.messages() > options.queueMessagesMax()) {
                fail("the queue has " + outbox.messages() + " messages, " + outbox.bytes() + " bytes");
            }
        }
        for (Member member : members) {
            List<String> lines = member.client.receivedLines();
            for (; member.read < lines.size(); member.read++) {
                read(member, lines.get(member.read).split(" "));
            }
        }
    }

    /** The bus must not have what is reported as missed, or have got it only a moment ago. */
    private void checkMissed(Member member, String topic, String publisher, long count) {
        Long position = member.ledger.position(Ledger.key(topic, publisher));
        for (long i = 1; position != null && i <= count; i++) {
            Long at = bus.arrivedAt(Long.parseUnsignedLong(publisher, 16), Streams.ofTopic(topic), position + i);
            if (at != null && network.clock().nanoTime() - at > SETTLE_NANOS) {
                fail(member.id + " misses " + topic + " " + publisher + " " + (position + i) + ", which the bus has");
            }
        }
    }

    private void read(Member member, String[] words) {
        if (words[0].equals("G") || words[0].equals("A")) {
            say(member.id + " of " + member.server.relay.id() + " receives " + String.join(" ", words));
        }
        if (words[0].equals("G") && fillsAll) {
            checkMissed(member, words[1], words[2], Long.parseLong(words[3]));
        }
        if (member.ledger.read(words)) {
            return;
        }
        switch (words[0]) {
            case "A" -> {
                if (words[1].equals("joined")) {
                    member.joined.add(words[2]);
                } else {
                    member.joined.remove(words[2]);
                    member.established.remove(words[2]);
                    member.ledger.forget(words[2]);
                }
            }
            case "D" -> {
                long number = Long.parseLong(words[3]);
                Long before = member.direct.put(words[1], number);
                if (!words[2].equals(member.id)) {
                    fail(member.id + " gets a message for " + words[2]);
                }
                if (before != null && number <= before) {
                    fail(member.id + " gets message " + number + " from " + words[1] + " after " + before);
                }
            }
            default -> fail(member.id + " gets " + String.join(" ", words));
        }
    }

    /** Ends all faults. After some heartbeats, everything must have been received or counted as missed. */
    private void quiet() throws IOException {
        say("quiet");
        bus.heal();
        pass(2500);
        settle();
        checkMissedWithoutFault();
        checkPresence();
    }

    /**
     * Without faults, a message may be missed only if the broker got it before the subscription. A first heartbeat that arrives after
     * the server has subscribed, and has passed the broker before the subscription, counts what was published behind it. The two ways,
     * of the heartbeat to the server and of the subscription to the broker, limit how long before the subscription that can be.
     */
    private void checkMissedWithoutFault() {
        for (Member member : members) {
            for (Ledger.Gap gap : member.ledger.takeGaps()) {
                for (long number = gap.first(); !withFaults && number < gap.first() + gap.count(); number++) {
                    checkIsEarly(member, gap, number);
                }
            }
        }
    }

    private void checkIsEarly(Member member, Ledger.Gap gap, long number) {
        String stream = Streams.ofTopic(gap.topic());
        Long arrived = bus.arrivedAt(Long.parseUnsignedLong(gap.publisher(), 16), stream, number);
        Long subscribed = bus.subscribedAt(servers.indexOf(member.server), names.subject(stream));
        if (arrived == null || subscribed == null) {
            fail("messages are missed without a fault: " + member.id + " misses number " + number + " of " + gap);
        }
        long before = subscribed - arrived;
        if (before < 0 || before > 2 * bus.longestDelayNanos()) {
            fail("messages are missed without a fault: " + member.id + " misses number " + number + " of " + gap
                    + ", which the broker got " + before / 1e6 + " ms before the subscription");
        }
    }

    private void settle() {
        for (Member member : members) {
            member.established.addAll(member.joined);
            for (String topic : member.joined) {
                for (ChatServer publisher : servers) {
                    member.ledger.settle(Ledger.key(topic, publisher.relay.id()), publisher.accepted.getOrDefault(topic, 0L));
                }
            }
        }
    }

    /** Without faults, messages reach everyone again. */
    private void resume() throws IOException {
        long before = missed();
        for (ChatServer server : servers) {
            for (String topic : TOPICS) {
                members.stream().filter(member -> member.server == server).findFirst()
                        .ifPresent(member -> member.client.send("P " + name(topic) + " x\n"));
            }
            pass(20);
        }
        pass(800);
        settle();
        if (missed() != before) {
            fail("messages are missed without a fault");
        }
    }

    private void checkPresence() {
        Map<String, List<String>> expected = new TreeMap<>();
        for (ChatServer server : servers) {
            server.ids.values().forEach(id -> expected.put(id, List.of(server.relay.id())));
        }
        for (ChatServer server : servers) {
            if (!server.relay.presence().equals(expected)) {
                fail("presence at " + server.relay.id() + " is " + server.relay.presence() + ", not " + expected + "; "
                        + servers.stream().map(each -> each.relay.id() + " " + each.relay.stats()).toList());
            }
        }
    }

    /** One server ends in order: the others get everything, and see its clients leave at once. */
    private void drain() throws IOException {
        ChatServer leaving = servers.get(random.nextInt(SERVERS));
        Server server = leaving.server;
        say("drains " + leaving.relay.id());
        bus.delay(random.nextLong(1_000_000, 150_000_000));
        for (Member member : members) {
            if (member.server == leaving) {
                publish(member);
            }
        }
        pass(random.nextInt(5, 30));
        leaving.relay.drain(Duration.ofSeconds(10));
        pass(6000);
        if (!leaving.relay.isClosed()) {
            fail("the drain does not end");
        }
        for (Member member : members) {
            for (String topic : member.joined) {
                member.ledger.settle(Ledger.key(topic, leaving.relay.id()), leaving.accepted.getOrDefault(topic, 0L));
            }
        }
        checkMissedWithoutFault();
        servers.remove(leaving);
        for (ChatServer other : servers) {
            if (other.relay.presence().values().stream().anyMatch(each -> each.contains(leaving.relay.id()))) {
                fail("after the drain of " + leaving.relay.id() + ", its clients are present at " + other.relay.id());
            }
        }
        server.close();
    }
}
