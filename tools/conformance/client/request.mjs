import { GraphQLClient } from 'graphql-request';

export function request({ url, key }) {
	return new GraphQLClient(url, { headers: { Authorization: `Bearer ${key}` } });
}
