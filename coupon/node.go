package coupon

// The types below have an id that node(id:) finds; the marker says so to the generated schema code.

// IsNode marks Coupon as an object with an id.
func (*Coupon) IsNode() {}

// IsNode marks Code as an object with an id.
func (*Code) IsNode() {}

// IsNode marks Recipient as an object with an id.
func (*Recipient) IsNode() {}

// IsNode marks Delivery as an object with an id.
func (*Delivery) IsNode() {}

// IsNode marks Message as an object with an id.
func (*Message) IsNode() {}

// IsNode marks Redemption as an object with an id.
func (*Redemption) IsNode() {}

// IsNode marks Import as an object with an id.
func (*Import) IsNode() {}

// IsNode marks CodeBatch as an object with an id.
func (*CodeBatch) IsNode() {}

// IsNode marks RecipientList as an object with an id.
func (*RecipientList) IsNode() {}

// IsNode marks Export as an object with an id.
func (*Export) IsNode() {}
