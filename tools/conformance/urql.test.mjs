// urql: persisted queries, subscriptions by Server-Sent Events, by graphql-sse and by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, fetchExchange } from '@urql/core';
import { checkPersisted, codesOf, doJob, documents } from './job.mjs';
import { Server, iterated } from './server.mjs';

// The exchange looks for a browser's cryptography, which a window has.
globalThis.self ??= globalThis;
const { urql } = await import('./client/urql.mjs');

// adapted gives an urql client as the job wants it.
function adapted(client) {
	const run = async (answer) => {
		const { data, error } = await answer.toPromise();
		if (error) throw error;
		return data;
	};
	return {
		files: true,
		ask: (text, variables) =>
			/^\s*mutation/.test(text)
				? run(client.mutation(text, variables ?? {}))
				: run(client.query(text, variables ?? {}, { requestPolicy: 'network-only' })),
		watch: (text, variables) =>
			iterated((sink) => {
				const subscription = client
					.subscription(text, variables ?? {})
					.subscribe(({ data, error, hasNext }) => {
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
	await doJob(adapted(urql(server)));
});

test('urql does the reference job, with subscriptions by its own', async (t) => {
	const server = await Server.start(t);
	const headers = { Authorization: `Bearer ${server.key}` };
	await doJob(
		adapted(
			new Client({
				url: server.url,
				fetchOptions: { headers },
				exchanges: [fetchExchange],
				preferGetMethod: false,
				fetchSubscriptions: true,
			}),
		),
	);
});

test('urql: a hash instead of a document, also after a restart', async (t) => {
	const server = await Server.start(t);
	await checkPersisted(t, server, adapted(urql(server)).ask, ['POST hash', 'POST document']);
});

test('urql: errors', async (t) => {
	const server = await Server.start(t);
	const { ask, watch } = adapted(urql(server));
	assert.deepEqual(await codesOf(ask('{ coupons(first: 501) { totalCount } }'), errorsOf), [
		'INVALID',
	]);
	const unknown = watch(documents.importProgress, { id: 'import_9' }).next();
	assert.deepEqual(await codesOf(unknown, errorsOf), ['NOT_FOUND']);
	const stranger = adapted(urql({ url: server.url, key: 'wrong' }));
	assert.deepEqual(await codesOf(stranger.ask('{ coupons { totalCount } }'), errorsOf), [
		'UNAUTHENTICATED',
	]);
});
