// Subscriptions by the clients of their protocols: graphql-ws, graphql-sse and EventSource.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from 'graphql-sse';
import { eventSource } from './client/eventsource.mjs';
import { sse } from './client/sse.mjs';
import { ws } from './client/ws.mjs';
import { codesOf, doJob, documents } from './job.mjs';
import { Server, reachable } from './server.mjs';

// open gives a client of each protocol: it iterates over the answers to an operation, and ends.
const open = {
	'graphql-ws': (options) => {
		const client = ws(options);
		return {
			iterate: (request) => client.iterate(request),
			on: client.on,
			end: () => client.dispose(),
		};
	},
	'graphql-sse': (options) => {
		const client = sse(options);
		return { iterate: (request) => client.iterate(request), end: () => client.dispose() };
	},
};

// adapted gives a client as the job wants it.
function adapted({ iterate }) {
	const data = ({ data, errors }) => {
		if (errors) throw Object.assign(new Error('refused'), { errors });
		return data;
	};
	return {
		async ask(query, variables) {
			for await (const answer of iterate({ query, variables })) return data(answer);
			return assert.fail('no answer');
		},
		async *watch(query, variables) {
			for await (const answer of iterate({ query, variables })) yield data(answer);
		},
	};
}

for (const [name, connect] of Object.entries(open)) {
	test(`${name} does the reference job`, async (t) => {
		const server = await Server.start(t);
		const client = connect(server);
		server.leave.push(client.end);
		await doJob(adapted(client));
	});

	test(`${name}: a subscription goes on after a restart`, async (t) => {
		const server = await Server.start(t);
		await server.ask(documents.createCoupon, anonymous);
		const client = connect(server);
		server.leave.push(client.end);
		const seen = [];
		const following = (async () => {
			for await (const { data } of client.iterate({ query: documents.redemptionRecorded }))
				seen.push(data);
		})();
		const hears = () => redeemUntil(server, () => seen.length);
		await hears();
		await server.end('SIGTERM');
		await server.run();
		await hears();
		client.end();
		await following;
	});

	test(`${name}: errors`, async (t) => {
		const server = await Server.start(t);
		const client = connect(server);
		server.leave.push(client.end);
		const { ask, watch } = adapted(client);
		const errorsOf = (failure) => failure.errors;
		assert.deepEqual(await codesOf(ask('{ coupons(first: 501) { totalCount } }'), errorsOf), [
			'INVALID',
		]);
		assert.deepEqual(await codesOf(ask('{ nothing }'), validationOf), [
			'GRAPHQL_VALIDATION_FAILED',
		]);
		const unknown = watch(documents.importProgress, { id: 'import_9' }).next();
		assert.deepEqual(await codesOf(unknown, errorsOf), ['NOT_FOUND']);
	});
}

// validationOf gives the errors of a document that is not valid. graphql-ws throws the list itself.
const validationOf = (failure) => failure.errors ?? failure;

// redeemUntil redeems a code until somebody has heard of it who counts. What is redeemed before a
// subscription has begun, or while it is broken off, may be missed.
function redeemUntil(server, count) {
	const before = count();
	return reachable('an event', async () => {
		await server.ask(documents.redeemCode, { input: { value: 'ONE' } });
		return count() > before;
	});
}

const anonymous = {
	input: { label: 'One', type: 'ANONYMOUS', code: 'ONE', startsAt: '2020-01-01' },
};

test('graphql-ws: a wrong key ends it at once, and a key that ends with it', async (t) => {
	const server = await Server.start(t);
	const wrong = open['graphql-ws']({ url: server.url, key: 'wrong' });
	await assert.rejects(
		wrong.iterate({ query: '{ coupons { totalCount } }' }).next(),
		(closed) => {
			assert.equal(closed.code, 4401);
			return true;
		},
	);
	const { createApiKey } = await server.ask(`mutation {
		createApiKey(input: { label: "a page", role: ADMIN }) {
			apiKey { id }
			token
			userErrors { message }
		}
	}`);
	assert.deepEqual(createApiKey.userErrors, []);
	const seen = [];
	const ending = open['graphql-ws']({ url: server.url, key: createApiKey.token });
	ending.on('connected', () => seen.push('connected'));
	ending.on('closed', ({ code }) => seen.push(code));
	const answers = [];
	const following = (async () => {
		for await (const answer of ending.iterate({ query: documents.redemptionRecorded }))
			answers.push(answer);
	})();
	await server.ask(documents.createCoupon, anonymous);
	await redeemUntil(server, () => answers.length);
	await server.ask(
		'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { userErrors { message } } }',
		{
			id: createApiKey.apiKey.id,
		},
	);
	await assert.rejects(following, (closed) => {
		assert.equal(closed.code, 4401);
		return true;
	});
	// After 4403 a client may have a newer token, so it tries once more.
	assert.deepEqual(seen, ['connected', 4403, 4401]);
});

test('graphql-sse: a wrong key', async (t) => {
	const server = await Server.start(t);
	// It would ask again for half a minute.
	const headers = { Authorization: 'Bearer wrong' };
	const client = createClient({ url: server.url, headers, retryAttempts: 0 });
	await assert.rejects(
		client.iterate({ query: '{ coupons { totalCount } }' }).next(),
		(failure) => {
			assert.equal(failure.response.status, 401);
			return true;
		},
	);
});

test('EventSource, by GET: a subscription goes on after a restart', async (t) => {
	const server = await Server.start(t);
	await server.ask(documents.createCoupon, anonymous);
	const source = eventSource({
		url: server.url,
		key: server.key,
		query: documents.redemptionRecorded,
	});
	server.leave.push(() => source.close());
	const seen = [];
	source.addEventListener('next', ({ data }) => seen.push(JSON.parse(data)));
	await redeemUntil(server, () => seen.length);
	assert.equal(seen[0].data.redemptionRecorded.coupon.label, 'One');
	await server.end('SIGTERM');
	await server.run();
	await redeemUntil(server, () => seen.length);
});

test('EventSource, by GET: the end of a job, and what goes wrong', async (t) => {
	const server = await Server.start(t);
	const follow = (options) =>
		new Promise((done) => {
			const source = eventSource({
				url: server.url,
				key: server.key,
				query: documents.importProgress,
				...options,
			});
			const seen = [];
			source.addEventListener('next', ({ data }) => seen.push(JSON.parse(data)));
			const end = (how) => {
				source.close();
				done({ seen, how });
			};
			source.addEventListener('complete', () => end('complete'));
			source.addEventListener('error', ({ code }) => end(code));
		});
	const unknown = await follow({ variables: { id: 'import_9' } });
	assert.equal(unknown.how, 'complete');
	assert.deepEqual(
		unknown.seen[0].errors.map((e) => e.extensions.code),
		['NOT_FOUND'],
	);
	assert.deepEqual(await follow({ key: 'wrong', variables: { id: 'import_9' } }), {
		seen: [],
		how: 401,
	});
	const mutation = await follow({
		query: 'mutation { archiveCoupon(input: {id: "coupon_1"}) { coupon { id } } }',
	});
	assert.deepEqual(mutation, { seen: [], how: 405 });
});
