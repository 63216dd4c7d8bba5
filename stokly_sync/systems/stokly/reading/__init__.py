"""Which rows of Stokly are asked for, dataset by dataset: by window, the whole history, or a sweep.

Belongs here: turning a `flow.Scope` into requests, and gathering the sub-documents of what was found. How a list is
read without losing rows is `paging`'s affair, what a document means that of `documents`.
"""
