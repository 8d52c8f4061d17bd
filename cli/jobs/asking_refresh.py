"""What the jobs ask of the function `refresh`: it alone opens tokens, and its answers hold none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from botocore.exceptions import EndpointConnectionError

from cli.jobs.listing import Named
from zendesk_oauth.adapters.lambda_refresher import LambdaRefresher
from zendesk_oauth.errors import RefreshPendingError, StoreUnavailableError
from zendesk_oauth.models.rekey import RekeyAnswer, RekeyOutcome


@dataclass(frozen=True, slots=True)
class AskRekey:
    """Has rows sealed anew for a campaign. `refresher` waits longer than the function may run."""

    refresher: LambdaRefresher
    campaign: str

    def __call__(self, rows: Sequence[Named]) -> Sequence[RekeyAnswer]:
        """Return how each has ended. Raises RefreshPendingError, ConfigurationError.

        Raises StoreUnavailableError where nothing answers at the service's address: no patience helps there.
        """
        names = [{name: value for name, value in row._asdict().items() if value is not None} for row in rows]
        try:
            answer = self.refresher.answer_to({"rekey": {"campaign": self.campaign, "rows": names}})
        except RefreshPendingError as error:
            if isinstance(error.__cause__, EndpointConnectionError):
                raise StoreUnavailableError("nothing answers") from error.__cause__
            raise
        answers = answer.get("rows")
        if not isinstance(answers, list) or len(answers) != len(rows):
            raise RefreshPendingError("`refresh` has not answered for every row")
        return [_answer(named, each) for named, each in zip(rows, answers, strict=True)]


def _answer(named: Named, answer: Mapping[str, object]) -> RekeyAnswer:
    """Return an answer, by the row that was asked for: they come in the same order."""
    cause = answer.get("cause")
    outcome = RekeyOutcome(str(answer.get("outcome")))
    told = cause if isinstance(cause, str) else None
    return RekeyAnswer(named.grant, named.subdomain, outcome, told, named.replaced)
