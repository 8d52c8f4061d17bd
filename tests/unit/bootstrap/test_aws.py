from pathlib import Path

import pytest
from botocore.loaders import Loader

from zendesk_oauth.bootstrap.aws import AwsClients, OurLoader


def test_our_part_of_botocores_data_is_read_where_it_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a layer, our clients read our part and never the whole."""
    monkeypatch.setattr(OurLoader, "BUILTIN_DATA_PATH", str(tmp_path))
    loader = AwsClients()._session.get_component("data_loader")
    assert isinstance(loader, OurLoader)
    assert str(tmp_path) in loader.search_paths
    assert Loader.BUILTIN_DATA_PATH not in loader.search_paths


def test_without_it_botocores_own_data_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a layer, as in tests and tools, nothing is missing."""
    monkeypatch.setattr(OurLoader, "BUILTIN_DATA_PATH", str(tmp_path / "absent"))
    loader = AwsClients()._session.get_component("data_loader")
    assert not isinstance(loader, OurLoader)
    assert Loader.BUILTIN_DATA_PATH in loader.search_paths
