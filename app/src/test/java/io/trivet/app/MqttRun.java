package io.trivet.app;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Clients of MqttBroker that publish, subscribe and acknowledge, and connect again when they are cut. Each has a will. One of them, the
 * watcher, subscribes to everything at least once; a last one looks at the retained messages.
 */
final class MqttRun extends ExampleRun {
    private static final int CONNECTIONS_MAX = 3;
    private static final int CONNACK = 0x20;
    private static final int PUBLISH = 3;
    private static final int PUBACK = 0x40;
    private static final int KEEP_ALIVE_SECONDS = 2;
    private static final long PING_NANOS = 800_000_000L;
    private static final String PONG = "\u00d0\0";

    private final List<Persona> personas = new ArrayList<>();
    private final Persona watcher = new Persona("watcher", false, true);
    private boolean started;

    MqttRun(ExampleNetwork network, long seed) {
        super(network, seed);
    }

    @Override
    void begin() {
        personas.add(watcher);
        watcher.connect();
    }

    @Override
    void between() {
        if (!started && (watcher.subscribed || recovering)) {
            started = true;
            for (int i = 1 + random.nextInt(4); i > 0; i--) {
                Persona persona = new Persona("c" + i, random.nextBoolean(), random.nextBoolean());
                personas.add(persona);
                persona.connect();
            }
        }
        boolean othersAreOver = started && personas.stream().allMatch(persona -> persona == watcher || persona.isOver());
        for (Persona persona : personas) {
            if (persona.current.isOver() && !persona.isOver()) {
                persona.connect();
            }
            persona.mayEnd = persona != watcher || (othersAreOver && recovering);
        }
    }

    @Override
    void check() throws java.io.IOException {
        settle();
        // The last wills were published meanwhile: each client that may have missed something connects once more.
        for (Persona persona : personas) {
            persona.isLast = true;
            persona.connect();
        }
        finishClients();
        personas.forEach(Persona::checkDeliveries);
        Retained retained = new Retained();
        clients.add(retained);
        finishClients();
        retained.checkAll();
    }

    // ---- packets

    private static String packet(int first, String... fields) {
        String content = String.join("", fields);
        StringBuilder head = new StringBuilder().append((char) first);
        int left = content.length();
        do {
            head.append((char) (left % 128 + (left >= 128 ? 128 : 0)));
            left /= 128;
        } while (left > 0);
        return head + content;
    }

    private static String number(int number) {
        return "" + (char) (number >> 8) + (char) (number & 255);
    }

    private static String text(String text) {
        return number(text.length()) + text;
    }

    private static int number(String bytes, int at) {
        return 256 * bytes.charAt(at) + bytes.charAt(at + 1);
    }

    /** A message that a client has published, or its will. */
    private static final class Published {
        final String topic;
        final String payload;
        final int qos;
        /** The connection of its publisher, and the number of bytes sent on it up to its end. */
        final Link link;
        final long end;
        boolean acknowledged;

        Published(String topic, String payload, int qos, Link link, long end) {
            this.topic = topic;
            this.payload = payload;
            this.qos = qos;
            this.link = link;
            this.end = end;
        }

        boolean isSent() {
            return end <= link.written();
        }
    }

    /** A client identifier: what it has published and received on all its connections. */
    private final class Persona {
        final String id;
        final boolean clean;
        final int subscribedQos;
        final List<Link> links = new ArrayList<>();
        /** By payload, which is unique. */
        final Map<String, Published> published = new LinkedHashMap<>();
        final Map<String, Integer> deliveries = new HashMap<>();
        /** What it has acknowledged, so that the broker knows: it must not come again. */
        final Set<String> settled = new HashSet<>();
        final Map<String, Integer> lastNumber = new HashMap<>();
        /** For each client, the number of its messages when the subscription was certain. */
        final Map<Persona, Integer> publishedBefore = new HashMap<>();
        Link current;
        int numbers;
        boolean subscribed;
        boolean hasSession;
        boolean mayHaveSession;
        boolean mayEnd;
        boolean isLast;
        boolean hasEnded;

        Persona(String id, boolean clean, boolean atLeastOnce) {
            this.id = id;
            this.clean = clean;
            subscribedQos = atLeastOnce ? 1 : 0;
        }

        boolean isWatcher() {
            return this == watcher;
        }

        void connect() {
            current = new Link(this, links.size());
            links.add(current);
            clients.add(current);
        }

        /** Returns true if it has no reason to connect again. */
        boolean isOver() {
            return current.isOver() && (isLast || hasEnded || (!isWatcher() && links.size() >= CONNECTIONS_MAX)
                    || (recovering && !isWatcher() && links.size() > 1));
        }

        /** Checks that everything that must have arrived did so. */
        void checkDeliveries() {
            current.expect(current.connected() && current.disconnects, "has not completed its last connection");
            if (clean || subscribedQos == 0) {
                return;
            }
            publishedBefore.forEach((publisher, before) -> publisher.published.values().stream().skip(before)
                    .filter(message -> message.qos == 1 && message.acknowledged)
                    .forEach(message -> current.expect(deliveries.containsKey(message.payload),
                            "has never received what was acknowledged: " + message.payload)));
            if (isWatcher() && started) {
                personas.stream().filter(persona -> publishedBefore.containsKey(persona) || !persona.isWatcher())
                        .forEach(this::checkWills);
            }
        }

        private void checkWills(Persona other) {
            if (!willsAreSeen) {
                return;
            }
            for (Link link : other.links) {
                boolean arrived = deliveries.containsKey(link.will());
                boolean mayArrive = !link.disconnects || link.end != ExampleClient.End.ENDED || link.mayBeCut();
                boolean mustArrive = link.connected() && !link.disconnects
                        && (other != this || links.indexOf(link) >= linksBefore);
                current.expect(!arrived || mayArrive, "receives the will of a client that has taken its leave: " + link.will());
                current.expect(arrived || !mustArrive, "does not receive the will of a client that was cut: " + link.will());
            }
        }

        /** It was subscribed before any other client connected. */
        boolean willsAreSeen;
        /** The number of its connections that ended before its subscription. */
        int linksBefore;
    }

    /** One connection of a client. */
    private final class Link extends ExampleClient {
        private final Persona persona;
        private final int index;
        private final StringBuilder input = new StringBuilder();
        /** The awaited packets, apart from messages; a null in its place awaits the acknowledgement of the next message. */
        private final Deque<String> expected = new ArrayDeque<>();
        private final Deque<Published> unacknowledged = new ArrayDeque<>();
        /** The payloads whose acknowledgement was sent after the latest PINGREQ, and those before each PINGREQ. */
        private List<String> acknowledging = new ArrayList<>();
        private final Deque<List<String>> beforePings = new ArrayDeque<>();
        private final Map<Integer, Set<String>> ids = new TreeMap<>();
        private final boolean isSilent;
        private final boolean leaves;
        private int messages;
        private int lastId;
        private boolean asked;
        private boolean accepted;
        private boolean endPinged;
        private boolean disconnects;
        private boolean hadSession;
        private boolean hadMaybe;
        private long pingedNanos = now();

        Link(Persona persona, int index) {
            super(MqttRun.this.network, persona.id + "/" + index, MqttRun.this.random);
            this.persona = persona;
            this.index = index;
            messages = persona.isWatcher() || persona.isLast ? 0 : random.nextInt(12);
            isSilent = network.isSimulated() && !persona.isWatcher() && !persona.isLast && random.nextInt(6) == 0;
            leaves = network.isSimulated() && !persona.isLast && random.nextInt(4) == 0;
        }

        String will() {
            return persona.id + ":will:" + index;
        }

        /** Returns true if the broker has accepted the client. */
        boolean connected() {
            return accepted;
        }

        @Override
        void act() {
            if (!asked) {
                asked = true;
                hadSession = persona.hasSession;
                hadMaybe = persona.mayHaveSession;
                persona.mayHaveSession = !persona.clean;
                send(packet(0x10, text("MQTT"), "\4", persona.clean ? "\16" : "\14",
                        number(isSilent || random.nextBoolean() ? KEEP_ALIVE_SECONDS : 0), text(persona.id),
                        text("w/" + persona.id), text(will())));
                expected.add("connack");
                if (!persona.subscribed || persona.clean) {
                    send(packet(0x82, number(7), text(persona.isWatcher() ? "#" : "t/#"), "" + (char) persona.subscribedQos));
                    expected.add(packet(0x90, number(7), "" + (char) persona.subscribedQos));
                }
            }
            if (disconnects || (isSilent && messages == 0)) {
                return;
            }
            if (messages > 0 && random.nextInt(4) == 0 && (accepted || random.nextInt(8) == 0)) {
                for (int i = random.nextInt(3); i >= 0 && messages > 0; i--) {
                    messages--;
                    publish();
                }
            }
            if (now() - pingedNanos > PING_NANOS) {
                ping();
            }
            if (messages == 0 && accepted && leaves && random.nextInt(4) == 0 && persona.mayEnd) {
                leave();
            } else if (messages == 0 && accepted && persona.mayEnd && expected.isEmpty()) {
                end();
            }
        }

        /** Once everything was sent, waits for a reply to PINGREQ: all acknowledgements have arrived by then. Then takes its leave. */
        private void end() {
            if (!endPinged) {
                endPinged = true;
                ping();
            } else if (acknowledging.isEmpty()) {
                disconnects = true;
                send(packet(0xe0));
            } else {
                ping();
            }
        }

        private void ping() {
            pingedNanos = now();
            beforePings.add(acknowledging);
            acknowledging = new ArrayList<>();
            send(packet(0xc0));
            expected.add(PONG);
        }

        private void publish() {
            int qos = random.nextInt(2);
            boolean retain = random.nextInt(4) == 0;
            String payload = persona.id + ":" + ++persona.numbers;
            String topic = retain ? "t/retained/" + persona.id : "t/" + random.nextInt(3);
            String padded = payload + " " + "x".repeat(random.nextInt(random.nextInt(8) == 0 ? 4_000 : 40));
            if (qos == 1) {
                lastId++;
                expected.add("puback " + lastId);
            }
            long end = send(packet(0x30 + 2 * qos + (retain ? 1 : 0), text(topic), qos == 1 ? number(lastId) : "", padded));
            Published message = new Published(topic, payload, qos, this, end);
            persona.published.put(payload, message);
            if (qos == 1) {
                unacknowledged.add(message);
            }
        }

        @Override
        void received(String bytes) {
            input.append(bytes);
            while (input.length() >= 2) {
                int length = 0;
                int at = 1;
                boolean more = true;
                while (more && at < input.length()) {
                    length |= (input.charAt(at) & 127) << (7 * (at - 1));
                    more = input.charAt(at++) >= 128;
                }
                if (more || input.length() < at + length) {
                    return;
                }
                String whole = input.substring(0, at + length);
                input.delete(0, at + length);
                packetArrived(whole, at);
            }
        }

        private void packetArrived(String packet, int contentAt) {
            int first = packet.charAt(0);
            if (first >> 4 == PUBLISH) {
                expect(accepted, "receives a message before it is accepted");
                message(first & 15, packet.substring(contentAt));
                return;
            }
            expect(!expected.isEmpty(), "receives a packet that it has not asked for: " + first);
            String next = expected.removeFirst();
            if (next.equals("connack")) {
                expect(first == CONNACK && packet.length() == 4 && packet.charAt(3) == 0, "is not accepted");
                boolean present = packet.charAt(2) == 1;
                expect(!present || hadMaybe, "is told of a session that it never had");
                expect(present || !hadSession, "has lost its session");
                accepted = true;
                persona.hasSession = !persona.clean;
            } else if (next.startsWith("puback ")) {
                int id = Integer.parseInt(next.substring(7));
                expect(packet.equals("" + (char) PUBACK + "\2" + number(id)),
                        "expects " + next + " and receives another packet: " + first);
                unacknowledged.removeFirst().acknowledged = true;
            } else {
                expect(packet.equals(next), "expects a packet of type " + (next.charAt(0) >> 4) + " and receives " + first);
                if (next.equals(PONG)) {
                    persona.settled.addAll(beforePings.removeFirst());
                } else {
                    subscribed();
                }
            }
        }

        private void subscribed() {
            if (persona.isWatcher() && !persona.subscribed) {
                persona.willsAreSeen = !started;
            }
            if (!persona.subscribed) {
                persona.linksBefore = persona.links.size() - 1;
            }
            persona.subscribed = true;
            for (Persona other : personas) {
                persona.publishedBefore.putIfAbsent(other, other.published.size());
            }
        }

        private void message(int flags, String content) {
            int topicLength = number(content, 0);
            String topic = content.substring(2, 2 + topicLength);
            int qos = (flags >> 1) & 3;
            int payloadAt = 2 + topicLength + (qos > 0 ? 2 : 0);
            String padded = content.substring(payloadAt);
            String[] words = padded.split("[: ]", 3);
            String payload = topic.startsWith("w/") ? padded : padded.substring(0, padded.indexOf(' '));
            boolean duplicate = (flags & 8) != 0;
            boolean retained = (flags & 1) != 0;
            Persona publisher = personas.stream().filter(each -> each.id.equals(words[0])).findFirst().orElseThrow();
            if (topic.startsWith("w/")) {
                expect(topic.equals("w/" + publisher.id)
                        && Integer.parseInt(padded.substring(padded.lastIndexOf(':') + 1)) < publisher.links.size(),
                        "receives " + padded + " on " + topic);
            } else {
                Published message = publisher.published.get(payload);
                expect(message != null && message.topic.equals(topic) && message.isSent(), "receives " + padded + " on " + topic);
                expect(qos == Math.min(message.qos, persona.subscribedQos), "receives " + payload + " with QoS " + qos);
                expect(padded.substring(payload.length() + 1).matches("x*"), "receives wrong bytes in " + padded);
                order(publisher, Integer.parseInt(words[1]), retained || duplicate, payload);
            }
            int count = persona.deliveries.merge(payload, 1, Integer::sum);
            expect(count == 1 || duplicate || retained, "receives " + payload + " " + count + " times");
            expect(!duplicate || !persona.settled.contains(payload), "receives again what it has acknowledged: " + payload);
            if (qos == 1) {
                int id = number(content, 2 + topicLength);
                expect(id != 0 && ids.computeIfAbsent(id, any -> new HashSet<>()).add(payload),
                        "receives identifier " + id + " again");
                if (!disconnects) {
                    send(packet(PUBACK, number(id)));
                    acknowledging.add(payload);
                }
            }
        }

        private void order(Persona publisher, int number, boolean mayBeOld, String payload) {
            if (!mayBeOld) {
                Integer before = persona.lastNumber.put(publisher.id, number);
                expect(before == null || before < number, "receives " + payload + " after " + before);
            }
        }

        @Override
        void ended() {
            if (end == End.ENDED) {
                expect(input.isEmpty(), "reads a clean end in the middle of a packet");
                // Less than the broker's time, because the byte after may have been on its way.
                boolean isIdle = isSilent && silenceNanos() >= KEEP_ALIVE_SECONDS * 1_250_000_000L;
                expect((disconnects && expected.isEmpty()) || isIdle || mayBeCut(),
                        "reads a clean end, " + expected + " awaited, after it was silent for " + silenceNanos() + " ns");
            }
            expect(end != End.CUT || mayBeCut(), "is cut for no reason");
            persona.hasEnded |= end == End.ENDED && disconnects;
        }
    }

    /** Looks at the retained message of each client. */
    private final class Retained extends ExampleClient {
        private final StringBuilder input = new StringBuilder();
        private boolean asked;

        Retained() {
            super(MqttRun.this.network, "the auditor", MqttRun.this.random);
        }

        @Override
        void act() {
            if (!asked) {
                asked = true;
                send(packet(0x10, text("MQTT"), "\4\2\0\0", text(name)) + packet(0x82, number(1), text("t/retained/+"), "\0")
                        + packet(0xc0));
            }
        }

        @Override
        void received(String bytes) {
            input.append(bytes);
            if (input.toString().endsWith(PONG)) {
                leave();
            }
        }

        @Override
        void ended() {
            expect(end == End.LEFT, "reads the end after " + input);
        }

        /** Each is the last one that was certainly published, or a later one that may have been. */
        void checkAll() {
            for (Persona persona : personas) {
                List<Published> all = persona.published.values().stream().filter(each -> each.topic.startsWith("t/retained"))
                        .filter(Published::isSent).toList();
                int certain = 0;
                List<String> possible = new ArrayList<>();
                for (int i = 0; i < all.size(); i++) {
                    certain = all.get(i).acknowledged ? i : certain;
                }
                boolean isAny = all.stream().anyMatch(each -> each.acknowledged);
                for (Published message : all.subList(Math.min(certain, all.size()), all.size())) {
                    possible.add(message.payload);
                }
                String topic = text("t/retained/" + persona.id);
                int at = input.indexOf(topic);
                expect(at >= 0 || !isAny, "misses what " + persona.id + " has retained: one of " + possible);
                if (at >= 0) {
                    String payload = input.substring(at + topic.length(), input.indexOf(" ", at));
                    expect(possible.contains(payload), "gets " + payload + " as retained, not one of " + possible);
                    expect(input.indexOf(topic, at + 1) < 0, "gets two retained messages of " + persona.id);
                }
            }
        }
    }
}
