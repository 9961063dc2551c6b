// urql: persisted queries, subscriptions by Server-Sent Events, by graphql-sse and by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codesOf, doJob, documents } from './job.mjs';
import { Server, iterated } from './server.mjs';

// The exchange looks for a browser's cryptography, which a window has.
globalThis.self ??= globalThis;
const { urql } = await import('./client/urql.mjs');

// adapted gives an urql client as the job wants it, and what it sent.
function adapted(server, { key = server.key, ...options } = {}) {
	const sent = [];
	const client = urql({
		url: server.url,
		key,
		// It would ask again for half a minute.
		events: { retryAttempts: 0 },
		client: {
			fetch: (url, init) => {
				sent.push({ url: String(url), ...init });
				return fetch(url, init);
			},
			...options,
		},
	});
	const run = async (answer) => {
		const { data, error } = await answer.toPromise();
		if (error) throw error;
		return data;
	};
	return {
		sent,
		files: true,
		ask: (text, variables) => /^\s*mutation/.test(text)
			? run(client.mutation(text, variables ?? {}))
			: run(client.query(text, variables ?? {}, { requestPolicy: 'network-only' })),
		watch: (text, variables) => iterated((sink) => {
			const subscription = client.subscription(text, variables ?? {}).subscribe(({ data, error, hasNext }) => {
				if (error) sink.error(error);
				else if (data) sink.next(data);
				if (hasNext === false) sink.complete();
			});
			return () => subscription.unsubscribe();
		}),
	};
}

const errorsOf = (failure) => failure.graphQLErrors;

test('urql does the reference job', async (t) => {
	const server = await Server.start(t);
	await doJob(adapted(server));
});

test('urql does the reference job, with subscriptions by its own', async (t) => {
	const server = await Server.start(t);
	await doJob(adapted(server, { fetchSubscriptions: true }));
});

test('urql: a hash instead of a document, also after a restart', async (t) => {
	const server = await Server.start(t);
	const { sent, ask } = adapted(server);
	const count = async () => (await ask('query Count { coupons { totalCount } }')).coupons.totalCount;
	const methods = () => sent.splice(0).map(({ url, method, body }) => {
		const text = method === 'GET' ? decodeURIComponent(url) : String(body);
		assert.match(text, /sha256Hash/);
		return `${method} ${/totalCount/.test(text) ? 'document' : 'hash'}`;
	});
	assert.equal(await count(), 0);
	assert.deepEqual(methods(), ['GET hash', 'GET document']);
	assert.equal(await count(), 0);
	assert.deepEqual(methods(), ['GET hash']);
	await server.end('SIGTERM');
	await server.run();
	assert.equal(await count(), 0);
	assert.deepEqual(methods(), ['GET hash', 'GET document']);
});

test('urql: errors', async (t) => {
	const server = await Server.start(t);
	const { ask, watch } = adapted(server);
	assert.deepEqual(await codesOf(ask('{ coupons(first: 501) { totalCount } }'), errorsOf), ['INVALID']);
	const unknown = watch(documents.importProgress, { id: 'import_9' }).next();
	assert.deepEqual(await codesOf(unknown, errorsOf), ['NOT_FOUND']);
	const stranger = adapted(server, { key: 'wrong' });
	assert.deepEqual(await codesOf(stranger.ask('{ coupons { totalCount } }'), errorsOf), ['UNAUTHENTICATED']);
	await assert.rejects(stranger.watch(documents.redemptionRecorded).next(), (failure) => {
		assert.equal(failure.networkError.response.status, 401);
		return true;
	});
});
