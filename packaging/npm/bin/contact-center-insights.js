#!/usr/bin/env node
// The console script: runs the program, passes signals on, and ends as it ends.
'use strict';

const {spawn} = require('node:child_process');
const {constants} = require('node:os');
const {path} = require('../lib/program.js');

let program;
try {
  program = path();
} catch (error) {
  console.error(`contact-center-insights: ${error.message}`);
  process.exit(127);
}
const child = spawn(program, process.argv.slice(2), {stdio: 'inherit'});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', error => {
  console.error(`contact-center-insights: ${error.message}`);
  process.exit(126);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
