// @google-cloud/contact-center-insights over gRPC: client.js ADDRESS NAME TOKEN. ../../README.md has the commands.
'use strict';

const readline = require('node:readline');
const path = require('node:path');
const {createRequire} = require('node:module');

// The packages are not beside this file, but below target/: CCI_NODE_MODULES says where.
const modules = createRequire(path.join(process.env.CCI_NODE_MODULES, 'client.js'));
const {ContactCenterInsightsClient, protos} = modules('@google-cloud/contact-center-insights');
const {grpc} = modules('google-gax');
const {CreateIssueModelMetadata, IssueModel} = protos.google.cloud.contactcenterinsights.v1;

/** Decodes what the operation holds. */
function read(operation) {
  const metadata = CreateIssueModelMetadata.decode(operation.metadata.value);
  const model = IssueModel.decode(operation.response.value);
  const issues = Object.keys(model.trainingStats.issueStats).length;
  if (!metadata.endTime || !issues || issues !== Number(model.issueCount)) {
    throw new Error('not the finished operation');
  }
}

class Client {
  constructor(address, name, token) {
    const [servicePath, port] = address.split(':');
    this.api = new ContactCenterInsightsClient({
      servicePath,
      port: Number(port),
      sslCreds: grpc.credentials.createInsecure(),
    });
    this.name = name;
    this.authorization = `Bearer ${token}`;
  }

  /** For each call anew: the client adds its own headers to them. */
  options() {
    return {otherArgs: {headers: {authorization: this.authorization}}};
  }

  say(what) {
    process.stdout.write(JSON.stringify(what) + '\n');
  }

  async obey(command, ...words) {
    await this.api.initialize();
    if (command === 'calls') {
      const [calls, callers] = words.map(Number);
      await Promise.all(Array.from({length: callers}, () => this.calls(calls / callers)));
      this.say({calls});
    } else if (command === 'list') {
      this.say({operations: await this.list()});
    } else if (command === 'wait') {
      await Promise.all(words.map(model => this.wait(model)));
    } else {
      throw new Error(`no command ${command}`);
    }
  }

  async calls(calls) {
    for (let i = 0; i < calls; i++) {
      const [operation] = await this.api.getOperation({name: this.name}, this.options());
      read(operation);
    }
  }

  async list() {
    const parent = this.name.split('/operations/')[0];
    let count = 0;
    for await (const operation of this.api.listOperationsAsync({name: parent, pageSize: 1000}, this.options())) {
      read(operation);
      count++;
    }
    return count;
  }

  async wait(model) {
    const [parent, id] = model.split('/issueModels/');
    const [operation] = id.startsWith('train')
      ? await this.api.createIssueModel({parent, issueModel: {displayName: model}}, this.options())
      : await this.api.deployIssueModel({name: model}, this.options());
    await operation.promise();
    this.say({ended: model});
  }
}

async function main() {
  const client = new Client(...process.argv.slice(2));
  for await (const line of readline.createInterface({input: process.stdin})) {
    await client.obey(...line.split(' ')).catch(error => client.say({error: String(error.stack ?? error)}));
  }
}

main();
