// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { test, unique, eventually } = require('support');
const { connect, channel, confirming, publish, consumer, drain, refused } = require('./client');

async function own(on, options = {}) {
  return (await on.assertQueue('', { exclusive: true, ...options })).queue;
}

test('properties and headers of all types arrive as they were sent', async () => {
  const on = await confirming();
  const queue = await own(on);
  const headers = {
    text: 'é',
    int: -5,
    long: 2 ** 40,
    double: 1.5,
    yes: true,
    nothing: null,
    bytes: Buffer.from([0, 255]),
    time: { '!': 'timestamp', value: 1700000000 },
    decimal: { '!': 'decimal', value: { digits: 314, places: 2 } },
    float: { '!': 'float', value: 0.5 },
    list: [1, 'two', [false]],
    table: { deep: { deeper: 1 } },
  };
  const properties = {
    contentType: 'text/plain',
    contentEncoding: 'gzip',
    deliveryMode: 2,
    priority: 3,
    correlationId: 'c',
    replyTo: 'r',
    expiration: '60000',
    messageId: 'm',
    timestamp: 1700000000,
    type: 't',
    userId: 'guest',
    appId: 'a',
  };
  await publish(on, '', queue, 'x', { ...properties, headers });
  const message = await on.get(queue, { noAck: true });
  for (const [name, value] of Object.entries(properties)) assert.equal(message.properties[name], value, name);
  const float = { ...headers, float: 0.5 };
  assert.deepEqual({ ...message.properties.headers }, float);
});

test('bodies of every size arrive whole and in order', async () => {
  const on = await confirming();
  const queue = await own(on);
  const bodies = [0, 1, 4088, 131064, 131065, 3000000].map((size) => randomBytes(size));
  const got = await consumer(on, queue, { noAck: true });
  for (const body of bodies) on.sendToQueue(queue, body);
  await got.wait(bodies.length);
  got.messages.forEach((message, i) => assert.ok(message.content.equals(bodies[i]), `message ${i}`));
});

test('confirms come for all of many messages', async () => {
  const on = await confirming();
  const queue = await own(on);
  let confirmed = 0;
  for (let i = 0; i < 3000; ++i) on.sendToQueue(queue, Buffer.from(String(i)), {}, (error) => (confirmed += error ? 0 : 1));
  await on.waitForConfirms();
  assert.equal(confirmed, 3000);
  const got = await consumer(on, queue, { noAck: true });
  await got.wait(3000);
  assert.deepEqual(got.bodies(), Array.from({ length: 3000 }, (_, i) => String(i)));
});

test('what finds no queue comes back when it is mandatory', async () => {
  const on = await confirming();
  await publish(on, '', unique('nowhere'), 'lost');
  await publish(on, '', unique('nowhere'), 'back', { mandatory: true, headers: { a: 1 } });
  assert.equal(on.returned.length, 1);
  const [{ fields, content, properties }] = on.returned;
  assert.deepEqual([fields.replyCode, fields.replyText, content.toString()], [312, 'NO_ROUTE', 'back']);
  assert.deepEqual({ ...properties.headers }, { a: 1 });
});

test('prefetch is the credit of each consumer', async () => {
  const on = await confirming();
  const queue = await own(on);
  await on.prefetch(2);
  const got = await consumer(on, queue);
  for (let i = 0; i < 6; ++i) await publish(on, '', queue, String(i));
  await eventually(async () => (await on.checkQueue(queue)).messageCount === 4, 'four are ready');
  await got.wait(2);
  assert.deepEqual(got.bodies(), ['0', '1']);
  on.ack(got.messages[1], true);
  await got.wait(4);
  on.nackAll(false);
  await got.wait(6);
  on.ackAll();
  assert.equal((await on.checkQueue(queue)).messageCount, 0);
});

test('what comes back is marked, and in its place', async () => {
  const on = await confirming();
  const queue = await own(on);
  for (let i = 0; i < 4; ++i) await publish(on, '', queue, String(i));
  const held = [await on.get(queue), await on.get(queue), await on.get(queue)];
  assert.equal(held[2].fields.messageCount, 1);
  on.ack(held[1]);
  on.reject(held[0], true);
  on.nack(held[2], false, true);
  await eventually(async () => (await on.checkQueue(queue)).messageCount === 3, 'three are ready');
  const again = [await on.get(queue, { noAck: true }), await on.get(queue, { noAck: true }), await on.get(queue, { noAck: true })];
  assert.deepEqual(again.map((message) => message.content.toString()), ['0', '2', '3']);
  assert.deepEqual(again.map((message) => message.fields.redelivered), [true, true, false]);
  assert.equal(await on.get(queue), false);
});

test('recovering gives a consumer its messages again', async () => {
  const on = await confirming();
  const queue = await own(on);
  const got = await consumer(on, queue);
  await publish(on, '', queue, 'x');
  await got.wait(1);
  await on.recover();
  await got.wait(2);
  assert.equal(got.messages[1].fields.redelivered, true);
  on.ack(got.messages[1]);
});

test('a consumer is told when its queue is deleted, and can be cancelled', async () => {
  const on = await confirming();
  const queue = unique('q');
  await on.assertQueue(queue);
  const [deleted, cancelled] = [await consumer(on, queue), await consumer(on, queue, { consumerTag: 'mine' })];
  assert.equal(cancelled.tag, 'mine');
  await on.cancel('mine');
  await (await channel()).deleteQueue(queue);
  await eventually(() => deleted.messages.includes(null), 'cancelled by the broker');
  assert.deepEqual(cancelled.messages, []);
});

test('an exclusive consumer is the only one', async () => {
  const on = await channel();
  const queue = unique('q');
  await on.assertQueue(queue);
  await consumer(on, queue, { exclusive: true });
  const error = await refused(await channel(), (other) => other.consume(queue, () => {}));
  assert.equal(error.code, 403);
  assert.match(error.message, /exclusive/);
  await on.deleteQueue(queue);
});

test('dead letters tell their history', async () => {
  const on = await confirming();
  const dead = await own(on);
  const queue = await own(on, { deadLetterExchange: '', deadLetterRoutingKey: dead, messageTtl: 100, maxLength: 1 });
  await publish(on, '', queue, 'first');
  await publish(on, '', queue, 'second');
  const messages = [];
  await on.consume(dead, (message) => messages.push(message), { noAck: true });
  await eventually(() => messages.length === 2, 'both have died');
  assert.deepEqual(
    messages.map(({ content, properties }) => [content.toString(), properties.headers['x-death'][0].reason]),
    [['first', 'maxlen'], ['second', 'expired']],
  );
  const { count, exchange, 'routing-keys': keys, queue: from } = messages[1].properties.headers['x-death'][0];
  assert.deepEqual([count, exchange, keys, from], [1, '', [queue], queue]);
});

test('a full queue may refuse', async () => {
  const on = await confirming();
  const queue = await own(on, { maxLength: 1, arguments: { 'x-overflow': 'reject-publish' } });
  await publish(on, '', queue, 'kept');
  await assert.rejects(publish(on, '', queue, 'refused'));
  assert.deepEqual(await drain(on, queue), ['kept']);
});

test('priorities come first; each in its order', async () => {
  const on = await confirming();
  const queue = await own(on, { maxPriority: 9 });
  for (const priority of [1, 9, 5, 9]) await publish(on, '', queue, String(priority), { priority });
  assert.deepEqual(await drain(on, queue), ['9', '9', '5', '1']);
});

test('per-message expiration and CC and BCC', async () => {
  const on = await confirming();
  const [queue, copy, secret] = [await own(on), await own(on), await own(on)];
  await publish(on, '', queue, 'x', { expiration: '100', CC: copy, BCC: [secret] });
  for (const name of [copy, secret, queue]) {
    await eventually(async () => (await on.checkQueue(name)).messageCount === 0, 'expired');
    assert.equal(await on.get(name), false);
  }
  await publish(on, '', queue, 'y', { CC: [copy], BCC: secret });
  for (const name of [queue, copy, secret]) {
    const { properties, content } = await on.get(name, { noAck: true });
    assert.equal(content.toString(), 'y');
    assert.deepEqual({ ...properties.headers }, { CC: [copy] });
  }
});

test('questions are answered without a queue', async () => {
  const asking = await channel();
  const serving = await confirming();
  const queue = await own(serving);
  const replies = await consumer(asking, 'amq.rabbitmq.reply-to', { noAck: true });
  await serving.consume(queue, ({ properties }) => {
    serving.sendToQueue(properties.replyTo, Buffer.from('answer'), { correlationId: properties.correlationId });
  }, { noAck: true });
  asking.sendToQueue(queue, Buffer.from('question'), { replyTo: 'amq.rabbitmq.reply-to', correlationId: '7' });
  await replies.wait(1);
  assert.deepEqual([replies.messages[0].content.toString(), replies.messages[0].properties.correlationId], ['answer', '7']);
});

test('consumers on many channels share the work', async () => {
  const connection = await connect();
  const on = await confirming(connection);
  const queue = await own(on);
  const seen = new Set();
  const shares = [];
  for (let i = 0; i < 8; ++i) {
    const consuming = await channel(connection);
    await consuming.prefetch(5);
    shares[i] = 0;
    await consuming.consume(queue, (message) => {
      seen.add(message.content.toString());
      ++shares[i];
      consuming.ack(message);
    });
  }
  for (let i = 0; i < 2000; ++i) on.sendToQueue(queue, Buffer.from(String(i)));
  await on.waitForConfirms();
  await eventually(() => seen.size === 2000, 'all are seen');
  assert.ok(shares.every((share) => share > 0), String(shares));
  assert.equal(shares.reduce((a, b) => a + b), 2000);
});
