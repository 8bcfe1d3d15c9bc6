// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { test, unique, eventually, port } = require('support');
const { native, withAdmin, createTopic, produce, consume } = require('./client');

test('topics are created, described, widened and deleted', async () => {
  const topic = unique('admin');
  await withAdmin(async (admin) => {
    const request = { topics: [{ topic, numPartitions: 2, replicationFactor: 1 }] };
    assert.equal(await admin.createTopics(request), true);
    assert.equal(await admin.createTopics(request), false);
    assert.ok((await admin.listTopics()).includes(topic));
    const [described] = await admin.fetchTopicMetadata({ topics: [topic] });
    assert.equal(described.partitions.length, 2);
    assert.equal(described.partitions[0].leaderNode.port, port('KAFKA'));
    await admin.deleteTopics({ topics: [topic] });
    await eventually(async () => !(await admin.listTopics()).includes(topic), 'gone');
    await assert.rejects(admin.fetchTopicMetadata({ topics: [topic] }));
  });
});

test('offsets are listed by end and by time, and records are deleted', async () => {
  const topic = unique('offsets');
  await createTopic(topic);
  const base = Date.now() - 100000;
  await produce(topic, Array.from({ length: 10 }, (_, i) => ({ value: Buffer.from('x'), timestamp: base + i * 1000 })));
  await withAdmin(async (admin) => {
    let [ends] = await admin.fetchTopicOffsets(topic);
    assert.equal(ends.low, '0');
    assert.equal(ends.high, '10');
    assert.equal((await admin.fetchTopicOffsetsByTimestamp(topic, base + 3500))[0].offset, '4');
    const [deleted] = await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    assert.equal(Number(deleted.lowWatermark), 6);
    [ends] = await admin.fetchTopicOffsets(topic);
    assert.equal(ends.low, '6');
  });
});

test('groups are listed, described and deleted, their offsets told', async () => {
  const topic = unique('groups');
  const groupId = unique('g');
  await createTopic(topic);
  await produce(topic, Array(10).fill({ value: Buffer.from('x') }));
  const member = await consume(topic, groupId, { 'auto.commit.interval.ms': 50, 'group.instance.id': 'one' });
  await member.received(10);
  await withAdmin(async (admin) => {
    assert.ok((await admin.listGroups()).groups.some((g) => g.groupId === groupId));
    let [group] = (await admin.describeGroups([groupId])).groups;
    assert.equal(group.members.length, 1);
    assert.equal(group.members[0].clientId, 'confluent');
    assert.equal(group.members[0].groupInstanceId, 'one');
    // Topics without a commit are left out.
    const offset = async () => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0].offset;
    await eventually(async () => (await offset()) === '10', 'the offset is committed');
    await member.stop();
    await eventually(async () => (await admin.describeGroups([groupId])).groups[0].members.length === 0, 'empty');
    const [deleted] = await admin.deleteGroups([groupId]);
    assert.equal(deleted.errorCode ?? 0, 0);
    assert.ok(!(await admin.listGroups()).groups.some((g) => g.groupId === groupId));
  });
});

test('partitions are added over the interface of node-rdkafka', async () => {
  const topic = unique('wider');
  await createTopic(topic, 1);
  const admin = native.AdminClient.create({ 'bootstrap.servers': `127.0.0.1:${port('KAFKA')}` });
  try {
    await new Promise((resolve, reject) =>
      admin.createPartitions(topic, 6, 10000, (error) => (error ? reject(error) : resolve())),
    );
  } finally {
    admin.disconnect();
  }
  await withAdmin(async (a) => assert.equal((await a.fetchTopicMetadata({ topics: [topic] }))[0].partitions.length, 6));
});
