import { createClient } from 'graphql-ws';

export function ws({ url, key }) {
	return createClient({
		url: url.replace('http', 'ws'),
		connectionParams: { Authorization: `Bearer ${key}` },
		// A server that starts again refuses connections for a moment.
		shouldRetry: () => true,
	});
}
