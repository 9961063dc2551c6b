// Checks the protocol with what others have written: the audit of GraphQL over HTTP (every MUST, SHOULD and MAY), the
// clients of graphql-ws and graphql-sse, uploads as the multipart request specification has them, and relay-compiler on
// a sample of connections and node(id:).
//
//   node check.mjs path/to/couponql path/to/schema.graphql
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { auditServer } from 'graphql-http';
import { createClient as createSSE } from 'graphql-sse';
import { createClient as createWS } from 'graphql-ws';
import WebSocket from 'ws';

const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(process.argv[2]);
const schema = resolve(process.argv[3]);
const folder = await mkdtemp(join(tmpdir(), 'couponql-conformance-'));
const startSeconds = 30;

// start gives a running server and its address.
async function start() {
	const server = spawn(
		program,
		['serve', '--listen', '127.0.0.1:0', '--data', join(folder, 'couponql.duckdb'), '--outbox', join(folder, 'outbox')],
		{ stdio: ['ignore', 'ignore', 'pipe'] },
	);
	const late = setTimeout(() => server.kill('SIGKILL'), startSeconds * 1000);
	const log = [];
	const url = await new Promise((ready, fail) => {
		createInterface({ input: server.stderr }).on('line', (line) => {
			log.push(line);
			const found = line.match(/^listening on (\S+)$/);
			if (found) ready(found[1]);
		});
		server.once('exit', () => fail(new Error(`the server ended:\n${log.join('\n')}`)));
	});
	clearTimeout(late);
	return { server, url: `${url}/graphql` };
}

async function ask(url, query) {
	const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query }) });
	const { data, errors } = await response.json();
	assert.equal(errors, undefined, JSON.stringify(errors));
	return data;
}

const create = 'mutation { createCoupon(input: {label: "One", code: "ONE", type: ANONYMOUS, startsAt: "2020-01-01"}) { coupon { id } userErrors { message } } }';
const redeem = 'mutation { redeemCode(input: {value: "one", reference: "order 1"}) { redemption { id } userErrors { message } } }';
const follow = 'subscription { redemptionRecorded { reference coupon { label } } }';

const checks = {
	async 'GraphQL over HTTP: the whole audit'(url) {
		const results = await auditServer({ url, fetchFn: fetch });
		const short = results.filter((result) => result.status !== 'ok');
		for (const { id, name, status, reason } of short) console.error(`  ${status} ${id} ${name}: ${reason}`);
		assert.ok(results.length >= 60, `only ${results.length} audits were run`);
		assert.equal(short.length, 0, `${short.length} of ${results.length} audits are not met`);
	},
	async 'graphql-ws: a query and a subscription'(url) {
		const client = createWS({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket });
		await subscribed(url, (query) => client.iterate({ query }));
		await client.dispose();
	},
	async 'graphql-sse: a query and a subscription'(url) {
		const client = createSSE({ url, singleConnection: false });
		await subscribed(url, (query) => client.iterate({ query }));
		client.dispose();
	},
	async 'multipart request: a file'(url) {
		await ask(url, 'mutation { createCoupon(input: {label: "Pool", code: "POOL", type: INDIVIDUAL, startsAt: "2020-01-01"}) { coupon { id } userErrors { message } } }');
		const form = new FormData();
		const query = `mutation ($file: Upload!) { importCodes(input: {couponId: "coupon_2", file: $file}) { import { fileName byteCount } userErrors { message } } }`;
		form.append('operations', JSON.stringify({ query, variables: { file: null } }));
		form.append('map', JSON.stringify({ 0: ['variables.file'] }));
		form.append('0', new Blob(['code\nA-1\n']), 'codes.csv');
		const response = await fetch(url, { method: 'POST', body: form });
		assert.deepEqual(await response.json(), { data: { importCodes: { import: { fileName: 'codes.csv', byteCount: 9 }, userErrors: [] } } });
	},
	async 'Relay: connections and node'() {
		const sample = join(folder, 'relay');
		await cp(join(here, 'relay'), sample, { recursive: true });
		await cp(schema, join(sample, 'schema.graphql'));
		await promisify(execFile)(join(here, 'node_modules', '.bin', 'relay-compiler'), ['relay.config.json'], { cwd: sample });
	},
};

// subscribed runs a query, and a subscription until it gave an event, with a client that iterates over answers.
async function subscribed(url, iterate) {
	for await (const answer of iterate('{ coupons { totalCount } }')) assert.ok(answer.data.coupons.totalCount >= 1);
	// What is redeemed before the subscription has begun may be missed.
	const redeeming = setInterval(() => void ask(url, redeem), 200);
	try {
		for await (const answer of iterate(follow)) {
			assert.deepEqual(answer, { data: { redemptionRecorded: { reference: 'order 1', coupon: { label: 'One' } } } });
			break;
		}
	} finally {
		clearInterval(redeeming);
	}
}

const { server, url } = await start();
let failed = 0;
try {
	await ask(url, create);
	for (const [name, check] of Object.entries(checks)) {
		try {
			await check(url);
			console.log(`ok ${name}`);
		} catch (error) {
			failed++;
			console.error(`FAILED ${name}: ${error.stack ?? error}`);
		}
	}
} finally {
	server.kill('SIGKILL');
	await rm(folder, { recursive: true, force: true });
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
