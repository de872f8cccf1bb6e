package io.trivet.nats;

import io.trivet.nats.RelayStats.TopicStats;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Finds the topics with the most messages. Loop thread only. */
final class Busiest {
    /** The most topics that are kept. */
    static final int MAX = 100;
    /** Of two topics that are equally busy, the one whose name comes first. */
    private static final Comparator<TopicStats> ORDER = Comparator.comparingLong(TopicStats::messages).reversed()
            .thenComparing(TopicStats::topic);

    /** The least busy one is the head. */
    private final PriorityQueue<TopicStats> topics = new PriorityQueue<>(ORDER.reversed());
    private int count;

    /** Returns the busiest of the topics that have members here, or to which this server has published. */
    static Busiest of(Members members, Outbox outbox, Peers peers) {
        Busiest busiest = new Busiest();
        for (String topic : members.topics()) {
            String stream = Streams.ofTopic(topic);
            Subscription subscription = peers.subscription(stream); // none if the bus was away since the first member joined
            busiest.add(new TopicStats(topic, members.of(topic).size(), outbox.last(stream),
                    subscription == null ? 0 : subscription.delivered, subscription == null ? 0 : subscription.missed));
        }
        outbox.forEach((stream, last) -> {
            if (Streams.isTopic(stream) && members.of(Streams.topic(stream)).isEmpty()) {
                busiest.add(new TopicStats(Streams.topic(stream), 0, last, 0, 0));
            }
        });
        return busiest;
    }

    void add(TopicStats topic) {
        count++;
        if (topics.size() == MAX) {
            if (ORDER.compare(topic, topics.element()) >= 0) {
                return;
            }
            topics.remove();
        }
        topics.add(topic);
    }

    /** Returns how many topics there are, those that are not kept included. */
    int count() {
        return count;
    }

    /** Returns the topics that are kept, the busiest first. */
    List<TopicStats> topics() {
        List<TopicStats> sorted = new ArrayList<>(topics);
        sorted.sort(ORDER);
        return sorted;
    }
}
