// Braid, Apache-2.0.
package braid;

import static braid.Broker.consumer;
import static braid.Broker.createTopic;
import static braid.Broker.fill;
import static braid.Broker.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Members that share the partitions of a topic. */
class GroupTest {
  /** A member on a thread of its own, until it is closed. */
  private static final class Member implements AutoCloseable, ConsumerRebalanceListener {
    final ConcurrentLinkedQueue<Integer> values = new ConcurrentLinkedQueue<>();
    final AtomicInteger revoked = new AtomicInteger();
    volatile Set<Integer> assignment = Set.of();
    volatile Throwable failure;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread;
    private volatile boolean running = true;

    Member(String topic, String group, Object... pairs) {
      List<Object> all = new ArrayList<>(List.of("group.id", group, "auto.commit.interval.ms", 100));
      all.addAll(List.of(pairs));
      consumer = consumer(all.toArray());
      consumer.subscribe(List.of(topic), this);
      thread = new Thread(this::run);
      thread.start();
    }

    private void run() {
      try (consumer) {
        while (running) {
          consumer.poll(Duration.ofMillis(50)).forEach(record -> values.add(Integer.parseInt(text(record.value()))));
          assignment = consumer.assignment().stream().map(TopicPartition::partition)
              .collect(java.util.stream.Collectors.toUnmodifiableSet());
        }
      } catch (Throwable error) {
        failure = error;
      }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      revoked.addAndGet(partitions.size());
    }

    @Override
    public void close() throws InterruptedException {
      running = false;
      thread.join();
    }
  }

  private static Set<Integer> union(Member... members) {
    Set<Integer> all = new TreeSet<>();
    for (Member member : members) all.addAll(member.values);
    return all;
  }

  @ParameterizedTest
  @ValueSource(classes = {RangeAssignor.class, RoundRobinAssignor.class, StickyAssignor.class,
      CooperativeStickyAssignor.class})
  void membersThatJoinAndLeaveShareThePartitionsAndNothingIsLost(Class<?> assignor) throws Exception {
    String topic = createTopic("group", 6);
    String group = Broker.unique("g");
    Object[] settings = {"partition.assignment.strategy", assignor.getName()};
    Member second, third;
    try (Member first = new Member(topic, group, settings)) {
      Broker.await("the first has all", () -> first.assignment.size() == 6);
      fill(topic, 6, 0, 60);
      second = new Member(topic, group, settings);
      third = new Member(topic, group, settings);
      Broker.await("two each", () -> first.assignment.size() == 2 && second.assignment.size() == 2
          && third.assignment.size() == 2);
      fill(topic, 6, 60, 120);
      Broker.await("all 120", () -> union(first, second, third).size() == 120);
      first.close();
      Broker.await("three each", () -> second.assignment.size() == 3 && third.assignment.size() == 3);
      fill(topic, 6, 120, 180);
      Broker.await("all 180", () -> union(first, second, third).size() == 180);
      second.close();
      third.close();
      for (Member member : List.of(first, second, third)) assertEquals(null, member.failure);
    }
  }

  @Test
  void aCooperativeMemberKeepsWhatItDoesNotGiveAway() throws Exception {
    String topic = createTopic("cooperative", 4);
    String group = Broker.unique("g");
    Object[] settings = {"partition.assignment.strategy", CooperativeStickyAssignor.class.getName()};
    try (Member first = new Member(topic, group, settings)) {
      Broker.await("the first has all", () -> first.assignment.size() == 4);
      try (Member second = new Member(topic, group, settings)) {
        Broker.await("two each", () -> first.assignment.size() == 2 && second.assignment.size() == 2);
        assertEquals(2, first.revoked.get());
      }
    }
  }

  @Test
  void aStaticMemberComesBackWithoutARebalance() throws Exception {
    String topic = createTopic("static", 4);
    String group = Broker.unique("g");
    try (Member stays = new Member(topic, group, "group.instance.id", "stays", "session.timeout.ms", 30000)) {
      Set<Integer> had;
      try (Member leaves = new Member(topic, group, "group.instance.id", "leaves", "session.timeout.ms", 30000)) {
        Broker.await("two each", () -> stays.assignment.size() == 2 && leaves.assignment.size() == 2);
        had = leaves.assignment;
      }
      int revoked = stays.revoked.get();
      try (Member again = new Member(topic, group, "group.instance.id", "leaves", "session.timeout.ms", 30000)) {
        Broker.await("its partitions again", () -> again.assignment.equals(had));
        assertEquals(revoked, stays.revoked.get());
      }
    }
  }

  @Test
  void aSecondMemberOfTheSameInstanceFencesTheFirst() throws Exception {
    String topic = createTopic("fenced", 2);
    String group = Broker.unique("g");
    try (Member first = new Member(topic, group, "group.instance.id", "one")) {
      Broker.await("the first has all", () -> first.assignment.size() == 2);
      try (Member second = new Member(topic, group, "group.instance.id", "one")) {
        Broker.await("the first is fenced", () -> first.failure != null);
        assertTrue(first.failure instanceof FencedInstanceIdException, String.valueOf(first.failure));
        Broker.await("the second has all", () -> second.assignment.size() == 2);
      }
    }
  }

  @Test
  void aMemberThatStopsPollingLosesItsPartitionsToTheOthers() throws Exception {
    String topic = createTopic("stuck", 2);
    String group = Broker.unique("g");
    try (KafkaConsumer<byte[], byte[]> stuck = consumer("group.id", group, "max.poll.interval.ms", 2000)) {
      stuck.subscribe(List.of(topic));
      Broker.await("it has all", () -> {
        stuck.poll(Duration.ofMillis(50));
        return stuck.assignment().size() == 2;
      });
      try (Member other = new Member(topic, group)) {
        Broker.await("the other has all", () -> other.assignment.size() == 2);
      }
    }
  }

  @Test
  void aGroupGoesOnOverACrashOfTheBroker() throws Exception {
    String topic = createTopic("crash", 3);
    String group = Broker.unique("g");
    try (Member one = new Member(topic, group, "reconnect.backoff.max.ms", 100);
        Member two = new Member(topic, group, "reconnect.backoff.max.ms", 100)) {
      fill(topic, 3, 0, 30);
      Broker.await("all 30", () -> union(one, two).size() == 30);
      Broker.order("crash");
      fill(topic, 3, 30, 60);
      Broker.await("all 60", () -> union(one, two).size() == 60);
    }
  }
}
