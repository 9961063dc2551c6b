import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';

export function apollo({ url, key, ...options }) {
	const Authorization = `Bearer ${key}`;
	const socket = createClient({
		url: url.replace('http', 'ws'),
		connectionParams: { Authorization },
		shouldRetry: () => true,
		...options.socket,
	});
	const is = (type) => (operation) => operation.operationType === type;
	const http = new UploadHttpLink({ uri: url, headers: { Authorization }, ...options.http });
	// A mutation that has a file is sent once: its hash alone might be refused when the file is there.
	const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: true });
	return new ApolloClient({
		link: ApolloLink.split(
			is(OperationTypeNode.SUBSCRIPTION),
			new GraphQLWsLink(socket),
			ApolloLink.split(is(OperationTypeNode.QUERY), persisted.concat(http), http),
		),
		cache: new InMemoryCache({
			typePolicies: { Coupon: { fields: { codes: relayStylePagination(['filter']) } } },
		}),
	});
}

async function sha256(text) {
	const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
	return Array.from(new Uint8Array(sum), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
