// The command interpreter on the JavaScript SDK of Apache Flink Stateful Functions; ../README.md says what the commands do.
"use strict";

const http = require("http");
const { setTimeout: sleep } = require("timers/promises");
const {
  StateFun,
  egressMessageBuilder,
  kafkaEgressMessage,
  kinesisEgressMessage,
  messageBuilder,
} = require("apache-flink-statefun");

const MODULUS = 2 ** 30;
const MESSAGE = StateFun.jsonType("conformance/Message");
// This SDK has neither long nor double.
const STATES = {
  bool: { type: StateFun.booleanType(), read: Number, write: (value) => value === 1 },
  int: { type: StateFun.intType(), read: Number, write: Number },
  float: { type: StateFun.floatType(), read: Number, write: Number },
  string: { type: StateFun.stringType(), read: Number, write: String },
  json: {
    type: StateFun.jsonType("conformance/Count"),
    read: (value) => value.count,
    write: (value) => ({ count: value }),
  },
};
const SPECS = [
  { name: "journal", type: StateFun.jsonType("conformance/Journal") },
  { name: "scratch", type: StateFun.stringType() },
  ...Object.entries(STATES).map(([name, state]) => ({ name, type: state.type })),
];
const failed = new Set();

/** Carries out the commands of one message. */
class Instance {
  constructor(context, order) {
    this.context = context;
    this.storage = context.storage;
    this.name = `${context.self.typename}/${context.self.id}`;
    this.order = order;
    this.records = 0;
    this.journal = context.storage.journal ?? {
      messages: 0,
      digest: 0,
      sent: {},
      seen: {},
      totals: {},
      roots: [],
      violations: [],
    };
  }

  async run() {
    this.noteArrival();
    for (const command of this.order.commands) {
      await this[command.kind](command);
    }
    this.storage.journal = this.journal;
  }

  noteArrival() {
    const { id, root, sender, number } = this.order;
    this.journal.messages += 1;
    this.journal.digest = (this.journal.digest + id) % MODULUS;
    if (root !== undefined) {
      this.journal.roots.push(root);
    }
    if (number === undefined) {
      return;
    }
    const last = this.journal.seen[sender] ?? -1;
    if (number <= last || (root === undefined && number !== last + 1)) {
      this.violation(`${sender} sent ${number} after ${last}`);
    }
    this.journal.seen[sender] = number;
  }

  add({ state, amount }) {
    const sum = (this.read(state) ?? 0) + Number(amount);
    const value = state === "bool" ? sum % 2 : sum;
    this.write(state, value);
    this.journal.totals[state] = value;
  }

  replace({ state }) {
    const value = this.read(state);
    this.storage[state] = null;
    if (this.read(state) !== null) {
      this.violation(`${state} is there after its removal`);
    }
    if (value !== null) {
      this.write(state, value);
    }
  }

  scratch() {
    if (this.storage.scratch !== null) {
      this.violation(`scratch holds ${this.storage.scratch}`);
    }
    this.storage.scratch = this.name;
    if (this.storage.scratch !== this.name) {
      this.violation("scratch does not hold what was written");
    }
    this.storage.scratch = null;
  }

  verify() {
    for (const [state, total] of Object.entries(this.journal.totals)) {
      const value = this.read(state);
      if (value !== total) {
        this.violation(`${state} is ${value} and must be ${total}`);
      }
    }
  }

  egress({ to }) {
    const value = `${this.name} ${this.order.id} ${this.records}`;
    const typename = `conformance/${to}`;
    this.records += 1;
    if (to === "kafka") {
      this.context.send(kafkaEgressMessage({ typename, topic: "topic", key: this.name, value }));
    } else if (to === "kinesis") {
      const stream = { stream: "stream", partitionKey: this.name, hashKey: "7" };
      this.context.send(kinesisEgressMessage({ typename, value, ...stream }));
    } else {
      this.context.send(egressMessageBuilder({ typename, value, valueType: StateFun.stringType() }));
    }
  }

  send({ target, message }) {
    const number = (this.journal.sent[target] ?? -1) + 1;
    this.journal.sent[target] = number;
    this.context.send(messageTo(target, { ...message, sender: this.name, number }));
  }

  after({ target, message, delay, token }) {
    this.context.sendAfter(delay, messageTo(target, message), token);
  }

  cancel({ token }) {
    this.context.cancelDelayedMessage(token);
  }

  async sleep({ delay }) {
    await sleep(delay);
  }

  fail() {
    if (!failed.has(this.order.id)) {
      failed.add(this.order.id);
      throw new Error(`message ${this.order.id} fails once, as it was told to`);
    }
  }

  read(state) {
    const value = this.storage[state];
    return value === null ? null : STATES[state].read(value);
  }

  write(state, value) {
    this.storage[state] = STATES[state].write(value);
  }

  violation(text) {
    this.journal.violations.push(text);
  }
}

function messageTo(target, value) {
  const cut = target.lastIndexOf("/");
  return messageBuilder({ typename: target.slice(0, cut), id: target.slice(cut + 1), value, valueType: MESSAGE });
}

const functions = new StateFun();
functions.bind({
  typename: "javascript/answer",
  specs: [
    { name: "called", type: StateFun.stringType(), expireAfterCall: 1000 },
    { name: "written", type: StateFun.stringType(), expireAfterWrite: 1000 },
    { name: "kept", type: StateFun.stringType() },
  ],
  fn: (context, message) => {
    const { typename, id } = context.caller;
    const value = message.asString();
    context.sendAfter(-1000, messageBuilder({ typename, id, value, valueType: StateFun.stringType() }));
  },
});
functions.bind({
  typename: "javascript/instance",
  specs: SPECS,
  fn: (context, message) => new Instance(context, message.as(MESSAGE)).run(),
});
http.createServer(functions.handler()).listen(Number(process.argv[2]), "127.0.0.1");
