import { EventSource } from 'eventsource';

export function eventSource({ url, key, query, variables }) {
	const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables ?? {}) });
	return new EventSource(`${url}?${parameters}`, {
		fetch: (address, init) =>
			fetch(address, {
				...init,
				headers: { ...init.headers, Authorization: `Bearer ${key}` },
			}),
	});
}
