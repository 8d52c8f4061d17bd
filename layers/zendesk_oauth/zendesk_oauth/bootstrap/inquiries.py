"""Answers what an operator asks of `refresh`: loaded and built for that alone, so that no refresh waits for it."""

from collections.abc import Mapping
from secrets import token_bytes
from typing import TYPE_CHECKING, NamedTuple

from zendesk_oauth.adapters.kms_data_keys import KmsDataKeys
from zendesk_oauth.adapters.kms_sealer import KmsOpener
from zendesk_oauth.ports import Clock
from zendesk_oauth.ports.refresh import RefreshStore
from zendesk_oauth.services.examine_deployment import ExamineDeployment
from zendesk_oauth.services.probe_connection import ProbeConnection
from zendesk_oauth.web.inquiry_answers import examination_payload, probe_payload
from zendesk_oauth.web.refresh_events import Inquiry

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

    from zendesk_oauth.bootstrap.refresh import Outside
    from zendesk_oauth.settings import SealSettings


class Answered(NamedTuple):
    """The answer to an operator, and what the log says of it."""

    payload: dict[str, object]
    told: Mapping[str, object]


class Inquiries(NamedTuple):
    """Both use cases."""

    probe: ProbeConnection
    examine: ExamineDeployment

    def __call__(self, inquiry: Inquiry) -> Answered:
        """Return the answer. Raises StoreUnavailableError."""
        if inquiry.grant is None:
            examination = self.examine(inquiry.subdomain)
            payload = examination_payload(examination)
            outcome = "as_it_should_be" if examination.is_ok else "amiss"
            return Answered(payload, {"outcome": outcome, **payload})
        answer = self.probe(inquiry.grant, inquiry.subdomain)
        install = answer.connection.install_id if answer.connection else None
        payload = probe_payload(answer)
        told = {name: payload[name] for name in ("outcome", "status", "epoch", "generation", "cause")}
        return Answered(payload, {"correlation_id": install, **told})


def build_inquiries(
    kms: "KMSClient", seal: "SealSettings", store: RefreshStore, outside: "Outside", clock: Clock
) -> Inquiries:
    """Return both, over what `refresh` has; keys are asked for anew, since a warm one would prove nothing."""
    return Inquiries(
        ProbeConnection(store, KmsOpener(kms, seal), outside.api, clock),
        ExamineDeployment(
            client_secret=outside.client_secret,
            token_endpoint=outside.token_endpoint,
            key=KmsDataKeys(kms, seal),
            clock=clock,
            entropy=token_bytes,
        ),
    )
