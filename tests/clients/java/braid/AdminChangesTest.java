// Braid, Apache-2.0.
package braid;

import static braid.Broker.at;
import static braid.Broker.createTopic;
import static braid.Broker.fill;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Configuration, partitions and records, changed through the admin client. */
class AdminChangesTest {
  private static Admin admin;

  @BeforeAll
  static void connect() {
    admin = Broker.admin();
  }

  @AfterAll
  static void close() {
    admin.close();
  }

  private static Config config(ConfigResource resource) throws Exception {
    return admin.describeConfigs(List.of(resource)).all().get().get(resource);
  }

  private static void alter(ConfigResource resource, AlterConfigOp... operations) throws Exception {
    admin.incrementalAlterConfigs(Map.of(resource, (Collection<AlterConfigOp>) List.of(operations))).all().get();
  }

  private static AlterConfigOp operation(String name, String value, AlterConfigOp.OpType type) {
    return new AlterConfigOp(new ConfigEntry(name, value), type);
  }

  @Test
  void partitionsAreAddedAndNeverTakenAway() throws Exception {
    String name = createTopic("wider", 2);
    admin.createPartitions(Map.of(name, NewPartitions.increaseTo(4))).all().get();
    assertEquals(4, admin.describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size());
    assertEquals(Optional.of(InvalidPartitionsException.class),
        Broker.failure(admin.createPartitions(Map.of(name, NewPartitions.increaseTo(3))).all()));
  }

  @Test
  void configurationIsSetAndTakenBack() throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, createTopic("config", 1));
    ConfigEntry before = config(resource).get("retention.ms");
    assertTrue(before.isDefault() || before.source() == ConfigEntry.ConfigSource.STATIC_BROKER_CONFIG);
    alter(resource, operation("retention.ms", "120000", AlterConfigOp.OpType.SET),
        operation("max.message.bytes", "5000", AlterConfigOp.OpType.SET));
    ConfigEntry set = config(resource).get("retention.ms");
    assertEquals("120000", set.value());
    assertEquals(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, set.source());
    assertFalse(set.isReadOnly());
    assertFalse(set.isSensitive());
    alter(resource, operation("retention.ms", "", AlterConfigOp.OpType.DELETE));
    assertEquals(before.value(), config(resource).get("retention.ms").value());
    assertEquals("5000", config(resource).get("max.message.bytes").value());
    for (String[] bad : new String[][] {{"retention.ms", "soon"}, {"no.such.setting", "1"}})
      assertEquals(Optional.of(InvalidConfigurationException.class), Broker.failure(admin.incrementalAlterConfigs(
          Map.of(resource, List.of(operation(bad[0], bad[1], AlterConfigOp.OpType.SET)))).all()));
  }

  @Test
  void aListTakesNothingThatIsNotServed() throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, createTopic("lists", 1));
    alter(resource, operation("cleanup.policy", "delete", AlterConfigOp.OpType.APPEND));
    assertEquals("delete", config(resource).get("cleanup.policy").value());
    for (AlterConfigOp.OpType type : List.of(AlterConfigOp.OpType.APPEND, AlterConfigOp.OpType.SET))
      assertEquals(Optional.of(InvalidConfigurationException.class), Broker.failure(admin.incrementalAlterConfigs(
          Map.of(resource, List.of(operation("cleanup.policy", "compact", type)))).all()));
    assertEquals("delete", config(resource).get("cleanup.policy").value());
  }

  @Test
  void theBrokersOwnConfigurationIsDescribed() throws Exception {
    int node = admin.describeCluster().controller().get().id();
    Config config = config(new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(node)));
    assertTrue(config.entries().size() > 5);
    assertEquals(Integer.toString(node), config.get("node.id").value());
    assertTrue(config.get("node.id").isReadOnly());
  }

  @Test
  void recordsAreDeletedUpToAnOffset() throws Exception {
    String name = createTopic("delete", 1);
    fill(name, 1, 0, 10);
    TopicPartition partition = at(name, 0);
    assertEquals(3, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(3)))
        .lowWatermarks().get(partition).get().lowWatermark());
    assertEquals(3, list(partition, OffsetSpec.earliest()).offset());
    assertEquals(7, Broker.readAll(name).size());
    assertEquals(Optional.of(OffsetOutOfRangeException.class), Broker.failure(
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(11))).all()));
    admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1))).all().get();
    assertEquals(10, list(partition, OffsetSpec.earliest()).offset());
  }

  private static ListOffsetsResultInfo list(TopicPartition partition, OffsetSpec spec) throws Exception {
    return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get();
  }
}
