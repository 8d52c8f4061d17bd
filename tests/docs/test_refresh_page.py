"""The page about refreshes: its lists are the code's own. Its costs are held by `test_costs.py`."""

import re

from tests.docs.reading import ROOT
from zendesk_oauth.models.refresh import RefreshOutcome
from zendesk_oauth.refresh_journal import COUNTED

PAGE = (ROOT / "docs" / "refresh.md").read_text()


def test_every_outcome_is_explained() -> None:
    """Each has its row, and no other is named there."""
    section = PAGE.partition("| outcome | what it means |")[2].partition("## ")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == [each.value for each in RefreshOutcome]


def test_every_count_is_explained() -> None:
    """What the journal counts under a fixed name stands in the page, and the other way round."""
    section = PAGE.partition("| metric | counts | also by |")[2].partition("## ")[0]
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", section))
    package = ROOT / "layers/zendesk_oauth/zendesk_oauth"
    source = (package / "refresh_journal.py").read_text() + (
        package / "bootstrap/refresh_on_event.py"
    ).read_text()
    counted = set(re.findall(r'_count\("(\w+)"', source)) | set(COUNTED.values())
    counted |= set(re.findall(r'"((?:KeepAlive|Unfinished)(?:HandedOver|Ticked))"', source))
    counted |= {"RequestRefused", "RequestFailed", "TokenLeftAlive"}
    assert named == counted
