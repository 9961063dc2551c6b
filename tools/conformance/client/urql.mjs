import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient } from 'graphql-sse';

export function urql({ url, key }) {
	const headers = { Authorization: `Bearer ${key}` };
	const events = createClient({ url, headers });
	return new Client({
		url,
		fetchOptions: { headers },
		preferGetMethod: false,
		exchanges: [
			cacheExchange,
			persistedExchange({ preferGetForPersistedQueries: false }),
			fetchExchange,
			subscriptionExchange({
				forwardSubscription: ({ query, variables }) => ({
					subscribe: (sink) => ({
						unsubscribe: events.subscribe({ query, variables }, sink),
					}),
				}),
			}),
		],
	});
}
