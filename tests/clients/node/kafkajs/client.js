// Braid, Apache-2.0.
//
// kafkajs as the tests use it.
'use strict';
const { Kafka, CompressionTypes, CompressionCodecs, logLevel, Partitioners } = require('kafkajs');
const snappy = require('kafkajs-snappy');
const { bootstrap, eventually, opened } = require('support');

CompressionCodecs[CompressionTypes.Snappy] = snappy;

const kafka = new Kafka({ clientId: 'kafkajs', brokers: [bootstrap], logLevel: logLevel.NOTHING });

/** Runs `body` with a connected producer, and disconnects it. */
async function withProducer(options, body) {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...options });
  await producer.connect();
  try {
    return await body(producer);
  } finally {
    await producer.disconnect();
  }
}

async function withAdmin(body) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await body(admin);
  } finally {
    await admin.disconnect();
  }
}

const createTopic = (topic, numPartitions = 1, configs = {}) =>
  withAdmin((admin) =>
    admin.createTopics({
      topics: [
        {
          topic,
          numPartitions,
          replicationFactor: 1,
          configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  );

/** A running consumer that keeps what it got in `messages`; stop() ends it. */
async function consume(topic, groupId, options = {}, run = {}) {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10000, heartbeatInterval: 500, maxWaitTimeInMs: 200, ...options });
  const messages = [];
  const joined = [];
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => joined.push(payload));
  const stop = opened(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => void messages.push({ partition, ...message }),
    ...run,
  });
  return {
    consumer,
    messages,
    joined,
    assignment: () => (joined.length ? (joined[joined.length - 1].memberAssignment[topic] ?? []) : null),
    received: (count) => eventually(() => messages.length >= count, `${count} messages, there are ${messages.length}`),
    stop,
  };
}

/** The first `count` messages of a topic, read in a group of their own. */
async function read(topic, count, options = {}) {
  const reader = await consume(topic, `read-${topic}-${Math.random()}`, options);
  try {
    await reader.received(count);
    return reader.messages;
  } finally {
    await reader.stop();
  }
}

module.exports = { kafka, CompressionTypes, withProducer, withAdmin, createTopic, consume, read };
