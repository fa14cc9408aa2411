// SPDX-License-Identifier: Apache-2.0

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/** Features about consumer groups: rebalances, cooperative protocol, static members, commits, administration. */
final class Groups {
    static void add(Map<String, Program.Feature> features) {
        features.put("group", (context, facts) -> twoMembers(context, facts, "group", RangeAssignor.class));
        features.put("cooperative", (context, facts) -> twoMembers(context, facts, "cooperative", CooperativeStickyAssignor.class));
        features.put("consumer_protocol", (context, facts) -> twoMembers(context, facts, "consumer-protocol", null));
        features.put("consumer_protocol_static", Groups::consumerProtocolStatic);
        features.put("consumer_protocol_pattern", Groups::consumerProtocolPattern);
        features.put("migration", Groups::migration);
        features.put("static_membership", Groups::staticMembership);
        features.put("commit_resume", Groups::commitResume);
        features.put("groups_admin", Groups::groupsAdmin);
    }

    /** A consumer of a group on a thread of its own. */
    private static final class Member implements AutoCloseable, ConsumerRebalanceListener {
        final Set<Integer> owned = new ConcurrentSkipListSet<>();
        final Set<String> rows = new ConcurrentSkipListSet<>();
        final AtomicInteger assigns = new AtomicInteger();
        volatile String error;
        private volatile boolean stop;
        private final Thread thread;

        Member(Context context, String group, String topic, String... settings) {
            thread = new Thread(() -> run(context, group, topic, settings));
            thread.start();
        }

        private void run(Context context, String group, String topic, String... settings) {
            try (KafkaConsumer<byte[], byte[]> consumer = context.consumer(group, settings)) {
                if (topic.endsWith("*")) {
                    subscribeToPattern(consumer, topic);
                } else {
                    consumer.subscribe(List.of(topic), this);
                }
                while (!stop) {
                    consumer.poll(Duration.ofMillis(50)).forEach(row -> rows.add(row.partition() + ":" + row.offset() + " " + new String(row.value())));
                }
            } catch (KafkaException why) {
                error = why.getClass().getSimpleName();
                System.err.println("a member ends: " + why);
            }
        }

        /** Clients before 4.0 have no such pattern, and compile this too. */
        private void subscribeToPattern(KafkaConsumer<byte[], byte[]> consumer, String pattern) {
            try {
                Class<?> kind = Class.forName("org.apache.kafka.clients.consumer.SubscriptionPattern");
                KafkaConsumer.class.getMethod("subscribe", kind, ConsumerRebalanceListener.class)
                        .invoke(consumer, kind.getConstructor(String.class).newInstance(pattern), this);
            } catch (ReflectiveOperationException why) {
                throw new KafkaException(why);
            }
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> given) {
            if (!given.isEmpty()) {
                assigns.incrementAndGet();
            }
            given.forEach(place -> owned.add(place.partition()));
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> taken) {
            taken.forEach(place -> owned.remove(place.partition()));
        }

        @Override
        public void close() throws InterruptedException {
            stop = true;
            thread.join();
        }
    }

    /** A alone, A and B, A alone again; all records are read and committed. */
    private static void twoMembers(Context context, List<String> facts, String name, Class<?> assignor) throws Exception {
        String topic = context.create(name, 4);
        String group = context.topic(name + "-group");
        String[] settings = assignor == null ? CONSUMER_PROTOCOL : new String[] {"partition.assignment.strategy", assignor.getName()};
        for (int partition = 0; partition < 4; ++partition) {
            context.produce(Context.simple(topic, partition, Context.numbered("value-" + partition + "-", 10)));
        }
        Member first = new Member(context, group, topic, settings);
        try (first) {
            Program.waitUntil("the first member to read all", () -> first.owned.size() == 4 && first.rows.size() == 40);
            facts.add("A owns " + first.owned);
            try (Member second = new Member(context, group, topic, settings)) {
                Program.waitUntil("two members to share", () -> first.owned.size() == 2 && second.owned.size() == 2);
                Set<Integer> both = new TreeSet<>(first.owned);
                both.addAll(second.owned);
                facts.add("A and B own " + both);
                Program.waitUntil("a stable group", () -> describe(context, group).startsWith("Stable"));
                facts.add(describe(context, group));
            }
            Program.waitUntil("the first member to own all again", () -> first.owned.size() == 4);
            for (int partition = 0; partition < 4; ++partition) {
                context.produce(Context.simple(topic, partition, "late"));
            }
            Program.waitUntil("late records", () -> first.rows.size() == 44);
            facts.add("A owns " + first.owned);
        }
        facts.addAll(first.rows);
        facts.addAll(committed(context, group));
    }

    private static List<String> committed(Context context, String group) throws Exception {
        List<String> committed = new ArrayList<>();
        context.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                .forEach((place, found) -> committed.add("committed " + place.partition() + ": " + found.offset()));
        return Context.sorted(committed);
    }

    private static final String[] CONSUMER_PROTOCOL = {"group.protocol", "consumer"};

    /** A static member that restarts gets what it had, and the other notices nothing; its place cannot be taken while it is held. */
    private static void consumerProtocolStatic(Context context, List<String> facts) throws Exception {
        String topic = context.create("consumer-static", 4);
        String group = context.topic("consumer-static-group");
        String[] one = {"group.protocol", "consumer", "group.instance.id", "one"};
        Member first = new Member(context, group, topic, one);
        try (Member other = new Member(context, group, topic, "group.protocol", "consumer", "group.instance.id", "two")) {
            Program.waitUntil("two static members to share", () -> first.owned.size() == 2 && other.owned.size() == 2);
            Set<Integer> before = new TreeSet<>(first.owned);
            int assigns = other.assigns.get();
            first.close();
            Member again = new Member(context, group, topic, one);
            try (again) {
                Program.waitUntil("the member to come back", () -> again.owned.size() == 2);
                facts.add("same partitions " + again.owned.equals(before) + ", rebalances of the other " + (other.assigns.get() - assigns));
                Program.waitUntil("a stable group", () -> describe(context, group).startsWith("Stable"));
                facts.add(describe(context, group));
                try (Member thief = new Member(context, group, topic, one)) {
                    Program.waitUntil("the thief to be refused", () -> thief.error != null);
                    facts.add("refused: " + thief.error);
                }
            }
        }
    }

    /** Topics by a pattern that the broker evaluates, also those that come later. */
    private static void consumerProtocolPattern(Context context, List<String> facts) throws Exception {
        String topic = context.create("consumer-pattern-a", 2);
        context.create("consumer-other", 2);
        String group = context.topic("consumer-pattern-group");
        context.produce(Context.simple(topic, 0, "a"));
        try (Member member = new Member(context, group, context.topic("consumer-pattern-") + ".*", CONSUMER_PROTOCOL)) {
            Program.waitUntil("the first topic", () -> member.rows.contains("0:0 a"));
            String late = context.create("consumer-pattern-b", 1);
            context.produce(Context.simple(late, 0, "b"));
            Program.waitUntil("the topic that came later", () -> member.rows.contains("0:0 b"));
            facts.addAll(member.rows);
        }
        try (Member malformed = new Member(context, group, context.topic("(") + "*", CONSUMER_PROTOCOL)) {
            Program.waitUntil("a malformed pattern to be refused", () -> malformed.error != null);
            facts.add("malformed: " + malformed.error);
        }
    }

    /** One group: a classic member, then one of each protocol (upgraded while it lives), then classic again (downgraded). */
    private static void migration(Context context, List<String> facts) throws Exception {
        String topic = context.create("migration", 4);
        String group = context.topic("migration-group");
        for (int partition = 0; partition < 4; ++partition) {
            context.produce(Context.simple(topic, partition, Context.numbered("value-" + partition + "-", 10)));
        }
        String[] classic = {"partition.assignment.strategy", RangeAssignor.class.getName()};
        List<Member> all = new ArrayList<>();
        try {
            all.add(new Member(context, group, topic, classic));
            Program.waitUntil("the records", () -> all.get(0).rows.size() == 40);
            shared(context, facts, group, "a classic member alone", all.get(0));
            all.add(new Member(context, group, topic, CONSUMER_PROTOCOL));
            shared(context, facts, group, "with one of the consumer protocol", all.get(0), all.get(1));
            all.get(0).close();
            shared(context, facts, group, "that one alone", all.get(1));
            all.add(new Member(context, group, topic, classic));
            shared(context, facts, group, "with a classic one again", all.get(1), all.get(2));
            all.get(1).close();
            shared(context, facts, group, "a classic one alone", all.get(2));
            for (int partition = 0; partition < 4; ++partition) {
                context.produce(Context.simple(topic, partition, "late"));
            }
            Program.waitUntil("late records", () -> all.get(2).rows.stream().filter(row -> row.endsWith("late")).count() == 4);
        } finally {
            for (Member each : all) {
                each.close();
            }
        }
        Set<String> rows = new TreeSet<>();
        all.forEach(each -> rows.addAll(each.rows));
        facts.addAll(rows);
        facts.addAll(committed(context, group));
    }

    private static void shared(Context context, List<String> facts, String group, String what, Member... members) throws Exception {
        Program.waitUntil(what, () -> {
            for (Member each : members) {
                if (each.owned.size() != 4 / members.length) {
                    return false;
                }
            }
            return describe(context, group).startsWith("Stable");
        });
        var found = context.admin.listConsumerGroups().all().get().stream().filter(each -> each.groupId().equals(group)).findFirst().orElseThrow();
        Set<Integer> owned = new TreeSet<>();
        for (Member each : members) {
            owned.addAll(each.owned);
        }
        facts.add(what + ": " + found.type().orElse(null) + " " + owned + " " + describe(context, group));
    }

    private static void staticMembership(Context context, List<String> facts) throws Exception {
        String topic = context.create("static", 4);
        String group = context.topic("static-group");
        String[] one = {"group.instance.id", "one"};
        Member first = new Member(context, group, topic, one);
        try (Member other = new Member(context, group, topic, "group.instance.id", "two")) {
            Program.waitUntil("two static members to share", () -> first.owned.size() == 2 && other.owned.size() == 2);
            Set<Integer> before = new TreeSet<>(first.owned);
            int assigns = other.assigns.get();
            first.close();
            try (Member again = new Member(context, group, topic, one)) {
                Program.waitUntil("the member to come back", () -> again.owned.size() == 2);
                facts.add("same partitions " + again.owned.equals(before) + ", rebalances of the other " + (other.assigns.get() - assigns));
                Program.waitUntil("a stable group", () -> describe(context, group).startsWith("Stable"));
                facts.add(describe(context, group));
                try (Member thief = new Member(context, group, topic, one)) {
                    Program.waitUntil("the member to be fenced", () -> again.error != null);
                    facts.add("fenced: " + again.error);
                    Program.waitUntil("the other to take over", () -> thief.owned.size() == 2);
                }
            }
        }
        var members = List.of(new org.apache.kafka.clients.admin.MemberToRemove("one"), new org.apache.kafka.clients.admin.MemberToRemove("three"));
        var removed = context.admin.removeMembersFromConsumerGroup(group, new org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions(members));
        for (var member : members) {
            facts.add("remove " + member.groupInstanceId() + " " + Program.outcome(() -> removed.memberResult(member).get()));
        }
        Program.waitUntil("the group to lose its member", () -> !describe(context, group).contains("one"));
    }

    private static void commitResume(Context context, List<String> facts) throws Exception {
        String topic = context.create("commit", 1);
        String group = context.topic("commit-group");
        TopicPartition place = new TopicPartition(topic, 0);
        context.produce(Context.simple(topic, 0, Context.numbered("value-", 10)));
        for (int count : new int[] {4, 6}) {
            try (KafkaConsumer<byte[], byte[]> consumer = context.consumer(group, "enable.auto.commit", "false", "max.poll.records", "1")) {
                consumer.subscribe(List.of(topic));
                List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
                Program.waitUntil("records of the group", () -> {
                    consumer.poll(Duration.ofMillis(200)).forEach(found::add);
                    return found.size() >= count;
                });
                found.forEach(row -> facts.add(count + ": " + Context.line(row)));
                consumer.commitSync(Map.of(place, new OffsetAndMetadata(found.get(count - 1).offset() + 1, "after " + count)));
                facts.add("committed " + consumer.committed(Set.of(place)));
                String huge = "m".repeat(5000);
                facts.add("long metadata " + Program.outcome(() -> {
                    consumer.commitSync(Map.of(place, new OffsetAndMetadata(1, huge)));
                    return null;
                }));
            }
        }
        facts.add("set back " + Program.outcome(() -> context.admin.alterConsumerGroupOffsets(group, Map.of(place, new OffsetAndMetadata(2))).all().get()));
        facts.add("now " + context.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
        facts.add("delete offset " + Program.outcome(() -> context.admin.deleteConsumerGroupOffsets(group, Set.of(place)).all().get()));
        facts.add("now " + context.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
    }

    private static String describe(Context context, String group) throws Exception {
        return Program.outcome(() -> {
            ConsumerGroupDescription found = context.admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            List<String> members = new ArrayList<>();
            found.members().forEach(m -> members.add(m.groupInstanceId().orElse("-") + " " + m.host() + " " + m.assignment().topicPartitions().size()));
            return found.state() + " " + found.partitionAssignor() + " simple " + found.isSimpleConsumerGroup() + " coordinator " + found.coordinator().id()
                    + " " + Context.sorted(members);
        });
    }

    private static void groupsAdmin(Context context, List<String> facts) throws Exception {
        String topic = context.create("admin", 1);
        String group = context.topic("admin-group");
        context.produce(Context.simple(topic, 0, "a", "b"));
        try (Member member = new Member(context, group, topic)) {
            Program.waitUntil("the member to read", () -> member.rows.size() == 2);
            facts.add(listed(context, group));
            facts.add(describe(context, group));
            facts.add("delete with members " + delete(context, group));
            facts.add("delete offset " + Program.outcome(
                    () -> context.admin.deleteConsumerGroupOffsets(group, Set.of(new TopicPartition(topic, 0))).all().get()));
            facts.add("set offset with members " + Program.outcome(
                    () -> context.admin.alterConsumerGroupOffsets(group, Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(0))).all().get()));
        }
        facts.add(listed(context, group));
        facts.add(describe(context, group));
        facts.add("delete " + delete(context, group));
        facts.add("again " + delete(context, group));
        facts.add(listed(context, group));
        facts.add("unknown " + describe(context, context.topic("not-there")));
        facts.add("offsets of unknown " + context.admin.listConsumerGroupOffsets(context.topic("not-there")).partitionsToOffsetAndMetadata().get());
    }

    private static String delete(Context context, String group) throws Exception {
        return Program.outcome(() -> context.admin.deleteConsumerGroups(List.of(group)).all().get());
    }

    private static String listed(Context context, String group) throws Exception {
        return "listed " + context.admin.listConsumerGroups().all().get().stream().filter(row -> row.groupId().equals(group))
                .map(row -> row.groupId() + " " + row.state().get() + " simple " + row.isSimpleConsumerGroup()).toList();
    }

    private Groups() {}
}
