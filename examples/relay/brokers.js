// The brokers that relay.js can publish to. Each has
//   open()            a connection, or an error
//   publish(message)  resolves when the broker has stored the message; Refused: not this one;
//                     any other error: the connection is no good any more
//   closed            a promise that resolves, with the reason, when the connection is lost
//   close()           never fails
// publish() sends at once, so that messages arrive in the order of the calls.
'use strict';

const amqp = require('amqplib');
const nats = require('nats');

class Refused extends Error {}

class RabbitMQ {
  constructor(url, timeout) {
    if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', '10');
    this.url = url.href;
    this.timeout = timeout;
    this.exchange = process.env.RELAY_EXCHANGE ?? 'amq.topic';
  }

  async open() {
    this.connection = await amqp.connect(this.url, { timeout: this.timeout, clientProperties: { connection_name: 'order_ext relay' } });
    this.closed = new Promise((resolve) => {
      let reason;
      const lost = (error) => { reason ??= error; };
      this.connection.on('error', lost);
      this.connection.on('close', (error) => resolve(reason ?? error ?? new Error('connection closed')));
      this.lose = resolve;
    });
    this.channel = await this.connection.createConfirmChannel();
    this.channel.on('error', (error) => this.lose(error)); // say, there is no such exchange
    // What no queue wants comes back before its confirm.
    this.unroutable = new Set();
    this.channel.on('return', ({ properties }) => this.unroutable.add(properties.messageId));
  }

  async publish(message) {
    await new Promise((resolve, reject) => {
      this.channel.publish(this.exchange, message.topic, Buffer.from(message.payload), {
        mandatory: true,
        persistent: true,
        messageId: message.message_id,
        contentType: 'application/json',
        timestamp: Math.floor(message.published_at / 1000),
        headers: { key: message.key },
      }, (error) => {
        if (!error) resolve();
        // without the connection's end, an error is the broker's answer
        else reject(/closed/i.test(error.message) ? error : new Refused(error.message));
      });
    });
    if (this.unroutable.delete(message.message_id)) throw new Refused(`no queue is bound to ${message.topic}`);
  }

  async close() {
    await this.connection?.close().catch(() => {});
  }
}

class JetStream {
  constructor(url, timeout) {
    this.timeout = timeout;
    this.prefix = process.env.RELAY_SUBJECT_PREFIX ?? 'order_ext.';
    this.options = {
      servers: url.host,
      name: 'order_ext relay',
      timeout,
      reconnect: false,
      pingInterval: timeout,
      maxPingOut: 2,
    };
    if (url.username) this.options.user = decodeURIComponent(url.username);
    if (url.password) this.options.pass = decodeURIComponent(url.password);
    if (url.protocol === 'tls:') this.options.tls = {};
  }

  async open() {
    this.connection = await nats.connect(this.options);
    this.closed = this.connection.closed().then((error) => error || new Error('connection closed'));
    this.stream = this.connection.jetstream();
  }

  async publish(message) {
    const headers = nats.headers();
    headers.set('Key', message.key);
    headers.set('Published-At', message.published_at.toISOString());
    try {
      await this.stream.publish(this.prefix + message.topic, message.payload,
        { msgID: message.message_id, headers, timeout: this.timeout });
    } catch (error) {
      // 503: no stream has the subject, or not yet, after a restart
      if (error.code === '503') throw new Error(`no stream has ${this.prefix}${message.topic}`);
      if (error.api_error || error.code === nats.ErrorCode.MaxPayloadExceeded || error.code === nats.ErrorCode.BadSubject) {
        throw new Refused(error.message);
      }
      throw error;
    }
  }

  async close() {
    await this.connection?.close().catch(() => {});
  }
}

const KINDS = { 'amqp:': RabbitMQ, 'amqps:': RabbitMQ, 'nats:': JetStream, 'tls:': JetStream };

// The broker of a URL; undefined if there is none for its scheme.
function brokerOf(url, timeout) {
  const parsed = URL.canParse(url) ? new URL(url) : {};
  return KINDS[parsed.protocol] && new KINDS[parsed.protocol](parsed, timeout);
}

module.exports = { Refused, brokerOf };
