"""The Dagster code location: every stream of every company an asset, loaded by `meltano run`."""
