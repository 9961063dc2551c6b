// Checks resumable uploads with tus-js-client and the built server: an upload is aborted in the middle, the
// server killed and started again, and the upload resumed by its link alone. Then the file is imported and its
// rows are counted. The same for a file of unknown length, and for chunks with checksums.
//
//   node check.mjs path/to/couponql
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import * as tus from 'tus-js-client';

const program = resolve(process.argv[2]);
const folder = await mkdtemp(join(tmpdir(), 'couponql-tus-'));
const startSeconds = 30;
const importSeconds = 120;
const chunkSize = 512 << 10;

// start gives a running server and its address.
async function start(listen) {
	const server = spawn(
		program,
		['serve', '--listen', listen, '--data', join(folder, 'couponql.duckdb'), '--outbox', join(folder, 'outbox')],
		{ stdio: ['ignore', 'ignore', 'pipe'] },
	);
	const late = setTimeout(() => server.kill('SIGKILL'), startSeconds * 1000);
	const log = [];
	const lines = createInterface({ input: server.stderr });
	const url = await new Promise((ready, fail) => {
		lines.on('line', (line) => {
			log.push(line);
			const found = line.match(/^listening on (\S+)$/);
			if (found) ready(found[1]);
		});
		server.once('exit', () => fail(new Error(`the server ended:\n${log.join('\n')}`)));
	});
	clearTimeout(late);
	return { server, url, log };
}

async function kill(server) {
	if (server.exitCode !== null || server.signalCode !== null) return;
	const exit = once(server, 'exit');
	server.kill('SIGKILL');
	await exit;
}

async function ask(url, query, variables = {}) {
	const response = await fetch(`${url}/graphql`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ query, variables }),
	});
	const { data, errors } = await response.json();
	assert.equal(errors, undefined, JSON.stringify(errors));
	for (const [field, payload] of Object.entries(data)) {
		assert.deepEqual(payload?.userErrors ?? [], [], `${field}: ${JSON.stringify(payload)}`);
	}
	return data;
}

// codes gives a file with so many codes that are like no others.
function codes(prefix, count) {
	const rows = ['code,label'];
	for (let i = 0; i < count; i++) rows.push(`${prefix}-${String(i).padStart(8, '0')},label ${i % 7}`);
	return Buffer.from(`${rows.join('\n')}\n`);
}

async function createUpload(url, file, isAnnounced) {
	const input = { fileName: 'codes.csv' };
	if (isAnnounced) {
		input.byteCount = file.length;
		input.checksum = createHash('sha256').update(file).digest('hex');
	}
	const data = await ask(
		url,
		'mutation ($input: CreateUploadInput!) { createUpload(input: $input) { upload { id url } userErrors { message } } }',
		{ input },
	);
	return data.createUpload.upload;
}

// send uploads until the end, or until so many bytes were accepted; it gives how many were.
function send(content, uploadUrl, options = {}, stopAt = Infinity) {
	return new Promise((done, fail) => {
		let accepted = 0;
		const upload = new tus.Upload(content, {
			uploadUrl,
			chunkSize,
			retryDelays: null,
			...options,
			onError: fail,
			onSuccess: () => done(accepted),
			onChunkComplete: (_size, total) => {
				accepted = total;
				if (total >= stopAt) upload.abort().then(() => done(accepted), fail);
			},
		});
		upload.start();
	});
}

async function offset(uploadUrl) {
	const response = await fetch(uploadUrl, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } });
	assert.equal(response.status, 200);
	return Number(response.headers.get('Upload-Offset'));
}

// importUpload imports an upload and gives what became of it.
async function importUpload(url, uploadId) {
	const queued = await ask(
		url,
		`mutation ($id: ID!) { importCodes(input: { couponId: "coupon_1", uploadId: $id }) { import { id } userErrors { message } } }`,
		{ id: uploadId },
	);
	const end = Date.now() + importSeconds * 1000;
	for (;;) {
		const data = await ask(url, 'query ($id: ID!) { import(id: $id) { status failure rowsRead rowsImported } }', {
			id: queued.importCodes.import.id,
		});
		if (!['QUEUED', 'RUNNING'].includes(data.import.status)) return data.import;
		assert.ok(Date.now() < end, 'the import takes too long');
		await pause(100);
	}
}

function imported(rows) {
	return { status: 'SUCCEEDED', failure: null, rowsRead: rows, rowsImported: rows };
}

// resumeAfterCrash gives the server that was started anew.
async function resumeAfterCrash(running) {
	const rows = 200_000;
	const file = codes('CRASH', rows);
	const upload = await createUpload(running.url, file, true);
	const before = await send(file, upload.url, {}, file.length / 2);
	assert.ok(before >= file.length / 2 && before < file.length, `${before} of ${file.length} bytes were sent`);
	await kill(running.server);
	const again = await start(new URL(running.url).host);
	const kept = await offset(upload.url);
	assert.ok(kept >= before, `${kept} bytes were kept of ${before}`);
	let sent = 0;
	await send(file, upload.url, { onAfterResponse: (request) => (sent += request.getMethod() === 'PATCH' ? 1 : 0) });
	assert.equal(sent, Math.ceil((file.length - kept) / chunkSize), 'chunks that were sent after the restart');
	assert.equal(await offset(upload.url), file.length);
	assert.deepEqual(await importUpload(again.url, upload.id), imported(rows));
	console.log(`ok: ${file.length} bytes, ${kept} of them before the crash; ${rows} rows`);
	return again;
}

async function deferLength(url) {
	const rows = 50_000;
	const file = codes('DEFER', rows);
	const upload = await createUpload(url, file, false);
	await send(Readable.from(file), upload.url, { uploadLengthDeferred: true });
	assert.deepEqual(await importUpload(url, upload.id), imported(rows));
	console.log(`ok: a stream of unknown length; ${rows} rows`);
}

// refuseWrongChunk has a chunk that is not what its checksum says: the client is told, and it is not kept.
async function refuseWrongChunk(url) {
	const file = codes('WRONG', 1000);
	const upload = await createUpload(url, file, true);
	const checksum = createHash('sha256').update('something else').digest('base64');
	const failure = await send(file, upload.url, { headers: { 'Upload-Checksum': `sha256 ${checksum}` } }).then(
		() => assert.fail('a wrong chunk was taken'),
		(error) => error,
	);
	assert.equal(failure.originalResponse?.getStatus(), 460, String(failure));
	assert.equal(await offset(upload.url), 0);
	const right = createHash('sha256').update(file).digest('base64');
	await send(file, upload.url, { headers: { 'Upload-Checksum': `sha256 ${right}` } });
	assert.deepEqual(await importUpload(url, upload.id), imported(1000));
	console.log('ok: a chunk with a wrong checksum is not kept');
}

async function terminate(url) {
	const file = codes('GONE', 100_000);
	const upload = await createUpload(url, file, true);
	await send(file, upload.url, {}, 1);
	await tus.Upload.terminate(upload.url);
	const response = await fetch(upload.url, { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } });
	assert.equal(response.status, 404);
	console.log('ok: an upload that is terminated is gone');
}

let running = await start('127.0.0.1:0');
try {
	await ask(
		running.url,
		'mutation { createCoupon(input: { label: "Sale", type: INDIVIDUAL, startsAt: "2020-01-01" }) { userErrors { message } } }',
	);
	running = await resumeAfterCrash(running);
	await deferLength(running.url);
	await refuseWrongChunk(running.url);
	await terminate(running.url);
} catch (error) {
	console.error(`the end of the server's log:\n${running.log.slice(-50).join('\n')}`);
	throw error;
} finally {
	await kill(running.server);
	await rm(folder, { recursive: true, force: true });
}
console.log('make tus: all passed');
