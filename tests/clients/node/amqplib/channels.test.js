// Braid, Apache-2.0.
'use strict';
const assert = require('node:assert/strict');
const { test, unique, eventually, order } = require('support');
const { amqp, url, connect, channel, confirming, publish, consumer, drain, refused } = require('./client');

test('a connection tells its limits and what the broker is', async () => {
  const connection = await connect({ heartbeat: 5 });
  const told = connection.connection.serverProperties;
  assert.ok(told.product && told.version);
  for (const capability of ['publisher_confirms', 'basic.nack', 'consumer_cancel_notify', 'exchange_exchange_bindings'])
    assert.equal(told.capabilities[capability], true, capability);
});

test('a wrong password and a virtual host that is not there are refused', async () => {
  await assert.rejects(amqp.connect(url.replace('guest@', 'wrong@')), /403|ACCESS_REFUSED|ACCESS-REFUSED/i);
  // amqplib does not tell the code.
  await assert.rejects(amqp.connect(`${url}nowhere`), /ConnectionClose/);
});

test('a secret can be replaced while the connection lives', async () => {
  const connection = await connect();
  await connection.updateSecret(Buffer.from('guest'), 'it was time');
  assert.ok(await channel(connection));
});

test('heartbeats keep an idle connection', async () => {
  const connection = await connect({ heartbeat: 1 });
  await new Promise((resolve) => setTimeout(resolve, 3500));
  assert.equal(connection.closed, undefined);
  await channel(connection);
});

test('queues are declared, found, purged and deleted', async () => {
  const on = await confirming();
  const queue = unique('q');
  assert.deepEqual({ ...(await on.assertQueue(queue)) }, { queue, messageCount: 0, consumerCount: 0 });
  await publish(on, '', queue, 'x');
  assert.deepEqual({ ...(await on.checkQueue(queue)) }, { queue, messageCount: 1, consumerCount: 0 });
  assert.equal((await on.purgeQueue(queue)).messageCount, 1);
  await publish(on, '', queue, 'x');
  assert.equal((await on.deleteQueue(queue)).messageCount, 1);
  assert.match((await on.assertQueue('', { exclusive: true })).queue, /^amq\.gen-/);
});

test('mistakes close their channel with the code and the words of the standard', async () => {
  const connection = await connect();
  const queue = unique('q');
  await (await channel(connection)).assertQueue(queue, { exclusive: true, durable: false, maxPriority: 3 });
  const cases = [
    [404, /NOT.FOUND.*no queue/, (on) => on.checkQueue(unique('missing'))],
    [404, /NOT.FOUND.*no exchange/, (on) => on.checkExchange(unique('missing'))],
    [404, /no exchange/, (on) => on.publish(unique('missing'), 'a', Buffer.from('x'))],
    [406, /inequivalent arg 'x-max-priority'/, (on) => on.assertQueue(queue, { exclusive: true, durable: false })],
    [403, /reserved prefix/, (on) => on.assertQueue('amq.mine')],
    [406, /unknown delivery tag 5/, (on) => on.ack({ fields: { deliveryTag: 5 } })],
  ];
  for (const [code, text, call] of cases) {
    const error = await refused(await channel(connection), call);
    assert.equal(error.code, code);
    assert.match(error.message, text);
  }
  assert.equal(connection.closed, undefined);
});

test('an exclusive queue is locked to its connection', async () => {
  const { queue } = await (await channel()).assertQueue('', { exclusive: true });
  const error = await refused(await channel(), (on) => on.checkQueue(queue));
  assert.equal(error.code, 405);
  assert.match(error.message, /RESOURCE.LOCKED/);
});

for (const [kind, key, wrong] of [['direct', 'a', 'b'], ['topic', 'a.*.#', 'b.a'], ['fanout', '', undefined]])
  test(`a ${kind} exchange routes by its bindings`, async () => {
    const on = await confirming();
    const exchange = unique(kind);
    await on.assertExchange(exchange, kind, { autoDelete: true, durable: false });
    const { queue } = await on.assertQueue('', { exclusive: true });
    await on.bindQueue(queue, exchange, key);
    await publish(on, exchange, kind === 'topic' ? 'a.b.c' : 'a', 'right');
    if (wrong) await publish(on, exchange, wrong, 'wrong');
    assert.deepEqual(await drain(on, queue), ['right']);
    await on.unbindQueue(queue, exchange, key);
  });

test('exchanges are bound to exchanges and have alternates', async () => {
  const on = await confirming();
  const [source, target, alternate] = [unique('s'), unique('t'), unique('a')];
  await on.assertExchange(alternate, 'fanout', { durable: false });
  await on.assertExchange(source, 'topic', { durable: false, alternateExchange: alternate });
  await on.assertExchange(target, 'fanout', { durable: false });
  await on.bindExchange(target, source, 'a.#');
  const [routed, other] = [await on.assertQueue('', { exclusive: true }), await on.assertQueue('', { exclusive: true })];
  await on.bindQueue(routed.queue, target, '');
  await on.bindQueue(other.queue, alternate, '');
  await publish(on, source, 'a.b', 'a');
  await publish(on, source, 'b', 'b');
  assert.deepEqual([await drain(on, routed.queue), await drain(on, other.queue)], [['a'], ['b']]);
  await on.unbindExchange(target, source, 'a.#');
  await publish(on, source, 'a.b', 'c');
  assert.deepEqual([await drain(on, routed.queue), await drain(on, other.queue)], [[], ['c']]);
  for (const name of [source, target, alternate]) await on.deleteExchange(name);
});

test('an orderly end of the broker is told with 320', async () => {
  const connection = await connect();
  await order('restart');
  await eventually(() => connection.closed, 'the end of the connection');
  assert.equal(connection.closed.code, 320);
  assert.match(connection.closed.message, /CONNECTION.FORCED/);
});

test('a client that reconnects by itself goes on after the broker was killed and started again', async () => {
  const connection = await connect({ recovery: { initialDelay: 50, maxDelay: 200 } });
  const queue = unique('q');
  const before = await connection.createConfirmChannel();
  before.on('error', () => {});
  await before.assertQueue(queue);
  await publish(before, '', queue, 'kept', { persistent: true });
  await order('crash');
  const after = await eventually(async () => connection.createConfirmChannel().catch(() => undefined), 'a new channel');
  await publish(after, '', queue, 'new', { persistent: true });
  assert.deepEqual(await drain(after, queue), ['kept', 'new']);
  await after.deleteQueue(queue);
});

test('durable queues and persistent messages outlive kill -9', async () => {
  const on = await confirming();
  const queue = unique('q');
  await on.assertQueue(queue, { durable: true });
  for (let i = 0; i < 200; ++i) on.sendToQueue(queue, Buffer.from(String(i)), { persistent: true });
  await on.waitForConfirms();
  await order('crash');
  const after = await channel();
  const got = await consumer(after, queue);
  await got.wait(200);
  assert.deepEqual(got.bodies(), Array.from({ length: 200 }, (_, i) => String(i)));
  await after.deleteQueue(queue);
});
