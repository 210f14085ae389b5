// Prints the median time that `startEmulator` takes, in milliseconds.
const {startEmulator} = require('contact-center-insights-emulator');

(async () => {
  const times = [];
  for (let run = 0; run < 9; run += 1) {
    const begin = performance.now();
    const emulator = await startEmulator();
    times.push(performance.now() - begin);
    await emulator.stop();
  }
  console.log(Math.round(times.sort((a, b) => a - b)[4]));
})();
