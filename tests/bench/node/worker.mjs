// The yardstick for the queue: how many jobs that do nothing BullMQ takes through per second. The queue is filled first;
// the clock runs from the worker's start to the last job's completion.
//
//   REDIS=/path/redis.sock JOBS=20000 CONCURRENCY=32 node worker.mjs     prints {"jobs_per_s": ..., ...}
import { Redis } from 'ioredis';
import { Queue, Worker } from 'bullmq';

const jobs = Number(process.env.JOBS);
const concurrency = Number(process.env.CONCURRENCY);
const connect = () => new Redis({ path: process.env.REDIS, maxRetriesPerRequest: null, enableAutoPipelining: true });

const name = `noop-${process.pid}`;
const queue = new Queue(name, { connection: connect(), defaultJobOptions: { removeOnComplete: true } });
for (let done = 0; done < jobs; done += 1000) {
	const n = Math.min(1000, jobs - done);
	await queue.addBulk(Array.from({ length: n }, (_, i) => ({ name: 'noop', data: { id: `doc-${done + i}` } })));
}

const worker = new Worker(name, async () => {}, { connection: connect(), concurrency, autorun: false });
await worker.waitUntilReady();
let left = jobs;
const finished = new Promise((resolve) => worker.on('completed', () => --left === 0 && resolve()));
const start = process.hrtime.bigint();
worker.run();
await finished;
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
console.log(JSON.stringify({ jobs_per_s: Math.round(jobs / seconds), jobs, concurrency, seconds }));
await worker.close();
await queue.obliterate({ force: true });
process.exit(0);
