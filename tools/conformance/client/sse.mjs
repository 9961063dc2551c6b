import { createClient } from 'graphql-sse';

export function sse({ url, key }) {
	return createClient({ url, headers: { Authorization: `Bearer ${key}` } });
}
