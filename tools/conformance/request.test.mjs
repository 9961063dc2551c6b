// graphql-request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from './client/request.mjs';
import { codesOf, doJob } from './job.mjs';
import { Server } from './server.mjs';

const errorsOf = (failure) => failure.response?.errors;

test('graphql-request does the reference job', async (t) => {
	const server = await Server.start(t);
	const client = request(server);
	await doJob({ ask: (document, variables) => client.request(document, variables) });
});

test('graphql-request: queries by GET, errors, a batch', async (t) => {
	const server = await Server.start(t);
	const byGet = request(server);
	byGet.requestConfig.method = 'GET';
	assert.deepEqual(await byGet.request('{ coupons { totalCount } }'), {
		coupons: { totalCount: 0 },
	});
	const client = request(server);
	assert.deepEqual(
		await codesOf(client.request('{ coupons(first: 501) { totalCount } }'), errorsOf),
		['INVALID'],
	);
	assert.deepEqual(await codesOf(client.request('{ nothing }'), errorsOf), [
		'GRAPHQL_VALIDATION_FAILED',
	]);
	const stranger = request({ url: server.url, key: 'wrong' });
	assert.deepEqual(await codesOf(stranger.request('{ coupons { totalCount } }'), errorsOf), [
		'UNAUTHENTICATED',
	]);
	const both = [
		{ document: '{ coupons { totalCount } }' },
		{ document: '{ recipients { totalCount } }' },
	];
	await assert.rejects(client.batchRequests(both), /Send each operation in a request of its own/);
});
