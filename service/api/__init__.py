"""The Batch REST API: requests in, answers out; what happens in between is the controller's."""
