# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated postgres_exporter 0.20: one database of the platform."""

from __future__ import annotations

from tests.lab.platform.exporter import Exporter, Family, counter, gauge

DATABASE = "platform"
TABLES = ("users", "organizations", "sessions", "audit_log")
QUERIES = {"1001": 2.0, "1002": 0.4, "1003": 0.05}  # id -> calls per second
MAXIMUM = 100


class PostgresExporter(Exporter):
    name = "postgres-exporter"
    scenarios = ("db_down", "connections_high", "slow_queries")

    def families(self) -> list[Family]:
        if self.on("db_down"):
            return [gauge("pg_up", 0)]
        return [gauge("pg_up", 1), *self.activity(), *self.database(), *self.statements(), *self.tables()]

    def activity(self) -> list[Family]:
        active = 95.0 if self.on("connections_high") else self.clock.sine(8, 20)
        states = (("active", active), ("idle", 2.0), ("idle in transaction", 0.0))
        counts = tuple(({"datname": DATABASE, "state": state}, value) for state, value in states)
        locks = (("AccessShareLock", 4.0), ("RowExclusiveLock", 2.0), ("ExclusiveLock", 0.0))
        held = tuple(({"datname": DATABASE, "mode": mode}, value) for mode, value in locks)
        return [
            Family("pg_stat_activity_count", "gauge", counts),
            gauge("pg_stat_activity_max_tx_duration", self.clock.sine(0.1, 1.5), datname=DATABASE, state="active"),
            gauge("pg_settings_max_connections", MAXIMUM),
            gauge("pg_long_running_transactions", 0),
            gauge("pg_long_running_transactions_oldest_timestamp_seconds", 0),
            Family("pg_locks_count", "gauge", held),
            gauge("pg_replication_lag_seconds", self.clock.sine(0, 0.2)),
            gauge("pg_postmaster_start_time_seconds", self.clock.started),
        ]

    def database(self) -> list[Family]:
        labels = {"datid": "16384", "datname": DATABASE}
        rates = {
            "xact_commit": 12.0,
            "xact_rollback": 0.05,
            "blks_hit": 900.0,
            "blks_read": 6.0,
            "tup_fetched": 250.0,
            "deadlocks": 0.0,
            "temp_bytes": 0.0,
        }
        counters = [
            counter(f"pg_stat_database_{name}", self.clock.accumulated(rate), **labels) for name, rate in rates.items()
        ]
        size = gauge("pg_database_size_bytes", 7.5e8 + self.clock.accumulated(1000), datname=DATABASE)
        return [*counters, gauge("pg_stat_database_numbackends", self.clock.sine(10, 22), **labels), size]

    def statements(self) -> list[Family]:
        mean = 2.5 if self.on("slow_queries") else 0.004

        def family(name: str, factor: float) -> Family:
            labels = {"user": "platform", "datname": DATABASE}
            samples = (
                (labels | {"queryid": key}, self.clock.accumulated(rate * factor)) for key, rate in QUERIES.items()
            )
            return Family(f"pg_stat_statements_{name}", "counter", tuple(samples))

        return [family("calls_total", 1), family("seconds_total", mean), family("rows_total", 3)]

    def tables(self) -> list[Family]:
        def family(name: str, kind: str, value: float) -> Family:
            labels = {"datname": DATABASE, "schemaname": "public"}
            samples = ((labels | {"relname": table}, value * (place + 1)) for place, table in enumerate(TABLES))
            return Family(f"pg_stat_user_tables_{name}", kind, tuple(samples))

        return [
            family("table_size_bytes", "gauge", 4e7 + self.clock.accumulated(100)),
            family("index_size_bytes", "gauge", 1e7 + self.clock.accumulated(20)),
            family("n_live_tup", "gauge", 50_000 + self.clock.accumulated(1)),
            family("n_dead_tup", "gauge", self.clock.sine(100, 900)),
            family("seq_scan", "counter", self.clock.accumulated(0.1)),
            family("idx_scan", "counter", self.clock.accumulated(8)),
            family("last_autovacuum", "gauge", self.clock.started),
        ]
