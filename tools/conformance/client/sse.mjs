import { createClient } from 'graphql-sse';

export function sse({ url, key, ...options }) {
	return createClient({ url, headers: { Authorization: `Bearer ${key}` }, ...options });
}
