// Braid, Apache-2.0.
package braid;

import static braid.Broker.at;
import static braid.Broker.createTopic;
import static braid.Broker.unique;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Topics and their offsets, through the admin client. */
class AdminTopicsTest {
  private static Admin admin;

  @BeforeAll
  static void connect() {
    admin = Broker.admin();
  }

  @AfterAll
  static void close() {
    admin.close();
  }

  private static NewTopic topic(String name, int partitions, int replicas) {
    return new NewTopic(name, partitions, (short) replicas);
  }

  @Test
  void topicsAreCreatedDescribedAndDeletedByNameAndById() throws Exception {
    String name = unique("admin");
    admin.createTopics(List.of(topic(name, 2, 1)), new CreateTopicsOptions().validateOnly(true)).all().get();
    assertFalse(admin.listTopics().names().get().contains(name));
    CreateTopicsResult created = admin.createTopics(
        List.of(topic(name, 2, 1).configs(Map.of("retention.ms", "60000"))));
    Uuid id = created.topicId(name).get();
    assertNotEquals(Uuid.ZERO_UUID, id);
    assertEquals(2, created.numPartitions(name).get());
    assertEquals("60000", created.config(name).get().get("retention.ms").value());
    assertTrue(admin.listTopics().names().get().contains(name));

    TopicDescription described = admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)))
        .allTopicIds().get().get(id);
    assertEquals(name, described.name());
    assertEquals(2, described.partitions().size());
    assertEquals(Broker.PORT, described.partitions().get(0).leader().port());
    assertFalse(described.isInternal());

    admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
    assertEquals(Optional.of(UnknownTopicIdException.class),
        Broker.failure(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds()));
    assertEquals(Optional.of(UnknownTopicOrPartitionException.class),
        Broker.failure(admin.deleteTopics(List.of(name)).all()));
  }

  @Test
  void whatCannotBeCreatedIsRefusedByItsReason() throws Exception {
    String taken = createTopic("taken", 1);
    assertEquals(Optional.of(TopicExistsException.class),
        Broker.failure(admin.createTopics(List.of(topic(taken, 1, 1))).all()));
    assertEquals(Optional.of(InvalidTopicException.class),
        Broker.failure(admin.createTopics(List.of(topic("no good name", 1, 1))).all()));
    assertEquals(Optional.of(InvalidPartitionsException.class),
        Broker.failure(admin.createTopics(List.of(topic(unique("t"), 0, 1))).all()));
    assertEquals(Optional.of(InvalidReplicationFactorException.class),
        Broker.failure(admin.createTopics(List.of(topic(unique("t"), 1, 3))).all()));
    for (Map<String, String> bad : List.of(Map.of("retention.ms", "soon"), Map.of("no.such.setting", "1")))
      assertEquals(Optional.of(InvalidConfigurationException.class),
          Broker.failure(admin.createTopics(List.of(topic(unique("t"), 1, 1).configs(bad))).all()));
  }

  @Test
  void defaultsOfTheBrokerAreTakenWhereNoNumberIsGiven() throws Exception {
    String name = unique("defaults");
    CreateTopicsResult created =
        admin.createTopics(List.of(new NewTopic(name, Optional.empty(), Optional.empty())));
    assertEquals(1, created.replicationFactor(name).get());
    assertTrue(created.numPartitions(name).get() >= 1);
  }

  @Test
  void aTopicThatIsCreatedAnewHasANewId() throws Exception {
    String name = unique("again");
    Uuid first = admin.createTopics(List.of(topic(name, 1, 1))).topicId(name).get();
    admin.deleteTopics(List.of(name)).all().get();
    assertNotEquals(first, admin.createTopics(List.of(topic(name, 1, 1))).topicId(name).get());
  }

  @Test
  void offsetsOfEveryKindAreListed() throws Exception {
    String name = createTopic("offsets", 1);
    long base = System.currentTimeMillis() - 100000;
    try (var producer = Broker.producer("linger.ms", 50)) {
      // The record with the highest time is not the last one.
      for (int seconds : new int[] {0, 1, 5, 2})
        producer.send(new org.apache.kafka.clients.producer.ProducerRecord<>(
            name, 0, base + seconds * 1000L, null, Broker.bytes("x")));
    }
    TopicPartition partition = at(name, 0);
    assertEquals(0, list(partition, OffsetSpec.earliest()).offset());
    assertEquals(4, list(partition, OffsetSpec.latest()).offset());
    ListOffsetsResultInfo newest = list(partition, OffsetSpec.maxTimestamp());
    assertEquals(2, newest.offset());
    assertEquals(base + 5000, newest.timestamp());
    assertEquals(1, list(partition, OffsetSpec.forTimestamp(base + 500)).offset());
    assertEquals(-1, list(partition, OffsetSpec.forTimestamp(base + 60000)).offset());
    assertEquals(0, list(partition, OffsetSpec.earliestLocal()).offset());
    assertEquals(-1, list(partition, OffsetSpec.latestTiered()).offset());
    assertEquals(Optional.of(UnknownTopicOrPartitionException.class), Broker.failure(
        admin.listOffsets(Map.of(at(name, 7), OffsetSpec.latest()),
            new org.apache.kafka.clients.admin.ListOffsetsOptions().timeoutMs(2000)).all())
        .map(kind -> kind == org.apache.kafka.common.errors.TimeoutException.class
            ? UnknownTopicOrPartitionException.class : kind));
  }

  private static ListOffsetsResultInfo list(TopicPartition partition, OffsetSpec spec) throws Exception {
    return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get();
  }
}
