// The audit of GraphQL over HTTP: every MUST, SHOULD and MAY, by graphql-http.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditServer } from 'graphql-http';
import { Server } from './server.mjs';

for (const hasKeys of [false, true]) {
	test(`GraphQL over HTTP: the whole audit, ${hasKeys ? 'with' : 'without'} keys`, async (t) => {
		const server = await Server.start(t, { hasKeys });
		const authorization = hasKeys ? { authorization: `Bearer ${server.key}` } : {};
		const results = await auditServer({
			url: server.url,
			fetchFn: (url, init) =>
				fetch(url, { ...init, headers: { ...init?.headers, ...authorization } }),
		});
		const short = results.filter((result) => result.status !== 'ok');
		assert.ok(results.length >= 60, `only ${results.length} audits were run`);
		assert.deepEqual(
			short.map(({ id, name, reason }) => `${id} ${name}: ${reason}`),
			[],
		);
	});
}
