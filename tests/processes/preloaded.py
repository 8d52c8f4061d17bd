"""What the server of the processes has ready before it forks: clients that have spoken to nobody yet.

The rule: it is imported there and nowhere else; loading the SDK's data in each process would take most of its time.
"""

from tests.processes.child import Container
from tests.processes.crowd import crowded_client

CONTAINER = Container()
CROWDED = crowded_client()
