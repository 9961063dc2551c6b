package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"couponql/coupon"
	"couponql/db/duckdb"
)

// ImportsByID returns the imports that exist of these, with the progress of those that run.
func (s *Store) ImportsByID(ctx context.Context, ids []coupon.ID) (map[coupon.ID]*coupon.Import, error) {
	return s.readImports(ctx, numbersOf(coupon.KindImport, ids))
}

func (s *Store) readImports(ctx context.Context, numbers []int64) (map[coupon.ID]*coupon.Import, error) {
	found := make(map[coupon.ID]*coupon.Import, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	err := duckdb.Each(ctx, s.engine, importGet, func(rows *sql.Rows) error {
		var number int64
		var couponNumber, deliveryNumber, uploadNumber *int64
		var options string
		var findings *string
		var i coupon.Import
		err := rows.Scan(
			&number,
			&i.Kind,
			&i.Mode,
			&i.Status,
			&i.Format,
			&i.IsDryRun,
			&couponNumber,
			&deliveryNumber,
			&i.FileName,
			&i.ByteCount,
			&i.Checksum,
			&i.OnRejection,
			&options,
			&i.Label,
			&i.Timezone,
			&i.RowsRead,
			&i.RowsImported,
			&i.RowsRejected,
			&i.Failure,
			&i.CreatedAt,
			&i.StartedAt,
			&i.FinishedAt,
			&uploadNumber,
			&findings,
			&i.UndoneAt,
			&i.FileExpiresAt,
			&i.Channel,
			&i.BounceKind,
			&i.CreatedBy,
		)
		if err != nil {
			return err
		}
		i.UploadID = coupon.NewIDPtr(coupon.KindUpload, uploadNumber)
		if findings != nil {
			if err := json.Unmarshal([]byte(*findings), &i.ImportFindings); err != nil {
				return fmt.Errorf("decode the findings of an import: %w", err)
			}
		}
		i.ID = coupon.NewID(coupon.KindImport, number)
		i.CouponID, i.DeliveryID = coupon.NewIDPtr(coupon.KindCoupon, couponNumber), coupon.NewIDPtr(coupon.KindDelivery, deliveryNumber)
		if err := json.Unmarshal([]byte(options), &i.Options); err != nil {
			return fmt.Errorf("decode the options of %s: %w", i.ID, err)
		}
		if i.Status.IsFinal() {
			i.Progress = 1
		} else if p := s.progressOf(i.ID); p != nil {
			i.Progress, i.RowsRead = p.share(), int(p.rows.Load())
		}
		found[i.ID] = &i
		return nil
	}, named("ids", numbers))
	return found, err
}

// Imports returns a page of imports, newest first; kind and status narrow it unless empty.
func (s *Store) Imports(ctx context.Context, kind *coupon.ImportKind, status []coupon.ImportStatus, page coupon.Page) (*coupon.List[*coupon.Import], error) {
	return newestPage(
		ctx,
		s,
		page,
		coupon.KindImport,
		importPage,
		importCount,
		[]any{named("kind", optionalText(kind)), named("status", texts(status))},
		s.readImports,
	)
}

// CouponImports returns a page of each coupon's imports, newest first.
func (s *Store) CouponImports(ctx context.Context, coupons []coupon.ID, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.Import], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: coupons, parentKind: coupon.KindCoupon, page: page, list: couponImports, count: couponImportsCount, isNewestFirst: true,
	})
	if err != nil {
		return nil, err
	}
	return fillPages(ctx, pages, coupon.KindImport, s.readImports)
}

// RejectionsOf returns a page of each import's rejected rows, in the order of the file.
func (s *Store) RejectionsOf(ctx context.Context, imports []coupon.ID, page coupon.Page) (map[coupon.ID]*coupon.List[*coupon.Rejection], error) {
	pages, err := s.pagesOf(ctx, &nestedPage{
		parents: imports, parentKind: coupon.KindImport, page: page, list: importRejections, count: importRejectionsCount,
	})
	if err != nil {
		return nil, err
	}
	lists := make(map[coupon.ID]*coupon.List[*coupon.Rejection], len(pages))
	var parents, lines []int64
	for id, p := range pages {
		lists[id] = &coupon.List[*coupon.Rejection]{Cursors: cursorsOf(p.numbers), HasNext: p.hasNext, Total: p.total}
		for _, line := range p.numbers {
			parents, lines = append(parents, coupon.MustNumber(coupon.KindImport, id)), append(lines, line)
		}
	}
	err = duckdb.Each(ctx, s.engine, rejectionGet, func(rows *sql.Rows) error {
		var parent int64
		var r coupon.Rejection
		err := rows.Scan(&parent, &r.Line, &r.Reason, &r.Value)
		list := lists[coupon.NewID(coupon.KindImport, parent)]
		list.Items = append(list.Items, &r)
		return err
	}, named("parents", parents), named("lines", lines))
	return lists, err
}

// RejectionReasonsOf counts each import's rejected rows by reason, most frequent first.
func (s *Store) RejectionReasonsOf(ctx context.Context, imports []coupon.ID) (map[coupon.ID][]*coupon.RejectionCount, error) {
	counts := make(map[coupon.ID][]*coupon.RejectionCount, len(imports))
	err := duckdb.Each(ctx, s.engine, rejectionReasons, func(rows *sql.Rows) error {
		var number int64
		var c coupon.RejectionCount
		err := rows.Scan(&number, &c.Reason, &c.Count)
		id := coupon.NewID(coupon.KindImport, number)
		counts[id] = append(counts[id], &c)
		return err
	}, named("ids", numbersOf(coupon.KindImport, imports)))
	return counts, err
}

// SameFileOf gives, for each of the imports whose file came before, the first import of that file.
func (s *Store) SameFileOf(ctx context.Context, imports []coupon.ID) (map[coupon.ID]*coupon.Import, error) {
	earlier := map[coupon.ID]int64{}
	var numbers []int64
	err := duckdb.Each(ctx, s.engine, importSameFile, func(rows *sql.Rows) error {
		var number, first int64
		err := rows.Scan(&number, &first)
		earlier[coupon.NewID(coupon.KindImport, number)] = first
		numbers = append(numbers, first)
		return err
	}, named("ids", numbersOf(coupon.KindImport, imports)))
	if err != nil {
		return nil, err
	}
	found, err := s.readImports(ctx, numbers)
	same := make(map[coupon.ID]*coupon.Import, len(earlier))
	for id, first := range earlier {
		same[id] = found[coupon.NewID(coupon.KindImport, first)]
	}
	return same, err
}
