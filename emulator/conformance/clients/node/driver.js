// Drives @google-cloud/contact-center-insights: driver.js ADDRESS grpc|rest. README.md has the line protocol.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const path = require('node:path');
const {createRequire} = require('node:module');

// The packages are not beside this file, but below target/: CCI_NODE_MODULES says where.
const modules = createRequire(path.join(process.env.CCI_NODE_MODULES, 'driver.js'));
const {ContactCenterInsightsClient} = modules('@google-cloud/contact-center-insights');
const protoJson = modules('@google-cloud/contact-center-insights/build/protos/protos.json');
const gax = modules('google-gax');
const statusJson = JSON.parse(
  fs.readFileSync(path.join(process.env.CCI_NODE_MODULES, 'node_modules/google-gax/build/protos/status.json'), 'utf8'),
);
const {fromProto3JSON, toProto3JSON} = modules('proto3-json-serializer');
const {PassThroughClient} = modules('google-auth-library');

const INSIGHTS = 'google.cloud.contactcenterinsights.v1';
const OPERATIONS = 'google.longrunning';
const root = gax.fallback.protobufFromJSON(protoJson);
// Errors within operations have details of types that only the client's base library has.
const {Status, ...details} = statusJson.nested.google.nested.rpc.nested;
root.lookup('google.rpc').addJSON(details);
root.resolveAll();

function connect(address, transport) {
  const [servicePath, port] = address.split(':');
  const where = {servicePath, port: Number(port)};
  if (transport === 'rest') {
    return new ContactCenterInsightsClient({
      ...where,
      fallback: true,
      protocol: 'http',
      authClient: new PassThroughClient(),
    });
  }
  return new ContactCenterInsightsClient({...where, sslCreds: gax.grpc.credentials.createInsecure()});
}

/** Masks as users write them, with the names of the proto: the serializer leaves them as JSON has them. */
function snakeMasks(value) {
  for (const [key, inner] of Object.entries(value)) {
    if (key.endsWith('Mask') && inner?.paths) {
      inner.paths = inner.paths.map(path => path.replace(/[A-Z]/g, letter => '_' + letter.toLowerCase()));
    }
  }
  return value;
}

/** What the client gave, as ProtoJSON of that type. */
function show(type, found) {
  return toProto3JSON(type.fromObject(found ?? {}));
}

/** The message in an Any, in the type that it names. */
function open(any) {
  const type = root.lookupType(any.type_url.split('/').pop());
  return toProto3JSON(type.decode(any.value));
}

function codeName(number) {
  return Object.keys(gax.Status).find(name => gax.Status[name] === number) ?? 'CLIENT';
}

function violations(details) {
  return (details ?? []).flatMap(detail => (detail.fieldViolations ?? []).map(violation => violation.field));
}

/**
 * The client's own error for what it threw. Over REST it throws what its HTTP library does for a status of 4xx or 5xx,
 * with the body for its message; its own parser makes of that what it makes of errors elsewhere.
 */
function googleError(error) {
  if (error.constructor.name === 'GaxiosError') return gax.GoogleError.parseHttpError(JSON.parse(error.message));
  if (typeof error.code !== 'number') throw error;
  return error;
}

function refused(thrown, during, more) {
  const error = googleError(thrown);
  return {
    code: codeName(error.code),
    message: error.message,
    reason: error.reason ?? null,
    fields: violations(error.statusDetails),
    during,
    ...more,
  };
}

class Driver {
  constructor(client) {
    this.client = client;
  }

  async handle({method, request, mode}) {
    await this.client.initialize();
    const name = method[0].toLowerCase() + method.slice(1);
    const isMixin = ['GetOperation', 'ListOperations', 'CancelOperation'].includes(method);
    const declared = root.lookup(isMixin ? `${OPERATIONS}.Operations` : `${INSIGHTS}.ContactCenterInsights`);
    const {resolvedRequestType, resolvedResponseType} = declared.methods[method].resolve();
    const message = snakeMasks(resolvedRequestType.toObject(fromProto3JSON(resolvedRequestType, request)));
    try {
      if (method === 'ListOperations') return await this.listOperations(message, mode, resolvedResponseType);
      if (this.client.descriptors.page[name]) return await this.list(name, message, mode, resolvedResponseType);
      const [found] = await this.client[name](message);
      if (this.client.descriptors.longrunning[name]) {
        return mode === 'follow'
          ? await this.follow(found)
          : {code: 'OK', response: show(resolvedResponseType, found.latestResponse)};
      }
      return {code: 'OK', response: show(resolvedResponseType, found)};
    } catch (error) {
      return refused(error, 'call');
    }
  }

  async list(name, message, mode, type) {
    const items = Object.values(type.fields).find(field => field.repeated);
    if (mode === 'walk') {
      const [all] = await this.client[name](message);
      return {code: 'OK', response: all.map(item => show(items.resolvedType, item))};
    }
    const [, , page] = await this.client[name](message, {autoPaginate: false});
    return {code: 'OK', response: show(type, page)};
  }

  async listOperations(message, mode, type) {
    if (mode === 'walk') {
      const operation = root.lookupType(`${OPERATIONS}.Operation`);
      const all = [];
      for await (const found of this.client.listOperationsAsync(message)) all.push(show(operation, found));
      return {code: 'OK', response: all};
    }
    // One page is to be had from the client of operations only.
    const [, , page] = await this.client.operationsClient.listOperations(message, {autoPaginate: false});
    return {code: 'OK', response: show(type, page)};
  }

  async follow(operation) {
    try {
      const [, , last] = await operation.promise();
      return {code: 'OK', response: open(last.response), metadata: open(last.metadata)};
    } catch (error) {
      const last = operation.latestResponse;
      if (!last?.done || !last.error) throw error;
      // The error that promise() throws has code and message; the details are in the operation.
      const details = last.error.details.map(open);
      const info = details.find(detail => 'reason' in detail);
      const full = Object.assign(error, {statusDetails: details, reason: info?.reason});
      return refused(full, 'operation', {metadata: open(last.metadata)});
    }
  }
}

async function main() {
  const [address, transport] = process.argv.slice(2);
  const driver = new Driver(connect(address, transport));
  for await (const line of readline.createInterface({input: process.stdin})) {
    const answer = await driver
      .handle(JSON.parse(line))
      .catch(error => ({code: 'CLIENT', message: String(error.stack ?? error)}));
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
}

main();
