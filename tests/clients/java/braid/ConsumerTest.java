// Braid, Apache-2.0.
package braid;

import static braid.Broker.at;
import static braid.Broker.bytes;
import static braid.Broker.consumer;
import static braid.Broker.createTopic;
import static braid.Broker.fill;
import static braid.Broker.producer;
import static braid.Broker.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Reading without other members: positions, times, offsets, limits. */
class ConsumerTest {
  private static List<String> poll(KafkaConsumer<byte[], byte[]> consumer, int count) {
    List<String> values = new ArrayList<>();
    Broker.await(count + " records", () -> {
      consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(text(record.value())));
      return values.size() >= count;
    });
    return values;
  }

  @Test
  void offsetsAreFoundByTimeAndByEnd() throws Exception {
    String topic = createTopic("times", 1);
    long base = System.currentTimeMillis() - 100000;
    try (KafkaProducer<byte[], byte[]> producer = producer("linger.ms", 100)) {
      for (int i = 0; i < 10; ++i)
        producer.send(new ProducerRecord<>(topic, 0, base + i * 1000, null, bytes("" + i)));
    }
    TopicPartition partition = at(topic, 0);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, base + 3500)).get(partition);
      assertEquals(4, found.offset());
      assertEquals(base + 4000, found.timestamp());
      assertNull(consumer.offsetsForTimes(Map.of(partition, base + 60000)).get(partition));
      assertEquals(0, consumer.beginningOffsets(List.of(partition)).get(partition));
      assertEquals(10, consumer.endOffsets(List.of(partition)).get(partition));
    }
  }

  @Test
  void seekPauseAndResumeMoveWithinAPartition() throws Exception {
    String topic = createTopic("seek", 2);
    fill(topic, 2, 0, 20);
    TopicPartition zero = at(topic, 0), one = at(topic, 1);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      consumer.assign(List.of(zero, one));
      consumer.pause(List.of(one));
      assertEquals(List.of("0", "2", "4", "6", "8", "10", "12", "14", "16", "18"), poll(consumer, 10));
      consumer.seek(zero, 8);
      assertEquals(List.of("16", "18"), poll(consumer, 2));
      assertEquals(Set.of(one), consumer.paused());
      consumer.resume(List.of(one));
      assertEquals("1", poll(consumer, 10).get(0));
      consumer.seekToEnd(List.of(zero));
      assertEquals(10, consumer.position(zero));
      assertEquals(0, consumer.currentLag(one).orElse(-1));
    }
  }

  @Test
  void committedOffsetsAreWhereTheNextConsumerStarts() throws Exception {
    String topic = createTopic("commit", 1);
    fill(topic, 1, 0, 10);
    String group = Broker.unique("g");
    TopicPartition partition = at(topic, 0);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", group, "enable.auto.commit", false)) {
      consumer.assign(List.of(partition));
      assertNull(consumer.committed(Set.of(partition)).get(partition));
      poll(consumer, 10);
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(6, "six")));
      assertEquals(new OffsetAndMetadata(6, "six"), consumer.committed(Set.of(partition)).get(partition));
    }
    Broker.order("restart");
    try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", group)) {
      consumer.subscribe(List.of(topic));
      assertEquals("6", poll(consumer, 4).get(0));
    }
  }

  @Test
  void anOffsetOutsideTheLogIsReset() throws Exception {
    String topic = createTopic("range", 1);
    fill(topic, 1, 0, 10);
    TopicPartition partition = at(topic, 0);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      consumer.assign(List.of(partition));
      consumer.seek(partition, 99);
      assertEquals("0", poll(consumer, 10).get(0));
    }
    try (KafkaConsumer<byte[], byte[]> strict = consumer("auto.offset.reset", "none")) {
      strict.assign(List.of(partition));
      strict.seek(partition, 99);
      assertThrows(OffsetOutOfRangeException.class, () -> {
        for (int i = 0; i < 50; ++i) strict.poll(Duration.ofMillis(200));
      });
    }
  }

  @Test
  void smallFetchesStillMakeProgressOverLargeRecords() throws Exception {
    String topic = createTopic("fetch", 3);
    try (KafkaProducer<byte[], byte[]> producer = producer("batch.size", 1)) {
      for (int i = 0; i < 30; ++i)
        producer.send(new ProducerRecord<>(topic, i % 3, null, Broker.filled(100000, i)));
    }
    int count = 0;
    try (KafkaConsumer<byte[], byte[]> consumer =
        consumer("max.partition.fetch.bytes", 1000, "fetch.max.bytes", 2000, "max.poll.records", 1)) {
      consumer.assign(List.of(at(topic, 0), at(topic, 1), at(topic, 2)));
      long deadline = System.currentTimeMillis() + 20000;
      while (count < 30 && System.currentTimeMillis() < deadline) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(500));
        assertTrue(records.count() <= 1);
        for (ConsumerRecord<byte[], byte[]> record : records) assertEquals(100000, record.value().length);
        count += records.count();
      }
    }
    assertEquals(30, count);
  }

  @Test
  void aConsumerWaitsForTheFirstRecordAndGetsItAtOnce() throws Exception {
    String topic = createTopic("wait", 1);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer("fetch.max.wait.ms", 30000, "request.timeout.ms", 40000)) {
      consumer.assign(List.of(at(topic, 0)));
      consumer.poll(Duration.ofMillis(300));
      fill(topic, 1, 0, 1);
      long started = System.nanoTime();
      poll(consumer, 1);
      assertTrue(System.nanoTime() - started < 15_000_000_000L, "a parked fetch was not woken");
      // An orderly end would wait for the fetch that is parked now.
      consumer.close(CloseOptions.timeout(Duration.ZERO));
    }
  }

  @Test
  void topicsAreFoundByPattern() throws Exception {
    String prefix = Broker.unique("pattern");
    try (Admin admin = Broker.admin()) {
      for (String end : List.of("a", "b"))
        admin.createTopics(List.of(new org.apache.kafka.clients.admin.NewTopic(prefix + "." + end, 1, (short) 1)))
            .all().get();
    }
    fill(prefix + ".a", 1, 0, 1);
    fill(prefix + ".b", 1, 1, 2);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", Broker.unique("g"))) {
      consumer.subscribe(java.util.regex.Pattern.compile(prefix + "\\..*"));
      assertEquals(Set.of("0", "1"), Set.copyOf(poll(consumer, 2)));
      assertTrue(consumer.listTopics().containsKey(prefix + ".a"));
    }
  }
}
