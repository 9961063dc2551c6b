// Compares the schema with that of the last release and fails on what breaks callers, unless CHANGELOG.md announces it:
// in the part [Unreleased], under the heading "### Breaking", with the path of what breaks as code, such as
// `Coupon.code`. What changes for nobody who asks through GraphQL, such as the directives of the generator, is not
// compared.
//
//   node check.mjs path/to/docs/schema path/to/schema.graphql path/to/CHANGELOG.md
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema, lexicographicSortSchema } from 'graphql';

const [releases, current, changelog] = process.argv.slice(2);

// breaking gives the changes that break callers.
async function breaking(before, after) {
	// The definitions and places of directives are the server's own business.
	const changes = await diff(before, after, [({ changes }) => changes.filter((change) => !change.type.startsWith('DIRECTIVE_'))]);
	return changes.filter((change) => change.criticality.level === CriticalityLevel.Breaking);
}

// unannounced leaves the changes that the changelog does not announce.
function unannounced(changes, text) {
	const unreleased = text.split(/^## /m).find((part) => part.startsWith('[Unreleased]')) ?? '';
	const part = unreleased.split(/^### /m).find((part) => /^Breaking\s/.test(part)) ?? '';
	const announced = new Set([...part.matchAll(/`([^`]+)`/g)].map((match) => match[1]));
	return changes.filter((change) => !announced.has(change.path));
}

// checkItself: a check that finds nothing any more must be noticed.
async function checkItself() {
	const before = buildSchema('type Query { a(b: Int): Int c: Color } enum Color { RED GREEN }');
	const after = buildSchema('directive @d on FIELD_DEFINITION type Query { a(b: Int!): Int @d e: Int c: Color } enum Color { RED BLUE }');
	const found = await breaking(before, after);
	assert.deepEqual(found.map((change) => change.path).sort(), ['Color.GREEN', 'Query.a.b']);
	const text = '## [Unreleased]\n\n### Breaking\n- `Query.a.b` is required.\n\n### Added\n- `Color.GREEN`\n\n## [1.0.0]\n### Breaking\n- `Color.GREEN`\n';
	assert.deepEqual(unannounced(found, text).map((change) => change.path), ['Color.GREEN']);
}

await checkItself();
const files = (await readdir(releases)).filter((name) => /^\d+\.\d+\.\d+\.graphql$/.test(name));
assert.ok(files.length > 0, `${releases} has no schema of a release`);
const last = files.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
const load = async (path) => lexicographicSortSchema(buildSchema(await readFile(path, 'utf8')));
const found = await breaking(await load(join(releases, last)), await load(current));
const silent = unannounced(found, await readFile(changelog, 'utf8'));
for (const change of found) {
	console.log(`${silent.includes(change) ? 'BREAKS CALLERS' : 'announced'}: ${change.path}: ${change.message}`);
}
if (silent.length > 0) {
	console.error(
		`\n${silent.length} changes since ${last} break callers. Keep what was there (@deprecated says what to use), or announce each in\n` +
			'CHANGELOG.md, in [Unreleased] under "### Breaking", with its path as code.',
	);
	process.exit(1);
}
console.log(`compared with ${last}: ${found.length} changes break callers, all of them announced`);
