// Clients in a page of another origin, as a browser lets them ask: with a preflight, and with what
// it may read of an answer.
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { ApolloClient, ApolloLink, InMemoryCache, gql } from '@apollo/client';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { createClient as createSSE } from 'graphql-sse';
import { createClient as createWS } from 'graphql-ws';
import WebSocket from 'ws';
import { doJob, documents } from './job.mjs';
import { Server, iterated, page } from './server.mjs';

// simpleTypes are the media types that a page may send without asking, and readable the headers
// that it may always read.
const simpleTypes = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const readable = [
	'cache-control',
	'content-language',
	'content-length',
	'content-type',
	'expires',
	'last-modified',
	'pragma',
];

// fetchFrom gives fetch as a browser has it for the pages of an origin
// (https://fetch.spec.whatwg.org), and counts its preflights.
function fetchFrom(origin) {
	const seen = { preflights: 0, methods: new Set() };
	const fetchOf = async (url, init = {}) => {
		const request = new Request(url, { ...init, duplex: 'half' });
		const own = [...new Headers(init.headers).keys()].filter(
			(name) => !['accept', 'accept-language'].includes(name),
		);
		const type = request.headers.get('content-type')?.split(';')[0] ?? '';
		const asked = own
			.filter((name) => name !== 'content-type' || !simpleTypes.includes(type))
			.sort();
		const isSimple = ['GET', 'HEAD', 'POST'].includes(request.method) && asked.length === 0;
		seen.methods.add(request.method);
		if (!isSimple) {
			seen.preflights++;
			const preflight = await fetch(url, {
				method: 'OPTIONS',
				headers: {
					Origin: origin,
					'Access-Control-Request-Method': request.method,
					...(asked.length > 0
						? { 'Access-Control-Request-Headers': asked.join(',') }
						: {}),
				},
			});
			const list = (name) => (preflight.headers.get(name) ?? '').toLowerCase().split(/,\s*/);
			const isAllowed =
				preflight.ok &&
				[origin, '*'].includes(preflight.headers.get('access-control-allow-origin')) &&
				(['GET', 'HEAD', 'POST'].includes(request.method) ||
					list('access-control-allow-methods').includes(request.method.toLowerCase())) &&
				// An asterisk does not let Authorization through.
				asked.every((name) => list('access-control-allow-headers').includes(name));
			if (!isAllowed)
				throw new TypeError(
					`Failed to fetch: the preflight of ${request.method} with ${asked}`,
				);
		}
		const headers = new Headers(request.headers);
		headers.set('Origin', origin);
		headers.set('Accept-Encoding', 'gzip, deflate, br, zstd');
		const answer = await fetch(request, { headers });
		if (![origin, '*'].includes(answer.headers.get('access-control-allow-origin'))) {
			throw new TypeError('Failed to fetch: the answer is not for this origin');
		}
		const exposed = (answer.headers.get('access-control-expose-headers') ?? '')
			.toLowerCase()
			.split(/,\s*/);
		const told = [...answer.headers].filter(([name]) =>
			[...readable, ...exposed].includes(name),
		);
		return new Response(answer.body, {
			status: answer.status,
			statusText: answer.statusText,
			headers: told,
		});
	};
	return { fetch: fetchOf, seen };
}

// apolloIn gives an Apollo client in a page, with the header that tells other servers that a form
// is from a script.
function apolloIn(server, browser) {
	const client = new ApolloClient({
		link: ApolloLink.from([
			new UploadHttpLink({
				uri: server.url,
				headers: {
					Authorization: `Bearer ${server.key}`,
					'Apollo-Require-Preflight': 'true',
				},
				fetch: browser.fetch,
			}),
		]),
		cache: new InMemoryCache(),
	});
	return async (text, variables) => {
		const document = gql(text);
		const isMutation = document.definitions[0].operation === 'mutation';
		const { data } = isMutation
			? await client.mutate({ mutation: document, variables })
			: await client.query({ query: document, variables, fetchPolicy: 'network-only' });
		return data;
	};
}

test('a page of a named origin does the reference job', async (t) => {
	const server = await Server.start(t);
	const browser = fetchFrom(page);
	const headers = { Authorization: `Bearer ${server.key}` };
	const events = createSSE({ url: server.url, headers, fetchFn: browser.fetch });
	await doJob({
		files: true,
		ask: apolloIn(server, browser),
		watch: (query, variables) =>
			iterated((sink) =>
				events.subscribe(
					{ query, variables },
					{
						...sink,
						next: ({ data, errors }) => (errors ? sink.error(errors) : sink.next(data)),
					},
				),
			),
	});
	assert.ok(browser.seen.preflights > 10);
});

test('a page of a named origin sends a file to a link', async (t) => {
	const server = await Server.start(t);
	const browser = fetchFrom(page);
	const ask = apolloIn(server, browser);
	const { createUpload } = await ask(documents.createUpload, {
		input: { fileName: 'codes.csv' },
	});
	const put = await browser.fetch(createUpload.upload.url, {
		method: 'PUT',
		body: 'code\nA-1\n',
	});
	assert.ok(put.ok, String(put.status));
	assert.ok(browser.seen.methods.has('PUT'));
});

test('a page of a named origin follows by WebSocket', async (t) => {
	const server = await Server.start(t);
	class PageSocket extends WebSocket {
		constructor(url, protocols) {
			super(url, protocols, { origin: page });
		}
	}
	const client = createWS({
		url: server.socketURL,
		connectionParams: { Authorization: `Bearer ${server.key}` },
		webSocketImpl: PageSocket,
	});
	server.leave.push(() => client.dispose());
	const { value } = await client.iterate({ query: '{ coupons { totalCount } }' }).next();
	assert.deepEqual(value.data, { coupons: { totalCount: 0 } });
});

test('a page reads why a request is refused', async (t) => {
	const server = await Server.start(t);
	const ask = (key) =>
		fetchFrom(page).fetch(server.url, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` },
			body: '{"query": "{ coupons { totalCount } }"}',
		});
	const refused = await ask('wrong');
	assert.equal(refused.status, 401);
	assert.equal((await refused.json()).errors[0].extensions.code, 'UNAUTHENTICATED');
	assert.ok(refused.headers.get('x-request-id'));
});

test('a page of another origin is told the origin and the flag', async (t) => {
	const server = await Server.start(t);
	const other = 'http://localhost:3000';
	await assert.rejects(
		apolloIn(server, fetchFrom(other))('{ coupons { totalCount } }'),
		/Failed to fetch: the preflight/,
	);
	const answer = await server.post({ query: '{ coupons { totalCount } }' }, { Origin: other });
	assert.equal(answer.status, 403);
	const { errors } = await answer.json();
	assert.match(
		errors[0].message,
		/http:\/\/localhost:3000 may not use this server.*--cors-origin/,
	);
});

test('requests share a connection, also those that are refused', async (t) => {
	const server = await Server.start(t);
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	server.leave.push(() => agent.destroy());
	const post = (query, key) =>
		new Promise((done, fail) => {
			const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${key}` };
			const asked = request(server.url, { method: 'POST', agent, headers }, (answer) => {
				answer.resume();
				answer.once('end', () =>
					done(`${answer.statusCode} ${asked.reusedSocket ? 'again' : 'first'}`),
				);
			});
			asked.once('error', fail);
			asked.end(JSON.stringify({ query }));
		});
	assert.equal(await post('{ coupons { totalCount } }', server.key), '200 first');
	assert.equal(await post('{ nothing }', server.key), '200 again');
	assert.equal(await post('', server.key), '400 again');
	assert.equal(await post('{ coupons { totalCount } }', 'wrong'), '401 again');
	assert.equal(await post('{ coupons { totalCount } }', server.key), '200 again');
});
