// SPDX-License-Identifier: Apache-2.0
//
// Prints random cases of assigning and what Kafka's own assignors make of them; see make_cases.py.
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.ConsumerGroupPartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.GroupAssignment;
import org.apache.kafka.coordinator.group.api.assignor.GroupSpec;
import org.apache.kafka.coordinator.group.api.assignor.MemberAssignment;
import org.apache.kafka.coordinator.group.api.assignor.MemberSubscription;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;

public class AssignorCases {
    static class Member {
        String id;
        String instance;
        TreeSet<Integer> topics = new TreeSet<>();
        TreeMap<Uuid, TreeSet<Integer>> target = new TreeMap<>(AssignorCases::compareBytes);
    }

    static Random random;
    static Set<String> used = new HashSet<>();
    static List<Uuid> topics = new ArrayList<>();
    static List<Integer> counts = new ArrayList<>();

    static int compareBytes(Uuid a, Uuid b) {
        int high = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
        return high != 0 ? high : Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
    }

    static class Spec implements GroupSpec {
        final Map<String, Member> members = new HashMap<>();
        final boolean same;

        Spec(List<Member> all, boolean same) {
            for (Member m : all) members.put(m.id, m);
            this.same = same;
        }
        public java.util.Collection<String> memberIds() { return members.keySet(); }
        public SubscriptionType subscriptionType() {
            return same ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        }
        public boolean isPartitionAssigned(Uuid topic, int partition) {
            for (Member m : members.values())
                if (m.target.getOrDefault(topic, new TreeSet<>()).contains(partition)) return true;
            return false;
        }
        public boolean isPartitionAssignable(Uuid topic, int partition) { return true; }
        public MemberSubscription memberSubscription(String id) {
            Member m = members.get(id);
            return new MemberSubscription() {
                public Optional<String> rackId() { return Optional.empty(); }
                public Optional<String> instanceId() { return Optional.ofNullable(m.instance); }
                public Set<Uuid> subscribedTopicIds() {
                    Set<Uuid> out = new java.util.LinkedHashSet<>();
                    for (int t : m.topics) out.add(topics.get(t));
                    return out;
                }
            };
        }
        public MemberAssignment memberAssignment(String id) {
            Map<Uuid, Set<Integer>> out = new HashMap<>();
            members.get(id).target.forEach((t, p) -> out.put(t, new HashSet<>(new ArrayList<>(p))));
            return () -> Collections.unmodifiableMap(out);
        }
    }

    static class Topics implements SubscribedTopicDescriber {
        public int numPartitions(Uuid id) {
            int at = topics.indexOf(id);
            return at < 0 ? -1 : counts.get(at);
        }
        public Set<String> racksForPartition(Uuid id, int partition) { return Set.of(); }
    }

    static String text(Map<Uuid, ? extends Set<Integer>> partitions) {
        TreeMap<Integer, String> byTopic = new TreeMap<>();
        partitions.forEach((topic, set) -> {
            if (set.isEmpty()) return;
            StringBuilder line = new StringBuilder().append(topics.indexOf(topic)).append(':');
            boolean first = true;
            for (int p : new TreeSet<>(set)) {
                line.append(first ? "" : ",").append(p);
                first = false;
            }
            byTopic.put(topics.indexOf(topic), line.toString());
        });
        return byTopic.isEmpty() ? "-" : String.join(";", byTopic.values());
    }

    static Uuid uuid() { return new Uuid(random.nextLong(), random.nextLong()); }

    static Member member(boolean same, TreeSet<Integer> all) {
        Member m = new Member();
        do {
            m.id = random.nextBoolean() ? "member-" + random.nextInt(100000) : uuid().toString();
        } while (!used.add(m.id));
        if (random.nextInt(4) == 0) m.instance = "instance-" + random.nextInt(1000000);
        m.topics.addAll(all);
        if (!same) m.topics.removeIf(t -> random.nextInt(3) == 0);
        return m;
    }

    /** Some members come and go, topics grow: each step starts from what the assignor gave before. */
    static void run(ConsumerGroupPartitionAssignor assignor, boolean same, int steps) {
        topics.clear();
        counts.clear();
        used.clear();
        TreeSet<Integer> all = new TreeSet<>();
        for (int t = 1 + random.nextInt(5); t > 0; --t) {
            all.add(topics.size());
            topics.add(uuid());
            counts.add(1 + random.nextInt(random.nextInt(4) == 0 ? 60 : 9));
        }
        List<Member> members = new ArrayList<>();
        for (int m = 1 + random.nextInt(random.nextInt(4) == 0 ? 24 : 6); m > 0; --m) members.add(member(same, all));
        for (int step = 0; step < steps; ++step) {
            System.out.println("case " + assignor.name() + (same ? " same" : " mixed"));
            for (int t = 0; t < topics.size(); ++t) System.out.println("topic " + topics.get(t) + " " + counts.get(t));
            for (Member m : members) {
                List<String> read = new ArrayList<>();
                for (int t : m.topics) read.add(Integer.toString(t));
                System.out.println("member " + m.id + " " + (m.instance == null ? "-" : m.instance) + " "
                    + (read.isEmpty() ? "-" : String.join(",", read)) + " " + text(m.target));
            }
            GroupAssignment result = assignor.assign(new Spec(members, same), new Topics());
            for (Member m : members) {
                MemberAssignment given = result.members().get(m.id);
                m.target.clear();
                if (given != null) given.partitions().forEach((t, p) -> {
                    if (!p.isEmpty()) m.target.put(t, new TreeSet<>(p));
                });
                System.out.println("gets " + m.id + " " + text(m.target));
            }
            System.out.println("end");
            for (int i = random.nextInt(3); i > 0; --i) members.add(member(same, all));
            if (members.size() > 1 && random.nextBoolean()) members.remove(random.nextInt(members.size()));
            int grown = random.nextInt(topics.size());
            if (random.nextInt(3) == 0) counts.set(grown, counts.get(grown) + 1 + random.nextInt(4));
            if (!same && random.nextInt(3) == 0) {
                Member m = members.get(random.nextInt(members.size()));
                m.topics.clear();
                m.topics.addAll(all);
                m.topics.removeIf(t -> random.nextInt(3) == 0);
            }
        }
    }

    public static void main(String[] arguments) {
        random = new Random(Long.parseLong(arguments[0]));
        int chains = Integer.parseInt(arguments[1]);
        for (int i = 0; i < chains; ++i) {
            run(new UniformAssignor(), true, 4);
            run(new UniformAssignor(), false, 4);
            run(new RangeAssignor(), true, 2);
            run(new RangeAssignor(), false, 2);
        }
    }
}
