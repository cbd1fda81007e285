"""The door: settings, workload files, the command line. The only place that puts real parts together."""
