// The yardstick for intake: Fastify and BullMQ doing what Viesti's webhook intake does. It checks the Standard Webhooks
// v1 signature over the raw body and the timestamp, remembers the webhook-id, parses the body, and answers 202 when the
// job is in Redis. Nothing is left out that a team would write, nothing is added: no logging, no schema, and commands of
// concurrent requests share round trips (ioredis auto-pipelining).
//
//   REDIS=/path/redis.sock PORT=9001 SECRET=whsec_... PROCESSES=1 node server.mjs     prints "ready" when it listens
import cluster from 'node:cluster';
import { createHmac, timingSafeEqual } from 'node:crypto';
import fastify from 'fastify';
import { Redis } from 'ioredis';
import { Queue } from 'bullmq';

const TOLERANCE_S = 300;
const REMEMBER_S = 900; // longer than a replayed timestamp can live
const key = Buffer.from(process.env.SECRET.replace(/^whsec_/, ''), 'base64');

function connect() {
	return new Redis({ path: process.env.REDIS, maxRetriesPerRequest: null, enableAutoPipelining: true });
}

function verify(headers, body) {
	const id = headers['webhook-id'];
	const timestamp = headers['webhook-timestamp'];
	const given = headers['webhook-signature'];
	if (!id || !timestamp || !given || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_S))
		return false;
	const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
	for (const part of given.split(' ')) {
		if (!part.startsWith('v1,'))
			continue;
		const sig = Buffer.from(part.slice(3), 'base64');
		if (sig.length === expected.length && timingSafeEqual(sig, expected))
			return true;
	}
	return false;
}

async function serve() {
	const seen = connect();
	const queue = new Queue('intake', {
		connection: connect(),
		defaultJobOptions: { removeOnComplete: true, removeOnFail: false },
	});
	const app = fastify({ logger: false, bodyLimit: 256 * 1024 });
	app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
	app.post('/v1/webhooks/:connection', async (request, reply) => {
		if (!verify(request.headers, request.body))
			return reply.code(401).send({ code: 'bad_signature' });
		const { type, data } = JSON.parse(request.body);
		if (type !== 'invoice.changed' || typeof data?.id !== 'string')
			return reply.code(400).send({ code: 'bad_body' });
		const { connection } = request.params;
		const first = await seen.set(`seen:${connection}:${request.headers['webhook-id']}`, '1', 'EX', REMEMBER_S, 'NX');
		if (first)
			await queue.add('invoice', { connection, id: data.id });
		return reply.code(202).header('viesti-durability', 'fsync').send({ status: first ? 'accepted' : 'duplicate' });
	});
	await queue.waitUntilReady();
	await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: 1024 });
	return app;
}

const processes = Number(process.env.PROCESSES ?? 1);
if (cluster.isPrimary && processes > 1) {
	let listening = 0;
	cluster.on('listening', () => ++listening === processes && console.log('ready'));
	for (let i = 0; i < processes; i++)
		cluster.fork();
	process.on('SIGTERM', () => process.exit(0)); // the workers end with their channel
} else {
	await serve();
	if (cluster.isPrimary)
		console.log('ready');
	else
		process.on('disconnect', () => process.exit(0));
}
