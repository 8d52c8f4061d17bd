"""The edge: events become checked requests, and what the use cases answer becomes responses and pages.

Nothing of a request is ever echoed, and HTTP statuses are known here alone.
Values here are named tuples: as frozen as a dataclass, and an eighth of its price at each cold start.
"""
