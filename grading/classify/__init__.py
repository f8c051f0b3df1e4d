"""From a measured fat fraction to a stage on a published scale."""
