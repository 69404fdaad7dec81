"""Background processes: the projector, the delivery worker, jobs."""
