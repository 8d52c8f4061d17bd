"""What a stack says under names: whoever asks for a name that it does not say is told so, in a sentence."""

from collections import UserDict
from collections.abc import Mapping

from zendesk_oauth.errors import ConfigurationError


class Said(UserDict[str, str]):
    """Outputs, or parameters, as `kind` names one of them; a missing one raises ConfigurationError."""

    def __init__(self, kind: str, said: Mapping[str, str]) -> None:
        self._kind = kind
        super().__init__(said)

    def __missing__(self, name: str) -> str:
        """Raise ConfigurationError."""
        problem = (
            f"the stack has no {self._kind} {name}: its first deployment has failed, it is of another version, "
            "or none of ours"
        )
        raise ConfigurationError((problem,))
