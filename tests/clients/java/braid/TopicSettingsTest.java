// Braid, Apache-2.0.
package braid;

import static braid.Broker.bytes;
import static braid.Broker.createTopic;
import static braid.Broker.producer;
import static braid.Broker.readAll;
import static braid.Broker.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a topic's own settings do to what is produced into it. */
class TopicSettingsTest {
  @ParameterizedTest
  @ValueSource(strings = {"gzip", "snappy", "lz4", "zstd", "uncompressed"})
  void aTopicThatAsksForACodecGivesTheRecordsBackUnharmed(String codec) throws Exception {
    String topic = createTopic("recompressed", 1, "compression.type", codec);
    try (KafkaProducer<byte[], byte[]> producer = producer("compression.type", "lz4", "linger.ms", 5)) {
      for (int i = 0; i < 200; ++i) producer.send(new ProducerRecord<>(topic, bytes("v" + i)));
    }
    List<ConsumerRecord<byte[], byte[]>> records = readAll(topic);
    assertEquals(200, records.size());
    for (int i = 0; i < 200; ++i) assertEquals("v" + i, text(records.get(i).value()));
  }

  @Test
  void timesOutsideTheLimitsOfATopicAreRefused() throws Exception {
    String topic = createTopic("times", 1, "message.timestamp.before.max.ms", "60000",
        "message.timestamp.after.max.ms", "60000");
    long now = System.currentTimeMillis();
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      for (long time : new long[] {now - 3600_000, now + 3600_000})
        assertEquals(Optional.of(InvalidTimestampException.class),
            Broker.failure(producer.send(new ProducerRecord<>(topic, 0, time, null, bytes("x")))));
      producer.send(new ProducerRecord<>(topic, 0, now, null, bytes("x"))).get();
    }
  }

  @Test
  void aTopicOfAppendTimeStampsRecordsItself() throws Exception {
    String topic = createTopic("append", 1, "message.timestamp.type", "LogAppendTime");
    long before = System.currentTimeMillis();
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      RecordMetadata stored = producer.send(new ProducerRecord<>(topic, 0, 1000L, null, bytes("old"))).get();
      assertTrue(stored.timestamp() >= before);
    }
    ConsumerRecord<byte[], byte[]> record = readAll(topic).get(0);
    assertEquals(TimestampType.LOG_APPEND_TIME, record.timestampType());
    assertTrue(record.timestamp() >= before && record.timestamp() <= System.currentTimeMillis());
  }
}
