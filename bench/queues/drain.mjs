// `node drain.mjs URL JOBS` fills an empty database with jobs that do nothing, drains it, and prints how many a second that were.

import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { setTimeout as sleep } from "node:timers/promises";

const [connectionString, jobs] = [process.argv[2], Number(process.argv[3])];
const PORTION = 10_000;
// The preset of its own performance test.
const CONCURRENT = 24;
const worker = {
  connectionString,
  concurrentJobs: CONCURRENT,
  maxPoolSize: CONCURRENT + 1,
  localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

const logger = new Logger(() => (level, message) => {
  if (level === "error") console.error(message);
});
const utils = await makeWorkerUtils({ connectionString, logger });
const query = (text) => utils.withPgClient((client) => client.query(text));

await utils.migrate();
for (let made = 0; made < jobs; made += PORTION) {
  const length = Math.min(PORTION, jobs - made);
  await utils.addJobs(Array.from({ length }, (_, i) => ({ identifier: "noop", payload: { id: made + i } })));
}
await query("VACUUM ANALYZE");

let handled = 0;
let allHandled;
const all = new Promise((resolve) => (allHandled = resolve));
const noop = () => {
  if (++handled === jobs) allHandled();
};
const began = performance.now();
const runner = await run({ preset: { worker }, taskList: { noop }, logger, noHandleSignals: true });
const ended = runner.promise.then(() => Promise.reject(new Error("the worker stopped by itself")));
await Promise.race([all, ended]);
// The last of them are still being completed.
while ((await query("SELECT FROM graphile_worker.jobs LIMIT 1")).rowCount > 0) await sleep(1);
const seconds = (performance.now() - began) / 1000;

ended.catch(() => {});
await runner.stop();
await utils.release();
console.log(JSON.stringify({ per_second: jobs / seconds }));
