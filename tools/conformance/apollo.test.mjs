// Apollo Client: persisted queries, uploads, subscriptions by WebSocket, a cache of pages.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { filter, firstValueFrom } from 'rxjs';
import { apollo } from './client/apollo.mjs';
import { checkPersisted, codesOf, doJob, documents } from './job.mjs';
import { Server, iterated } from './server.mjs';

// adapted gives an Apollo client as the job wants it.
function adapted(server, key = server.key) {
	const client = apollo({ url: server.url, key });
	server.leave.push(() => client.stop());
	return {
		client,
		files: true,
		async ask(text, variables) {
			const document = gql(text);
			const isMutation = document.definitions[0].operation === 'mutation';
			const { data } = isMutation
				? await client.mutate({ mutation: document, variables })
				: await client.query({ query: document, variables, fetchPolicy: 'network-only' });
			return data;
		},
		watch: (text, variables) =>
			iterated((sink) => {
				const subscription = client.subscribe({ query: gql(text), variables }).subscribe({
					next: ({ data, error }) => (error ? sink.error(error) : sink.next(data)),
					error: sink.error,
					complete: sink.complete,
				});
				return () => subscription.unsubscribe();
			}),
	};
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const errorsOf = (failure) => CombinedGraphQLErrors.is(failure) && failure.errors;

test('Apollo Client does the reference job', async (t) => {
	const server = await Server.start(t);
	await doJob(adapted(server));
});

test('Apollo Client: a hash instead of a document, also after a restart', async (t) => {
	const server = await Server.start(t);
	await checkPersisted(t, server, adapted(server).ask, ['POST hash', 'POST document']);
});

test('Apollo Client: a hash by GET', async (t) => {
	const server = await Server.start(t);
	const client = new ApolloClient({
		link: new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
			new HttpLink({
				uri: server.url,
				headers: { Authorization: `Bearer ${server.key}` },
			}),
		),
		cache: new InMemoryCache(),
	});
	const ask = async (text) =>
		(await client.query({ query: gql(text), fetchPolicy: 'network-only' })).data;
	await checkPersisted(t, server, ask, ['GET hash', 'POST document']);
});

test('Apollo Client: a large file that is refused hears why', async (t) => {
	const server = await Server.start(t);
	const { createCoupon } = await server.ask(documents.createCoupon, {
		input: { label: 'Large', type: 'INDIVIDUAL', startsAt: '2020-01-01' },
	});
	const file = new File([`code\n${'A-1\n'.repeat(8 << 20)}`], 'codes.csv');
	const send = (key) => {
		const http = new UploadHttpLink({
			uri: server.url,
			headers: { Authorization: `Bearer ${key}` },
		});
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
	await server.ask(
		`mutation ($id: ID!) {
			generateCodes(input: { couponId: $id, count: 25 }) { userErrors { message } }
		}`,
		{ id },
	);
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
	assert.deepEqual(await codesOf(ask('{ coupons(first: 501) { totalCount } }'), errorsOf), [
		'INVALID',
	]);
	assert.deepEqual(await codesOf(ask('{ nothing }'), errorsOf), ['GRAPHQL_VALIDATION_FAILED']);
	const unknown = watch(documents.importProgress, { id: 'import_9' }).next();
	assert.deepEqual(await codesOf(unknown, errorsOf), ['NOT_FOUND']);
	const stranger = adapted(server, 'wrong');
	assert.deepEqual(await codesOf(stranger.ask('{ coupons { totalCount } }'), errorsOf), [
		'UNAUTHENTICATED',
	]);
	await assert.rejects(
		stranger.watch(documents.redemptionRecorded).next(),
		/4401 Unauthorized: give a key/,
	);
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
		assert.deepEqual(
			errorsOf(failure).map((e) => e.message),
			['Unknown directive "@defer".'],
		);
		return true;
	});
});

test('Apollo Client: a batch', async (t) => {
	const server = await Server.start(t);
	const client = new ApolloClient({
		link: new BatchHttpLink({
			uri: server.url,
			headers: { Authorization: `Bearer ${server.key}` },
			batchMax: 2,
		}),
		cache: new InMemoryCache(),
	});
	const both = [gql('{ coupons { totalCount } }'), gql('{ recipients { totalCount } }')];
	await Promise.all(
		both.map((query) =>
			assert.rejects(client.query({ query }), (failure) => {
				assert.deepEqual(
					errorsOf(failure).map((e) => e.message),
					[
						'The request has an array of operations. Send each operation in a request of its own.',
					],
				);
				return true;
			}),
		),
	);
});
