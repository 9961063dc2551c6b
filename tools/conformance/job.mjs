// The reference job, as every client does it that can: codes and recipients from files, a delivery
// that a subscription watches, a redemption, pages, and what goes wrong.
import assert from 'node:assert/strict';
import { reachable, recorded } from './server.mjs';

const codeCount = 250;
const pageSize = 100;

const problems = 'userErrors { code message field }';

export const documents = {
	createCoupon: `mutation CreateCoupon($input: CreateCouponInput!) {
		createCoupon(input: $input) { coupon { id label } ${problems} }
	}`,
	createUpload: `mutation CreateUpload($input: CreateUploadInput!) {
		createUpload(input: $input) { upload { id url } ${problems} }
	}`,
	importCodes: `mutation ImportCodes($input: ImportCodesInput!) {
		importCodes(input: $input) { import { id fileName } ${problems} }
	}`,
	importRecipients: `mutation ImportRecipients($input: ImportRecipientsInput!) {
		importRecipients(input: $input) { import { id fileName } ${problems} }
	}`,
	importOutcome: `query ImportOutcome($id: ID!) {
		import(id: $id) { id status rowsImported rowsRejected }
	}`,
	importProgress: `subscription ImportProgress($id: ID!) {
		importProgress(id: $id) { id status rowsImported rowsRejected }
	}`,
	createDelivery: `mutation CreateDelivery($input: CreateDeliveryInput!) {
		createDelivery(input: $input) { delivery { id status } ${problems} }
	}`,
	addTargets: `mutation AddTargets($input: AddTargetsInput!) {
		addTargets(input: $input) { delivery { id targetCount } ${problems} }
	}`,
	analyzeDelivery: `mutation AnalyzeDelivery($id: ID!) {
		analyzeDelivery(input: { id: $id }) {
			delivery {
				id
				status
				analysis { messageCount isSufficient exclusions { reason count } }
			}
			${problems}
		}
	}`,
	confirmDelivery: `mutation ConfirmDelivery($id: ID!) {
		confirmDelivery(input: { id: $id }) { delivery { id status } ${problems} }
	}`,
	deliveryOutcome: `query DeliveryOutcome($id: ID!) {
		delivery(id: $id) {
			id
			status
			counts { sent }
			messages(first: 10) { nodes { id code { id value } recipient { id externalId } } }
		}
	}`,
	deliveryProgress: `subscription DeliveryProgress($id: ID!) {
		deliveryProgress(id: $id) { id status counts { sent } analysis { messageCount } }
	}`,
	redeemCode: `mutation RedeemCode($input: RedeemCodeInput!) {
		redeemCode(input: $input) { redemption { id amount currency } ${problems} }
	}`,
	codes: `query Codes($id: ID!, $first: Int!, $after: String) {
		coupon(id: $id) {
			id
			codes(first: $first, after: $after) {
				totalCount
				edges { cursor node { id value status } }
				pageInfo { endCursor hasNextPage hasPreviousPage startCursor }
			}
		}
	}`,
	redemptionRecorded: `subscription RedemptionRecorded($couponId: ID) {
		redemptionRecorded(couponId: $couponId) { id coupon { id label } }
	}`,
};

// doJob lets a client do the job. The client has
//   ask(document, variables)    gives the data of a query or a mutation
//   watch(document, variables)  gives the data of a subscription's events, one by one, if it can
//   files                       whether it sends files itself
export async function doJob(client) {
	const change = async (name, variables) => {
		const payload = (await client.ask(documents[name], variables))[name];
		assert.deepEqual(payload.userErrors, [], name);
		return payload;
	};
	// send gives what a file is to an input.
	const send = async (file) => {
		if (client.files) return { file };
		const { upload } = await change('createUpload', {
			input: { fileName: file.name, byteCount: file.size },
		});
		const put = await fetch(upload.url, { method: 'PUT', body: file });
		assert.ok(put.ok, `the upload is answered with ${put.status}`);
		return { uploadId: upload.id };
	};
	const imported = async (name, input, text, fileName) => {
		const file = new File([text], fileName);
		const { import: queued } = await change(name, {
			input: { ...input, ...(await send(file)) },
		});
		assert.equal(queued.fileName, fileName);
		let last;
		if (client.watch) {
			for await (const event of client.watch(documents.importProgress, { id: queued.id }))
				last = event.importProgress;
		} else {
			last = await reachable('the end of an import', async () => {
				const { import: found } = await client.ask(documents.importOutcome, {
					id: queued.id,
				});
				return found.status !== 'QUEUED' && found.status !== 'RUNNING' && found;
			});
		}
		assert.equal(last.status, 'SUCCEEDED');
		assert.equal(last.rowsRejected, 0);
		return last.rowsImported;
	};

	const { coupon } = await change('createCoupon', {
		input: { label: 'Winter', type: 'INDIVIDUAL', startsAt: '2020-01-01T00:00:00Z' },
	});
	assert.equal(coupon.label, 'Winter');
	const values = Array.from({ length: codeCount }, (_, i) => `W-${1000 + i}`);
	assert.equal(
		await imported(
			'importCodes',
			{ couponId: coupon.id },
			`code\n${values.join('\n')}\n`,
			'codes.csv',
		),
		codeCount,
	);
	const people =
		'customer id,e-mail,first name\nc-1,ada@example.com,Ada\nc-2,grace@example.com,Zoë\nc-3,x,No\n';
	assert.equal(await imported('importRecipients', {}, people, 'people.csv'), 3);

	const { delivery } = await change('createDelivery', {
		input: {
			label: 'Winter',
			channel: 'EMAIL',
			couponId: coupon.id,
			subject: 'For {{ recipient.firstName }}',
			body: 'Your code: {{ couponValue.code }}',
		},
	});
	const { delivery: targeted } = await change('addTargets', {
		input: { deliveryId: delivery.id, filter: { externalIds: ['c-1', 'c-2', 'c-3'] } },
	});
	assert.equal(targeted.targetCount, 3);
	const seen = [];
	const watching =
		client.watch && watch(client.watch(documents.deliveryProgress, { id: delivery.id }), seen);
	if (watching) await reachable('the first event', () => seen.length > 0);
	const { delivery: analyzed } = await change('analyzeDelivery', { id: delivery.id });
	assert.equal(analyzed.status, 'READY');
	assert.equal(analyzed.analysis.messageCount, 2);
	assert.equal(analyzed.analysis.isSufficient, true);
	assert.deepEqual(plain(analyzed.analysis.exclusions), [
		{ reason: 'INVALID_ADDRESS', count: 1 },
	]);
	if (watching)
		await reachable('the analysis by an event', () =>
			seen.some((d) => d.analysis?.messageCount === 2),
		);
	await change('confirmDelivery', { id: delivery.id });
	if (watching) {
		await watching;
		assert.equal(seen.at(-1).status, 'FINISHED');
		assert.equal(seen.at(-1).counts.sent, 2);
	}
	const outcome = await reachable('the end of the delivery', async () => {
		const { delivery: found } = await client.ask(documents.deliveryOutcome, {
			id: delivery.id,
		});
		return found.status === 'FINISHED' && found;
	});
	assert.equal(outcome.counts.sent, 2);
	const code = outcome.messages.nodes.find((m) => m.recipient.externalId === 'c-1').code.value;
	assert.ok(values.includes(code), code);

	const input = {
		value: code,
		amount: '49.90',
		currency: 'EUR',
		idempotencyKey: `order of ${code}`,
	};
	const { redemption } = await change('redeemCode', { input });
	assert.equal(redemption.amount, '49.90');
	assert.equal((await change('redeemCode', { input })).redemption.id, redemption.id);
	const { redeemCode: refused } = await client.ask(documents.redeemCode, {
		input: { value: code },
	});
	assert.equal(refused.redemption, null);
	assert.deepEqual(
		refused.userErrors.map((e) => e.code),
		['CODE_ALREADY_REDEEMED'],
	);

	const found = [];
	for (let after = null; ; ) {
		const { coupon: read } = await client.ask(documents.codes, {
			id: coupon.id,
			first: pageSize,
			after,
		});
		assert.equal(read.codes.totalCount, codeCount);
		found.push(...read.codes.edges.map((e) => e.node.value));
		if (!read.codes.pageInfo.hasNextPage) break;
		after = read.codes.pageInfo.endCursor;
	}
	assert.deepEqual([...new Set(found)].sort(), values);
	return { couponId: coupon.id, codes: values.filter((value) => value !== code) };
}

async function watch(events, seen) {
	for await (const event of events) seen.push(event.deliveryProgress);
}

// plain gives a value without what a client adds to it.
function plain(value) {
	return JSON.parse(
		JSON.stringify(value, (name, inner) => (name === '__typename' ? undefined : inner)),
	);
}

// codesOf gives the codes of the errors that a promise is rejected with.
export async function codesOf(promise, errorsOf) {
	const failure = await promise.then(
		(data) => assert.fail(`answered ${JSON.stringify(data)}`),
		(error) => error,
	);
	const errors = errorsOf(failure);
	assert.ok(Array.isArray(errors), failure.stack);
	return errors.map((e) => e.extensions?.code);
}

// checkPersisted asks the same again and again: with the steps of a new document at first and after
// a restart of the server, and with its hash alone otherwise.
export async function checkPersisted(t, server, ask, steps) {
	const sent = recorded(t);
	const check = async (want) => {
		const { coupons } = await ask('query Count { coupons { totalCount } }');
		assert.equal(coupons.totalCount, 0);
		const took = sent.splice(0).map(({ url, method, body }) => {
			const text = method === 'GET' ? decodeURIComponent(url) : String(body);
			assert.match(text, /sha256Hash/);
			return `${method} ${/totalCount/.test(text) ? 'document' : 'hash'}`;
		});
		assert.deepEqual(took, want);
	};
	await check(steps);
	await check(steps.slice(0, 1));
	await server.end('SIGTERM');
	await server.run();
	await check(steps);
}
