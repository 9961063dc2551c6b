// What the tests share: a server of their own, with keys, and the job that clients do.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';

// Clients take that of the browser; Node has one from version 22 on.
globalThis.WebSocket ??= WebSocket;

const program =
	process.env.COUPONQL ?? fileURLToPath(new URL('../../bin/couponql', import.meta.url));
const startMilliseconds = 30_000;
// jobMilliseconds is how long a client waits for what the server does in the background.
const jobMilliseconds = 60_000;

// page is the origin of a page that may use the servers of the tests.
export const page = 'http://localhost:5173';

// Server is a running couponql with an empty database.
export class Server {
	// start gives a running server, which ends with the test. hasKeys: it asks for a key, and lets
	// the page in.
	static async start(t, { hasKeys = true } = {}) {
		const server = new Server();
		server.folder = await mkdtemp(join(tmpdir(), 'couponql-conformance-'));
		server.key = hasKeys ? 'admin-key-of-the-conformance-tests' : '';
		server.listen = '127.0.0.1:0';
		// leave has what the clients of the server do before it ends.
		server.leave = [];
		t.after(async () => {
			for (const leave of server.leave) await leave();
			await server.end('SIGKILL');
			await rm(server.folder, { recursive: true, force: true });
		});
		await server.run();
		return server;
	}

	async run() {
		const flags = this.key ? ['--cors-origin', page] : [];
		const files = [
			'--data',
			join(this.folder, 'couponql.duckdb'),
			'--outbox',
			join(this.folder, 'outbox'),
		];
		this.process = spawn(program, ['serve', '--listen', this.listen, ...files, ...flags], {
			stdio: ['ignore', 'ignore', 'pipe'],
			env: { ...process.env, COUPONQL_ADMIN_KEY: this.key, COUPONQL_KEY: '' },
		});
		const late = setTimeout(() => this.process.kill('SIGKILL'), startMilliseconds);
		const log = [];
		const address = await new Promise((ready, fail) => {
			createInterface({ input: this.process.stderr }).on('line', (line) => {
				log.push(line);
				const found = line.match(/^listening on (http:\S+)$/);
				if (found) ready(found[1]);
			});
			this.process.once('exit', () =>
				fail(new Error(`the server ended:\n${log.join('\n')}`)),
			);
		});
		clearTimeout(late);
		this.listen = address.replace('http://', '');
		this.url = `${address}/graphql`;
		this.socketURL = this.url.replace('http', 'ws');
	}

	// end ends the server as a signal does.
	async end(signal) {
		if (this.process.exitCode !== null || this.process.signalCode !== null) return;
		const ended = once(this.process, 'exit');
		this.process.kill(signal);
		await ended;
	}

	// post sends a body as it is, with the key.
	post(body, headers = {}) {
		const authorization = this.key ? { Authorization: `Bearer ${this.key}` } : {};
		return fetch(this.url, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json', ...authorization, ...headers },
			body: JSON.stringify(body),
		});
	}

	// ask gives the data of an answer that has no errors.
	async ask(query, variables) {
		const { data, errors } = await (await this.post({ query, variables })).json();
		assert.equal(errors, undefined, JSON.stringify(errors));
		return data;
	}
}

// reachable waits until something is so.
export async function reachable(what, look) {
	const end = Date.now() + jobMilliseconds;
	for (;;) {
		const found = await look();
		if (found) return found;
		assert.ok(Date.now() < end, `not in time: ${what}`);
		await new Promise((next) => setTimeout(next, 50));
	}
}

// iterated gives what an observer gets, one by one. open begins, and gives what ends it.
export async function* iterated(open) {
	const waiting = [];
	let wake = () => {};
	const put = (entry) => {
		waiting.push(entry);
		wake();
	};
	const close = open({
		next: (value) => put({ value }),
		error: (error) => put({ error }),
		complete: () => put({ isOver: true }),
	});
	try {
		for (;;) {
			while (waiting.length === 0) await new Promise((next) => (wake = next));
			const { value, error, isOver } = waiting.shift();
			if (error) throw error;
			if (isOver) return;
			yield value;
		}
	} finally {
		close();
	}
}

// recorded gives what is sent from here on to the end of the test.
export function recorded(t) {
	const sent = [];
	const { fetch } = globalThis;
	t.mock.method(globalThis, 'fetch', (url, init) => {
		sent.push({ url: String(url), ...init });
		return fetch(url, init);
	});
	return sent;
}
