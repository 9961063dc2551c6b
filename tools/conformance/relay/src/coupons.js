// What an app with Relay has: connections that are paged, an object that is fetched again by its id,
// mutations and a subscription.
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

export const create = graphql`
  mutation couponsCreateMutation($input: CreateCouponInput!) {
    createCoupon(input: $input) { coupon { id label } userErrors { code message field } }
  }
`;

export const generate = graphql`
  mutation couponsGenerateMutation($input: GenerateCodesInput!) {
    generateCodes(input: $input) { generatedCount userErrors { code message field } }
  }
`;

export const redeem = graphql`
  mutation couponsRedeemMutation($input: RedeemCodeInput!) {
    redeemCode(input: $input) { redemption { id code { id status } } userErrors { code message field } }
  }
`;

export const recorded = graphql`
  subscription couponsRecordedSubscription($couponId: ID) {
    redemptionRecorded(couponId: $couponId) { id code { id status } }
  }
`;
