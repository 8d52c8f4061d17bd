"""What a schedule is about: who meets which token, and what may befall them."""

from dataclasses import dataclass

from zendesk_oauth.models.refresh import Asked


@dataclass(frozen=True, slots=True)
class Plot:
    """A cast of actors and a measure of faults: everything else is up to the schedule.

    Workers ask the function `refresh`; readers want a token and have it refreshed where that is due.
    """

    name: str
    workers: int = 0
    readers: int = 0
    disconnects: int = 0
    reinstalls: int = 0
    finishes: int = 0
    """How often the schedule of what is unfinished comes by."""
    rekeys: int = 0
    """How often the operator's command seals the row anew, for one campaign; in peace until it finds nothing to do."""
    replays: int = 0
    """How often the rescue queue delivers while others are at work."""
    replaced: int = 0
    """How many pairs installs have replaced before the play begins, none of them revoked yet."""
    harms: int = 0
    ticks: int = 0
    """How often time passes, `tick_seconds` each."""
    tick_seconds: tuple[float, ...] = (75.0,)
    lies: int = 0
    """How often the API answers 401 to a token that lives: as itself, or as a page."""
    skews: tuple[float, ...] = ()
    """How many seconds the clock is ahead: first that of the first pair's install, then those of the actors."""
    reuse_ends_family: bool = False
    """Whether a spent refresh token that is posted again ends what was issued in its place.

    The rescue queue is punctual then: what waits in it is delivered after 20 seconds, before anyone else goes on.
    """
    asked: Asked = Asked.DUE
    revoked: bool = False
    """Whether an admin has revoked the connection at Zendesk before."""
    over: bool = False
    """Whether its access token is over when the play begins."""
    quiet: bool = False
    """Whether those who come in peace come one after the other, which keeps the schedules few enough to play all."""
    calm: int = 4
    """Where schedules are drawn, one choice in so many is left to chance."""

    @property
    def posts(self) -> int:
        """How many POSTs there are where nothing befalls anybody: a refused token that lives needs none."""
        return 0 if self.asked is Asked.FAILED and not self.revoked else 1
