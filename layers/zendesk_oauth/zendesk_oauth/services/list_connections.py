"""List connections, page by page: for operators, without anything that is sealed."""

from typing import NamedTuple

from zendesk_oauth.errors import MalformedRequestError
from zendesk_oauth.models.connection_summary import ConnectionPage, ListQuestion
from zendesk_oauth.ports.directory import ConnectionDirectory


class ListConnections(NamedTuple):
    """One page: of one grant, where it is named, or of all."""

    directory: ConnectionDirectory

    def __call__(self, question: ListQuestion) -> ConnectionPage:
        """Return the page.

        Raises MalformedRequestError where the cursor is another listing's, and StoreUnavailableError.
        """
        after = question.after
        if after is not None and question.grant is not None and after.grant != question.grant:
            raise MalformedRequestError("the cursor belongs to another grant's listing")
        return self.directory.page(question)
