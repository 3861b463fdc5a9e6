"""What docs/deployment.md says of Kubernetes is what Kubernetes can read, and what this product can be started with."""

# ruff: noqa: ANN401 - manifests are dictionaries of anything

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are another package

from authserver.config import load_settings
from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.people.shell import load_every_command

DEPLOYMENT: Final = (Path(__file__).parents[2] / "docs" / "deployment.md").read_text()
DRAIN_SECONDS: Final = 10
SECRETS: Final = {
    "AUTHSERVER_DATABASE_URL": "postgresql://authserver:secret@db/authserver",
    "AUTHSERVER_LIMITS_URL": "redis://limits:6379/0",
}


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    """By kind."""
    (text,) = re.findall(r"```yaml\n(.*?)```", DEPLOYMENT, re.DOTALL)
    return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(text)}


@pytest.fixture
def settings(manifests: dict[str, Any]) -> dict[str, str]:
    return manifests["ConfigMap"]["data"]  # type: ignore[no-any-return]


def pod_of(manifest: Any) -> Any:
    return manifest["spec"]["template"]["spec"]


def container_of(manifest: Any) -> Any:
    (container,) = pod_of(manifest)["containers"]
    return container


def test_the_settings_are_settings(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the variables of a Service of our name, and with all values texts, as Kubernetes demands."""
    linked = {"AUTHSERVER_PORT": "tcp://10.0.0.1:80", "AUTHSERVER_SERVICE_HOST": "10.0.0.1"}
    assert all(name in DEPLOYMENT for name in SECRETS)
    for name, value in {**settings, **SECRETS, **linked}.items():
        assert isinstance(value, str), name
        monkeypatch.setenv(name, value)
    loaded = load_settings()
    assert (loaded.workers, loaded.uses_sqlite) == (2, False)


def test_both_pods_have_the_settings_and_the_secrets(manifests: dict[str, Any]) -> None:
    sources = [container_of(manifests[kind])["envFrom"] for kind in ("Job", "Deployment")]
    assert sources[0] == sources[1]
    assert sources[0][0]["configMapRef"]["name"] == manifests["ConfigMap"]["metadata"]["name"]
    assert f"secret generic {sources[0][1]['secretRef']['name']} " in DEPLOYMENT


@pytest.mark.parametrize("kind", ["Job", "Deployment"])
def test_what_the_pods_run_is_a_command(manifests: dict[str, Any], kind: str) -> None:
    """With options that it has."""
    name, *words = container_of(manifests[kind])["args"]
    command = load_every_command().commands[name]
    if kind == "Job":
        assert (name, words) == ("db", ["upgrade"])
        return
    options = command.make_context(name, list(words)).params
    assert (options["host"], options["port"]) == ("0.0.0.0", 8000)  # noqa: S104 - inside a pod
    (port,) = container_of(manifests[kind])["ports"]
    assert port["containerPort"] == options["port"]


def test_the_folders_of_the_settings_are_mounted(manifests: dict[str, Any], settings: dict[str, str]) -> None:
    """The master key for the group of the server alone (docs/keys.md); HOME is the one folder that can be written."""
    pod, container = pod_of(manifests["Deployment"]), container_of(manifests["Deployment"])
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
    keys = mounts.pop(settings["AUTHSERVER_KEYS_DIR"])["secret"]
    assert keys["defaultMode"] == 0o440
    assert f"secret generic {keys['secretName']} " in DEPLOYMENT
    assert pod["securityContext"]["fsGroup"] > 0
    assert mounts.pop(settings["AUTHSERVER_HOME"])["emptyDir"] == {}
    assert mounts == {}


def test_the_service_leads_to_the_pods_and_their_end_has_time(manifests: dict[str, Any]) -> None:
    deployment, service = manifests["Deployment"], manifests["Service"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"] == labels
    (port,), (there,) = service["spec"]["ports"], container_of(deployment)["ports"]
    assert port["targetPort"] == there["name"]
    _, waited = container_of(deployment)["lifecycle"]["preStop"]["exec"]["command"]
    assert pod_of(deployment)["terminationGracePeriodSeconds"] >= int(waited) + DRAIN_SECONDS + 5


def test_the_probes_ask_what_answers(manifests: dict[str, Any], realm: Realm) -> None:
    client = Api(realm).client
    for probe in ("readinessProbe", "livenessProbe"):
        assert client.get(container_of(manifests["Deployment"])[probe]["httpGet"]["path"]).status_code == 200
