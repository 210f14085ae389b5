// What a test tells an emulator, and asks it: the admin API, as JSON over plain HTTP.
'use strict';

const http = require('node:http');
const {createRequire} = require('node:module');

const PREFIX = '/_emulator/v1/';
const CODES = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS',
  'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED',
  'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
];

class AdminError extends Error {
  constructor(status, message) {
    super(`${status}: ${message}`);
    this.name = 'AdminError';
    this.status = status;
  }
}

class Admin {
  constructor(address) {
    this.address = address;
    this.endpoint = `http://${address}`;
  }

  client({rest = false, ...options} = {}) {
    const {v1} = require('@google-cloud/contact-center-insights');
    const [, host, port] = /^(.*):(\d+)$/.exec(this.address);
    // What the client itself uses, so that the objects are of the classes that it knows.
    const used = createRequire(require.resolve('@google-cloud/contact-center-insights'));
    const {PassThroughClient} = createRequire(used.resolve('google-gax'))('google-auth-library');
    // Without an authClient it would look for credentials, on the network too.
    const common = {servicePath: host, port: Number(port), authClient: new PassThroughClient(), ...options};
    if (rest) return new v1.ContactCenterInsightsClient({fallback: true, protocol: 'http', ...common});
    const sslCreds = used('google-gax').grpc.credentials.createInsecure();
    return new v1.ContactCenterInsightsClient({sslCreds, 'grpc.enable_http_proxy': 0, ...common});
  }

  reset(project) {
    return this.request('POST', 'reset', project ? {project} : {}).then(nothing);
  }
  seed(seed) {
    return this.request('POST', 'seed', seed).then(nothing);
  }
  export() {
    return this.request('GET', 'export');
  }
  snapshot() {
    return this.send('GET', 'snapshot');
  }
  restore(snapshot) {
    return this.send('POST', 'restore', snapshot).then(nothing);
  }

  advance(operation, polls = 1) {
    return this.request('POST', 'operations:advance', {name: nameOf(operation), polls}).then(({done}) => Boolean(done));
  }
  complete(operation) {
    return this.request('POST', 'operations:complete', {name: nameOf(operation)}).then(nothing);
  }
  fail(operation, code = 'INTERNAL', message = 'failed by the test') {
    const error = {code: codeNumber(code), message};
    return this.request('POST', 'operations:fail', {name: nameOf(operation), error}).then(nothing);
  }

  addFault(method, {code, message = 'scripted by the test', ...more} = {}) {
    const status = code === undefined ? {} : {status: {code: codeNumber(code), message}};
    return this.request('POST', 'faults', {faults: [{method, ...status, ...more}]}).then(nothing);
  }
  faults() {
    return this.request('GET', 'faults').then(({faults = []}) => faults);
  }
  clearFaults() {
    return this.request('DELETE', 'faults').then(nothing);
  }
  setQuotas(quotas = {}) {
    return this.request('PUT', 'quotas', quotas).then(nothing);
  }

  now() {
    return this.request('GET', 'clock').then(({time}) => new Date(time));
  }
  advanceClock(by) {
    const text = typeof by === 'number' ? `${by}ms` : by;
    return this.request('POST', 'clock:advance', {by: text}).then(({time}) => new Date(time));
  }
  setClock(time) {
    return this.request('POST', 'clock:set', {time: time.toISOString()}).then(({time}) => new Date(time));
  }

  calls(method = '', {after = 0, limit = 1000} = {}) {
    const query = new URLSearchParams({method, after, limit});
    const full = call => ({method: '', transport: '', code: '', fault: '', attempt: 0, ...call, sequence: Number(call.sequence)});
    return this.request('GET', `journal?${query}`).then(({calls = []}) => calls.map(full));
  }
  count(method = '', {code = '', transport = '', after = 0} = {}) {
    return this.#count(method, code, transport, after).then(({count}) => count);
  }
  async assertCalled(method, times, {code = '', after = 0} = {}) {
    const {count, nearest} = await this.#count(method, code, '', after);
    if (times === undefined ? count > 0 : count === times) return;
    const wanted = times === undefined ? 'at least once' : `${times} times`;
    const seen = nearest.map(kind => `${kind.method} ${kind.code || 'running'} (${kind.count})`).join('; ');
    const ended = code === '' ? '' : ` with ${code}`;
    throw new Error(`${method}${ended} was called ${count} times, not ${wanted}${seen && `; nearest: ${seen}`}`);
  }
  clearCalls() {
    return this.request('DELETE', 'journal').then(nothing);
  }
  async #count(method, code, transport, after) {
    const asked = {method, code: code === '' ? '' : CODES[codeNumber(code)], transport, after: String(after)};
    const {count = 0, nearest = []} = await this.request('POST', 'journal:count', asked);
    return {count, nearest};
  }

  status() {
    return this.request('GET', 'status');
  }
  async request(verb, path, body) {
    const content = await this.send(verb, path, body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
    return content.length === 0 ? {} : JSON.parse(content.toString());
  }

  // Each on a connection of its own: a kept one would keep the process from ending.
  send(verb, path, body) {
    return new Promise((resolve, reject) => {
      const headers = body ? {'content-type': 'application/json', 'content-length': body.length} : {};
      const request = http.request(this.endpoint + PREFIX + path, {method: verb, headers, agent: false}, response => {
        const chunks = [];
        response.on('data', chunk => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const content = Buffer.concat(chunks);
          if (response.statusCode === 200) resolve(content);
          else reject(problem(response.statusCode, content.toString()));
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }
}

function nothing() {}

function problem(status, text) {
  try {
    const {error} = JSON.parse(text);
    return new AdminError(error.status, error.message);
  } catch {
    return new AdminError(`HTTP ${status}`, text.slice(0, 1000));
  }
}

// A name, a message, or the operation of an official client.
function nameOf(operation) {
  const name = typeof operation === 'string' ? operation : operation?.name ?? operation?.latestResponse?.name;
  if (typeof name !== 'string') throw new TypeError('neither an operation nor the name of one');
  return name;
}

function codeNumber(code) {
  const number = typeof code === 'number' ? code : CODES.indexOf(code.toUpperCase());
  if (!(number in CODES)) throw new RangeError(`${code} is not one of ${CODES.join(', ')}`);
  return number;
}

module.exports = {Admin, AdminError};
