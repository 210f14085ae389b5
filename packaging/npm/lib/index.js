// An emulator as a process: how it is started, and never left behind.
'use strict';

const {spawn} = require('node:child_process');
const fs = require('node:fs');
const {Admin, AdminError} = require('./admin.js');
const program = require('./program.js');

// How long it is given to end before it is killed, in ms.
const PATIENCE = 5000;
// How much of what it says is kept, in characters: the last of it.
const KEPT = 1 << 20;

class Emulator extends Admin {
  #child;
  #said;

  constructor(child, address, said) {
    super(address);
    this.#child = child;
    this.#said = said;
  }

  get pid() {
    return this.#child.pid;
  }
  output() {
    return this.#said.text;
  }
  environment() {
    return {
      CONTACTCENTERINSIGHTS_EMULATOR_HOST: this.address,
      CONTACTCENTERINSIGHTS_EMULATOR_ENDPOINT: this.endpoint,
    };
  }
  stop() {
    return end(this.#child);
  }
  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.stop();
  }
}

async function startEmulator(options = {}) {
  const {seed, profile, clock, dataDir, gcsRoot, port = 0, args = [], binary = program.path(), timeout = 10000} = options;
  const command = ['emulator', '--exit-with-stdin', '--port', String(port)];
  const profiles = typeof profile === 'string' ? {'': profile} : profile ?? {};
  for (const [method, how] of Object.entries(profiles)) command.push('--profile', method ? `${method}=${how}` : how);
  if (clock !== undefined) command.push('--clock', clock instanceof Date ? `virtual=${clock.toISOString()}` : clock);
  if (typeof seed === 'string') command.push('--seed', seed);
  if (dataDir !== undefined) command.push('--data-dir', dataDir);
  if (gcsRoot !== undefined) command.push('--gcs-root', gcsRoot);
  command.push(...args);

  // Its stdin is a pipe that nobody writes to: it is closed when this process ends, however that ends.
  const child = spawn(executable(binary), command, {stdio: 'pipe'});
  child.stdin.on('error', () => {});
  const said = {text: ''};
  child.stderr.setEncoding('utf8').on('data', text => {
    said.text = (said.text + text).slice(-KEPT);
  });
  const {address, problem} = await ready(child, binary, timeout);
  if (problem !== undefined) {
    await end(child);
    throw new Error(`the emulator ${problem}${said.text && `:\n${said.text.trim()}`}`);
  }
  // It keeps no program from ending: then its stdin closes, and it ends too.
  for (const part of [child, child.stdin, child.stdout, child.stderr]) part.unref();
  const emulator = new Emulator(child, address, said);
  if (seed !== undefined && typeof seed !== 'string') {
    await emulator.seed(seed).catch(async error => {
      await emulator.stop();
      throw error;
    });
  }
  return emulator;
}

// Some package managers and file systems lose the permission to execute.
function executable(binary) {
  try {
    fs.accessSync(binary, fs.constants.X_OK);
  } catch {
    try {
      fs.chmodSync(binary, 0o755);
    } catch {
      // The start says what is wrong.
    }
  }
  return binary;
}

// The address in its first line, or what went wrong.
function ready(child, binary, timeout) {
  return new Promise(resolve => {
    let text = '';
    const timer = setTimeout(() => resolve({problem: `was not ready after ${timeout} ms`}), timeout);
    const done = found => {
      clearTimeout(timer);
      resolve(found);
    };
    child.on('error', error => done({problem: `cannot be run: ${binary}: ${error.message}`}));
    child.on('close', (code, signal) => done({problem: `ended with ${signal ?? `exit code ${code}`}`}));
    child.stdout.setEncoding('utf8').on('data', chunk => {
      if (text.includes('\n')) return;
      text += chunk;
      if (!text.includes('\n')) return;
      const [line] = text.split('\n');
      try {
        done({address: String(JSON.parse(line).address)});
      } catch {
        done({problem: `is another program: its first line is ${JSON.stringify(line)}`});
      }
    });
  });
}

function end(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise(resolve => {
    child.ref();
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    child.on('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.stdin.end();
  });
}

// An emulator that runs at HOST:PORT.
function connect(address) {
  return new Admin(address);
}

module.exports = {Admin, AdminError, Emulator, connect, startEmulator};
