// Braid, Apache-2.0.
//
// @confluentinc/kafka-javascript as the tests use it: a current librdkafka behind two interfaces, that of node-rdkafka
// (`native`) and that of kafkajs (`KafkaJS`). Both are tested, each for what it is made for.
'use strict';
const native = require('@confluentinc/kafka-javascript');
const { bootstrap, eventually, opened } = require('support');

const { Kafka, logLevel } = native.KafkaJS;
const kafka = new Kafka({ kafkaJS: { clientId: 'confluent', brokers: [bootstrap], logLevel: logLevel.NOTHING } });

async function withAdmin(body) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await body(admin);
  } finally {
    await admin.disconnect();
  }
}

const createTopic = (topic, numPartitions = 1) =>
  withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }] }));

/**
 * Produces over the interface of node-rdkafka and returns the delivery reports, in order. `meanwhile` runs when the first
 * half is on its way.
 */
async function produce(topic, messages, options = {}, meanwhile = null) {
  const producer = new native.Producer({
    'bootstrap.servers': bootstrap,
    'linger.ms': 5,
    dr_cb: true,
    ...options,
  });
  const reports = [];
  await new Promise((resolve, reject) => producer.connect({}, (error) => (error ? reject(error) : resolve())));
  producer.on('delivery-report', (error, report) => reports.push({ error, ...report }));
  producer.on('event.error', () => {});
  producer.setPollInterval(10);
  try {
    const send = ({ partition = -1, value, key = null, timestamp, headers }) =>
      producer.produce(topic, partition, value, key, timestamp, null, headers);
    const half = meanwhile ? messages.length / 2 : 0;
    messages.slice(0, half).forEach(send);
    if (meanwhile) await eventually(() => reports.length > 0, 'the first delivery report');
    messages.slice(half).forEach(send);
    await meanwhile?.();
    await eventually(() => reports.length === messages.length, 'all delivery reports', 30000);
  } finally {
    await new Promise((resolve) => producer.disconnect(5000, resolve));
  }
  return reports;
}

/** A running consumer over the interface of kafkajs; `config` are librdkafka's own settings. */
async function consume(topic, groupId, config = {}, run = {}) {
  const consumer = kafka.consumer({
    kafkaJS: { groupId, fromBeginning: true, sessionTimeout: 10000, heartbeatInterval: 500 },
    ...config,
  });
  const messages = [];
  const stop = opened(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({
    eachMessage: async ({ partition, message }) => void messages.push({ partition, ...message }),
    ...run,
  });
  return {
    consumer,
    messages,
    assignment: () => consumer.assignment().map((a) => a.partition).sort((a, b) => a - b),
    received: (count) => eventually(() => messages.length >= count, `${count} messages, there are ${messages.length}`),
    stop,
  };
}

async function read(topic, count) {
  const reader = await consume(topic, `read-${topic}-${Math.random()}`);
  try {
    await reader.received(count);
    return reader.messages;
  } finally {
    await reader.stop();
  }
}

module.exports = { native, kafka, withAdmin, createTopic, produce, consume, read };
