// Braid, Apache-2.0.
package braid;

import static braid.Broker.at;
import static braid.Broker.consumer;
import static braid.Broker.createTopic;
import static braid.Broker.fill;
import static braid.Broker.unique;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ClassicGroupDescription;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ClassicGroupState;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Groups, and what tools ask about a cluster, through the admin client. */
class AdminGroupsTest {
  private static Admin admin;

  @BeforeAll
  static void connect() {
    admin = Broker.admin();
  }

  @AfterAll
  static void close() {
    admin.close();
  }

  /** A member of `group` that has its partitions and committed what it read. */
  private static KafkaConsumer<byte[], byte[]> joined(String topic, String group, Object... pairs) {
    KafkaConsumer<byte[], byte[]> consumer = consumer(
        java.util.stream.Stream.concat(java.util.stream.Stream.of("group.id", group),
            java.util.stream.Stream.of(pairs)).toArray());
    consumer.subscribe(List.of(topic));
    Broker.await("a member with partitions", () -> {
      consumer.poll(Duration.ofMillis(50));
      return !consumer.assignment().isEmpty();
    });
    consumer.commitSync();
    return consumer;
  }

  private static ClassicGroupDescription describe(String group) throws Exception {
    return admin.describeClassicGroups(List.of(group)).all().get().get(group);
  }

  @Test
  void groupsAreListedDescribedAndDeleted() throws Exception {
    String topic = createTopic("groups", 2), group = unique("g");
    try (KafkaConsumer<byte[], byte[]> member = joined(topic, group, "client.id", "someone")) {
      GroupListing listed = admin.listGroups().all().get().stream()
          .filter(one -> one.groupId().equals(group)).findFirst().orElseThrow();
      assertEquals("consumer", listed.protocol());
      ClassicGroupDescription described = describe(group);
      assertEquals(ClassicGroupState.STABLE, described.state());
      assertEquals(1, described.members().size());
      var one = described.members().iterator().next();
      assertEquals("someone", one.clientId());
      assertEquals(Set.of(at(topic, 0), at(topic, 1)), one.assignment().topicPartitions());
      assertEquals(Optional.of(GroupNotEmptyException.class),
          Broker.failure(admin.deleteConsumerGroups(List.of(group)).all()));
      assertEquals(group, admin.describeConsumerGroups(List.of(group)).all().get().get(group).groupId());
    }
    assertEquals(ClassicGroupState.EMPTY, describe(group).state());
    admin.deleteConsumerGroups(List.of(group)).all().get();
    assertFalse(admin.listGroups().all().get().stream().anyMatch(one -> one.groupId().equals(group)));
    assertEquals(Optional.of(GroupIdNotFoundException.class),
        Broker.failure(admin.deleteConsumerGroups(List.of(group)).all()));
  }

  @Test
  void offsetsAreReadChangedAndDeleted() throws Exception {
    String topic = createTopic("offsets", 1), group = unique("g");
    fill(topic, 1, 0, 10);
    TopicPartition partition = at(topic, 0);
    KafkaConsumer<byte[], byte[]> member = joined(topic, group);
    try (member) {
      assertEquals(Optional.of(GroupSubscribedToTopicException.class),
          Broker.failure(admin.deleteConsumerGroupOffsets(group, Set.of(partition)).partitionResult(partition)));
    }
    admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(4, "four"))).all().get();
    assertEquals(new OffsetAndMetadata(4, "four"), offsets(group).get(partition));
    admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get();
    assertEquals(null, offsets(group).get(partition));
  }

  private static Map<TopicPartition, OffsetAndMetadata> offsets(String group) throws Exception {
    return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
  }

  @Test
  void membersAreRemovedByTheirInstance() throws Exception {
    String topic = createTopic("remove", 1), group = unique("g");
    KafkaConsumer<byte[], byte[]> member = joined(topic, group, "group.instance.id", "one");
    try (member) {
      admin.removeMembersFromConsumerGroup(group,
          new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("one")))).all().get();
      assertEquals(0, describe(group).members().size());
    }
  }

  @Test
  void theClusterIsDescribed() throws Exception {
    DescribeClusterResult cluster = admin.describeCluster();
    assertEquals(1, cluster.nodes().get().size());
    assertEquals(Broker.PORT, cluster.controller().get().port());
    assertFalse(cluster.clusterId().get().isEmpty());
  }

  @Test
  void whatToolsAskOfAPartitionIsAnswered() throws Exception {
    String topic = createTopic("tools", 1);
    fill(topic, 1, 0, 100);
    TopicPartition partition = at(topic, 0);
    int node = admin.describeCluster().controller().get().id();
    var directories = admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node);
    assertTrue(directories.values().stream().anyMatch(directory -> directory.replicaInfos().containsKey(partition)
        && directory.replicaInfos().get(partition).size() > 0));
    assertEquals(1, admin.describeProducers(List.of(partition)).partitionResult(partition).get()
        .activeProducers().size());
    assertTrue(admin.listPartitionReassignments().reassignments().get().isEmpty());
    // The preferred leader leads already; kafka-leader-election knows this answer.
    assertEquals(ElectionNotNeededException.class, admin.electLeaders(ElectionType.PREFERRED, Set.of(partition))
        .partitions().get().get(partition).orElseThrow().getClass());
    assertTrue(admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC),
        new org.apache.kafka.clients.admin.ListConfigResourcesOptions()).all().get().stream()
        .anyMatch(resource -> resource.name().equals(topic)));
  }

  @Test
  void quotasAreStoredAndDescribed() throws Exception {
    String client = unique("client");
    ClientQuotaEntity entity = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, client));
    ClientQuotaFilter filter = ClientQuotaFilter.containsOnly(
        List.of(ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.CLIENT_ID, client)));
    alterQuota(entity, 1000000.0);
    assertEquals(Map.of(entity, Map.of("producer_byte_rate", 1000000.0)),
        admin.describeClientQuotas(filter).entities().get());
    alterQuota(entity, null);
    assertTrue(admin.describeClientQuotas(filter).entities().get().isEmpty());
  }

  private static void alterQuota(ClientQuotaEntity entity, Double rate) throws Exception {
    admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity,
        List.of(new ClientQuotaAlteration.Op("producer_byte_rate", rate))))).all().get();
  }
}
