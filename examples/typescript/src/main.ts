// An example of a typed client in TypeScript: it does the reference job with the documents that GraphQL Code Generator
// makes of ../operations.graphql, and checks what it gets. `make examples` runs it.
//
//   COUPONQL_URL  address of the server; http://127.0.0.1:8080 unless given
//   COUPONQL_KEY  API key, where the server asks for one
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import {
	AddTargetsDocument,
	AnalyzeDeliveryDocument,
	ConfirmDeliveryDocument,
	CouponStatsDocument,
	CreateCouponDocument,
	CreateDeliveryDocument,
	CreateUploadDocument,
	DeliveryOutcomeDocument,
	GenerateCodesDocument,
	ImportOutcomeDocument,
	ImportRecipientsDocument,
	type ProblemFragment,
	RedeemCodeDocument,
	type TypedDocumentString,
} from './operations.generated.js';

const address = process.env['COUPONQL_URL'] ?? 'http://127.0.0.1:8080';
const key = process.env['COUPONQL_KEY'];
const codeCount = 100;
const pollMilliseconds = 100;
const jobMilliseconds = 60_000;

// ask sends an operation. The types of its variables and of what it gives come from the document.
async function ask<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result> {
	const response = await fetch(`${address}/graphql`, {
		method: 'POST',
		headers: {
			'Content-Type': 'application/json',
			Accept: 'application/graphql-response+json, application/json',
			...(key ? { Authorization: `Bearer ${key}` } : {}),
		},
		body: JSON.stringify({ query: document.toString(), variables }),
	});
	const { data, errors } = (await response.json()) as { data?: Result; errors?: { message: string }[] };
	if (errors || !data) throw new Error(`${response.status}: ${errors?.map((e) => e.message).join('; ')}`);
	return data;
}

// check fails when there is something that the caller of a mutation should mend.
function check<Payload extends { userErrors: ProblemFragment[] }>(payload: Payload): Payload {
	const text = payload.userErrors.map((e) => `${e.code} at ${e.field?.join('.')}: ${e.message}`).join('\n');
	assert.equal(payload.userErrors.length, 0, text);
	return payload;
}

// must gives a value that the server has, since there were no userErrors.
function must<T>(value: T | null | undefined): T {
	assert.ok(value !== null && value !== undefined, 'the server answers null');
	return value;
}

// poll asks until it is over, and gives the last answer.
async function poll<T>(look: () => Promise<T>, isOver: (found: T) => boolean): Promise<T> {
	const end = Date.now() + jobMilliseconds;
	for (;;) {
		const found = await look();
		if (isOver(found)) return found;
		assert.ok(Date.now() < end, `not over in time: ${JSON.stringify(found)}`);
		await pause(pollMilliseconds);
	}
}

// A coupon with a pool of codes.
const day = 24 * 60 * 60 * 1000;
const created = check(
	(
		await ask(CreateCouponDocument, {
			input: {
				label: 'Example in TypeScript',
				type: 'INDIVIDUAL',
				startsAt: new Date(Date.now() - day).toISOString(),
				endsAt: new Date(Date.now() + 90 * day).toISOString(),
			},
		})
	).createCoupon,
);
const couponId = must(created.coupon).id;
const generated = check(
	(await ask(GenerateCodesDocument, { input: { couponId, count: codeCount, pattern: 'TS-########' } })).generateCodes,
);
assert.equal(generated.coupon?.availability.available, codeCount);

// Recipients from a file, which is sent to a signed link first. The last one has an address that cannot be right.
const file = Buffer.from(`customer id,e-mail,first name
example-ts-1,ada@example.com,Ada
example-ts-2,grace@example.com,Grace
example-ts-3,barbara@example.com,Barbara
example-ts-4,not an address,Nobody
`);
const externalIds = ['example-ts-1', 'example-ts-2', 'example-ts-3', 'example-ts-4'];
const upload = must(
	check((await ask(CreateUploadDocument, { input: { fileName: 'recipients.csv', byteCount: file.length } })).createUpload).upload,
);
const put = await fetch(upload.url, { method: 'PUT', body: file });
assert.ok(put.ok, `the upload is answered with ${put.status}`);
const queued = must(check((await ask(ImportRecipientsDocument, { uploadId: upload.id })).importRecipients).import);
const imported = await poll(
	async () => must((await ask(ImportOutcomeDocument, { id: queued.id })).import),
	(found) => found.status !== 'QUEUED' && found.status !== 'RUNNING',
);
assert.deepEqual([imported.status, imported.rowsImported, imported.rowsRejected], ['SUCCEEDED', externalIds.length, 0]);

// A delivery: prepared, looked at, sent.
const delivery = must(
	check(
		(
			await ask(CreateDeliveryDocument, {
				input: {
					label: 'Example in TypeScript',
					channel: 'EMAIL',
					couponId,
					subject: 'For {{ recipient.firstName }}',
					body: 'Your code: {{ couponValue.code }}',
				},
			})
		).createDelivery,
	).delivery,
);
check((await ask(AddTargetsDocument, { deliveryId: delivery.id, externalIds })).addTargets);
const analyzed = must(check((await ask(AnalyzeDeliveryDocument, { id: delivery.id })).analyzeDelivery).delivery);
assert.equal(analyzed.status, 'READY');
assert.equal(analyzed.analysis?.messageCount, 3);
assert.deepEqual(analyzed.analysis.exclusions, [{ reason: 'INVALID_ADDRESS', count: 1 }]);
check((await ask(ConfirmDeliveryDocument, { id: delivery.id })).confirmDelivery);
const sent = await poll(
	async () => must((await ask(DeliveryOutcomeDocument, { id: delivery.id })).delivery),
	(found) => found.status === 'FINISHED' || found.status === 'FAILED',
);
assert.deepEqual([sent.status, sent.counts.sent], ['FINISHED', 3]);
const message = sent.messages.nodes.find((m) => m.recipient.externalId === 'example-ts-1');
const code = must(message?.code).value;

// A redemption: once, again with the same key, which is harmless, and again as another customer would.
const redemption = { value: code, amount: '49.90', currency: 'EUR', idempotencyKey: `order of ${code}` };
const first = must(check((await ask(RedeemCodeDocument, { input: redemption })).redeemCode).redemption);
const repeated = must(check((await ask(RedeemCodeDocument, { input: redemption })).redeemCode).redemption);
assert.equal(repeated.id, first.id);
const { redeemCode: refused } = await ask(RedeemCodeDocument, { input: { value: code } });
assert.deepEqual(
	refused.userErrors.map((e) => e.code),
	['CODE_ALREADY_REDEEMED'],
);

// What came of it.
const { redemptionStats } = await ask(CouponStatsDocument, { couponId });
assert.equal(redemptionStats.length, 1);
const { keys, stats } = must(redemptionStats[0]);
assert.deepEqual([keys, stats.sent, stats.redeemed], [['EMAIL'], 3, 1]);
assert.deepEqual(stats.byCurrency, [{ currency: 'EUR', redeemed: 1, amount: '49.90' }]);

console.log('examples/typescript: the reference job is done');
