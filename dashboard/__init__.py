"""The way to Dask's dashboard: what a scheduler does that needs an AWS SDK. Nothing of ours imports it."""
