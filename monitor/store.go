package monitor

import (
	"github.com/prometheus/client_golang/prometheus"

	"couponql/db"
)

// storeCollector tells how busy a store is, each time it is asked.
type storeCollector struct {
	store                                                 *db.Store
	statements, commits, committed, waiting, lanes, audit *prometheus.Desc
	codes, bytes, free                                    *prometheus.Desc
}

var _ prometheus.Collector = &storeCollector{}

func newStoreCollector(store *db.Store) *storeCollector {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &storeCollector{
		store:      store,
		statements: describe("couponql_statements_total", "SQL statements that were run."),
		commits: describe("couponql_commits_total",
			"Transactions of the writer that were brought to the disk."),
		committed: describe("couponql_committed_requests_total",
			"Writes that those transactions carried: small ones share one."),
		waiting: describe("couponql_writer_waiting", "Writes that wait for the writer."),
		lanes: describe("couponql_lane_busy",
			"Long writes that run beside the writer now, by lane.", "lane"),
		audit: describe("couponql_audit_waiting",
			"Entries of the audit log that are not on the disk yet."),
		codes: describe("couponql_codes", "Codes in the pools."),
		bytes: describe("couponql_database_bytes", "Size of the database file and its log."),
		free: describe("couponql_disk_free_bytes",
			"What is free on the disk of the database; writes are refused below 64 MB."),
	}
}

// Describe gives what is told.
func (c *storeCollector) Describe(into chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.statements, c.commits, c.committed, c.waiting, c.lanes, c.audit, c.codes, c.bytes, c.free,
	} {
		into <- d
	}
}

// Collect looks at the store.
func (c *storeCollector) Collect(into chan<- prometheus.Metric) {
	load := c.store.Workload()
	counter := func(d *prometheus.Desc, value float64) {
		into <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value)
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		into <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter(c.statements, float64(load.Statements))
	counter(c.commits, float64(load.Commits))
	counter(c.committed, float64(load.Committed))
	gauge(c.waiting, float64(load.Waiting))
	gauge(c.lanes, float64(load.Additions), "additions")
	gauge(c.lanes, float64(load.Preparations), "preparations")
	gauge(c.audit, float64(load.AuditWaiting))
	gauge(c.codes, float64(load.Codes))
	gauge(c.bytes, float64(load.DatabaseBytes))
	gauge(c.free, float64(load.FreeBytes))
}
