// Braid, Apache-2.0.
//
// Where the broker is, and what the tests of all Java clients share.
package braid;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

final class Broker {
  static final String HOST = System.getenv("BRAID_HOST");
  static final int PORT = Integer.parseInt(System.getenv("BRAID_KAFKA"));
  static final String BOOTSTRAP = HOST + ":" + PORT;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private Broker() {}

  static String unique(String prefix) {
    return prefix + "-" + UUID.randomUUID().toString().substring(0, 8);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  /** Settings of a client: the given pairs on top of the address. */
  static Properties properties(Object... pairs) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", BOOTSTRAP);
    for (int i = 0; i < pairs.length; i += 2) properties.put(pairs[i], pairs[i + 1].toString());
    return properties;
  }

  static Admin admin() {
    return Admin.create(properties());
  }

  static KafkaProducer<byte[], byte[]> producer(Object... pairs) {
    return new KafkaProducer<>(properties(pairs), new ByteArraySerializer(), new ByteArraySerializer());
  }

  static KafkaConsumer<byte[], byte[]> consumer(Object... pairs) {
    Properties properties = properties("auto.offset.reset", "earliest", "heartbeat.interval.ms", 300,
        "session.timeout.ms", 10000);
    properties.putAll(properties(pairs));
    return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  static String createTopic(String prefix, int partitions, String... config) throws Exception {
    String topic = unique(prefix);
    Map<String, String> configs = new HashMap<>();
    for (int i = 0; i < config.length; i += 2) configs.put(config[i], config[i + 1]);
    try (Admin admin = admin()) {
      admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all().get();
    }
    return topic;
  }

  /** Values "from" up to below "to", one after the other to the partitions in turn. */
  static void fill(String topic, int partitions, int from, int to) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      List<Future<?>> sent = new ArrayList<>();
      for (int i = from; i < to; ++i)
        sent.add(producer.send(new ProducerRecord<>(topic, i % partitions, null, bytes(Integer.toString(i)))));
      for (Future<?> one : sent) one.get();
    }
  }

  /** All records of a topic, partition by partition, read without a group up to the ends of now. */
  static List<ConsumerRecord<byte[], byte[]>> readAll(String topic, Object... pairs) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(pairs)) {
      List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
          .map(info -> new TopicPartition(topic, info.partition())).toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      await("everything is read", () -> {
        consumer.poll(Duration.ofMillis(100)).forEach(records::add);
        return partitions.stream().allMatch(partition -> consumer.position(partition) >= ends.get(partition));
      });
    }
    return records;
  }

  static void await(String what, Callable<Boolean> condition) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    try {
      while (!condition.call()) {
        if (System.nanoTime() > deadline) throw new AssertionError("not within " + PATIENCE + ": " + what);
        Thread.sleep(5);
      }
    } catch (AssertionError | RuntimeException error) {
      throw error;
    } catch (Exception error) {
      throw new AssertionError(what, error);
    }
  }

  /** The class of the error that a future ends with; nothing when it succeeds. */
  static Optional<Class<?>> failure(Future<?> future) throws InterruptedException {
    try {
      future.get();
      return Optional.empty();
    } catch (ExecutionException error) {
      return Optional.of(error.getCause().getClass());
    }
  }

  /** "restart" or "crash": the broker is ready again when this returns. */
  static void order(String what) throws Exception {
    try (Socket socket = new Socket(HOST, Integer.parseInt(System.getenv("BRAID_CONTROL")))) {
      socket.getOutputStream().write(bytes(what + "\n"));
      String answer = new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
      if (!"ok".equals(answer)) throw new AssertionError("broker: " + answer);
    }
  }

  static TopicPartition at(String topic, int partition) {
    return new TopicPartition(topic, partition);
  }

  static byte[] filled(int size, int value) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
