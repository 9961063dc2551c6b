package db

import (
	"context"
	"database/sql"
	"slices"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// newestPage returns a page of a list whose statements give its numbers below $after (NULL: all),
// newest first, and its length.
func newestPage[T any](
	ctx context.Context, s *Store, page coupon.Page, kind coupon.Kind, list, count string,
	args []any,
	read func(context.Context, []int64) (map[coupon.ID]T, error),
) (*coupon.List[T], error) {
	result := &coupon.List[T]{}
	var err error
	if page.WantsTotal {
		if result.Total, err = duckdb.One[int](ctx, s.engine, count, args...); err != nil {
			return nil, err
		}
	}
	if !page.WantsItems {
		return result, nil
	}
	var after any
	if page.After != nil {
		after = page.After.Number
	}
	numbers, err := duckdb.Collect(ctx, s.engine, list, duckdb.ScanInto[int64],
		append(args, named("after", after), named("limit", page.First+1))...)
	if err != nil {
		return nil, err
	}
	if result.HasNext = len(numbers) > page.First; result.HasNext {
		numbers = numbers[:page.First]
	}
	found, err := read(ctx, numbers)
	result.Items, result.Cursors = inOrder(found, kind, numbers), cursorsOf(numbers)
	return result, err
}

// nestedPage asks for a page of something of each of several parents.
type nestedPage struct {
	parents    []coupon.ID
	parentKind coupon.Kind
	page       coupon.Page
	// list gives (parent, numbers of the items after $after, at most $limit); count gives (parent,
	// total).
	list, count string
	// isNewestFirst: list takes the largest numbers below $after, and NULL for the first page.
	isNewestFirst bool
	args          []any
}

// numberPage is a page of something, by number.
type numberPage struct {
	numbers []int64
	hasNext bool
	total   int
}

// pagesOf answers a nested page with at most two statements, however many parents there are.
func (s *Store) pagesOf(ctx context.Context, n *nestedPage) (map[coupon.ID]*numberPage, error) {
	pages := make(map[coupon.ID]*numberPage, len(n.parents))
	for _, id := range n.parents {
		pages[id] = &numberPage{}
	}
	args := append([]any{named("ids", numbersOf(n.parentKind, n.parents))}, n.args...)
	if n.page.WantsTotal {
		err := duckdb.Each(ctx, s.engine, n.count, func(rows *sql.Rows) error {
			var parent int64
			var total int
			err := rows.Scan(&parent, &total)
			pages[coupon.NewID(n.parentKind, parent)].total = total
			return err
		}, args...)
		if err != nil {
			return nil, err
		}
	}
	if !n.page.WantsItems {
		return pages, nil
	}
	var after any = int64(0)
	switch {
	case n.page.After != nil:
		after = n.page.After.Number
	case n.isNewestFirst:
		after = nil
	}
	err := duckdb.Each(ctx, s.engine, n.list, func(rows *sql.Rows) error {
		var parent int64
		var list []any
		if err := rows.Scan(&parent, &list); err != nil {
			return err
		}
		numbers := make([]int64, len(list))
		for i, number := range list {
			numbers[i], _ = number.(int64)
		}
		slices.Sort(numbers)
		if n.isNewestFirst {
			slices.Reverse(numbers)
		}
		page := pages[coupon.NewID(n.parentKind, parent)]
		if page.hasNext = len(numbers) > n.page.First; page.hasNext {
			numbers = numbers[:n.page.First]
		}
		page.numbers = numbers
		return nil
	}, append(args, named("after", after), named("limit", n.page.First+1))...)
	return pages, err
}

// fillPages reads the items of all pages at once.
func fillPages[T any](
	ctx context.Context,
	pages map[coupon.ID]*numberPage,
	kind coupon.Kind,
	read func(context.Context, []int64) (map[coupon.ID]T, error),
) (map[coupon.ID]*coupon.List[T], error) {
	var all []int64
	for _, page := range pages {
		all = append(all, page.numbers...)
	}
	found, err := read(ctx, all)
	if err != nil {
		return nil, err
	}
	lists := make(map[coupon.ID]*coupon.List[T], len(pages))
	for id, page := range pages {
		lists[id] = &coupon.List[T]{
			Items: inOrder(found, kind, page.numbers), Cursors: cursorsOf(page.numbers),
			HasNext: page.hasNext, Total: page.total,
		}
	}
	return lists, nil
}

// inOrder returns the objects with these numbers in their order, without those that are not there.
func inOrder[T any](found map[coupon.ID]T, kind coupon.Kind, numbers []int64) []T {
	items := make([]T, 0, len(numbers))
	for _, number := range numbers {
		if item, ok := found[coupon.NewID(kind, number)]; ok {
			items = append(items, item)
		}
	}
	return items
}

func cursorsOf(numbers []int64) []coupon.Cursor {
	cursors := make([]coupon.Cursor, len(numbers))
	for i, number := range numbers {
		cursors[i] = coupon.Cursor{Number: number}
	}
	return cursors
}
