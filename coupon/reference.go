package coupon

// Refers returns the ids that an object shows: its own, and those of the objects that its fields
// lead to. Whoever shows many objects reads what they lead to all at once.

// Refers returns the id of the coupon.
func (c *Coupon) Refers() []ID { return []ID{c.ID} }

// Refers returns the id of the code, and those of its coupon, delivery, recipient, import and
// batch.
func (c *Code) Refers() []ID {
	return present([]ID{c.ID, c.CouponID, c.BatchID}, c.DeliveryID, c.RecipientID, c.ImportID)
}

// Refers returns the id of the delivery.
func (e *CodeEvent) Refers() []ID { return present(nil, e.DeliveryID) }

// Refers returns the id of the recipient.
func (r *Recipient) Refers() []ID { return []ID{r.ID} }

// Refers returns the id of the delivery, and that of its coupon.
func (d *Delivery) Refers() []ID { return present([]ID{d.ID}, d.CouponID) }

// Refers returns the id of the recipient.
func (r *ExcludedRecipient) Refers() []ID { return []ID{r.RecipientID} }

// Refers returns the id of the message, and those of its delivery, recipient and code.
func (m *Message) Refers() []ID {
	return present([]ID{m.ID, m.DeliveryID, m.RecipientID}, m.CodeID)
}

// Refers returns the id of the redemption, and those of its coupon and code.
func (r *Redemption) Refers() []ID { return present([]ID{r.ID, r.CouponID}, r.CodeID) }

// Refers returns the id of the import, and that of its coupon.
func (i *Import) Refers() []ID { return present([]ID{i.ID}, i.CouponID) }

// Refers returns nothing: a rejected row leads to no object.
func (*Quarantine) Refers() []ID { return nil }

// Refers returns what the answer shows with it.
func (*Rejection) Refers() []ID { return nil }

// Refers returns the id of the batch, and those of its coupon and import.
func (b *CodeBatch) Refers() []ID { return present([]ID{b.ID, b.CouponID}, b.ImportID) }

// Refers returns the id of the export.
func (e *Export) Refers() []ID { return []ID{e.ID} }

// Refers returns the ids of the coupon and the delivery that the row is about.
func (r *StatsRow) Refers() []ID { return present(nil, r.CouponID, r.DeliveryID) }

// Refers returns the id of the delivery.
func (d *PlannedDelivery) Refers() []ID { return []ID{d.DeliveryID} }

// Refers returns the id of the delivery.
func (c *DeliveryComparison) Refers() []ID { return []ID{c.DeliveryID} }

// Refers returns the ids of what the alert is about.
func (a *Alert) Refers() []ID { return present(nil, a.CouponID, a.DeliveryID, a.ImportID) }

// Refers returns the id of the key.
func (k *APIKey) Refers() []ID { return []ID{k.ID} }

// Refers returns the id of the entry.
func (e *AuditEntry) Refers() []ID { return []ID{e.ID} }

// present adds the ids that are not nil.
func present(ids []ID, others ...*ID) []ID {
	for _, id := range others {
		if id != nil {
			ids = append(ids, *id)
		}
	}
	return ids
}

// Refers returns the list itself.
func (l *RecipientList) Refers() []ID { return []ID{l.ID} }
