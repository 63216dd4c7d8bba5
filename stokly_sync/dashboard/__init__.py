"""The web page for the people who live with the sync: exceptions, reconciliation, trust, *where is order X*, plans.

Pages are made on the server and need neither scripts nor anything from outside. What is asked and done stands in
`operations`; here are routes, forms, templates and who may see them. HTML comes from templates alone, which escape.
"""
