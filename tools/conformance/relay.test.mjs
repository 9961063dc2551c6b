// Relay: its compiler on the schema, persisted ids, connections, node(id:), a subscription.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import relayRuntime from 'relay-runtime';
import { relay } from './client/relay.mjs';
import { Server, reachable, recorded } from './server.mjs';

const { commitMutation, fetchQuery, requestSubscription } = relayRuntime;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// compile gives what Relay's compiler makes of the sample, by the names of its operations.
async function compile(t) {
	const folder = await mkdtemp(join(tmpdir(), 'couponql-relay-'));
	t.after(() => rm(folder, { recursive: true, force: true }));
	await cp(here('relay'), folder, { recursive: true });
	await copyFile(here('../../graph/testdata/schema.graphql'), join(folder, 'schema.graphql'));
	await promisify(execFile)(here('node_modules/.bin/relay-compiler'), ['relay.config.json'], {
		cwd: folder,
	});
	const made = join(folder, 'src', '__generated__');
	const read = createRequire(join(folder, 'package.json'));
	const artifacts = {};
	for (const name of await readdir(made)) artifacts[name.split('.')[0]] = read(join(made, name));
	return {
		artifacts,
		persisted: JSON.parse(await readFile(join(folder, 'persisted.json'), 'utf8')),
	};
}

test('Relay does its part of the job', async (t) => {
	const server = await Server.start(t);
	const { artifacts, persisted } = await compile(t);
	assert.equal(persisted[artifacts.couponsQuery.params.id], artifacts.couponsQuery.params.text);
	const requests = recorded(t);
	const sent = () => requests.map(({ body }) => JSON.parse(body));
	const environment = relay(server);
	const change = (mutation, variables) =>
		new Promise((done, fail) => {
			commitMutation(environment, { mutation, variables, onCompleted: done, onError: fail });
		});
	const ask = (query, variables) =>
		fetchQuery(environment, query, variables, { fetchPolicy: 'network-only' }).toPromise();
	const record = (id) => environment.getStore().getSource().get(id);

	const { createCoupon } = await change(artifacts.couponsCreateMutation, {
		input: {
			label: 'Winter',
			type: 'INDIVIDUAL',
			startsAt: '2020-01-01',
			requiresAssignment: false,
		},
	});
	const { id } = createCoupon.coupon;
	const { generateCodes } = await change(artifacts.couponsGenerateMutation, {
		input: { couponId: id, count: 25 },
	});
	assert.equal(generateCodes.generatedCount, 25);
	await ask(artifacts.couponsQuery, { count: 10 });
	const connection = `client:${id}:__coupons_codes_codes_connection`;
	const edges = () => record(connection).edges.__refs;
	assert.equal(edges().length, 20);
	const { endCursor, hasNextPage } = record(record(connection).pageInfo.__ref);
	assert.equal(hasNextPage, true);
	// It asks for the coupon by node(id:), and the store unites the pages.
	await ask(artifacts.couponsCodesQuery, { id, count: 20, cursor: endCursor });
	assert.equal(edges().length, 25);
	assert.equal(record(record(connection).pageInfo.__ref).hasNextPage, false);

	const code = record(record(edges()[0]).node.__ref);
	const seen = [];
	const subscription = requestSubscription(environment, {
		subscription: artifacts.couponsRecordedSubscription,
		variables: { couponId: id },
		onNext: (data) => seen.push(data),
		onError: (error) => seen.push(error),
	});
	// What is redeemed before the subscription has begun may be missed: each look redeems
	// another code.
	const others = edges().map((edge) => record(record(edge).node.__ref));
	await reachable('an event', async () => {
		const { value } = others.pop();
		const { redeemCode } = await change(artifacts.couponsRedeemMutation, { input: { value } });
		assert.deepEqual(redeemCode.userErrors, []);
		return seen.length > 0;
	});
	assert.equal(seen[0].redemptionRecorded.code.status, 'REDEEMED');
	subscription.dispose();
	const input = { value: code.value, idempotencyKey: 'order 7' };
	const { redeemCode: first } = await change(artifacts.couponsRedeemMutation, { input });
	assert.equal(record(code.__id).status, 'REDEEMED');
	const { redeemCode: again } = await change(artifacts.couponsRedeemMutation, { input });
	assert.equal(again.redemption.id, first.redemption.id);
	const { redeemCode: other } = await change(artifacts.couponsRedeemMutation, {
		input: { value: code.value },
	});
	assert.deepEqual(
		other.userErrors.map((e) => e.code),
		['CODE_ALREADY_REDEEMED'],
	);

	// A hash goes first, and the document once.
	const redeeming = sent().filter(({ query }) => query?.includes('couponsRedeemMutation'));
	assert.equal(redeeming.length, 1);
	assert.ok(sent().every(({ extensions }) => extensions.persistedQuery.sha256Hash.length === 64));
	await server.end('SIGTERM');
	await server.run();
	requests.length = 0;
	await ask(artifacts.couponsQuery, { count: 10 });
	assert.deepEqual(
		sent().map(({ query }) => query !== undefined),
		[false, true],
	);

	const codesOf = (answer) =>
		answer.then(
			(data) => assert.fail(`answered ${JSON.stringify(data)}`),
			(failure) => failure.source.errors.map((e) => e.extensions.code),
		);
	assert.deepEqual(await codesOf(ask(artifacts.couponsQuery, { count: 501 })), ['INVALID']);
	const stranger = relay({ url: server.url, key: 'wrong' });
	const refused = fetchQuery(stranger, artifacts.couponsQuery, { count: 1 }).toPromise();
	assert.deepEqual(await codesOf(refused), ['UNAUTHENTICATED']);
});
