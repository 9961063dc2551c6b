// Apollo Client: automatic persisted queries, uploads, subscriptions by WebSocket, a cache of pages.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { filter, firstValueFrom } from 'rxjs';
import WebSocket from 'ws';
import { apollo } from './client/apollo.mjs';
import { codesOf, doJob, documents } from './job.mjs';
import { Server, iterated } from './server.mjs';

// adapted gives an Apollo client as the job wants it, and what it sent.
function adapted(server, options = {}) {
	const sent = [];
	const client = apollo({
		url: server.url,
		key: server.key,
		socket: { webSocketImpl: WebSocket },
		http: {
			fetch: (url, init) => {
				sent.push({ url: String(url), ...init });
				return fetch(url, init);
			},
		},
		...options,
	});
	server.leave.push(() => client.stop());
	return {
		client,
		sent,
		files: true,
		async ask(text, variables) {
			const document = gql(text);
			const isMutation = document.definitions[0].operation === 'mutation';
			const { data } = isMutation
				? await client.mutate({ mutation: document, variables })
				: await client.query({ query: document, variables, fetchPolicy: 'network-only' });
			return data;
		},
		watch: (text, variables) => iterated((sink) => {
			const subscription = client.subscribe({ query: gql(text), variables }).subscribe({
				next: ({ data, error }) => (error ? sink.error(error) : sink.next(data)),
				error: sink.error,
				complete: sink.complete,
			});
			return () => subscription.unsubscribe();
		}),
	};
}

const errorsOf = (failure) => CombinedGraphQLErrors.is(failure) && failure.errors;

test('Apollo Client does the reference job', async (t) => {
	const server = await Server.start(t);
	await doJob(adapted(server));
});

test('Apollo Client: a hash instead of a document, also after a restart', async (t) => {
	const server = await Server.start(t);
	const { sent, ask } = adapted(server);
	const count = async () => (await ask('query Count { coupons { totalCount } }')).coupons.totalCount;
	const methods = () => sent.splice(0).map(({ url, method, body }) => {
		const text = method === 'GET' ? decodeURIComponent(url) : String(body);
		assert.match(text, /sha256Hash/);
		return `${method} ${/totalCount/.test(text) ? 'document' : 'hash'}`;
	});
	assert.equal(await count(), 0);
	assert.deepEqual(methods(), ['GET hash', 'POST document']);
	assert.equal(await count(), 0);
	assert.deepEqual(methods(), ['GET hash']);
	await server.end('SIGTERM');
	await server.run();
	assert.equal(await count(), 0);
	assert.deepEqual(methods(), ['GET hash', 'POST document']);
});

test('Apollo Client: what is wrong with an upload is heard before its large file is there', async (t) => {
	const server = await Server.start(t);
	const { createCoupon } = await server.ask(documents.createCoupon, {
		input: { label: 'Large', type: 'INDIVIDUAL', startsAt: '2020-01-01' },
	});
	const file = new File([`code\n${'A-1\n'.repeat(8 << 20)}`], 'codes.csv');
	const send = (key) => {
		const http = new UploadHttpLink({ uri: server.url, headers: { Authorization: `Bearer ${key}` } });
		const sha256 = (text) => createHash('sha256').update(text).digest('hex');
		const client = new ApolloClient({
			link: new PersistedQueryLink({ sha256 }).concat(http),
			cache: new InMemoryCache(),
		});
		const variables = { input: { couponId: createCoupon.coupon.id, file } };
		return client.mutate({ mutation: gql(documents.importCodes), variables });
	};
	// The first answer is that the hash is not known.
	const { data } = await send(server.key);
	assert.deepEqual(data.importCodes.userErrors, []);
	assert.equal(data.importCodes.import.fileName, 'codes.csv');
	assert.deepEqual(await codesOf(send('wrong'), errorsOf), ['UNAUTHENTICATED']);
});

test('Apollo Client: pages that the cache unites', async (t) => {
	const server = await Server.start(t);
	const { client, ask } = adapted(server);
	const { createCoupon } = await ask(documents.createCoupon, {
		input: { label: 'Pages', type: 'INDIVIDUAL', startsAt: '2020-01-01' },
	});
	const { id } = createCoupon.coupon;
	await server.ask(`mutation { generateCodes(input: {couponId: "${id}", count: 25}) { userErrors { message } } }`);
	const query = client.watchQuery({ query: gql(documents.codes), variables: { id, first: 10 } });
	let { data } = await firstValueFrom(query.pipe(filter((result) => !result.loading)));
	while (data.coupon.codes.pageInfo.hasNextPage) {
		await query.fetchMore({ variables: { after: data.coupon.codes.pageInfo.endCursor } });
		({ data } = query.getCurrentResult());
	}
	assert.equal(new Set(data.coupon.codes.edges.map((e) => e.node.value)).size, 25);
});

test('Apollo Client: errors', async (t) => {
	const server = await Server.start(t);
	const { ask, watch } = adapted(server);
	assert.deepEqual(await codesOf(ask('{ coupons(first: 501) { totalCount } }'), errorsOf), ['INVALID']);
	assert.deepEqual(await codesOf(ask('{ nothing }'), errorsOf), ['GRAPHQL_VALIDATION_FAILED']);
	const unknown = watch(documents.importProgress, { id: 'import_9' }).next();
	assert.deepEqual(await codesOf(unknown, errorsOf), ['NOT_FOUND']);
	const stranger = adapted(server, { key: 'wrong' });
	assert.deepEqual(await codesOf(stranger.ask('{ coupons { totalCount } }'), errorsOf), ['UNAUTHENTICATED']);
	await assert.rejects(stranger.watch(documents.redemptionRecorded).next(), /4401 Unauthorized: give a key/);
});

test('Apollo Client: @defer is not offered', async (t) => {
	const server = await Server.start(t);
	const client = new ApolloClient({
		link: new HttpLink({ uri: server.url, headers: { Authorization: `Bearer ${server.key}` } }),
		cache: new InMemoryCache(),
		incrementalHandler: new Defer20220824Handler(),
	});
	const query = gql('{ coupons { ... @defer { totalCount } } }');
	await assert.rejects(client.query({ query }), (failure) => {
		assert.deepEqual(errorsOf(failure).map((e) => e.message), ['Unknown directive "@defer".']);
		return true;
	});
});

test('Apollo Client: a batch', async (t) => {
	const server = await Server.start(t);
	const client = new ApolloClient({
		link: new BatchHttpLink({ uri: server.url, headers: { Authorization: `Bearer ${server.key}` }, batchMax: 2 }),
		cache: new InMemoryCache(),
	});
	const both = [gql('{ coupons { totalCount } }'), gql('{ recipients { totalCount } }')];
	await Promise.all(both.map((query) => assert.rejects(client.query({ query }), (failure) => {
		assert.deepEqual(errorsOf(failure).map((e) => e.message), [
			'The request has an array of operations. Send each operation in a request of its own.',
		]);
		return true;
	})));
});
