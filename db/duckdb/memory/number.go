package memory

// Numbers has the number that the next row of each growing table gets.
type Numbers struct {
	Batch, Code, Recipient, Message, Redemption int64
}

// IsBehind reports whether numbers that some rows have would be given out again.
func (n Numbers) IsBehind(rows Numbers) bool {
	return n.Batch < rows.Batch || n.Code < rows.Code || n.Recipient < rows.Recipient || n.Message < rows.Message ||
		n.Redemption < rows.Redemption
}

// take returns out so many numbers and returns the first. They are never given out again.
func (m *Memory) take(next *int64, count int) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := *next
	*next += int64(count)
	return first
}

// TakeMessages returns out numbers of messages, TakeRedemptions of redemptions. Both return the first; none is given out again.
func (m *Memory) TakeMessages(count int) int64 { return m.take(&m.next.Message, count) }

// TakeRedemptions is TakeMessages for redemptions.
func (m *Memory) TakeRedemptions(count int) int64 { return m.take(&m.next.Redemption, count) }

// TakeCodes returns out so many numbers of codes and of batches, and returns the first of each.
func (m *Memory) TakeCodes(count, batches int) (batch, first int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	batch, first = m.next.Batch, m.next.Code
	m.next.Batch += int64(batches)
	m.next.Code += int64(count)
	return batch, first
}

// NextRecipient returns the number of the next recipient. Only one use case at a time adds recipients.
func (m *Memory) NextRecipient() int64 {
	return answer(m, func(v View) int64 { return v.next.Recipient })
}

// AddRecipients takes over that so many recipients were added.
func (c Change) AddRecipients(count int) { c.next.Recipient += int64(count) }

// Summary is what can be compared with the rows.
type Summary struct {
	Next   Numbers
	Counts map[Place]Counts
}

// Place is where codes of one coupon with one label stand.
type Place struct {
	Coupon int64
	Label  string
}

// Summary returns the next numbers and the counts of one instant.
func (m *Memory) Summary() Summary {
	return answer(m, func(v View) Summary {
		s := Summary{Next: v.next, Counts: map[Place]Counts{}}
		for number, known := range v.coupons {
			for label, codes := range known.labels {
				s.Counts[Place{number, label}] = codes.counts
			}
		}
		return s
	})
}
