import { GraphQLClient } from 'graphql-request';

export function request({ url, key, ...options }) {
	return new GraphQLClient(url, { headers: { Authorization: `Bearer ${key}` }, ...options });
}
