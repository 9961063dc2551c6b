// Queries as an app with Relay has them: a connection that is paged, and an object that is fetched again by its id.
import { graphql } from 'relay-runtime';

export const page = graphql`
  query couponsQuery($count: Int!, $cursor: String) {
    ...coupons_page @arguments(count: $count, cursor: $cursor)
  }
`;

export const list = graphql`
  fragment coupons_page on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "couponsPageQuery") {
    coupons(first: $count, after: $cursor) @connection(key: "coupons_page_coupons") {
      edges { node { id label ...coupons_codes } }
    }
  }
`;

export const codes = graphql`
  fragment coupons_codes on Coupon
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "couponsCodesQuery") {
    codes(first: $count, after: $cursor) @connection(key: "coupons_codes_codes") {
      edges { node { id value status } }
    }
  }
`;
