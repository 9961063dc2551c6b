import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';

export function apollo({ url, key }) {
	const Authorization = `Bearer ${key}`;
	const socket = createClient({
		url: url.replace('http', 'ws'),
		connectionParams: { Authorization },
		// A server that starts again refuses connections for a moment.
		shouldRetry: () => true,
	});
	const is = (type) => (operation) => operation.operationType === type;
	const http = new UploadHttpLink({ uri: url, headers: { Authorization } });
	// Queries alone: a mutation with a file would send it twice when its hash is not known.
	const persisted = new PersistedQueryLink({ sha256 });
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
