"""The account that is looked at: clients for an identity, in one Region."""

from dataclasses import dataclass, field
from typing import Any, Self

from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from botocore.session import Session

from deployed.aws_settings import read_certificates, read_endpoint_url, read_region, settings_errors
from deployed.credentials import CredentialSources, Keys

CONNECT_SECONDS = 5
READ_SECONDS = 30
ATTEMPTS = 3
"""By default: a call and two repeats, which hide a throttle or a connection that broke."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: a name for the report, and credentials; None is whoever runs this, by the usual settings."""

    name: str
    credentials: Keys | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """One Region of one account; `endpoint_url` is for an emulator."""

    region: str
    session: Session = field(default_factory=Session)
    endpoint_url: str | None = None
    certificates: str | None = None
    """The file or folder of certificates that AWS is recognized by; None: the SDK's own."""

    def __post_init__(self) -> None:
        """Have the session name the source of credentials that cannot be used. Raises SettingsError."""
        self.session.register_component("credential_provider", CredentialSources(self.session, self.region))

    @classmethod
    def here(cls) -> Self:
        """Return the account of the usual AWS settings.

        Raises RegionMissingError, SettingsError, and CertificatesError.
        """
        session = Session()
        return cls(read_region(session), session, read_endpoint_url(), read_certificates(session))

    def client(
        self,
        service: str,
        identity: Identity | None = None,
        *,
        read_seconds: int = READ_SECONDS,
        attempts: int = ATTEMPTS,
    ) -> Any:  # noqa: ANN401 - every service there is
        """Return a client with the identity's credentials, or with those of whoever runs this.

        Raises SettingsError, CredentialsError, and the SDK's errors of the network.
        """
        given: dict[str, Any] = {}
        if identity and identity.credentials:
            own = identity.credentials.get_frozen_credentials()
            given = {
                "aws_access_key_id": own.access_key,
                "aws_secret_access_key": own.secret_key,
                "aws_session_token": own.token,
            }
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            retries={"total_max_attempts": attempts},
        )
        with settings_errors():
            return self.session.create_client(
                service, region_name=self.region, endpoint_url=self.endpoint_url, config=config, **given
            )

    def whoever_runs_this(self) -> Identity:
        """Return the identity of the usual settings.

        Raises NoCredentialsError where there are none, and CredentialsError where a source gives none.
        """
        credentials: Keys | None = self.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        return Identity("whoever runs this", credentials)
