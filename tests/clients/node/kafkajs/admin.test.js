// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { ConfigResourceTypes } = require('kafkajs');
const { test, unique, port, eventually } = require('support');
const { withAdmin, withProducer, createTopic, consume, read } = require('./client');

test('topics are created, listed, described, widened and deleted', async () => {
  const topic = unique('admin');
  await withAdmin(async (admin) => {
    const one = { topics: [{ topic, numPartitions: 2, replicationFactor: 1 }] };
    assert.equal(await admin.createTopics({ ...one, validateOnly: true, waitForLeaders: false }), true);
    assert.ok(!(await admin.listTopics()).includes(topic));
    assert.equal(await admin.createTopics(one), true);
    assert.equal(await admin.createTopics(one), false);
    assert.ok((await admin.listTopics()).includes(topic));
    let { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    assert.equal(topics[0].partitions.length, 2);
    assert.equal(topics[0].partitions[0].partitionErrorCode, 0);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    ({ topics } = await admin.fetchTopicMetadata({ topics: [topic] }));
    assert.equal(topics[0].partitions.length, 5);
    await admin.deleteTopics({ topics: [topic] });
    assert.ok(!(await admin.listTopics()).includes(topic));
  });
});

test('what cannot be created is refused by name', async () => {
  await withAdmin(async (admin) => {
    const refused = async (request, type) =>
      assert.rejects(admin.createTopics({ topics: [request] }), (error) => {
        assert.equal(error.type ?? error.errors?.[0].type, type);
        return true;
      });
    await refused({ topic: 'no good name', numPartitions: 1 }, 'INVALID_TOPIC_EXCEPTION');
    await refused({ topic: unique('t'), numPartitions: 1, replicationFactor: 3 }, 'INVALID_REPLICATION_FACTOR');
    await refused(
      { topic: unique('t'), numPartitions: 1, configEntries: [{ name: 'retention.ms', value: 'soon' }] },
      'INVALID_CONFIG',
    );
    await refused({ topic: unique('t'), numPartitions: 1, configEntries: [{ name: 'no.such', value: '1' }] },
      'INVALID_CONFIG');
  });
});

test('configurations are described and altered', async () => {
  const topic = unique('config');
  await createTopic(topic, 1, { 'retention.ms': '60000' });
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
  const retention = async (admin) => {
    const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false });
    return resources[0].configEntries.find((entry) => entry.configName === 'retention.ms').configValue;
  };
  await withAdmin(async (admin) => {
    assert.equal(await retention(admin), '60000');
    await admin.alterConfigs({
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '120000' }] }],
    });
    assert.equal(await retention(admin), '120000');
  });
});

test('offsets are told for the ends and for a time, and records are deleted', async () => {
  const topic = unique('offsets');
  await createTopic(topic);
  const base = Date.now() - 100000;
  await withProducer({}, async (p) => {
    for (let i = 0; i < 10; ++i)
      await p.send({ topic, messages: [{ value: String(i), timestamp: String(base + i * 1000) }] });
  });
  await withAdmin(async (admin) => {
    let [offsets] = await admin.fetchTopicOffsets(topic);
    assert.deepEqual({ ...offsets }, { partition: 0, offset: '10', high: '10', low: '0' });
    assert.equal((await admin.fetchTopicOffsetsByTimestamp(topic, base + 3500))[0].offset, '4');
    assert.equal((await admin.fetchTopicOffsetsByTimestamp(topic, base + 100000))[0].offset, '10');
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    [offsets] = await admin.fetchTopicOffsets(topic);
    assert.equal(offsets.low, '6');
  });
  assert.equal((await read(topic, 4))[0].offset, '6');
});

test('groups are listed, described, moved and deleted', async () => {
  const topic = unique('groups');
  const groupId = unique('g');
  await createTopic(topic);
  await withProducer({}, (p) => p.send({ topic, messages: Array(10).fill({ value: 'x' }) }));
  await withAdmin(async (admin) => {
    const member = await consume(topic, groupId);
    await member.received(10);
    const { groups } = await admin.listGroups();
    assert.equal(groups.find((g) => g.groupId === groupId).protocolType, 'consumer');
    const described = (await admin.describeGroups([groupId])).groups[0];
    assert.equal(described.state, 'Stable');
    assert.equal(described.members.length, 1);
    assert.equal(described.members[0].clientId, 'kafkajs');
    await assert.rejects(admin.deleteGroups([groupId]));
    await member.stop();
    await eventually(async () => (await admin.describeGroups([groupId])).groups[0].state === 'Empty', 'Empty');

    const committed = async () => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions[0].offset;
    assert.equal(await committed(), '10');
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '3' }] });
    assert.equal(await committed(), '3');
    await admin.resetOffsets({ groupId, topic, earliest: true });
    assert.ok(['0', '-2'].includes(await committed()));
    assert.equal((await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true }))[0].partitions[0].offset,
      '0');
    assert.equal((await admin.deleteGroups([groupId]))[0].errorCode ?? 0, 0);
    assert.ok(!(await admin.listGroups()).groups.some((g) => g.groupId === groupId));
  });
});

test('the cluster tells its brokers and its controller', async () => {
  await withAdmin(async (admin) => {
    const cluster = await admin.describeCluster();
    assert.equal(cluster.brokers.length, 1);
    assert.equal(cluster.brokers[0].port, port('KAFKA'));
    assert.equal(cluster.controller, cluster.brokers[0].nodeId);
    assert.ok(cluster.clusterId.length > 0);
  });
});
