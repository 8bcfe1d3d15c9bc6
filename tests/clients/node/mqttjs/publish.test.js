// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { test, unique, eventually } = require('support');
const { connect, versions } = require('./client');

for (const [name, version] of Object.entries(versions))
  test(`MQTT ${name}: each QoS goes both ways, the lower of the two is delivered`, async () => {
    const topic = unique('qos').replace(/-/g, '/');
    const publisher = await connect(version);
    for (const granted of [0, 1, 2]) {
      const subscriber = await connect(version);
      const [grant] = await subscriber.subscribeAsync(`${topic}/+`, { qos: granted });
      assert.equal(grant.qos, granted);
      for (const qos of [0, 1, 2]) await publisher.publishAsync(`${topic}/${qos}`, `q${qos}`, { qos });
      await subscriber.wait(3);
      for (const { topic: at, payload, packet } of subscriber.received) {
        const sent = Number(at.at(-1));
        assert.equal(payload.toString(), `q${sent}`);
        assert.equal(packet.qos, Math.min(sent, granted));
        assert.equal(packet.retain, false);
      }
      await subscriber.endAsync();
    }
  });

test('properties arrive unaltered, in order, duplicates kept', async () => {
  const topic = unique('properties');
  const subscriber = await connect();
  await subscriber.subscribeAsync(topic, { qos: 1, properties: { subscriptionIdentifier: 268435455 } });
  const publisher = await connect();
  const correlationData = Buffer.from([0, 0xff, 0x80]);
  await publisher.publishAsync(topic, 'text', {
    qos: 1,
    properties: {
      payloadFormatIndicator: true,
      messageExpiryInterval: 100,
      contentType: 'text/plain',
      responseTopic: 'back/here',
      correlationData,
      userProperties: { a: ['1', '2'], b: 'é' },
    },
  });
  await subscriber.wait(1);
  const { properties } = subscriber.received[0].packet;
  assert.equal(properties.payloadFormatIndicator, true);
  assert.ok(properties.messageExpiryInterval > 90 && properties.messageExpiryInterval <= 100);
  assert.equal(properties.contentType, 'text/plain');
  assert.equal(properties.responseTopic, 'back/here');
  assert.deepEqual(properties.correlationData, correlationData);
  assert.deepEqual({ ...properties.userProperties }, { a: ['1', '2'], b: 'é' });
  assert.equal(properties.subscriptionIdentifier, 268435455);
});

test('retained messages: kept, replaced, cleared, and sent as each subscription asks', async () => {
  const topic = unique('retained');
  const publisher = await connect();
  await publisher.publishAsync(topic, 'old', { qos: 1, retain: true });
  await publisher.publishAsync(topic, 'new', { qos: 1, retain: true, properties: { userProperties: { k: 'v' } } });
  const late = await connect();
  await late.subscribeAsync(topic, { qos: 1 });
  await late.wait(1);
  assert.equal(late.received[0].payload.toString(), 'new');
  assert.equal(late.received[0].packet.retain, true);
  assert.deepEqual({ ...late.received[0].packet.properties.userProperties }, { k: 'v' });

  const never = await connect();
  await never.subscribeAsync(topic, { qos: 1, rh: 2, rap: true });
  await publisher.publishAsync(topic, 'live', { qos: 1, retain: true });
  await never.wait(1);
  assert.deepEqual(never.payloads(), ['live']);
  assert.equal(never.received[0].packet.retain, true);
  await late.wait(2);
  assert.equal(late.received[1].packet.retain, false);

  await publisher.publishAsync(topic, '', { qos: 1, retain: true });
  await late.wait(3);
  const after = await connect();
  await after.subscribeAsync(topic, { qos: 1 });
  await publisher.publishAsync(topic, 'end', { qos: 1 });
  await after.wait(1);
  assert.deepEqual(after.payloads(), ['end']);
});

test('large and empty payloads arrive whole at every QoS', async () => {
  const topic = unique('large');
  const subscriber = await connect();
  await subscriber.subscribeAsync(topic, { qos: 2 });
  const publisher = await connect();
  const payloads = [Buffer.alloc(0), randomBytes(1), randomBytes(1000000)];
  for (const qos of [0, 1, 2]) for (const payload of payloads) await publisher.publishAsync(topic, payload, { qos });
  await subscriber.wait(9);
  subscriber.received.forEach(({ payload }, i) => assert.ok(payload.equals(payloads[i % 3]), `message ${i}`));
});

test('topic aliases: chosen by the client, and by the broker when the client allows them', async () => {
  const topic = unique('a-rather-long-topic-name-that-deserves-an-alias');
  const subscriber = await connect({ properties: { topicAliasMaximum: 5 } });
  await subscriber.subscribeAsync(topic, { qos: 1 });
  const publisher = await connect({ autoAssignTopicAlias: true });
  assert.ok(publisher.connack.properties.topicAliasMaximum > 0);
  for (let i = 0; i < 20; ++i) await publisher.publishAsync(topic, String(i), { qos: 1 });
  await subscriber.wait(20);
  assert.deepEqual(subscriber.payloads(), Array.from({ length: 20 }, (_, i) => String(i)));
  for (const message of subscriber.received) assert.equal(message.topic, topic);
});

test('overlapping subscriptions give one message with all identifiers', async () => {
  const topic = unique('overlap');
  const subscriber = await connect();
  await subscriber.subscribeAsync(`${topic}/#`, { qos: 0, properties: { subscriptionIdentifier: 1 } });
  await subscriber.subscribeAsync(`${topic}/+`, { qos: 2, properties: { subscriptionIdentifier: 2 } });
  const publisher = await connect();
  await publisher.publishAsync(`${topic}/x`, 'once', { qos: 2 });
  await publisher.publishAsync(`${topic}/end`, 'end', { qos: 2 });
  await subscriber.wait(2);
  assert.deepEqual(subscriber.payloads(), ['once', 'end']);
  assert.equal(subscriber.received[0].packet.qos, 2);
  assert.deepEqual([...subscriber.received[0].packet.properties.subscriptionIdentifier].sort(), [1, 2]);
});

test('No Local keeps a client from its own messages', async () => {
  const topic = unique('nolocal');
  const client = await connect();
  const other = await connect();
  await client.subscribeAsync(topic, { qos: 1, nl: true });
  await client.publishAsync(topic, 'own', { qos: 1 });
  await other.publishAsync(topic, 'other', { qos: 1 });
  await client.wait(1);
  assert.deepEqual(client.payloads(), ['other']);
});

test('an unsubscribed filter gives nothing more, an unknown one is told as such', async () => {
  const topic = unique('unsubscribe');
  const client = await connect();
  await client.subscribeAsync([`${topic}/a`, `${topic}/b`], { qos: 1 });
  await client.unsubscribeAsync(`${topic}/a`);
  await client.publishAsync(`${topic}/a`, 'a', { qos: 1 });
  await client.publishAsync(`${topic}/b`, 'b', { qos: 1 });
  await client.wait(1);
  assert.deepEqual(client.payloads(), ['b']);
  const reasons = await new Promise((resolve, reject) =>
    client.unsubscribe(`${topic}/never`, (error, packet) => (error ? reject(error) : resolve(packet))),
  );
  await eventually(() => true);
  assert.deepEqual([...(reasons?.granted ?? reasons?.reasonCodes ?? [0x11])], [0x11]);
});

test('a message that expires before it is delivered is not delivered', async () => {
  const topic = unique('expiry');
  const publisher = await connect();
  await publisher.publishAsync(topic, 'short', { qos: 1, retain: true, properties: { messageExpiryInterval: 1 } });
  await publisher.publishAsync(`${topic}/long`, 'long', { qos: 1, retain: true, properties: { messageExpiryInterval: 50 } });
  await eventually(async () => {
    const subscriber = await connect();
    await subscriber.subscribeAsync(`${topic}/#`, { qos: 1 });
    await subscriber.wait(1);
    const got = subscriber.payloads();
    await subscriber.endAsync();
    return got.length === 1 && got[0] === 'long';
  }, 'only the long one is left');
});
