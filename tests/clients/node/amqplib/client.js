// Braid, Apache-2.0.
//
// amqplib as the tests use it: connections that are closed when the test ends, and what a channel was sent or told.
'use strict';
const amqp = require('amqplib');
const { opened, host, port, eventually } = require('support');

const url = `amqp://guest:guest@${host}:${port('AMQP')}/`;

async function connect(options = {}) {
  const connection = await amqp.connect(url, options);
  connection.on('error', (error) => (connection.failure = error));
  connection.on('close', (reason) => (connection.closed = reason ?? true));
  opened(() => connection.close().catch(() => {}));
  return connection;
}

function remember(channel) {
  channel.on('error', (error) => (channel.failure = error));
  channel.on('close', () => (channel.closed = true));
  channel.returned = [];
  channel.on('return', (message) => channel.returned.push(message));
  return channel;
}

const channel = async (connection) => remember(await (connection ?? (await connect())).createChannel());
const confirming = async (connection) => remember(await (connection ?? (await connect())).createConfirmChannel());

/** Publishes and waits for the confirm; rejects when the broker says nack. */
const publish = (on, exchange, key, content, options = {}) =>
  new Promise((resolve, reject) =>
    on.publish(exchange, key, Buffer.from(content), options, (error) => (error ? reject(error) : resolve())),
  );

/** A consumer that keeps what it was sent; `null` is its cancellation by the broker. */
async function consumer(on, queue, options = {}) {
  const messages = [];
  const { consumerTag } = await on.consume(queue, (message) => messages.push(message), options);
  return {
    messages,
    tag: consumerTag,
    bodies: () => messages.map((message) => message.content.toString()),
    wait: (count) => eventually(() => messages.length >= count, `${count} messages`),
  };
}

/** What is in the queue, taken out of it. */
async function drain(on, queue) {
  const bodies = [];
  for (let message; (message = await on.get(queue, { noAck: true })); ) bodies.push(message.content.toString());
  return bodies;
}

/** What the broker closes the channel with; the connection stays. */
async function refused(on, call) {
  Promise.resolve(call(on)).catch(() => {});
  await eventually(() => on.failure, 'the channel is closed');
  return on.failure;
}

module.exports = { amqp, url, connect, channel, confirming, publish, consumer, drain, refused };
