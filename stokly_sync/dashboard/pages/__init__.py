"""The pages, one module a topic: from a request to a question of `operations`, and from its answer to a template."""
