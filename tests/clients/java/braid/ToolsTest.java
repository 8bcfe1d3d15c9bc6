// Braid, Apache-2.0.
package braid;

import static braid.Broker.createTopic;
import static braid.Broker.fill;
import static braid.Broker.unique;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;
import org.junit.jupiter.api.Test;

/** The commands that operators type: Apache Kafka's own, each called as its script calls it. */
class ToolsTest {
  private record Result(int code, String output) {
    Result says(String expected) {
      assertTrue(output.contains(expected), "'" + expected + "' is not in:\n" + output);
      return this;
    }

    Result silentAbout(String unexpected) {
      assertTrue(!output.contains(unexpected), "'" + unexpected + "' is in:\n" + output);
      return this;
    }

    Result ok() {
      assertEquals(0, code, output);
      return this;
    }
  }

  /** How a command ends: the exit code, thrown from where it would have ended the process. */
  private static final class Ended extends RuntimeException {
    final int code;

    Ended(int code) {
      super("exit " + code, null, false, false);
      this.code = code;
    }
  }

  /** Runs the command's main() in this process, with its output kept. */
  private static Result run(String tool, String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("--bootstrap-server", Broker.BOOTSTRAP));
    all.addAll(List.of(arguments));
    PrintStream out = System.out, err = System.err;
    ByteArrayOutputStream kept = new ByteArrayOutputStream();
    PrintStream both = new PrintStream(kept, true, StandardCharsets.UTF_8);
    // Some commands catch what ends them and end again: the first time counts.
    Ended[] first = {null};
    Exit.Procedure end = (code, message) -> {
      if (first[0] == null) first[0] = new Ended(code);
      throw first[0];
    };
    Exit.setExitProcedure(end);
    Exit.setHaltProcedure(end);
    System.setOut(both);
    System.setErr(both);
    try {
      Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) all.toArray(String[]::new));
    } catch (java.lang.reflect.InvocationTargetException error) {
      if (!(error.getCause() instanceof Ended)) throw error;
    } finally {
      System.setOut(out);
      System.setErr(err);
      Exit.resetExitProcedure();
      Exit.resetHaltProcedure();
    }
    return new Result(first[0] == null ? 0 : first[0].code, kept.toString(StandardCharsets.UTF_8));
  }

  private static Result topics(String... arguments) throws Exception {
    return run("org.apache.kafka.tools.TopicCommand", arguments);
  }

  private static Result groups(String... arguments) throws Exception {
    return run("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", arguments);
  }

  private static Result configs(String... arguments) throws Exception {
    return run("kafka.admin.ConfigCommand", arguments);
  }

  @Test
  void kafkaTopics() throws Exception {
    String name = unique("kafka-topics");
    topics("--create", "--topic", name, "--partitions", "2", "--config", "retention.ms=60000")
        .ok().says("Created topic " + name);
    topics("--list").ok().says(name);
    topics("--describe", "--topic", name).ok().says("PartitionCount: 2").says("ReplicationFactor: 1")
        .says("retention.ms=60000").says("Partition: 1");
    topics("--alter", "--topic", name, "--partitions", "3").ok();
    topics("--describe", "--topic", name).ok().says("PartitionCount: 3");
    topics("--describe", "--under-replicated-partitions").ok().silentAbout(name);
    topics("--delete", "--topic", name).ok();
    topics("--list").ok().silentAbout(name);
    assertEquals(1, topics("--create", "--topic", "no good name").code());
    assertEquals(1, topics("--describe", "--topic", unique("nowhere")).code());
  }

  @Test
  void kafkaConfigs() throws Exception {
    String name = createTopic("kafka-configs", 1);
    configs("--alter", "--entity-type", "topics", "--entity-name", name, "--add-config",
        "retention.ms=70000,max.message.bytes=9999").ok().says("Completed updating config");
    configs("--describe", "--entity-type", "topics", "--entity-name", name).ok()
        .says("retention.ms=70000").says("max.message.bytes=9999").says("DYNAMIC_TOPIC_CONFIG");
    configs("--alter", "--entity-type", "topics", "--entity-name", name, "--delete-config", "retention.ms").ok();
    configs("--describe", "--entity-type", "topics", "--entity-name", name).ok().silentAbout("retention.ms=70000");
    configs("--describe", "--entity-type", "topics", "--entity-name", name, "--all").ok()
        .says("cleanup.policy=delete").says("DEFAULT_CONFIG");
    configs("--describe", "--entity-type", "brokers", "--entity-name", "" + nodeId(), "--all").ok().says("node.id=");
    configs("--alter", "--entity-type", "clients", "--entity-name", name, "--add-config", "producer_byte_rate=1024")
        .ok();
    configs("--describe", "--entity-type", "clients", "--entity-name", name).ok().says("producer_byte_rate=1024");
    assertEquals(1, configs("--alter", "--entity-type", "topics", "--entity-name", name, "--add-config",
        "no.such.setting=1").code());
  }

  private static int nodeId() throws Exception {
    try (var admin = Broker.admin()) {
      return admin.describeCluster().controller().get().id();
    }
  }

  @Test
  void kafkaConsumerGroups() throws Exception {
    String topic = createTopic("kafka-consumer-groups", 1), group = unique("g");
    fill(topic, 1, 0, 10);
    try (var consumer = Broker.consumer("group.id", group)) {
      consumer.subscribe(List.of(topic));
      int[] count = {0};
      Broker.await("ten records", () -> (count[0] += consumer.poll(java.time.Duration.ofMillis(50)).count()) >= 10);
      consumer.commitSync();
      groups("--list").ok().says(group);
      groups("--describe", "--group", group).ok().says(topic).says(group);
      groups("--describe", "--group", group, "--state").ok().says("Stable");
      groups("--describe", "--group", group, "--members").ok().says("consumer-" + group);
    }
    groups("--list", "--state").ok().says(group);
    reset(topic, group, "3", "--to-offset", "3");
    reset(topic, group, "5", "--shift-by", "2");
    reset(topic, group, "0", "--to-earliest");
    reset(topic, group, "10", "--to-latest");
    reset(topic, group, "0", "--to-datetime", "2020-01-01T00:00:00.000");
    groups("--delete-offsets", "--group", group, "--topic", topic).ok().says("Successful");
    groups("--delete", "--group", group).ok().says("successful");
    groups("--list").ok().silentAbout(group);
  }

  private static void reset(String topic, String group, String expected, String... to) throws Exception {
    List<String> arguments =
        new ArrayList<>(List.of("--reset-offsets", "--group", group, "--topic", topic, "--execute"));
    arguments.addAll(List.of(to));
    groups(arguments.toArray(String[]::new)).ok();
    try (var admin = Broker.admin()) {
      var offsets = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
      assertEquals(expected, Long.toString(offsets.get(Broker.at(topic, 0)).offset()));
    }
  }

  @Test
  void kafkaGetOffsetsDeleteRecordsAndLogDirs() throws Exception {
    String topic = createTopic("kafka-tools", 1);
    fill(topic, 1, 0, 10);
    run("org.apache.kafka.tools.GetOffsetShell", "--topic", topic, "--time", "latest").ok().says(topic + ":0:10");
    run("org.apache.kafka.tools.GetOffsetShell", "--topic", topic, "--time", "earliest").ok().says(topic + ":0:0");
    Path file = Files.createTempFile("delete", ".json");
    try {
      Files.writeString(file, "{\"partitions\": [{\"topic\": \"" + topic
          + "\", \"partition\": 0, \"offset\": 4}], \"version\": 1}");
      run("org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", file.toString()).ok()
          .says("low_watermark: 4");
    } finally {
      Files.delete(file);
    }
    run("org.apache.kafka.tools.GetOffsetShell", "--topic", topic, "--time", "earliest").ok().says(topic + ":0:4");
    run("org.apache.kafka.tools.LogDirsCommand", "--describe", "--topic-list", topic).ok().says(topic);
    run("org.apache.kafka.tools.GroupsCommand", "--list").ok();
  }
}
