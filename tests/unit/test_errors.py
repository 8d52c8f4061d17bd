import pytest

from zendesk_oauth import errors
from zendesk_oauth.errors import ConfigurationError, ZendeskOAuthError


def tree(root: type[ZendeskOAuthError]) -> list[type[ZendeskOAuthError]]:
    """Return an error and all below it."""
    return [root, *(below for child in root.__subclasses__() for below in tree(child))]


ALL = tree(ZendeskOAuthError)


@pytest.mark.parametrize("error", ALL)
def test_every_error_stands_in_the_drawing(error: type[ZendeskOAuthError]) -> None:
    """The tree at the top of the module is the tree, each name with its parent's indentation above it."""
    assert error.__name__ in (errors.__doc__ or "")


def test_codes_are_unique_and_messages_are_for_people() -> None:
    """Support can tell from a code what it was, and a person from a message what to do."""
    assert len({error.code for error in ALL}) == len(ALL)
    assert all(error.public_message.endswith((".", "com.")) for error in ALL)


def test_a_configuration_error_names_everything() -> None:
    """Not only the first problem."""
    error = ConfigurationError(("A is missing", "B is odd"))
    assert error.problems == ("A is missing", "B is odd")
    assert str(error) == "A is missing; B is odd"
