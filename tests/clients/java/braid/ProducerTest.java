// Braid, Apache-2.0.
package braid;

import static braid.Broker.bytes;
import static braid.Broker.createTopic;
import static braid.Broker.filled;
import static braid.Broker.producer;
import static braid.Broker.readAll;
import static braid.Broker.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProducerTest {
  @ParameterizedTest
  @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
  void everyCodecIsReadAsItWasWritten(String codec) throws Exception {
    String topic = createTopic("codec", 3);
    try (KafkaProducer<byte[], byte[]> producer = producer("compression.type", codec, "linger.ms", 5)) {
      for (int i = 0; i < 1000; ++i)
        producer.send(new ProducerRecord<>(topic, bytes("key-" + i), bytes(("" + i).repeat(20))));
    }
    List<ConsumerRecord<byte[], byte[]>> records = readAll(topic);
    assertEquals(1000, records.size());
    for (ConsumerRecord<byte[], byte[]> record : records)
      assertEquals(text(record.key()).substring(4).repeat(20), text(record.value()));
  }

  @Test
  void headersKeysAndTombstonesComeBackByteForByte() throws Exception {
    String topic = createTopic("bytes", 1);
    byte[] binary = {0, (byte) 0xff, (byte) 0xfe, (byte) 0x80, 0};
    long time = System.currentTimeMillis() - 5000;
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, time, binary, binary);
      record.headers().add("a", bytes("1")).add("a", binary).add("é", null).add("empty", new byte[0]);
      producer.send(record);
      producer.send(new ProducerRecord<>(topic, bytes("gone"), null));
      producer.send(new ProducerRecord<>(topic, null, new byte[0]));
    }
    List<ConsumerRecord<byte[], byte[]>> records = readAll(topic);
    assertEquals(3, records.size());
    assertArrayEquals(binary, records.get(0).key());
    assertArrayEquals(binary, records.get(0).value());
    assertEquals(time, records.get(0).timestamp());
    assertEquals(TimestampType.CREATE_TIME, records.get(0).timestampType());
    Header[] headers = records.get(0).headers().toArray();
    assertEquals(List.of("a", "a", "é", "empty"), Arrays.stream(headers).map(Header::key).toList());
    assertArrayEquals(binary, headers[1].value());
    assertNull(headers[2].value());
    assertEquals(0, headers[3].value().length);
    assertNull(records.get(1).value());
    assertNull(records.get(2).key());
    assertEquals(0, records.get(2).value().length);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "1", "all"})
  void everyKindOfAcknowledgementStores(String acks) throws Exception {
    String topic = createTopic("acks", 1);
    try (KafkaProducer<byte[], byte[]> producer = producer("acks", acks, "enable.idempotence", acks.equals("all"))) {
      RecordMetadata first = producer.send(new ProducerRecord<>(topic, bytes("one"))).get();
      assertEquals(acks.equals("0") ? -1 : 0, first.offset());
      producer.send(new ProducerRecord<>(topic, bytes("two"))).get();
      producer.flush();
      Broker.await("two records", () -> readAll(topic).size() == 2);
    }
  }

  @Test
  void anIdempotentProducerNeitherLosesNorDoublesOverACrash() throws Exception {
    String topic = createTopic("idempotent", 1);
    int count = 3000;
    try (KafkaProducer<byte[], byte[]> producer = producer("enable.idempotence", true, "batch.size", 500,
        "delivery.timeout.ms", 60000, "request.timeout.ms", 5000, "reconnect.backoff.max.ms", 100)) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int i = 0; i < count; ++i) {
        sent.add(producer.send(new ProducerRecord<>(topic, bytes("" + i))));
        if (i == count / 2) Broker.order("crash");
      }
      for (int i = 0; i < count; ++i) assertEquals(i, sent.get(i).get().offset());
    }
    List<ConsumerRecord<byte[], byte[]>> records = readAll(topic);
    assertEquals(count, records.size());
    for (int i = 0; i < count; ++i) assertEquals("" + i, text(records.get(i).value()));
  }

  @Test
  void largeRecordsPassUpToTheLimitOfTheirTopicAndAreRefusedBeyond() throws Exception {
    String topic = createTopic("large", 1, "max.message.bytes", "2000000");
    byte[] large = new byte[1900000];
    new Random(1).nextBytes(large);
    try (KafkaProducer<byte[], byte[]> producer = producer("max.request.size", 5000000)) {
      producer.send(new ProducerRecord<>(topic, large)).get();
      assertEquals(Optional.of(RecordTooLargeException.class),
          Broker.failure(producer.send(new ProducerRecord<>(topic, filled(2100000, 1)))));
    }
    assertArrayEquals(large, readAll(topic).get(0).value());
  }

  @Test
  void topicsThatCannotBeAreRefused() throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer("max.block.ms", 1500)) {
      assertEquals(Optional.of(InvalidTopicException.class),
          Broker.failure(producer.send(new ProducerRecord<>("no good name", bytes("x")))));
      assertEquals(Optional.of(TimeoutException.class),
          Broker.failure(producer.send(new ProducerRecord<>(Broker.unique("nowhere"), bytes("x")))));
    }
  }
}
